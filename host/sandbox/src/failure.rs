//! Failures of calls: stable codes, backtraces and panic messages.
//!
//! A guest without imports cannot print. Its panic hook instead writes a note into its own memory, which survives
//! the trap. The host reads it from the dead store, whose guest can no longer be called:
//!
//! ```text
//! 16-byte aligned:  "provender-panic" 0x01 · length u32 little endian · UTF-8 text
//! ```
//!
//! The note is static data with length 0 until the guest panics. The SDK writes it, and guests in other languages
//! may do the same. Without a note there is only the backtrace.

use wasmtime::{AsContext, Error, Trap, WasmBacktrace, WasmCoreDump};

use super::backtrace::Trace;
use super::deadline::DeadlinePassed;
use super::limits::LimitReached;

/// Why a row failed, or a component failed to load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureCode {
    /// The guest used up its fuel.
    OutOfFuel,
    /// The guest used up its processor time, in work that costs no fuel.
    Deadline,
    /// The guest asked for more memory or table elements than allowed.
    OutOfMemory,
    /// The guest's calls nested too deeply.
    StackOverflow,
    /// Any other trap: a panic, a division by zero, an out-of-bounds access.
    Trap,
    /// The guest rejected a parameter.
    InvalidParameter,
    /// The guest rejected an input.
    InvalidInput,
    /// The guest reported its own error.
    Internal,
    /// The guest returned something that breaks the contract.
    BadReturn,
}

impl FailureCode {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            FailureCode::OutOfFuel => "fuel_exhausted",
            FailureCode::Deadline => "deadline",
            FailureCode::OutOfMemory => "memory_exhausted",
            FailureCode::StackOverflow => "stack_overflow",
            FailureCode::Trap => "trap",
            FailureCode::InvalidParameter => "invalid_parameter",
            FailureCode::InvalidInput => "invalid_input",
            FailureCode::Internal => "internal",
            FailureCode::BadReturn => "bad_return",
        }
    }
}

/// A failed call.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) code: FailureCode,
    /// What happened, as a clause without a full stop.
    pub(super) cause: String,
    /// Backtrace; without frames if there is none.
    pub(super) trace: Trace,
}

impl Failure {
    pub(super) fn new(code: FailureCode, cause: impl Into<String>) -> Failure {
        Failure {
            code,
            cause: cause.into(),
            trace: Trace::default(),
        }
    }

    /// For a failed instantiation. An error that is neither a trap nor a limit of the meter means too many
    /// memories, tables or instances, because nothing has been returned yet.
    pub(super) fn from_start(error: &Error, store: impl AsContext) -> Failure {
        let failure = Failure::from_call(error, store);
        if failure.code != FailureCode::BadReturn {
            return failure;
        }
        let why = printable(&error.root_cause().to_string(), 500);
        Failure {
            code: FailureCode::OutOfMemory,
            cause: format!("it could not start: {why}"),
            ..failure
        }
    }

    /// Classifies a wasmtime error by its type, never by its text.
    pub(super) fn from_call(error: &Error, store: impl AsContext) -> Failure {
        let (code, mut cause) = if let Some(limit) = error.downcast_ref::<LimitReached>() {
            (FailureCode::OutOfMemory, limit.to_string())
        } else if let Some(passed) = error.downcast_ref::<DeadlinePassed>() {
            (FailureCode::Deadline, passed.to_string())
        } else if let Some(trap) = error.downcast_ref::<Trap>() {
            match trap {
                Trap::OutOfFuel => (
                    FailureCode::OutOfFuel,
                    "it used up its fuel, as an endless loop would".to_owned(),
                ),
                Trap::StackOverflow => (
                    FailureCode::StackOverflow,
                    "its calls exceeded its stack".to_owned(),
                ),
                // wasmtime has many trap codes for values that cannot be lifted or lowered; all are the guest's
                // fault.
                other => (FailureCode::Trap, format!("it trapped: {other}")),
            }
        } else {
            let why = printable(&error.root_cause().to_string(), 500);
            (
                FailureCode::BadReturn,
                format!("its result could not be read: {why}"),
            )
        };
        if let Some(note) = panic_note(error, &store) {
            cause = format!("it panicked: {note}");
        }
        let trace = error
            .downcast_ref::<WasmBacktrace>()
            .map(Trace::new)
            .unwrap_or_default();
        Failure { code, cause, trace }
    }
}

/// Marks the note. It occurs 16-byte aligned nowhere else in a guest's memory.
const NOTE_MARK: &[u8; 16] = b"provender-panic\x01";
/// How far to search. Static data lies at the start of a memory, so a large memory need not be searched to its
/// end for every failing row.
const NOTE_WITHIN: usize = 16 << 20;
/// Longer notes are cut off.
const NOTE_BYTES: usize = 1_004;

fn panic_note(error: &Error, store: &impl AsContext) -> Option<String> {
    let dump = error.downcast_ref::<WasmCoreDump>()?;
    dump.memories()
        .iter()
        .find_map(|memory| note_in(memory.data(store)))
}

fn note_in(memory: &[u8]) -> Option<String> {
    let (blocks, _) = memory[..memory.len().min(NOTE_WITHIN)].as_chunks::<16>();
    let at = 16 + 16 * blocks.iter().position(|block| block == NOTE_MARK)?;
    let length = memory.get(at..at + 4)?.try_into().ok()?;
    let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
    if length == 0 {
        return None;
    }
    let text = memory.get(at + 4..at + 4 + length.min(NOTE_BYTES))?;
    Some(printable(&String::from_utf8_lossy(text), 500))
}

/// A guest's text on one line, without control characters, cut to `most` characters.
pub(super) fn printable(text: &str, most: usize) -> String {
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == most {
            out.push('…');
            break;
        }
        // Control characters could repaint a terminal; bidirectional ones could reorder a message.
        let hostile =
            c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        out.push(if hostile { ' ' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_found_only_where_it_is_aligned() {
        let mut memory = vec![0; 64];
        memory[16..32].copy_from_slice(NOTE_MARK);
        assert_eq!(note_in(&memory), None, "no length, no panic");
        memory[32] = 5;
        memory[36..41].copy_from_slice(b"oh\x1b[m");
        assert_eq!(note_in(&memory).as_deref(), Some("oh [m"));
        memory.rotate_right(1);
        assert_eq!(note_in(&memory), None);
        // A length that exceeds the memory is ignored.
        let mut memory = vec![0xff; 48];
        memory[16..32].copy_from_slice(NOTE_MARK);
        assert_eq!(note_in(&memory), None);
    }

    #[test]
    fn a_guests_text_cannot_repaint_a_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\n", 99), "a [2Jb c ");
        assert_eq!(printable("abcdef", 3), "abc…");
    }
}
