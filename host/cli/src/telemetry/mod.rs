//! Durations for the JSON envelope, and the log on stderr.
//!
//! The library opens spans and sends events; only this module subscribes to them.
//!
//! * `asked` — what to log, and in which format
//! * `phases` — the durations of a command's phases
//! * `lines` — the lines of the log
//! * `fields` — the fields of spans and events

mod asked;
mod fields;
mod lines;
mod phases;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use clap::ValueEnum as _;
use provender_domain::day::Day;
use serde_json::{Map, Value as Json};
use tracing::{Level, Span};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry;

use crate::error::CliError;
use fields::Fields;
use lines::Lines;
use phases::Phases;

pub(super) use asked::LogFormat;

/// The target of a command's span and of the command line's own messages.
const COMMAND: &str = "provender::cli";

/// Start of the process, taken as early as possible.
static BEGAN: OnceLock<Instant> = OnceLock::new();

/// Format of the log's lines; unset if there is no log.
static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Starts the clock of `duration_ms`.
pub(super) fn start() {
    BEGAN.get_or_init(Instant::now);
}

/// Subscribes to the library's spans, for the durations of phases and, if requested, for the log.
pub(super) fn install(format: Option<LogFormat>) -> Result<(), CliError> {
    let set = std::env::var_os(asked::VARIABLE);
    let set = set.as_ref().map(|text| text.to_string_lossy());
    let log = asked::asked(format, set.as_deref())?.map(|(format, targets)| {
        FORMAT.get_or_init(|| format);
        Lines::new(format, targets)
    });
    let phases = Phases.with_filter(phases::filter());
    // Only the first subscriber of a process counts. A second one is refused, which does no harm.
    let _ = match log {
        Some(log) => {
            let filter = log.filter();
            let both = registry().with(phases).with(log.with_filter(filter));
            tracing::subscriber::set_global_default(both)
        }
        None => tracing::subscriber::set_global_default(registry().with(phases)),
    };
    Ok(())
}

/// The span around a command. Fields about the deployment are recorded later.
pub(super) fn command(name: &str) -> Span {
    tracing::info_span!(
        target: "provender::cli",
        "command",
        command = name,
        environment = tracing::field::Empty,
        as_of = tracing::field::Empty,
        release = tracing::field::Empty,
        exit_code = tracing::field::Empty,
    )
}

/// Records the day that the command is about. Call it while only the command's span is entered.
pub(crate) fn as_of(day: Day) {
    Span::current().record("as_of", tracing::field::display(day));
}

/// Whether a log is written to stderr, so that nothing else may be drawn there.
pub(super) fn is_logging() -> bool {
    FORMAT.get().is_some()
}

/// Writes a message as a line of the JSON log. Returns false without writing if there is no JSON log.
pub(super) fn say(level: Level, message: &str, fields: &[(&str, Option<&str>)]) -> bool {
    if FORMAT.get() != Some(&LogFormat::Json) {
        return false;
    }
    let given = fields
        .iter()
        .filter_map(|(name, text)| Some(((*name).to_owned(), Json::from((*text)?))));
    let fields = Fields(given.collect());
    lines::write(LogFormat::Json, (level, COMMAND), message, fields);
    true
}

/// Takes the log format from arguments that could not be parsed, so that the usage error is logged in
/// it.
pub(super) fn format_of(arguments: impl Iterator<Item = String>) {
    let named = LogFormat::Json.to_possible_value();
    let json = named.as_ref().map_or("", |v| v.get_name());
    let mut before = String::new();
    for argument in arguments {
        let value = argument
            .strip_prefix("--log-format=")
            .or_else(|| (before == "--log-format").then_some(argument.as_str()));
        if value == Some(json) {
            FORMAT.get_or_init(|| LogFormat::Json);
        }
        before = argument;
    }
}

/// The envelope's `duration_ms`: milliseconds since the process began.
pub(super) fn duration_ms() -> f64 {
    milliseconds(BEGAN.get_or_init(Instant::now).elapsed())
}

/// The envelope's `phases`: milliseconds by name.
pub(super) fn phases() -> Json {
    let phases = phases::ended();
    let rows = phases
        .into_iter()
        .map(|(name, took)| (name.to_owned(), milliseconds(took).into()));
    Json::Object(rows.collect::<Map<_, _>>())
}

/// Milliseconds, to the microsecond.
fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}
