//! How a row says that it cannot be computed. A missing input that the logic expects to be missing
//! now and then is not an error: give null and a reason.

use crate::contract::Failure;

/// Why a row cannot be computed at all. `?` turns a `String` or `&str` into [`RowError::Internal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowError {
    /// An input holds what cannot be: a negative area, a day before the calendar.
    Input {
        /// Name of the input, as declared.
        name: &'static str,
        /// What is wrong with it, a whole sentence.
        message: String,
    },
    /// Anything else.
    Internal(String),
}

impl RowError {
    /// An input that holds what cannot be.
    pub fn input(name: &'static str, message: impl Into<String>) -> RowError {
        RowError::Input {
            name,
            message: message.into(),
        }
    }
}

impl From<String> for RowError {
    fn from(message: String) -> RowError {
        RowError::Internal(message)
    }
}

impl From<&str> for RowError {
    fn from(message: &str) -> RowError {
        RowError::Internal(message.to_owned())
    }
}

/// The failure of a whole call, from the failure of one of its rows.
#[must_use]
#[cold]
pub(crate) fn row_failure(row: usize, error: RowError) -> Failure {
    match error {
        RowError::Input { name, message } => {
            Failure::InvalidInput((name.to_owned(), u32::try_from(row).ok(), message))
        }
        RowError::Internal(message) => Failure::Internal(format!("row {row}: {message}")),
    }
}
