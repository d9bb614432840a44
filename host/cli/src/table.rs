//! Tables of runs.

use provender_domain::description::{Description, Role};
use provender_domain::render::text::number;
use provender_domain::value::Value;
use provender_host::compute::{RunOutcome, RunOutcomeKind};

use super::ui::{Look, Text};

/// A value as text for a table cell.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Float64(x) => short(*x),
        Value::Int64(i) => i.to_string(),
        Value::Boolean(b) => b.to_string(),
        Value::Date(d) => d.to_string(),
        Value::Text(t) => t.clone(),
        Value::Series(points) => format!("{} values", points.len()),
    }
}

/// Two decimals are enough for a table; `explain` and JSON have the full number.
fn short(x: f64) -> String {
    if x == 0.0 || (0.01..1e7).contains(&x.abs()) {
        format!("{x:.2}")
    } else {
        number(x)
    }
}

/// Headings of the outcome columns, with units.
pub(super) fn outcome_heads(description: &Description) -> Vec<String> {
    description
        .outputs
        .iter()
        .filter(|o| o.role == Role::Outcome)
        .map(|o| match &o.field.unit {
            Some(unit) => format!("{} ({unit})", o.field.name),
            None => o.field.name.clone(),
        })
        .collect()
}

/// The outcomes among a run's outputs.
pub(super) fn outcomes<'a>(
    description: &'a Description,
    outputs: &'a [Value],
) -> impl Iterator<Item = &'a Value> {
    description
        .outputs
        .iter()
        .zip(outputs)
        .filter(|(o, _)| o.role == Role::Outcome)
        .map(|(_, v)| v)
}

/// The outcome word for a new run.
pub(super) fn recorded(dry_run: bool) -> &'static str {
    if dry_run {
        "would be recorded"
    } else {
        "recorded"
    }
}

/// Adds a table of one logic's runs: key, numbers, and each run's outcome.
pub(super) fn runs(
    text: &mut Text,
    description: &Description,
    runs: &[&RunOutcome],
    dry_run: bool,
) {
    let heads = outcome_heads(description);
    let mut all = vec!["boundary", "herd", "date"];
    all.extend(heads.iter().map(String::as_str));
    all.extend(["guardrails", "outcome", "why"]);
    let rows: Vec<Vec<(Look, String)>> = runs
        .iter()
        .map(|r| {
            let plain = |s: &str| (Look::Plain, s.to_owned());
            let mut row = vec![
                (Look::Strong, r.key.boundary_id.to_string()),
                plain(&r.key.herd_config_id),
                plain(&r.key.calculation_date.to_string()),
            ];
            if r.outputs.is_empty() {
                row.extend(heads.iter().map(|_| plain("–")));
            } else {
                row.extend(outcomes(description, &r.outputs).map(|v| plain(&cell(v))));
            }
            row.push(match (r.outputs.is_empty(), r.breaches.is_empty()) {
                (true, _) => plain("–"),
                (false, true) => (Look::Good, "ok".to_owned()),
                (false, false) => (Look::Bad, "failed".to_owned()),
            });
            let (look, word) = match r.outcome {
                RunOutcomeKind::Recorded if dry_run => (Look::Plain, recorded(dry_run)),
                RunOutcomeKind::Recorded => (Look::Good, recorded(dry_run)),
                RunOutcomeKind::Unchanged => (Look::Good, "unchanged"),
                RunOutcomeKind::Drift => (Look::Bad, "drift"),
                RunOutcomeKind::Failed => (Look::Bad, "failed"),
            };
            row.push((look, word.to_owned()));
            let mut why = r.reasons(description);
            why.extend(r.breaches.iter().map(ToString::to_string));
            if r.outputs.is_empty() {
                why.extend(r.problem.as_ref().map(|_| "see below".to_owned()));
            }
            row.push(plain(&why.join("; ")));
            row
        })
        .collect();
    text.table(&all, &rows);
}
