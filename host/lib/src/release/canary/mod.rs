//! Canaries: a candidate release computes in shadow beside the active one and is compared with it.
//!
//! A canary is two entries, its start and its end; everything else follows from the ledger. Its runs are
//! recorded under the candidate's own version and configuration. These are not active, so the runs answer
//! nothing until the release is promoted; then they are the answers.
//!
//! * [`state`] — the state of canaries, computed from entries: running or ended, and by what
//! * [`start`] — start and stop
//! * [`share`] — which boundaries take part
//! * [`sides`] — the logics of both releases, bound
//! * [`pairs`] — recorded runs of both on the same inputs
//! * [`rows`] — the figures as the cells of a table
//! * [`figures`] — the figures of the pairs, judged against the thresholds
//! * [`mod@observed`] — the result over a window and day by day, as the gate uses it

mod figures;
pub(crate) mod observed;
mod pairs;
pub(crate) mod rows;
mod share;
mod sides;
pub(crate) mod start;
mod state;

pub use figures::{Figure, figure_text, percent};
pub use observed::{
    CanaryContext, Observed, OfDay as ObservedDay, Unpaired as UnpairedRuns, observed,
};
pub use rows::{FIGURE_HEADS, figure_rows};
pub(crate) use share::takes_part;
pub use sides::Sides;
pub use start::{
    Request as CanaryRequest, Started as StartedCanary, start as start_canary, stop as stop_canary,
};
pub use state::{Canary, Ended as CanaryEnd, running};
