//! Canaries: a candidate release computes in shadow beside the active one, and is compared with it.
//!
//! A canary is two entries, its start and its end; everything else follows from the ledger. Its runs
//! are recorded under the candidate's own version and configuration, which nothing has activated, so
//! that they answer nothing, until the release is promoted and they are the answers.
//!
//! * [`state`] — from the entries: canaries, which is running, what ended the others
//! * [`start`] — start and stop
//! * [`share`] — which boundaries take part
//! * [`sides`] — the logics of candidate and active, bound, side by side
//! * [`pairs`] — recorded runs of both on the same inputs
//! * [`rows`] — the figures as the cells of a table
//! * [`figures`] — what the pairs say, and whether that is within the thresholds
//! * [`mod@observed`] — all of it for a window and day by day: what a gate asks for

pub mod figures;
pub mod observed;
pub mod pairs;
pub mod rows;
pub mod share;
pub mod sides;
pub mod start;
pub mod state;

pub use figures::Figure;
pub use observed::{Observed, Scene, observed};
pub use share::takes_part;
pub use sides::Sides;
pub use state::{Canary, Ended, of_release, running};
