//! `list`: the answers.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value as Json, json};

use provender_domain::description::{Description, Role};
use provender_host::compute::activation::Activations;
use provender_host::compute::answers::{answers, rank};
use provender_ledger::LedgerError;
use provender_ledger::types::{Guardrail, Run, RunFilter};

use super::Global;
use super::compute::day;
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::ui::{Done, Look, Text};
use provender_host::deployment::pin;

/// List the answers, by boundary, herd, logic and day.
///
/// Example: provender list --boundary north --from 2025-06-01 --to 2025-06-30 --csv
#[derive(Args)]
pub(super) struct ListArgs {
    /// Only this boundary.
    #[arg(long, value_name = "ID")]
    boundary: Option<String>,
    /// Only this herd.
    #[arg(long, value_name = "ID")]
    herd: Option<String>,
    /// Only this logic, as name or name:version.
    #[arg(long, value_name = "NAME[:VERSION]")]
    logic: Option<String>,
    /// Only this day.
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to"])]
    as_of: Option<String>,
    /// From this day on.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Up to this day.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Every recorded run: superseded ones, other versions, one-off parameters.
    #[arg(long)]
    all_versions: bool,
    /// Comma-separated values instead of a table.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub(super) fn run(global: &Global, args: &ListArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let ledger = context.reader()?;
    let parse = |d: &Option<String>| d.as_deref().map(|d| day(d, context.today)).transpose();
    let as_of = parse(&args.as_of)?;
    let filter = RunFilter {
        boundary_id: args.boundary.clone().map(BoundaryId::unchecked),
        herd_config_id: args.herd.clone().map(HerdId::unchecked),
        from: as_of.or(parse(&args.from)?),
        to: as_of.or(parse(&args.to)?),
        logic: args.logic.clone(),
        configs: None,
    };
    let runs = if args.all_versions {
        ledger.runs(&filter)?
    } else {
        answers(&*ledger, &filter)?
    };
    let descriptions = descriptions(&context, &runs)?;
    if args.csv {
        let mut done = Done::raw(json!({}), Text::default());
        if !super::ui::print(&csv(&runs, &descriptions)?) {
            done.exit = Exit::Io;
        }
        return Ok(done);
    }
    let activations = Activations::load(&*ledger)?;
    let shadow = |r: &Run| activations.in_shadow(r) && rank(r, &activations).is_none();
    let list: Vec<Json> = runs
        .iter()
        .map(|r| {
            let description = descriptions.get(&r.run.key.model_version);
            let mut entry = json!({"run": run_json(r, description)?});
            if let Some(by) = &r.superseded_by {
                entry["superseded_by"] = json!(by.to_string());
            }
            if shadow(r) {
                entry["shadow"] = json!(true);
            }
            Ok(entry)
        })
        .collect::<Result<_, LedgerError>>()?;
    let mut text = Text::default();
    let rows: Vec<_> = runs
        .iter()
        .map(|r| {
            let k = &r.run.key;
            let plain = |s: String| (Look::Plain, s);
            let (answer, why) = summary(r, descriptions.get(&k.model_version))?;
            let state = match (&r.superseded_by, &r.run.replaces) {
                (Some(by), _) => format!("superseded by {}", by.short()),
                (None, Some(old)) => format!("replaces {}", old.short()),
                (None, None) if shadow(r) => "shadow run of a canary".to_owned(),
                (None, None) => String::new(),
            };
            let guardrails = match r.run.guardrail {
                Guardrail::Ok => Look::Good,
                Guardrail::Marked | Guardrail::Refused => Look::Bad,
            };
            Ok(vec![
                (Look::Strong, k.boundary_id.to_string()),
                plain(k.herd_config_id.to_string()),
                plain(k.calculation_date.to_string()),
                plain(k.model_version.to_string()),
                plain(answer),
                (guardrails, r.run.guardrail.status().to_owned()),
                plain(k.config_version.short()),
                plain(k.run_id().short()),
                plain(
                    [why, state]
                        .into_iter()
                        .filter(|s| !s.is_empty())
                        .collect::<Vec<_>>()
                        .join("; "),
                ),
            ])
        })
        .collect::<Result<_, LedgerError>>()?;
    if rows.is_empty() {
        text.line("no answers; `provender status --as-of DATE` tells what is missing, --all-versions lists every recorded run");
    } else {
        text.table(
            &[
                "boundary",
                "herd",
                "date",
                "logic",
                "answer",
                "guardrails",
                "config",
                "run",
                "note",
            ],
            &rows,
        );
    }
    Ok(Done::raw(
        json!({"answers": list, "all_versions": args.all_versions}),
        text,
    ))
}

