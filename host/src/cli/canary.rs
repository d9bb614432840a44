//! What `run`, `release canary` and `release status` share: computing in shadow, and telling what
//! came of it.

use serde_json::{Value as Json, json};

use crate::compute::Facts;
use crate::compute::engine::{CHUNK, Engine, Policy};
use crate::compute::outcome::Summary;
use crate::compute::select::{Selection, targets};
use crate::domain::canonical::Digest;
use crate::domain::day::Day;
use crate::ledger::Ledger;
use crate::ledger::sqlite::SqliteLedger;
use crate::logic::Sandbox;
use crate::manifest::Store;
use crate::monitor::report::Status;
use crate::release::canary::figures::{percent, told};
use crate::release::canary::observed::OfDay;
use crate::release::canary::{
    Canary, Figure, Observed, Scene, Sides, observed as observe, running, takes_part,
};
use crate::release::standing::Known;
use crate::release::{Document, Standing};
use crate::render::text::count;

use super::context::Context;
use super::error::CliError;
use super::ui::{Look, Text};

/// So many problems of a shadow computation are told one by one.
const FEW: usize = 5;

/// What computing in shadow gave.
#[derive(Default)]
pub(super) struct Shadow {
    pub(super) summary: Summary,
    /// Why runs have no number, the first few.
    pub(super) problems: Vec<String>,
}

impl Shadow {
    /// How many runs have no number.
    pub(super) fn troubled(&self) -> u64 {
        self.summary.drift + self.summary.failed
    }

    pub(super) fn to_json(&self) -> Json {
        json!({"summary": self.summary, "problems": self.problems})
    }

    pub(super) fn say(&self, text: &mut Text) {
        let s = &self.summary;
        let look = if self.troubled() > 0 {
            Look::Warn
        } else {
            Look::Plain
        };
        text.look(
            look,
            format!(
                "  {} in shadow: {} recorded, {} unchanged, {} drift, {} failed",
                count(s.total(), "run"),
                s.recorded,
                s.unchanged,
                s.drift,
                s.failed
            ),
        );
        for problem in &self.problems {
            text.look(Look::Warn, format!("  {problem}"));
        }
        let more = self.troubled().saturating_sub(self.problems.len() as u64);
        if more > 0 {
            text.look(Look::Warn, format!("  and {more} more"));
        }
    }
}

/// Computes the candidate over some days, in the boundaries that take part. Nothing of it answers.
pub(super) fn shadow(
    context: &Context,
    (sandbox, manifests): (&Sandbox, &Store),
    writer: &mut SqliteLedger,
    facts: &Facts<'_>,
    (canary, candidate): (&Canary, &Known),
    sides: &Sides,
    (from, to): (Day, Day),
) -> Result<Shadow, CliError> {
    let policy = Policy {
        on_guardrail: candidate.document.settings.on_guardrail,
        release: Some(candidate.digest),
        recheck: false,
        dry_run: false,
        origin: "canary".to_owned(),
        stamp: context.stamp(None),
        environment: context.environment(sandbox),
    };
    let selection = Selection {
        boundary: None,
        herd: None,
        from,
        to,
    };
    let mut work = Vec::new();
    for bound in sides.shadows() {
        let mut due = targets(facts, bound.reads_herd, &selection)?;
        due.retain(|(boundary, ..)| takes_part(boundary, canary.share));
        work.push((bound, due));
    }
    let total: usize = work.iter().map(|(_, due)| due.len()).sum();
    let bar = context.ui.progress(total as u64, "computing in shadow");
    let mut shadow = Shadow::default();
    for (bound, due) in work {
        for chunk in due.chunks(CHUNK) {
            let mut engine = Engine {
                facts,
                ledger: writer,
                manifests,
                policy: &policy,
            };
            for outcome in engine.chunk(bound, chunk)? {
                shadow.summary.count(outcome.outcome);
                if let Some(problem) = outcome.problem.filter(|_| shadow.problems.len() < FEW) {
                    shadow.problems.push(problem.message);
                }
            }
            bar.inc(chunk.len() as u64);
            crate::failpoint::hit("canary.after-chunk");
        }
    }
    bar.finish_and_clear();
    Ok(shadow)
}

/// What the newest canary of a release came to.
pub(super) fn observed(
    context: &Context,
    (sandbox, manifests): (&Sandbox, &Store),
    ledger: &dyn Ledger,
    release: &Digest,
    to: Option<Day>,
) -> Result<Option<Observed>, CliError> {
    let standing = Standing::read(ledger, i64::MAX)?;
    let scene = Scene {
        ledger,
        manifests,
        sandbox,
        store: &context.store()?,
        standing: &standing,
        policy: &context.project.settings.canary,
    };
    Ok(observe(scene, release, to)?)
}

