//! A request to stop. Long work stops between two batches, so that nothing is half-written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether work has been asked to stop. Clones share this state. By default nobody asks.
///
/// ```
/// use provender_domain::interrupt::{Interrupt, Interrupted};
///
/// let interrupt = Interrupt::default();
/// let work = interrupt.clone();
/// assert_eq!(work.check(), Ok(()));
/// interrupt.ask();
/// assert_eq!(work.check(), Err(Interrupted));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks the work to stop after the current batch.
    pub fn ask(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether work has been asked to stop.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Fails if work has been asked to stop. Called between two batches.
    ///
    /// # Errors
    /// If work has been asked to stop.
    pub fn check(&self) -> Result<(), Interrupted> {
        match self.is_asked() {
            true => Err(Interrupted),
            false => Ok(()),
        }
    }

    /// The flag itself, for a signal handler to set.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// Work was asked to stop, and stopped between two batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted between two batches; finished work is kept")]
pub struct Interrupted;
