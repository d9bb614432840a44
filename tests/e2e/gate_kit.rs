//! Deployments with a gate, for the tests of gates.

use serde_json::Value as Json;

use crate::kit::{Ran, Ranch};
use crate::prepared::prepared;

pub(crate) const DAY: &str = "2025-06-30";

/// The sample ranch in an environment, with one version of `days_remaining` active and ten days recorded.
pub(crate) fn ranch(environment: &str, version: &str) -> Ranch {
    let ranch = Ranch::sample();
    ranch.edit(
        "provender.toml",
        "environment = \"sample\"",
        &format!("environment = \"{environment}\""),
    );
    ranch.edit(
        "provender.toml",
        "active = [\"days_remaining:v2\", \"frost_days:v1\"]",
        &format!("active = [\"days_remaining:{version}\"]"),
    );
    ranch.write("logic.toml", "");
    let _ = ranch.run(&["ingest"]).exits(0);
    back_fill(&ranch);
    ranch
}

pub(crate) fn back_fill(ranch: &Ranch) {
    let days = ["compute", "--all", "--from", "2025-06-21", "--to", DAY];
    let _ = ranch.run(&days).exits(0);
}

pub(crate) fn cut(ranch: &Ranch, active: &str) {
    let args = ["release", "cut", "--active", active, "--reason", "ready"];
    let _ = ranch.run(&args).exits(0);
}

/// Records somebody's approval of a release.
pub(crate) fn approve(ranch: &Ranch, release: &str, who: &str, role: &str) {
    let args = [
        "release",
        "approve",
        release,
        "--as",
        role,
        "--reason",
        "looked at",
        "--actor",
        who,
    ];
    let _ = ranch.run(&args).exits(0);
}

pub(crate) fn approved(ranch: &Ranch, release: &str) {
    approve(ranch, release, "dora", "ds");
    approve(ranch, release, "omar", "mlops");
}

/// The first release of the environment, promoted over the gate, which has nothing to compare it with.
pub(crate) fn first(ranch: &Ranch, active: &str) {
    cut(ranch, active);
    let args = [
        "release",
        "promote",
        "R1",
        "--reason",
        "go",
        "--override",
        "the first release",
    ];
    let _ = ranch.run(&args).exits(0);
}

pub(crate) fn gate(ranch: &Ranch, more: &[&str], code: i32) -> Json {
    let mut args = vec!["release", "gate"];
    args.extend(more);
    ranch.data(&args, code)
}

pub(crate) fn of<'j>(report: &'j Json, name: &str) -> &'j Json {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|c| c["name"] == name).unwrap()
}

/// The verdicts of all checks in one line.
pub(crate) fn verdicts(report: &Json) -> String {
    let checks = report["checks"].as_array().unwrap().iter();
    checks
        .map(|c| {
            format!(
                "{} {}",
                c["name"].as_str().unwrap(),
                c["verdict"].as_str().unwrap()
            )
        })
        .collect::<Vec<_>>()
        .join(", ")
}

pub(crate) fn promote(ranch: &Ranch, release: &str, code: i32) -> Ran {
    ranch
        .run(&["release", "promote", release, "--reason", "go"])
        .exits(code)
}

/// Staging with R1 active, and R2: the same version with a small residual.
pub(crate) fn staged() -> Ranch {
    prepared("staged", || {
        let ranch = ranch("staging", "v2");
        first(&ranch, "days_remaining:v2");
        residual(&ranch, 1);
        cut(&ranch, "days_remaining:v2");
        ranch
    })
}

pub(crate) fn residual(ranch: &Ranch, kg: u32) {
    ranch.write(
        "logic.toml",
        &format!("[days_remaining.v2.parameters]\nresidual_kg_per_ha = {kg}.0\n"),
    );
}
