//! `audit`: checks that what is stored is what was recorded. Also keys, checkpoints and proofs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::{Digest, Recipe, hex};
use provender_domain::render::text::count;
use provender_host::audit::{
    Audit, AuditError, AuditReport, Bad, Check, ObjectKind, Pinned, audit,
};
use provender_proof::{Checkpoint, ProofError};

use super::Global;
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::ui::{Done, Look, Text};
use provender_host::deployment::LOCK;

mod bundle;
mod checkpoint;
mod key;
mod prove;

pub(crate) use checkpoint::AuditCheckpointAnswer;
pub(crate) use key::AuditKeyAnswer;
pub(crate) use prove::AuditProveAnswer;

pub(super) use bundle::{replay as replay_bundle, write as write_bundle};
use key::verifier;

/// Check that everything stored is what was recorded: entries and their tree, rows, manifests,
/// components, releases, documents, and the database's own guards. Exits 11 when something is not.
///
/// Writers do not have to wait. With --against, also checks that history has only grown since a
/// checkpoint: no other check can expose a ledger in which every hash was recomputed.
///
/// Example: provender audit
///
/// Example: provender audit --against checkpoint.txt --public-key ledger.key.pub
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    against: Against,
}

/// A checkpoint that the ledger must continue.
#[derive(Args)]
struct Against {
    /// A checkpoint that was kept elsewhere. History must only have grown since.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Check that the checkpoint is signed with this key: a file, or the public key's text.
    #[arg(long, value_name = "KEY", requires = "against")]
    public_key: Option<String>,
}

impl Against {
    fn read(&self, context: &Context) -> Result<Option<Checkpoint>, CliError> {
        let Some(file) = &self.against else {
            return Ok(None);
        };
        let what = file.display().to_string();
        let text = key::text_of(file)?;
        let key = self.public_key.as_deref().map(verifier).transpose()?;
        if key.is_none() {
            context.ui.note(&format!(
                "the signature of {what} was not checked: give --public-key"
            ));
        }
        Ok(Some(Checkpoint::parse(&what, &text, key.as_ref())?))
    }
}

#[derive(Subcommand)]
enum Verb {
    Checkpoint(checkpoint::CheckpointArgs),
    Prove(prove::ProveArgs),
    Key(key::KeyArgs),
}

pub(super) fn run(global: &Global, args: &AuditArgs) -> Result<Done, CliError> {
    match &args.verb {
        None => whole(global, &args.against),
        Some(Verb::Checkpoint(a)) => checkpoint::run(global, a),
        Some(Verb::Prove(a)) => prove::run(global, a),
        Some(Verb::Key(a)) => key::run(a),
    }
}

/// What an audit found.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AuditAnswer<'a> {
    /// How many objects each check looked at, by the check's name. A check that is missing was not made.
    checked: BTreeMap<&'static str, u64>,
    /// The checks that were made and found nothing.
    held: Vec<Check>,
    /// Everything that is not what was recorded.
    bad: &'a [Bad],
    /// Manifests that no run names, which a killed process leaves and which do no harm.
    orphans: &'a [String],
    /// The tree over the entries; null where they do not make one.
    tree: Option<AuditTree>,
    /// The checkpoint that history was held to; null without `--against`.
    against: Option<AuditAgainst<'a>>,
}

/// A tree over the entries of a ledger.
#[derive(Serialize, JsonSchema)]
struct AuditTree {
    /// How many entries it has.
    size: u64,
    /// Its root.
    root: Digest,
}

/// A checkpoint that history was held to.
#[derive(Serialize, JsonSchema)]
struct AuditAgainst<'a> {
    /// Which ledger it is of.
    origin: &'a str,
    /// How many entries its tree has.
    size: u64,
    /// Root of that tree.
    root: Digest,
    /// The hashes (hexadecimal) that prove that its tree is a beginning of this one, by RFC 6962; null where it
    /// is not.
    consistency: Option<Vec<String>>,
}

