//! The result of a replay as JSON and as text, and the error that the command ends with.

use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::Digest;
use provender_domain::interrupt::Interrupted;
use provender_host::replay::{Difference, FailureCause, ReplayFailure, ReplayResults};
use provender_ledger::entries::{Engine, Selection};

use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Done, Look, Text};

fn exit_of(cause: FailureCause) -> Exit {
    match cause {
        FailureCause::ComponentMissing => Exit::NotFound,
        FailureCause::Integrity => Exit::Integrity,
        FailureCause::ComponentRejected => Exit::Rejected,
        FailureCause::ComponentFailed => Exit::Failed,
        FailureCause::Host => Exit::Io,
    }
}

/// What was computed again.
pub(crate) enum Chosen<'a> {
    /// Recorded runs.
    Runs(&'a Selection),
    /// The run of a bundle.
    Bundle {
        file: &'a str,
        bundle: &'a BundleAnswer,
    },
}

/// The result of a replay.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReplayAnswer<'a> {
    /// Number of runs that were computed again.
    replayed: usize,
    /// Number of runs whose outputs have the same bits.
    identical: usize,
    /// The outputs that differ.
    different: &'a [Difference],
    /// Runs that could not be computed again.
    failed: &'a [ReplayFailure],
    /// The engine that computed them.
    engine: &'a Engine,
    /// How the runs were selected.
    selection: ReplaySelection<'a>,
    /// The ledger entry that records the replay; null if nothing was recorded.
    entry: Option<EntryNumber>,
    /// The bundle; absent without `--bundle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<&'a BundleAnswer>,
}

/// How the runs of a replay were selected.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum ReplaySelection<'a> {
    /// Recorded runs.
    Runs(&'a Selection),
    /// The run of a bundle.
    Bundle {
        /// Path of the bundle; absent without `--bundle`.
        bundle: &'a str,
    },
}

/// A proven bundle.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BundleAnswer {
    /// The run's key as one text.
    pub(crate) key: String,
    /// The run's id.
    pub(crate) run_id: Digest,
    /// When it was recorded (RFC 3339, UTC).
    pub(crate) recorded_at: String,
    /// Who recorded it.
    pub(crate) actor: String,
    /// The ledger entry that recorded it.
    pub(crate) entry: u64,
    /// Digest of the component's bytes.
    pub(crate) component: Digest,
    /// Digest of the manifest's bytes.
    pub(crate) manifest_sha256: Digest,
    /// The name of the ledger that the checkpoint covers.
    pub(crate) origin: String,
    /// How many entries the checkpoint covers.
    pub(crate) size: u64,
    /// The name of the key that signed the checkpoint; null without `--public-key`.
    pub(crate) signed_by: Option<String>,
}

/// Number of differences and failures shown in the text; JSON has all of them.
const SHOWN: usize = 20;

pub(crate) fn done(
    verdict: &ReplayResults,
    engine: &Engine,
    chosen: Chosen<'_>,
    entry: Option<EntryNumber>,
) -> Done {
    let (selection, bundle) = match chosen {
        Chosen::Runs(selection) => (ReplaySelection::Runs(selection), None),
        Chosen::Bundle { file, bundle } => (ReplaySelection::Bundle { bundle: file }, Some(bundle)),
    };
    let seed = match &selection {
        ReplaySelection::Runs(Selection { seed, of, .. }) => seed.as_ref().zip(*of),
        ReplaySelection::Bundle { .. } => None,
    };
    let answer = ReplayAnswer {
        replayed: verdict.replayed.len(),
        identical: verdict.identical,
        different: &verdict.different,
        failed: &verdict.failed,
        engine,
        selection,
        entry,
        bundle,
    };
    let asked = verdict.replayed.len() + verdict.failed.len();
    if verdict.interrupted {
        let error = CliError {
            message: format!(
                "interrupted between two batches: {} computed again, of which nothing is recorded",
                runs(asked)
            ),
            ..Interrupted.into()
        };
        let text = match asked {
            0 => Text::default(),
            _ => text(verdict, &engine.target, seed, entry),
        };
        return Done::ended(error.exit, &answer, text, Some(error));
    }
    let error = trouble(verdict);
    let exit = error.as_ref().map_or(Exit::Ok, |e| e.exit);
    let text = text(verdict, &engine.target, seed, entry);
    Done::ended(exit, &answer, text, error)
}

