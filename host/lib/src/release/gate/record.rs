//! Records a decision: first the reports, then the evidence and the decision together.

use provender_domain::canonical::Digest;
use provender_domain::failpoint;
use provender_ledger::EntryNumber;
use provender_ledger::entries::ReportKind;
use provender_ledger::entry::Stamp;
use provender_ledger::{Payload, Write};

use super::super::ReleaseError;
use super::super::evidence::{Evidence, EvidenceFinding, Reported};
use super::super::state::Known;
use super::decision::GateReport;

/// What was recorded for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Sequence number of the decision's entry.
    pub entry: EntryNumber,
    /// Digest of the gate's report.
    pub report: Digest,
}

/// Records a decision. A kill on the way leaves at most reports that nothing names, and no decision.
///
/// # Errors
/// If the ledger cannot be written.
pub fn record(
    ledger: &dyn Write,
    release: &Known,
    report: &GateReport,
    stamp: &Stamp,
) -> Result<Recorded, ReleaseError> {
    let (digest, body) = report.body()?;
    let number = release.document.number;
    let evidence = |finding: EvidenceFinding| -> Result<Payload, ReleaseError> {
        let found = Evidence::new(release.digest, finding, &report.environment, stamp);
        Ok(found.payload(number, None)?)
    };
    let mut entries = Vec::new();
    for result in &report.checks {
        let Some((finding, text)) = &result.check.finding else {
            continue;
        };
        let mut finding = finding.clone();
        if let Some(text) = text {
            let reported = Reported::new(finding, text.clone());
            reported.record(ledger, stamp)?;
            finding = reported.finding().clone();
        }
        entries.push(evidence(finding)?);
    }
    ledger.record_report(stamp, ReportKind::Gate, digest, &body)?;
    entries.push(evidence(report.finding(digest))?);
    entries.push(Payload::GateDecision(report.payload(digest)));
    failpoint::hit("gate.before-ledger");
    let appended = ledger.append_all(stamp, &entries)?;
    failpoint::hit("gate.after-ledger");
    Ok(Recorded {
        entry: appended.last().map_or(EntryNumber::NONE, |e| e.seq),
        report: digest,
    })
}
