//! How long what took: the durations of the JSON envelope, and the log on stderr.
//!
//! The library opens spans and sends events; this is the one place that listens.
//!
//! * `asked` — what is to be logged, and how
//! * `phases` — the durations of a command's phases
//! * `lines` — the lines of the log
//! * `fields` — what stands in them

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

/// The target of the span around a command, and of what the command line itself says.
const COMMAND: &str = "provender::cli";

/// When the process began, as far as it can tell.
static BEGAN: OnceLock<Instant> = OnceLock::new();

/// How lines of the log look, where there is a log.
static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Starts the clock of `duration_ms`.
pub(super) fn start() {
    BEGAN.get_or_init(Instant::now);
}

/// Listens to the library's spans: for the durations of phases, and for a log where one is asked for.
pub(super) fn install(format: Option<LogFormat>) -> Result<(), CliError> {
    let set = std::env::var_os(asked::VARIABLE);
    let set = set.as_ref().map(|text| text.to_string_lossy());
    let log = asked::asked(format, set.as_deref())?.map(|(format, targets)| {
        FORMAT.get_or_init(|| format);
        Lines::new(format, targets)
    });
    let phases = Phases.with_filter(phases::filter());
    // A process installs one; a second one would be refused, and the first one stays.
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

/// The span around a command. What is known of its deployment later is recorded in it.
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

/// Says which day the command is about, from where nothing but the command's span is entered.
pub(crate) fn as_of(day: Day) {
    Span::current().record("as_of", tracing::field::display(day));
}

/// Whether stderr is a log, so that nothing may be drawn on it.
pub(super) fn is_logging() -> bool {
    FORMAT.get().is_some()
}

/// Says something as a line of the log, where stderr is one of JSON lines; false where it is not.
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

/// Takes the format from arguments that cannot be parsed, so that what is wrong with them is told in it.
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

/// The envelope's `duration_ms`: what has passed since the process began.
pub(super) fn duration_ms() -> f64 {
    milliseconds(BEGAN.get_or_init(Instant::now).elapsed())
}

/// The envelope's `phases`: the milliseconds of each.
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
