//! Errors of the release contract. A broken rule is not one: see [`super::rule::ContractFinding`].

/// A contract that cannot be judged. Inability to check is never a pass.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The program `git` is not there or cannot be started.
    #[error("git could not be started: {0}")]
    NoGit(std::io::Error),
    /// The temporary folder with git's settings cannot be made.
    #[error("a temporary folder with settings for git cannot be made: {0}")]
    TemporaryFolder(std::io::Error),
    /// No repository around the folder.
    #[error("{folder} is not in a git repository, so there is no base to compare with: {cause}")]
    NoRepository {
        /// The folder.
        folder: String,
        /// git's error message.
        cause: String,
    },
    /// The base is not in this clone.
    #[error(
        "the base `{base}` is not in this {}", if *.shallow { "clone, which is shallow" } else { "repository" }
    )]
    NoBase {
        /// The revision.
        base: String,
        /// Whether the clone lacks a part of the history.
        shallow: bool,
    },
    /// No common commit.
    #[error(
        "`{base}` and HEAD share no commit in this {}", if *.shallow { "clone, which is shallow" } else { "repository" }
    )]
    NoCommon {
        /// The revision.
        base: String,
        /// Whether the clone lacks a part of the history.
        shallow: bool,
    },
    /// git failed for another reason.
    #[error("git {command} failed: {cause}")]
    Git {
        /// The command.
        command: String,
        /// In git's words.
        cause: String,
    },
    /// A file cannot be read.
    #[error("{path} cannot be read: {cause}")]
    Io {
        /// Which one.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// A file at the base cannot be used.
    #[error("{path}, as it was at the base: {cause}")]
    AtBase {
        /// Which one.
        path: String,
        /// Why.
        cause: String,
    },
}

impl ContractError {
    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ContractError::NoGit(_) => "git_missing",
            ContractError::NoRepository { .. } => "repository_missing",
            ContractError::NoBase { .. } => "base_missing",
            ContractError::NoCommon { .. } => "base_unrelated",
            ContractError::Git { .. } => "git_failed",
            ContractError::Io { .. } | ContractError::TemporaryFolder(_) => "contract_io",
            ContractError::AtBase { .. } => "base_invalid",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            ContractError::NoGit(_) => Some("install git; the release contract is read from its history".to_owned()),
            ContractError::NoBase {
                base,
                shallow: true,
            } if is_relative(base) => Some(format!(
                "`{base}` counts back from a commit, past what this clone has: git fetch --deepen=100 origin, or git fetch --unshallow origin; in GitHub Actions set fetch-depth: 0 for actions/checkout"
            )),
            ContractError::NoBase {
                base,
                shallow: true,
            } => {
                let name = base.strip_prefix("origin/").unwrap_or(base);
                Some(format!(
                    "fetch it: git fetch --depth=100 origin {name}{}; in GitHub Actions set fetch-depth: 0 for actions/checkout",
                    if name == base { String::new() } else { format!(":refs/remotes/{base}") }
                ))
            }
            ContractError::NoBase { .. } => Some("name a commit, tag or branch of this repository, such as origin/main".to_owned()),
            ContractError::NoCommon { shallow: true, .. } => Some("fetch more of the history: git fetch --unshallow origin, or git fetch --deepen=100 origin".to_owned()),
            _ => None,
        }
    }
}

/// Whether a revision is relative to another one, such as `HEAD~3` or `main^`; it cannot be fetched by that name.
fn is_relative(base: &str) -> bool {
    base == "HEAD" || base.contains(['~', '^', ':']) || base.contains("@{")
}
