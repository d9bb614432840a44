//! Files and lines of a backtrace, from a process of their own.
//!
//! Debug information is a stranger's: a kilobyte can nest deep enough to overflow a stack, and a table of lines can
//! take minutes. So the process that records never reads it. An application may name a helper, a command that calls
//! [`serve`] and nothing else. The helper bounds itself before it reads anything. If it dies, or takes too long, the
//! backtrace has no lines, and nothing else changes. The library starts nothing by itself.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::time::{Duration, Instant};

use addr2line::Context;
use gimli::{Dwarf, EndianSlice, LittleEndian};
use wasmparser::{Parser, Payload};

use super::failure::printable;

/// Processor time of one helper, seconds.
const CPU_SECONDS: u64 = 5;
/// Address space of one helper, bytes: a component, and what is read of it.
const SPACE_BYTES: u64 = 1 << 30;
/// How long its answer is waited for. A busy machine gets no lines, and no other harm.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time that this process spends on helpers, all together.
const TOGETHER: Duration = Duration::from_secs(30);
/// Most backtraces of one component that get lines. All rows that trap alike share one.
const KINDS: usize = 4;
/// Most bytes of an answer, lines of a frame, and characters of a line.
const ANSWER_BYTES: u64 = 64 << 10;
const LINES: usize = 8;
const LINE_CHARS: usize = 300;

type Starter = Box<dyn Fn() -> Option<Command> + Send + Sync>;

static HELPER: OnceLock<Starter> = OnceLock::new();
static SPENT_MILLIS: AtomicU64 = AtomicU64::new(0);

/// Names the helper of this process: a command that calls [`serve`]. Only the first call counts.
pub fn name_helper(starter: impl Fn() -> Option<Command> + Send + Sync + 'static) {
    let _ = HELPER.set(Box::new(starter));
}

/// Whether there is a helper.
pub(super) fn has_helper() -> bool {
    HELPER.get().is_some()
}

/// The lines of frames, by their offset in the component.
pub(super) type Lines = BTreeMap<u64, Vec<String>>;

/// A component with debug information, and the lines that were found.
#[derive(Debug)]
pub(super) struct Symbols {
    bytes: Box<[u8]>,
    known: Mutex<BTreeMap<Vec<u64>, Lines>>,
}

impl Symbols {
    pub(super) fn new(bytes: &[u8]) -> Symbols {
        Symbols {
            bytes: bytes.into(),
            known: Mutex::default(),
        }
    }

    /// The lines of a backtrace's frames; empty if there is no helper, or too much was asked.
    pub(super) fn lines(&self, offsets: &[u64]) -> Lines {
        let Some(starter) = HELPER.get() else {
            return Lines::new();
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lines) = known.get(offsets) {
            return lines.clone();
        }
        let spent = Duration::from_millis(SPENT_MILLIS.load(Ordering::Relaxed));
        if known.len() >= KINDS || spent > TOGETHER || offsets.is_empty() {
            return Lines::new();
        }
        let begun = Instant::now();
        let lines = starter()
            .and_then(|command| ask(command, &self.bytes, offsets))
            .unwrap_or_default();
        let took = begun.elapsed();
        let millis = took.as_secs() * 1_000 + u64::from(took.subsec_millis());
        SPENT_MILLIS.fetch_add(millis, Ordering::Relaxed);
        known.insert(offsets.to_vec(), lines.clone());
        lines
    }
}

/// Asks a helper; `None` if it cannot be started, dies or takes too long.
fn ask(mut command: Command, bytes: &[u8], offsets: &[u64]) -> Option<Lines> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let answer = exchange(&mut child, bytes, offsets);
    // It may have ended already.
    let _ = child.kill();
    let ended = child.wait().ok()?;
    let text = answer.filter(|_| ended.success())?;
    let mut lines = Lines::new();
    for line in String::from_utf8_lossy(&text).lines() {
        let Some((offset, text)) = line.split_once(' ') else {
            continue;
        };
        let of = offset.parse().ok().filter(|o| offsets.contains(o))?;
        let of: &mut Vec<String> = lines.entry(of).or_default();
        if of.len() < LINES {
            of.push(printable(text, LINE_CHARS));
        }
    }
    Some(lines)
}

/// Writes the question and reads the whole answer, within the patience.
fn exchange(child: &mut Child, bytes: &[u8], offsets: &[u64]) -> Option<Vec<u8>> {
    let (mut to, from) = (child.stdin.take()?, child.stdout.take()?);
    let mut question = Vec::with_capacity(8 + 8 * offsets.len());
    question.extend((offsets.len() as u64).to_le_bytes());
    question.extend(offsets.iter().flat_map(|o| o.to_le_bytes()));
    std::thread::scope(|scope| {
        let (done, answer) = mpsc::channel();
        // A helper that has ended no longer reads.
        scope.spawn(move || {
            let _ = to.write_all(&question).and_then(|()| to.write_all(bytes));
        });
        scope.spawn(move || {
            let mut text = Vec::new();
            let read = from.take(ANSWER_BYTES).read_to_end(&mut text);
            let _ = done.send(read.map(|_| text));
        });
        let answer = answer.recv_timeout(PATIENCE);
        if answer.is_err() {
            // Ends both threads.
            let _ = child.kill();
        }
        answer.ok()?.ok()
    })
}

