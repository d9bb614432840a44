//! Errors in a deployment's files.

use std::path::PathBuf;
use std::sync::Arc;

/// Why a deployment's configuration cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProjectError {
    /// There is no deployment folder at this path or above it.
    #[error("no provender.toml in {} or any folder above it: create a deployment folder with `provender init`, or name one with --project", .0.display())]
    NotFound(PathBuf),
    /// A file cannot be read.
    #[error("{file} cannot be read: {cause}")]
    Read {
        /// Which file.
        file: String,
        /// Why.
        cause: Arc<std::io::Error>,
    },
    /// A file cannot be written or a folder made.
    #[error("{file} cannot be written: {cause}")]
    Write {
        /// Which file.
        file: String,
        /// Why.
        cause: Arc<std::io::Error>,
    },
    /// A file is not TOML, or has unknown or malformed keys.
    #[error("{file} is not usable: {cause}")]
    Parse {
        /// Which file.
        file: String,
        /// The parser's message, with line and column.
        cause: String,
    },
    /// A setting has an invalid value.
    #[error("{file}: {key} = {value}: {problem}")]
    Value {
        /// Which file.
        file: String,
        /// Its dotted key.
        key: String,
        /// The value as written.
        value: String,
        /// What is wrong, and what to write instead.
        problem: String,
    },
}

impl ProjectError {
    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ProjectError::NotFound(_) => "project_not_found",
            ProjectError::Read { .. } => "config_unreadable",
            ProjectError::Write { .. } => "folder_unwritable",
            ProjectError::Parse { .. } => "config_invalid",
            ProjectError::Value { .. } => "config_value",
        }
    }
}
