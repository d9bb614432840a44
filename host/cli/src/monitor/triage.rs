//! `monitor triage`: whether failing answers come from the data or from the logic.

use clap::Args;
use provender_domain::ids::ModelVersion;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::Digest;
use provender_domain::key::ConfigVersion;
use provender_domain::render::escape;
use provender_domain::render::text::count;
use provender_host::monitor::{
    MonitorVerdict, Points, StoredReport, Triage, TriageFinding, TriageVerdict, judge_triage,
    triage_scenes,
};

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};

use super::report::{WhichArgs, head};

/// Find out whether a report's failing answers come from the data or from the logic.
///
/// Compares them with the other answers of the window, with earlier answers of the same series, with
/// runs that a reissue replaced, and with other versions on the same inputs if those are recorded. Each
/// comparison states how many rows it rests on. "Not enough to tell" is a possible result. Writes
/// nothing.
///
/// Example: provender monitor triage
#[derive(Args)]
pub(super) struct TriageArgs {
    #[command(flatten)]
    which: WhichArgs,
}

pub(super) fn run(global: &Global, args: &TriageArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let ledger = context.reader()?;
    let stored = args.which.find(&*ledger, context.today)?;
    let manifests = context.manifests()?;
    let triages: Vec<Triage> = triage_scenes(&*ledger, &manifests, &stored.body)?
        .iter()
        .map(judge_triage)
        .collect();
    let mut text = Text::default();
    head(&mut text, &stored);
    let mut commands = Vec::new();
    let missing = stored.body.missing();
    if missing > 0 {
        text.look(
            Look::Warn,
            format!(
                "{} not recorded: what is missing points to neither data nor logic",
                count(missing as u64, "expected answer")
            ),
        );
        commands.push(format!(
            "provender status --as-of {}   # what is missing, and why",
            stored.body.window.end
        ));
    }
    if triages.is_empty() && missing == 0 {
        text.line("no answer fails in this report: there is nothing to triage");
    }
    for triage in &triages {
        append_triage(&mut text, triage);
        commands.extend(next(&context, &stored, triage)?);
    }
    if !commands.is_empty() {
        commands.push(format!(
            "provender incident open --title TEXT --report {}",
            stored.digest.short()
        ));
        text.blank();
        text.look(Look::Strong, "Next");
        for command in &commands {
            text.line(format!("  {}", escape::terminal(command)));
        }
    }
    let answer = TriageAnswer {
        report: stored.digest,
        status: stored.body.status,
        missing,
        logics: triages,
        next: commands,
    };
    Ok(Done::ok(&answer, text))
}

/// Where a report's failing answers come from.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TriageAnswer {
    /// Digest of the report.
    report: Digest,
    /// Its overall verdict.
    status: MonitorVerdict,
    /// How many expected answers are not recorded.
    missing: usize,
    /// One for each logic with failing answers.
    logics: Vec<Triage>,
    /// The runbook's next commands for this verdict.
    next: Vec<String>,
}

fn append_triage(text: &mut Text, triage: &Triage) {
    text.blank();
    let look = match triage.verdict {
        TriageVerdict::Unknown => Look::Warn,
        _ => Look::Strong,
    };
    text.look(look, format!("{}: {}", triage.logic, triage.verdict.text()));
    text.line(format!(
        "looked at: {} of {}, {} others of the window, {} of the same places before",
        triage.looked_at,
        count(triage.failing as u64, "failing answer"),
        triage.passing,
        triage.before
    ));
    for finding in &triage.findings {
        let word = match finding.points {
            Points::Data => "data ",
            Points::Logic => "logic",
            Points::Nowhere => "–    ",
        };
        text.line(escape::terminal(&format!("  {word}  {}", finding.says)));
    }
    text.blank();
    let rows: Vec<_> = triage
        .groups
        .iter()
        .map(|g| {
            vec![
                (Look::Plain, g.by.to_owned()),
                (Look::Plain, short(&g.value)),
                (Look::Plain, g.failing.to_string()),
                (Look::Plain, g.of.to_string()),
            ]
        })
        .collect();
    text.table(&["by", "value", "failing", "of"], &rows);
}

/// Shortens a configuration version as in tables; leaves other values unchanged.
fn short(value: &str) -> String {
    let config = value.parse::<ConfigVersion>();
    config.map_or_else(|_| value.to_owned(), |c| c.short())
}

/// The runbook's next commands for this verdict.
fn next(
    context: &Context,
    stored: &StoredReport,
    triage: &Triage,
) -> Result<Vec<String>, CliError> {
    let window = stored.body.window;
    let name = &triage.logic;
    let mut commands = Vec::new();
    let data = || -> Vec<String> {
        let file = triage
            .findings
            .iter()
            .find_map(|f: &TriageFinding| f.file.clone());
        let retract = match file {
            Some(file) => format!("provender ingest retract '{file}' --reason TEXT"),
            None => "provender ingest retract FILE --reason TEXT   # the file that is wrong; `provender explain RUN` names it".to_owned(),
        };
        vec![
            retract,
            format!(
                "provender reissue --from {} --to {} --reason TEXT   # the plan; --apply records it",
                window.start, window.end
            ),
        ]
    };
    match triage.verdict {
        TriageVerdict::Data => commands.extend(data()),
        TriageVerdict::Logic => commands.extend(logic(context, name)?),
        TriageVerdict::Both => {
            commands.extend(logic(context, name)?);
            commands.extend(data());
        }
        TriageVerdict::Unknown => {
            let failing = stored.body.failing();
            if let Some((_, row)) = failing.first() {
                commands.push(format!(
                    "provender explain {}   # one failing answer, down to file and row",
                    row.run_id.short()
                ));
            }
            for version in unasked(context, name, &failing)? {
                commands.push(format!(
                    "provender compute --all --from {} --to {} --logic {version}   # another version on the same days, to compare with",
                    window.start, window.end
                ));
            }
        }
    }
    Ok(commands)
}

/// Commands for a fault in the logic: roll back if there is a former release, then make a new version.
fn logic(context: &Context, name: &str) -> Result<Vec<String>, CliError> {
    let standing = context.standing()?;
    let mut commands = Vec::new();
    if standing.active().is_some() && standing.hold.is_none() {
        commands.push("provender release freeze --reason TEXT".to_owned());
    }
    if let Some(former) = standing.former() {
        commands.push(format!(
            "provender release rollback --reason TEXT   # back to {}",
            former.document.name()
        ));
    }
    commands.push(format!(
        "provender plugin new {name}:vN   # the fixed logic is a new version"
    ));
    commands.push("provender release cut --reason TEXT   # where the number is right and a threshold in logic.toml was changed".to_owned());
    Ok(commands)
}

/// Pinned versions of the logic that computed none of the failing answers.
fn unasked(
    context: &Context,
    name: &str,
    failing: &[(ModelVersion, provender_host::monitor::FailingRow)],
) -> Result<Vec<ModelVersion>, CliError> {
    let pins = context.pins()?;
    let versions = pins.components().iter().filter(|p| p.name == name);
    Ok(versions
        .map(provender_sandbox::Pin::model_version)
        .filter(|v| failing.iter().all(|(failed, _)| failed != v))
        .collect())
}
