//! The whole comparison, side by side in one run on one machine.
//!
//! `cargo bench --bench compare -- --out FOLDER` measures every row of `docs/design/performance.md` and
//! writes them as `performance-table.md` and `performance.json`. The things compared take turns, round by round.
//! A row contains the medians, the spread of the rounds and the ratio. A row that could not be measured is in
//! the table with the reason.
//!
//! `-- --small` runs everything with few rows. It shows that the comparison runs and that the floors give the same
//! bits; its times mean nothing. `-- --make FOLDER` only creates a synthetic deployment.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::disallowed_methods,
    reason = "a measurement that cannot continue stops and prints the reason"
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
    /// Run with few rows and one round: a smoke test, not a measurement.
    #[arg(long)]
    small: bool,
    /// Measure only this part. May be repeated.
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Rows of the kernels and runs of the whole path.
    #[arg(long, value_name = "N")]
    rows: Option<usize>,
    /// Also build the program from scratch and measure how long it takes.
    #[arg(long)]
    build: bool,
    /// Only create a synthetic deployment in this new folder.
    #[arg(long, value_name = "FOLDER")]
    make: Option<PathBuf>,
    /// Pastures of that deployment.
    #[arg(long, default_value_t = 1_000)]
    boundaries: usize,
    /// Days of that deployment.
    #[arg(long, default_value_t = 1_000)]
    days: usize,
    /// Leave out the weather, which `days_remaining` does not read.
    #[arg(long)]
    no_weather: bool,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How much is measured, and where.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    /// Whether this is the smoke test.
    pub(crate) small: bool,
    /// Rows of the kernels and runs of the whole path.
    pub(crate) rows: usize,
    /// Rounds of measurements that take less than a second.
    pub(crate) rounds: usize,
    /// Rounds of measurements that run a whole process over all runs.
    pub(crate) whole_rounds: usize,
    /// Rounds of measurements that take milliseconds.
    pub(crate) cold_rounds: usize,
    /// Whether the program is built from scratch.
    pub(crate) build: bool,
    root: PathBuf,
}

/// Days of each pasture of a deployment.
const DAYS: usize = 1_000;

impl Scale {
    fn new(args: &Args) -> Scale {
        let small = args.small;
        // Beside this program, which is in `target`, on the disk to be measured.
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

    /// A folder for a part that is reused by the next comparison.
    pub(crate) fn kept(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.root.join(name);
        std::fs::create_dir_all(&self.root).map_err(|e| format!("{}: {e}", self.root.display()))?;
        Ok(folder)
    }

    /// A plan with one run per row.
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
        // Before anything else, because it is timed from its start.
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
        // Created now, so that hours of measuring do not end with an error about the folder.
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

/// Checks that the smoke test measured everything and that no figure is absurd.
fn sane(rows: &[Row]) -> Result<(), String> {
    for row in rows {
        let wanted = row.ratio().or(row.measured.as_ref().ok().map(|f| f.value));
        let absurd = wanted.is_some_and(|x| !(1e-4..=1e6).contains(&x));
        if absurd {
            return Err(format!("{}: {wanted:?} is not a plausible figure", row.id));
        }
        match &row.measured {
            // Not an error if this machine cannot measure it.
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
