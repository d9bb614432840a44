//! A check's result.

use provender_domain::ids::ModelVersion;
use serde::Serialize;

use crate::project::gate::CheckName;
use provender_ledger::entries::ReportKind;

pub use provender_ledger::entries::Verdict;

use super::super::evidence::Finding;

/// A value against its thresholds; at a threshold it is within.
#[must_use]
pub(super) fn above(value: f64, warn: Option<f64>, crit: Option<f64>) -> Verdict {
    match (warn, crit) {
        (_, Some(crit)) if value > crit => Verdict::Crit,
        (Some(warn), _) if value > warn => Verdict::Warn,
        _ => Verdict::Ok,
    }
}

/// One number behind a check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// `name:version` of the logic it is about.
    pub logic: ModelVersion,
    /// The output, where it is about one.
    pub subject: Option<String>,
    /// Its name.
    pub name: String,
    /// The value; shares and relative changes are 0.08 for 8 %. None where it could not be had.
    pub value: Option<f64>,
    /// Above this it warns.
    pub warn: Option<f64>,
    /// Above this it is crit.
    pub crit: Option<f64>,
    /// Rows behind it.
    pub rows: u64,
    /// What it comes to.
    pub verdict: Verdict,
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// The check.
    pub name: CheckName,
    /// What it came to.
    pub verdict: Verdict,
    /// What was observed, in words.
    pub observed: String,
    /// What is asked for, in words.
    pub threshold: String,
    /// On how many components, cases, people or rows it rests.
    pub rows: u64,
    /// Where its evidence is: `entry 12`, `report sha256-jcs-v1:…`.
    pub evidence: Vec<String>,
    /// What is behind it, line by line.
    pub details: Vec<String>,
    /// The numbers behind it.
    pub figures: Vec<Figure>,
    /// What would have to change where it does not hold, as commands and settings.
    pub remedy: Vec<String>,
    /// What it relied on and did not see itself: what, and since when (RFC 3339, or a day).
    #[serde(skip)]
    pub relied: Vec<(String, String)>,
    /// What it found, as evidence of the release; its report, canonical JSON, is kept with it.
    #[serde(skip)]
    pub finding: Option<(Finding, Option<String>)>,
}

impl Check {
    /// A check with nothing behind it yet.
    #[must_use]
    pub fn new(name: CheckName, verdict: Verdict, rows: u64, observed: impl Into<String>) -> Check {
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

    /// With what is asked for.
    #[must_use]
    pub fn asks(mut self, threshold: impl Into<String>) -> Check {
        self.threshold = threshold.into();
        self
    }

    /// With what would have to change; a check that holds needs nothing.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Check {
        if self.verdict != Verdict::Ok {
            self.remedy.push(remedy.into());
        }
        self
    }

    /// With what it found as evidence of a kind, and its report.
    #[must_use]
    pub fn found(mut self, kind: ReportKind, report: Option<String>) -> Check {
        let finding = Finding {
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
        assert_eq!(above(0.25, warn, crit), Verdict::Ok);
        assert_eq!(above(0.26, warn, crit), Verdict::Warn);
        assert_eq!(above(1.0, warn, crit), Verdict::Warn);
        assert_eq!(above(1.1, warn, crit), Verdict::Crit);
        assert_eq!(above(9.0, None, None), Verdict::Ok);
        assert_eq!(above(1.1, None, crit), Verdict::Crit);
    }

    #[test]
    fn unknown_weighs_most() {
        let all = [Verdict::Unknown, Verdict::Ok, Verdict::Crit, Verdict::Warn];
        assert_eq!(all.into_iter().max(), Some(Verdict::Unknown));
    }
}
