//! Incidents: what went wrong, what it was about, and why it cannot silently come back.
//!
//! An incident is a number and the entries that name it. Whether it is open, what it is about and what was
//! found out follow from those entries and are stored nowhere else. Only recorded things can be linked, so the
//! timeline leads an auditor to the run, manifest, release and report. To close an incident you need a
//! resolution and its failing inputs as golden cases completed by DS, unless these are waived with a reason.
//!
//! * `state` — the state of incidents, computed from entries
//! * [`link`] — what an incident is about: only things recorded in the ledger
//! * `act` — open, link, note and close: one entry each
//! * `regression` — failing inputs as a file of golden cases, and the check that DS completed them
//! * [`timeline`] — an incident's own entries and those of what it links, in order
//! * `page` — an incident as one page for the audit, in Markdown and HTML
//! * `error` — errors about incidents

pub(crate) mod act;
mod error;
pub(crate) mod link;
mod page;
pub(crate) mod regression;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod timeline;

pub use act::{close, link, note, open};
pub use error::IncidentError;
pub use link::{
    Asked as AskedLinks, Link, LinkKind, failing_of as failing_runs, resolve as resolve_links,
};
pub use page::{Dossier, IncidentPage};
pub use regression::{CASES as MOST_AUTOMATIC_CASES, Drafted as DraftedCases};
pub use state::{
    Event, ExportedCases, Incident, IncidentState, Incidents, RegressionCase, What as EventKind,
};
pub use timeline::{Step as TimelineStep, steps as timeline};
