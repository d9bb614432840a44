//! Decided by what a ledger holds, and again where another process recorded something in between.
//!
//! Nobody holds a lock while a decision is made. It is made by what was read, and appended only while that is
//! still the newest ([`crate::Write::append_expecting`]); if not, it is made again.

use crate::LedgerError;

/// How many attempts are made while other processes write. More is a fault to be reported.
pub const TRIES: u32 = 100;

/// Makes attempts until one comes to something. An attempt reads, decides and appends; it comes to nothing,
/// `None`, where [`unless_moved`] says that another process was faster.
///
/// # Errors
/// The attempt's own; [`LedgerError::Busy`] after [`TRIES`] of them.
///
/// ```
/// # use provender_ledger::{LedgerError, retry::retry};
/// let mut others = 3;
/// let won = retry(|| {
///     others -= 1;
///     Ok::<_, LedgerError>((others == 0).then_some("mine"))
/// });
/// assert_eq!(won?, "mine");
/// assert!(matches!(retry(|| Ok::<Option<()>, _>(None)), Err(LedgerError::Busy)));
/// # Ok::<_, LedgerError>(())
/// ```
pub fn retry<T, E: From<LedgerError>>(
    mut attempt: impl FnMut() -> Result<Option<T>, E>,
) -> Result<T, E> {
    let mut tries = 0;
    retry_always(|| {
        tries += 1;
        match tries > TRIES {
            true => Err(LedgerError::Busy.into()),
            false => attempt(),
        }
    })
}

/// Like [`retry`], however often: for what must be recorded whatever the others do. Each attempt that comes to
/// nothing means that another process got on, so this ends.
///
/// # Errors
/// The attempt's own.
pub fn retry_always<T, E>(mut attempt: impl FnMut() -> Result<Option<T>, E>) -> Result<T, E> {
    loop {
        if let Some(done) = attempt()? {
            return Ok(done);
        }
    }
}

/// What was appended, or `None` where another process was faster.
///
/// # Errors
/// Any other refusal of the ledger.
pub fn unless_moved<T>(appended: Result<T, LedgerError>) -> Result<Option<T>, LedgerError> {
    match appended {
        Err(LedgerError::Moved { .. }) => Ok(None),
        other => other.map(Some),
    }
}