/// What the pinned components among the runs declare; a version that is no longer pinned has none.
pub(super) fn descriptions(
    context: &Context,
    runs: &[Run],
) -> Result<BTreeMap<ModelVersion, Description>, CliError> {
    let mut found = BTreeMap::new();
    if runs.is_empty() {
        return Ok(found);
    }
    let runtime = context.runtime()?;
    for r in runs {
        let model = &r.run.key.model_version;
        if found.contains_key(model) {
            continue;
        }
        if let Ok(pin) = pin(&runtime.lock, model) {
            found.insert(
                model.clone(),
                context.load(&runtime.sandbox, pin)?.description().clone(),
            );
        }
    }
    Ok(found)
}

/// The recorded outputs, in the order that the component declares.
fn values(run: &Run) -> Result<Vec<Json>, LedgerError> {
    serde_json::from_str(&run.run.outputs).map_err(|e| {
        let id = run.run.key.run_id();
        LedgerError::Damaged(format!("the outputs of run {id} cannot be read: {e}"))
    })
}

/// A recorded run in the contract's form, from the ledger alone.
fn run_json(run: &Run, description: Option<&Description>) -> Result<Json, LedgerError> {
    let values = values(run)?;
    let by_role = |role: Role| -> Json {
        let Some(d) = description else {
            return json!({});
        };
        d.outputs
            .iter()
            .zip(&values)
            .filter(|(o, _)| o.role == role)
            .map(|(o, v)| (o.field.name.clone(), v.clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let reasons: Vec<Json> = by_role(Role::Reason)
        .as_object()
        .map(|m| m.values().filter(|v| !v.is_null()).cloned().collect())
        .unwrap_or_default();
    Ok(json!({
        "run_id": run.run.key.run_id().to_string(),
        "outcome": "recorded",
        "key": run.run.key,
        "outputs": by_role(Role::Outcome),
        "terms": by_role(Role::Term),
        "guardrails": {"status": run.run.guardrail.status(), "breached": []},
        "reasons": reasons,
        "provenance": run.run.provenance.to_string(),
        "snapshot_id": run.run.snapshot.to_string(),
        "replaces": run.run.replaces.as_ref().map(ToString::to_string),
        "entry": run.entry,
    }))
}

/// The outcomes in one cell, and the reasons.
fn summary(run: &Run, description: Option<&Description>) -> Result<(String, String), LedgerError> {
    let values = values(run)?;
    let Some(d) = description else {
        return Ok((
            run.run.outputs.clone(),
            "its component is not pinned here".to_owned(),
        ));
    };
    let show = |v: &Json| match v {
        Json::Null => "–".to_owned(),
        Json::String(s) => s.clone(),
        Json::Number(n) => n
            .as_f64()
            .map_or_else(|| n.to_string(), provender_domain::render::text::number),
        other => other.to_string(),
    };
    let pick = |role: Role| {
        d.outputs
            .iter()
            .zip(&values)
            .filter(move |(o, _)| o.role == role)
    };
    let outcomes: Vec<String> = pick(Role::Outcome)
        .map(|(o, v)| match (&o.field.unit, v.is_null()) {
            (Some(unit), false) => format!("{} {unit}", show(v)),
            _ => show(v),
        })
        .collect();
    let reasons: Vec<String> = pick(Role::Reason)
        .filter(|(_, v)| !v.is_null())
        .map(|(_, v)| show(v))
        .collect();
    Ok((outcomes.join(" · "), reasons.join("; ")))
}

fn csv(
    runs: &[Run],
    descriptions: &BTreeMap<ModelVersion, Description>,
) -> Result<String, CliError> {
    let mut columns: Vec<String> = Vec::new();
    for d in descriptions.values() {
        for o in &d.outputs {
            if !columns.contains(&o.field.name) {
                columns.push(o.field.name.clone());
            }
        }
    }
    let failed = |e: csv::Error| CliError::new(Exit::Internal, "csv", e.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fixed = [
        "boundary_id",
        "herd_config_id",
        "calculation_date",
        "model_version",
        "config_version",
        "run_id",
        "snapshot_id",
        "guardrails",
        "superseded_by",
    ];
    writer
        .write_record(
            fixed
                .iter()
                .copied()
                .chain(columns.iter().map(String::as_str)),
        )
        .map_err(failed)?;
    for r in runs {
        let k = &r.run.key;
        let mut record = vec![
            k.boundary_id.to_string(),
            k.herd_config_id.to_string(),
            k.calculation_date.to_string(),
            k.model_version.to_string(),
            k.config_version.to_string(),
            k.run_id().to_string(),
            r.run.snapshot.to_string(),
            r.run.guardrail.status().to_owned(),
            r.superseded_by
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ];
        let values = values(r)?;
        for column in &columns {
            let i = descriptions
                .get(&k.model_version)
                .and_then(|d| d.outputs.iter().position(|o| o.field.name == *column));
            record.push(match i.and_then(|i| values.get(i)) {
                None | Some(Json::Null) => String::new(),
                Some(Json::String(s)) => s.clone(),
                Some(other) => other.to_string(),
            });
        }
        writer.write_record(&record).map_err(failed)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|e| CliError::new(Exit::Internal, "csv", e.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
