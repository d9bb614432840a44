//! The evidence together, and where it points.

use schemars::JsonSchema;
use serde::Serialize;

use super::groups::{Group, groups};
use super::scene::TriageScene;
use super::{frozen, groups as apart, inputs, versions};

/// Where a finding points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Points {
    /// To the data.
    Data,
    /// To the logic: its version, its configuration.
    Logic,
    /// To neither.
    Nowhere,
}

/// One comparison and what it says.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TriageFinding {
    /// A stable name for machines.
    pub code: &'static str,
    /// Where it points.
    pub points: Points,
    /// On how many rows it rests.
    pub rows: usize,
    /// In a sentence.
    pub says: String,
    /// The file that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl TriageFinding {
    pub(super) fn new(
        code: &'static str,
        points: Points,
        rows: usize,
        says: String,
    ) -> TriageFinding {
        TriageFinding {
            code,
            points,
            rows,
            says,
            file: None,
        }
    }
}

/// Where all of it points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriageVerdict {
    /// To the data.
    Data,
    /// To the logic.
    Logic,
    /// Some of it to the one, some to the other.
    Both,
    /// Not enough to tell.
    Unknown,
}

impl TriageVerdict {
    /// In a sentence.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            TriageVerdict::Data => "the evidence points to the data",
            TriageVerdict::Logic => "the evidence points to the logic",
            TriageVerdict::Both => "some evidence points to the data, some to the logic",
            TriageVerdict::Unknown => "not enough to tell data from logic",
        }
    }
}

/// The triage of one logic's failing rows.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Triage {
    /// Name of the logic.
    pub logic: String,
    /// Where the evidence points.
    pub verdict: TriageVerdict,
    /// Failing rows in all.
    pub failing: usize,
    /// Failing rows that were looked at.
    pub looked_at: usize,
    /// Other answers of the window that were looked at.
    pub passing: usize,
    /// Runs of the failing places before that were looked at.
    pub before: usize,
    /// What each comparison says.
    pub findings: Vec<TriageFinding>,
    /// Failing rows by version, configuration, place, source and file.
    pub groups: Vec<Group>,
}

/// Compares, and returns where the evidence points. Unchanged inputs alone point nowhere: something that was not
/// compared may have changed.
#[must_use]
pub fn judge(scene: &TriageScene) -> Triage {
    let mut findings = apart::findings(scene);
    findings.extend(inputs::findings(scene));
    findings.extend(frozen::findings(scene));
    findings.extend(versions::findings(scene));
    let points = |to: Points| findings.iter().any(|f| f.points == to);
    let verdict = match (points(Points::Data), points(Points::Logic)) {
        (true, true) => TriageVerdict::Both,
        (true, false) => TriageVerdict::Data,
        (false, true) => TriageVerdict::Logic,
        (false, false) => TriageVerdict::Unknown,
    };
    Triage {
        logic: scene.logic.clone(),
        verdict,
        failing: scene.all_failing,
        looked_at: scene.failing.len(),
        passing: scene.passing.len(),
        before: scene.before.len(),
        findings,
        groups: groups(scene),
    }
}
