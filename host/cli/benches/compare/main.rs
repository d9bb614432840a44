//! The whole comparison, side by side in one run on one machine.
//!
//! `cargo bench --bench compare -- --out FOLDER` measures every row of `docs/design/performance.md` and
//! writes it as `performance-table.md` and `performance.json`. What is compared runs in turns, round by round;
//! a row holds the medians, how far the rounds lay apart, and the ratio. A row that could not be measured
//! stands in the table with the reason.
//!
//! `-- --small` goes through all of it with few rows: that it runs and that the floors give the same bits
//! is what it shows, its times say nothing. `-- --make FOLDER` makes a synthetic deployment alone.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::disallowed_methods,
    reason = "a measurement that cannot go on ends, and says so"
)]

mod cold;
#[path = "../support/columns.rs"]
mod columns;
mod deploy;
mod floor;
mod guard;
mod ingest;
mod kernel;
mod machine;
mod measure;
#[path = "../support/native.rs"]
mod native;
mod program;
mod questions;
mod shapes;
#[path = "../support/synthetic.rs"]
mod synthetic;
mod table;
mod threads;
mod whole;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use deploy::Deployment;
use synthetic::Plan;
use table::Row;

/// Compares Provender with what the hardware allows.
#[derive(Debug, Parser)]
struct Args {
    /// Write the table into this folder, as `performance-table.md` and `performance.json`.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Few rows and one round: a smoke, not a measurement.
    #[arg(long)]
    small: bool,
    /// Only the parts of these names. May be repeated.
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Rows of the kernels and runs of the whole path.
    #[arg(long, value_name = "N")]
    rows: Option<usize>,
    /// Build the program from nothing, and say how long it took.
    #[arg(long)]
    build: bool,
    /// Make a synthetic deployment in this new folder, and nothing else.
    #[arg(long, value_name = "FOLDER")]
    make: Option<PathBuf>,
    /// Pastures of that deployment.
    #[arg(long, default_value_t = 1_000)]
    boundaries: usize,
    /// Days of that deployment.
    #[arg(long, default_value_t = 1_000)]
    days: usize,
    /// Leave the weather out, which `days_remaining` does not read.
    #[arg(long)]
    no_weather: bool,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How much is measured, and where.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    /// Whether this is the smoke.
    pub(crate) small: bool,
    /// Rows of the kernels and runs of the whole path.
    pub(crate) rows: usize,
    /// Rounds of what takes parts of a second.
    pub(crate) rounds: usize,
    /// Rounds of what takes a whole process over all runs.
    pub(crate) whole_rounds: usize,
    /// Rounds of what takes milliseconds.
    pub(crate) cold_rounds: usize,
    /// Whether the program is built from nothing.
    pub(crate) build: bool,
    root: PathBuf,
}

/// Days of each pasture of a deployment.
const DAYS: usize = 1_000;

impl Scale {
    fn new(args: &Args) -> Scale {
        let small = args.small;
        // Beside this program, so within `target`, on the disk that is measured.
        let mut root = std::env::current_exe().unwrap_or_default();
        root.pop();
        Scale {
            small,
            rows: args.rows.unwrap_or(if small { 3_000 } else { 1_000_000 }),
            rounds: if small { 1 } else { 9 },
            whole_rounds: if small { 1 } else { 3 },
            cold_rounds: if small { 2 } else { 31 },
            build: args.build,
            root: root.join("compare"),
        }
    }

    /// A folder for a part, emptied.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.root.join(name);
        let io = |e: std::io::Error| format!("{}: {e}", folder.display());
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(io)?;
        }
        std::fs::create_dir_all(&folder).map_err(io)?;
        Ok(folder)
    }

    /// A folder for a part that is kept from one comparison to the next.
    pub(crate) fn kept(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.root.join(name);
        std::fs::create_dir_all(&self.root).map_err(|e| format!("{}: {e}", self.root.display()))?;
        Ok(folder)
    }

    /// Pastures and days whose runs are as many as the rows.
    pub(crate) fn plan(&self, weather: bool) -> Plan {
        Plan {
            boundaries: self.rows / DAYS,
            days: DAYS,
            weather,
        }
    }
}

/// A part of the comparison: its name and what measures it.
type Part = (&'static str, fn(&Scale) -> Vec<Row>);

const PARTS: [Part; 9] = [
    ("kernel", kernel::rows),
    ("shapes", shapes::rows),
    ("cold", cold::rows),
    ("guard", guard::rows),
    ("ingest", ingest::rows),
    ("threads", threads::rows),
    ("whole", whole::rows),
    ("questions", questions::rows),
    ("program", program::rows),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let done = match arguments.as_slice() {
        // Before anything else: it is timed from its start.
        [_, tiny, folder] if tiny == cold::TINY => cold::tiny(Path::new(folder)),
        [_, peak, program, rest @ ..] if peak == deploy::PEAK => deploy::print_peak(program, rest),
        _ => run(&Args::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("error: {cause}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    if let Some(folder) = &args.make {
        return make(folder, args);
    }
    if let Some(name) = args.only.iter().find(|o| PARTS.iter().all(|p| p.0 != **o)) {
        let parts: Vec<_> = PARTS.iter().map(|p| p.0).collect();
        return Err(format!(
            "no part is called `{name}`; there are {}",
            parts.join(", ")
        ));
    }
    if let Some(out) = &args.out {
        // Now: hours of measuring shall not end at a folder that cannot be made.
        std::fs::create_dir_all(out).map_err(|e| format!("{}: {e}", out.display()))?;
    }
    let scale = Scale::new(args);
    let machine = machine::machine();
    let mut rows = Vec::new();
    for (name, measure) in PARTS {
        if args.only.is_empty() || args.only.iter().any(|o| o == name) {
            eprintln!("measuring: {name}");
            rows.extend(measure(&scale));
        }
    }
    let command = "cargo bench --bench compare -- --out docs/design";
    let text = table::markdown(&rows, &machine, command);
    println!("{text}");
    if let Some(out) = &args.out {
        let put = |name: &str, text: String| {
            let path = out.join(name);
            std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
        };
        let json = table::json(&rows, &machine, command);
        put("performance.json", format!("{json:#}\n"))?;
        put("performance-table.md", text)?;
    }
    if scale.small { sane(&rows) } else { Ok(()) }
}

/// That the smoke measured all it should, and nothing absurd.
fn sane(rows: &[Row]) -> Result<(), String> {
    for row in rows {
        let wanted = row.ratio().or(row.measured.as_ref().ok().map(|f| f.value));
        let absurd = wanted.is_some_and(|x| !(1e-4..=1e6).contains(&x));
        if absurd {
            return Err(format!("{}: {wanted:?} is no sane figure", row.id));
        }
        match &row.measured {
            // What this machine cannot be asked is no defect.
            Err(reason)
                if !["the small form", "this machine", "this system"]
                    .iter()
                    .any(|why| reason.starts_with(why))
                    && row.id != "build" =>
            {
                return Err(format!("{} was not measured: {reason}", row.id));
            }
            _ => {}
        }
    }
    Ok(())
}

fn make(folder: &Path, args: &Args) -> Result<(), String> {
    let plan = Plan {
        boundaries: args.boundaries,
        days: args.days,
        weather: !args.no_weather,
    };
    Deployment::make(folder, plan)?;
    let (from, to) = plan.range();
    println!(
        "{} runs of days_remaining:v2 are due: provender ingest, then provender compute --all --from {from} --to {to} --project {}",
        plan.runs(),
        folder.display()
    );
    Ok(())
}
