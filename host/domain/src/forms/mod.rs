//! Every kind of hashed object, each with the one function that writes it.
//!
//! A digest is over canonical JSON, whose member `$type` names the form. Everything recorded depends on the bytes of a
//! form, so a change needs a new number in its name. Forms that are written by the million go straight into a buffer.
//! The others are serde structs, defined where they are created, and are turned into text here.

mod config;
mod entry;
mod provenance;
mod rows;
mod run;

use serde::Serialize;
use serde_json::Value as Json;

use super::canonical::{self, CanonicalError, Digest};
use super::text;

pub use config::{Config, ConfigError, FeatureDefinition, GuardrailBounds};
pub use entry::ChainEntry;
pub use provenance::{Provenance, provenance};
pub(crate) use rows::herd_id;
pub use rows::{Stream, boundary, herd};
pub use run::{KeyText, RunRow, RunText, SnapshotForm, snapshot_head};

macro_rules! forms {
    ($($(#[$doc:meta])* $form:ident = $name:literal,)+) => {
        /// The kind of a hashed object.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Form {
            $($(#[$doc])* $form,)+
        }

        impl Form {
            /// Every form, by name.
            pub const ALL: &'static [Form] = &[$(Form::$form),+];

            /// The value of `$type`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Form::$form => $name,)+
                }
            }
        }
    };
}

forms! {
    /// A frozen baseline of a logic's answers.
    Baseline = "provender.baseline.v1",
    /// The runs behind one series of a baseline.
    BaselineRuns = "provender.baseline-runs.v1",
    /// A row of a boundary, as a leaf of its file's tree.
    Boundary = "provender.boundary.v1",
    /// The result of a canary.
    Canary = "provender.canary.v1",
    /// Parameters, guardrail bounds and feature definitions in force.
    Config = "provender.config.v1",
    /// An entry of the ledger.
    Entry = "provender.entry.v1",
    /// A finding about a release.
    Evidence = "provender.evidence.v1",
    /// A gate's report.
    Gate = "provender.gate.v1",
    /// The back-tests behind a gate's report.
    GateBacktest = "provender.gate-backtest.v1",
    /// The monitors behind a gate's report.
    GateMonitors = "provender.gate-monitors.v1",
    /// The policy that a gate's decision was made under.
    GatePolicy = "provender.gate-policy.v1",
    /// The content from which the id of a herd without one is derived.
    Herd = "provender.herd.v1",
    /// A row of a herd, as a leaf of its file's tree.
    HerdRow = "provender.herd-row.v1",
    /// A monitor's report.
    MonitorReport = "provender.monitor-report.v1",
    /// A row of an observation, as a leaf of its file's tree.
    Observation = "provender.observation.v1",
    /// A proof that a run is recorded.
    Proof = "provender.proof.v1",
    /// Everything that determines a number: component, world, configuration, inputs.
    Provenance = "provender.provenance.v1",
    /// The plan of a reissue: the runs that it would replace.
    ReissuePlan = "provender.reissue-plan.v1",
    /// A release.
    Release = "provender.release.v1",
    /// The plan of a prune: the releases that it would remove.
    ReleasePrune = "provender.release-prune.v1",
    /// A row of a run, as a leaf of its batch's tree.
    Run = "provender.run.v2",
    /// A run's key, whose digest is its id.
    RunKey = "provender.run-key.v1",
    /// The reproducible part of a manifest.
    Snapshot = "provender.snapshot.v1",
    /// The thresholds of one logic.
    Thresholds = "provender.thresholds.v1",
    /// The thresholds of all logics of a report.
    ThresholdsOfAll = "provender.thresholds-of-all.v1",
    /// The result of examining a release's components.
    Verify = "provender.verify.v1",
}

/// The error for a body that is not an object, which cannot have a `$type`.
fn no_object() -> CanonicalError {
    <serde_json::Error as serde::ser::Error>::custom("a hashed form must be an object").into()
}

impl Form {
    /// Adds `$type` to `body`.
    ///
    /// # Errors
    /// If it is not a JSON object.
    pub fn object<T: Serialize + ?Sized>(self, body: &T) -> Result<Json, CanonicalError> {
        match serde_json::to_value(body)? {
            Json::Object(mut members) => {
                let _ = members.insert("$type".to_owned(), Json::from(self.name()));
                Ok(Json::Object(members))
            }
            _ => Err(no_object()),
        }
    }

    /// The canonical text of `body` with its `$type`.
    ///
    /// # Errors
    /// If it is not an object, or a number in it has no canonical form.
    pub fn text<T: Serialize + ?Sized>(self, body: &T) -> Result<String, CanonicalError> {
        canonical::to_text(&self.object(body)?)
    }

    /// The digest of [`Form::text`].
    ///
    /// # Errors
    /// See [`Form::text`].
    pub fn digest<T: Serialize + ?Sized>(self, body: &T) -> Result<Digest, CanonicalError> {
        Ok(Digest::of_canonical(self.text(body)?.as_bytes()))
    }

    /// Begins an object of this form. `$type` sorts before every name that begins with a letter.
    fn begin(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"$type\":\"");
        out.extend_from_slice(self.name().as_bytes());
        out.push(b'"');
    }
}

/// Writes another member, whose name needs no escaping.
fn member(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Writes a text, or null.
fn optional(value: Option<&str>, out: &mut Vec<u8>) {
    match value {
        Some(value) => text::string(value, out),
        None => out.extend_from_slice(b"null"),
    }
}

#[cfg(test)]
mod tests;
