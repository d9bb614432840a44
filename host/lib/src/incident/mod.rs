//! Incidents: what went wrong, what it was about, and why it cannot come back silently.
//!
//! An incident is a number and the entries that name it; whether it is open, what it is about and
//! what was found out follow from those entries and are stored nowhere else. What it links must be
//! recorded, so that the timeline leads an auditor to the run, the manifest, the release and the
//! report. It is closed with a resolution and, unless that is waived with a reason, with its failing
//! inputs as golden cases that DS has completed.
//!
//! * [`standing`] — from the entries: which incidents there are, and all that was said of each
//! * [`link`] — what an incident is about: found in the ledger, or refused
//! * [`act`] — open, link, note and close, one entry each
//! * [`regression`] — failing inputs as a file of golden cases, and whether those are completed
//! * [`timeline`] — an incident's own entries with those of what it links, in their order
//! * [`page`] — an incident as one page for the audit, in Markdown and HTML
//! * [`error`] — how this room says no

pub mod act;
pub mod error;
pub mod link;
pub mod page;
pub mod regression;
pub mod standing;
#[cfg(test)]
mod tests;
pub mod timeline;

pub use error::IncidentError;
pub use link::Link;
pub use standing::{Incident, Incidents};
