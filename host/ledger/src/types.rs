//! What is written to the ledger and read from it.

use std::fmt;
use std::str::FromStr;

use crate::entry::EntryNumber;
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::forms::RunText;
use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use provender_domain::key::{ConfigVersion, ManifestRef, Place, RunKey};
use provender_domain::merkle;
use provender_domain::place::{Boundary, Herd};

use super::entries::{ReportKind, RunsContext};
use super::entry::Stamp;

/// An ingested file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Number in this ledger; 0 before the file is recorded.
    pub file_id: i64,
    /// The entry that recorded it; 0 before that.
    pub entry: EntryNumber,
    /// Id of the source.
    pub source: String,
    /// `boundaries`, `herds`, `forage`, …
    pub kind: String,
    /// `geojson`, `rap`, …
    pub format: String,
    /// Path as given on the command line or in `sources.toml`, for people.
    pub path: String,
    /// Digest of the bytes.
    pub sha256: Digest,
    /// Data rows.
    pub rows: u32,
    /// The entry that retracted it.
    pub retracted: Option<EntryNumber>,
}

/// A value with the file and row it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Sourced<T> {
    /// The entry that recorded it.
    pub entry: EntryNumber,
    /// The file it came from.
    pub file_id: i64,
    /// 1-based row of the file.
    pub row: u32,
    /// The value.
    pub value: T,
}

/// An observation of one column of one boundary by one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Id of the source.
    pub source: String,
    /// The day; `None` for a property without a date.
    pub date: Option<Day>,
    /// The value; `None` for nodata.
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

/// The subject of observations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStream {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The column.
    pub column: String,
}

/// The new and revised rows of a file.
#[derive(Clone, Debug, Default)]
pub struct NewFacts {
    /// Revisions of boundaries: row, day from which each holds, boundary.
    pub boundaries: Vec<(u32, Day, Boundary)>,
    /// Herds with their row numbers.
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
    /// Digest of component, configuration and declared inputs.
    pub provenance: Digest,
    /// Digest of the manifest's reproducible part.
    pub snapshot: Digest,
    /// SHA-256 of the manifest's bytes, even if they are rendered from a pack.
    pub manifest: Digest,
    /// Position in a pack, if the manifest is in one. Not part of the canonical text: what is read there must
    /// match the digests in that text.
    pub place: Option<Place>,
    /// Result of the guardrails.
    pub guardrail: Guardrail,
    /// The configuration version that this run supersedes (same boundary, herd, date and model).
    pub replaces: Option<ConfigVersion>,
    /// Canonical JSON list of the outputs in declared order.
    pub outputs: String,
}

/// Result of the guardrails of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guardrail {
    /// No guardrail was breached.
    Ok,
    /// Breached; the run is an answer with a warning.
    Marked,
    /// Breached; the run is never an answer.
    Refused,
}

impl Guardrail {
    /// As stored in the ledger.
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

    /// `ok` or `failed`, as in reports.
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
    /// The run as recorded.
    pub run: NewRun,
    /// The entry that recorded it.
    pub entry: EntryNumber,
    /// The configuration version that supersedes it, if any.
    pub superseded_by: Option<ConfigVersion>,
}

/// The part of a recorded run that decides whether it would be computed the same way again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestRun {
    /// The day.
    pub day: Day,
    /// Digest of component, configuration and inputs.
    pub provenance: Digest,
    /// Result of the guardrails.
    pub guardrail: Guardrail,
    /// Canonical JSON list of the outputs in declared order.
    pub outputs: String,
}

impl NewRun {
    /// Reference to the run's manifest.
    #[must_use]
    pub fn manifest_ref(&self) -> ManifestRef<'_> {
        ManifestRef {
            key: &self.key,
            snapshot: &self.snapshot,
            sha256: &self.manifest,
            place: self.place,
        }
    }

    /// The run's canonical text, which is under the root in its batch's entry.
    #[must_use]
    #[expect(clippy::expect_used, reason = "it is written of texts and digits")]
    pub fn canonical(&self) -> String {
        let mut out = Vec::with_capacity(1_024);
        self.write_canonical(&mut out);
        String::from_utf8(out).expect("a run's canonical text is UTF-8")
    }

    /// Appends [`NewRun::canonical`] to a buffer, to avoid a million allocations for a million runs.
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

    /// Like [`NewRun::leaf`], with a reused buffer for the text.
    #[must_use]
    pub fn leaf_in(&self, room: &mut Vec<u8>) -> merkle::Hash {
        room.clear();
        self.write_canonical(room);
        merkle::leaf(room)
    }
}

/// A configuration: a digest and its canonical JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The digest.
    pub digest: Digest,
    /// The canonical JSON that was hashed.
    pub canonical: String,
}

/// A batch of runs with the properties for its entry.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Who, when, why.
    pub stamp: Stamp,
    /// The runs.
    pub runs: Vec<NewRun>,
    /// The configurations that the runs refer to.
    pub configs: Vec<Config>,
    /// What made the runs, and why.
    pub context: RunsContext,
}

/// The result of recording a run of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// It was recorded.
    New,
    /// Another process had recorded a run with this key in the meantime. Compare with it.
    Already(Box<Run>),
}

/// An active version and configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Activation {
    /// The entry that activated it.
    pub entry: EntryNumber,
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Its configuration.
    pub config: Digest,
    /// First calculation date that it was asked for.
    pub from: Day,
}

/// Which ledger it is: 128 random bits, written as `led_` and 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LedgerId(u128);

impl LedgerId {
    /// What every id begins with as text.
    const PREFIX: &str = "led_";

    /// The id with these bits.
    #[must_use]
    pub(crate) fn new(bits: [u8; 16]) -> LedgerId {
        LedgerId(u128::from_be_bytes(bits))
    }
}

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:032x}", LedgerId::PREFIX, self.0)
    }
}

/// A text is not a ledger's id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a ledger's id: led_ and 32 hexadecimal digits")]
pub struct NotALedgerId(pub String);

impl FromStr for LedgerId {
    type Err = NotALedgerId;

    fn from_str(text: &str) -> Result<LedgerId, NotALedgerId> {
        let id = text
            .strip_prefix(LedgerId::PREFIX)
            .and_then(|digits| u128::from_str_radix(digits, 16).ok())
            .map(LedgerId);
        // One spelling only: 32 digits, lower case, no sign.
        id.filter(|id| id.to_string() == text)
            .ok_or_else(|| NotALedgerId(text.to_owned()))
    }
}

/// A document stored under its digest: a report or a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Kind of the document.
    pub kind: ReportKind,
    /// Digest of its canonical form, or of what the kind defines.
    pub digest: Digest,
    /// Canonical JSON.
    pub body: String,
}

/// Selects runs. Empty fields do not filter.
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
    /// Whether a run with this key matches.
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
