//! Backtraces as text, in time and space that do not depend on what a component says of itself.
//!
//! Names are a stranger's. wasmtime's own text demangles without a bound: 400 bytes of nested substitutions of
//! C++ expand to gigabytes. Here a name is cut to a stated length, only names of Rust are demangled, and the writer
//! that receives them stops. Nothing here reads debug information.

use std::fmt::Write as _;

use wasmtime::{FrameInfo, WasmBacktrace};

use super::failure::printable;
use super::symbols::Symbols;

/// Most characters of a function's or module's name.
const NAME_CHARS: usize = 300;
/// Longer names are not demangled. The longest of an ordinary Rust component has a few hundred bytes.
const MANGLED_BYTES: usize = 1_024;
/// Most bytes of a backtrace, except for what its last line adds.
const TEXT_BYTES: usize = 4_000;

/// A backtrace: its frames, the innermost first.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    /// Place in the component, and text. wasmtime captures at most 20 frames.
    frames: Vec<(Option<u64>, String)>,
}

impl Trace {
    pub(super) fn new(trace: &WasmBacktrace) -> Trace {
        let frames = trace.frames().iter().enumerate();
        let frames = frames.map(|(n, frame)| {
            let offset = frame.module_offset().map(|o| o as u64);
            (offset, line(n, frame))
        });
        Trace {
            frames: frames.collect(),
        }
    }

    /// As text, with the files and lines that are found; empty if there are no frames.
    pub(super) fn text(&self, symbols: Option<&Symbols>) -> String {
        if self.frames.is_empty() {
            return String::new();
        }
        let offsets: Vec<u64> = self.frames.iter().filter_map(|(o, _)| *o).collect();
        let found = symbols.map(|s| s.lines(&offsets)).unwrap_or_default();
        let mut out = String::from("error while executing at wasm backtrace:\n");
        for (offset, line) in &self.frames {
            if out.len() > TEXT_BYTES {
                out.push_str("…\n");
                break;
            }
            out.push_str(line);
            out.push('\n');
            for place in offset.iter().filter_map(|o| found.get(o)).flatten() {
                // Writing to a String cannot fail.
                let _ = writeln!(out, "                    {place}");
            }
        }
        out
    }
}

fn line(n: usize, frame: &FrameInfo) -> String {
    let mut line = format!("  {n:>3}: ");
    if let Some(offset) = frame.module_offset() {
        // Writing to a String cannot fail.
        let _ = write!(line, "{offset:#8x} - ");
    }
    line.push_str(&printable(
        frame.module().name().unwrap_or("<unknown>"),
        NAME_CHARS,
    ));
    line.push('!');
    match frame.func_name() {
        Some(name) => line.push_str(&function(name)),
        None => {
            let _ = write!(line, "<wasm function {}>", frame.func_index());
        }
    }
    line
}

/// A function's name as its author wrote it if it is a mangled name of Rust, otherwise as it is.
pub(super) fn function(name: &str) -> String {
    if name.len() > MANGLED_BYTES {
        return printable(name, NAME_CHARS);
    }
    let Ok(demangled) = rustc_demangle::try_demangle(name) else {
        return printable(name, NAME_CHARS);
    };
    let mut written = Bounded(String::new());
    // An error means that it was cut.
    let _ = write!(written, "{demangled}");
    printable(&written.0, NAME_CHARS)
}

/// Accepts one character more than is shown, then refuses: so a name that expands without end stops here.
struct Bounded(String);

impl std::fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        // Every character has at most four bytes.
        if self.0.len() > 4 * NAME_CHARS {
            return Err(std::fmt::Error);
        }
        self.0.extend(text.chars().take(NAME_CHARS + 1));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rust_are_demangled_and_others_are_not() {
        assert_eq!(
            function("_ZN4herd5graze17h0123456789abcdefE"),
            "herd::graze::h0123456789abcdef"
        );
        assert_eq!(function("_RNvC4herd5graze"), "herd::graze");
        assert_eq!(function("_Z5grazev"), "_Z5grazev");
        assert_eq!(function("graze\u{1b}[2J"), "graze [2J");
    }

    #[test]
    fn a_name_is_cut_however_it_expands() {
        let cut = |name: &str| {
            let text = function(name);
            assert_eq!(text.chars().count(), NAME_CHARS + 1, "{text}");
            assert!(text.ends_with('…'));
        };
        cut(&"x".repeat(10 << 20));
        cut(&"ü".repeat(400));
        // Each tuple holds the one before it twice.
        let mut name = String::from("_RIC4herdTuu");
        let mut before = 8;
        for _ in 0..60 {
            let here = name.len() - 2;
            let reference = back(before);
            name.push_str(&format!("ETB{reference}B{reference}"));
            before = here + 2 + 1;
        }
        name.push_str("EE");
        assert!(name.len() <= MANGLED_BYTES);
        // A writer that did not stop it would never end.
        let text = function(&name);
        assert!(text.chars().count() <= NAME_CHARS + 1, "{text}");
    }

    /// A back reference of a mangled name of Rust: base 62, one less than the number.
    fn back(at: usize) -> String {
        const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let Some(mut n) = at.checked_sub(1) else {
            return "_".to_owned();
        };
        let mut out = vec![b'_'];
        loop {
            out.push(DIGITS[n % 62]);
            n /= 62;
            if n == 0 {
                break;
            }
        }
        out.reverse();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_name_nested_as_deep_as_it_can_be_fits_a_guests_stack() {
        let name = format!("_RIC4herd{}uE", "R".repeat(MANGLED_BYTES - 11));
        assert_eq!(name.len(), MANGLED_BYTES);
        let limits = crate::Limits::default();
        crate::execute::on_guest_stack(&limits, || function(&name)).unwrap();
    }
}
