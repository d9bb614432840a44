//! Finds the run that the user means.

use crate::compute::activation::Activations;
use crate::compute::answers::{answers, rank};
use provender_domain::day::Day;
use provender_domain::ids::{BoundaryId, HerdId};
use provender_domain::key::RunKey;
use provender_ledger::EntryNumber;
use provender_ledger::entries::{CanaryStart, Origin, RunsContext, RunsRecorded};
use provender_ledger::entry::Kind;
use provender_ledger::types::{Guardrail, Run, RunFilter};
use provender_ledger::{LedgerError, Read};

use super::ExplainError;

/// What the user asks for.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// A run's id, or at least six of its hex digits.
    Id(String),
    /// The answer for a place and day.
    Answer {
        /// The boundary.
        boundary_id: BoundaryId,
        /// The day.
        date: Day,
        /// The herd, needed if the place has several.
        herd_config_id: Option<HerdId>,
        /// `name` or `name:version`. A version that is not the answer is found anyway.
        logic: Option<String>,
        /// The configuration version, in full or its first hex digits, with `+rN` for a reissue. With it, the key is
        /// complete and can name a run that is not the answer.
        config_version: Option<String>,
    },
}

/// The run that was found.
#[derive(Clone, Debug)]
pub struct FoundRun {
    /// The run.
    pub run: Run,
    /// Whether it is the answer of its place, day and logic.
    pub is_answer: bool,
    /// Which canary recorded the run, in words, if it never became an answer.
    pub shadow: Option<String>,
    /// The other runs of its place and day, each with its relation to this one.
    pub others: Vec<(Run, String)>,
}

/// Finds the run.
///
/// # Errors
/// If no run matches, or several do.
pub fn find(ledger: &dyn Read, wanted: &Wanted) -> Result<FoundRun, ExplainError> {
    match wanted {
        Wanted::Id(id) => by_id(ledger, id),
        Wanted::Answer {
            boundary_id,
            date,
            herd_config_id,
            logic,
            config_version,
        } => {
            let filter = RunFilter {
                boundary_id: Some(boundary_id.clone()),
                herd_config_id: herd_config_id.clone(),
                from: Some(*date),
                to: Some(*date),
                logic: logic.clone(),
                configs: None,
            };
            match config_version {
                Some(version) => by_key(ledger, &filter, version),
                None => by_place(ledger, boundary_id, *date, &filter),
            }
        }
    }
}

fn by_id(ledger: &dyn Read, id: &str) -> Result<FoundRun, ExplainError> {
    let hex = id
        .strip_prefix("sha256-jcs-v1:")
        .unwrap_or(id)
        .to_ascii_lowercase();
    if hex.len() < 6 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(ExplainError::Malformed(format!(
            "`{id}` is not a run id: give sha256-jcs-v1:<hex> or at least six of its hex digits, or --boundary and --as-of"
        )));
    }
    let mut keys = ledger.keys_with_id(&hex)?;
    keys.sort_by(|a: &RunKey, b| {
        let order = |k: &'_ RunKey| {
            (
                k.boundary_id.clone(),
                k.herd_config_id.clone(),
                k.model_version.clone(),
            )
        };
        (order(a), a.calculation_date, &a.config_version).cmp(&(
            order(b),
            b.calculation_date,
            &b.config_version,
        ))
    });
    let mut hits: Vec<Run> = Vec::with_capacity(keys.len());
    for key in &keys {
        hits.extend(ledger.run(key)?);
    }
    match hits.len() {
        0 => Err(ExplainError::NotFound(format!(
            "no recorded run has the id {id}; `provender list --all-versions` lists them"
        ))),
        1 => with_others(ledger, hits.remove(0)),
        _ => Err(ExplainError::Ambiguous {
            what: format!("the id {id}"),
            candidates: hits.iter().map(command).collect(),
        }),
    }
}

fn by_key(ledger: &dyn Read, filter: &RunFilter, version: &str) -> Result<FoundRun, ExplainError> {
    let wanted = version.strip_prefix("sha256-jcs-v1:").unwrap_or(version);
    let (hex, reissue) = wanted.split_once("+r").unwrap_or((wanted, "0"));
    if hex.is_empty() || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(ExplainError::Malformed(format!(
            "`{version}` is not a configuration version: give sha256-jcs-v1:<hex> or its first hex digits, with +rN for a reissue"
        )));
    }
    let is_it = |r: &Run| {
        let v = &r.run.key.config_version;
        v.config.hex().starts_with(hex) && v.reissue.to_string() == reissue
    };
    let mut hits: Vec<Run> = ledger.runs(filter)?.into_iter().filter(is_it).collect();
    match hits.len() {
        0 => Err(ExplainError::NotFound(format!(
            "no run of this place and day has the configuration {version}; `provender list --all-versions` shows them"
        ))),
        1 => with_others(ledger, hits.remove(0)),
        _ => Err(ExplainError::Ambiguous {
            what: format!("the configuration {version}"),
            candidates: hits.iter().map(command).collect(),
        }),
    }
}

