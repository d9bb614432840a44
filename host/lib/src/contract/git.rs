//! Reads the repository through the program `git`: the base, what changed since, earlier states of files.
//!
//! A checkout can come from a stranger, and its configuration names programs that git starts: filters, hooks,
//! fsmonitor, pagers, signature checks, transports of partial clones. So git is asked with the checkout's own
//! configuration only where a folder, a commit or one setting is looked up. Everything else is asked of a
//! [`CleanGitDir`]: the same objects and index, with a configuration written here.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use provender_domain::files::bounded;
use tempfile::TempDir;

use super::error::ContractError;

/// A repository and the base of a change.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    git: CleanGitDir,
    base: String,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// It is new.
    Added,
    /// Its content changed.
    Changed,
    /// It was removed.
    Removed,
}

/// A changed file; a renamed one is removed and added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileChange {
    /// Relative to the repository, with `/`.
    pub(crate) path: String,
    /// What happened.
    pub(crate) what: What,
}

/// Settings of a checkout that say how its files are stored, and start no program.
const STORAGE_SETTINGS: [&str; 7] = [
    "core.autocrlf",
    "core.eol",
    "core.fileMode",
    "core.ignoreCase",
    "core.precomposeUnicode",
    "core.symlinks",
    "core.sparseCheckout",
];

fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("--no-pager")
        .args(["-c", "core.fsmonitor=false", "-c", "core.quotepath=off"])
        .args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "protocol.allow=never",
        ])
        .args(["-c", "log.showSignature=false"])
        .current_dir(folder)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    for name in [
        "GIT_EXTERNAL_DIFF",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_ASKPASS",
    ] {
        command.env_remove(name);
    }
    command
}

/// Standard output, or git's error message.
fn ask<A: AsRef<OsStr>>(
    command: Command,
    args: &[A],
) -> Result<Result<Vec<u8>, String>, ContractError> {
    let mut command = command;
    let output = command.args(args).output().map_err(ContractError::NoGit)?;
    if output.status.success() {
        return Ok(Ok(output.stdout));
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Ok(Err(provender_domain::render::escape::terminal(
        words.trim(),
    )))
}

/// One line of text that git printed.
fn line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .trim_end_matches('\n')
        .to_owned()
}

/// A second git directory for a checkout, in a temporary folder: the checkout's objects and index, and `HEAD` as a
/// commit, but none of its configuration, hooks, attributes and remotes.
#[derive(Clone, Debug)]
struct CleanGitDir {
    folder: Arc<TempDir>,
    /// The checkout's working tree.
    root: PathBuf,
    index: PathBuf,
    objects: PathBuf,
}

impl CleanGitDir {
    /// For the checkout around `folder`. The inner error is git's message.
    fn of(folder: &Path) -> Result<Result<CleanGitDir, String>, ContractError> {
        let look_up = |args: &[&str]| ask(command(folder), args);
        let root = match look_up(&["rev-parse", "--show-toplevel"])? {
            Ok(root) => PathBuf::from(line(&root)),
            Err(cause) => return Ok(Err(cause)),
        };
        let path = |name: &str| -> Result<Result<PathBuf, String>, ContractError> {
            let found = look_up(&["rev-parse", "--git-path", name])?;
            // Relative to the folder in which git was started.
            Ok(found.map(|bytes| folder.join(line(&bytes))))
        };
        let absolute =
            |found: PathBuf| std::path::absolute(&found).map_err(ContractError::TemporaryFolder);
        let (index, objects, shallow) = match (path("index")?, path("objects")?, path("shallow")?) {
            (Ok(index), Ok(objects), Ok(shallow)) => {
                (absolute(index)?, absolute(objects)?, absolute(shallow)?)
            }
            (Err(cause), _, _) | (_, Err(cause), _) | (_, _, Err(cause)) => return Ok(Err(cause)),
        };
        let head = look_up(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?.ok();
        let format = look_up(&["rev-parse", "--show-object-format"])?;
        let mut config = match format.as_deref().map(line).as_deref() {
            Ok("sha256") => {
                "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n"
            }
            _ => "[core]\n\trepositoryformatversion = 0\n",
        }
        .to_owned();
        for name in STORAGE_SETTINGS {
            if let Ok(value) = look_up(&["config", "--get", name])?
                && let value = line(&value)
                && value.bytes().all(|b| b.is_ascii_alphanumeric())
                && let Some((section, key)) = name.split_once('.')
            {
                config += &format!("[{section}]\n\t{key} = {value}\n");
            }
        }
        let clean = write_git_dir(&config, head.as_deref(), &index, &shallow)
            .map_err(ContractError::TemporaryFolder)?;
        Ok(Ok(CleanGitDir {
            folder: Arc::new(clean),
            root,
            index,
            objects,
        }))
    }

    /// Standard output, or git's error message.
    fn ask<A: AsRef<OsStr>>(&self, args: &[A]) -> Result<Result<Vec<u8>, String>, ContractError> {
        let mut command = command(&self.root);
        command
            .env("GIT_DIR", self.folder.path())
            .env("GIT_WORK_TREE", &self.root)
            .env("GIT_INDEX_FILE", &self.index)
            .env("GIT_OBJECT_DIRECTORY", &self.objects)
            .env_remove("GIT_COMMON_DIR")
            .env_remove("GIT_ATTR_SOURCE");
        ask(command, args)
    }
}

/// The files of a git directory in a new temporary folder.
fn write_git_dir(
    config: &str,
    head: Option<&[u8]>,
    index: &Path,
    shallow: &Path,
) -> std::io::Result<TempDir> {
    let clean = tempfile::Builder::new()
        .prefix("provender-git-")
        .tempdir()?;
    let inside = |name: &str| clean.path().join(name);
    fs::create_dir(inside("refs"))?;
    fs::write(inside("config"), config)?;
    fs::write(inside("HEAD"), head.unwrap_or(b"ref: refs/heads/unborn\n"))?;
    match fs::copy(shallow, inside("shallow")) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    // A split index names a second file, which git expects in its directory.
    let Some(beside) = index.parent() else {
        return Ok(clean);
    };
    for entry in fs::read_dir(beside)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("sharedindex.") {
            fs::copy(entry.path(), clean.path().join(name))?;
        }
    }
    Ok(clean)
}

