//! The whole comparison, side by side in one run on one machine.
//!
//! `cargo bench --bench compare -- --make FOLDER` makes the synthetic deployment alone.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a measurement that cannot go on ends, and says so"
)]

#[path = "../support/synthetic.rs"]
mod synthetic;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;

/// The program that is measured: built by cargo with the profile of this one.
const PROGRAM: &str = env!("CARGO_BIN_EXE_provender");

/// Compares Provender with what the hardware allows.
#[derive(Debug, Parser)]
struct Args {
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

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.make {
        Some(folder) => make(folder, &args),
        None => Err("say --make FOLDER".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("error: {cause}");
            ExitCode::FAILURE
        }
    }
}

fn make(folder: &Path, args: &Args) -> Result<(), String> {
    let plan = synthetic::Plan {
        boundaries: args.boundaries,
        days: args.days,
        weather: !args.no_weather,
    };
    let init = Command::new(PROGRAM)
        .arg("init")
        .arg("--quiet")
        .arg(folder)
        .status();
    match init {
        Ok(status) if status.success() => {}
        other => return Err(format!("{PROGRAM} init: {other:?}")),
    }
    synthetic::write(folder, &plan).map_err(|e| format!("{}: {e}", folder.display()))?;
    let (from, to) = plan.range();
    println!(
        "{} runs of days_remaining:v2 are due: provender ingest, then provender compute --all --from {from} --to {to} --project {}",
        plan.runs(),
        folder.display()
    );
    Ok(())
}
