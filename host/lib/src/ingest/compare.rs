//! Compares a file with what the same source gave before: which rows are new, unchanged or revised.

use provender_domain::ids::{BoundaryId, HerdId};
use provender_ledger::EntryNumber;
use std::collections::{BTreeMap, HashMap};

use provender_domain::day::Day;
use provender_domain::periods;
use provender_domain::place::{Boundary, Herd};
use provender_ledger::types::{NewFacts, NewObservation, NewStream, Sourced};
use provender_ledger::{LedgerError, Read};

use super::parsed::{At, Content, Observations};
use super::report::IngestError;

/// What a file would change.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// What to record.
    pub facts: NewFacts,
    /// Rows with something new.
    pub new: u32,
    /// Rows whose values are already recorded.
    pub unchanged: u32,
    /// Rows whose values differ from the recorded ones.
    pub revised: u32,
    /// New divided by old of every revised number whose old value is not zero.
    pub ratios: Vec<f64>,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Unchanged,
    New,
    Revised,
}

impl Comparison {
    fn count(&mut self, state: State) {
        match state {
            State::Unchanged => self.unchanged += 1,
            State::New => self.new += 1,
            State::Revised => self.revised += 1,
        }
    }

    /// The median of new divided by old, where any number was revised.
    #[must_use]
    pub(crate) fn median_ratio(&self) -> Option<f64> {
        let mut sorted = self.ratios.clone();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        match n {
            0 => None,
            n if n % 2 == 1 => Some(sorted[n / 2]),
            n => Some(f64::midpoint(sorted[n / 2 - 1], sorted[n / 2])),
        }
    }
}

/// Compares a file's content with the ledger. A redrawn boundary applies from `today` on if the file gives no
/// date for it.
///
/// # Errors
/// When the ledger cannot be read, or a herd would be in two places at once.
pub(crate) fn compare(
    ledger: &dyn Read,
    content: &Content,
    source: &str,
    file: &str,
    today: Day,
) -> Result<Comparison, IngestError> {
    let known = ledger.head()?;
    match content {
        Content::Boundaries(rows) => Ok(boundaries(ledger, rows, today, known)?),
        Content::Herds(rows) => herds(ledger, rows, source, file, known),
        Content::Observations(observations) => {
            Ok(self::observations(ledger, observations, source, known)?)
        }
    }
}

fn boundaries(
    ledger: &dyn Read,
    rows: &[At<Boundary>],
    today: Day,
    known: EntryNumber,
) -> Result<Comparison, LedgerError> {
    let mut revisions: HashMap<BoundaryId, Vec<(Day, Sourced<Boundary>)>> = HashMap::new();
    for revision in ledger.boundaries(None, known)? {
        revisions
            .entry(revision.1.value.boundary_id.clone())
            .or_default()
            .push(revision);
    }
    let mut c = Comparison::default();
    for At { row, value } in rows {
        let same = |other: &Boundary| {
            other.geometry == value.geometry
                && other.name == value.name
                && other.declared_area_ha.map(f64::to_bits)
                    == value.declared_area_ha.map(f64::to_bits)
        };
        let earlier = revisions
            .get(&value.boundary_id)
            .map(Vec::as_slice)
            .unwrap_or_default();
        // A revision with a date is compared with that date's revision, others with the one ingested last.
        let before = match value.effective_date {
            Some(day) => earlier
                .iter()
                .filter(|(d, _)| *d == day)
                .max_by_key(|(_, s)| s.entry),
            None => earlier.iter().max_by_key(|(_, s)| s.entry),
        };
        let state = match before {
            Some((_, s)) if same(&s.value) => State::Unchanged,
            Some(_) => State::Revised,
            None if earlier.is_empty() || value.effective_date.is_some() => State::New,
            None => State::Revised,
        };
        c.count(state);
        if state != State::Unchanged {
            let from =
                value
                    .effective_date
                    .unwrap_or(if earlier.is_empty() { Day::MIN } else { today });
            if state == State::Revised {
                c.warnings.push(format!(
                    "boundary {} is redrawn ({} ha): the new outline holds from {from} on",
                    value.boundary_id, value.area_ha
                ));
            }
            c.facts.boundaries.push((*row, from, value.clone()));
        }
    }
    Ok(c)
}

/// The rows of herds in force: of each (herd, boundary, first day) the one ingested last.
#[must_use]
pub(crate) fn current_herds(rows: Vec<Sourced<Herd>>) -> Vec<Sourced<Herd>> {
    let mut newest: BTreeMap<(HerdId, BoundaryId, Day), Sourced<Herd>> = BTreeMap::new();
    for row in rows {
        let key = (
            row.value.herd_config_id.clone(),
            row.value.boundary_id.clone(),
            row.value.effective_date,
        );
        match newest.get(&key) {
            Some(other) if other.entry > row.entry => {}
            _ => {
                newest.insert(key, row);
            }
        }
    }
    newest.into_values().collect()
}

