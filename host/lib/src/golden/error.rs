//! How this room says no. A case that fails is no error: see [`super::judge::CaseVerdict`].

use provender_domain::ids::ModelVersion;
use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use provender_sandbox::LogicError;

/// Where in a file of cases something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct SourceLine {
    /// The file, as the caller named its folder.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
}

impl std::fmt::Display for SourceLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Cases that cannot be read or run.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// A folder or file cannot be read or written.
    #[error("{path} cannot be {what}: {cause}")]
    Io {
        /// Which one.
        path: String,
        /// `read` or `written`.
        what: &'static str,
        /// Why.
        cause: io::Error,
    },
    /// Not TOML, or not CSV.
    #[error("{file} is not {format}: {cause}")]
    Parse {
        /// Which file.
        file: String,
        /// `TOML` or `CSV`.
        format: &'static str,
        /// In the parser's words, with line and column.
        cause: String,
    },
    /// A field that makes no sense.
    #[error("{place}: {field}: {problem}")]
    Field {
        /// File and line.
        place: SourceLine,
        /// The case and the key, or the column.
        field: String,
        /// The value, what is wrong with it, and what would be right.
        problem: String,
    },
    /// A case that nobody has completed.
    #[error(
        "{place}: the case `{case}` expects nothing yet: DS fills in {fields}, so that it can hold or fail"
    )]
    Incomplete {
        /// Where the case stands.
        place: SourceLine,
        /// The case.
        case: String,
        /// What to fill in: keys or columns.
        fields: &'static str,
    },
    /// No case for this version.
    #[error("{folder} holds no golden case for {logic}{why}")]
    NoCases {
        /// The folder.
        folder: String,
        /// `name:version`.
        logic: ModelVersion,
        /// What it holds instead, as the end of the sentence.
        why: String,
    },
    /// A case that leaves a version out without a word.
    #[error(
        "{place}: the case `{case}` is not run for {logic}, and nothing says why: add {version} to its `versions`, or a [[supersede]] with version = \"{version}\", case = \"{case}\" and a reason"
    )]
    Unexplained {
        /// Where the case stands.
        place: SourceLine,
        /// The case.
        case: String,
        /// `name:version`.
        logic: ModelVersion,
        /// The version.
        version: String,
    },
    /// A case that is not the version's own to rewrite.
    #[error(
        "{place}: the case `{case}` also binds versions before {version}; --bless without --reason would change what they must give"
    )]
    Inherited {
        /// Where the case stands.
        place: SourceLine,
        /// The case.
        case: String,
        /// The version under test.
        version: String,
    },
    /// The sandbox itself failed.
    #[error(transparent)]
    Logic(#[from] LogicError),
}

impl GoldenError {
    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            GoldenError::Io { .. } => "golden_io",
            GoldenError::Parse { .. } | GoldenError::Field { .. } => "golden_invalid",
            GoldenError::Incomplete { .. } => "golden_incomplete",
            GoldenError::NoCases { .. } => "golden_missing",
            GoldenError::Unexplained { .. } => "golden_unexplained",
            GoldenError::Inherited { .. } => "golden_inherited",
            GoldenError::Logic(e) => e.code(),
        }
    }
}
