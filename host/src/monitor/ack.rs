//! Known cases: a series that somebody looks after, until a day.
//!
//! An acknowledgement is an entry of the ledger. It keeps a known case from failing the process and
//! hides nothing: every status stays as it is, the report names who acknowledged what and why, and
//! only the overall verdict leaves the series out. It counts for windows that end on its last day or
//! before, so that a report depends on no clock; the newest one of a series and metric holds.

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::domain::day::Day;
use crate::ledger::entry::{Kind, Stamp};
use crate::ledger::{Ledger, LedgerError};

use super::report::MetricReport;

/// What is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Target {
    /// The place.
    pub boundary_id: String,
    /// The herd, or `-`.
    pub herd_config_id: String,
    /// `name`, for all of its versions, or `name:version`.
    pub logic: String,
    /// Only rules of this metric: `share_null`, or with its subject `share_null(days)`.
    pub metric: Option<String>,
}

/// An acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ack {
    /// What it is of.
    #[serde(flatten)]
    pub target: Target,
    /// The last window end for which it counts.
    pub until: Day,
    /// Who.
    pub by: String,
    /// When.
    pub at: String,
    /// Why.
    pub reason: Option<String>,
    /// The entry.
    pub entry: i64,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}/{}/{}",
            self.boundary_id, self.herd_config_id, self.logic
        )?;
        match &self.metric {
            Some(metric) => write!(f, " {metric}"),
            None => Ok(()),
        }
    }
}

impl Target {
    /// Reads `BOUNDARY/HERD/LOGIC`; `None` when it is not of that form.
    #[must_use]
    pub fn parse(series: &str, metric: Option<&str>) -> Option<Target> {
        let parts: Vec<&str> = series.split('/').collect();
        let [boundary, herd, logic] = parts.as_slice() else {
            return None;
        };
        if parts.iter().any(|p| p.is_empty()) {
            return None;
        }
        Some(Target {
            boundary_id: (*boundary).to_owned(),
            herd_config_id: (*herd).to_owned(),
            logic: (*logic).to_owned(),
            metric: metric.map(str::to_owned),
        })
    }

    /// Whether it speaks of a logic.
    #[must_use]
    pub fn is_of_logic(&self, model_version: &str) -> bool {
        self.logic == model_version || model_version.split(':').next() == Some(&self.logic)
    }

    /// Whether it speaks of a boundary and herd of a logic.
    #[must_use]
    pub fn is_of_series(&self, model_version: &str, boundary: &str, herd: &str) -> bool {
        self.is_of_logic(model_version)
            && self.boundary_id == boundary
            && self.herd_config_id == herd
    }

    /// Whether it speaks of a rule.
    #[must_use]
    pub fn is_of_rule(&self, rule: &MetricReport) -> bool {
        self.metric
            .as_ref()
            .is_none_or(|m| *m == rule.name || *m == rule.label())
    }
}

/// The newest acknowledgement of each series and metric, by target; expired ones included.
///
/// # Errors
/// When the ledger cannot be read or an entry is not of the documented form.
pub fn acks(ledger: &dyn Ledger) -> Result<Vec<Ack>, LedgerError> {
    let mut newest = std::collections::BTreeMap::new();
    for entry in ledger.entries(Some(Kind::Ack))? {
        let damaged = || LedgerError::Damaged(format!("entry {} is no acknowledgement", entry.seq));
        let payload: Json = serde_json::from_str(&entry.payload).map_err(|_| damaged())?;
        let text = |name: &str| payload.get(name).and_then(Json::as_str).map(str::to_owned);
        let target = Target {
            boundary_id: text("boundary_id").ok_or_else(damaged)?,
            herd_config_id: text("herd_config_id").ok_or_else(damaged)?,
            logic: text("logic").ok_or_else(damaged)?,
            metric: text("metric"),
        };
        let until = text("until")
            .and_then(|t| t.parse().ok())
            .ok_or_else(damaged)?;
        newest.insert(
            target.clone(),
            Ack {
                target,
                until,
                by: entry.stamp.actor,
                at: entry.stamp.at,
                reason: entry.stamp.reason,
                entry: entry.seq,
            },
        );
    }
    Ok(newest.into_values().collect())
}

/// Records an acknowledgement. Saying the same again, by the same person for the same reason, writes
/// nothing; true when an entry was written.
///
/// # Errors
/// When the ledger refuses.
pub fn record(
    ledger: &mut dyn Ledger,
    stamp: &Stamp,
    target: &Target,
    until: Day,
) -> Result<bool, LedgerError> {
    let same = |a: &Ack| {
        a.target == *target && a.until == until && a.by == stamp.actor && a.reason == stamp.reason
    };
    if acks(ledger)?.iter().any(same) {
        return Ok(false);
    }
    let payload = json!({
        "boundary_id": target.boundary_id,
        "herd_config_id": target.herd_config_id,
        "logic": target.logic,
        "metric": target.metric,
        "until": until.to_string(),
    });
    ledger.append(Kind::Ack, stamp, &payload)?;
    Ok(true)
}
