//! `monitor baseline`: freezes a reference period, lists baselines, shows one.

use crate::asking::models;
use clap::{Args, Subcommand};
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::render::text::number;
use provender_host::monitor::{self, Baseline, FrozenBaseline, Reference, Window};

use crate::Global;
use crate::compute::day;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Done, Look, Text};

/// Freeze, list and show baselines: the reference periods that shift metrics compare with.
#[derive(Args)]
pub(super) struct BaselineArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Create(CreateArgs),
    List(ListArgs),
    Show(ShowArgs),
}

/// Freeze the answers of a period as the reference of each logic.
///
/// Stores the bin edges, counts and robust moments of every numeric output and input, for the fleet and
/// for each series, with the digest of the runs behind them. Each version's newest baseline is in
/// force.
///
/// Example: provender monitor baseline create --to 2025-06-30 --window-days 90 --reason 'a season without incidents'
#[derive(Args)]
struct CreateArgs {
    /// First day of the period.
    #[arg(
        long,
        value_name = "DATE",
        conflicts_with = "window_days",
        required_unless_present = "window_days"
    )]
    from: Option<String>,
    /// Last day of the period.
    #[arg(long, value_name = "DATE")]
    to: String,
    /// Length of the period in days, instead of --from.
    #[arg(long, value_name = "N")]
    window_days: Option<u32>,
    /// Logic to freeze, as name:version. Default: every active one. May be repeated.
    #[arg(long, value_name = "NAME:VERSION")]
    logic: Vec<String>,
    /// Why this period is normal.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Show what would be frozen, but record nothing.
    #[arg(long)]
    dry_run: bool,
}

/// List the baselines, oldest first, and show which are in force.
///
/// Example: provender monitor baseline list
#[derive(Args)]
struct ListArgs {
    /// Only this logic, as name or name:version.
    #[arg(long, value_name = "NAME")]
    logic: Option<String>,
}

/// Show what a baseline holds.
///
/// Example: provender monitor baseline show days_remaining:v2
#[derive(Args)]
struct ShowArgs {
    /// A baseline's digest, or at least its first six hex digits. A name:version means the baseline in
    /// force for it.
    #[arg(value_name = "BASELINE")]
    which: String,
}

pub(super) fn run(global: &Global, args: &BaselineArgs) -> Result<Done, CliError> {
    match &args.verb {
        Verb::Create(a) => create(global, a),
        Verb::List(a) => list(global, a),
        Verb::Show(a) => show(global, a),
    }
}

fn period(args: &CreateArgs, today: Day) -> Result<Window, CliError> {
    let end = day(&args.to, today)?;
    let days = match (&args.from, args.window_days) {
        (_, Some(days)) => days,
        (Some(from), None) => {
            let from = day(from, today)?;
            u32::try_from(end.since(from) + 1)
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| {
                    CliError::usage(format!(
                        "the period ends on {end}, before it starts on {from}"
                    ))
                })?
        }
        (None, None) => return Err(CliError::usage("give --from or --window-days")),
    };
    Ok(Window { end, days })
}

fn create(global: &Global, args: &CreateArgs) -> Result<Done, CliError> {
    if args.reason.trim().is_empty() {
        return Err(CliError::usage(
            "--reason is empty: say why this period is normal",
        ));
    }
    let context = Context::open(global)?;
    // Check everything before writing anything.
    let made = context.baselines_of(&models(&args.logic), period(args, context.today)?)?;
    let mut text = Text::default();
    let mut baselines = Vec::new();
    let writer = if args.dry_run {
        None
    } else {
        Some(context.writer()?)
    };
    for baseline in &made {
        let (digest, new) = match writer.as_deref() {
            Some(w) => monitor::record_baseline(w, &context.stamp(Some(&args.reason)), baseline)?,
            None => (
                Digest::of_json(
                    &baseline
                        .to_json()
                        .map_err(provender_host::monitor::MonitorError::from)?,
                )
                .map_err(provender_host::monitor::MonitorError::from)?,
                false,
            ),
        };
        let (outcome, look, word) = match (&writer, new) {
            (None, _) => (BaselineOutcome::WouldBe, Look::Plain, "would be"),
            (Some(_), true) => (BaselineOutcome::Recorded, Look::Good, "recorded"),
            (Some(_), false) => (BaselineOutcome::Unchanged, Look::Good, "unchanged"),
        };
        text.look(
            look,
            format!(
                "{word}: baseline {} of {}, {} to {}, {} answers of {} series",
                digest.short(),
                baseline.model_version,
                baseline.from,
                baseline.to,
                baseline.rows,
                baseline.series.len()
            ),
        );
        baselines.push(BaselineMade {
            baseline: digest,
            model_version: &baseline.model_version,
            from: baseline.from,
            to: baseline.to,
            rows: baseline.rows,
            series: baseline.series.len(),
            outcome,
        });
    }
    Ok(Done::ok(&BaselineCreateAnswer { baselines }, text))
}

/// What was frozen.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BaselineCreateAnswer<'a> {
    /// One for each logic.
    baselines: Vec<BaselineMade<'a>>,
}

/// A baseline that was frozen, or would be.
#[derive(Serialize, JsonSchema)]
struct BaselineMade<'a> {
    /// Its digest.
    baseline: Digest,
    /// The logic, as `name:version`.
    model_version: &'a str,
    /// First day of its period.
    from: Day,
    /// Last day, included.
    to: Day,
    /// Answers behind it.
    rows: usize,
    /// Series behind it.
    series: usize,
    /// What became of it.
    outcome: BaselineOutcome,
}