/// What a daily run tells of the canary.
pub(super) struct Daily {
    canary: Canary,
    name: String,
    came: Result<(Shadow, Option<Observed>), CliError>,
}

/// The day of a daily run, in shadow. Whatever goes wrong is told and fails nothing: the answers are
/// not the candidate's.
pub(super) fn daily(
    context: &Context,
    parts: (&Sandbox, &Store),
    writer: &mut SqliteLedger,
    facts: &Facts<'_>,
    day: Day,
) -> Result<Option<Daily>, CliError> {
    let standing = context.standing()?;
    let Some(canary) = running(standing)?.filter(|c| day >= c.from) else {
        return Ok(None);
    };
    let mut compute = || -> Result<(Shadow, Option<Observed>), CliError> {
        let (candidate, active) = both(standing, &canary)?;
        let sides = Sides::bind(parts.0, &context.store()?, active, &candidate.document)?;
        let about = (&canary, candidate);
        let shadow = shadow(context, parts, writer, facts, about, &sides, (day, day))?;
        let observed = observed(context, parts, writer, &canary.release, Some(day))?;
        Ok((shadow, observed))
    };
    let came = compute();
    Ok(Some(Daily {
        name: format!("R{}", canary.number),
        canary,
        came,
    }))
}

/// The candidate, and the document of what it is compared with.
pub(super) fn both<'s>(
    standing: &'s Standing,
    canary: &Canary,
) -> Result<(&'s Known, &'s Document), CliError> {
    let candidate = standing.known(&canary.release);
    let against = canary.against(standing).map(|k| &k.document);
    candidate.zip(against).ok_or_else(|| {
        CliError::new(
            super::exit::Exit::Integrity,
            "release_damaged",
            format!(
                "entry {} (canary) names a release that is not known",
                canary.entry
            ),
        )
    })
}

impl Daily {
    pub(super) fn to_json(&self) -> Json {
        let mut data = json!({
            "release": self.canary.release.to_string(),
            "number": self.canary.number,
            "share": self.canary.share,
            "since": self.canary.stamp.at,
            "error": null,
        });
        match &self.came {
            Ok((shadow, observed)) => {
                data["summary"] = json!(shadow.summary);
                data["problems"] = json!(shadow.problems);
                data["observed"] = json!(observed.as_ref().map(Observed::to_json));
            }
            Err(e) => data["error"] = json!({"code": e.code, "message": e.message}),
        }
        data
    }

    pub(super) fn say(&self, text: &mut Text, day: Day) {
        match &self.came {
            Err(e) => {
                text.look(
                    Look::Warn,
                    format!(
                        "Canary of {}: {day} was not computed in shadow; the answers above are not touched",
                        self.name
                    ),
                );
                text.look(Look::Warn, format!("  {}", e.message));
            }
            Ok((shadow, None)) => {
                text.look(Look::Strong, format!("Canary of {}", self.name));
                shadow.say(text);
            }
            Ok((shadow, Some(observed))) => {
                headline(text, observed);
                shadow.say(text);
                for line in urgent(observed) {
                    text.look(Look::of_status(line.0.word()), format!("  {}", line.1));
                }
                text.line("  day by day: provender release status");
            }
        }
    }

    /// For the page and the Markdown of the day's report.
    pub(super) fn aside(&self) -> crate::monitor::aside::Aside {
        let mut lines = Vec::new();
        let (status, rows) = match &self.came {
            Err(e) => {
                lines.push(format!("it was not computed in shadow: {}", e.message));
                (Status::Unknown, Vec::new())
            }
            Ok((shadow, observed)) => {
                lines.extend(shadow.problems.iter().cloned());
                if let Some(o) = observed {
                    lines.insert(0, o.summary());
                    lines.extend(o.notes.iter().cloned());
                }
                let status = observed.as_ref().map_or(Status::Unknown, |o| o.status);
                (
                    status,
                    observed.as_ref().map(figure_rows).unwrap_or_default(),
                )
            }
        };
        crate::monitor::aside::Aside {
            title: format!("Canary of {}", self.name),
            status,
            lines,
            heads: FIGURE_HEADS.map(str::to_owned).to_vec(),
            rows: rows.into_iter().map(|(_, cells)| cells).collect(),
        }
    }
}

/// The release, what it runs beside, the verdict, and how much was looked at.
pub(super) fn headline(text: &mut Text, o: &Observed) {
    text.look(
        Look::of_status(o.status.word()),
        format!(
            "Canary of R{} beside R{}: {}",
            o.number,
            o.against_number,
            o.status.word()
        ),
    );
    let state = o
        .ended
        .clone()
        .unwrap_or_else(|| format!("running since {} by {}", o.since, o.by));
    text.line(format!(
        "  {state}; share {} %, {} to {}: {} compared on {}",
        o.share,
        o.from,
        o.to,
        count(o.rows as u64, "row"),
        count(o.days as u64, "day")
    ));
    for note in &o.notes {
        text.line(format!("  {note}"));
    }
}

