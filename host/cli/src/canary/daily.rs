//! The canary of a daily run, as text and JSON tell of it.

use serde_json::{Value as Json, json};

use crate::error::CliError;
use crate::ui::{Look, Text};
use provender_domain::day::Day;
use provender_host::deployment::{CanaryDay, Shadow};
use provender_host::release::canary::{Canary, Observed};

use super::say_shadow;
use super::tables::{headline, urgent};

/// What a daily run reports of the canary.
pub(crate) struct Daily {
    title: String,
    /// None where not even the canary could be read.
    canary: Option<Canary>,
    came: Result<(Shadow, Option<Observed>), CliError>,
}

impl From<CanaryDay> for Daily {
    fn from(day: CanaryDay) -> Daily {
        Daily {
            title: day.title(),
            canary: day.canary,
            came: day.result.map_err(CliError::from),
        }
    }
}

impl Daily {
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
                        &self.title
                    ),
                );
                text.look(Look::Warn, format!("  {}", e.message));
            }
            Ok((shadow, None)) => {
                text.look(Look::Strong, &self.title);
                say_shadow(shadow, text);
            }
            Ok((shadow, Some(observed))) => {
                headline(text, observed);
                say_shadow(shadow, text);
                for line in urgent(observed) {
                    text.look(Look::of_status(line.0.word()), format!("  {}", line.1));
                }
                text.line("  day by day: provender release status");
            }
        }
    }
}
