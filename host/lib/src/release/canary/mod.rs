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

pub mod figures;
pub mod observed;
pub mod pairs;
pub mod rows;
pub mod share;
pub mod sides;
pub mod start;
pub mod state;

pub use figures::Figure;
pub use observed::{CanaryContext, Observed, observed};
pub use share::takes_part;
pub use sides::Sides;
pub use state::{Canary, Ended, of_release, running};
