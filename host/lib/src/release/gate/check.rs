//! The result of a check.

use provender_domain::ids::ModelVersion;
use schemars::JsonSchema;
use serde::Serialize;

use crate::project::gate::CheckName;
use provender_ledger::entries::ReportKind;

pub(super) use provender_ledger::entries::CheckVerdict;

use super::super::evidence::EvidenceFinding;

/// Compares a value with its thresholds. A value equal to a threshold does not exceed it.
#[must_use]
pub(super) fn above(value: f64, warn: Option<f64>, crit: Option<f64>) -> CheckVerdict {
    match (warn, crit) {
        (_, Some(crit)) if value > crit => CheckVerdict::Crit,
        (Some(warn), _) if value > warn => CheckVerdict::Warn,
        _ => CheckVerdict::Ok,
    }
}

/// A number that a check is based on.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "GateFigure")]
pub struct Figure {
    /// `name:version` of the logic it is about.
    pub logic: ModelVersion,
    /// The output that it is about; `None` if it is about the whole logic.
    pub subject: Option<String>,
    /// Name of the figure.
    pub name: String,
    /// The value. Shares and relative changes are fractions: 0.08 for 8 %. Null if it could not be computed.
    pub value: Option<f64>,
    /// A value above this is a warning.
    pub warn: Option<f64>,
    /// A value above this is critical.
    pub crit: Option<f64>,
    /// The number of rows it is based on.
    pub rows: u64,
    /// The verdict on this figure.
    pub verdict: CheckVerdict,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "GateCheck")]
pub struct Check {
    /// Which check it is.
    pub name: CheckName,
    /// Its verdict.
    pub verdict: CheckVerdict,
    /// What was observed, in words.
    pub observed: String,
    /// What is required, in words.
    pub threshold: String,
    /// The number of components, cases, people or rows it is based on.
    pub rows: u64,
    /// References to its evidence: `entry 12`, `report sha256-jcs-v1:…`.
    pub evidence: Vec<String>,
    /// Details for people, one per line.
    pub details: Vec<String>,
    /// The numbers it is based on.
    pub figures: Vec<Figure>,
    /// What to do if it does not pass, as commands and settings.
    pub remedy: Vec<String>,
    /// What it relied on without looking at it again, each with the date (RFC 3339, or a day) it is from.
    #[serde(skip)]
    pub relied: Vec<(String, String)>,
    /// The finding to record as evidence, with its report as canonical JSON.
    #[serde(skip)]
    pub finding: Option<(EvidenceFinding, Option<String>)>,
}

impl Check {
    /// A check without details, figures, remedies or evidence.
    #[must_use]
    pub(crate) fn new(
        name: CheckName,
        verdict: CheckVerdict,
        rows: u64,
        observed: impl Into<String>,
    ) -> Check {
        Check {
            name,
            verdict,
            observed: observed.into(),
            threshold: String::new(),
            rows,
            evidence: Vec::new(),
            details: Vec::new(),
            figures: Vec::new(),
            remedy: Vec::new(),
            relied: Vec::new(),
            finding: None,
        }
    }

    /// Sets what is required.
    #[must_use]
    pub(crate) fn asks(mut self, threshold: impl Into<String>) -> Check {
        self.threshold = threshold.into();
        self
    }

    /// Adds a remedy, unless the check passes.
    #[must_use]
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Check {
        if self.verdict != CheckVerdict::Ok {
            self.remedy.push(remedy.into());
        }
        self
    }

    /// Sets the finding to record as evidence of this kind, and its report.
    #[must_use]
    pub(crate) fn found(mut self, kind: ReportKind, report: Option<String>) -> Check {
        let finding = EvidenceFinding {
            kind,
            verdict: self.verdict,
            rows: self.rows,
            report: None,
            summary: self.observed.clone(),
        };
        self.finding = Some((finding, report));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_at_its_threshold_is_within_it() {
        let (warn, crit) = (Some(0.25), Some(1.0));
        assert_eq!(above(0.25, warn, crit), CheckVerdict::Ok);
        assert_eq!(above(0.26, warn, crit), CheckVerdict::Warn);
        assert_eq!(above(1.0, warn, crit), CheckVerdict::Warn);
        assert_eq!(above(1.1, warn, crit), CheckVerdict::Crit);
        assert_eq!(above(9.0, None, None), CheckVerdict::Ok);
        assert_eq!(above(1.1, None, crit), CheckVerdict::Crit);
    }

    #[test]
    fn unknown_weighs_most() {
        let all = [
            CheckVerdict::Unknown,
            CheckVerdict::Ok,
            CheckVerdict::Crit,
            CheckVerdict::Warn,
        ];
        assert_eq!(all.into_iter().max(), Some(CheckVerdict::Unknown));
    }
}
