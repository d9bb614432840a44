//! Reads recorded reports from the ledger, with the rows behind fired rules.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use provender_ledger::EntryNumber;
use std::collections::BTreeMap;

use serde::Deserialize;

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::description::Direction;
use provender_ledger::entries::{ReportKept, ReportKind};
use provender_ledger::entry::{Kind, Stamp};
use provender_ledger::{LedgerError, Read};

use super::report::{MonitorVerdict, Status};

/// Why a recorded report could not be found.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// No such report is recorded.
    #[error("no monitor report is recorded{0}")]
    None(String),
    /// Several digests begin with the given digits.
    #[error("several reports begin with `{asked}`: {found}; give more digits")]
    Ambiguous {
        /// The digits that were given.
        asked: String,
        /// The matching digests.
        found: String,
    },
    /// An error of the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Which report to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The one recorded last.
    Latest,
    /// The newest whose window ends on this day.
    End(Day),
    /// By its digest, or at least six of its hex digits.
    Digest(String),
}

/// A report with its entry.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its digest.
    pub digest: Digest,
    /// The entry that recorded it.
    pub entry: EntryNumber,
    /// Who, when.
    pub stamp: Stamp,
    /// The parts of its content that are needed.
    pub body: Body,
}

/// The parts of a report's content that are needed.
#[derive(Clone, Debug, Deserialize)]
pub struct Body {
    /// The overall verdict.
    pub status: MonitorVerdict,
    /// The days looked at.
    pub window: Days,
    /// Digest over the thresholds of all logics.
    pub thresholds_version: String,
    /// Remarks, in sentences.
    pub notes: Vec<String>,
    /// Each logic with its bounds.
    pub logics: Vec<Logic>,
    /// One group for each logic.
    pub fleet: Vec<Group>,
    /// One group for each series.
    pub series: Vec<Group>,
}

/// The days looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Days {
    /// First day.
    pub start: Day,
    /// Last day, included.
    pub end: Day,
    /// How many.
    pub days: u32,
}

/// A logic in a report.
#[derive(Clone, Debug, Deserialize)]
pub struct Logic {
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Digest of its thresholds.
    pub thresholds_version: String,
    /// Its guardrail bounds.
    pub bounds: Vec<OutputBounds>,
}

/// Guardrail bounds of an output.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OutputBounds {
    /// The output.
    pub output: String,
    /// Smallest acceptable value.
    pub minimum: Option<f64>,
    /// Largest acceptable value.
    pub maximum: Option<f64>,
}

/// The rules of one scope over the rows of one group.
#[derive(Clone, Debug, Deserialize)]
pub struct Group {
    /// The place; null for the fleet.
    pub boundary_id: Option<BoundaryId>,
    /// The herd; null for the fleet.
    pub herd_config_id: Option<HerdId>,
    /// The logic.
    pub model_version: ModelVersion,
    /// The most urgent status.
    pub status: Status,
    /// Its rules.
    pub metrics: Vec<Metric>,
    /// The rows behind fired rules.
    pub failing: Vec<Failing>,
    /// Expected answers that are not recorded.
    pub missing: Vec<Missing>,
}

/// A rule with its status.
#[derive(Clone, Debug, Deserialize)]
pub struct Metric {
    /// Name of the metric.
    pub name: String,
    /// The output or input it looks at.
    pub subject: Option<String>,
    /// Threshold of warn.
    pub warn: Option<f64>,
    /// Threshold of crit.
    pub crit: Option<f64>,
    /// Which side is bad.
    pub direction: Direction,
    /// Its status.
    pub status: Status,
    /// The status in a sentence.
    pub why: String,
}

impl Metric {
    /// Whether it needs attention.
    #[must_use]
    pub fn fired(&self) -> bool {
        self.status.needs_attention()
    }

    /// `p95(forage_age_days)`.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{}({subject})", self.name),
            None => self.name.clone(),
        }
    }
}

/// A row behind a fired rule.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Failing {
    /// The run.
    pub run_id: Digest,
    /// Digest of its manifest's reproducible part.
    pub snapshot_id: Digest,
    /// Where its manifest is.
    pub manifest: String,
    /// The place.
    pub boundary_id: BoundaryId,
    /// The herd.
    pub herd_config_id: HerdId,
    /// The day.
    pub calculation_date: Day,
    /// The configuration.
    pub config_version: String,
    /// The fired rules that count it.
    pub metrics: Vec<String>,
}

/// An expected answer that is not recorded.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Missing {
    /// The place.
    pub(crate) boundary_id: BoundaryId,
    /// The herd.
    pub(crate) herd_config_id: HerdId,
    /// The day.
    pub(crate) calculation_date: Day,
}

