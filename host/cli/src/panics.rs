//! Turns a panic into one error with its source location and, if `RUST_BACKTRACE` is set, a backtrace.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo, UnwindSafe};
use std::sync::{Mutex, PoisonError};

use super::error::CliError;
use super::exit::Exit;

/// A panic as the hook saw it. The payload that `catch_unwind` returns has neither location nor
/// backtrace.
struct Seen {
    message: String,
    place: String,
    backtrace: Backtrace,
}

/// The panics of all threads, in order.
static SEEN: Mutex<Vec<Seen>> = Mutex::new(Vec::new());

/// Runs the work and turns a panic into an error, including one that the work passes on from its
/// threads.
pub(super) fn caught(work: impl FnOnce() -> Exit + UnwindSafe) -> Result<Exit, CliError> {
    panic::set_hook(Box::new(see));
    let outcome = panic::catch_unwind(work);
    let _ = panic::take_hook();
    outcome.map_err(|cause| error(&*cause))
}

fn see(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    SEEN.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Seen {
            message: message(panic.payload()),
            place: place.unwrap_or_else(|| "an unknown place".to_owned()),
            backtrace: Backtrace::capture(),
        });
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

fn error(payload: &(dyn Any + Send)) -> CliError {
    let message = message(payload);
    let mut text = format!("this is a defect of provender: {message}");
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Several threads may have panicked: the one that was passed on is recognized by its message.
    let of_it = seen.iter().rev().find(|s| s.message == message);
    if let Some(seen) = of_it {
        text.push_str(&format!("\n  at {}", seen.place));
        if seen.backtrace.status() == BacktraceStatus::Captured {
            text.push_str(format!("\n{}", seen.backtrace).trim_end());
        }
    }
    CliError::new(Exit::Internal, "internal", text)
        .help("please report it with the command and its input; no partial work was recorded")
}