fn whole(global: &Global, against: &Against) -> Result<Done, CliError> {
    // The record can be audited even if provender.toml and other edited files are broken.
    let context = Context::open_record(global)?;
    let against = against.read(&context)?;
    let ledger = context.recorded()?;
    let manifests = context.manifests()?;
    // An unreadable folder is an I/O error. Without this check, every manifest would be reported as
    // missing.
    manifests.holds_any()?;
    let search_path = context.search_path_unwarned()?;
    let releases = context.store_if_any()?;
    let pinned = pinned(&context);
    let bar = context.ui.progress(0, "auditing");
    let report = audit(
        &Audit {
            ledger: &*ledger,
            manifests: &manifests,
            search_path: &search_path,
            pinned: pinned.as_deref().map_err(String::as_str),
            releases: releases.as_ref(),
            against: against.as_ref(),
            interrupt: &global.interrupt,
        },
        &|runs| bar.set_length(runs),
        &|done| bar.inc(done),
    );
    bar.finish_and_clear();
    Ok(done(&report?, against.as_ref()))
}

/// The pins of the lock file with the digests of the actual bytes, or why the lock file cannot be read.
fn pinned(context: &Context) -> Result<Vec<Pinned>, String> {
    let lock = match context.lock_if_any() {
        Ok(Some(lock)) => lock,
        // The record can be checked without a lock file.
        Ok(None) => return Ok(Vec::new()),
        Err(e) => {
            let message = e.to_string();
            let cause = message.strip_prefix(LOCK).unwrap_or(&message);
            return Err(cause.trim_start_matches([':', ' ']).to_owned());
        }
    };
    let found = |pin: &provender_sandbox::Pin| match context.pinned_bytes(pin) {
        Ok(bytes) => Ok(Digest::of_bytes(&bytes)),
        Err(e) => Err(e.to_string()),
    };
    Ok(lock
        .components()
        .iter()
        .map(|pin| Pinned {
            model_version: pin.model_version(),
            path: pin.path.clone(),
            sha256: pin.sha256,
            found: found(pin),
        })
        .collect())
}

/// Number of bad objects and of orphans shown in the text; JSON has all of them.
const SHOWN: usize = 20;

fn done(report: &AuditReport, against: Option<&Checkpoint>) -> Done {
    let error = trouble(report);
    let exit = error.as_ref().map_or(Exit::Ok, |e| e.exit);
    let answer = answer(report, against);
    Done::ended(exit, &answer, text(report, against), error)
}

fn answer<'a>(report: &'a AuditReport, against: Option<&'a Checkpoint>) -> AuditAnswer<'a> {
    let checks = report.checked.keys().copied();
    let consistency = report.consistency.as_ref();
    AuditAnswer {
        checked: report.checked.iter().map(|(c, n)| (c.name(), *n)).collect(),
        held: checks.filter(|check| report.bad_of(*check) == 0).collect(),
        bad: &report.bad,
        orphans: &report.orphans,
        tree: report.tree.map(|(size, root)| AuditTree { size, root }),
        against: against.map(|c| AuditAgainst {
            origin: &c.origin,
            size: c.size,
            root: Digest::from_parts(Recipe::Raw, c.root),
            consistency: consistency.map(|p| p.iter().map(|h| hex(h)).collect()),
        }),
    }
}

fn text(report: &AuditReport, against: Option<&Checkpoint>) -> Text {
    let mut text = Text::default();
    if report.is_clean() {
        text.look(Look::Good, "everything that is stored is what was recorded");
    } else {
        let n = report.bad.len() as u64;
        text.look(Look::Bad, format!("{} not what was recorded", are(n)));
    }
    text.blank();
    let rows: Vec<_> = Check::ALL
        .iter()
        .filter(|check| **check != Check::Checkpoint || against.is_some())
        .map(|check| check_row(report, *check))
        .collect();
    text.table(
        &[
            "check",
            "looked at",
            "result",
            "what it shows when it holds",
        ],
        &rows,
    );
    if !report.is_clean() {
        text.blank();
    }
    for b in shown(report) {
        text.look(Look::Bad, format!("{} {}: {}", b.kind, b.id, b.problem));
    }
    if report.bad.len() > SHOWN {
        let n = report.bad.len();
        text.look(Look::Dim, format!("{SHOWN} of {n} shown; --json has all"));
    }
    if !report.orphans.is_empty() {
        text.blank();
        let n = report.orphans.len() as u64;
        text.look(
            Look::Dim,
            format!(
                "{} without a run, which a killed process left behind and which {} no harm:",
                count(n, "manifest"),
                if n == 1 { "does" } else { "do" }
            ),
        );
        for orphan in report.orphans.iter().take(SHOWN) {
            text.look(Look::Dim, orphan);
        }
    }
    if let Some((size, root)) = report.tree {
        text.blank();
        text.look(Look::Dim, format!("tree of {}, root {root}", entries(size)));
    }
    text
}

