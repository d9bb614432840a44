//! Compares a component's declaration with the catalogue and the monitors. Reports all findings, not only the first.

use crate::compute::binding::input_problems;
use crate::monitor::input::{LogicInput, Subject};
use crate::monitor::resolve;
use provender_domain::catalogue::Feature;
use provender_domain::description::Description;

use super::finding::{CheckFinding, of_binding, of_monitor};

/// Inputs that the catalogue does not have or has otherwise, and monitor rules that could never be
/// judged.
#[must_use]
pub(super) fn findings(description: &Description, catalogue: &[Feature]) -> Vec<CheckFinding> {
    let mut findings: Vec<_> = input_problems(description, catalogue)
        .iter()
        .map(of_binding)
        .collect();
    let defaults = description
        .parameters
        .iter()
        .map(|p| (p.name.clone(), p.default.clone()))
        .collect();
    let bounds = match resolve::bounds_of(description, &defaults) {
        Ok(bounds) => bounds,
        Err(e) => {
            findings.push(of_monitor(&e));
            return findings;
        }
    };
    let mut rules = Vec::new();
    // One rule at a time, so that each refusal names its own rule.
    for rule in &description.monitors {
        rules.push(rule.clone());
        let logic = LogicInput {
            model_version: description.model_version(),
            rules: rules.clone(),
            bounds: bounds.clone(),
            subjects: Subject::of(description),
            explaining: Vec::new(),
            baseline: None,
            series: Vec::new(),
        };
        if let Err(e) = resolve::check(&logic) {
            findings.push(of_monitor(&e));
            rules.pop();
        }
    }
    findings
}
