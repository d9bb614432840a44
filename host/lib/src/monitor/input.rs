//! The monitor's input, which the caller gathers.
//!
//! The caller decides which rows are *answers* (see the design, section 2) and which days were *expected*: from the
//! latest of window start, herd start, first observation and activation. The monitor does not check either.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::{BTreeMap, BTreeSet};

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::description::{Description, MonitorRule, Role};
use provender_domain::key::ConfigVersion;
use provender_domain::value::{DataType, Value};

use super::baseline::Baseline;
use super::error::MonitorError;
use super::metrics::{Base, Metric};

/// The days to judge: `days` days that end with `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Last day, included.
    pub end: Day,
    /// Number of days, at least 1.
    pub days: u32,
}

impl Window {
    /// The first day.
    ///
    /// # Errors
    /// [`MonitorError::Window`] if there is no day, or the first is before year 1.
    pub(crate) fn first(&self) -> Result<Day, MonitorError> {
        let bad = MonitorError::Window {
            end: self.end,
            days: self.days,
        };
        let back = self.days.checked_sub(1).and_then(|d| i32::try_from(d).ok());
        back.and_then(|b| self.end.plus(-b)).ok_or(bad)
    }
}

/// Acceptable range of an output, from the guardrails in force.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Smallest acceptable value, in the output's unit.
    pub(crate) minimum: Option<f64>,
    /// Largest acceptable value, in the output's unit.
    pub(crate) maximum: Option<f64>,
}

/// A column that a rule may look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The column's name.
    pub(crate) name: String,
    /// Its type.
    pub(crate) data_type: DataType,
    /// Its unit, if the quantity has one.
    pub(crate) unit: Option<String>,
    /// Whether it is an output with [`Role::Outcome`].
    pub(crate) outcome: bool,
}

impl Subject {
    /// Outputs, then inputs, as declared. If an input has the name of an output, the name means the output.
    #[must_use]
    pub(crate) fn of(description: &Description) -> Vec<Subject> {
        let outputs = description
            .outputs
            .iter()
            .map(|o| (&o.field, o.role == Role::Outcome));
        let inputs = description.inputs.iter().map(|i| (&i.field, false));
        let mut seen = BTreeSet::new();
        outputs
            .chain(inputs)
            .filter(|(f, _)| seen.insert(f.name.clone()))
            .map(|(f, outcome)| Subject {
                name: f.name.clone(),
                data_type: f.data_type,
                unit: f.unit.clone(),
                outcome,
            })
            .collect()
    }
}

/// One logic version with its rules in force and its answers.
#[derive(Clone, Debug, PartialEq)]
pub struct LogicInput {
    /// `name:version`; versions are never mixed in one group.
    pub(crate) model_version: ModelVersion,
    /// The component's rules, with DS's thresholds applied (see [`super::apply_overrides`]).
    pub(crate) rules: Vec<MonitorRule>,
    /// Guardrail bounds in force, by output (see [`super::bounds_of`]). If a window has several config versions, all
    /// rows are judged by the bounds in force now.
    pub(crate) bounds: BTreeMap<String, Bounds>,
    /// The columns that rules may look at (see [`Subject::of`]).
    pub(crate) subjects: Vec<Subject>,
    /// Inputs whose change explains a step from one day to the next (see [`super::shift::steps`]).
    pub(crate) explaining: Vec<String>,
    /// The baseline that the window is compared with, and its digest.
    pub(crate) baseline: Option<(Digest, Baseline)>,
    /// One entry for each boundary and herd.
    pub(crate) series: Vec<SeriesInput>,
}

impl LogicInput {
    /// The outcome that charts show: the first that is a number.
    #[must_use]
    pub(crate) fn main_outcome(&self) -> Option<&Subject> {
        self.subjects
            .iter()
            .find(|s| s.outcome && matches!(s.data_type, DataType::Float64 | DataType::Int64))
    }

    /// The columns that every [`Row::values`] must have: the rules' subjects and the main outcome.
    #[must_use]
    pub(crate) fn needed(&self) -> BTreeSet<&str> {
        let subjects = self.rules.iter().filter_map(|r| r.subject.as_deref());
        let pairs = |m: Metric| m.base() == Base::Pairs;
        let mut metrics = self.rules.iter().map(|r| Metric::by_name(&r.metric));
        let steps = metrics.any(|m| m.is_some_and(pairs));
        let explaining = self.explaining.iter().filter(|_| steps).map(String::as_str);
        subjects
            .chain(self.main_outcome().map(|s| s.name.as_str()))
            .chain(explaining)
            .collect()
    }
}

/// The answers of one boundary and herd.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesInput {
    /// The place.
    pub(crate) boundary_id: BoundaryId,
    /// The herd, or `-`.
    pub(crate) herd_config_id: HerdId,
    /// The days of the window for which an answer was expected.
    pub(crate) expected: BTreeSet<Day>,
    /// The answers of the window, at most one a day, in any order.
    pub(crate) rows: Vec<Row>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The day the number is for.
    pub(crate) date: Day,
    /// The run's id.
    pub(crate) run_id: Digest,
    /// Digest of the reproducible part of its manifest.
    pub(crate) snapshot_id: Digest,
    /// Where its manifest is, relative to the manifest store.
    pub(crate) manifest: String,
    /// The configuration it ran under.
    pub(crate) config_version: ConfigVersion,
    /// Outputs and inputs by name; [`LogicInput::needed`] must be among them, null where null.
    pub(crate) values: BTreeMap<String, Value>,
    /// Whether a guardrail was breached.
    pub(crate) guardrail_failed: bool,
}
