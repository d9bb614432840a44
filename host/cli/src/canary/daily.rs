//! The canary part of a daily run's output.

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::CliError;
use crate::ui::{Look, Text};
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_host::deployment::{CanaryDay, Shadow};
use provender_host::release::{Canary, Observed};

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

/// The shadow runs of a release on trial.
#[derive(Serialize, JsonSchema)]
pub(crate) struct CanaryAnswer<'a> {
    /// The release on trial. It and the next three are null if not even the canary could be read.
    release: Option<Digest>,
    /// Its number.
    number: Option<u32>,
    /// Share of the boundaries that take part, in percent.
    share: Option<u32>,
    /// When it was started (RFC 3339, UTC).
    since: Option<&'a str>,
    #[serde(flatten)]
    shadow: Option<&'a Shadow>,
    /// The results so far; null if nothing is compared yet, absent if there is an `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<Option<&'a Observed>>,
    /// Why the day was not computed in shadow; null if it was.
    error: Option<CanaryError<'a>>,
}

/// Why a day was not computed in shadow.
#[derive(Serialize, JsonSchema)]
struct CanaryError<'a> {
    /// A stable code.
    code: &'a str,
    /// What is wrong, with the value in it.
    message: &'a str,
}

impl Daily {
    pub(crate) fn answer(&self) -> CanaryAnswer<'_> {
        let canary = self.canary.as_ref();
        let (shadow, observed, error) = match &self.came {
            Ok((shadow, observed)) => (Some(shadow), Some(observed.as_ref()), None),
            Err(e) => (None, None, Some(e)),
        };
        CanaryAnswer {
            release: canary.map(|c| c.release),
            number: canary.map(|c| c.number),
            share: canary.map(|c| c.share),
            since: canary.map(|c| c.stamp.at.as_str()),
            shadow,
            observed,
            error: error.map(|e| CanaryError {
                code: &e.code,
                message: &e.message,
            }),
        }
    }

    pub(crate) fn say(&self, text: &mut Text, day: Day) {
        match &self.came {
            Err(e) => {
                text.look(
                    Look::Warn,
                    format!(
                        "{}: {day} was not computed in shadow; the answers above are not affected",
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
                    text.look(Look::from(line.0.tone()), format!("  {}", line.1));
                }
                text.line("  day by day: provender release status");
            }
        }
    }
}
