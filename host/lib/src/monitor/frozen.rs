//! The baselines in the ledger, and which one is in force.
//!
//! Each is an entry, with the document stored under its digest. A version's newest entry is in force; older ones
//! stay in the ledger.

use provender_domain::canonical::{Digest, to_text};
use provender_domain::day::Day;
use provender_domain::ids::ModelVersion;
use provender_ledger::EntryNumber;
use provender_ledger::entries::{BaselineFrozen, ReportKind};
use provender_ledger::entry::{Kind, Stamp};
use provender_ledger::{LedgerError, Read, Write};

use super::baseline::Baseline;
use super::gather::GatherError;
use super::stored::begins;

/// A baseline, as recorded in its entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Frozen {
    /// The entry.
    pub entry: EntryNumber,
    /// Who recorded it, when and why.
    pub stamp: Stamp,
    /// Digest of the document.
    pub baseline: Digest,
    /// `name:version`.
    pub model_version: ModelVersion,
    /// First day of the period.
    pub from: Day,
    /// Last day, included.
    pub to: Day,
    /// Number of answers behind it.
    pub rows: u64,
    /// Whether monitors compare with it.
    pub in_force: bool,
}

/// Every baseline, oldest first.
///
/// # Errors
/// If the ledger cannot be read or an entry is malformed.
pub fn baselines(ledger: &dyn Read) -> Result<Vec<Frozen>, LedgerError> {
    let mut out = Vec::new();
    for entry in ledger.entries(Some(Kind::Baseline))? {
        let frozen: BaselineFrozen = entry.read()?;
        out.push(Frozen {
            entry: entry.seq,
            baseline: frozen.baseline,
            model_version: frozen.model_version,
            from: frozen.from,
            to: frozen.to,
            rows: frozen.rows,
            stamp: entry.stamp,
            in_force: false,
        });
    }
    let mut seen = std::collections::BTreeSet::new();
    for one in out.iter_mut().rev() {
        one.in_force = seen.insert(one.model_version.clone());
    }
    Ok(out)
}

/// The baseline that a person means: the one in force of a `name:version`, or one by its digest or at least six of
/// its hex digits.
#[must_use]
pub fn find_baseline<'a>(all: &'a [Frozen], which: &str) -> Option<&'a Frozen> {
    let by_logic = all.iter().rfind(|f| f.in_force && f.model_version == which);
    let by_digest = || {
        let hex = which.strip_prefix("sha256-jcs-v1:").unwrap_or(which);
        let is_hex = hex.bytes().all(|b| b.is_ascii_hexdigit());
        all.iter().rfind(|f| is_hex && begins(&f.baseline, which))
    };
    by_logic.or_else(by_digest)
}

/// The document of a baseline.
///
/// # Errors
/// If the ledger does not have it or it is malformed.
pub fn document(ledger: &dyn Read, digest: Digest) -> Result<Baseline, LedgerError> {
    let damaged =
        |what: &str| LedgerError::Damaged(format!("the baseline {} {what}", digest.short()));
    let body = ledger
        .document(digest)?
        .filter(|d| d.kind == ReportKind::Baseline)
        .ok_or_else(|| damaged("is not in the ledger"))?
        .body;
    if Digest::of_canonical(body.as_bytes()) != digest {
        return Err(damaged("is not what was recorded"));
    }
    serde_json::from_str(&body).map_err(|e| damaged(&format!("cannot be read: {e}")))
}

/// The baseline in force of a version.
///
/// # Errors
/// As [`baselines`] and [`document`].
pub(crate) fn in_force(
    ledger: &dyn Read,
    model_version: &ModelVersion,
) -> Result<Option<(Digest, Baseline)>, LedgerError> {
    let newest = baselines(ledger)?
        .into_iter()
        .rfind(|f| f.model_version == *model_version);
    newest
        .map(|f| Ok((f.baseline, document(ledger, f.baseline)?)))
        .transpose()
}

/// Records a baseline. Returns its digest, and whether an entry was written: one that is already in force is not
/// written again.
///
/// # Errors
/// When the ledger refuses.
pub fn record(
    ledger: &dyn Write,
    stamp: &Stamp,
    baseline: &Baseline,
) -> Result<(Digest, bool), GatherError> {
    let json = baseline.to_json().map_err(super::MonitorError::from)?;
    let digest = Digest::of_json(&json).map_err(super::MonitorError::from)?;
    let body = to_text(&json).map_err(super::MonitorError::from)?;
    let newest = baselines(ledger)?
        .into_iter()
        .rfind(|f| f.model_version == baseline.model_version);
    if newest.is_some_and(|f| f.baseline == digest) {
        return Ok((digest, false));
    }
    let payload = BaselineFrozen {
        baseline: digest,
        model_version: baseline.model_version.clone(),
        config_versions: baseline.config_versions.clone(),
        from: baseline.from,
        to: baseline.to,
        rows: baseline.rows as u64,
        document: None,
    };
    ledger.record_baseline(
        stamp,
        payload,
        &provender_ledger::types::Document {
            kind: ReportKind::Baseline,
            digest,
            body,
        },
    )?;
    Ok((digest, true))
}
