//! `[gate.ENVIRONMENT]` of `provender.toml`: the checks before a release becomes active there, and what each
//! verdict does. MLOps owns it.
//!
//! `staging` and `prod` have built-in policies. Other environments have no gate unless their policy requires one.
//! A check that could not be made is unknown, and unknown always blocks. To skip a check, leave it out of
//! `checks`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use provender_domain::canonical::{CanonicalError, Digest};
use provender_domain::forms::Form;

mod mistakes;

pub(crate) use mistakes::{problem, unknown};
pub(crate) use provender_ledger::entries::{Action, Role};

/// A check of the gate.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// The components' bytes, what they declare, and what they bind to here.
    Verify,
    /// The golden cases of each active version.
    Goldens,
    /// Approvals by the roles that own the release, at least one by a person who did not cut it.
    Ownership,
    /// Approvals by enough different people.
    Approvals,
    /// A sample of recorded runs, computed again bit for bit.
    Replay,
    /// The monitors' verdict over the recent window.
    Monitors,
    /// The size of the change from the active release, on recorded inputs.
    Backtest,
    /// The newest canary.
    Canary,
    /// Enough recorded rows for the other checks to be meaningful.
    MinRows,
    /// A frozen reference for each logic.
    Baseline,
    /// The evidence of the decision is recent enough.
    Age,
    /// The gates of other environments have admitted the release.
    Passed,
}

impl CheckName {
    /// Every check, in the order in which they are made.
    pub(crate) const ALL: [CheckName; 12] = [
        CheckName::Verify,
        CheckName::Goldens,
        CheckName::Ownership,
        CheckName::Approvals,
        CheckName::Passed,
        CheckName::MinRows,
        CheckName::Replay,
        CheckName::Backtest,
        CheckName::Monitors,
        CheckName::Baseline,
        CheckName::Canary,
        CheckName::Age,
    ];

    /// The name in policies and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CheckName::Verify => "verify",
            CheckName::Goldens => "goldens",
            CheckName::Ownership => "ownership",
            CheckName::Approvals => "approvals",
            CheckName::Replay => "replay",
            CheckName::Monitors => "monitors",
            CheckName::Backtest => "backtest",
            CheckName::Canary => "canary",
            CheckName::MinRows => "min_rows",
            CheckName::Baseline => "baseline",
            CheckName::Age => "age",
            CheckName::Passed => "passed",
        }
    }
}

/// `[gate.ENVIRONMENT]` as it is written. Missing keys have the environment's defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GateSettings {
    /// Whether `release promote` requires a decision of the gate.
    pub required: Option<bool>,
    /// The checks that must hold.
    pub checks: Option<Vec<CheckName>>,
    /// What warn does.
    pub on_warn: Option<Action>,
    /// What crit does.
    pub on_crit: Option<Action>,
    /// Decisions and evidence older than this do not count.
    pub max_age_days: Option<u32>,
    /// `[gate.ENVIRONMENT.ownership]`.
    pub ownership: OwnershipSettings,
    /// `[gate.ENVIRONMENT.approvals]`.
    pub approvals: ApprovalSettings,
    /// `[gate.ENVIRONMENT.passed]`.
    pub passed: PassedSettings,
    /// `[gate.ENVIRONMENT.min_rows]`.
    pub min_rows: RowSettings,
    /// `[gate.ENVIRONMENT.replay]`.
    pub replay: ReplaySettings,
    /// `[gate.ENVIRONMENT.backtest]`.
    pub backtest: BacktestSettings,
    /// `[gate.ENVIRONMENT.canary]`.
    pub canary: CanaryGate,
}

/// Who must have approved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OwnershipSettings {
    /// Each of these roles.
    pub roles: Vec<Role>,
    /// Whether at least one approver must not be the person who cut the release.
    pub independent: bool,
}

impl Default for OwnershipSettings {
    fn default() -> Self {
        OwnershipSettings {
            roles: vec![Role::Ds, Role::Mlops],
            independent: true,
        }
    }
}

/// How many people must have approved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApprovalSettings {
    /// Number of different people, in any role.
    pub people: u32,
}

impl Default for ApprovalSettings {
    fn default() -> Self {
        ApprovalSettings { people: 2 }
    }
}

/// Which other gates must have admitted the release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PassedSettings {
    /// Names of environments.
    pub environments: Vec<String>,
}

impl Default for PassedSettings {
    fn default() -> Self {
        PassedSettings {
            environments: vec!["staging".to_owned()],
        }
    }
}

/// How many rows there must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RowSettings {
    /// Recorded answers of each logic within the days of the back-test.
    pub rows: u32,
}

impl Default for RowSettings {
    fn default() -> Self {
        RowSettings { rows: 20 }
    }
}

/// The sample of recorded runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplaySettings {
    /// Number of runs to replay, chosen at random with the newest entry's digest as seed.
    pub sample: u32,
    /// With fewer runs than this, the check does not pass.
    pub min_rows: u32,
}

impl Default for ReplaySettings {
    fn default() -> Self {
        ReplaySettings {
            sample: 50,
            min_rows: 10,
        }
    }
}