/// The outcome for a baseline.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum BaselineOutcome {
    /// It is new in the ledger.
    Recorded,
    /// It was already in force.
    Unchanged,
    /// Nothing was recorded, because of `--dry-run`.
    #[serde(rename = "would be")]
    WouldBe,
}

fn list(global: &Global, args: &ListArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let mut all = monitor::baselines(&*context.reader()?)?;
    if let Some(logic) = &args.logic {
        all.retain(|f| f.model_version == logic.as_str() || f.model_version.name() == logic);
    }
    let mut text = Text::default();
    if all.is_empty() {
        text.line("no baseline; `provender monitor baseline create` freezes one");
    } else {
        let rows: Vec<_> = all
            .iter()
            .map(|f| {
                let (look, state) = match f.in_force {
                    true => (Look::Good, "in force"),
                    false => (Look::Dim, "replaced"),
                };
                [
                    (Look::Plain, f.baseline.short()),
                    (Look::Plain, f.model_version.to_string()),
                    (Look::Plain, f.from.to_string()),
                    (Look::Plain, f.to.to_string()),
                    (Look::Plain, f.rows.to_string()),
                    (look, state.to_owned()),
                    (Look::Plain, f.stamp.actor.clone()),
                    (Look::Plain, f.stamp.at.clone()),
                    (Look::Plain, f.stamp.reason.clone().unwrap_or_default()),
                ]
                .to_vec()
            })
            .collect();
        text.table(
            &[
                "baseline", "logic", "from", "to", "answers", "state", "by", "at", "reason",
            ],
            &rows,
        );
    }
    let baselines = all.iter().map(KnownBaseline::of).collect();
    Ok(Done::ok(&BaselineListAnswer { baselines }, text))
}

/// The baselines.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BaselineListAnswer<'a> {
    /// Each, oldest first.
    baselines: Vec<KnownBaseline<'a>>,
}

/// A baseline as recorded in its entry.
#[derive(Serialize, JsonSchema)]
struct KnownBaseline<'a> {
    /// Its digest.
    baseline: Digest,
    /// The logic, as `name:version`.
    model_version: &'a str,
    /// First day of its period.
    from: Day,
    /// Last day, included.
    to: Day,
    /// Answers behind it.
    rows: u64,
    /// Whether monitors compare with it.
    in_force: bool,
    /// The ledger entry.
    entry: EntryNumber,
    /// Who froze it.
    by: &'a str,
    /// When (RFC 3339, UTC).
    at: &'a str,
    /// Why; null where no reason was given.
    reason: Option<&'a str>,
}

impl KnownBaseline<'_> {
    fn of(f: &FrozenBaseline) -> KnownBaseline<'_> {
        KnownBaseline {
            baseline: f.baseline,
            model_version: &f.model_version,
            from: f.from,
            to: f.to,
            rows: f.rows,
            in_force: f.in_force,
            entry: f.entry,
            by: &f.stamp.actor,
            at: &f.stamp.at,
            reason: f.stamp.reason.as_deref(),
        }
    }
}

/// A baseline with its contents.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BaselineShowAnswer<'a> {
    #[serde(flatten)]
    known: KnownBaseline<'a>,
    /// Its contents, over which the digest is taken.
    document: &'a Baseline,
}

fn show(global: &Global, args: &ShowArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let reader = context.reader()?;
    let all = monitor::baselines(&*reader)?;
    let found = monitor::find_baseline(&all, &args.which).ok_or_else(|| unknown(&args.which))?;
    let baseline = monitor::baseline_of(&*reader, found.baseline)?;
    let mut text = Text::default();
    text.look(
        Look::Strong,
        format!("baseline {} of {}", found.baseline, baseline.model_version),
    );
    text.line(format!(
        "{} to {}, {} answers of {} series, {}",
        baseline.from,
        baseline.to,
        baseline.rows,
        baseline.series.len(),
        if found.in_force {
            "in force"
        } else {
            "replaced by a newer one"
        }
    ));
    text.line(format!(
        "by {} at {}: {}",
        found.stamp.actor,
        found.stamp.at,
        found.stamp.reason.as_deref().unwrap_or("-")
    ));
    for config in &baseline.config_versions {
        text.line(format!("configuration {config}"));
    }
    text.blank();
    let rows: Vec<_> = baseline.fleet.iter().map(column_row).collect();
    text.table(
        &[
            "column", "unit", "numbers", "nulls", "minimum", "median", "maximum", "sigma", "lag-1",
            "bins",
        ],
        &rows,
    );
    let answer = BaselineShowAnswer {
        known: KnownBaseline::of(found),
        document: &baseline,
    };
    Ok(Done::ok(&answer, text))
}

fn column_row(c: &Reference) -> Vec<(Look, String)> {
    [
        c.subject.clone(),
        c.unit.clone().unwrap_or_else(|| "–".to_owned()),
        c.rows.to_string(),
        c.nulls.to_string(),
        number(c.minimum),
        number(c.median),
        number(c.maximum),
        number(c.sigma),
        number(c.lag1),
        c.counts.len().to_string(),
    ]
    .into_iter()
    .map(|cell| (Look::Plain, cell))
    .collect()
}

fn unknown(which: &str) -> CliError {
    CliError::new(
        Exit::NotFound,
        "no_baseline",
        format!("there is no baseline `{which}`"),
    )
    .help("`provender monitor baseline list` lists them; name one by at least six hex digits or by its name:version")
}
