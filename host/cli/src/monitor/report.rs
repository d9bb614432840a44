//! `monitor report`: shows a recorded report with the origin of each failing row.

use clap::Args;
use provender_domain::ids::ModelVersion;
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::render::escape;
use provender_domain::render::text::count;
use provender_host::explain::{Wanted as RunWanted, find as find_run};
use provender_host::monitor::{
    FailingRow, MonitorVerdict, ReportWindow, StoredError, StoredGroup, StoredReport, WantedReport,
    find_report,
};
use provender_ledger::entries::RunsRecorded;
use provender_ledger::{LedgerError, Read};

use crate::Global;
use crate::compute::day;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Done, Look, Text};

/// Number of failing rows shown in the text; JSON has all of them.
const SHOWN: usize = 50;

/// Options that select a report.
#[derive(Args)]
pub(super) struct WhichArgs {
    /// A report's digest, or at least six of its hex digits. Default: the newest report.
    #[arg(value_name = "REPORT", conflicts_with = "end")]
    report: Option<String>,
    /// The newest report whose window ends on this day.
    #[arg(long, value_name = "DATE")]
    end: Option<String>,
}

impl WhichArgs {
    pub(super) fn find(&self, ledger: &dyn Read, today: Day) -> Result<StoredReport, CliError> {
        let wanted = match (&self.report, &self.end) {
            (Some(text), _) if text != "latest" => WantedReport::Digest(text.clone()),
            (_, Some(end)) => WantedReport::End(day(end, today)?),
            _ => WantedReport::Latest,
        };
        Ok(find_report(ledger, &wanted)?)
    }
}

impl From<StoredError> for CliError {
    fn from(e: StoredError) -> CliError {
        let message = e.to_string();
        match e {
            StoredError::None(_) => CliError::new(Exit::NotFound, "no_report", message)
                .help("`provender monitor --all --end DATE` makes and records one"),
            StoredError::Ambiguous { .. } => {
                CliError::new(Exit::Usage, "report_ambiguous", message).help("give more digits")
            }
            StoredError::Ledger(e) => e.into(),
        }
    }
}

/// Show a recorded report with the versions, configuration, snapshots, manifests and release behind
/// each failing row.
///
/// Example: provender monitor report --end 2025-06-30
#[derive(Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    which: WhichArgs,
}

/// A failing row with its origin according to the ledger and its manifest.
struct Behind {
    model_version: ModelVersion,
    row: FailingRow,
    component: Option<String>,
    /// The release under which it was recorded, and the entry that did.
    release: Option<String>,
    entry: EntryNumber,
    superseded_by: Option<String>,
}

pub(super) fn run(global: &Global, args: &ReportArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let ledger = context.reader()?;
    let stored = args.which.find(&*ledger, context.today)?;
    let mut rows = Vec::new();
    for (model_version, row) in stored.body.failing() {
        rows.push(behind(&context, &*ledger, model_version, row)?);
    }
    let mut text = Text::default();
    head(&mut text, &stored);
    for group in &stored.body.fleet {
        fired(&mut text, group);
    }
    if rows.is_empty() {
        text.line("no answer fails in this report");
    } else {
        text.blank();
        table(&mut text, &rows);
        text.blank();
        for b in rows.iter().take(SHOWN) {
            text.line(escape::terminal(&format!(
                "{}  {}",
                b.row.run_id.short(),
                b.row.manifest
            )));
        }
        super::next_steps(&mut text, &stored.digest);
    }
    let (body, stamp) = (&stored.body, &stored.stamp);
    let answer = MonitorReportAnswer {
        report: stored.digest,
        entry: stored.entry,
        recorded: Recorded {
            at: &stamp.at,
            by: &stamp.actor,
        },
        status: body.status,
        window: ReportWindow {
            start: body.window.start,
            end: body.window.end,
            days: body.window.days,
        },
        thresholds_version: &body.thresholds_version,
        notes: &body.notes,
        failing: rows.iter().map(Behind::answer).collect(),
        missing: body.missing(),
    };
    Ok(Done::ok(&answer, text))
}

/// A recorded report.
#[derive(Serialize, JsonSchema)]
pub(crate) struct MonitorReportAnswer<'a> {
    /// Its digest.
    report: Digest,
    /// The ledger entry.
    entry: EntryNumber,
    /// Who recorded it, and when.
    recorded: Recorded<'a>,
    /// The overall verdict.
    status: MonitorVerdict,
    /// The days looked at.
    window: ReportWindow,
    /// Digest over the thresholds of all logics.
    thresholds_version: &'a str,
    /// What decided the verdict and what else must be said, in sentences.
    notes: &'a [String],
    /// Each answer behind a fired rule.
    failing: Vec<FailingAnswer<'a>>,
    /// How many expected answers are not recorded.
    missing: usize,
}

