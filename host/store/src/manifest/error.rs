//! Errors of the manifest store.

use std::io;

use provender_domain::canonical::CanonicalError;

use crate::objects::ObjectError;

/// Why a manifest could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The disk refused.
    #[error("the manifest {path} could not be {verb}: {cause}")]
    Io {
        /// Path of the manifest, or `folder PATH` for the whole store.
        path: String,
        /// `written` or `read`.
        verb: &'static str,
        /// The system's error.
        cause: io::Error,
    },
    /// The name exists with other content.
    #[error(
        "the manifest {path} exists with other content than this run would write: {problem}. Nothing was recorded; run `provender audit` to see what else is damaged"
    )]
    Taken {
        /// Path of the manifest.
        path: String,
        /// What differs.
        problem: String,
    },
    /// The manifest differs from what was recorded.
    #[error("the manifest {path} is not what was recorded: {problem}")]
    Damaged {
        /// Path of the manifest.
        path: String,
        /// What differs.
        problem: String,
    },
    /// A number has no canonical form.
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
    /// A stable code for machines.
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
