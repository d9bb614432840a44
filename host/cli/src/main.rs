//! The command line, one file per verb. A verb parses its arguments, calls the library and presents the
//! result; the rules are in the library.
//!
//! * [`exit`] — exit codes
//! * `ui` — all printing
//! * `error` — the library's errors with their exit codes
//! * `context` — the deployment, opened with the command line's options
//! * `asking` — the clock and the actor
//! * `reference` — generates the reference of the command line
//! * `watch` — ends compilations that take too long or too much memory
//! * `progress` — progress bars for the library's work
//! * `envelope` — what `--json` prints around a verb's answer
//! * `table` — runs as tables
//! * `telemetry` — durations and the log
//! * `signals` — signals that ask a command to stop
//! * `panics` — turns panics into errors
//! * `interrupted` — the answer of an interrupted command
//! * `cache` — the cache of compiled code outside a deployment
//! * `canary` — output about shadow runs, for `run` and `release`
//! * the verbs: `init`, `ingest`, `compute`, `reissue`, `run`, `status`, `list`, `explain`, `manifest`, `diff`,
//!   `replay`, `audit`, `monitor`, `backtest`, `features`, `config`, `backup`, `doctor`, `plugin`, `verify`,
//!   `release`, `incident`, `completions`, `man`, `schema`

#![cfg_attr(not(test), warn(clippy::too_many_lines))]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

mod asking;
mod audit;
mod backtest;
mod backup;
mod cache;
mod canary;
mod completions;
mod compute;
mod config;
mod context;
mod diff;
mod doctor;
mod envelope;
mod error;
mod exit;
mod explain;
mod features;
mod incident;
mod ingest;
mod init;
mod interrupted;
mod list;
mod man;
mod manifest;
mod monitor;
mod panics;
mod plugin;
mod progress;
#[cfg(test)]
mod reference;
mod reissue;
mod release;
mod replay;
mod run;
mod schema;
mod signals;
mod status;
mod table;
mod telemetry;
mod trouble;
mod ui;
mod verify;
mod watch;

use error::CliError;
use exit::Exit;
use provender_domain::interrupt::Interrupt;
use telemetry::LogFormat;
use ui::{Done, Ui};

/// The version details that a bug report should contain.
fn long_version() -> String {
    let engine = provender_sandbox::EngineInfo::current();
    format!(
        "{}\nengine: wasmtime {}, sandbox profile {}, {}\nworld: {}\nledger schema: {}",
        env!("CARGO_PKG_VERSION"),
        engine.wasmtime,
        engine.profile,
        engine.target,
        provender_sandbox::WORLD,
        provender_ledger::admin::newest_schema(),
    )
}

const EXIT_HELP: &str = "Exit codes: 0 ok, 1 warn, 2 crit or incomplete; 10 drift, 11 integrity, 12 gate, 13 nondeterminism, \
14 component rejected, 15 component failed, 16 guardrail, 17 check failed; 64 usage, 65 bad input, 66 not found, \
69 store unavailable, 70 internal, 74 I/O, 75 busy, 78 configuration.\n\n\
Start here: provender run --sample";

/// A WebAssembly plugin host for versioned data-science logic: every number explained, guarded and
/// reproducible.
#[derive(Parser)]
#[command(name = "provender", version, long_version = long_version(), after_help = EXIT_HELP, propagate_version = true)]
struct Cli<V: Subcommand> {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: V,
}

/// Options of every verb.
#[derive(Args, Clone)]
#[command(next_help_heading = "Options of every verb")]
struct Global {
    /// The deployment's folder. Default: the nearest folder with a provender.toml, from here upwards.
    #[arg(long, global = true, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Read this ledger (a backup, for example) instead of the deployment's. For verbs that only read.
    #[arg(long, global = true, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Print exactly one JSON object on stdout.
    #[arg(long, global = true)]
    json: bool,
    /// Print nothing but errors.
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Who is acting, as recorded in the ledger. Default: PROVENDER_ACTOR, or the user's name.
    #[arg(long, global = true, value_name = "NAME")]
    actor: Option<String>,
    /// Log to stderr in this format. PROVENDER_LOG selects what is logged. Default: `info`.
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// Set when a signal asks the command to stop.
    #[arg(skip)]
    interrupt: Interrupt,
}

impl Global {
    fn ui(&self) -> Ui {
        Ui {
            json: self.json,
            quiet: self.quiet,
        }
    }
}