fn by_place(
    ledger: &dyn Read,
    boundary: &BoundaryId,
    date: Day,
    filter: &RunFilter,
) -> Result<FoundRun, ExplainError> {
    let mut hits = answers(ledger, filter)?;
    if hits.is_empty() {
        // Runs that are not answers can be explained too, if only one matches.
        hits = ledger
            .runs(filter)?
            .into_iter()
            .filter(|r| r.superseded_by.is_none())
            .collect();
    }
    match hits.len() {
        0 => Err(ExplainError::NotFound(missing(ledger, boundary, date)?)),
        1 => with_others(ledger, hits.remove(0)),
        _ => {
            // With one herd and several logics, a place and day mean the logic that reads the herd.
            let with_herd: Vec<usize> = (0..hits.len())
                .filter(|i| !hits[*i].run.key.herd_config_id.is_none())
                .collect();
            if let ([one], None, None) =
                (with_herd.as_slice(), &filter.logic, &filter.herd_config_id)
            {
                return with_others(ledger, hits.remove(*one));
            }
            Err(ExplainError::Ambiguous {
                what: format!("{boundary} on {date}"),
                candidates: hits.iter().map(command).collect(),
            })
        }
    }
}

fn command(run: &Run) -> String {
    let k = &run.run.key;
    format!(
        "provender explain {}   # {} / {} / {} / {}",
        k.run_id().short(),
        k.boundary_id,
        k.herd_config_id,
        k.calculation_date,
        k.model_version
    )
}

fn missing(ledger: &dyn Read, boundary: &BoundaryId, date: Day) -> Result<String, ExplainError> {
    let of_place = ledger.runs(&RunFilter {
        boundary_id: Some(boundary.to_owned()),
        ..RunFilter::default()
    })?;
    let nearest = of_place
        .iter()
        .map(|r| r.run.key.calculation_date)
        .min_by_key(|d| d.since(date).abs());
    Ok(match nearest {
        Some(day) if day == date => format!(
            "{boundary} has runs on {date}, but none with this herd or logic; `provender list --boundary {boundary} --as-of {date} --all-versions` shows them"
        ),
        Some(day) => format!("{boundary} has no run on {date}; the nearest is of {day}"),
        None => {
            let known = ledger.boundaries(None, ledger.head()?)?;
            let near = known
                .iter()
                .map(|(_, b)| b.value.boundary_id.as_str())
                .map(|id| (strsim::damerau_levenshtein(id, boundary), id))
                .min()
                .filter(|(distance, id)| {
                    *distance > 0 && *distance <= id.len().max(boundary.len()) / 2
                })
                .map_or_else(String::new, |(_, id)| format!(" (did you mean `{id}`?)"));
            format!(
                "no run of boundary `{boundary}` is recorded{near}; `provender list` shows what is"
            )
        }
    })
}

fn with_others(ledger: &dyn Read, run: Run) -> Result<FoundRun, ExplainError> {
    let activations = Activations::load(ledger)?;
    let key = run.run.key.clone();
    let filter = RunFilter {
        boundary_id: Some(key.boundary_id.clone()),
        from: Some(key.calculation_date),
        to: Some(key.calculation_date),
        ..RunFilter::default()
    };
    let answering: Vec<_> = answers(ledger, &filter)?
        .into_iter()
        .map(|r| r.run.key)
        .collect();
    let what = |r: &Run| -> Result<String, ExplainError> {
        Ok(if let Some(by) = &r.superseded_by {
            format!("superseded by {}", by.short())
        } else if answering.contains(&r.run.key) {
            "an answer".to_owned()
        } else if r.run.guardrail == Guardrail::Refused {
            "refused by a guardrail".to_owned()
        } else if rank(r, &activations).is_some() {
            "answered before another version or configuration was activated".to_owned()
        } else {
            match recorded(ledger, r.entry)?.origin {
                Origin::Canary => shadow(ledger, r.entry)?,
                Origin::OneOff => {
                    "computed with a --param of one command, never an answer".to_owned()
                }
                _ => "of a version or configuration that was never active".to_owned(),
            }
        })
    };
    let others = ledger
        .runs(&filter)?
        .into_iter()
        .filter(|r| r.run.key != key)
        .map(|r| Ok((what(&r)?, r)))
        .map(|found: Result<_, ExplainError>| found.map(|(w, r)| (r, w)))
        .collect::<Result<_, _>>()?;
    let shadow = match activations.rank(&run) {
        Some(_) => None,
        None => match recorded(ledger, run.entry)?.origin {
            Origin::Canary => Some(shadow(ledger, run.entry)?),
            _ => None,
        },
    };
    Ok(FoundRun {
        is_answer: answering.contains(&key),
        shadow,
        run,
        others,
    })
}

/// The context of the entry that recorded a run.
fn recorded(ledger: &dyn Read, entry: EntryNumber) -> Result<RunsContext, LedgerError> {
    let lost =
        || LedgerError::Damaged(format!("entry {entry}, which recorded the run, is missing"));
    let entry = ledger.entry(entry)?.ok_or_else(lost)?;
    Ok(entry.read::<RunsRecorded>()?.context)
}

/// Which canary recorded a run, in words. The release's number is in the entry that started the canary.
fn shadow(ledger: &dyn Read, entry: EntryNumber) -> Result<String, ExplainError> {
    let release = recorded(ledger, entry)?.release;
    let mut number = None;
    for start in ledger.entries(Some(Kind::CanaryStart))? {
        let start: CanaryStart = start.read().map_err(LedgerError::from)?;
        if Some(start.release) == release {
            number = Some(start.number);
        }
    }
    let of = number.map_or_else(|| "a release".to_owned(), |n| format!("R{n}"));
    Ok(format!(
        "shadow run of a canary of {of}; not an answer unless that release is promoted"
    ))
}
