//! `status`: is the day complete?

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value as Json, json};

use provender_domain::day::Day;
use provender_host::compute::engine::Engine;
use provender_host::compute::outcome::Outcome;
use provender_host::compute::select::{Selection, targets};
use provender_host::compute::{Facts, answers};
use provender_ledger::Read;
use provender_ledger::types::RunFilter;

use super::Global;
use super::compute::{Workshop, day, policy};
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::ui::{Done, Look, Text};

/// Tell whether a day is complete: every due run of every active logic answered.
///
/// Names each run that is missing, refused or failed, with its cause, and each source's newest
/// date against its max_age. Exits 2 when the day is not complete.
///
/// Example: provender status --as-of 2025-06-30
#[derive(Args)]
pub(super) struct StatusArgs {
    /// The day.
    #[arg(long, value_name = "DATE")]
    as_of: String,
}

/// A run without an answer.
struct Missing {
    boundary_id: String,
    herd_config_id: String,
    logic: String,
    state: &'static str,
    cause: String,
}

/// How far a day is.
#[derive(Default)]
pub(super) struct Standing {
    expected: usize,
    recorded: usize,
    missing: Vec<Missing>,
    sources: Vec<(String, Option<Day>, Option<u32>, bool)>,
    active: Vec<Json>,
}

impl Standing {
    pub(super) fn complete(&self) -> bool {
        self.expected > 0 && self.missing.is_empty()
    }

    fn count(&self, state: &str) -> usize {
        self.missing.iter().filter(|m| m.state == state).count()
    }

    pub(super) fn to_json(&self, as_of: Day) -> Json {
        json!({
            "as_of": as_of.to_string(),
            "complete": self.complete(),
            "expected": self.expected,
            "recorded": self.recorded,
            "refused": self.count("refused"),
            "failed": self.count("failed"),
            "missing": self.missing.iter().map(|m| json!({
                "boundary_id": m.boundary_id, "herd_config_id": m.herd_config_id, "logic": m.logic, "state": m.state, "cause": m.cause,
            })).collect::<Vec<_>>(),
            "sources": self.sources.iter().map(|(id, newest, max_age, stale)| json!({
                "id": id, "newest": newest.map(|d| d.to_string()), "max_age_days": max_age, "stale": stale,
            })).collect::<Vec<_>>(),
            "active": self.active,
        })
    }

    pub(super) fn say(&self, text: &mut Text, as_of: Day) {
        let (look, word) = if self.complete() {
            (Look::Good, "complete")
        } else {
            (Look::Bad, "incomplete")
        };
        text.look(
            look,
            format!(
                "{as_of} is {word}: {} of {} expected runs are answered",
                self.recorded, self.expected
            ),
        );
        if self.expected == 0 {
            text.line(
                "  nothing is due on this day: no herd's period covers it, or nothing is ingested",
            );
        }
        for m in self.missing.iter().take(50) {
            text.look(
                Look::Bad,
                format!(
                    "  {} {} / {} / {}: {}",
                    m.state, m.logic, m.boundary_id, m.herd_config_id, m.cause
                ),
            );
        }
        if self.missing.len() > 50 {
            text.line(format!(
                "  and {} more; --json lists them all",
                self.missing.len() - 50
            ));
        }
        for (id, newest, max_age, stale) in &self.sources {
            if *stale {
                let newest = newest.map_or_else(
                    || "has no data by then".to_owned(),
                    |d| format!("newest is of {d}"),
                );
                let max = max_age.map_or_else(String::new, |m| format!(", max_age is {m} days"));
                text.look(Look::Warn, format!("  stale source {id}: {newest}{max}"));
            }
        }
    }
}

pub(super) fn run(global: &Global, args: &StatusArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let as_of = day(&args.as_of, context.today)?;
    let shop = Workshop::open(&context)?;
    let reader = context.reader()?;
    let facts = context.facts(&reader, None)?;
    let standing = standing(&context, &shop, &reader, &facts, as_of)?;
    let mut text = Text::default();
    standing.say(&mut text, as_of);
    text.blank();
    let rows: Vec<_> = standing
        .sources
        .iter()
        .map(|(id, newest, max_age, stale)| {
            let plain = |s: String| (Look::Plain, s);
            let dash = || "–".to_owned();
            vec![
                plain(id.clone()),
                plain(newest.map_or_else(dash, |d| d.to_string())),
                plain(newest.map_or_else(dash, |d| as_of.since(d).to_string())),
                plain(max_age.map_or_else(dash, |m| m.to_string())),
                if *stale {
                    (Look::Warn, "stale".to_owned())
                } else {
                    (Look::Good, "ok".to_owned())
                },
            ]
        })
        .collect();
    text.table(
        &[
            "source",
            "newest by then",
            "age (d)",
            "max_age (d)",
            "state",
        ],
        &rows,
    );
    let exit = if standing.complete() {
        Exit::Ok
    } else {
        Exit::Crit
    };
    let mut data = standing.to_json(as_of);
    data["ignored"] = context.tell_ignored()?;
    Ok(Done {
        exit,
        data,
        text,
        error: None,
    })
}