impl Body {
    /// Every failing row once, with all rules that count it, by logic, place and day.
    #[must_use]
    pub fn failing(&self) -> Vec<(ModelVersion, Failing)> {
        let mut rows: BTreeMap<Digest, (ModelVersion, Failing)> = BTreeMap::new();
        for group in self.fleet.iter().chain(&self.series) {
            for row in &group.failing {
                let (_, kept) = rows
                    .entry(row.run_id)
                    .or_insert_with(|| (group.model_version.clone(), row.clone()));
                for metric in &row.metrics {
                    if !kept.metrics.contains(metric) {
                        kept.metrics.push(metric.clone());
                    }
                }
            }
        }
        let mut rows: Vec<_> = rows.into_values().collect();
        rows.sort_by(|(a, x), (b, y)| {
            let key = |r: &Failing| {
                (
                    r.boundary_id.clone(),
                    r.herd_config_id.clone(),
                    r.calculation_date,
                )
            };
            (a, key(x)).cmp(&(b, key(y)))
        });
        rows
    }

    /// Expected answers of the fleet that are not recorded.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.fleet.iter().map(|g| g.missing.len()).sum()
    }
}

/// The digests of recorded reports, oldest first: entry, digest, kind.
///
/// # Errors
/// If the ledger cannot be read or an entry is malformed.
pub(crate) fn digests(
    ledger: &dyn Read,
) -> Result<Vec<(EntryNumber, Digest, ReportKind, Stamp)>, LedgerError> {
    let mut all = Vec::new();
    for entry in ledger.entries(Some(Kind::Report))? {
        let kept: ReportKept = entry.read()?;
        all.push((entry.seq, kept.report, kept.kind, entry.stamp));
    }
    Ok(all)
}

/// Whether a text could be the beginning of a digest.
#[must_use]
pub fn begins(digest: &Digest, text: &str) -> bool {
    let hex = text.strip_prefix("sha256-jcs-v1:").unwrap_or(text);
    let hex = hex.to_ascii_lowercase();
    hex.len() >= 6 && digest.hex().starts_with(&hex)
}

/// Finds a monitor's report.
///
/// # Errors
/// If no report or several reports match, or the report cannot be read.
pub fn find(ledger: &dyn Read, wanted: &Wanted) -> Result<Stored, StoredError> {
    let mut reports = digests(ledger)?;
    reports.retain(|(_, _, kind, _)| *kind == ReportKind::Monitor);
    let mut hits = Vec::new();
    for (entry, digest, _, stamp) in reports.into_iter().rev() {
        if let Wanted::Digest(text) = wanted
            && !begins(&digest, text)
        {
            continue;
        }
        let body = body(ledger, digest)?;
        if matches!(wanted, Wanted::End(day) if body.window.end != *day) {
            continue;
        }
        hits.push(Stored {
            digest,
            entry,
            stamp,
            body,
        });
        if !matches!(wanted, Wanted::Digest(_)) {
            break;
        }
    }
    match (hits.len(), wanted) {
        (1, _) => Ok(hits.remove(0)),
        (0, wanted) => Err(StoredError::None(match wanted {
            Wanted::Latest => String::new(),
            Wanted::End(day) => format!(" whose window ends on {day}"),
            Wanted::Digest(text) => format!(" with the digest {text}"),
        })),
        (_, Wanted::Digest(asked)) => Err(StoredError::Ambiguous {
            asked: asked.clone(),
            found: hits
                .iter()
                .map(|h| h.digest.short())
                .collect::<Vec<_>>()
                .join(", "),
        }),
        // For the other cases only the newest was selected.
        (_, _) => Ok(hits.remove(0)),
    }
}

fn body(ledger: &dyn Read, digest: Digest) -> Result<Body, LedgerError> {
    let damaged =
        |what: &str| LedgerError::Damaged(format!("the report {} {what}", digest.short()));
    let report = ledger
        .document(digest)?
        .ok_or_else(|| damaged("is not in the ledger"))?;
    serde_json::from_str(&report.body).map_err(|e| damaged(&format!("cannot be read: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_that_two_rules_count_is_one_row() {
        let id = Digest::of_bytes(b"a").to_string();
        let row = |metric: &str| json!({"run_id": id, "snapshot_id": id, "manifest": "m", "boundary_id": "b", "herd_config_id": "h", "calculation_date": "2025-06-30", "config_version": "c", "metrics": [metric]});
        let group = |metric: &str| json!({"boundary_id": null, "herd_config_id": null, "model_version": "n:v1", "status": "crit", "metrics": [], "failing": [row(metric)], "missing": []});
        let body: Body = serde_json::from_value(json!({
            "status": "crit",
            "window": {"start": "2025-06-01", "end": "2025-06-30", "days": 30},
            "thresholds_version": "t",
            "notes": [],
            "logics": [],
            "fleet": [group("x")],
            "series": [group("y"), group("x")],
        }))
        .unwrap();
        let rows = body.failing();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].1.metrics, ["x", "y"]);
        assert_eq!(rows[0].0, "n:v1");
    }

    #[test]
    fn fewer_than_six_digits_name_no_report() {
        let digest = Digest::of_bytes(b"a");
        let hex = digest.hex();
        assert!(begins(&digest, &hex[..6]));
        assert!(begins(&digest, &hex.to_uppercase()));
        assert!(!begins(&digest, &hex[..5]));
        assert!(!begins(&digest, ""));
    }
}
