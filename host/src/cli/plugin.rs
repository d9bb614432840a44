//! `plugin`: what is pinned, and what a component says of itself.

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use crate::domain::description::{Bound, Description};
use crate::logic::Component;

use super::Global;
use super::context::{Context, pin};
use super::error::CliError;
use super::exit::Exit;
use super::ui::{Done, Look, Text};

/// List and show pinned components.
///
/// Example: provender plugin show days_remaining:v2
#[derive(Args)]
pub(super) struct PluginArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the pinned components.
    List,
    /// Show what a component declares: inputs, parameters, outputs, guardrails, monitors.
    Show {
        /// A pinned name:version, or a .wasm file.
        what: String,
    },
}

pub(super) fn run(global: &Global, args: &PluginArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    match &args.action {
        Action::List => list(&context),
        Action::Show { what } => show(&context, what),
    }
}

fn list(context: &Context) -> Result<Done, CliError> {
    let lock = context.lock()?;
    let active = &context.project.settings.logic.active;
    let plain = |s: String| (Look::Plain, s);
    let rows: Vec<_> = lock
        .components()
        .iter()
        .map(|p| {
            let state = if active.contains(&p.model_version()) {
                "active"
            } else {
                ""
            };
            vec![
                (Look::Strong, p.model_version()),
                plain(p.sha256.to_string()),
                plain(p.size.to_string()),
                plain(p.path.clone()),
                (Look::Good, state.to_owned()),
            ]
        })
        .collect();
    let mut text = Text::default();
    text.table(&["logic", "component", "bytes", "file", ""], &rows);
    let data = json!({"components": lock.components().iter().map(|p| json!({
        "name": p.name, "version": p.version, "sha256": p.sha256.to_string(), "size": p.size, "world": p.world, "path": p.path,
        "active": active.contains(&p.model_version()),
    })).collect::<Vec<_>>()});
    Ok(Done::ok(data, text))
}

fn show(context: &Context, what: &str) -> Result<Done, CliError> {
    let sandbox = context.sandbox()?;
    let component = if what.ends_with(".wasm") {
        let bytes = std::fs::read(what).map_err(|e| {
            let exit = if e.kind() == std::io::ErrorKind::NotFound {
                Exit::NotFound
            } else {
                Exit::Io
            };
            CliError::new(exit, "component_unreadable", format!("{what}: {e}"))
        })?;
        sandbox.load(what, &bytes)?
    } else {
        context.load(&sandbox, pin(&context.lock()?, what)?)?
    };
    let limits = sandbox.limits();
    let data = json!({
        "description": description_json(component.description()),
        "sha256": component.digest().to_string(),
        "size": component.size(),
        "world": component.world(),
        "imports": component.imports(),
        "extra_exports": component.extra_exports(),
        "toolchain": component.toolchain().iter().map(|(tool, version)| json!({"tool": tool, "version": version})).collect::<Vec<_>>(),
        "limits": {
            "memory_bytes": limits.memory_bytes, "fuel_base": limits.fuel_base, "fuel_per_row": limits.fuel_per_row,
            "batch_rows": limits.batch_rows, "component_bytes": limits.component_bytes, "returned_bytes": limits.returned_bytes,
        },
    });
    Ok(Done::ok(data, describe(&component)))
}

fn describe(component: &Component) -> Text {
    let d = component.description();
    let mut text = Text::default();
    text.look(
        Look::Strong,
        format!("{}  {}", d.model_version(), component.digest()),
    );
    text.line(format!(
        "{}\n{} bytes, world {}, no imports",
        d.summary,
        component.size(),
        component.world()
    ));
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

fn description_json(d: &Description) -> Json {
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
