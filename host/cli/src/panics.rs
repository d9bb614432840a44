//! A panic is a defect: it comes out as one error, with the place at which it happened and, where
//! `RUST_BACKTRACE` asks for it, the calls that led there.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo, UnwindSafe};
use std::sync::{Mutex, PoisonError};

use super::error::CliError;
use super::exit::Exit;

/// What a panic said when it happened, which its payload does not hold any more.
struct Seen {
    message: String,
    place: String,
    backtrace: Backtrace,
}

/// The panics of all threads in their order.
static SEEN: Mutex<Vec<Seen>> = Mutex::new(Vec::new());

/// Does the work; a panic of it, or of one of its threads that it passes on, becomes an error.
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
    // Threads may have panicked side by side: the one that was passed on is told by its message.
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
