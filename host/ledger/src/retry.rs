//! Repeats a decision if another process recorded something in between.
//!
//! No lock is held while deciding. A decision is based on what was read, and appended only if that is still the
//! newest ([`crate::Write::append_expecting`]); otherwise it is made again.

use crate::LedgerError;

/// Most attempts while other processes write. More indicate a fault.
pub const TRIES: u32 = 100;

/// Repeats attempts until one succeeds. An attempt reads, decides and appends; it returns `None` if
/// [`unless_moved`] finds that another process was faster.
///
/// # Errors
/// The attempt's own error; [`LedgerError::Busy`] after [`TRIES`] attempts.
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
