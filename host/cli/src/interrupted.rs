//! A command that was asked to stop: what it finished, and that it is to be run again.

use provender_domain::interrupt::Interrupted;
use provender_host::deployment::Finished;
use provender_host::ingest::report::FileReport;
use serde_json::{Value as Json, json};

use super::error::CliError;
use super::ui::{Done, Text};
use super::{compute, ingest};

/// What was finished, beside what the verb says of itself. The exit is 75 whatever befell single files and runs:
/// running the command again tells that once more.
pub(super) fn done(finished: &Finished, mut data: Json) -> Done {
    let mut text = Text::default();
    if !finished.files.is_empty() {
        ingest::say(&mut text, &finished.files);
        text.blank();
        let files = finished.files.iter().map(FileReport::to_json);
        data["files"] = Json::Array(files.collect());
    }
    if let Some(computed) = &finished.computed {
        compute::say(&mut text, computed);
        data["summary"] = json!(computed.summary);
        compute::runs_into(&mut data, computed);
    }
    let error = error(finished);
    Done {
        exit: error.exit,
        data,
        text,
        error: Some(error),
    }
}

/// The same as an error, for verbs that have nothing else to say.
pub(super) fn error(finished: &Finished) -> CliError {
    CliError {
        message: format!("interrupted between two batches: {finished}"),
        ..Interrupted.into()
    }
}
