//! The model of a back-test's report; JSON, text, Markdown and the page all come from it.
//!
//! Its JSON form is what `backtest --json` carries in `data`: fields may be added, not renamed.
//! Nothing in it depends on a clock or a host.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use crate::monitor::report::{MonitorVerdict, ReportWindow, Status, Summary as SeriesSummary};
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::description::{Scope, Severity};
use provender_domain::manifest::SetBy;
use provender_domain::value::DataType;

use super::snapshot::Provenance;
use super::statistics::Summary;

/// A back-test.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "BacktestReport")]
pub struct BacktestReport {
    /// What is tried.
    pub candidate: SideReport,
    /// What it is compared with.
    pub against: SideReport,
    /// Which answers.
    pub range: Range,
    /// Recorded answers looked at.
    pub rows: u64,
    /// Rows for which both sides gave outputs; all figures of change rest on them.
    pub compared: u64,
    /// How the recorded inputs were obtained.
    pub provenance: Provenance,
    /// Inputs that the candidate reads and some recorded run did not: taken from the observations
    /// as known when that run was recorded.
    pub beyond: Vec<String>,
    /// How the numbers before were obtained.
    pub baseline: Baseline,
    /// What the sides are set to differently: parameters, season start, feature definitions, guardrail bounds,
    /// monitor thresholds.
    pub settings: Vec<SettingReport>,
    /// What to check before you trust the figures.
    pub warnings: Vec<Warning>,
    /// Outcomes that both sides have, with one type and unit.
    pub outcomes: Vec<OutcomeReport>,
    /// Outcomes that cannot be compared.
    pub not_compared: Vec<NotCompared>,
    /// Guardrails of either side.
    pub guardrails: Vec<GuardrailReport>,
    /// The verdicts of the monitors.
    pub verdict: VerdictReport,
    /// Fleet rules of either side, then the series rules that would say something else.
    pub monitors: Vec<BacktestMonitor>,
    /// By which outcome `affected` is ranked; null when no outcome has a size.
    pub affected_by: Option<String>,
    /// The boundaries with the largest changes, each by its most changed row.
    pub affected: Vec<AffectedRow>,
    /// Rows on which the candidate failed.
    pub failed_rows: u64,
    /// The first of them.
    pub failed: Vec<FailedRow>,
}

/// A component with its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SideReport {
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Digest of the component's bytes.
    pub component: Digest,
    /// Digest of its configuration in force.
    pub config_version: Digest,
    /// The file, where it is not pinned.
    pub file: Option<String>,
}

/// Which answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "BacktestRange")]
pub struct Range {
    /// First day with a row.
    pub from: Day,
    /// Last day with a row.
    pub to: Day,
    /// The boundary asked for.
    pub boundary_id: Option<BoundaryId>,
    /// The herd asked for.
    pub herd_config_id: Option<HerdId>,
}

/// How the numbers before were obtained.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "BacktestBaseline")]
pub struct Baseline {
    /// Recorded outputs of this very version and component.
    pub recorded: u64,
    /// Of these, recorded under another configuration than the one in force.
    pub other_configs: u64,
    /// Computed here, since another version answered.
    pub computed: u64,
    /// Of these, rows on which it failed; they are not compared.
    pub failed: u64,
}

/// What kind of setting it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingKind {
    /// A parameter's value in force.
    Parameter,
    /// Start of the season, for windows `season`.
    SeasonStart,
    /// What is read under an input's name.
    Feature,
    /// The bounds of an output.
    Guardrail,
    /// The thresholds of a monitoring rule.
    Monitor,
}

impl SettingKind {
    /// As people read it.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            SettingKind::Parameter => "parameter",
            SettingKind::SeasonStart => "season start",
            SettingKind::Feature => "input",
            SettingKind::Guardrail => "guardrail",
            SettingKind::Monitor => "monitor",
        }
    }
}

/// A setting that differs between the sides.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SettingReport {
    /// What it is.
    pub kind: SettingKind,
    /// Name of the parameter, input, output or rule.
    pub name: String,
    /// Its unit.
    pub unit: Option<String>,
    /// Before; null where that side has no such setting.
    pub before: Option<SettingValue>,
    /// After.
    pub after: Option<SettingValue>,
}

/// What a setting is on one side.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SettingValue {
    /// The value; of guardrails, monitors and features an object.
    pub value: Json,
    /// The same in words.
    pub text: String,
    /// Where it was set.
    pub set_by: SetBy,
}

/// Something to check before you trust the figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "BacktestWarning")]
pub struct Warning {
    /// Stable code.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// An outcome on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OutcomeReport {
    /// The output.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Its unit.
    pub unit: Option<String>,
    /// Rows whose bits differ, null transitions included.
    pub changed: u64,
    /// Rows that have a value before and none after.
    pub became_null: u64,
    /// Rows that have none before and a value after.
    pub ceased_null: u64,
    /// Rows that are null on both sides.
    pub both_null: u64,
    /// Sizes and quantiles; of a date's change in days. Null for types without a size.
    pub figures: Option<Summary>,
    /// Some rows that became null or ceased to be, one a place.
    pub null_changes: Vec<NullChange>,
}