/// Those of the given files whose current state is not committed; `None` if the folder is not in a work
/// tree, or git is not installed.
#[must_use]
pub(crate) fn uncommitted(folder: &Path, files: &[&str]) -> Option<Vec<String>> {
    let git = CleanGitDir::of(folder).ok()?.ok()?;
    let mut args = vec![
        "status".into(),
        "--porcelain=v1".into(),
        "-z".into(),
        "--untracked-files=all".into(),
        "--ignore-submodules=dirty".into(),
        "--".into(),
    ];
    let folder = fs::canonicalize(folder).ok()?;
    args.extend(files.iter().map(|file| folder.join(file).into_os_string()));
    let out = git.ask(&args).ok()?.ok()?;
    let text = String::from_utf8_lossy(&out).into_owned();
    Some(
        text.split('\0')
            .filter_map(|line| line.get(3..))
            .map(|path| path.rsplit('/').next().unwrap_or(path).to_owned())
            .collect(),
    )
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
    pub(crate) fn open(folder: &Path, base: &str) -> Result<Repository, ContractError> {
        let git = CleanGitDir::of(folder)?.map_err(|cause| ContractError::NoRepository {
            folder: folder.display().to_string(),
            cause,
        })?;
        let shallow = || -> Result<bool, ContractError> {
            let output = git.ask(&["rev-parse", "--is-shallow-repository"])?;
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
        // The clean directory has no branches: names of commits are looked up in the checkout.
        let Ok(commit) = ask(command(folder), &args)? else {
            return Err(ContractError::NoBase {
                base: base.to_owned(),
                shallow: shallow()?,
            });
        };
        let commit = line(&commit);
        let Ok(common) = git.ask(&["merge-base", &commit, "HEAD"])? else {
            return Err(ContractError::NoCommon {
                base: base.to_owned(),
                shallow: shallow()?,
            });
        };
        let base = line(&common);
        Ok(Repository { git, base })
    }

    /// Where the working tree is.
    #[must_use]
    pub(crate) fn root(&self) -> &Path {
        &self.git.root
    }

    /// The base's commit.
    #[must_use]
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    fn git(&self, args: &[&str]) -> Result<Vec<u8>, ContractError> {
        self.git.ask(args)?.map_err(|cause| ContractError::Git {
            command: args.first().copied().unwrap_or_default().to_owned(),
            cause,
        })
    }

    /// What the working tree changes against the base, sorted by path.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn changes(&self) -> Result<Vec<FileChange>, ContractError> {
        let options = [
            "diff",
            "--name-status",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            "--ignore-submodules=dirty",
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
    pub(crate) fn files_at_base(&self) -> Result<Vec<String>, ContractError> {
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
    pub(crate) fn at_base(&self, path: &str) -> Result<Vec<u8>, ContractError> {
        self.git(&["cat-file", "blob", &format!("{}:{path}", self.base)])
    }

    /// The current content of a file; `None` if it was removed.
    ///
    /// # Errors
    /// If it cannot be read, or is larger than any component may be.
    pub(crate) fn now(&self, path: &str) -> Result<Option<Vec<u8>>, ContractError> {
        match bounded::read_named(&self.git.root.join(path), bounded::COMPONENT_BYTES) {
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
    pub(crate) fn approvals(&self) -> Result<Vec<String>, ContractError> {
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