#[derive(Subcommand)]
enum Verb {
    Init(init::InitArgs),
    Ingest(ingest::IngestArgs),
    Run(run::RunArgs),
    Compute(compute::ComputeArgs),
    Reissue(reissue::ReissueArgs),
    Release(release::ReleaseArgs),
    Incident(incident::IncidentArgs),
    Status(status::StatusArgs),
    List(list::ListArgs),
    Explain(explain::ExplainArgs),
    Manifest(manifest::ManifestArgs),
    Diff(diff::DiffArgs),
    Replay(replay::ReplayArgs),
    Audit(audit::AuditArgs),
    Monitor(monitor::MonitorArgs),
    Backtest(backtest::BacktestArgs),
    Features(features::FeaturesArgs),
    Plugin(plugin::PluginArgs),
    Verify(verify::VerifyArgs),
    Config(config::ConfigArgs),
    Backup(backup::BackupArgs),
    Doctor(doctor::DoctorArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Schema(schema::SchemaArgs),
}

/// `compute` alone. Scripts call it for single runs, where building the definitions of all other verbs
/// would take a tenth of the time.
#[derive(Subcommand)]
enum Single {
    Compute(compute::ComputeArgs),
}

impl From<Single> for Verb {
    fn from(single: Single) -> Verb {
        match single {
            Single::Compute(a) => Verb::Compute(a),
        }
    }
}

/// Parses the command line. Returns the verb's name as in the JSON envelope, the global options and the
/// verb.
fn parse<V: Subcommand + Into<Verb>>() -> Result<(String, Global, Verb), clap::Error> {
    let matches = Cli::<V>::command().try_get_matches()?;
    let cli = Cli::<V>::from_arg_matches(&matches)?;
    Ok((command(&matches), cli.global, cli.verb.into()))
}

/// The argument with which this program starts itself to read debug information; no verb of the command line.
const SYMBOLS: &str = "helper-symbols";

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|verb| verb == SYMBOLS)
    {
        let served = provender_sandbox::symbols::serve();
        return ExitCode::from(if served.is_ok() { Exit::Ok } else { Exit::Io }.code());
    }
    provender_sandbox::symbols::name_helper(|| {
        let mut command = std::process::Command::new(std::env::current_exe().ok()?);
        command.arg(SYMBOLS).env_clear();
        Some(command)
    });
    telemetry::start();
    let exit = panics::caught(dispatch).unwrap_or_else(|defect| {
        let json = std::env::args().any(|a| a == "--json");
        Ui { json, quiet: false }.finish("provender", Err(defect))
    });
    ExitCode::from(exit.code())
}

/// Test hooks of debug builds: panic, die at a fail point or wait at one.
#[cfg(debug_assertions)]
fn seams() {
    let asked = std::env::var("PROVENDER_TEST_PANIC").ok();
    let panic = || assert!(asked.is_none(), "PROVENDER_TEST_PANIC is set");
    if asked.as_deref() == Some("thread") {
        let ended = std::thread::scope(|scope| scope.spawn(panic).join());
        ended.unwrap_or_else(|cause| std::panic::resume_unwind(cause));
    }
    panic();
    if let Ok(name) = std::env::var("PROVENDER_FAIL_AT") {
        provender_domain::failpoint::arm(name);
    }
    if let Ok(file) = std::env::var("PROVENDER_PASSES") {
        provender_domain::failpoint::list(file);
    }
    if let Ok(name) = std::env::var("PROVENDER_HOLD_AT") {
        provender_domain::failpoint::hold(&name);
    }
}

/// Parses the command line and runs the verb.
fn dispatch() -> Exit {
    #[cfg(debug_assertions)]
    seams();
    let parsed = match std::env::args_os().nth(1) {
        Some(verb) if verb == "compute" => parse::<Single>(),
        _ => parse::<Verb>(),
    };
    let (command, global, verb) = match parsed {
        Ok(parsed) => parsed,
        Err(e) => return usage(&e),
    };
    let ui = global.ui();
    if let Err(e) = telemetry::install(global.log_format) {
        return ui.finish(&command, Err(e));
    }
    let span = telemetry::command(&command);
    let _inside = span.enter();
    let exit = ui.finish(&command, verb.perform(&global));
    span.record("exit_code", exit.code());
    exit
}

