//! Decides from the current state, and decides again if the state changed before the decision was recorded.

use provender_ledger::EntryNumber;
use provender_ledger::entry::Stamp;
use provender_ledger::retry::{TRIES, retry, unless_moved};
use provender_ledger::{Payload, Write};

use super::ReleaseError;
use super::state::{KINDS, ReleaseState};

/// Retries if another process was faster. Use it only for decisions that hold regardless of what others do.
pub(super) fn whatever_happens<T>(
    decide: &mut dyn FnMut() -> Result<T, ReleaseError>,
) -> Result<T, ReleaseError> {
    for _ in 1..TRIES {
        match decide() {
            Err(ReleaseError::Overtaken { .. }) => {}
            other => return other,
        }
    }
    decide()
}

/// Decides from the current state, and again while `decide` returns `None` because something else was recorded
/// first. It never overrides another person's promotion, rollback or freeze: people must decide that.
pub(super) fn anew<T>(
    ledger: &dyn Write,
    decide: &mut dyn FnMut(&dyn Write, &ReleaseState) -> Result<Option<T>, ReleaseError>,
) -> Result<T, ReleaseError> {
    let mut before = ReleaseState::read(ledger, EntryNumber::LATEST)?;
    retry(|| {
        if let Some(done) = decide(ledger, &before)? {
            return Ok(Some(done));
        }
        let now = ReleaseState::read(ledger, EntryNumber::LATEST)?;
        if now.decided != before.decided {
            return Err(overtaken(&before, &now));
        }
        before = now;
        Ok(None)
    })
}

fn overtaken(before: &ReleaseState, now: &ReleaseState) -> ReleaseError {
    let found = match &now.hold {
        Some(hold) if before.hold.is_none() => format!(
            "{} froze promotions at {}: {}",
            hold.stamp.actor,
            hold.stamp.at,
            hold.stamp.reason.as_deref().unwrap_or_default()
        ),
        _ => now.text(),
    };
    ReleaseError::Overtaken { found }
}

/// Appends the entries and returns the last one; `None` if anything about releases was recorded since
/// `standing`.
pub(super) fn append(
    ledger: &dyn Write,
    standing: &ReleaseState,
    stamp: &Stamp,
    entries: &[Payload],
) -> Result<Option<EntryNumber>, ReleaseError> {
    let appended = ledger.append_expecting(stamp, entries, &KINDS, standing.last);
    Ok(unless_moved(appended)?.and_then(|entries| entries.last().map(|e| e.seq)))
}
