//! SIGTERM and SIGINT ask a command to stop between two batches. A second signal ends it at once.

use provender_domain::interrupt::Interrupt;

use super::error::CliError;
use super::exit::Exit;

/// Makes the two signals set the interrupt flag.
#[cfg(unix)]
pub(super) fn listen(interrupt: &Interrupt) -> Result<(), CliError> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;

    for signal in [SIGTERM, SIGINT] {
        // The order matters: the first signal must find the flag unset before it sets it.
        flag::register_conditional_default(signal, interrupt.flag())
            .and_then(|_| flag::register(signal, interrupt.flag()))
            .map_err(|e| {
                let message = format!("cannot listen for signals: {e}");
                CliError::new(Exit::Internal, "signals", message)
            })?;
    }
    Ok(())
}

/// Without these signals, a command always runs to its end.
#[cfg(not(unix))]
pub(super) fn listen(_: &Interrupt) -> Result<(), CliError> {
    Ok(())
}