/// A row that became null or ceased to be.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct NullChange {
    /// Its place.
    pub boundary_id: BoundaryId,
    /// Its herd.
    pub herd_config_id: HerdId,
    /// Its day.
    pub calculation_date: Day,
    /// Value before.
    pub before: Json,
    /// Value after.
    pub after: Json,
    /// What the side without a value says about it.
    pub reasons: Vec<String>,
}

/// An outcome that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotCompared {
    /// The output.
    pub name: String,
    /// Why.
    pub why: String,
}

/// A guardrail on either side.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GuardrailReport {
    /// The output.
    pub output: String,
    /// Before; null where that side has no such guardrail.
    pub before: Option<RailReport>,
    /// After.
    pub after: Option<RailReport>,
}

/// A guardrail's bounds and how often they were breached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RailReport {
    /// Smallest acceptable value.
    pub minimum: Option<f64>,
    /// Largest acceptable value.
    pub maximum: Option<f64>,
    /// What a breach means.
    pub severity: Severity,
    /// Rows outside.
    pub breaches: u64,
}

/// What the monitors would say as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct VerdictReport {
    /// The days looked at.
    pub window: ReportWindow,
    /// The overall verdict before.
    pub before: MonitorVerdict,
    /// The overall verdict after.
    pub after: MonitorVerdict,
    /// Counts over series, before.
    pub series_before: SeriesSummary,
    /// Counts over series, after.
    pub series_after: SeriesSummary,
    /// What else is to be said of either side.
    pub notes: Vec<String>,
}

/// A monitoring rule on either side.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "BacktestMonitor")]
pub struct BacktestMonitor {
    /// `p95(forage_age_days)`.
    pub rule: String,
    /// Over which rows.
    pub scope: Scope,
    /// The place; null for the fleet.
    pub boundary_id: Option<BoundaryId>,
    /// The herd; null for the fleet.
    pub herd_config_id: Option<HerdId>,
    /// Before; null where that side has no such rule.
    pub before: Option<RuleReport>,
    /// After.
    pub after: Option<RuleReport>,
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RuleReport {
    /// The status.
    pub status: Status,
    /// The observed value.
    pub value: Option<f64>,
    /// How many rows it is computed from.
    pub rows: usize,
    /// The status in a sentence.
    pub why: String,
}

/// The most changed row of a boundary.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AffectedRow {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The herd.
    pub herd_config_id: HerdId,
    /// The day.
    pub calculation_date: Day,
    /// The recorded run.
    pub run_id: Digest,
    /// The number before.
    pub before: Json,
    /// The number after.
    pub after: Json,
    /// After minus before, in the outcome's unit; of a date in days.
    pub change: f64,
    /// The change as a share of the size of the number before.
    pub relative: Option<f64>,
    /// What either side read.
    pub inputs: Vec<InputReport>,
}

/// A value that was read.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct InputReport {
    /// The input.
    pub name: String,
    /// Its value.
    pub value: Json,
    /// Its unit.
    pub unit: Option<String>,
    /// Which side read it.
    pub read_by: ReadBy,
}

/// Which side of a back-test read a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReadBy {
    /// Both of them.
    Both,
    /// The version that answers.
    Before,
    /// The candidate.
    After,
}

/// A row on which the candidate failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailedRow {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The herd.
    pub herd_config_id: HerdId,
    /// The day.
    pub calculation_date: Day,
    /// Stable code.
    pub code: String,
    /// A sentence.
    pub message: String,
}

impl BacktestReport {
    /// The report as JSON.
    ///
    /// # Errors
    /// Never for the numbers of a report, which are finite.
    pub(crate) fn to_json(&self) -> Result<Json, serde_json::Error> {
        serde_json::to_value(self)
    }

    /// Share of the compared rows on which an outcome changed, for people.
    #[must_use]
    pub(crate) fn share(&self, rows: u64) -> String {
        percent(rows, self.compared)
    }
}

/// `12.5 %`; never 0 % of something and never 100 % of less than all.
#[must_use]
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of rows are far below 2^53"
    )]
    let share = part as f64 / whole as f64 * 100.0;
    let text = format!("{share:.1} %");
    match text.as_str() {
        "0.0 %" if part > 0 => "< 0.1 %".to_owned(),
        "100.0 %" if part < whole => "> 99.9 %".to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_share_never_rounds_to_nothing_or_all() {
        for (part, whole, text) in [
            (0, 0, "–"),
            (0, 5, "0.0 %"),
            (1, 1_000_000, "< 0.1 %"),
            (1, 8, "12.5 %"),
            (999_999, 1_000_000, "> 99.9 %"),
            (7, 7, "100.0 %"),
        ] {
            assert_eq!(percent(part, whole), text);
        }
    }
}
