//! What triage compares.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use provender_domain::day::Day;
use provender_domain::description::Direction;

use super::super::baseline::Baseline;
use super::super::metrics::{Metric, OneRow};
use super::super::stored::OutputBounds;

/// A recorded run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// Its id.
    pub(crate) run_id: String,
    /// `name:version`.
    pub(crate) model_version: ModelVersion,
    /// Its configuration, with `+rN` for a reissue.
    pub(crate) config_version: String,
    /// The place.
    pub(crate) boundary_id: BoundaryId,
    /// The herd.
    pub(crate) herd_config_id: HerdId,
    /// The day.
    pub(crate) date: Day,
    /// What the component read.
    pub(crate) inputs: Map<String, Json>,
    /// What it gave.
    pub(crate) outputs: Map<String, Json>,
    /// The files behind the inputs: source and path.
    pub(crate) files: BTreeSet<(String, String)>,
    /// Whether a guardrail was breached.
    pub(crate) guardrail_failed: bool,
    /// For a failing row the rules that count it: `share_null(days)`.
    pub(crate) metrics: Vec<String>,
}

impl Row {
    /// Place and herd.
    #[must_use]
    pub(crate) fn series(&self) -> (BoundaryId, HerdId) {
        (self.boundary_id.clone(), self.herd_config_id.clone())
    }
}

/// Failing rows of one logic, and what they are compared with.
#[derive(Clone, Debug, Default)]
pub struct TriageScene {
    /// Name of the logic.
    pub(crate) logic: String,
    /// The rows behind fired rules.
    pub(crate) failing: Vec<Row>,
    /// Answers of the same window that no rule counts.
    pub(crate) passing: Vec<Row>,
    /// What the failing places had before their first failing day.
    pub(crate) before: Vec<Row>,
    /// For failing rows (by index) what other versions gave on that day.
    pub(crate) others: Vec<(usize, Row)>,
    /// For failing rows (by index) the run that each replaced.
    pub(crate) replaced: Vec<(usize, Row)>,
    /// Guardrail bounds by output.
    pub(crate) bounds: BTreeMap<String, OutputBounds>,
    /// Thresholds by rule, as `p05(days)`, with the side that is bad.
    pub(crate) thresholds: BTreeMap<String, (Direction, f64)>,
    /// The frozen baseline in force of a failing version, else of another version of the logic: inputs are
    /// the same whatever reads them.
    pub(crate) frozen: Option<Baseline>,
    /// Failing rows in all; more than [`TriageScene::failing`] where not all were looked at.
    pub(crate) all_failing: usize,
}

impl TriageScene {
    /// Whether `other` would fail by the rule that counts `failing`. `None` if the rule does not judge single rows.
    #[must_use]
    pub(crate) fn fails_too(&self, failing: &Row, other: &Row) -> Option<bool> {
        let mut judged = None;
        for metric in &failing.metrics {
            let (name, subject) = match metric.split_once('(') {
                Some((name, rest)) => (name, rest.strip_suffix(')')),
                None => (metric.as_str(), None),
            };
            let bounds = subject.and_then(|s| self.bounds.get(s));
            let row = OneRow {
                value: subject.and_then(|s| other.outputs.get(s)),
                minimum: bounds.and_then(|b| b.minimum),
                maximum: bounds.and_then(|b| b.maximum),
                guardrail_failed: other.guardrail_failed,
                threshold: self.thresholds.get(metric).copied(),
            };
            let fails = Metric::by_name(name).and_then(|metric| metric.fails(row));
            if let Some(fails) = fails {
                judged = Some(judged.unwrap_or(false) || fails);
            }
        }
        judged
    }
}