impl Verb {
    fn perform(self, g: &Global) -> Result<Done, CliError> {
        if self.ends_between_batches() {
            signals::listen(&g.interrupt)?;
        }
        match self {
            Verb::Init(a) => init::run(g, &a),
            Verb::Ingest(a) => ingest::run(g, &a),
            Verb::Run(a) => run::run(g, &a),
            Verb::Compute(a) => compute::run(g, &a),
            Verb::Reissue(a) => reissue::run(g, &a),
            Verb::Release(a) => release::run(g, &a),
            Verb::Incident(a) => incident::run(g, &a),
            Verb::Status(a) => status::run(g, &a),
            Verb::List(a) => list::run(g, &a),
            Verb::Manifest(a) => manifest::run(g, &a),
            Verb::Explain(a) => explain::run(g, &a),
            Verb::Diff(a) => diff::run(g, &a),
            Verb::Replay(a) => replay::run(g, &a),
            Verb::Audit(a) => audit::run(g, &a),
            Verb::Monitor(a) => monitor::run(g, &a),
            Verb::Backtest(a) => backtest::run(g, &a),
            Verb::Features(a) => features::run(g, &a),
            Verb::Plugin(a) => plugin::run(g, &a),
            Verb::Verify(a) => verify::run(g, &a),
            Verb::Config(a) => config::run(g, &a),
            Verb::Backup(a) => backup::run(g, &a),
            Verb::Doctor(a) => doctor::run(g, &a),
            Verb::Completions(a) => completions::run(&a, Cli::<Verb>::command()),
            Verb::Man(a) => man::run(&a, Cli::<Verb>::command()),
            Verb::Schema(a) => schema::run(&a, &Cli::<Verb>::command()),
        }
    }

    /// Whether the verb stops between two batches when a signal arrives. Other verbs end at once.
    fn ends_between_batches(&self) -> bool {
        match self {
            Verb::Ingest(_)
            | Verb::Run(_)
            | Verb::Compute(_)
            | Verb::Reissue(_)
            | Verb::Replay(_)
            | Verb::Audit(_)
            | Verb::Backtest(_)
            | Verb::Backup(_) => true,
            Verb::Release(release) => release.computes(),
            Verb::Init(_)
            | Verb::Incident(_)
            | Verb::Status(_)
            | Verb::List(_)
            | Verb::Explain(_)
            | Verb::Manifest(_)
            | Verb::Diff(_)
            | Verb::Monitor(_)
            | Verb::Features(_)
            | Verb::Plugin(_)
            | Verb::Verify(_)
            | Verb::Config(_)
            | Verb::Doctor(_)
            | Verb::Completions(_)
            | Verb::Man(_)
            | Verb::Schema(_) => false,
        }
    }
}

/// The verb with its sub-verbs, as the JSON envelope names it: `plugin check`.
fn command(matches: &clap::ArgMatches) -> String {
    let mut path = Vec::new();
    let mut at = matches;
    while let Some((name, below)) = at.subcommand() {
        path.push(name);
        at = below;
    }
    path.join(" ")
}

/// Reports a usage error. clap's own exit code for it is 2, which would mean "crit".
fn usage(e: &clap::Error) -> Exit {
    if !e.use_stderr() {
        return match ui::print(&e.render().ansi().to_string()) {
            true => Exit::Ok,
            false => Exit::Io,
        };
    }
    if std::env::args().any(|a| a == "--json") {
        let message = e.render().to_string();
        let text = message
            .trim()
            .strip_prefix("error: ")
            .unwrap_or(message.trim())
            .to_owned();
        return Ui {
            json: true,
            quiet: true,
        }
        .finish("provender", Err(CliError::usage(text)));
    }
    telemetry::format_of(std::env::args());
    let text = e.render().to_string();
    if !telemetry::say(
        tracing::Level::ERROR,
        text.trim(),
        &[("code", Some("usage"))],
    ) {
        // If stderr is gone, the error cannot be shown anywhere.
        let _ = e.print();
    }
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::<Verb>::command().debug_assert();
        Cli::<Single>::command().debug_assert();
    }

    #[test]
    fn the_single_verb_has_the_same_help_as_in_the_full_command_line() {
        let usage_and_help = |mut command: clap::Command| {
            command.build();
            let verb = command.find_subcommand_mut("compute").unwrap();
            (
                verb.render_usage().to_string(),
                verb.render_long_help().to_string(),
            )
        };
        let alone = usage_and_help(Cli::<Single>::command());
        assert!(alone.1.contains("--known-at") && alone.1.contains("--project"));
        assert_eq!(alone, usage_and_help(Cli::<Verb>::command()));
    }
}
