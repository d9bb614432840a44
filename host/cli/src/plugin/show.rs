//! `plugin show`: what a component declares.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use crate::Global;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_domain::description::{
    Bound, Description, Guardrail, Input, MonitorRule, Output, Parameter, Severity,
};
use provender_domain::render::text::number;
use provender_domain::value::Scalar;
use provender_host::monitor::rule_text;
use provender_sandbox::{PinLimits, PinState};

use super::found::{Found, LimitArgs, own_limits};

/// What a component declares, and its limits.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PluginShowAnswer<'a> {
    /// What it declares.
    description: DescriptionAnswer<'a>,
    /// Digest of its bytes.
    sha256: Digest,
    /// Size in bytes.
    size: u64,
    /// The world that it is built for.
    world: String,
    /// The language that it is written in, as the component states it: `rust`, `python`; else `unknown`.
    language: String,
    /// State of its pin; null if it is not pinned.
    state: Option<PinState>,
    /// What it imports; always empty, since a component that imports something is refused.
    imports: Vec<String>,
    /// Exports that the host never calls.
    extra_exports: Vec<String>,
    /// What it was built with, as the component states it.
    toolchain: Vec<Tool>,
    /// Limits of a call.
    limits: LimitsAnswer,
}

/// A tool that a component was built with.
#[derive(Serialize, JsonSchema)]
struct Tool {
    /// Its name.
    tool: String,
    /// Its version; empty if the component does not say it.
    version: String,
}

/// Limits in force.
#[derive(Serialize, JsonSchema)]
struct LimitsAnswer {
    /// Bytes of linear memory.
    memory_bytes: u64,
    /// Fuel of every call, without its rows.
    fuel_base: u64,
    /// Fuel of every call per row.
    fuel_per_row: u64,
    /// Elements of all tables.
    table_elements: u64,
    /// Rows of one call.
    batch_rows: usize,
    /// Bytes of the component file.
    component_bytes: u64,
    /// Bytes that one call may return.
    returned_bytes: usize,
    /// Those that the pin or the command line sets for this component only.
    own: PinLimits,
}

/// What a component declares.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Description")]
pub(super) struct DescriptionAnswer<'a> {
    /// Name of the logic.
    name: &'a str,
    /// Its version: `v2`.
    version: &'a str,
    /// One sentence for people.
    summary: &'a str,
    /// Columns read, in the order in which `compute` takes them.
    inputs: &'a [Input],
    /// Parameters, in the order in which `compute` takes them.
    parameters: Vec<ParameterAnswer>,
    /// Columns returned, in order.
    outputs: &'a [Output],
    /// Guardrails.
    guardrails: Vec<GuardrailAnswer>,
    /// Monitoring rules.
    monitors: &'a [MonitorRule],
    /// Free pairs of key and value: `not-accounted-for`, `author`, `source`.
    annotations: &'a [(String, String)],
}

/// A parameter that DS may set in `logic.toml`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeclaredParameter")]
struct ParameterAnswer {
    /// Unique name.
    name: String,
    /// Unit of the value; null if it has none.
    unit: Option<String>,
    /// Value in force unless another is set.
    default: Json,
    /// One sentence for people.
    doc: String,
    /// Smallest admissible value; null if there is none.
    minimum: Option<Json>,
    /// Largest admissible value; null if there is none.
    maximum: Option<Json>,
}

/// Acceptable range of one output.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeclaredGuardrail")]
struct GuardrailAnswer {
    /// Name of the output.
    output: String,
    /// Values below this are a breach; null if there is no such bound.
    minimum: Option<BoundAnswer>,
    /// Values above this are a breach; null if there is no such bound.
    maximum: Option<BoundAnswer>,
    /// What a breach means.
    severity: Severity,
}

/// A bound of a guardrail.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "DeclaredBound")]
enum BoundAnswer {
    /// A number.
    Value(f64),
    /// The value in force of a parameter.
    Parameter {
        /// Name of the parameter.
        parameter: String,
    },
}

pub(super) fn show(global: &Global, what: &str, limits: &LimitArgs) -> Result<Done, CliError> {
    let found = Found::open(global, what, limits)?;
    let component = &found.component;
    let limits = component.limits();
    let tool = |(tool, version): &(String, String)| Tool {
        tool: tool.clone(),
        version: version.clone(),
    };
    let answer = PluginShowAnswer {
        description: DescriptionAnswer::of(component.description()),
        sha256: component.digest(),
        size: component.size(),
        world: component.world().to_owned(),
        language: component.language().to_owned(),
        state: found.pin.as_ref().map(|p| p.state),
        imports: component.imports().to_vec(),
        extra_exports: component.extra_exports().to_vec(),
        toolchain: component.toolchain().iter().map(tool).collect(),
        limits: LimitsAnswer {
            memory_bytes: limits.memory_bytes,
            fuel_base: limits.fuel_base,
            fuel_per_row: limits.fuel_per_row,
            table_elements: limits.table_elements,
            batch_rows: limits.batch_rows,
            component_bytes: limits.component_bytes,
            returned_bytes: limits.returned_bytes,
            own: found.limits.clone(),
        },
    };
    Ok(Done::ok(&answer, describe(&found)))
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
        text.line(format!("own limit: {name} {value}"));
    }
    for (tool, version) in component.toolchain() {
        let line = format!("  {tool} {version}");
        text.look(Look::Dim, line.trim_end());
    }
}

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

/// Guardrails, monitors and annotations.
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

impl DescriptionAnswer<'_> {
    pub(super) fn of(d: &Description) -> DescriptionAnswer<'_> {
        let bound = |b: &Option<Bound>| {
            b.as_ref().map(|bound| match bound {
                Bound::Value(x) => BoundAnswer::Value(*x),
                Bound::Parameter(name) => BoundAnswer::Parameter {
                    parameter: name.clone(),
                },
            })
        };
        let parameter = |p: &Parameter| ParameterAnswer {
            name: p.name.clone(),
            unit: p.unit.clone(),
            default: p.default.to_json(),
            doc: p.doc.clone(),
            minimum: p.minimum.as_ref().map(Scalar::to_json),
            maximum: p.maximum.as_ref().map(Scalar::to_json),
        };
        let guardrail = |g: &Guardrail| GuardrailAnswer {
            output: g.output.clone(),
            minimum: bound(&g.minimum),
            maximum: bound(&g.maximum),
            severity: g.severity,
        };
        DescriptionAnswer {
            name: &d.name,
            version: &d.version,
            summary: &d.summary,
            inputs: &d.inputs,
            outputs: &d.outputs,
            monitors: &d.monitors,
            parameters: d.parameters.iter().map(parameter).collect(),
            guardrails: d.guardrails.iter().map(guardrail).collect(),
            annotations: &d.annotations,
        }
    }
}
