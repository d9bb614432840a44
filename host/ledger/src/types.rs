//! What goes into the ledger and comes out of it.

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::forms::RunText;
use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use provender_domain::key::{ConfigVersion, ManifestRef, Place, RunKey};
use provender_domain::merkle;
use provender_domain::place::{Boundary, Herd};

use super::entries::{ReportKind, RunsOf};
use super::entry::Stamp;

/// A file taken in.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Number in this ledger; 0 before it is recorded.
    pub file_id: i64,
    /// The entry that recorded it; 0 before.
    pub entry: i64,
    /// Id of the source.
    pub source: String,
    /// `boundaries`, `herds`, `forage`, …
    pub kind: String,
    /// `geojson`, `rap`, …
    pub format: String,
    /// Path as it was given, for people.
    pub path: String,
    /// Digest of the bytes.
    pub sha256: Digest,
    /// Data rows.
    pub rows: u32,
    /// The entry that withdrew it.
    pub retracted: Option<i64>,
}

/// Something a file said: value, file and row.
#[derive(Clone, Debug, PartialEq)]
pub struct Sourced<T> {
    /// The entry that recorded it.
    pub entry: i64,
    /// The file it came from.
    pub file_id: i64,
    /// 1-based row of the file.
    pub row: u32,
    /// What it said.
    pub value: T,
}

/// An observation of one column of one boundary by one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Id of the source.
    pub source: String,
    /// The day; `None` for a property without a date.
    pub date: Option<Day>,
    /// The value; `None` where the file says nodata.
    pub value: Option<f64>,
}

/// An observation to record.
#[derive(Clone, Debug, PartialEq)]
pub struct NewObservation {
    /// Index into [`NewFacts::streams`].
    pub stream: usize,
    /// The day; `None` for a property without a date.
    pub date: Option<Day>,
    /// The value.
    pub value: Option<f64>,
    /// 1-based row.
    pub row: u32,
}

/// What an observation is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStream {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The column.
    pub column: String,
}

/// What of a file is new or revised.
#[derive(Clone, Debug, Default)]
pub struct NewFacts {
    /// Boundary revisions with the day from which each holds.
    pub boundaries: Vec<(u32, Day, Boundary)>,
    /// Herds with their row.
    pub herds: Vec<(u32, Herd)>,
    /// What the observations are of.
    pub streams: Vec<NewStream>,
    /// Observations.
    pub observations: Vec<NewObservation>,
}

/// A run to record.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRun {
    /// Its key.
    pub key: RunKey,
    /// Digest of component, configuration and the inputs it declares.
    pub provenance: Digest,
    /// Digest of the manifest's reproducible part.
    pub snapshot: Digest,
    /// SHA-256 of the manifest's bytes, also where they are made from a pack.
    pub manifest: Digest,
    /// Where it is, when it is in a pack. The canonical text does not name it and need not: what is read
    /// there must have the digests that the text names.
    pub place: Option<Place>,
    /// What the guardrails said.
    pub guardrail: Guardrail,
    /// The configuration version that this run supersedes (same boundary, herd, date and model).
    pub replaces: Option<ConfigVersion>,
    /// Canonical JSON list of the outputs in declared order.
    pub outputs: String,
}

/// What the guardrails said of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guardrail {
    /// Nothing breached.
    Ok,
    /// Breached, and an answer with a warning.
    Marked,
    /// Breached, and never an answer.
    Refused,
}

impl Guardrail {
    /// As the ledger keeps it.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Guardrail::Ok => 0,
            Guardrail::Marked => 1,
            Guardrail::Refused => 2,
        }
    }

    /// The inverse of [`Guardrail::number`].
    #[must_use]
    pub fn from_number(n: i64) -> Option<Guardrail> {
        [Guardrail::Ok, Guardrail::Marked, Guardrail::Refused]
            .into_iter()
            .find(|g| g.number() == n)
    }

    /// `ok` or `failed`, as reports say it.
    #[must_use]
    pub fn status(self) -> &'static str {
        match self {
            Guardrail::Ok => "ok",
            Guardrail::Marked | Guardrail::Refused => "failed",
        }
    }
}

/// A recorded run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// As it was recorded.
    pub run: NewRun,
    /// The entry that recorded it.
    pub entry: i64,
    /// The configuration version that supersedes it, where one does.
    pub superseded_by: Option<ConfigVersion>,
}

