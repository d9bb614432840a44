//! How a panic's message reaches the host, although a component without imports can print nothing
//! and a trap returns nothing.
//!
//! The hook writes message, file and line into a fixed place of the linear memory, behind a marker
//! of 16 bytes at an address divisible by 16. A host that catches the trap with wasmtime's core dump finds the marker in the
//! memory and reads what follows it: a `u32`, little endian, the length of the text, then the text
//! in UTF-8. A host that does not look still has the backtrace with the function's name. What it
//! reads is a guest's word, to be shown and not to be trusted.

use std::fmt::Write;
use std::sync::Once;
use std::sync::atomic::{AtomicU8, Ordering};

/// What the host looks for in the memory of a component that trapped.
pub const MARKER: [u8; 16] = *b"provender-panic\x01";
const TEXT: usize = 1004;
const SIZE: usize = MARKER.len() + 4 + TEXT;

/// Aligned, so that the host finds it at every sixteenth byte.
#[repr(C, align(16))]
struct Note([AtomicU8; SIZE]);

// Nothing in the guest reads it, so that without `used` it would be optimised away.
#[used]
static NOTE: Note = {
    let mut note = [const { AtomicU8::new(0) }; SIZE];
    let mut i = 0;
    while i < MARKER.len() {
        note[i] = AtomicU8::new(MARKER[i]);
        i += 1;
    }
    Note(note)
};

/// Writes to the note without allocating: a panic may come of having no memory left.
struct Pen(usize);

impl Write for Pen {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let mut end = text.len().min(TEXT - self.0);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        for byte in &text.as_bytes()[..end] {
            NOTE.0[MARKER.len() + 4 + self.0].store(*byte, Ordering::Relaxed);
            self.0 += 1;
        }
        Ok(())
    }
}

fn write_note(message: &dyn std::fmt::Display) {
    let mut pen = Pen(0);
    // The pen cannot fail.
    let _ = write!(pen, "{message}");
    for (i, byte) in (pen.0 as u32).to_le_bytes().into_iter().enumerate() {
        NOTE.0[MARKER.len() + i].store(byte, Ordering::Relaxed);
    }
}

/// Installs the hook, once.
pub fn install() {
    static ONCE: Once = Once::new();
    // A native test keeps its own hook.
    if cfg!(target_arch = "wasm32") {
        ONCE.call_once(|| std::panic::set_hook(Box::new(|info| write_note(info))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_holds_marker_length_and_a_text_cut_at_a_character() {
        write_note(&"ä".repeat(TEXT));
        let bytes: Vec<u8> = NOTE.0.iter().map(|b| b.load(Ordering::Relaxed)).collect();
        assert_eq!(bytes[..16], MARKER);
        assert_eq!(bytes[16..20], (TEXT as u32).to_le_bytes());
        assert_eq!(
            std::str::from_utf8(&bytes[20..]).unwrap(),
            "ä".repeat(TEXT / 2)
        );
    }
}