fn runs(n: usize) -> String {
    format!("{n} {}", if n == 1 { "run" } else { "runs" })
}

/// The result as text. `on` is the engine's target, `seed` the sample's seed and what it is drawn from.
fn text(
    verdict: &ReplayResults,
    on: &str,
    seed: Option<(&String, u64)>,
    entry: Option<EntryNumber>,
) -> Text {
    let asked = verdict.replayed.len() + verdict.failed.len();
    let mut text = Text::default();
    if asked == 0 {
        text.look(Look::Warn, "no run is selected: nothing was replayed");
    } else if verdict.is_clean() {
        text.look(
            Look::Good,
            format!("{} computed again on {on}: every bit the same", runs(asked)),
        );
    } else {
        text.look(
            Look::Bad,
            format!(
                "{} asked for, computed again on {on}: {} identical, {} different, {} not computed",
                runs(asked),
                verdict.identical,
                verdict.different_runs().len(),
                verdict.failed.len()
            ),
        );
    }
    if let Some((seed, of)) = seed {
        text.look(Look::Dim, format!("sample of {of}, seed {seed}"));
    }
    if !verdict.different.is_empty() {
        let rows: Vec<_> = verdict
            .different
            .iter()
            .take(SHOWN)
            .map(|d| {
                let plain = |s: String| (Look::Plain, s);
                vec![
                    plain(d.run_id.short()),
                    (Look::Strong, d.output.clone()),
                    plain(d.recorded.to_string()),
                    (Look::Bad, d.replayed.to_string()),
                ]
            })
            .collect();
        text.blank();
        text.table(&["run", "output", "recorded", "replayed"], &rows);
    }
    for f in verdict.failed.iter().take(SHOWN) {
        text.look(
            Look::Bad,
            provender_domain::render::escape::terminal(&format!(
                "{}: {}",
                f.run_id.short(),
                f.message
            )),
        );
    }
    let more = verdict.different.len().max(verdict.failed.len());
    if more > SHOWN {
        text.look(
            Look::Dim,
            format!("{SHOWN} of {more} shown; --json has all"),
        );
    }
    if let Some(entry) = entry {
        text.look(Look::Dim, format!("recorded as entry {entry}"));
    }
    text
}

fn trouble(verdict: &ReplayResults) -> Option<CliError> {
    // `Some` is a run that could not be computed again, `None` stands for all that gave other outputs.
    let differs = (!verdict.different.is_empty()).then_some(None);
    let troubles = verdict.failed.iter().map(Some).chain(differs);
    let exit = |f: &Option<&ReplayFailure>| f.map_or(Exit::Nondeterminism, |f| exit_of(f.cause));
    let Some(f) = Exit::first_of_worst(troubles, exit)? else {
        let n = verdict.different_runs().len();
        return Some(
            CliError::new(
                Exit::Nondeterminism,
                "replay_differs",
                format!("{n} of {} runs gave other outputs than recorded", verdict.replayed.len()),
            )
            .help("`provender replay --engine pulley` shows whether the engine is at fault, a backup whether the record was changed"),
        );
    };
    let message = format!(
        "{} of {} runs could not be computed again; {}: {}",
        verdict.failed.len(),
        verdict.failed.len() + verdict.replayed.len(),
        f.key,
        f.message
    );
    let help = match f.cause {
        FailureCause::ComponentMissing => {
            "put the component's file back into components/, under any name: it is found by its digest"
        }
        FailureCause::Integrity => "restore the named file from a backup",
        FailureCause::ComponentRejected | FailureCause::ComponentFailed => {
            "replay with the version of provender that the run's manifest names"
        }
        FailureCause::Host => "these runs were not judged: fix the cause and replay them again",
    };
    Some(CliError::new(exit_of(f.cause), &f.code, message).help(help))
}
