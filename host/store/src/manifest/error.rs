//! How the room says no.

use std::io;

use provender_domain::canonical::CanonicalError;

use crate::objects::ObjectError;

/// How the store says no.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The disk refused.
    #[error("the manifest {path} could not be {verb}: {cause}")]
    Io {
        /// Path of the manifest; `folder PATH` where it is that of all of them.
        path: String,
        /// `written` or `read`.
        verb: &'static str,
        /// Why.
        cause: io::Error,
    },
    /// A name is taken by other content.
    #[error(
        "the manifest {path} exists and is not what this run would write: {problem}. Nothing was recorded; `provender audit` tells what else is damaged"
    )]
    Taken {
        /// Path of the manifest.
        path: String,
        /// What differs.
        problem: String,
    },
    /// A recorded manifest is not what was recorded.
    #[error("the manifest {path} is not what was recorded: {problem}")]
    Damaged {
        /// Path of the manifest.
        path: String,
        /// What differs.
        problem: String,
    },
    /// A number without a canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

impl From<ObjectError> for ManifestError {
    fn from(e: ObjectError) -> ManifestError {
        match e {
            ObjectError::Place { path, verb, cause } => ManifestError::Io {
                path: format!("folder {path}"),
                verb,
                cause,
            },
            ObjectError::Object { path, verb, cause } => ManifestError::Io { path, verb, cause },
        }
    }
}

impl ManifestError {
    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ManifestError::Io { .. } => "manifest_io",
            ManifestError::Taken { .. } => "manifest_taken",
            ManifestError::Damaged { .. } => "manifest_damaged",
            ManifestError::Canonical(_) => "not_canonical",
        }
    }
}
