//! How long what took: the durations of the JSON envelope, and the log on stderr.
//!
//! The library opens spans and sends events; this is the one place that listens.
//!
//! * `phases` — the durations of a command's phases

mod phases;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry;

use phases::Phases;

/// When the process began, as far as it can tell.
static BEGAN: OnceLock<Instant> = OnceLock::new();

/// Starts the clock of `duration_ms`.
pub(super) fn start() {
    BEGAN.get_or_init(Instant::now);
}

/// Listens to the library's spans.
pub(super) fn install() {
    let subscriber = registry().with(Phases.with_filter(phases::filter()));
    // A process installs one; a second one would be refused, and the first one stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
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
