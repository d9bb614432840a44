//! The canary of a daily run: the day in shadow, and how text, JSON and report tell of it.

use serde_json::{Value as Json, json};

use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Look, Text};
use provender_domain::day::Day;
use provender_host::compute::Facts;
use provender_host::monitor::aside::Aside;
use provender_host::monitor::report::Status;
use provender_host::release::canary::{Canary, Observed, Sides, running};
use provender_ledger::Write;
use provender_sandbox::Sandbox;
use provender_store::manifest::Store;

use super::tables::{FIGURE_HEADS, figure_rows, headline, urgent};
use super::{Shadow, both, observed, shadow};

/// What a daily run tells of the canary.
pub(crate) struct Daily {
    /// None where not even the canary could be read.
    canary: Option<Canary>,
    came: Result<(Shadow, Option<Observed>), CliError>,
}

/// The day of a daily run, in shadow. Whatever goes wrong is told and fails nothing: the answers are
/// not the candidate's.
pub(crate) fn daily(
    context: &Context,
    parts: (&Sandbox, &Store),
    writer: &dyn Write,
    facts: &Facts<'_>,
    day: Day,
) -> Option<Daily> {
    let found = context
        .standing()
        .map_err(CliError::from)
        .and_then(|standing| Ok((standing, running(standing)?)));
    let (standing, canary) = match found {
        Ok((standing, Some(canary))) if day >= canary.from => (standing, canary),
        Ok(_) => return None,
        Err(e) => {
            return Some(Daily {
                canary: None,
                came: Err(e),
            });
        }
    };
    let _phase = tracing::info_span!(target: "provender::phase", "canary").entered();
    let compute = || -> Result<(Shadow, Option<Observed>), CliError> {
        let (candidate, active) = both(standing, &canary)?;
        let sides = Sides::bind(parts.0, &context.store()?, active, &candidate.document)?;
        let about = (&canary, candidate);
        let shadow = shadow(context, parts, writer, facts, about, &sides, (day, day))?;
        let observed = observed(context, parts, writer, &canary.release, Some(day))?;
        Ok((shadow, observed))
    };
    let came = compute();
    Some(Daily {
        canary: Some(canary),
        came,
    })
}

impl Daily {
    fn title(&self) -> String {
        let canary = self.canary.as_ref();
        canary.map_or_else(
            || "Canary".to_owned(),
            |c| format!("Canary of R{}", c.number),
        )
    }

    pub(crate) fn to_json(&self) -> Json {
        let canary = self.canary.as_ref();
        let mut data = json!({
            "release": canary.map(|c| c.release.to_string()),
            "number": canary.map(|c| c.number),
            "share": canary.map(|c| c.share),
            "since": canary.map(|c| &c.stamp.at),
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

    pub(crate) fn say(&self, text: &mut Text, day: Day) {
        match &self.came {
            Err(e) => {
                text.look(
                    Look::Warn,
                    format!(
                        "{}: {day} was not computed in shadow; the answers above are not touched",
                        self.title()
                    ),
                );
                text.look(Look::Warn, format!("  {}", e.message));
            }
            Ok((shadow, None)) => {
                text.look(Look::Strong, self.title());
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
    pub(crate) fn aside(&self) -> Aside {
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
        Aside {
            title: self.title(),
            status,
            lines,
            heads: FIGURE_HEADS.map(str::to_owned).to_vec(),
            rows: rows.into_iter().map(|(_, cells)| cells).collect(),
        }
    }
}
