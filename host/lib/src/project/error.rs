//! How a deployment's files say no.

use std::path::PathBuf;
use std::sync::Arc;

/// A configuration that cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProjectError {
    /// No folder of a deployment here or above.
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
    /// Not TOML, or not of the documented form.
    #[error("{file} is not usable: {cause}")]
    Parse {
        /// Which file.
        file: String,
        /// What the parser says, with line and column.
        cause: String,
    },
    /// A value that makes no sense.
    #[error("{file}: {key} = {value}: {problem}")]
    Value {
        /// Which file.
        file: String,
        /// Dotted key.
        key: String,
        /// The value as written.
        value: String,
        /// What is wrong, and what would be right.
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