/// Looks at every due run of the active logics. What has no run is computed in the sandbox without
/// recording, to tell "not computed yet" from "cannot be computed".
pub(super) fn standing(
    context: &Context,
    shop: &Workshop,
    ledger: &dyn Read,
    facts: &Facts<'_>,
    as_of: Day,
) -> Result<Standing, CliError> {
    let _phase = tracing::info_span!(target: "provender::phase", "status").entered();
    let mut standing = Standing::default();
    let policy = policy(context, shop, false, false)?;
    for logic in context.logics(&[])? {
        let bound = context.bind(&shop.sandbox, &shop.lock, &logic, &BTreeMap::new())?;
        standing.active.push(json!({"logic": bound.model_version, "config_version": bound.config.digest.to_string(), "component": bound.component.digest().to_string()}));
        let selection = Selection {
            boundary: None,
            herd: None,
            from: as_of,
            to: as_of,
        };
        let targets = targets(facts, bound.reads_herd, &selection)?;
        let filter = RunFilter {
            from: Some(as_of),
            to: Some(as_of),
            logic: Some(logic.clone()),
            ..RunFilter::default()
        };
        let answered: Vec<(String, String)> = answers::answers(ledger, &filter)?
            .into_iter()
            .filter(|r| r.run.key.config_version.config == bound.config.digest)
            .map(|r| (r.run.key.boundary_id, r.run.key.herd_config_id))
            .collect();
        let mut engine = Engine {
            facts,
            ledger: None,
            manifests: &shop.manifests,
            policy: &policy,
        };
        for outcome in engine.chunk(&bound, &targets)? {
            standing.expected += 1;
            let pair = (
                outcome.key.boundary_id.clone(),
                outcome.key.herd_config_id.clone(),
            );
            if facts.boundary(&pair.0, as_of).is_none() {
                let cause = format!("boundary {} is not ingested, or not in force yet", pair.0);
                standing.missing.push(Missing {
                    boundary_id: pair.0,
                    herd_config_id: pair.1,
                    logic: logic.clone(),
                    state: "missing",
                    cause,
                });
                continue;
            }
            let message = outcome.problem.as_ref().map(|p| p.message.clone());
            let (state, cause) = match outcome.outcome {
                Outcome::Unchanged if answered.contains(&pair) => {
                    standing.recorded += 1;
                    continue;
                }
                Outcome::Unchanged => (
                    "missing",
                    "recorded, but not as an answer: `provender compute` activates it".to_owned(),
                ),
                Outcome::Recorded => (
                    "missing",
                    format!("not computed yet: provender compute --all --as-of {as_of}"),
                ),
                Outcome::Drift => ("refused", message.unwrap_or_default()),
                Outcome::Failed => ("failed", message.unwrap_or_default()),
            };
            standing.missing.push(Missing {
                boundary_id: pair.0,
                herd_config_id: pair.1,
                logic: logic.clone(),
                state,
                cause,
            });
        }
    }
    standing.sources = sources(context, ledger, facts, as_of)?;
    Ok(standing)
}

/// Each source of dated observations with its newest day at or before the date.
fn sources(
    context: &Context,
    ledger: &dyn Read,
    facts: &Facts<'_>,
    as_of: Day,
) -> Result<Vec<(String, Option<Day>, Option<u32>, bool)>, CliError> {
    let newest = ledger.newest_by_source(facts.known(), as_of)?;
    let configured = &context.project.sources.sources;
    let mut ids: Vec<(String, Option<u32>)> = configured
        .iter()
        .filter(|s| s.max_age_days.is_some() || newest.contains_key(&s.id))
        .map(|s| (s.id.clone(), s.max_age_days))
        .collect();
    ids.extend(
        newest
            .keys()
            .filter(|id| configured.iter().all(|s| s.id != **id))
            .map(|id| (id.clone(), None)),
    );
    Ok(ids
        .into_iter()
        .map(|(id, max_age)| {
            let day = newest.get(&id).copied().flatten();
            let stale = max_age
                .is_some_and(|max| day.is_none_or(|d| i64::from(as_of.since(d)) > i64::from(max)));
            (id, day, max_age, stale)
        })
        .collect())
}