/// Who recorded something, and when.
#[derive(Serialize, JsonSchema)]
struct Recorded<'a> {
    /// When (RFC 3339, UTC).
    at: &'a str,
    /// Who.
    by: &'a str,
}

/// An answer behind a fired rule, with its origin according to the ledger and its manifest.
#[derive(Serialize, JsonSchema)]
struct FailingAnswer<'a> {
    /// The run.
    run_id: Digest,
    /// Its place.
    boundary_id: &'a str,
    /// Its herd, or `-`.
    herd_config_id: &'a str,
    /// Its day.
    calculation_date: Day,
    /// The logic, as `name:version`.
    model_version: &'a str,
    /// The configuration it ran under.
    config_version: &'a str,
    /// Digest of the component's bytes.
    component: Option<&'a str>,
    /// Digest of the reproducible part of its manifest.
    snapshot_id: Digest,
    /// Where its manifest is, from the manifest store.
    manifest: &'a str,
    /// The fired rules that count it: `share_null(days)`.
    metrics: &'a [String],
    /// The release under which it was recorded; null if none was active.
    release: Option<&'a str>,
    /// The ledger entry that recorded it.
    entry: EntryNumber,
    /// The configuration version of the run that supersedes it; null if none does.
    superseded_by: Option<&'a str>,
}

fn behind(
    context: &Context,
    ledger: &dyn Read,
    model_version: ModelVersion,
    row: FailingRow,
) -> Result<Behind, CliError> {
    let run = find_run(ledger, &RunWanted::Id(row.run_id.to_string()))?.run;
    let of = match ledger.entry(run.entry)? {
        Some(entry) => {
            entry
                .read::<RunsRecorded>()
                .map_err(LedgerError::from)?
                .context
        }
        None => {
            let what = format!("entry {} is missing", run.entry);
            return Err(LedgerError::Damaged(what).into());
        }
    };
    let release = match of.release {
        Some(digest) => context
            .standing()?
            .known(&digest)
            .map(|k| k.document.name()),
        None => None,
    };
    Ok(Behind {
        model_version,
        row,
        component: Some(of.component.to_string()),
        release,
        entry: run.entry,
        superseded_by: run.superseded_by.map(|c| c.to_string()),
    })
}

pub(super) fn head(text: &mut Text, stored: &StoredReport) {
    let (body, stamp) = (&stored.body, &stored.stamp);
    text.look(
        Look::from(body.status.status().tone()),
        format!(
            "report {} ({}): {} to {}, recorded {} by {} as entry {}",
            stored.digest.short(),
            body.status,
            body.window.start,
            body.window.end,
            stamp.at,
            escape::terminal(&stamp.actor),
            stored.entry
        ),
    );
}

fn fired(text: &mut Text, group: &StoredGroup) {
    for metric in group.metrics.iter().filter(|m| m.fired()) {
        text.look(
            Look::from(metric.status.tone()),
            escape::terminal(&format!(
                "  {} {} {}: {}",
                metric.status,
                group.model_version,
                metric.label(),
                metric.why
            )),
        );
    }
}

fn table(text: &mut Text, rows: &[Behind]) {
    let cells: Vec<_> = rows
        .iter()
        .take(SHOWN)
        .map(|b| {
            let config: provender_domain::key::ConfigVersion = match b.row.config_version.parse() {
                Ok(version) => version,
                Err(_) => return Vec::new(),
            };
            [
                b.row.run_id.short(),
                b.row.boundary_id.to_string(),
                b.row.herd_config_id.to_string(),
                b.row.calculation_date.to_string(),
                b.model_version.to_string(),
                config.short(),
                b.row.snapshot_id.short(),
                b.release.clone().unwrap_or_else(|| "–".to_owned()),
                match &b.superseded_by {
                    Some(_) => "superseded".to_owned(),
                    None => "unchanged".to_owned(),
                },
            ]
            .into_iter()
            .map(|cell| (Look::Plain, cell))
            .collect()
        })
        .collect();
    text.table(
        &[
            "run", "boundary", "herd", "date", "logic", "config", "snapshot", "release", "now",
        ],
        &cells,
    );
    if rows.len() > SHOWN {
        text.line(format!(
            "and {} (all are in --json)",
            count((rows.len() - SHOWN) as u64, "more failing row")
        ));
    }
}

impl Behind {
    fn answer(&self) -> FailingAnswer<'_> {
        FailingAnswer {
            run_id: self.row.run_id,
            boundary_id: &self.row.boundary_id,
            herd_config_id: &self.row.herd_config_id,
            calculation_date: self.row.calculation_date,
            model_version: &self.model_version,
            config_version: &self.row.config_version,
            component: self.component.as_deref(),
            snapshot_id: self.row.snapshot_id,
            manifest: &self.row.manifest,
            metrics: &self.row.metrics,
            release: self.release.as_deref(),
            entry: self.entry,
            superseded_by: self.superseded_by.as_deref(),
        }
    }
}
