//! `backup`: a consistent copy of a live ledger, its manifests and its releases.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use clap::Args;
use serde_json::json;

use crate::render::text::count;

use super::Global;
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::ui::{Done, Look, Text};

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
    let fail =
        |e: io::Error| CliError::new(Exit::Io, "backup", format!("{}: {e}", args.dir.display()));
    if args.dir.exists() && std::fs::read_dir(&args.dir).map_err(fail)?.next().is_some() {
        return Err(CliError::new(
            Exit::Io,
            "backup_exists",
            format!(
                "{} is not empty; a backup never overwrites",
                args.dir.display()
            ),
        ));
    }
    std::fs::create_dir_all(&args.dir).map_err(fail)?;
    // The ledger first: every manifest that its rows name was durable before them.
    let file = args.dir.join("ledger.db");
    context.reader()?.backup(&file)?;
    let manifests = context
        .project
        .folder(&context.project.settings.manifests.path)?;
    let copied = copy(&manifests, &args.dir.join("manifests")).map_err(fail)?;
    // Releases are in the store before an entry names them, like manifests.
    let releases = match context
        .project
        .dir
        .open_dir(&context.project.settings.releases.path)
    {
        Ok(store) => copy(&store, &args.dir.join("releases")).map_err(fail)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => 0,
        Err(e) => return Err(fail(e)),
    };
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
    Ok(copied)
}
