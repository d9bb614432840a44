//! All printing: text for people, one JSON object for scripts.

use std::any::Any;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};
use tracing::Level;

use provender_domain::render::{Document, escape, terminal};
use provender_host::project::CompileLimits;
use provender_sandbox::{Compiling, OnCompile};

use super::envelope::Envelope;
use super::error::CliError;
use super::exit::Exit;
use super::telemetry;
use super::watch::Watch;

pub(super) use provender_domain::render::Look;

/// The result of a verb.
pub(super) struct Done {
    /// The exit code.
    pub(super) exit: Exit,
    /// The envelope's `data`.
    pub(super) data: Json,
    /// The same content as text for people.
    pub(super) text: Text,
    /// The first refusal or error, if the verb continued after it.
    pub(super) error: Option<CliError>,
}

impl Done {
    /// An answer with exit code 0.
    pub(super) fn ok<A: Serialize + JsonSchema>(answer: &A, text: Text) -> Done {
        Done::ended(Exit::Ok, answer, text, None)
    }

    /// An answer whatever the process ends with. `schema` has the type of each verb's answer.
    pub(super) fn ended<A: Serialize + JsonSchema>(
        exit: Exit,
        answer: &A,
        text: Text,
        error: Option<CliError>,
    ) -> Done {
        Done {
            exit,
            data: json!(answer),
            text,
            error,
        }
    }
}

fn style(look: Look) -> Style {
    match look {
        Look::Plain => Style::new(),
        Look::Strong => Style::new().bold(),
        Look::Dim => Style::new().dimmed(),
        Look::Good => AnsiColor::Green.on_default(),
        Look::Warn => AnsiColor::Yellow.on_default(),
        Look::Bad => AnsiColor::Red.on_default().bold(),
    }
}

/// Lines of styled text.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// A text for other programs, printed unchanged.
    pub(super) fn verbatim(text: String) -> Text {
        Text(text)
    }

    pub(super) fn line(&mut self, text: impl AsRef<str>) {
        self.look(Look::Plain, text);
    }

    pub(super) fn look(&mut self, look: Look, text: impl AsRef<str>) {
        // Text from files and components must not move the cursor or set colours.
        self.0
            .push_str(&paint(look, &escape::terminal_lines(text.as_ref())));
        self.0.push('\n');
    }

    /// Appends another text.
    pub(super) fn append(&mut self, other: Text) {
        self.0.push_str(&other.0);
    }

    pub(super) fn blank(&mut self) {
        self.0.push('\n');
    }

    /// The text without styles, for a file.
    pub(super) fn plain(&self) -> String {
        anstream::adapter::strip_str(&self.0).to_string()
    }

    /// Appends a document.
    pub(super) fn document(&mut self, document: &Document) {
        self.lines(&terminal::lines(document));
    }

    /// Appends a table. Columns of numbers are right-aligned.
    pub(super) fn table(&mut self, heads: &[&str], rows: &[Vec<(Look, String)>]) {
        let number = |cell: &str| {
            cell == "–"
                || cell.starts_with(|c: char| c.is_ascii_digit() || c == '-')
                    && cell.parse::<f64>().is_ok()
        };
        let numeric = |i: usize| {
            let mut cells = rows.iter().filter_map(|r| r.get(i)).peekable();
            cells.peek().is_some() && cells.all(|(_, cell)| number(cell))
        };
        let heads: Vec<_> = heads
            .iter()
            .enumerate()
            .map(|(i, head)| (*head, numeric(i)))
            .collect();
        self.lines(&terminal::columns(&heads, rows));
    }

    fn lines(&mut self, lines: &[terminal::Line]) {
        for line in lines {
            for (look, text) in line {
                self.0.push_str(&paint(*look, text));
            }
            self.0.push('\n');
        }
    }
}

fn paint(look: Look, text: &str) -> String {
    if look == Look::Plain || text.is_empty() {
        return text.to_owned();
    }
    let style = style(look);
    format!("{style}{text}{style:#}")
}

/// Components of at least this many bytes take about a second or longer to compile.
const COMPILES_FOR_SECONDS: u64 = 1 << 20;

/// Removes the spinner when dropped.
struct Spinning(ProgressBar);

