//! SIGTERM and SIGINT ask a command to stop between two batches; a second one ends it at once.

use provender_domain::interrupt::Interrupt;

use super::error::CliError;
use super::exit::Exit;

/// From now on the two signals ask for an end.
#[cfg(unix)]
pub(super) fn listen(interrupt: &Interrupt) -> Result<(), CliError> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;

    for signal in [SIGTERM, SIGINT] {
        // In this order: the first signal finds the flag down, and puts it up.
        flag::register_conditional_default(signal, interrupt.flag())
            .and_then(|_| flag::register(signal, interrupt.flag()))
            .map_err(|e| {
                let message = format!("cannot listen for signals: {e}");
                CliError::new(Exit::Internal, "signals", message)
            })?;
    }
    Ok(())
}

/// Where there are no such signals, a command ends when it is done.
#[cfg(not(unix))]
pub(super) fn listen(_: &Interrupt) -> Result<(), CliError> {
    Ok(())
}