fn herds(
    ledger: &dyn Read,
    rows: &[At<Herd>],
    source: &str,
    file: &str,
    known: EntryNumber,
) -> Result<Comparison, IngestError> {
    let mut all: BTreeMap<(HerdId, BoundaryId, Day), (Herd, Option<i64>)> =
        current_herds(ledger.herds(None, known)?)
            .into_iter()
            .map(|s| {
                let key = (
                    s.value.herd_config_id.clone(),
                    s.value.boundary_id.clone(),
                    s.value.effective_date,
                );
                (key, (s.value, Some(s.file_id)))
            })
            .collect();
    let mut c = Comparison::default();
    for At { row, value } in rows {
        let key = (
            value.herd_config_id.clone(),
            value.boundary_id.clone(),
            value.effective_date,
        );
        let state = match all.get(&key) {
            Some((other, _)) if other == value => State::Unchanged,
            Some(_) => State::Revised,
            None => State::New,
        };
        c.count(state);
        if state != State::Unchanged {
            c.facts.herds.push((*row, value.clone()));
        }
        all.insert(key, (value.clone(), None));
    }
    check_periods(all.values().map(|(herd, _)| herd), file)?;
    // Open-ended rows that an earlier version of this file had and this one has not: they still count. Other
    // files of the source are left out, because a file may hold only some of the herds.
    let of_source: Vec<i64> = ledger
        .files()?
        .into_iter()
        .filter(|f| f.source == source && f.path == file)
        .map(|f| f.file_id)
        .collect();
    let gone: Vec<&str> = all
        .values()
        .filter(|(h, file)| file.is_some_and(|f| of_source.contains(&f)) && h.end_date.is_none())
        .map(|(h, _)| h.herd_config_id.as_str())
        .collect();
    if !gone.is_empty() {
        c.warnings.push(format!(
            "herds no longer in this file still count, because nothing ended them: {}; give them an end_date or retract the earlier file",
            gone.join(", ")
        ));
    }
    c.warnings.extend(unknown_boundaries(ledger, rows, known)?);
    Ok(c)
}

/// Refuses a herd that would be in two places on one day.
fn check_periods<'h>(herds: impl Iterator<Item = &'h Herd>, file: &str) -> Result<(), IngestError> {
    let mut by_herd: BTreeMap<&HerdId, Vec<&Herd>> = BTreeMap::new();
    for herd in herds {
        by_herd.entry(&herd.herd_config_id).or_default().push(herd);
    }
    for (id, rows) in by_herd {
        if let Err((i, j)) = periods::of_herd(&rows) {
            let name = |h: &Herd| match h.end_date {
                Some(end) => format!("{} from {} to {end}", h.boundary_id, h.effective_date),
                None => format!("{} from {} on", h.boundary_id, h.effective_date),
            };
            return Err(IngestError::Overlap {
                file: file.to_owned(),
                herd: id.to_owned(),
                first: name(rows[i]),
                second: name(rows[j]),
            });
        }
    }
    Ok(())
}

/// A warning about herds in boundaries that are not recorded yet.
fn unknown_boundaries(
    ledger: &dyn Read,
    rows: &[At<Herd>],
    known: EntryNumber,
) -> Result<Option<String>, LedgerError> {
    let known_boundaries: Vec<BoundaryId> = ledger
        .boundaries(None, known)?
        .into_iter()
        .map(|(_, s)| s.value.boundary_id)
        .collect();
    let mut unknown: Vec<&str> = rows
        .iter()
        .map(|r| r.value.boundary_id.as_str())
        .filter(|b| !known_boundaries.iter().any(|k| k == b))
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    Ok((!unknown.is_empty()).then(|| {
        format!(
            "herds in boundaries that are not known yet: {}",
            unknown.join(", ")
        )
    }))
}

fn observations(
    ledger: &dyn Read,
    observations: &Observations,
    source: &str,
    known: EntryNumber,
) -> Result<Comparison, LedgerError> {
    let mut c = Comparison::default();
    let mut streams: HashMap<(u32, u16), usize> = HashMap::new();
    let mut before: Vec<HashMap<Option<Day>, Option<f64>>> = Vec::new();
    let mut rows: BTreeMap<u32, State> = BTreeMap::new();
    for o in &observations.values {
        let stream = match streams.get(&(o.boundary, o.column)) {
            Some(i) => *i,
            None => {
                let boundary_id = observations.boundaries[o.boundary as usize].clone();
                let column = observations.columns[usize::from(o.column)].clone();
                // Ordered by date and entry, so that the last one inserted is the one in force.
                let recorded = ledger.observations(&boundary_id, &column, known)?;
                before.push(
                    recorded
                        .into_iter()
                        .filter(|s| s.value.source == source)
                        .map(|s| (s.value.date, s.value.value))
                        .collect(),
                );
                c.facts.streams.push(NewStream {
                    boundary_id,
                    column,
                });
                streams.insert((o.boundary, o.column), before.len() - 1);
                before.len() - 1
            }
        };
        let state = match before[stream].get(&o.date) {
            None => State::New,
            Some(old) if old.map(f64::to_bits) == o.value.map(f64::to_bits) => State::Unchanged,
            Some(old) => {
                if let (Some(old), Some(new)) = (old.filter(|x| *x != 0.0), o.value) {
                    c.ratios.push(new / old);
                }
                State::Revised
            }
        };
        let row = rows.entry(o.row).or_insert(state);
        *row = (*row).max(state);
        if state != State::Unchanged {
            c.facts.observations.push(NewObservation {
                stream,
                date: o.date,
                value: o.value,
                row: o.row,
            });
        }
    }
    for state in rows.into_values() {
        c.count(state);
    }
    Ok(c)
}
