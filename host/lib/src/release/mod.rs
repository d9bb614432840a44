//! Releases: what may run in an environment, as one immutable object that travels.
//!
//! A release names components by their bytes, the active version of each logic, and the settings and
//! configuration themselves. The active release is not stored anywhere: it follows from the entries of the
//! ledger, and a rollback is one more entry.
//!
//! * `document` — the release itself: its contents, digest and consistency checks
//! * `store` — the folder of releases and their components, each file written once
//! * `state` — the state of releases, computed from entries: known, active, frozen, notes
//! * `evidence` — findings about a release, as objects that travel
//! * `cut` — cuts a release here
//! * `gate` — what a release must pass before it becomes active
//! * [`promote`] — promotion, rollback, freeze and unfreeze
//! * `meanwhile` — decides from the current state, and again if it changed
//! * `canary` — a candidate that computes in shadow, compared with the active release
//! * `archive` — one file with everything a release needs to run; every byte is checked
//! * `travel` — export and import
//! * [`prune`] — removes files of the store that are no longer needed
//! * `reading` — binds a logic as the active release says, and lists what that overrides
//! * `error` — errors about releases

mod archive;
pub(crate) mod canary;
mod cut;
mod document;
mod error;
mod evidence;
mod gate;
mod meanwhile;
mod promote;
pub(crate) mod prune;
pub(crate) mod reading;
pub(crate) mod state;
mod store;
mod travel;

pub use archive::{Archive, MOST as MOST_ARCHIVE_BYTES};
pub use canary::{
    Canary, CanaryContext, CanaryEnd, CanaryRequest, FIGURE_HEADS, Figure, Observed, ObservedDay,
    Sides, StartedCanary, UnpairedRuns, figure_rows, figure_text, observed, percent,
    running as running_canary, start_canary, stop_canary,
};
pub use cut::CutRelease;
pub(crate) use cut::{content as cut_content, cut, objections, pinned_set};
pub use document::{
    Component as ReleaseComponent, Content as ReleaseContent, Cut as ReleaseCut, Document,
    InForce as SettingsInForce, Logic as ReleaseLogic, SeriesDefinition,
};
pub use error::{Problem as CutProblem, ReleaseError};
pub use evidence::{Evidence, EvidenceFinding, Reported};
pub use gate::{
    GateAbout, GateCheck, GateContext, GateFigure, GateReport, RecordedDecision, WeighedCheck,
    effect_of, gate_document, gate_suite, judge_gate, reasons_behind, record_gate,
};
pub use promote::{
    EndedCanary, Look as PromoteLook, Moved, Request as PromoteRequest, hold, promote, rollback,
};
pub use prune::{Plan as PrunePlan, apply as prune, plan as plan_prune};
pub use reading::{Ignored as IgnoredSetting, bind as bind_release};
pub use state::{Hold, Known as KnownRelease, Note as ReleaseNote, ReleaseChange, ReleaseState};
pub use store::ReleaseStore;
pub use travel::{Imported, export, import};
