//! The model of a monitor report, from which everything is rendered.
//!
//! Its JSON is `data` of `monitor --json` and is recorded in the ledger. `report` is the digest of the canonical JSON
//! of everything else: to check it, remove that member and compute the digest. Fields may be added, not renamed.
//! Nothing here depends on a clock, a host or the order of the input.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use provender_domain::canonical::{self, Digest};
use provender_domain::day::Day;
use provender_domain::description::{Direction, MonitorRule, Scope};
use provender_domain::forms::Form;
use provender_domain::render::Tone;
use provender_domain::words;

use super::ack::Ack;
use super::error::MonitorError;

/// The report's `$type`. A change of meaning needs a new version number.
pub(crate) const TYPE: &str = Form::MonitorReport.name();

words! {
    /// The status of a rule or a group, from the least to the most urgent.
    #[schemars(rename = "RuleStatus")]
    pub enum Status: "status" {
        /// It has no thresholds and is only reported.
        Info = "info",
        /// Nothing was expected, so there is nothing to judge.
        NotApplicable = "not_applicable",
        /// Within its thresholds.
        Ok = "ok",
        /// Could not be judged, because there are too few rows or none. It does not pass.
        Unknown = "unknown",
        /// Beyond the warn threshold.
        Warn = "warn",
        /// Beyond the crit threshold.
        Crit = "crit",
    }
}

impl Status {
    /// The word shown to people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Status::Info => "info",
            Status::NotApplicable => "not applicable",
            Status::Ok => "ok",
            Status::Unknown => "unknown",
            Status::Warn => "warn",
            Status::Crit => "crit",
        }
    }

    /// The colour of the status in reports.
    #[must_use]
    pub fn tone(self) -> Tone {
        match self {
            Status::Info | Status::NotApplicable => Tone::Quiet,
            Status::Ok => Tone::Good,
            Status::Unknown => Tone::Unknown,
            Status::Warn => Tone::Warn,
            Status::Crit => Tone::Bad,
        }
    }

    /// Whether it needs attention.
    #[must_use]
    pub fn needs_attention(self) -> bool {
        self >= Status::Unknown
    }
}

words! {
    /// The overall verdict.
    pub enum MonitorVerdict: "status" {
        /// Every fleet rule holds.
        Ok = "ok",
        /// A fleet rule is beyond its warn threshold, or could not be judged.
        Warn = "warn",
        /// A fleet rule is beyond its crit threshold.
        Crit = "crit",
    }
}

impl MonitorVerdict {
    /// The word shown to people.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        self.status().word()
    }

    /// The verdict as a status.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            MonitorVerdict::Ok => Status::Ok,
            MonitorVerdict::Warn => Status::Warn,
            MonitorVerdict::Crit => Status::Crit,
        }
    }
}

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "MonitorReport")]
pub struct MonitorReport {
    /// The form of the document: `provender.monitor-report.v1`.
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// Digest of everything else in the report: the report's id.
    pub report: Digest,
    /// The overall verdict, from the fleet rules of all logics.
    pub status: MonitorVerdict,
    /// Digest over the thresholds of all logics.
    pub thresholds_version: Digest,
    /// The days looked at.
    pub window: ReportWindow,
    /// What decided the verdict, and other remarks, in sentences.
    pub notes: Vec<String>,
    /// Acknowledged cases, which the verdict leaves out; absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acknowledged: Vec<Ack>,
    /// Counts over all series.
    pub summary: Summary,
    /// Each logic with its thresholds in force, by model version.
    pub logics: Vec<LogicReport>,
    /// One group for each logic, by model version.
    pub fleet: Vec<Group>,
    /// One group for each logic, boundary and herd, in that order.
    pub series: Vec<Group>,
}

/// The days looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReportWindow {
    /// First day.
    pub start: Day,
    /// Last day, included.
    pub end: Day,
    /// Number of days.
    pub days: u32,
}

/// Counts over all series of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SeriesCounts")]
pub struct Summary {
    /// Series.
    pub series: usize,
    /// Series that are crit.
    pub crit: usize,
    /// Series that are warn.
    pub warn: usize,
    /// Series that could not be judged.
    pub unknown: usize,
    /// Series that are ok.
    pub ok: usize,
    /// Series for which nothing was expected.
    pub not_applicable: usize,
    /// Series without a series rule that judges.
    pub info: usize,
    /// Answers.
    pub rows: usize,
    /// Expected answers.
    pub expected: usize,
    /// Answers recorded among the expected.
    pub recorded: usize,
}

/// A logic with its rules and bounds.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LogicReport {
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Status of its fleet rules.
    pub status: Status,
    /// Digest of its thresholds in force.
    pub thresholds_version: Digest,
    /// The baseline that the window was compared with; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineReport>,
    /// The thresholds in force.
    pub rules: Vec<MonitorRule>,
    /// The guardrail bounds in force.
    pub bounds: Vec<BoundsReport>,
}

/// The baseline behind the shift metrics of a logic.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct BaselineReport {
    /// The digest it is recorded under.
    pub baseline: Digest,
    /// First day of its period.
    pub from: Day,
    /// Last day, included.
    pub to: Day,
    /// Number of answers behind it.
    pub rows: usize,
    /// Every configuration version among them.
    pub config_versions: Vec<String>,
}

