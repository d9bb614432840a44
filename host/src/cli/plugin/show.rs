//! `plugin show`: what a component says of itself.

use serde_json::{Value as Json, json};

use crate::cli::Global;
use crate::cli::error::CliError;
use crate::cli::ui::{Done, Look, Text};
use crate::domain::description::{Bound, Description};

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
    Ok(Done::ok(data, describe(&found)))
}

fn describe(found: &Found) -> Text {
    let component = &found.component;
    let d = component.description();
    let mut text = Text::default();
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
        text.look(Look::Dim, format!("  {tool} {version}"));
    }
    let plain = |s: &str| (Look::Plain, s.to_owned());
    let unit = |u: &Option<String>| plain(u.as_deref().unwrap_or_default());
    text.blank();
    let rows: Vec<_> = d
        .inputs
        .iter()
        .map(|i| {
            vec![
                plain(&i.field.name),
                plain(i.field.data_type.name()),
                unit(&i.field.unit),
                plain(&i.feature),
                plain(&i.field.doc),
            ]
        })
        .collect();
    text.table(&["input", "type", "unit", "feature", "meaning"], &rows);
    if !d.parameters.is_empty() {
        text.blank();
        let bound = |s: &Option<crate::domain::value::Scalar>| {
            s.as_ref()
                .map_or_else(String::new, |s| s.to_json().to_string())
        };
        let rows: Vec<_> = d
            .parameters
            .iter()
            .map(|p| {
                vec![
                    plain(&p.name),
                    plain(&p.default.to_json().to_string()),
                    unit(&p.unit),
                    plain(&bound(&p.minimum)),
                    plain(&bound(&p.maximum)),
                    plain(&p.doc),
                ]
            })
            .collect();
        text.table(
            &["parameter", "default", "unit", "min", "max", "meaning"],
            &rows,
        );
    }
    text.blank();
    let rows: Vec<_> = d
        .outputs
        .iter()
        .map(|o| {
            vec![
                plain(&o.field.name),
                plain(o.field.data_type.name()),
                unit(&o.field.unit),
                plain(&format!("{:?}", o.role).to_lowercase()),
                plain(o.formula.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    text.table(&["output", "type", "unit", "role", "formula"], &rows);
    text.blank();
    for m in &d.monitors {
        let number = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), crate::render::text::number);
        text.line(format!(
            "monitor {}: warn {}, crit {}",
            crate::monitor::overrides::rule_text(m),
            number(m.warn),
            number(m.crit)
        ));
    }
    text
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
            "minimum": p.minimum.as_ref().map(crate::domain::value::Scalar::to_json),
            "maximum": p.maximum.as_ref().map(crate::domain::value::Scalar::to_json),
        })).collect::<Vec<_>>(),
        "guardrails": d.guardrails.iter().map(|g| json!({
            "output": g.output, "minimum": bound(&g.minimum), "maximum": bound(&g.maximum), "severity": g.severity,
        })).collect::<Vec<_>>(),
        "annotations": d.annotations,
    })
}
