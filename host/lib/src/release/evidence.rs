//! Evidence: a finding about a release, as an object of its own that names the release's digest.
//!
//! Evidence is added after a release was cut and travels with it. Its full report is stored once, by digest, in
//! the ledger's table of reports.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use provender_domain::canonical::{CanonicalError, Digest, from_slice, to_text};
use provender_domain::forms::Form;
use provender_domain::words::UnknownWord;
use provender_ledger::entries::{CheckVerdict, EvidenceFound, ReportKind};
use provender_ledger::entry::Stamp;
use provender_ledger::{Payload, Write};

use super::ReleaseError;

/// `$type` of evidence.
pub(super) const FORM: &str = Form::Evidence.name();

/// A finding with who made it, when and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    #[serde(rename = "$type")]
    form: String,
    /// Digest of the release.
    pub release: Digest,
    /// The kind of check that found it.
    pub kind: ReportKind,
    /// Its verdict.
    pub verdict: CheckVerdict,
    /// The number of cases, runs or rows it is based on.
    pub rows: u64,
    /// Digest of the full report, if there is one.
    pub report: Option<Digest>,
    /// The result in one sentence.
    pub summary: String,
    /// Environment in which it was found.
    pub environment: String,
    /// Who made the finding.
    pub by: String,
    /// When (RFC 3339, UTC).
    pub at: String,
}

/// A finding, without who made it and when.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidenceFinding {
    /// See [`Evidence::kind`].
    pub kind: ReportKind,
    /// See [`Evidence::verdict`].
    pub verdict: CheckVerdict,
    /// See [`Evidence::rows`].
    pub rows: u64,
    /// See [`Evidence::report`].
    pub report: Option<Digest>,
    /// See [`Evidence::summary`].
    pub summary: String,
}

/// A finding with its full report, neither of them recorded yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Reported {
    finding: EvidenceFinding,
    body: String,
}

impl Reported {
    /// Combines a finding with its report, which is canonical JSON.
    #[must_use]
    pub(crate) fn new(mut finding: EvidenceFinding, body: String) -> Reported {
        finding.report = Some(Digest::of_canonical(body.as_bytes()));
        Reported { finding, body }
    }

    /// The finding, which names the report.
    #[must_use]
    pub fn finding(&self) -> &EvidenceFinding {
        &self.finding
    }

    /// Records the report. Call this before recording the evidence: a kill in between then leaves a report that
    /// nothing names, not evidence without a report.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub(crate) fn record(&self, ledger: &dyn Write, stamp: &Stamp) -> Result<(), ReleaseError> {
        if let Some(digest) = self.finding.report {
            ledger.record_report(stamp, self.finding.kind, digest, &self.body)?;
        }
        Ok(())
    }
}

impl Evidence {
    /// A finding about a release, signed by `stamp`.
    #[must_use]
    pub(crate) fn new(
        release: Digest,
        finding: EvidenceFinding,
        environment: &str,
        stamp: &Stamp,
    ) -> Evidence {
        Evidence {
            form: FORM.to_owned(),
            release,
            kind: finding.kind,
            verdict: finding.verdict,
            rows: finding.rows,
            report: finding.report,
            summary: finding.summary,
            environment: environment.to_owned(),
            by: stamp.actor.clone(),
            at: stamp.at.clone(),
        }
    }

    /// The evidence as canonical JSON text.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub(crate) fn to_text(&self) -> Result<String, CanonicalError> {
        to_text(&serde_json::to_value(self)?)
    }

    /// The digest of the canonical text.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub(crate) fn digest(&self) -> Result<Digest, CanonicalError> {
        Ok(Digest::of_canonical(self.to_text()?.as_bytes()))
    }

    /// Parses the canonical text.
    ///
    /// # Errors
    /// What is wrong with it, as a clause.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Evidence, String> {
        let value = from_slice(bytes).map_err(|e| e.to_string())?;
        let evidence: Evidence = serde_json::from_value(value).map_err(|e| e.to_string())?;
        let text = evidence.to_text().map_err(|e| e.to_string())?;
        if evidence.form != FORM || text.as_bytes() != bytes {
            return Err("it is not evidence in canonical form".to_owned());
        }
        Ok(evidence)
    }

    /// The payload of its entry. `imported` is the digest of the archive that it came with.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub(crate) fn payload(
        &self,
        number: u32,
        imported: Option<&Digest>,
    ) -> Result<Payload, CanonicalError> {
        Ok(Payload::Evidence(EvidenceFound {
            release: self.release,
            number,
            digest: self.digest()?,
            evidence: serde_json::to_value(self)?,
            imported_with: imported.copied(),
        }))
    }

    /// Checks that an entry names a kind and a verdict that this program knows. Evidence of another form is
    /// from a newer program and is skipped, as in [`Evidence::of`].
    ///
    /// # Errors
    /// The unknown word.
    pub(crate) fn check_words(found: &EvidenceFound) -> Result<(), UnknownWord> {
        let word = |member: &str| found.evidence.get(member).and_then(Json::as_str);
        if word("$type") == Some(FORM) {
            word("kind").map(str::parse::<ReportKind>).transpose()?;
            word("verdict")
                .map(str::parse::<CheckVerdict>)
                .transpose()?;
        }
        Ok(())
    }

    /// Reads evidence from its entry; `None` if it has a form that this program does not know.
    #[must_use]
    pub(crate) fn of(found: &EvidenceFound) -> Option<Evidence> {
        let text = to_text(&found.evidence).ok()?;
        Evidence::parse(text.as_bytes()).ok()
    }
}
