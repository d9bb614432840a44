//! `backup`: a consistent copy of a live ledger, its manifests and its releases.

use std::io;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::Dir;
use clap::Args;
use serde_json::json;

use provender_domain::failpoint;
use provender_domain::files::durable::{self, make_durably};
use provender_domain::files::outfile::Together;
use provender_domain::interrupt::{Interrupt, Interrupted};
use provender_domain::render::text::count;
use provender_host::release::prune::newest;
use provender_ledger::LedgerError;
use provender_ledger::admin::Backup;

use super::Global;
use super::context::Context;
use super::error::{CliError, DISK};
use super::exit::Exit;
use super::ui::{Done, Look, Text};

const ELSEWHERE: &str = "name a folder that is not there yet; nothing was changed";
const MANIFESTS: &str = "manifests";
const RELEASES: &str = "releases";

/// Copy the ledger, its manifests and the release store while others go on writing; read the copy
/// with --ledger.
///
/// Example: provender backup backups/2025-06-30
#[derive(Args)]
pub(super) struct BackupArgs {
    /// A folder that does not exist yet, or is empty.
    dir: PathBuf,
}

pub(super) fn run(global: &Global, args: &BackupArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    outside(&context, args)?;
    // Folders that are made for it go again where it fails.
    let mut made = Together::default();
    made.folder(&args.dir).map_err(fail(args))?;
    claim(args)?;
    let (copied, releases) = copies(&context, args, &global.interrupt).inspect_err(|_| {
        // Half a backup would pass for one, and be in the way of the next.
        clear(&args.dir);
    })?;
    made.keep();
    let file = args.dir.join(Backup::NAME);
    let mut text = Text::default();
    text.look(
        Look::Good,
        format!(
            "copied the ledger, {} and {} of releases to {}",
            count(copied, "manifest"),
            count(releases, "file"),
            args.dir.display()
        ),
    );
    text.line(format!(
        "read it with: provender list --ledger {}",
        file.display()
    ));
    let data = json!({"ledger": file.display().to_string(), "manifests": copied, "release_files": releases});
    Ok(Done::ok(data, text))
}

/// Begins a backup in a folder that is empty or not there: of two that begin at once, one.
fn claim(args: &BackupArgs) -> Result<(), CliError> {
    let refused = |problem: &str, help: &str| {
        let message = format!("{} {problem}", args.dir.display());
        CliError::new(Exit::Io, "backup_exists", message).help(help)
    };
    make_durably(&args.dir).map_err(fail(args))?;
    let taken = || match args.dir.join(Backup::NAME).exists() || !args.dir.join(MANIFESTS).exists()
    {
        true => refused("is not empty; a backup never overwrites", ELSEWHERE),
        false => refused(
            &format!(
                "holds a backup without {}, which is still being made or was killed",
                Backup::NAME
            ),
            "where none is being made remove the folder, or name another one; nothing was changed",
        ),
    };
    let mut there = std::fs::read_dir(&args.dir).map_err(fail(args))?;
    if there.next().is_some() {
        return Err(taken());
    }
    match std::fs::create_dir(args.dir.join(MANIFESTS)) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(taken()),
        made => made.map_err(fail(args)),
    }
}

/// Refuses a place that is no folder, or that lies inside one of the folders that are copied: the copy would hold
/// itself.
fn outside(context: &Context, args: &BackupArgs) -> Result<(), CliError> {
    if args.dir.metadata().is_ok_and(|there| !there.is_dir()) {
        let message = format!(
            "{} is no folder; a backup never overwrites",
            args.dir.display()
        );
        return Err(CliError::new(Exit::Io, "backup_exists", message).help(ELSEWHERE));
    }
    let settings = &context.project.settings;
    for folder in [&settings.manifests.path, &settings.releases.path] {
        let from = context.project.root.join(folder).canonicalize();
        let (Ok(from), Some(to)) = (from, resolved(&args.dir)) else {
            continue;
        };
        // A link that leads elsewhere is not copied.
        if to.starts_with(&from) && context.project.dir.is_dir(folder) {
            let message = format!(
                "{} lies in {folder}, which is copied; a backup cannot hold itself",
                args.dir.display()
            );
            return Err(CliError::new(Exit::Usage, "backup_inside", message)
                .help("name a folder elsewhere, on another disk at best"));
        }
    }
    Ok(())
}

