//! `list`: recorded answers or runs.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use provender_ledger::EntryNumber;
use std::collections::BTreeMap;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use provender_domain::canonical::Digest;
use provender_domain::description::{Description, Role};
use provender_domain::key::{ConfigVersion, RunKey};
use provender_host::compute::{Activations, RunOutcomeKind, answers, rank};
use provender_ledger::LedgerError;
use provender_ledger::types::{Guardrail, Run, RunFilter};

use super::Global;
use super::compute::day;
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::ui::{Done, Look, Text};
use provender_host::deployment::pin;

/// List answers by boundary, herd, logic and day.
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
    /// List every recorded run, including superseded runs, other versions and one-off parameters.
    #[arg(long)]
    all_versions: bool,
    /// Print comma-separated values instead of a table.
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
        let exit = match super::ui::print(&csv(&runs, &descriptions)?) {
            true => Exit::Ok,
            false => Exit::Io,
        };
        // `--csv` and `--json` exclude each other.
        let answer = ListAnswer {
            answers: Vec::new(),
            all_versions: args.all_versions,
        };
        return Ok(Done::ended(exit, &answer, Text::default(), None));
    }
    let activations = Activations::load(&*ledger)?;
    let shadow = |r: &Run| activations.in_shadow(r) && rank(r, &activations).is_none();
    let list: Vec<Answer> = runs
        .iter()
        .map(|r| {
            Ok(Answer {
                run: run_of(r, descriptions.get(&r.run.key.model_version))?,
                superseded_by: r.superseded_by.as_ref(),
                shadow: shadow(r).then_some(true),
            })
        })
        .collect::<Result<_, LedgerError>>()?;
    let mut text = Text::default();
    let rows: Vec<_> = list
        .iter()
        .zip(&runs)
        .map(|(answer, r)| row(r, answer, &descriptions))
        .collect::<Result<_, LedgerError>>()?;
    if rows.is_empty() {
        text.line("no answers: `provender status --as-of DATE` shows what is missing, --all-versions lists every recorded run");
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
    let answer = ListAnswer {
        answers: list,
        all_versions: args.all_versions,
    };
    Ok(Done::ok(&answer, text))
}

fn row(
    r: &Run,
    answer: &Answer<'_>,
    descriptions: &BTreeMap<ModelVersion, Description>,
) -> Result<Vec<(Look, String)>, LedgerError> {
    let k = &r.run.key;
    let plain = |s: String| (Look::Plain, s);
    let (outcomes, why) = summary(r, descriptions.get(&k.model_version))?;
    let state = match (&r.superseded_by, &r.run.replaces) {
        (Some(by), _) => format!("superseded by {}", by.short()),
        (None, Some(old)) => format!("replaces {}", old.short()),
        (None, None) if answer.shadow.is_some() => "shadow run of a canary".to_owned(),
        (None, None) => String::new(),
    };
    let guardrails = match r.run.guardrail {
        Guardrail::Ok => Look::Good,
        Guardrail::Marked | Guardrail::Refused => Look::Bad,
    };
    let notes = [why, state].into_iter().filter(|s| !s.is_empty());
    Ok(vec![
        (Look::Strong, k.boundary_id.to_string()),
        plain(k.herd_config_id.to_string()),
        plain(k.calculation_date.to_string()),
        plain(k.model_version.to_string()),
        plain(outcomes),
        (guardrails, r.run.guardrail.status().to_owned()),
        plain(k.config_version.short()),
        plain(k.run_id().short()),
        plain(notes.collect::<Vec<_>>().join("; ")),
    ])
}

/// The answers, by boundary, herd, logic and day.
#[derive(Serialize, JsonSchema)]
pub(super) struct ListAnswer<'a> {
    /// Each answer, or each recorded run with `--all-versions`.
    answers: Vec<Answer<'a>>,
    /// Whether `--all-versions` was given.
    all_versions: bool,
}

/// A run of the list.
#[derive(Serialize, JsonSchema)]
struct Answer<'a> {
    /// The run.
    run: ListedRun<'a>,
    /// The configuration version of the run that supersedes it; absent if none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_by: Option<&'a ConfigVersion>,
    /// True for a run that a canary recorded and that is not an answer; absent for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow: Option<bool>,
}

/// A recorded run, from the ledger alone.
#[derive(Serialize, JsonSchema)]
struct ListedRun<'a> {
    /// Digest of the key.
    run_id: Digest,
    /// What became of it, as in `compute`.
    outcome: RunOutcomeKind,
    /// Its key.
    key: &'a RunKey,
    /// The outputs that downstream uses, by name; empty if its component is not pinned here.
    outputs: Map<String, Json>,
    /// The outputs that the others are computed from, by name; empty if its component is not pinned here.
    terms: Map<String, Json>,
    /// Its guardrails' result.
    guardrails: ListedGuardrails,
    /// The component's reasons why outputs are null.
    reasons: Vec<Json>,
    /// Digest of component, configuration and inputs, which determine the number.
    provenance: Digest,
    /// Digest of the reproducible part of its manifest.
    snapshot_id: Digest,
    /// The configuration version of the run that it supersedes; null if it supersedes none.
    replaces: Option<&'a ConfigVersion>,
    /// The ledger entry that recorded it.
    entry: EntryNumber,
}

/// The guardrails' result of a listed run.
#[derive(Serialize, JsonSchema)]
struct ListedGuardrails {
    /// `ok` or `failed`.
    status: &'static str,
    /// Always empty: `explain` has the breached ones.
    breached: [(); 0],
}

/// The descriptions of the runs' components. Versions that are no longer pinned are absent.
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

/// The recorded outputs, in the order in which the component declares them.
fn values(run: &Run) -> Result<Vec<Json>, LedgerError> {
    serde_json::from_str(&run.run.outputs).map_err(|e| {
        let id = run.run.key.run_id();
        LedgerError::Damaged(format!("the outputs of run {id} cannot be read: {e}"))
    })
}

fn run_of<'a>(
    run: &'a Run,
    description: Option<&Description>,
) -> Result<ListedRun<'a>, LedgerError> {
    let values = values(run)?;
    let by_role = |role: Role| -> Map<String, Json> {
        let outputs = description.into_iter().flat_map(|d| &d.outputs);
        let of_role = outputs.zip(&values).filter(|(o, _)| o.role == role);
        of_role
            .map(|(o, v)| (o.field.name.clone(), v.clone()))
            .collect()
    };
    let reasons = by_role(Role::Reason).into_iter().map(|(_, reason)| reason);
    Ok(ListedRun {
        run_id: run.run.key.run_id(),
        outcome: RunOutcomeKind::Recorded,
        key: &run.run.key,
        outputs: by_role(Role::Outcome),
        terms: by_role(Role::Term),
        guardrails: ListedGuardrails {
            status: run.run.guardrail.status(),
            breached: [],
        },
        reasons: reasons.filter(|reason| !reason.is_null()).collect(),
        provenance: run.run.provenance,
        snapshot_id: run.run.snapshot,
        replaces: run.run.replaces.as_ref(),
        entry: run.entry,
    })
}

/// The text of a run's outcomes, and its reasons.
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