/// Of a recorded run what tells whether it would be computed again as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The day.
    pub day: Day,
    /// Digest of component, configuration and inputs.
    pub provenance: Digest,
    /// What the guardrails said.
    pub guardrail: Guardrail,
    /// Canonical JSON list of the outputs in declared order.
    pub outputs: String,
}

impl NewRun {
    /// Its manifest.
    #[must_use]
    pub fn manifest_ref(&self) -> ManifestRef<'_> {
        ManifestRef {
            key: &self.key,
            snapshot: &self.snapshot,
            sha256: &self.manifest,
            place: self.place,
        }
    }

    /// The run's canonical text, which the root in its batch's entry is over.
    #[must_use]
    #[expect(clippy::expect_used, reason = "it is written of texts and digits")]
    pub fn canonical(&self) -> String {
        let mut out = Vec::with_capacity(1_024);
        self.write_canonical(&mut out);
        String::from_utf8(out).expect("a run's canonical text is UTF-8")
    }

    /// Appends [`NewRun::canonical`]: a million runs make a million of them.
    pub fn write_canonical(&self, out: &mut Vec<u8>) {
        RunText {
            key: &self.key,
            guardrail: self.guardrail.number(),
            manifest: &self.manifest,
            outputs: &self.outputs,
            provenance: &self.provenance,
            replaces: self.replaces.as_ref(),
            snapshot: &self.snapshot,
        }
        .write(out);
    }

    /// The RFC 6962 leaf hash over [`NewRun::canonical`].
    #[must_use]
    pub fn leaf(&self) -> merkle::Hash {
        self.leaf_in(&mut Vec::with_capacity(1_024))
    }

    /// As [`NewRun::leaf`], with room for the text.
    #[must_use]
    pub fn leaf_in(&self, room: &mut Vec<u8>) -> merkle::Hash {
        room.clear();
        self.write_canonical(room);
        merkle::leaf(room)
    }
}

/// A configuration: its digest and the canonical JSON it is the digest of.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The digest.
    pub digest: Digest,
    /// The hashed text.
    pub canonical: String,
}

/// A batch of runs with what its entry says of them.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Who, when, why.
    pub stamp: Stamp,
    /// The runs.
    pub runs: Vec<NewRun>,
    /// The configurations they refer to.
    pub configs: Vec<Config>,
    /// What made them, and why.
    pub of: RunsOf,
}

/// What became of a run of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// It is in the ledger now.
    New,
    /// Another process had recorded a run with this key in the meantime; compare with it.
    Already(Box<Run>),
}

/// A version and configuration that answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Activation {
    /// The entry that says so.
    pub entry: i64,
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Its configuration.
    pub config: Digest,
    /// The first calculation date for which it was asked.
    pub from: Day,
}

/// A document kept under its digest: a report, a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub kind: ReportKind,
    /// The digest of its canonical form, or of what the kind says.
    pub digest: Digest,
    /// Canonical JSON.
    pub body: String,
}

/// Which runs to list. Empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Only this boundary.
    pub boundary_id: Option<BoundaryId>,
    /// Only this herd.
    pub herd_config_id: Option<HerdId>,
    /// Only from this day on.
    pub from: Option<Day>,
    /// Only up to this day.
    pub to: Option<Day>,
    /// Only this `name` or `name:version`.
    pub logic: Option<String>,
    /// Only these configurations of these model versions.
    pub configs: Option<Vec<(ModelVersion, Digest)>>,
}

impl RunFilter {
    /// Whether a run is one of those that are asked for.
    #[must_use]
    pub fn admits(&self, key: &RunKey) -> bool {
        let place = self.boundary_id.as_ref();
        let herd = self.herd_config_id.as_ref();
        let logic = self.logic.as_deref().is_none_or(|wanted| {
            let rest = key.model_version.strip_prefix(wanted);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        });
        let config = self.configs.as_ref().is_none_or(|configs| {
            let own = |(model, config): &(ModelVersion, Digest)| {
                *model == key.model_version && *config == key.config_version.config
            };
            configs.iter().any(own)
        });
        place.is_none_or(|wanted| *wanted == key.boundary_id)
            && herd.is_none_or(|wanted| *wanted == key.herd_config_id)
            && self.from.is_none_or(|from| from <= key.calculation_date)
            && self.to.is_none_or(|to| key.calculation_date <= to)
            && logic
            && config
    }
}