/// How much a release may differ from the active one on the same inputs. A value equal to its threshold is within
/// it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BacktestSettings {
    /// How many days back from today recorded answers are compared.
    pub days: u32,
    /// With fewer compared rows than this, the check does not pass.
    pub min_rows: u32,
    /// Median of |after − before| / |before| of the rows that changed: warn.
    pub median_change_warn: Option<f64>,
    /// The same: crit.
    pub median_change_crit: Option<f64>,
    /// Share of the compared rows that changed: warn.
    pub share_changed_warn: Option<f64>,
    /// The same: crit.
    pub share_changed_crit: Option<f64>,
    /// Share of the compared rows that became null, minus those that ceased to be null: warn.
    pub null_rate_warn: Option<f64>,
    /// The same: crit.
    pub null_rate_crit: Option<f64>,
    /// Share of the compared rows that breach a guardrail, minus those that did before: warn.
    pub guardrail_rate_warn: Option<f64>,
    /// The same: crit.
    pub guardrail_rate_crit: Option<f64>,
}

impl Default for BacktestSettings {
    fn default() -> Self {
        // People judge whether a change is intended, so its size only warns, and is crit beyond
        // doubling. Lost rows and breached guardrails are never intended.
        BacktestSettings {
            days: 90,
            min_rows: 20,
            median_change_warn: Some(0.25),
            median_change_crit: Some(1.0),
            share_changed_warn: None,
            share_changed_crit: None,
            null_rate_warn: Some(0.01),
            null_rate_crit: Some(0.1),
            guardrail_rate_warn: Some(0.01),
            guardrail_rate_crit: Some(0.1),
        }
    }
}

impl BacktestSettings {
    /// Each figure with its thresholds: name, warn, crit.
    #[must_use]
    pub(crate) fn thresholds(&self) -> [(&'static str, Option<f64>, Option<f64>); 4] {
        [
            (
                "median_change",
                self.median_change_warn,
                self.median_change_crit,
            ),
            (
                "share_changed",
                self.share_changed_warn,
                self.share_changed_crit,
            ),
            ("null_rate", self.null_rate_warn, self.null_rate_crit),
            (
                "guardrail_rate",
                self.guardrail_rate_warn,
                self.guardrail_rate_crit,
            ),
        ]
    }
}

/// The policy in force for an environment.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "GatePolicy")]
pub struct Policy {
    /// Whether `release promote` requires a decision of the gate.
    pub required: bool,
    /// The checks that must hold, in the order in which they are made.
    pub checks: Vec<CheckName>,
    /// What warn does.
    pub on_warn: Action,
    /// What crit does.
    pub on_crit: Action,
    /// Decisions and evidence older than this do not count.
    pub max_age_days: u32,
    /// Who must have approved.
    pub ownership: OwnershipSettings,
    /// How many people must have approved.
    pub approvals: ApprovalSettings,
    /// Which other gates must have admitted the release.
    pub passed: PassedSettings,
    /// How many rows there must be.
    pub min_rows: RowSettings,
    /// The sample of recorded runs.
    pub replay: ReplaySettings,
    /// How much it may differ from the active release.
    pub backtest: BacktestSettings,
    /// How long its canary must have run.
    pub canary: CanaryGate,
}

/// How long a canary must have run. Its thresholds are in `[canary]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CanaryGate {
    /// With fewer days with compared rows than this, the check does not pass.
    pub min_days: u32,
}

impl Default for CanaryGate {
    fn default() -> Self {
        CanaryGate { min_days: 7 }
    }
}

impl Policy {
    /// The policy of an environment: its settings over the defaults for its name.
    #[must_use]
    pub(crate) fn of(environment: &str, set: Option<&GateSettings>) -> Policy {
        let set = set.cloned().unwrap_or_default();
        let (required, on_warn, on_crit, checks) = built_in(environment);
        let mut checks = set.checks.unwrap_or(checks);
        checks.sort_by_key(|c| CheckName::ALL.iter().position(|a| a == c));
        checks.dedup();
        Policy {
            required: set.required.unwrap_or(required),
            checks,
            on_warn: set.on_warn.unwrap_or(on_warn),
            on_crit: set.on_crit.unwrap_or(on_crit),
            max_age_days: set.max_age_days.unwrap_or(7),
            ownership: set.ownership,
            approvals: set.approvals,
            passed: set.passed,
            min_rows: set.min_rows,
            replay: set.replay,
            backtest: set.backtest,
            canary: set.canary,
        }
    }

    /// As JSON.
    #[must_use]
    pub(crate) fn to_json(&self) -> Json {
        // Cannot fail: all parts are numbers, texts and lists of them.
        json!(self)
    }

    /// The policy's digest: a decision is valid only for the policy that it was made under. `others` is everything
    /// else that decides.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub fn digest(&self, environment: &str, others: &Json) -> Result<Digest, CanonicalError> {
        Form::GatePolicy.digest(&json!({
            "environment": environment,
            "policy": self.to_json(),
            "others": others,
        }))
    }
}

fn built_in(environment: &str) -> (bool, Action, Action, Vec<CheckName>) {
    use CheckName::{Age, Backtest, Canary, Goldens, MinRows, Monitors, Ownership, Replay, Verify};
    let everywhere = [Verify, Goldens, MinRows, Replay, Backtest, Monitors, Age];
    let with = |more: &[CheckName]| everywhere.iter().chain(more).copied().collect();
    match environment {
        "staging" => (true, Action::Block, Action::Block, with(&[Ownership])),
        "prod" => (
            true,
            Action::Alert,
            Action::Block,
            with(&[Ownership, Canary]),
        ),
        _ => (false, Action::Alert, Action::Block, with(&[])),
    }
}

#[cfg(test)]
mod tests;
