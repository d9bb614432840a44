//! `release export` and `release import`: move a release between deployments in one file.

use provender_ledger::EntryNumber;
use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::{CliError, DISK};
use crate::exit::Exit;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_domain::files::bounded;
use provender_domain::files::outfile;
use provender_domain::ids::ModelVersion;
use provender_domain::render::text::count;
use provender_host::release::{self, Archive, MOST_ARCHIVE_BYTES, ReleaseState};

use super::{ReleaseBrief, name_of};

/// Export a release to one file, with everything it needs to run and its evidence.
///
/// Example: provender release export R1 R1.tar
#[derive(Args)]
pub(crate) struct ExportArgs {
    /// The release: R3, 3, or the beginning of its digest.
    release: String,
    /// The file to write. An existing file with other content is never overwritten.
    file: PathBuf,
}

/// Import a release from a file. Every hash in it is checked; what is already known is kept. A damaged file is
/// refused with exit 11, and nothing of it is imported.
///
/// Example: provender release import R1.tar
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// The file that `release export` wrote.
    file: PathBuf,
    /// Import only if the file has this SHA-256, as `release export` printed it, or if the release has this
    /// digest. The release's digest does not cover the evidence in the file.
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
}

/// A release that was written to a file.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleaseExportAnswer<'a> {
    #[serde(flatten)]
    brief: ReleaseBrief<'a>,
    /// The file.
    file: String,
    /// SHA-256 of its bytes.
    sha256: Digest,
    /// Number of findings in it.
    evidence: usize,
}

/// A release that was imported from a file.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleaseImportAnswer<'a> {
    #[serde(flatten)]
    brief: ReleaseBrief<'a>,
    /// False if it was already known.
    new: bool,
    /// Number of findings that were not known before.
    evidence: usize,
    /// Versions that the import froze, as `name:version`.
    frozen: &'a [ModelVersion],
}

pub(super) fn export(global: &Global, args: &ExportArgs) -> Result<Done, CliError> {
    let context = Context::open_record(global)?;
    let standing = context.standing()?;
    let known = standing.find(&args.release)?;
    let archive = release::export(&*context.reader()?, &context.store()?, standing, known)?;
    let bytes = archive.pack()?;
    let file = args.file.display().to_string();
    write(&args.file, &bytes)?;
    let sha256 = Digest::of_bytes(&bytes);
    let mut text = Text::default();
    text.look(
        Look::Good,
        format!("wrote {} to {file}, {} bytes", name_of(known), bytes.len()),
    );
    text.line(format!("  release {}", known.digest));
    text.line(format!("  file    {sha256}"));
    text.line(format!(
        "next, in the deployment that is to run it: provender release import {file} --digest {sha256}"
    ));
    let answer = ReleaseExportAnswer {
        brief: ReleaseBrief::of(known, standing),
        file,
        sha256,
        evidence: archive.evidence.len(),
    };
    Ok(Done::ok(&answer, text))
}

/// Writes the whole file or nothing. An existing file with the same content is fine.
fn write(file: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let io = |e: std::io::Error| {
        CliError::new(
            Exit::Io,
            "release_io",
            format!("{} cannot be written: {e}", file.display()),
        )
        .help(DISK)
    };
    if file.exists() {
        let same = match bounded::read_named(file, bytes.len() as u64) {
            Ok(found) => found == bytes,
            Err(e) if e.kind() == std::io::ErrorKind::FileTooLarge => false,
            Err(e) => return Err(io(e)),
        };
        return match same {
            true => Ok(()),
            false => Err(CliError::new(
                Exit::Io,
                "release_exists",
                format!("{} already exists with other content", file.display()),
            )
            .help("give another name, or remove it")),
        };
    }
    outfile::create(file, bytes, false).map_err(io)
}

pub(super) fn import(global: &Global, args: &ImportArgs) -> Result<Done, CliError> {
    let context = Context::open_record(global)?;
    let file = args.file.display().to_string();
    let bytes = read(&args.file)?;
    let archive = Archive::unpack(&file, &bytes)?;
    let sha256 = Digest::of_bytes(&bytes);
    if let Some(asked) = &args.digest {
        only(asked, &file, &archive, &sha256)?;
    }
    let ledger = context.writer()?;
    let imported = release::import(
        &*ledger,
        &context.store()?,
        &archive,
        sha256,
        &context.stamp(None),
    )?;
    let standing = ReleaseState::read(&*ledger, EntryNumber::LATEST)?;
    let known = &imported.release;
    let mut text = Text::default();
    match (imported.new, imported.evidence) {
        (true, _) => text.look(Look::Good, format!("imported {}", name_of(known))),
        (false, 0) => text.line(format!("unchanged: {} is already known", name_of(known))),
        (false, n) => text.look(
            Look::Good,
            format!(
                "{} is already known; new findings about it: {n}",
                name_of(known)
            ),
        ),
    }
    text.line(format!("  {}", known.digest));
    text.line(format!(
        "  cut {} by {} in {}: {}",
        known.document.cut.at,
        known.document.cut.by,
        known.document.cut.environment,
        known.document.cut.reason
    ));
    text.line(format!(
        "  {} and {}, every hash checked",
        count(known.document.components.len() as u64, "component"),
        count(archive.evidence.len() as u64, "finding")
    ));
    if imported.new {
        let settings = &context.project.settings;
        let name = known.document.name();
        text.line(match settings.policy(&settings.environment).required {
            true => format!(
                "next: provender release evidence {name}, then release gate {name} --explain"
            ),
            false => format!("next: provender release promote {name} --reason TEXT"),
        });
    }
    let answer = ReleaseImportAnswer {
        brief: ReleaseBrief::of(known, &standing),
        new: imported.new,
        evidence: imported.evidence,
        frozen: &imported.frozen,
    };
    Ok(Done::ok(&answer, text))
}

/// Checks that the file or its release has the digest that was asked for.
fn only(asked: &str, file: &str, archive: &Archive, sha256: &Digest) -> Result<(), CliError> {
    let digest = archive.document.digest()?;
    let is = |d: &Digest| asked == d.to_string() || asked.len() >= 8 && d.hex().starts_with(asked);
    if is(sha256) || is(&digest) {
        return Ok(());
    }
    let name = archive.document.name();
    Err(CliError::new(
        Exit::Integrity,
        "release_archive",
        format!("{file} has the SHA-256 {sha256} and holds {name} with the digest {digest}; neither is {asked}"),
    )
    .help("compare with what `release export` printed, or with `release list` where it was exported; nothing was imported"))
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let fail = |e: std::io::Error| {
        let exit = match e.kind() {
            std::io::ErrorKind::NotFound => Exit::NotFound,
            _ => Exit::Io,
        };
        CliError::new(exit, "release_io", format!("{}: {e}", file.display()))
    };
    match bounded::read_named(file, MOST_ARCHIVE_BYTES) {
        Err(e) if e.kind() == std::io::ErrorKind::FileTooLarge => Err(CliError::new(
            Exit::Integrity,
            "release_archive",
            format!(
                "{} is larger than {MOST_ARCHIVE_BYTES} bytes, the limit of a release archive",
                file.display()
            ),
        )),
        read => read.map_err(fail),
    }
}
