//! Applies DS's thresholds in `logic.toml` to the rules that the component declares, and computes the digest of the
//! result.

use provender_domain::ids::ModelVersion;
use serde_json::json;

use provender_domain::canonical::Digest;
use provender_domain::description::{Direction, MonitorRule, Scope};
use provender_domain::forms::Form;

use super::error::MonitorError;

/// What `logic.toml` sets for one threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Setting {
    /// Nothing: the component's value is used.
    #[default]
    Keep,
    /// The threshold is removed.
    Off,
    /// This value.
    Value(f64),
}

/// Thresholds of `logic.toml` for the rules of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// Name of the rule's metric.
    pub(crate) metric: String,
    /// The rule's subject, exactly as the component has it.
    pub(crate) subject: Option<String>,
    /// Only rules of this scope; `None` for all.
    pub(crate) scope: Option<Scope>,
    /// Only rules of this direction; `None` for all.
    pub(crate) direction: Option<Direction>,
    /// Threshold of warn.
    pub(crate) warn: Setting,
    /// Threshold of crit.
    pub(crate) crit: Setting,
    /// With fewer rows than this, the rule does not pass.
    pub(crate) min_rows: Option<u32>,
}

/// A rule in words: `p95(forage_age_days) above, fleet`.
#[must_use]
pub fn rule_text(rule: &MonitorRule) -> String {
    text(
        &rule.metric,
        rule.subject.as_deref(),
        Some(rule.direction),
        Some(rule.scope),
    )
}

fn text(
    metric: &str,
    subject: Option<&str>,
    direction: Option<Direction>,
    scope: Option<Scope>,
) -> String {
    let mut out = metric.to_owned();
    if let Some(subject) = subject {
        out.push_str(&format!("({subject})"));
    }
    match direction {
        Some(Direction::Above) => out.push_str(" above"),
        Some(Direction::Below) => out.push_str(" below"),
        None => {}
    }
    match scope {
        Some(Scope::Fleet) => out.push_str(", fleet"),
        Some(Scope::Series) => out.push_str(", series"),
        None => {}
    }
    out
}

impl Override {
    fn is_of(&self, rule: &MonitorRule) -> bool {
        self.metric == rule.metric
            && self.subject == rule.subject
            && self.scope.is_none_or(|s| s == rule.scope)
            && self.direction.is_none_or(|d| d == rule.direction)
    }
}

/// The rules in force: the component's, with DS's thresholds. An override cannot add a rule, because the component
/// declares what is watched.
///
/// # Errors
/// [`MonitorError::UnknownRule`] names the nearest rule; [`MonitorError::TwiceOverride`] if two overrides set one
/// rule. `super::resolve::check` validates the thresholds.
pub fn apply_overrides(
    model_version: &ModelVersion,
    rules: &[MonitorRule],
    overrides: &[Override],
) -> Result<Vec<MonitorRule>, MonitorError> {
    let mut out = rules.to_vec();
    let mut set = vec![false; out.len()];
    for wanted in overrides {
        let mut hit = false;
        for (rule, set) in out.iter_mut().zip(&mut set) {
            if !wanted.is_of(rule) {
                continue;
            }
            if std::mem::replace(set, true) {
                return Err(MonitorError::TwiceOverride {
                    model_version: model_version.to_owned(),
                    rule: rule_text(rule),
                });
            }
            hit = true;
            rule.warn = settled(rule.warn, wanted.warn);
            rule.crit = settled(rule.crit, wanted.crit);
            rule.min_rows = wanted.min_rows.unwrap_or(rule.min_rows);
        }
        if !hit {
            let name = text(
                &wanted.metric,
                wanted.subject.as_deref(),
                wanted.direction,
                wanted.scope,
            );
            return Err(MonitorError::UnknownRule {
                model_version: model_version.to_owned(),
                nearest: nearest(&name, rules.iter().map(rule_text)).map_or_else(
                    || "it declares no monitor rules".to_owned(),
                    |n| format!("the nearest is `{n}`"),
                ),
                wanted: name,
            });
        }
    }
    Ok(out)
}

fn settled(declared: Option<f64>, setting: Setting) -> Option<f64> {
    match setting {
        Setting::Keep => declared,
        Setting::Off => None,
        Setting::Value(x) => Some(x),
    }
}

/// The most similar of some names; of equally similar ones, the first.
pub(super) fn nearest(wanted: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let mut best: Option<(f64, String)> = None;
    for name in names {
        let likeness = strsim::jaro_winkler(wanted, &name);
        if best.as_ref().is_none_or(|(b, _)| likeness > *b) {
            best = Some((likeness, name));
        }
    }
    best.map(|(_, name)| name)
}

/// The digest of the rules in force: over the canonical JSON of
/// `{"$type": "provender.thresholds.v1", "rules": [{metric, subject, scope, direction, warn, crit,
/// min_rows}]}`. The rules are sorted, so that their order in a file does not change the digest.
#[must_use]
pub fn thresholds_version(rules: &[MonitorRule]) -> Digest {
    let mut sorted: Vec<&MonitorRule> = rules.iter().collect();
    sorted.sort_by(|a, b| order(a).cmp(&order(b)));
    #[expect(
        clippy::expect_used,
        reason = "texts, floating-point numbers and 32-bit counts always have a canonical form"
    )]
    Form::Thresholds
        .digest(&json!({"rules": sorted}))
        .expect("monitor rules have a canonical form")
}

type Order<'a> = (&'a str, Option<&'a str>, bool, bool, [Option<u64>; 2], u32);

fn order(rule: &MonitorRule) -> Order<'_> {
    (
        &rule.metric,
        rule.subject.as_deref(),
        rule.scope == Scope::Series,
        rule.direction == Direction::Below,
        [rule.warn.map(f64::to_bits), rule.crit.map(f64::to_bits)],
        rule.min_rows,
    )
}
