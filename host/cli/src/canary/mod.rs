//! What `run`, `release canary` and `release status` share: computing in shadow, and telling what
//! came of it.

use serde_json::{Value as Json, json};

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::render::text::count;
use provender_host::compute::Facts;
use provender_host::compute::engine::{CHUNK, Engine, Policy};
use provender_host::compute::outcome::Summary;
use provender_host::compute::select::{Selection, targets};
use provender_host::release::canary::{
    Canary, Observed, Scene, Sides, observed as observe, takes_part,
};
use provender_host::release::standing::Known;
use provender_host::release::{Document, Standing};
use provender_ledger::{Read, Write};
use provender_sandbox::Sandbox;
use provender_store::manifest::Store;

use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Look, Text};

mod daily;
mod tables;

pub(crate) use daily::{Daily, daily};
pub(crate) use tables::say;

/// So many problems of a shadow computation are told one by one.
const FEW: usize = 5;

/// What computing in shadow gave.
#[derive(Default)]
pub(crate) struct Shadow {
    pub(crate) summary: Summary,
    /// Why runs have no number, the first few.
    pub(crate) problems: Vec<String>,
}

impl Shadow {
    /// How many runs have no number.
    pub(crate) fn troubled(&self) -> u64 {
        self.summary.drift + self.summary.failed
    }

    pub(crate) fn to_json(&self) -> Json {
        json!({"summary": self.summary, "problems": self.problems})
    }

    pub(crate) fn say(&self, text: &mut Text) {
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
pub(crate) fn shadow(
    context: &Context,
    (sandbox, manifests): (&Sandbox, &Store),
    writer: &dyn Write,
    facts: &Facts<'_>,
    (canary, candidate): (&Canary, &Known),
    sides: &Sides,
    (from, to): (Day, Day),
) -> Result<Shadow, CliError> {
    let policy = Policy {
        on_guardrail: candidate.document.settings.on_guardrail,
        release: Some(candidate.digest),
        recheck: false,
        origin: "canary".to_owned(),
        stamp: context.stamp(None),
        environment: context.environment(sandbox),
        pack_from: context.project.settings.manifests.pack_from(),
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
                ledger: Some(writer),
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
            provender_domain::failpoint::hit("canary.after-chunk");
        }
    }
    bar.finish_and_clear();
    Ok(shadow)
}

/// What the newest canary of a release came to.
pub(crate) fn observed(
    context: &Context,
    (sandbox, manifests): (&Sandbox, &Store),
    ledger: &dyn Read,
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

/// The candidate, and the document of what it is compared with.
pub(crate) fn both<'s>(
    standing: &'s Standing,
    canary: &Canary,
) -> Result<(&'s Known, &'s Document), CliError> {
    let candidate = standing.known(&canary.release);
    let against = canary.against(standing).map(|k| &k.document);
    candidate.zip(against).ok_or_else(|| {
        CliError::new(
            crate::exit::Exit::Integrity,
            "release_damaged",
            format!(
                "entry {} (canary) names a release that is not known",
                canary.entry
            ),
        )
    })
}