/// Guardrail bounds of an output.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct BoundsReport {
    /// The output.
    pub output: String,
    /// Smallest acceptable value.
    pub minimum: Option<f64>,
    /// Largest acceptable value.
    pub maximum: Option<f64>,
    /// Their unit.
    pub unit: Option<String>,
}

/// The rules of one scope, judged over the rows of one group. A group has only one model version.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "MonitorGroup")]
pub struct Group {
    /// The place; null for the fleet.
    pub boundary_id: Option<BoundaryId>,
    /// The herd; null for the fleet.
    pub herd_config_id: Option<HerdId>,
    /// The logic.
    pub model_version: ModelVersion,
    /// Every configuration version among the rows.
    pub config_versions: Vec<String>,
    /// Answers.
    pub rows: usize,
    /// Expected answers.
    pub expected: usize,
    /// Answers recorded among the expected.
    pub recorded: usize,
    /// The most urgent status of the metrics.
    pub status: Status,
    /// The metrics, sorted by status (crit, warn, unknown, ok, not applicable, info) and then by name.
    pub metrics: Vec<MetricReport>,
    /// The rows behind fired rules, by boundary, herd and date.
    pub failing: Vec<FailingRow>,
    /// Expected answers that are not recorded, by boundary, herd and date.
    pub missing: Vec<MissingRow>,
    /// The main outcome over the window; null for the fleet.
    pub outcome: Option<OutcomeSeries>,
}

/// A rule with its observed value.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "MonitorMetric")]
pub struct MetricReport {
    /// Name of the metric.
    pub name: String,
    /// The output or input it looks at.
    pub subject: Option<String>,
    /// The observed value; null if there is nothing to compute it from.
    pub value: Option<f64>,
    /// Unit of value and thresholds; null for shares and counts.
    pub unit: Option<String>,
    /// Threshold of warn; strictly beyond it is warn.
    pub warn: Option<f64>,
    /// Threshold of crit; strictly beyond it is crit.
    pub crit: Option<f64>,
    /// How many rows the value is computed from.
    pub rows: usize,
    /// With fewer rows than this, the rule does not pass.
    pub min_rows: u32,
    /// The status of the rule.
    pub status: Status,
    /// Which side is bad.
    pub direction: Direction,
    /// Over which rows.
    pub scope: Scope,
    /// The status in a sentence.
    pub why: String,
}

impl MetricReport {
    /// `p95(forage_age_days)`.
    #[must_use]
    pub(crate) fn label(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{}({subject})", self.name),
            None => self.name.clone(),
        }
    }
}

/// A row behind a fired rule.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FailingRow {
    /// The run.
    pub run_id: Digest,
    /// Digest of the reproducible part of its manifest.
    pub snapshot_id: Digest,
    /// Where its manifest is, relative to the manifest store.
    pub manifest: String,
    /// The place.
    pub boundary_id: BoundaryId,
    /// The herd.
    pub herd_config_id: HerdId,
    /// The day the number is for.
    pub calculation_date: Day,
    /// The configuration it ran under.
    pub config_version: String,
    /// The fired rules that count this row: `share_null(days)`.
    pub metrics: Vec<String>,
}

/// An expected answer that is not recorded.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MissingRow {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The herd.
    pub herd_config_id: HerdId,
    /// The day.
    pub calculation_date: Day,
}

/// The main outcome of a series over the window.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OutcomeSeries {
    /// The output.
    pub name: String,
    /// Its unit.
    pub unit: Option<String>,
    /// Smallest acceptable value, by its guardrails.
    pub minimum: Option<f64>,
    /// Largest acceptable value, by its guardrails.
    pub maximum: Option<f64>,
    /// Day and value of each answer, by date; the value is null if the outcome is.
    pub points: Vec<(Day, Option<f64>)>,
}

impl MonitorReport {
    /// Sets the report's id.
    pub(super) fn seal(mut self) -> Result<MonitorReport, MonitorError> {
        self.report = Digest::of_json(&self.reproducible()?)?;
        Ok(self)
    }

    /// The report without `report`: the object whose digest is the report's id.
    ///
    /// # Errors
    /// [`MonitorError::Json`] if the report cannot be turned into JSON.
    pub(crate) fn reproducible(&self) -> Result<Json, MonitorError> {
        let mut json = self.to_json()?;
        if let Json::Object(members) = &mut json {
            members.remove("report");
        }
        Ok(json)
    }

    /// The whole report as JSON.
    ///
    /// # Errors
    /// [`MonitorError::Json`] if the report cannot be turned into JSON.
    pub(crate) fn to_json(&self) -> Result<Json, MonitorError> {
        Ok(serde_json::to_value(self)?)
    }

    /// The whole report as canonical JSON text: the same report gives the same bytes.
    ///
    /// # Errors
    /// [`MonitorError::Json`] or [`MonitorError::Canonical`] if there is no such text.
    pub(crate) fn to_canonical(&self) -> Result<String, MonitorError> {
        Ok(canonical::to_text(&self.to_json()?)?)
    }
}
