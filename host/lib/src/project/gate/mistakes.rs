//! Checks gate policies: unknown keys and names, and values that contradict each other.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{CheckName, GateSettings};

/// The first invalid setting in the policies: key, value, and what to write instead.
#[must_use]
pub(crate) fn problem(gates: &BTreeMap<String, GateSettings>) -> Option<(String, String, String)> {
    for (environment, set) in gates {
        let mistake = |key: &str, value: String, problem: &str| {
            let key = format!("gate.{environment}.{key}");
            Some((key, value, problem.to_owned()))
        };
        if set.checks.as_ref().is_some_and(Vec::is_empty) {
            return mistake(
                "checks",
                "[]".to_owned(),
                "a gate without checks lets everything in: write required = false instead",
            );
        }
        for (key, value) in [
            ("max_age_days", set.max_age_days.unwrap_or(1)),
            ("approvals.people", set.approvals.people),
            ("min_rows.rows", set.min_rows.rows),
            ("replay.sample", set.replay.sample),
            ("replay.min_rows", set.replay.min_rows),
            ("backtest.days", set.backtest.days),
            ("backtest.min_rows", set.backtest.min_rows),
            ("canary.min_days", set.canary.min_days),
        ] {
            if !(1..=1_000_000).contains(&value) {
                return mistake(key, value.to_string(), "write a number from 1 to 1000000");
            }
        }
        if set.replay.min_rows > set.replay.sample {
            let value = set.replay.min_rows.to_string();
            return mistake(
                "replay.min_rows",
                value,
                "must not be more than replay.sample",
            );
        }
        if set.ownership.roles.is_empty() {
            let problem = "name ds, mlops or both, or leave ownership out of checks";
            return mistake("ownership.roles", "[]".to_owned(), problem);
        }
        if set.passed.environments.is_empty() {
            let problem = "name an environment, or leave passed out of checks";
            return mistake("passed.environments", "[]".to_owned(), problem);
        }
        for (name, warn, crit) in set.backtest.thresholds() {
            for (which, value) in [("warn", warn), ("crit", crit)] {
                if let Some(x) = value.filter(|x| !x.is_finite() || *x < 0.0) {
                    let problem = "write a number of 0 or more";
                    return mistake(&format!("backtest.{name}_{which}"), x.to_string(), problem);
                }
            }
            if let (Some(warn), Some(crit)) = (warn, crit)
                && warn > crit
            {
                let key = format!("backtest.{name}_warn");
                return mistake(&key, warn.to_string(), "warn is beyond crit");
            }
        }
    }
    None
}

/// The first unknown key or check name, with the most similar known one. serde's error lists the alternatives but
/// not the table. `file` is the whole file.
#[must_use]
pub(crate) fn unknown(file: &toml::Table) -> Option<(String, String, String)> {
    let known = json!(GateSettings::default());
    let gates = file.get("gate")?.as_table()?;
    for (environment, set) in gates {
        let at = format!("gate.{environment}");
        let Some(set) = set.as_table() else {
            let problem = format!("write a table for each environment: [{at}]");
            return Some((at, set.to_string(), problem));
        };
        if let Some(found) = unknown_in(&at, set, &known) {
            return Some(found);
        }
        let checks = set.get("checks").and_then(toml::Value::as_array);
        for check in checks.into_iter().flatten() {
            let name = check.as_str().unwrap_or_default();
            let names = || CheckName::ALL.iter().map(|c| c.name());
            if names().all(|n| n != name) {
                let problem = format!(
                    "unknown check{}; known checks are {}",
                    nearest(name, names()),
                    names().collect::<Vec<_>>().join(", ")
                );
                return Some((format!("{at}.checks"), check.to_string(), problem));
            }
        }
    }
    None
}

fn unknown_in(at: &str, set: &toml::Table, known: &Json) -> Option<(String, String, String)> {
    let known = known.as_object()?;
    for (key, value) in set {
        let Some(inner) = known.get(key) else {
            let near = nearest(key, known.keys().map(String::as_str));
            let names = known.keys().cloned().collect::<Vec<_>>().join(", ");
            let problem = format!("unknown key{near}; known keys are {names}");
            return Some((format!("{at}.{key}"), value.to_string(), problem));
        };
        if let (Some(table), true) = (value.as_table(), inner.is_object())
            && let Some(found) = unknown_in(&format!("{at}.{key}"), table, inner)
        {
            return Some(found);
        }
    }
    None
}

fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> String {
    names
        .map(|n| (strsim::damerau_levenshtein(n, wanted), n))
        .min()
        .filter(|(distance, name)| *distance <= name.len() / 2)
        .map_or_else(String::new, |(_, n)| format!(" (did you mean `{n}`?)"))
}
