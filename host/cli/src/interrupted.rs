//! The answer of an interrupted command: what it finished, and that it should be run again.

use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::day::Day;
use provender_domain::interrupt;
use provender_host::compute::Summary;
use provender_host::deployment::Finished;
use provender_host::ingest::{FileAnswer, FileReport};

use super::compute::Runs;
use super::error::CliError;
use super::ui::{Done, Text};
use super::{compute, ingest};

/// What `ingest`, `run`, `compute` and `reissue` finished before they were interrupted (exit 75).
#[derive(Default, Serialize, JsonSchema)]
pub(super) struct Interrupted<'a> {
    /// The day of a `run`; absent for other verbs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) as_of: Option<Day>,
    /// Whether `--dry-run` was given; absent for verbs without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dry_run: Option<bool>,
    /// The reason of a `reissue`; absent for other verbs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
    /// The files that were ingested; absent if there were none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) files: Vec<FileAnswer<'a>>,
    /// Number of runs by outcome; absent if computing had not begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<Summary>,
    #[serde(flatten)]
    pub(super) runs: Runs<'a>,
}

/// Adds what was finished to the verb's own fields. Exits 75 even if single files or runs had errors:
/// running the command again reports those again.
pub(super) fn done<'a>(finished: &'a Finished, mut own: Interrupted<'a>) -> Done {
    let mut text = Text::default();
    if !finished.files.is_empty() {
        ingest::say(&mut text, &finished.files);
        text.blank();
        own.files = finished.files.iter().map(FileReport::answer).collect();
    }
    if let Some(computed) = &finished.computed {
        compute::say(&mut text, computed);
        own.summary = Some(computed.summary);
        own.runs = Runs::of(computed);
    }
    let error = error(finished);
    Done::ended(error.exit, &own, text, Some(error))
}

/// The error alone, for verbs without an answer of their own.
pub(super) fn error(finished: &Finished) -> CliError {
    CliError {
        message: format!("interrupted between two batches: {finished}"),
        ..interrupt::Interrupted.into()
    }
}