/// Where a path leads when the folders on the way are made that are missing.
fn resolved(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let there = |p: &&Path| p.canonicalize().is_ok();
    let known = path.ancestors().find(there)?;
    let mut resolved = known.canonicalize().ok()?;
    for part in path.strip_prefix(known).ok()?.components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            part => resolved.push(part),
        }
    }
    Some(resolved)
}

fn fail(args: &BackupArgs) -> impl Fn(io::Error) -> CliError + Copy + '_ {
    |e| {
        if e.get_ref().is_some_and(|cause| cause.is::<Interrupted>()) {
            let stopped = CliError::from(Interrupted);
            return CliError::new(
                stopped.exit,
                &stopped.code,
                "interrupted: nothing of it is kept",
            )
            .help("run the command again");
        }
        let message = format!("{}: {e}", args.dir.display());
        CliError::new(Exit::Io, "backup", message).help(DISK)
    }
}

/// How often a backup is begun anew for removals beside it.
const TRIES: usize = 5;

/// How many files of manifests and of releases were copied.
fn copies(
    context: &Context,
    args: &BackupArgs,
    interrupt: &Interrupt,
) -> Result<(u64, u64), CliError> {
    let _phase = tracing::info_span!(target: "provender::phase", "backup").entered();
    let fail = fail(args);
    let ledger = context.reader()?;
    let admin = context.ledger().admin();
    for _ in 0..TRIES {
        // The ledger first: every manifest that its rows name, and every release of its entries, was durable
        // before them. Under its name last: what a killed process leaves is no backup.
        let pruned = newest(&*ledger)?;
        let backup = admin.back_up(&args.dir)?;
        failpoint::hit("backup.before-manifests");
        let settings = &context.project.settings;
        let all = |path: &str, to: &str| match context.project.dir.open_dir(path) {
            Ok(from) => copy(&from, &args.dir.join(to), interrupt),
            Err(e) => match durable::obstacle(&context.project.dir, path) {
                None if e.kind() == io::ErrorKind::NotFound => Ok(0),
                None => Err(e),
                Some(obstacle) => Err(io::Error::new(e.kind(), obstacle)),
            },
        };
        let copied = all(&settings.manifests.path, MANIFESTS).map_err(fail)?;
        let releases = all(&settings.releases.path, RELEASES).map_err(fail)?;
        // What was pruned meanwhile may lack in the store's copy, and is not pruned in the ledger's.
        if newest(&*ledger)? == pruned {
            failpoint::hit("backup.before-name");
            backup.publish().map_err(fail)?;
            sync(&args.dir).map_err(fail)?;
            return Ok((copied, releases));
        }
        drop(backup);
        discard(&args.dir);
        std::fs::create_dir(args.dir.join(MANIFESTS)).map_err(fail)?;
    }
    Err(LedgerError::Busy.into())
}

/// Removes what this process copied into a folder that was empty or not there.
fn clear(dir: &Path) {
    // What makes it a backup goes first.
    let _ = std::fs::remove_file(dir.join(Backup::NAME));
    discard(dir);
}

/// Removes what is no backup yet.
fn discard(dir: &Path) {
    for part in [MANIFESTS, RELEASES] {
        let _ = std::fs::remove_dir_all(dir.join(part));
    }
}

/// Makes the names in a folder durable.
fn sync(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    std::fs::File::open(dir)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

fn copy(from: &Dir, to: &Path, interrupt: &Interrupt) -> io::Result<u64> {
    std::fs::create_dir_all(to)?;
    let mut copied = 0;
    for entry in from.entries()? {
        interrupt.check().map_err(io::Error::other)?;
        let entry = entry?;
        let target = to.join(entry.file_name());
        // What is being written.
        let name = entry.file_name();
        if name == durable::OF_THE_DISK || name.to_string_lossy().starts_with('.') {
            continue;
        }
        let kind = entry.file_type()?;
        if !kind.is_dir() && !kind.is_file() && !kind.is_symlink() {
            let problem = format!("{} is a pipe or a device, and no file", name.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        if kind.is_dir() {
            copied += copy(&entry.open_dir()?, &target, interrupt)?;
        } else {
            let mut source = match entry.open() {
                Ok(source) => source,
                // Of a release that is being pruned; a manifest that is gone is for an audit to find.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(e),
            };
            let mut file = std::fs::File::create_new(&target)?;
            io::copy(&mut source, &mut file)?;
            file.sync_all()?;
            copied += 1;
        }
    }
    sync(to)?;
    Ok(copied)
}
