//! `[canary]` of `provender.toml`: a canary's length and its thresholds. MLOps owns it.
//!
//! A canary cannot know which changes are intended. So the size of a change only warns, and is crit beyond
//! doubling. Lost rows, and outcomes that become null or breach guardrails, are never intended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[canary]`. Comparisons are strict: a value at its threshold is within it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CanarySettings {
    /// Days of the back-fill. Every day from its first one on is judged.
    pub window_days: u32,
    /// With fewer compared rows than this, the canary does not pass.
    pub min_rows: u32,
    /// Share of the active release's rows for which the candidate has none: warn.
    pub candidate_missing_warn: Option<f64>,
    /// The same: crit.
    pub candidate_missing_crit: Option<f64>,
    /// Share of rows that are null under the candidate, minus that under the active release: warn.
    pub null_rate_warn: Option<f64>,
    /// The same: crit.
    pub null_rate_crit: Option<f64>,
    /// Share of rows with a breached guardrail, minus that under the active release: warn.
    pub guardrail_rate_warn: Option<f64>,
    /// The same: crit.
    pub guardrail_rate_crit: Option<f64>,
    /// Share of rows whose outcome differs at all: warn.
    pub share_changed_warn: Option<f64>,
    /// The same: crit.
    pub share_changed_crit: Option<f64>,
    /// Median of |candidate − active| / |active|: warn.
    pub median_change_warn: Option<f64>,
    /// The same: crit.
    pub median_change_crit: Option<f64>,
    /// 95th percentile of |candidate − active| / |active|: warn.
    pub p95_change_warn: Option<f64>,
    /// The same: crit.
    pub p95_change_crit: Option<f64>,
    /// PSI divided by its expected value without a change: warn.
    pub psi_warn: Option<f64>,
    /// The same: crit.
    pub psi_crit: Option<f64>,
}

impl Default for CanarySettings {
    fn default() -> Self {
        CanarySettings {
            window_days: 14,
            min_rows: 20,
            candidate_missing_warn: Some(0.0),
            candidate_missing_crit: Some(0.05),
            null_rate_warn: Some(0.01),
            null_rate_crit: Some(0.1),
            guardrail_rate_warn: Some(0.01),
            guardrail_rate_crit: Some(0.1),
            share_changed_warn: None,
            share_changed_crit: None,
            median_change_warn: Some(0.25),
            median_change_crit: Some(1.0),
            p95_change_warn: Some(1.0),
            p95_change_crit: None,
            psi_warn: Some(3.0),
            psi_crit: None,
        }
    }
}

impl CanarySettings {
    /// Warn and crit thresholds of a figure; `None` if there is no figure of this name.
    #[must_use]
    pub(crate) fn thresholds(&self, figure: &str) -> (Option<f64>, Option<f64>) {
        self.pairs()
            .into_iter()
            .find(|(name, ..)| *name == figure)
            .map_or((None, None), |(_, warn, crit)| (warn, crit))
    }

    /// The first invalid setting: key, value, and what to write instead.
    #[must_use]
    pub(crate) fn problem(&self) -> Option<(String, String, &'static str)> {
        if !(1..=366).contains(&self.window_days) {
            let value = self.window_days.to_string();
            return Some((
                "window_days".to_owned(),
                value,
                "write a number of days from 1 to 366",
            ));
        }
        if self.min_rows == 0 {
            let problem = "write 1 or more: without rows there is no pass";
            return Some(("min_rows".to_owned(), "0".to_owned(), problem));
        }
        for (name, warn, crit) in self.pairs() {
            for (which, value) in [("warn", warn), ("crit", crit)] {
                if let Some(x) = value.filter(|x| !x.is_finite() || *x < 0.0) {
                    let problem = "write a number of 0 or more";
                    return Some((format!("{name}_{which}"), x.to_string(), problem));
                }
            }
            if let (Some(warn), Some(crit)) = (warn, crit)
                && warn > crit
            {
                let problem = "warn is beyond crit";
                return Some((format!("{name}_warn"), warn.to_string(), problem));
            }
        }
        None
    }

    fn pairs(&self) -> [(&'static str, Option<f64>, Option<f64>); 7] {
        [
            (
                "candidate_missing",
                self.candidate_missing_warn,
                self.candidate_missing_crit,
            ),
            ("null_rate", self.null_rate_warn, self.null_rate_crit),
            (
                "guardrail_rate",
                self.guardrail_rate_warn,
                self.guardrail_rate_crit,
            ),
            (
                "share_changed",
                self.share_changed_warn,
                self.share_changed_crit,
            ),
            (
                "median_change",
                self.median_change_warn,
                self.median_change_crit,
            ),
            ("p95_change", self.p95_change_warn, self.p95_change_crit),
            ("psi", self.psi_warn, self.psi_crit),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_that_make_no_sense_are_named() {
        assert_eq!(CanarySettings::default().problem(), None);
        let cases: [(fn(&mut CanarySettings), &str); 5] = [
            (|s| s.window_days = 0, "window_days"),
            (|s| s.min_rows = 0, "min_rows"),
            (|s| s.psi_warn = Some(-1.0), "psi_warn"),
            (|s| s.psi_crit = Some(f64::NAN), "psi_crit"),
            (
                |s| (s.null_rate_warn, s.null_rate_crit) = (Some(0.2), Some(0.1)),
                "null_rate_warn",
            ),
        ];
        for (change, key) in cases {
            let mut settings = CanarySettings::default();
            change(&mut settings);
            assert_eq!(settings.problem().unwrap().0, key);
        }
    }
}
