//! Reads the repository through the program `git`: the base, what changed since, earlier states of files.
//!
//! Text from the command line or the repository is never passed where git could read it as an option, and no filter
//! or external program of the repository's configuration runs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use provender_domain::files::bounded;

use super::error::ContractError;

/// A repository and the base of a change.
#[derive(Clone, Debug)]
pub struct Repository {
    root: PathBuf,
    base: String,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is new.
    Added,
    /// Its content changed.
    Changed,
    /// It was removed.
    Removed,
}

/// A changed file; a renamed one is removed and added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Relative to the repository, with `/`.
    pub path: String,
    /// What happened.
    pub what: What,
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("--no-pager")
        .args(["-c", "core.fsmonitor=false", "-c", "core.quotepath=off"])
        .current_dir(folder)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    command
}

/// Those of the given files whose current state is not committed; `None` if the folder is not in a work
/// tree, or git is not installed.
#[must_use]
pub fn uncommitted(folder: &Path, files: &[&str]) -> Option<Vec<String>> {
    let mut args = vec![
        "status",
        "--porcelain=v1",
        "-z",
        "--untracked-files=all",
        "--",
    ];
    args.extend(files);
    let out = ask(folder, &args).ok()?.ok()?;
    let text = String::from_utf8_lossy(&out).into_owned();
    Some(
        text.split('\0')
            .filter_map(|line| line.get(3..))
            .map(|path| path.rsplit('/').next().unwrap_or(path).to_owned())
            .collect(),
    )
}

/// Standard output, or git's error message.
fn ask<A: AsRef<OsStr>>(
    folder: &Path,
    args: &[A],
) -> Result<Result<Vec<u8>, String>, ContractError> {
    let output = command(folder)
        .args(args)
        .output()
        .map_err(ContractError::NoGit)?;
    if output.status.success() {
        return Ok(Ok(output.stdout));
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Ok(Err(provender_domain::render::escape::terminal(
        words.trim(),
    )))
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = String> {
    bytes
        .split(|b| *b == 0)
        .filter(|part| !part.is_empty())
        .map(|part| String::from_utf8_lossy(part).into_owned())
}

impl Repository {
    /// The repository around `folder`, with the newest commit that `HEAD` shares with `base`. Later commits
    /// of `base` are not part of this change.
    ///
    /// # Errors
    /// If git is not installed, there is no repository, or the commit is not in this clone.
    pub fn open(folder: &Path, base: &str) -> Result<Repository, ContractError> {
        let root = ask(folder, &["rev-parse", "--show-toplevel"])?.map_err(|cause| {
            ContractError::NoRepository {
                folder: folder.display().to_string(),
                cause,
            }
        })?;
        let root = PathBuf::from(String::from_utf8_lossy(&root).trim_end_matches('\n'));
        let shallow = || -> Result<bool, ContractError> {
            let output = ask(&root, &["rev-parse", "--is-shallow-repository"])?;
            Ok(output.is_ok_and(|text| text.starts_with(b"true")))
        };
        let wanted = format!("{base}^{{commit}}");
        let args = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &wanted,
        ];
        let Ok(commit) = ask(&root, &args)? else {
            return Err(ContractError::NoBase {
                base: base.to_owned(),
                shallow: shallow()?,
            });
        };
        let commit = String::from_utf8_lossy(&commit).trim().to_owned();
        let Ok(common) = ask(&root, &["merge-base", &commit, "HEAD"])? else {
            return Err(ContractError::NoCommon {
                base: base.to_owned(),
                shallow: shallow()?,
            });
        };
        Ok(Repository {
            root,
            base: String::from_utf8_lossy(&common).trim().to_owned(),
        })
    }

    /// Where the working tree is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The base's commit.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    fn git(&self, args: &[&str]) -> Result<Vec<u8>, ContractError> {
        ask(&self.root, args)?.map_err(|cause| ContractError::Git {
            command: args.first().copied().unwrap_or_default().to_owned(),
            cause,
        })
    }

    /// What the working tree changes against the base, sorted by path.
    ///
    /// # Errors
    /// When git fails.
    pub fn changes(&self) -> Result<Vec<FileChange>, ContractError> {
        let options = [
            "diff",
            "--name-status",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            &self.base,
            "--",
        ];
        let output: Vec<_> = lines(&self.git(&options)?).collect();
        let mut changes: Vec<FileChange> = output
            .chunks_exact(2)
            .map(|pair| FileChange {
                path: pair[1].clone(),
                what: match pair[0].as_str() {
                    "A" => What::Added,
                    "D" => What::Removed,
                    _ => What::Changed,
                },
            })
            .collect();
        let unknown = self.git(&["ls-files", "--others", "--exclude-standard", "-z"])?;
        changes.extend(lines(&unknown).map(|path| FileChange {
            path,
            what: What::Added,
        }));
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }

    /// Every file of the base.
    ///
    /// # Errors
    /// When git fails.
    pub fn files_at_base(&self) -> Result<Vec<String>, ContractError> {
        let output = self.git(&[
            "ls-tree",
            "-r",
            "-z",
            "--name-only",
            "--full-tree",
            &self.base,
        ])?;
        Ok(lines(&output).collect())
    }

    /// A file as it was at the base, which must have had it.
    ///
    /// # Errors
    /// When git fails.
    pub fn at_base(&self, path: &str) -> Result<Vec<u8>, ContractError> {
        self.git(&["cat-file", "blob", &format!("{}:{path}", self.base)])
    }

    /// The current content of a file; `None` if it was removed.
    ///
    /// # Errors
    /// If it cannot be read, or is larger than any component may be.
    pub fn now(&self, path: &str) -> Result<Option<Vec<u8>>, ContractError> {
        match bounded::read_named(&self.root.join(path), bounded::COMPONENT_BYTES) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(ContractError::Io {
                path: path.to_owned(),
                cause,
            }),
        }
    }

    /// The values of every trailer `Approved-by:` in the commits since the base.
    ///
    /// # Errors
    /// When git fails.
    pub fn approvals(&self) -> Result<Vec<String>, ContractError> {
        let format = "--format=%(trailers:key=Approved-by,valueonly)";
        let output = self.git(&["log", format, &format!("{}..HEAD", self.base), "--"])?;
        let text = String::from_utf8_lossy(&output);
        Ok(text
            .lines()
            .map(|l| l.trim().to_owned())
            .filter(|l| !l.is_empty())
            .collect())
    }
}
