//! The verdict of a logic without its acknowledged series.
//!
//! Each rule is judged again over the series that nobody has acknowledged. If none remain, the rule is left out.
//! If too few rows remain, it is unknown, which is not a pass.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;

use provender_domain::description::Scope;

use super::ack::Ack;
use super::input::{LogicInput, SeriesInput};
use super::report::{Group, MetricReport, Status};
use super::verdict::group;

/// The status that enters the verdict; `None` if no acknowledgement applies to the logic.
pub(super) fn status(
    logic: &LogicInput,
    series: &[&SeriesInput],
    shown: &Group,
    acks: &[Ack],
) -> Option<Status> {
    let mut again: BTreeMap<Vec<usize>, Option<Group>> = BTreeMap::new();
    let mut touched = false;
    let mut worst: Option<Status> = None;
    for rule in &shown.metrics {
        let left: Vec<usize> = series
            .iter()
            .enumerate()
            .filter(|(_, s)| !is_acknowledged(&logic.model_version, s, rule, acks))
            .map(|(i, _)| i)
            .collect();
        let status = if left.len() == series.len() {
            Some(rule.status)
        } else {
            touched = true;
            let judged = again.entry(left.clone()).or_insert_with(|| {
                let rest: Vec<&SeriesInput> = left
                    .iter()
                    .filter_map(|i| series.get(*i).copied())
                    .collect();
                (!rest.is_empty()).then(|| group(logic, &rest, Scope::Fleet))
            });
            judged.as_ref().and_then(|g| same_rule(g, rule))
        };
        worst = worst.max(status);
    }
    // Everything is acknowledged, so nothing is left that could fail.
    touched.then(|| worst.unwrap_or(Status::Ok))
}

fn is_acknowledged(
    model_version: &ModelVersion,
    series: &SeriesInput,
    rule: &MetricReport,
    acks: &[Ack],
) -> bool {
    acks.iter().any(|a| {
        a.target
            .is_of_series(model_version, &series.boundary_id, &series.herd_config_id)
            && a.target.is_of_rule(rule)
    })
}

fn same_rule(group: &Group, rule: &MetricReport) -> Option<Status> {
    let same = |m: &&MetricReport| m.label() == rule.label() && m.direction == rule.direction;
    group.metrics.iter().find(same).map(|m| m.status)
}
