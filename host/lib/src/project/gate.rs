//! `[gate.ENVIRONMENT]` of `provender.toml`: what must hold before a release becomes active there,
//! and what each verdict does. MLOps owns it.
//!
//! `staging` and `prod` have a policy of their own, built in; an environment of any other name asks
//! for no gate unless its policy says so. A check that could not be made is unknown, and unknown
//! always blocks: who does not want a check leaves it out of `checks`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use provender_domain::canonical::{CanonicalError, Digest};
use provender_domain::forms::Form;

mod mistakes;

pub use mistakes::{problem, unknown};
pub use provender_ledger::entries::{Action, Role};

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
    /// Approvals by the roles that own it, by somebody else than who cut it.
    Ownership,
    /// So many people have approved.
    Approvals,
    /// A sample of recorded runs, computed again bit for bit.
    Replay,
    /// The monitors' verdict over the recent window.
    Monitors,
    /// The size of the change against the active release, on recorded inputs.
    Backtest,
    /// The newest canary.
    Canary,
    /// Enough recorded rows for any of it to mean something.
    MinRows,
    /// A frozen reference for each logic.
    Baseline,
    /// What the decision rests on is recent.
    Age,
    /// The gates of other environments let it in.
    Passed,
}

impl CheckName {
    /// Every check, in the order in which they are made.
    pub const ALL: [CheckName; 12] = [
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

    /// As policies and reports name it.
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

/// `[gate.ENVIRONMENT]` as it is written. What is left out is as the environment's name has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GateSettings {
    /// Whether `release promote` asks for a decision.
    pub required: Option<bool>,
    /// The checks that must hold.
    pub checks: Option<Vec<CheckName>>,
    /// What warn does.
    pub on_warn: Option<Action>,
    /// What crit does.
    pub on_crit: Option<Action>,
    /// Older decisions and evidence are not relied on.
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
    /// At least one of them somebody else than who cut the release.
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
    /// Different people, in whatever role.
    pub people: u32,
}

impl Default for ApprovalSettings {
    fn default() -> Self {
        ApprovalSettings { people: 2 }
    }
}

/// Which other gates must have let the release in.
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
    /// Recorded answers of each logic, within the days of the back-test.
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
    /// Runs that are computed again, drawn by the digest of the newest entry.
    pub sample: u32,
    /// Fewer runs than this are never a pass.
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

/// How far a release may be from the active one on the same inputs. Comparisons are strict: a value
/// at its threshold is within it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BacktestSettings {
    /// Days back from today whose recorded answers are computed with.
    pub days: u32,
    /// Fewer compared rows than this are never a pass.
    pub min_rows: u32,
    /// Median of |after − before| / |before| of the rows that changed: warn.
    pub median_change_warn: Option<f64>,
    /// The same: crit.
    pub median_change_crit: Option<f64>,
    /// Share of the compared rows that changed: warn.
    pub share_changed_warn: Option<f64>,
    /// The same: crit.
    pub share_changed_crit: Option<f64>,
    /// Share of the compared rows that became null, less those that ceased to be: warn.
    pub null_rate_warn: Option<f64>,
    /// The same: crit.
    pub null_rate_crit: Option<f64>,
    /// Share of the compared rows that breach a guardrail, less those that did before: warn.
    pub guardrail_rate_warn: Option<f64>,
    /// The same: crit.
    pub guardrail_rate_crit: Option<f64>,
}

impl Default for BacktestSettings {
    fn default() -> Self {
        // What is meant to change is for people to judge, so that the size of a change warns and
        // only a change beyond doubling is crit. Lost rows and breached guardrails are never meant.
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
    pub fn thresholds(&self) -> [(&'static str, Option<f64>, Option<f64>); 4] {
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Policy {
    /// Whether `release promote` asks for a decision.
    pub required: bool,
    /// The checks that must hold, in the order in which they are made.
    pub checks: Vec<CheckName>,
    /// What warn does.
    pub on_warn: Action,
    /// What crit does.
    pub on_crit: Action,
    /// Older decisions and evidence are not relied on.
    pub max_age_days: u32,
    /// Who must have approved.
    pub ownership: OwnershipSettings,
    /// How many people must have.
    pub approvals: ApprovalSettings,
    /// Which other gates must have let it in.
    pub passed: PassedSettings,
    /// How many rows there must be.
    pub min_rows: RowSettings,
    /// The sample of recorded runs.
    pub replay: ReplaySettings,
    /// How far it may be from the active release.
    pub backtest: BacktestSettings,
    /// How long a canary must have been.
    pub canary: CanaryGate,
}

/// How long a canary must have been; its thresholds are those of `[canary]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CanaryGate {
    /// Days with compared rows; fewer are never a pass.
    pub min_days: u32,
}

impl Default for CanaryGate {
    fn default() -> Self {
        CanaryGate { min_days: 7 }
    }
}

impl Policy {
    /// The policy of an environment: what is set for it, over what its name stands for.
    #[must_use]
    pub fn of(environment: &str, set: Option<&GateSettings>) -> Policy {
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
    pub fn to_json(&self) -> Json {
        // Its parts are numbers, texts and lists of them.
        json!(self)
    }

    /// The policy's identity: a decision is good only for the policy that it was made under.
    /// `others` is what else it is judged by.
    ///
    /// # Errors
    /// When a number has no canonical form.
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
