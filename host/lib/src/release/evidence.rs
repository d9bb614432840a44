//! What was found out about a release: an object of its own that names the release's digest.
//!
//! Evidence is added to a release after it was cut and travels with it. Its full report is kept once,
//! by digest, in the ledger's table of reports.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use provender_domain::canonical::{CanonicalError, Digest, from_slice, to_text};
use provender_domain::forms::Form;
use provender_domain::words::UnknownWord;
use provender_ledger::entries::{EvidenceFound, ReportKind, Verdict};
use provender_ledger::entry::Stamp;
use provender_ledger::{Payload, Write};

use super::ReleaseError;

/// `$type` of evidence.
pub const FORM: &str = Form::Evidence.name();

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    #[serde(rename = "$type")]
    form: String,
    /// The release it is about.
    pub release: Digest,
    /// What it is about.
    pub kind: ReportKind,
    /// What it came to.
    pub verdict: Verdict,
    /// How many cases, runs or rows it rests on.
    pub rows: u64,
    /// Digest of the full report, where there is one.
    pub report: Option<Digest>,
    /// What it says, in a sentence.
    pub summary: String,
    /// Environment in which it was found.
    pub environment: String,
    /// Who found it.
    pub by: String,
    /// When.
    pub at: String,
}

/// What was found, without who and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// See [`Evidence::kind`].
    pub kind: ReportKind,
    /// See [`Evidence::verdict`].
    pub verdict: Verdict,
    /// See [`Evidence::rows`].
    pub rows: u64,
    /// See [`Evidence::report`].
    pub report: Option<Digest>,
    /// See [`Evidence::summary`].
    pub summary: String,
}

/// What was found, with the full report behind it; neither is recorded yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Reported {
    finding: Finding,
    body: String,
}

impl Reported {
    /// A finding and its report, canonical JSON.
    #[must_use]
    pub fn new(mut finding: Finding, body: String) -> Reported {
        finding.report = Some(Digest::of_canonical(body.as_bytes()));
        Reported { finding, body }
    }

    /// The finding, which names the report.
    #[must_use]
    pub fn finding(&self) -> &Finding {
        &self.finding
    }

    /// Records the report, before the evidence that names it: a kill between leaves a report that nothing
    /// names.
    ///
    /// # Errors
    /// When the ledger refuses.
    pub fn record(&self, ledger: &dyn Write, stamp: &Stamp) -> Result<(), ReleaseError> {
        if let Some(digest) = self.finding.report {
            ledger.record_report(stamp, self.finding.kind, digest, &self.body)?;
        }
        Ok(())
    }
}

impl Evidence {
    /// A finding about a release, by whom and when.
    #[must_use]
    pub fn new(release: Digest, finding: Finding, environment: &str, stamp: &Stamp) -> Evidence {
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

    /// The canonical text.
    ///
    /// # Errors
    /// When a number has no canonical form.
    pub fn to_text(&self) -> Result<String, CanonicalError> {
        to_text(&serde_json::to_value(self)?)
    }

    /// Its digest.
    ///
    /// # Errors
    /// When a number has no canonical form.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Ok(Digest::of_canonical(self.to_text()?.as_bytes()))
    }

    /// Reads the canonical text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(bytes: &[u8]) -> Result<Evidence, String> {
        let value = from_slice(bytes).map_err(|e| e.to_string())?;
        let evidence: Evidence = serde_json::from_value(value).map_err(|e| e.to_string())?;
        let text = evidence.to_text().map_err(|e| e.to_string())?;
        if evidence.form != FORM || text.as_bytes() != bytes {
            return Err("it is not evidence in canonical form".to_owned());
        }
        Ok(evidence)
    }

    /// What its entry says; `imported` names the archive it came with.
    ///
    /// # Errors
    /// When a number has no canonical form.
    pub fn says(&self, number: u32, imported: Option<&Digest>) -> Result<Payload, CanonicalError> {
        Ok(Payload::Evidence(EvidenceFound {
            release: self.release,
            number,
            digest: self.digest()?,
            evidence: serde_json::to_value(self)?,
            imported_with: imported.copied(),
        }))
    }

    /// That its entry names a kind and a verdict that this program knows. Evidence of another form is that of a
    /// newer program and is passed over, as [`Evidence::of`] does.
    ///
    /// # Errors
    /// The word that is not known.
    pub fn check_words(found: &EvidenceFound) -> Result<(), UnknownWord> {
        let word = |member: &str| found.evidence.get(member).and_then(Json::as_str);
        if word("$type") == Some(FORM) {
            word("kind").map(str::parse::<ReportKind>).transpose()?;
            word("verdict").map(str::parse::<Verdict>).transpose()?;
        }
        Ok(())
    }

    /// As its entry has it; `None` when that is of a form this program does not write.
    #[must_use]
    pub fn of(found: &EvidenceFound) -> Option<Evidence> {
        let text = to_text(&found.evidence).ok()?;
        Evidence::parse(text.as_bytes()).ok()
    }
}