impl Drop for Spinning {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Output settings of the command.
#[derive(Clone, Copy)]
pub(super) struct Ui {
    pub(super) json: bool,
    pub(super) quiet: bool,
}

impl Ui {
    /// Prints a verb's result and returns the exit code.
    pub(super) fn finish(self, command: &str, result: Result<Done, CliError>) -> Exit {
        let (exit, data, text, error) = match result {
            Ok(done) => (done.exit, done.data, Some(done.text), done.error),
            Err(error) => (error.exit, json!({}), None, Some(error)),
        };
        let mut printed = true;
        if self.json {
            let envelope = Envelope::around(command, exit, data, error.as_ref());
            printed = print(&format!("{}\n", json!(envelope)));
        } else if let Some(text) = text.filter(|_| !self.quiet) {
            printed = print(&text.0);
        }
        if let Some(e) = &error {
            self.complain(e);
        }
        // If output could not be written, do not exit 0: a caller would take empty output for success.
        match printed {
            false if error.is_none() => Exit::Io,
            _ => exit,
        }
    }

    fn complain(self, e: &CliError) {
        let fields = [("code", Some(e.code.as_str())), ("help", e.help.as_deref())];
        if telemetry::say(Level::ERROR, &e.message, &fields) {
            return;
        }
        let mut err = anstream::stderr().lock();
        let bad = style(Look::Bad);
        // If stderr is gone, the message cannot be shown anywhere.
        let _ = writeln!(
            err,
            "{bad}error{bad:#}: {}",
            escape::terminal_lines(&e.message)
        );
        if let Some(help) = &e.help {
            let good = style(Look::Good);
            let _ = writeln!(err, " {good}help{good:#}: {}", escape::terminal_lines(help));
        }
    }

    /// Prints a note on stderr, in addition to the verb's output.
    pub(super) fn note(self, text: &str) {
        if self.quiet || telemetry::say(Level::WARN, text, &[]) {
            return;
        }
        let warn = style(Look::Warn);
        // If stderr is gone, the message cannot be shown anywhere.
        let _ = writeln!(
            anstream::stderr().lock(),
            "{warn}note{warn:#}: {}",
            escape::terminal_lines(text)
        );
    }

    /// Whether stderr is a terminal that may be drawn on, with no log written there.
    fn draws(self) -> bool {
        !self.quiet && !self.json && io::stderr().is_terminal() && !telemetry::is_logging()
    }

    /// A spinner on stderr if it is a terminal.
    pub(super) fn spinner(self, what: String) -> ProgressBar {
        let spinner = ProgressBar::new_spinner();
        if !self.draws() {
            spinner.set_draw_target(ProgressDrawTarget::hidden());
        }
        spinner.set_style(
            ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        spinner.set_message(what);
        spinner.enable_steady_tick(std::time::Duration::from_millis(120));
        spinner
    }

    /// Watches every compilation, and shows a spinner for components that take seconds to compile, such
    /// as Python ones.
    pub(super) fn compiling(self, limits: CompileLimits) -> OnCompile {
        Arc::new(move |c: Compiling<'_>| -> Box<dyn Any> {
            let watch = Watch::start(self, c.file, limits);
            if c.size < COMPILES_FOR_SECONDS {
                return Box::new(watch);
            }
            let once = if c.cached {
                " (once; cached afterwards)"
            } else {
                ""
            };
            let spinner = self.spinner(format!("compiling {}{once}", c.file));
            Box::new((Spinning(spinner), watch))
        })
    }

    /// A progress bar on stderr if it is a terminal.
    pub(super) fn progress(self, total: u64, what: &'static str) -> ProgressBar {
        let bar = ProgressBar::new(total);
        if !self.draws() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let template = "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}";
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.set_message(what);
        bar
    }
}

/// Prints to stdout. A reader that has gone away (`| head`) is not an error; other failures are
/// reported and return false.
pub(super) fn print(text: &str) -> bool {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            let message = format!("the output could not be written: {e}");
            if !telemetry::say(Level::ERROR, &message, &[]) {
                let _ = writeln!(io::stderr(), "error: {message}");
            }
            false
        }
        _ => true,
    }
}
