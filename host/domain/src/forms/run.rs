//! Runs: their key, their row in the ledger, and the reproducible part of their manifest.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Form, member};
use crate::canonical::Digest;
use crate::day::Day;
use crate::key::{ConfigVersion, RunKey};
use crate::text;

/// A run's key in parts, so that what a million runs share is written once.
#[derive(Clone, Copy, Debug)]
pub struct KeyText<'a> {
    /// The boundary.
    pub boundary_id: &'a str,
    /// The day.
    pub day: Day,
    /// The text of the configuration's digest.
    pub config: &'a [u8],
    /// The number of the reissue; 0 for the first recording.
    pub reissue: u32,
    /// The herd.
    pub herd_config_id: &'a str,
    /// `name:version` as JSON, in quotes.
    pub model_version: &'a [u8],
}

impl KeyText<'_> {
    /// Appends the key as written in a manifest. Returns where in `out` the ten bytes of the day are.
    pub fn write(&self, out: &mut Vec<u8>) -> Range<usize> {
        out.push(b'{');
        self.members(out)
    }

    /// Appends the object whose digest is the run's id. Returns where in `out` the ten bytes of the day are.
    pub fn write_hashed(&self, out: &mut Vec<u8>) -> Range<usize> {
        Form::RunKey.begin(out);
        out.push(b',');
        self.members(out)
    }

    fn members(&self, out: &mut Vec<u8>) -> Range<usize> {
        out.extend_from_slice(b"\"boundary_id\":");
        text::string(self.boundary_id, out);
        out.extend_from_slice(b",\"calculation_date\":\"");
        let from = out.len();
        out.extend_from_slice(&self.day.text());
        let day = from..out.len();
        out.extend_from_slice(b"\",\"config_version\":\"");
        out.extend_from_slice(self.config);
        reissued(self.reissue, out);
        out.extend_from_slice(b"\",\"herd_config_id\":");
        text::string(self.herd_config_id, out);
        out.extend_from_slice(b",\"model_version\":");
        out.extend_from_slice(self.model_version);
        out.push(b'}');
        day
    }
}

fn reissued(reissue: u32, out: &mut Vec<u8>) {
    if reissue > 0 {
        out.extend_from_slice(b"+r");
        text::integer(i64::from(reissue), out);
    }
}

fn version(v: &ConfigVersion, out: &mut Vec<u8>) {
    text::digest(&v.config, out);
    if v.reissue > 0 {
        out.pop();
        reissued(v.reissue, out);
        out.push(b'"');
    }
}

/// A run's row in the ledger. The root in its batch's entry covers it.
#[derive(Clone, Copy, Debug)]
pub struct RunText<'a> {
    /// Its key.
    pub key: &'a RunKey,
    /// 0, 1 or 2: within its guardrails, marked, refused.
    pub guardrail: i64,
    /// SHA-256 of its manifest's bytes.
    pub manifest: &'a Digest,
    /// Canonical JSON list of the outputs.
    pub outputs: &'a str,
    /// Digest of component, configuration and inputs.
    pub provenance: &'a Digest,
    /// The configuration version that it replaces.
    pub replaces: Option<&'a ConfigVersion>,
    /// Digest of its manifest's reproducible part.
    pub snapshot: &'a Digest,
}

impl RunText<'_> {
    /// Appends the object.
    pub fn write(&self, out: &mut Vec<u8>) {
        Form::Run.begin(out);
        member("boundary_id", out);
        text::string(&self.key.boundary_id, out);
        member("calculation_date", out);
        text::day(self.key.calculation_date, out);
        member("config_version", out);
        version(&self.key.config_version, out);
        member("guardrail", out);
        text::integer(self.guardrail, out);
        member("herd_config_id", out);
        text::string(&self.key.herd_config_id, out);
        member("manifest_sha256", out);
        text::digest(self.manifest, out);
        member("model_version", out);
        text::string(&self.key.model_version, out);
        member("outputs", out);
        text::string(self.outputs, out);
        member("provenance", out);
        text::digest(self.provenance, out);
        member("replaces", out);
        match self.replaces {
            Some(replaces) => version(replaces, out),
            None => out.extend_from_slice(b"null"),
        }
        member("snapshot_id", out);
        text::digest(self.snapshot, out);
        out.push(b'}');
    }
}

/// A run's row, read back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RunRow {
    #[serde(rename = "$type")]
    form: String,
    /// Its key.
    #[serde(flatten)]
    pub key: RunKey,
    /// See [`RunText::guardrail`].
    pub guardrail: i64,
    /// See [`RunText::manifest`].
    pub manifest_sha256: Digest,
    /// See [`RunText::outputs`].
    pub outputs: String,
    /// See [`RunText::provenance`].
    pub provenance: Digest,
    /// See [`RunText::replaces`].
    pub replaces: Option<ConfigVersion>,
    /// See [`RunText::snapshot`].
    pub snapshot_id: Digest,
}

impl RunRow {
    /// Reads what [`RunText::write`] wrote; `None` for anything else.
    #[must_use]
    pub fn read(text: &str) -> Option<RunRow> {
        let row: RunRow = serde_json::from_str(text).ok()?;
        let mut written = Vec::with_capacity(text.len());
        row.as_text().write(&mut written);
        (row.form == Form::Run.name() && written == text.as_bytes()).then_some(row)
    }

    fn as_text(&self) -> RunText<'_> {
        RunText {
            key: &self.key,
            guardrail: self.guardrail,
            manifest: &self.manifest_sha256,
            outputs: &self.outputs,
            provenance: &self.provenance,
            replaces: self.replaces.as_ref(),
            snapshot: &self.snapshot_id,
        }
    }
}

/// The form of a manifest's reproducible part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SnapshotForm {
    /// The form of all manifests so far.
    #[serde(rename = "provender.snapshot.v1")]
    V1,
}

/// Begins the reproducible part of a manifest, with its form, component and configuration. Both arguments are canonical
/// JSON.
pub fn snapshot_head(component: &[u8], config: &[u8], out: &mut Vec<u8>) {
    Form::Snapshot.begin(out);
    member("component", out);
    out.extend_from_slice(component);
    member("config", out);
    out.extend_from_slice(config);
}
