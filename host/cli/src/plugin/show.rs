//! `plugin show`: what a component says of itself.

use serde_json::{Value as Json, json};

use crate::Global;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::description::{Bound, Description, Severity};
use provender_domain::render::text::number;
use provender_domain::value::Scalar;
use provender_host::monitor::overrides::rule_text;

use super::found::{Found, LimitArgs, own_limits};

pub(super) fn show(global: &Global, what: &str, limits: &LimitArgs) -> Result<Done, CliError> {
    let found = Found::open(global, what, limits)?;
    let component = &found.component;
    let limits = component.limits();
    let data = json!({
        "description": description_json(component.description()),
        "sha256": component.digest().to_string(),
        "size": component.size(),
        "world": component.world(),
        "language": component.language(),
        "state": found.pin.as_ref().map(|p| p.state.name()),
        "imports": component.imports(),
        "extra_exports": component.extra_exports(),
        "toolchain": component.toolchain().iter().map(|(tool, version)| json!({"tool": tool, "version": version})).collect::<Vec<_>>(),
        "limits": {
            "memory_bytes": limits.memory_bytes, "fuel_base": limits.fuel_base, "fuel_per_row": limits.fuel_per_row,
            "table_elements": limits.table_elements, "batch_rows": limits.batch_rows, "component_bytes": limits.component_bytes, "returned_bytes": limits.returned_bytes,
            "own": found.limits,
        },
    });
    Ok(Done::raw(data, describe(&found)))
}

fn describe(found: &Found) -> Text {
    let mut text = Text::default();
    head(&mut text, found);
    let d = found.component.description();
    inputs(&mut text, d);
    parameters(&mut text, d);
    outputs(&mut text, d);
    rules(&mut text, d);
    text
}

fn head(text: &mut Text, found: &Found) {
    let component = &found.component;
    let d = component.description();
    text.look(
        Look::Strong,
        format!("{}  {}", d.model_version(), component.digest()),
    );
    text.line(format!(
        "{}\n{} bytes, written in {}, world {}, no imports{}",
        d.summary,
        component.size(),
        component.language(),
        component.world(),
        match &found.pin {
            Some(pin) => format!(", pinned ({})", pin.state.name()),
            None => ", not pinned".to_owned(),
        }
    ));
    if !component.extra_exports().is_empty() {
        text.line(format!(
            "exports that the host never calls: {}",
            component.extra_exports().join(", ")
        ));
    }
    for (name, value) in own_limits(&found.limits) {
        text.line(format!("limit of its own: {name} {value}"));
    }
    for (tool, version) in component.toolchain() {
        let line = format!("  {tool} {version}");
        text.look(Look::Dim, line.trim_end());
    }
}

/// Cells of a table.
fn cells(values: &[&str]) -> Vec<(Look, String)> {
    let plain = |s: &&str| (Look::Plain, (*s).to_owned());
    values.iter().map(plain).collect()
}

fn unit(unit: Option<&String>) -> &str {
    unit.map_or("", String::as_str)
}

fn inputs(text: &mut Text, d: &Description) {
    let rows: Vec<_> = d
        .inputs
        .iter()
        .map(|i| {
            let f = &i.field;
            let unit = unit(f.unit.as_ref());
            cells(&[&f.name, f.data_type.name(), unit, &i.feature, &f.doc])
        })
        .collect();
    text.blank();
    text.table(&["input", "type", "unit", "feature", "meaning"], &rows);
}

fn parameters(text: &mut Text, d: &Description) {
    if d.parameters.is_empty() {
        return;
    }
    let bound = |s: &Option<Scalar>| {
        s.as_ref()
            .map_or_else(String::new, |s| s.to_json().to_string())
    };
    let rows: Vec<_> = d
        .parameters
        .iter()
        .map(|p| {
            cells(&[
                &p.name,
                &p.default.to_json().to_string(),
                unit(p.unit.as_ref()),
                &bound(&p.minimum),
                &bound(&p.maximum),
                &p.doc,
            ])
        })
        .collect();
    text.blank();
    text.table(
        &["parameter", "default", "unit", "min", "max", "meaning"],
        &rows,
    );
}

fn outputs(text: &mut Text, d: &Description) {
    let rows: Vec<_> = d
        .outputs
        .iter()
        .map(|o| {
            let f = &o.field;
            cells(&[
                &f.name,
                f.data_type.name(),
                unit(f.unit.as_ref()),
                &format!("{:?}", o.role).to_lowercase(),
                o.formula.as_deref().unwrap_or_default(),
                &f.doc,
            ])
        })
        .collect();
    text.blank();
    text.table(
        &["output", "type", "unit", "role", "formula", "meaning"],
        &rows,
    );
}

/// What can never be a sound answer, what is watched, and what a reader of the number has to know.
fn rules(text: &mut Text, d: &Description) {
    if !d.guardrails.is_empty() {
        text.blank();
    }
    for g in &d.guardrails {
        let bounds = match (bound(g.minimum.as_ref()), bound(g.maximum.as_ref())) {
            (Some(low), Some(high)) => format!("{low} to {high}"),
            (Some(low), None) => format!("{low} or more"),
            (None, Some(high)) => format!("{high} or less"),
            (None, None) => "no bounds".to_owned(),
        };
        let severity = match g.severity {
            Severity::Warn => "warn",
            Severity::Crit => "crit",
        };
        text.line(format!("guardrail {}: {bounds}, {severity}", g.output));
    }
    text.blank();
    for m in &d.monitors {
        let threshold = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), number);
        text.line(format!(
            "monitor {}: warn {}, crit {}",
            rule_text(m),
            threshold(m.warn),
            threshold(m.crit)
        ));
    }
    if !d.annotations.is_empty() {
        text.blank();
    }
    for (key, value) in &d.annotations {
        text.line(format!("{key}: {value}"));
    }
}

/// A bound of a guardrail: a number, or the parameter that it is taken from.
fn bound(bound: Option<&Bound>) -> Option<String> {
    Some(match bound? {
        Bound::Value(x) => number(*x),
        Bound::Parameter(name) => name.clone(),
    })
}

pub(super) fn description_json(d: &Description) -> Json {
    let bound = |b: &Option<Bound>| match b {
        None => Json::Null,
        Some(Bound::Value(x)) => json!(x),
        Some(Bound::Parameter(p)) => json!({ "parameter": p }),
    };
    json!({
        "name": d.name, "version": d.version, "summary": d.summary, "inputs": d.inputs, "outputs": d.outputs, "monitors": d.monitors,
        "parameters": d.parameters.iter().map(|p| json!({
            "name": p.name, "unit": p.unit, "default": p.default.to_json(), "doc": p.doc,
            "minimum": p.minimum.as_ref().map(provender_domain::value::Scalar::to_json),
            "maximum": p.maximum.as_ref().map(provender_domain::value::Scalar::to_json),
        })).collect::<Vec<_>>(),
        "guardrails": d.guardrails.iter().map(|g| json!({
            "output": g.output, "minimum": bound(&g.minimum), "maximum": bound(&g.maximum), "severity": g.severity,
        })).collect::<Vec<_>>(),
        "annotations": d.annotations,
    })
}