/// The helper: bounds this process, reads a component and offsets from stdin, and writes their lines to stdout. The
/// caller must do nothing else in this process.
///
/// # Errors
/// If the process cannot be bounded, or the question cannot be read.
pub fn serve() -> io::Result<()> {
    bound()?;
    let mut input = io::stdin().lock();
    let mut number = || -> io::Result<u64> {
        let mut bytes = [0; 8];
        input.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    };
    let count = number()?.min(100);
    let offsets = (0..count)
        .map(|_| number())
        .collect::<io::Result<Vec<_>>>()?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let mut out = Vec::new();
    for (offset, line) in found(&bytes, &offsets) {
        writeln!(out, "{offset} {}", printable(&line, LINE_CHARS))?;
    }
    io::stdout().write_all(&out)
}

/// Bounds this process. Its stack is bounded already: overflowing it ends the helper.
#[cfg(unix)]
fn bound() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let most = |n| Rlimit {
        current: Some(n),
        maximum: Some(n),
    };
    // No core files of strangers' bytes.
    setrlimit(Resource::Core, most(0))?;
    setrlimit(Resource::Cpu, most(CPU_SECONDS))?;
    setrlimit(Resource::As, most(SPACE_BYTES))?;
    Ok(())
}

/// Without limits there is no helper.
#[cfg(not(unix))]
fn bound() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A core module inside a component.
#[derive(Default)]
struct Module<'a> {
    range: std::ops::Range<usize>,
    /// Where its code begins; addresses count from there.
    code: usize,
    sections: BTreeMap<&'a str, &'a [u8]>,
}

fn modules(bytes: &[u8]) -> Vec<Module<'_>> {
    let mut done = Vec::new();
    // `None` for a component.
    let mut open: Vec<Option<Module<'_>>> = vec![None];
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(payload) = payload else { break };
        match payload {
            Payload::ModuleSection {
                unchecked_range, ..
            } => open.push(Some(Module {
                range: unchecked_range,
                ..Module::default()
            })),
            Payload::ComponentSection { .. } => open.push(None),
            Payload::End(_) => done.extend(open.pop().flatten()),
            Payload::CodeSectionStart { range, .. } => {
                if let Some(Some(module)) = open.last_mut() {
                    module.code = range.start;
                }
            }
            Payload::CustomSection(section) => {
                if let Some(Some(module)) = open.last_mut() {
                    module.sections.insert(section.name(), section.data());
                }
            }
            _ => {}
        }
    }
    done
}

/// Files and lines of the offsets; several lines where functions were inlined, the innermost first.
fn found(bytes: &[u8], offsets: &[u64]) -> Vec<(u64, String)> {
    let mut out = Vec::new();
    for module in modules(bytes) {
        let own = offsets.iter().filter(|o| {
            usize::try_from(**o).is_ok_and(|o| module.range.contains(&o) && o >= module.code)
        });
        let own: Vec<_> = own.collect();
        if own.is_empty() {
            continue;
        }
        let section = |id: gimli::SectionId| {
            let data = module.sections.get(id.name()).copied().unwrap_or_default();
            Ok::<_, gimli::Error>(EndianSlice::new(data, LittleEndian))
        };
        let context = Dwarf::load(section).and_then(Context::from_dwarf);
        let Ok(context) = context else { continue };
        for offset in own {
            let Ok(mut frames) = context
                .find_frames(offset - module.code as u64)
                .skip_all_loads()
            else {
                continue;
            };
            let mut all = Vec::new();
            while let (Ok(Some(frame)), true) = (frames.next(), all.len() < LINES) {
                let name = frame.function.as_ref().and_then(|f| f.raw_name().ok());
                let name = name.map(|name| super::backtrace::function(&name));
                let Some(place) = frame.location else {
                    continue;
                };
                let Some(file) = place.file else { continue };
                // A column of 0 is none.
                let number = |n: Option<u32>| {
                    n.filter(|n| *n > 0)
                        .map_or(String::new(), |n| format!(":{n}"))
                };
                let (line, column) = (number(place.line), number(place.column));
                let of = name.map_or(String::new(), |name| format!("{name} "));
                all.push(format!("at {of}{file}{line}{column}"));
            }
            out.extend(all.into_iter().map(|line| (*offset, line)));
        }
    }
    out
}