fn check_row(report: &AuditReport, check: Check) -> Vec<(Look, String)> {
    let plain = |s: &str| (Look::Plain, s.to_owned());
    let (n, held) = match (report.checked.get(&check), report.bad_of(check)) {
        (None, 0) => ("–".to_owned(), (Look::Warn, "not checked".to_owned())),
        (Some(n), 0) => (n.to_string(), (Look::Good, "held".to_owned())),
        // What is bad may have been found before anything was counted.
        (n, bad) => (
            n.copied().unwrap_or_default().to_string(),
            (Look::Bad, format!("{bad} bad")),
        ),
    };
    vec![
        plain(check.name()),
        (Look::Plain, n),
        held,
        plain(check.meaning()),
    ]
}

fn entries(n: u64) -> String {
    format!("{n} {}", if n == 1 { "entry" } else { "entries" })
}

fn are(n: u64) -> String {
    format!(
        "{} {}",
        count(n, "object"),
        if n == 1 { "is" } else { "are" }
    )
}

/// The bad objects to show: the first of every kind, then the others.
fn shown(report: &AuditReport) -> Vec<&Bad> {
    let mut kinds = std::collections::BTreeSet::new();
    let (mut first, others): (Vec<&Bad>, Vec<&Bad>) = report
        .bad
        .iter()
        .partition(|b| kinds.insert((b.check, b.kind)));
    first.extend(others);
    first.truncate(SHOWN);
    first
}

fn trouble(report: &AuditReport) -> Option<CliError> {
    let first = report.bad.first()?;
    let message = format!(
        "{} not what was recorded; the first: {} {}: {}",
        are(report.bad.len() as u64),
        first.kind,
        first.id,
        first.problem
    );
    let help = match first.check {
        Check::Components if first.kind == ObjectKind::Lock => {
            "restore provender.lock from git, or fix what the message names: until then, what it pins is not checked"
        }
        Check::Components | Check::Releases => {
            "restore the file from a backup or from whoever released it: its digest shows that it is the right one"
        }
        Check::Manifests => {
            "restore the named manifests from a backup; the ledger's rows hold their digests"
        }
        Check::Schema => {
            "somebody changed the database's guards: compare the ledger with a backup before you write to it"
        }
        _ => {
            "stop writing to this ledger and compare it with the newest backup that audits clean (provender audit --ledger BACKUP/ledger.db)"
        }
    };
    Some(CliError::new(Exit::Integrity, "audit_failed", message).help(help))
}

/// Maps audit errors to exit codes.
pub(super) fn error(e: AuditError) -> CliError {
    let (code, message) = (e.code(), e.to_string());
    match e {
        AuditError::Proof(e) => refused(&e),
        AuditError::Rewritten { .. } => CliError::new(Exit::Integrity, code, message)
            .help("nothing was signed; compare the ledger with a backup of the checkpoint's time"),
        AuditError::Unprovable(_) => CliError::new(Exit::Integrity, code, message)
            .help("`provender audit` lists everything that is not what was recorded"),
        AuditError::Interrupted(e) => e.into(),
        AuditError::Ledger(e) => e.into(),
    }
}

/// Maps refused keys, checkpoints, proofs and bundles to exit codes.
pub(super) fn refused(e: &ProofError) -> CliError {
    let (code, message) = (e.code(), e.to_string());
    let page =
        "docs/reference/audit.md describes the forms of keys, checkpoints, proofs and bundles";
    match e {
        ProofError::Key { .. } | ProofError::Checkpoint { .. } | ProofError::Bundle { .. } => {
            CliError::new(Exit::Data, code, message).help(page)
        }
        ProofError::Signature { .. } => CliError::new(Exit::Integrity, code, message)
            .help("take the checkpoint from where it is kept, and the public key from its holder"),
        ProofError::Proof(_) => CliError::new(Exit::Integrity, code, message)
            .help("ask whoever gave it to you for another; `provender audit prove RUN` makes one"),
    }
}
