//! Why a call failed: stable codes, backtraces and a panic's own words.
//!
//! A guest without imports cannot print. Its panic hook instead leaves a note in its memory, which
//! outlives the trap and can be read from the dead store (the guest cannot be called any more):
//!
//! ```text
//! 16-byte aligned:  "provender-panic" 0x01 · length u32 little endian · UTF-8 text
//! ```
//!
//! The note lies in the guest's static data with length 0 until it panics. The SDK writes it; a
//! guest in another language may do the same; without a note the backtrace has to do.

use wasmtime::{AsContext, Error, Trap, WasmBacktrace, WasmCoreDump};

use super::limits::LimitReached;

/// Why a row, or a component at load, failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureCode {
    /// The guest used up its fuel.
    OutOfFuel,
    /// The guest asked for more memory or table elements than it may have.
    OutOfMemory,
    /// The guest's calls went too deep.
    StackOverflow,
    /// Any other trap: a panic, a division by zero, an access out of bounds.
    Trap,
    /// The guest refused a parameter.
    InvalidParameter,
    /// The guest refused an input.
    InvalidInput,
    /// The guest reported an error of its own.
    Internal,
    /// The guest returned something that breaks the contract.
    BadReturn,
}

impl FailureCode {
    /// The stable text of the code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            FailureCode::OutOfFuel => "fuel_exhausted",
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
    /// What happened, a clause without a full stop.
    pub(super) cause: String,
    /// Symbolised backtrace; empty where there is none.
    pub(super) detail: String,
}

impl Failure {
    pub(super) fn new(code: FailureCode, cause: impl Into<String>) -> Failure {
        Failure {
            code,
            cause: cause.into(),
            detail: String::new(),
        }
    }

    /// Of making an instance: what is neither a trap nor a limit of the meter is a refusal to hold so
    /// many memories, tables or instances, for nothing was returned yet.
    pub(super) fn of_start(error: &Error, store: impl AsContext) -> Failure {
        let failure = Failure::of(error, store);
        if failure.code != FailureCode::BadReturn {
            return failure;
        }
        let why = printable(&error.root_cause().to_string(), 500);
        Failure {
            code: FailureCode::OutOfMemory,
            cause: format!("it could not be started: {why}"),
            ..failure
        }
    }

    /// Sorts an error of wasmtime by its kind, never by its text.
    pub(super) fn of(error: &Error, store: impl AsContext) -> Failure {
        let (code, mut cause) = if let Some(limit) = error.downcast_ref::<LimitReached>() {
            (FailureCode::OutOfMemory, limit.to_string())
        } else if let Some(trap) = error.downcast_ref::<Trap>() {
            match trap {
                Trap::OutOfFuel => (
                    FailureCode::OutOfFuel,
                    "it used up its fuel, as an endless loop does".to_owned(),
                ),
                Trap::StackOverflow => (
                    FailureCode::StackOverflow,
                    "its calls went deeper than its stack".to_owned(),
                ),
                // Fine-grained faults in passing values over the border are the guest's doing.
                other => (FailureCode::Trap, format!("it trapped: {other}")),
            }
        } else {
            let why = printable(&error.root_cause().to_string(), 500);
            (
                FailureCode::BadReturn,
                format!("what it returned could not be read: {why}"),
            )
        };
        if let Some(note) = panic_note(error, &store) {
            cause = format!("it panicked: {note}");
        }
        let detail = error
            .downcast_ref::<WasmBacktrace>()
            .map(|trace| printable_lines(&trace.to_string(), 4_000))
            .unwrap_or_default();
        Failure {
            code,
            cause,
            detail,
        }
    }
}

/// Marks the note; its only aligned occurrence in a guest's memory is the note itself.
const NOTE_MARK: &[u8; 16] = b"provender-panic\x01";
/// The note is static data, which lies at the bottom of a memory: a large memory is not searched
/// whole for every row that fails.
const NOTE_WITHIN: usize = 16 << 20;
/// More than this is cut off.
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

/// A guest's text on one line and without control characters, at most `most` characters.
pub(super) fn printable(text: &str, most: usize) -> String {
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == most {
            out.push('…');
            break;
        }
        // Control characters could repaint a terminal; bidirectional ones could reorder a report.
        let hostile =
            c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        out.push(if hostile { ' ' } else { c });
    }
    out
}

fn printable_lines(text: &str, most: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if out.len() > most {
            out.push_str("…\n");
            break;
        }
        out.push_str(&printable(line, 400));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_found_at_its_aligned_place_only() {
        let mut memory = vec![0; 64];
        memory[16..32].copy_from_slice(NOTE_MARK);
        assert_eq!(note_in(&memory), None, "no length, no panic");
        memory[32] = 5;
        memory[36..41].copy_from_slice(b"oh\x1b[m");
        assert_eq!(note_in(&memory).as_deref(), Some("oh [m"));
        memory.rotate_right(1);
        assert_eq!(note_in(&memory), None);
        // A length past the end of memory is not followed.
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
