//! Acknowledgements: known cases that somebody is working on, until a given day.
//!
//! An acknowledgement is a ledger entry. It keeps a known case from failing the process and hides nothing: every
//! status stays, the report names who acknowledged what and why, and only the overall verdict leaves the series
//! out. It applies to windows that end on or before its last day, so a report depends on no clock. The newest one
//! of a series and metric is in force.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::day::Day;
use provender_ledger::entries;
use provender_ledger::entry::{Entry, Kind, Stamp};
use provender_ledger::{LedgerError, Payload, Read, Write};

use super::report::MetricReport;

/// What is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Target {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The herd, or `-`.
    pub herd_config_id: HerdId,
    /// `name`, for all of its versions, or `name:version`.
    pub logic: String,
    /// Only rules of this metric (`share_null`), or of this metric and subject (`share_null(days)`).
    pub metric: Option<String>,
}

/// An acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ack {
    /// The acknowledged series and metric.
    #[serde(flatten)]
    pub target: Target,
    /// The last window end to which it applies.
    pub until: Day,
    /// Who.
    pub by: String,
    /// When.
    pub at: String,
    /// Why.
    pub reason: Option<String>,
    /// The entry.
    pub entry: EntryNumber,
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
    /// Parses `BOUNDARY/HERD/LOGIC`, with or without the spaces that reports put around the slashes; `None` if it does
    /// not have that form.
    #[must_use]
    pub fn parse(series: &str, metric: Option<&str>) -> Option<Target> {
        // Split from the right, because boundary ids come from the user and may contain a slash.
        let mut parts = series.rsplitn(3, '/').map(str::trim);
        let (logic, herd, boundary) = (parts.next()?, parts.next()?, parts.next()?);
        if [logic, herd, boundary].iter().any(|p| p.is_empty()) {
            return None;
        }
        Some(Target {
            boundary_id: BoundaryId::unchecked(boundary),
            herd_config_id: HerdId::unchecked(herd),
            logic: logic.to_owned(),
            metric: metric.map(str::to_owned),
        })
    }

    /// Whether it applies to a logic.
    #[must_use]
    pub fn is_of_logic(&self, model_version: &ModelVersion) -> bool {
        *model_version == self.logic.as_str() || model_version.name() == self.logic
    }

    /// Whether it applies to a boundary and herd of a logic.
    #[must_use]
    pub(crate) fn is_of_series(
        &self,
        model_version: &ModelVersion,
        boundary: &BoundaryId,
        herd: &HerdId,
    ) -> bool {
        self.is_of_logic(model_version)
            && self.boundary_id == *boundary
            && self.herd_config_id == *herd
    }

    /// Whether it applies to a rule.
    #[must_use]
    pub(crate) fn is_of_rule(&self, rule: &MetricReport) -> bool {
        self.metric
            .as_ref()
            .is_none_or(|m| *m == rule.name || *m == rule.label())
    }
}

/// The newest acknowledgement of each series and metric, sorted by target, including expired ones.
///
/// # Errors
/// If the ledger cannot be read or an entry is malformed.
pub fn acks(ledger: &dyn Read) -> Result<Vec<Ack>, LedgerError> {
    of(&ledger.entries(Some(Kind::Ack))?)
}

fn of(recorded: &[Entry]) -> Result<Vec<Ack>, LedgerError> {
    let mut newest = std::collections::BTreeMap::new();
    for entry in recorded {
        let ack: entries::Ack = entry.read()?;
        let target = Target {
            boundary_id: ack.boundary_id,
            herd_config_id: ack.herd_config_id,
            logic: ack.logic,
            metric: ack.metric,
        };
        let until = ack.until;
        newest.insert(
            target.clone(),
            Ack {
                target,
                until,
                by: entry.stamp.actor.clone(),
                at: entry.stamp.at.clone(),
                reason: entry.stamp.reason.clone(),
                entry: entry.seq,
            },
        );
    }
    Ok(newest.into_values().collect())
}

/// Records an acknowledgement, and returns whether an entry was written. Repeating it, by the same person for the
/// same reason, writes nothing.
///
/// # Errors
/// When the ledger refuses.
pub fn record(
    ledger: &dyn Write,
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
    let payload = Payload::Ack(entries::Ack {
        boundary_id: target.boundary_id.clone(),
        herd_config_id: target.herd_config_id.clone(),
        logic: target.logic.clone(),
        metric: target.metric.clone(),
        until,
    });
    ledger.append(stamp, &payload)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(seq: i64, metric: Option<&str>, until: &str) -> Entry {
        let stamp = Stamp {
            at: format!("2025-07-{seq:02}T06:00:00Z"),
            actor: "ops".into(),
            reason: Some("why".into()),
        };
        let payload = json!({"boundary_id": "a/b", "herd_config_id": "h", "logic": "n:v1", "metric": metric, "until": until});
        Entry::following(
            Some((EntryNumber::new(seq - 1), [0; 32])),
            Kind::Ack,
            &stamp,
            &payload,
        )
        .unwrap()
    }

    #[test]
    fn the_newest_of_a_series_and_metric_holds() {
        let all = of(&[
            entry(1, None, "2025-07-31"),
            entry(2, Some("p95"), "2025-08-31"),
            entry(3, None, "2025-07-15"),
        ])
        .unwrap();
        let seen: Vec<_> = all
            .iter()
            .map(|a| {
                (
                    a.entry.get(),
                    a.target.metric.as_deref(),
                    a.until.to_string(),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                (3, None, "2025-07-15".to_owned()),
                (2, Some("p95"), "2025-08-31".to_owned())
            ]
        );
        let mut bad = entry(4, None, "soon");
        assert!(matches!(of(&[bad.clone()]), Err(LedgerError::Payload(_))));
        bad.payload = "{}".into();
        assert!(of(&[bad]).is_err());
    }

    #[test]
    fn a_series_is_written_as_reports_show_it() {
        let parse = |text: &str| Target::parse(text, None).map(|t| t.to_string());
        let whole = Some("mesa/h-sheep/days_remaining:v2".to_owned());
        assert_eq!(parse("mesa/h-sheep/days_remaining:v2"), whole);
        assert_eq!(parse("mesa / h-sheep / days_remaining:v2"), whole);
        assert_eq!(parse("a/b/h/n"), Some("a/b/h/n".to_owned()));
        assert_eq!(Target::parse("a/b/h/n", None).unwrap().boundary_id, "a/b");
        for bad in ["mesa", "mesa/h-sheep", "mesa//n", "/h/n", "m/h/ "] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_name_means_all_of_its_versions() {
        let model = |text: &str| ModelVersion::unchecked(text);
        let target = Target::parse("m/h/days", Some("share_null")).unwrap();
        assert!(target.is_of_series(
            &model("days:v2"),
            &BoundaryId::unchecked("m"),
            &HerdId::unchecked("h")
        ));
        assert!(!target.is_of_series(
            &model("days:v2"),
            &BoundaryId::unchecked("m"),
            &HerdId::unchecked("other")
        ));
        assert!(!target.is_of_logic(&model("days_more:v2")));
        let one = Target::parse("m/h/days:v2", None).unwrap();
        assert!(one.is_of_logic(&model("days:v2")) && !one.is_of_logic(&model("days:v3")));
    }
}
