//! What `--json` prints around a verb's `data`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::error::CliError;
use super::exit::Exit;
use super::telemetry;

/// The one object that a command with `--json` prints on stdout. Fields may be added, never renamed.
#[derive(Serialize, JsonSchema)]
pub(super) struct Envelope<'a> {
    /// The form of this object: `1.0`.
    format_version: &'static str,
    /// The verb with its sub-verbs: `plugin check`.
    command: &'a str,
    /// What the exit code means in one word.
    #[schemars(extend("enum" = ["ok", "warn", "crit", "refused", "error"]))]
    status: &'static str,
    /// The process's exit code.
    exit_code: u8,
    /// Milliseconds since the process began.
    duration_ms: f64,
    /// The milliseconds of each phase that has ended, by its name.
    #[schemars(with = "std::collections::BTreeMap<String, f64>")]
    phases: Json,
    /// The verb's answer.
    data: Json,
    /// What went wrong, if anything did.
    error: Option<ErrorAnswer<'a>>,
}

/// An error.
#[derive(Serialize, JsonSchema)]
struct ErrorAnswer<'a> {
    /// A stable code.
    code: &'a str,
    /// What is wrong, with the value in it.
    message: &'a str,
    /// What to do next.
    help: Option<&'a str>,
}

impl<'a> Envelope<'a> {
    /// Around the answer of a command that ends now.
    pub(super) fn around(
        command: &'a str,
        exit: Exit,
        data: Json,
        error: Option<&'a CliError>,
    ) -> Envelope<'a> {
        Envelope {
            format_version: "1.0",
            command,
            status: exit.status(),
            exit_code: exit.code(),
            duration_ms: telemetry::duration_ms(),
            phases: telemetry::phases(),
            data,
            error: error.map(|e| ErrorAnswer {
                code: &e.code,
                message: &e.message,
                help: e.help.as_deref(),
            }),
        }
    }
}
