//! The durations of a command's phases: the spans whose target is [`TARGET`], by their name.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::span::{Attributes, Id};
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// The target of a span that is a phase.
const TARGET: &str = "provender::phase";

/// Durations of the phases that have ended. A phase that is entered again adds to its duration.
static ENDED: Mutex<BTreeMap<&str, Duration>> = Mutex::new(BTreeMap::new());

/// The phases that have ended.
pub(super) fn ended() -> BTreeMap<&'static str, Duration> {
    ENDED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The filter for [`Phases`], so that other spans cost nothing.
pub(super) fn filter() -> Targets {
    Targets::new().with_target(TARGET, Level::INFO)
}

/// The layer that adds up phases as they end.
pub(super) struct Phases;

/// Start time of a phase.
struct Began(Instant);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Phases {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Began(Instant::now()));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        if let Some(Began(began)) = span.extensions().get() {
            let mut ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
            *ended.entry(span.name()).or_default() += began.elapsed();
        }
    }
}
