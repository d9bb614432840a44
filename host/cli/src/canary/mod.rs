//! Output about shadow runs and canaries, for `run`, `release canary` and `release status`.

use provender_domain::render::text::count;
use provender_host::deployment::Shadow;

use crate::ui::{Look, Text};

mod daily;
mod tables;

pub(crate) use daily::{CanaryAnswer, Daily};
pub(crate) use tables::say;

/// Appends the counts and problems of shadow runs.
pub(crate) fn say_shadow(shadow: &Shadow, text: &mut Text) {
    let s = &shadow.summary;
    let look = if shadow.troubled() > 0 {
        Look::Warn
    } else {
        Look::Plain
    };
    text.look(
        look,
        format!(
            "  {} in shadow: {} recorded, {} unchanged, {} drift, {} failed",
            count(s.total(), "run"),
            s.recorded,
            s.unchanged,
            s.drift,
            s.failed
        ),
    );
    for problem in &shadow.problems {
        text.look(Look::Warn, format!("  {problem}"));
    }
    let more = shadow
        .troubled()
        .saturating_sub(shadow.problems.len() as u64);
    if more > 0 {
        text.look(Look::Warn, format!("  and {more} more"));
    }
}
