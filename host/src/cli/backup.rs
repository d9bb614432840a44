//! `backup`: a consistent copy of a live ledger, its manifests and its releases.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use clap::Args;
use serde_json::json;

use crate::failpoint;
use crate::project::folder::make_durably;
use crate::render::text::count;

use super::Global;
use super::context::Context;
use super::error::{CliError, DISK};
use super::exit::Exit;
use super::ui::{Done, Look, Text};

/// Name of the ledger in a backup.
const LEDGER: &str = "ledger.db";
/// Its name until everything else is there.
const PARTIAL: &str = "ledger.db.partial";
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
    let was_there = args.dir.exists();
    claim(args)?;
    let (copied, releases) = copies(&context, args).inspect_err(|_| {
        // Half a backup would pass for one, and be in the way of the next.
        clear(&args.dir, was_there);
    })?;
    let file = args.dir.join(LEDGER);
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
    let taken = || {
        let message = format!(
            "{} is not empty; a backup never overwrites",
            args.dir.display()
        );
        CliError::new(Exit::Io, "backup_exists", message)
    };
    make_durably(&args.dir).map_err(fail(args))?;
    let mut there = std::fs::read_dir(&args.dir).map_err(fail(args))?;
    if there.next().is_some() {
        return Err(taken());
    }
    match std::fs::create_dir(args.dir.join(MANIFESTS)) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(taken()),
        made => made.map_err(fail(args)),
    }
}

fn fail(args: &BackupArgs) -> impl Fn(io::Error) -> CliError + Copy + '_ {
    |e| {
        let message = format!("{}: {e}", args.dir.display());
        CliError::new(Exit::Io, "backup", message).help(DISK)
    }
}

/// How many files of manifests and of releases were copied.
fn copies(context: &Context, args: &BackupArgs) -> Result<(u64, u64), CliError> {
    let fail = fail(args);
    // The ledger first: every manifest that its rows name was durable before them. Under its name last: what
    // a killed process leaves is no backup.
    let partial = args.dir.join(PARTIAL);
    context.reader()?.backup(&partial)?;
    let settings = &context.project.settings;
    let manifests = context.project.folder(&settings.manifests.path)?;
    let copied = copy(&manifests, &args.dir.join(MANIFESTS)).map_err(fail)?;
    // Releases are in the store before an entry names them, like manifests.
    let releases = match context.project.dir.open_dir(&settings.releases.path) {
        Ok(store) => copy(&store, &args.dir.join(RELEASES)).map_err(fail)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => 0,
        Err(e) => return Err(fail(e)),
    };
    failpoint::hit("backup.before-name");
    std::fs::rename(partial, args.dir.join(LEDGER)).map_err(fail)?;
    sync(&args.dir).map_err(fail)?;
    Ok((copied, releases))
}

/// Removes what this process copied into a folder that was empty or not there.
fn clear(dir: &Path, was_there: bool) {
    // What makes it a backup goes first.
    let _ = std::fs::remove_file(dir.join(LEDGER));
    for part in [MANIFESTS, RELEASES] {
        let _ = std::fs::remove_dir_all(dir.join(part));
    }
    for beside in ["", "-journal", "-wal", "-shm"] {
        let _ = std::fs::remove_file(dir.join(format!("{PARTIAL}{beside}")));
    }
    if !was_there {
        let _ = std::fs::remove_dir(dir);
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

fn copy(from: &Dir, to: &Path) -> io::Result<u64> {
    std::fs::create_dir_all(to)?;
    let mut copied = 0;
    for entry in from.entries()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        // What is being written.
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copied += copy(&entry.open_dir()?, &target)?;
        } else {
            let mut source = entry.open()?;
            let mut file = std::fs::File::create_new(&target)?;
            io::copy(&mut source, &mut file)?;
            file.sync_all()?;
            copied += 1;
        }
    }
    sync(to)?;
    Ok(copied)
}