fn urgent(o: &Observed) -> Vec<(Status, String)> {
    let figures = o.figures.iter().filter(|f| f.status.needs_attention());
    figures
        .map(|f| {
            let of = f.subject.as_ref().map(|s| format!(" of {s}"));
            let (word, name, of) = (f.status.word(), f.name, of.unwrap_or_default());
            (
                f.status,
                format!("{word} {name}{of} ({}): {}", f.logic, f.why),
            )
        })
        .collect()
}

/// Everything: headline, figures, rows that could not be compared, and each day.
pub(super) fn say(text: &mut Text, o: &Observed) {
    headline(text, o);
    for example in &o.unpaired.examples {
        text.look(Look::Dim, format!("  not compared: {example}"));
    }
    if o.figures.is_empty() {
        return;
    }
    text.blank();
    let rows: Vec<Vec<(Look, String)>> = figure_rows(o)
        .into_iter()
        .map(|(status, cells)| styled(status, cells))
        .collect();
    text.table(&FIGURE_HEADS, &rows);
    text.blank();
    let rows: Vec<Vec<(Look, String)>> = day_rows(o)
        .into_iter()
        .map(|(status, cells)| styled(status, cells))
        .collect();
    text.table(&DAY_HEADS, &rows);
}

/// The last cell is the verdict.
fn styled(status: Status, cells: Vec<String>) -> Vec<(Look, String)> {
    let last = cells.len().saturating_sub(1);
    let look = |i| {
        if i == last {
            Look::of_status(status.word())
        } else {
            Look::Plain
        }
    };
    cells
        .into_iter()
        .enumerate()
        .map(|(i, cell)| (look(i), cell))
        .collect()
}

const FIGURE_HEADS: [&str; 9] = [
    "logic",
    "outcome",
    "figure",
    "value",
    "active",
    "candidate",
    "warn / crit above",
    "rows",
    "verdict",
];

fn figure_rows(o: &Observed) -> Vec<(Status, Vec<String>)> {
    o.figures
        .iter()
        .map(|f| {
            let limit = |t: Option<f64>| t.map_or_else(dash, |t| told(f.name, t));
            let cells = vec![
                f.logic.clone(),
                f.subject.clone().unwrap_or_else(dash),
                f.name.to_owned(),
                f.value.map_or_else(dash, |x| told(f.name, x)),
                f.active.map_or_else(dash, percent),
                f.candidate.map_or_else(dash, percent),
                format!("{} / {}", limit(f.warn), limit(f.crit)),
                f.rows.to_string(),
                f.status.word().to_owned(),
            ];
            (f.status, cells)
        })
        .collect()
}

const DAY_HEADS: [&str; 10] = [
    "day",
    "logic",
    "compared",
    "changed",
    "median change",
    "p95 change",
    "nulls",
    "guardrails",
    "missing",
    "verdict",
];

/// One row a day and logic, by the logic's first outcome.
fn day_rows(o: &Observed) -> Vec<(Status, Vec<String>)> {
    let mut rows = Vec::new();
    for day in &o.by_day {
        let mut logics: Vec<&str> = day.figures.iter().map(|f| f.logic.as_str()).collect();
        logics.dedup();
        rows.extend(logics.into_iter().map(|logic| day_row(day, logic)));
    }
    rows
}

fn day_row(day: &OfDay, logic: &str) -> (Status, Vec<String>) {
    let own: Vec<&Figure> = day.figures.iter().filter(|f| f.logic == logic).collect();
    let first = |name: &str| own.iter().find(|f| f.name == name);
    let value = |name: &str| {
        let value = first(name).and_then(|f| f.value);
        value.map_or_else(dash, |x| told(name, x))
    };
    let rate = |name: &str| {
        let both = first(name).and_then(|f| f.active.zip(f.candidate));
        both.map_or_else(dash, |(a, c)| format!("{} → {}", percent(a), percent(c)))
    };
    let status = own
        .iter()
        .map(|f| f.status)
        .max()
        .unwrap_or(Status::Unknown);
    let compared = first("guardrail_rate").map_or(0, |f| f.rows);
    let cells = vec![
        day.day.to_string(),
        logic.to_owned(),
        compared.to_string(),
        value("share_changed"),
        value("median_change"),
        value("p95_change"),
        rate("null_rate"),
        rate("guardrail_rate"),
        value("candidate_missing"),
        status.word().to_owned(),
    ];
    (status, cells)
}

fn dash() -> String {
    "–".to_owned()
}
