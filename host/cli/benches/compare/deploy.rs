//! Deployments on the disk, and the program run in them as whole processes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use wait4::Wait4;

use super::synthetic::{self, Plan};

/// The measured program, which cargo built with the profile of this one.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_provender");

/// The first argument with which this program starts itself to measure another one's memory. The peak memory of a
/// new process includes that of its parent, and this program with its rows is large.
pub(crate) const PEAK: &str = "--peak-of";

/// Runs a command and returns the seconds from its start to its end, including process start.
///
/// # Errors
/// When it cannot be started or ends with another exit code than 0 (or `also`).
pub(crate) fn ended(command: &mut Command, also: Option<i32>) -> Result<f64, String> {
    let shown = format!("{command:?}");
    let log = std::env::temp_dir().join(format!("compare-{}.log", std::process::id()));
    let file = std::fs::File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
    let start = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .status()
        .map_err(|e| format!("{shown}: {e}"))?;
    let seconds = start.elapsed().as_secs_f64();
    if status.success() || (also.is_some() && status.code() == also) {
        return Ok(seconds);
    }
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    Err(format!("{shown} ended with {status}: {}", said.trim()))
}

/// Runs a command and prints its peak memory in bytes, as reported by the system.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn print_peak(program: &str, arguments: &[String]) -> Result<(), String> {
    let mut command = Command::new(program);
    let child = command.args(arguments).stdout(Stdio::null()).spawn();
    let used = child.and_then(Wait4::wait4);
    let used = used.map_err(|e| format!("{command:?}: {e}"))?;
    if !used.status.success() {
        return Err(format!("{command:?} ended with {}", used.status));
    }
    println!("{}", used.rusage.maxrss);
    Ok(())
}

/// A synthetic deployment.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// What is in it.
    pub(crate) plan: Plan,
}

impl Deployment {
    /// Creates one. Existing content of the folder is removed.
    ///
    /// # Errors
    /// When the folder cannot be written, or `provender init` refuses.
    pub(crate) fn make(folder: &Path, plan: Plan) -> Result<Deployment, String> {
        let io = |e: std::io::Error| format!("{}: {e}", folder.display());
        if folder.exists() {
            std::fs::remove_dir_all(folder).map_err(io)?;
        }
        let mut init = Command::new(PROGRAM);
        ended(init.arg("init").arg("--quiet").arg(folder), None)?;
        synthetic::write(folder, &plan).map_err(io)?;
        let folder = folder.to_owned();
        Ok(Deployment { folder, plan })
    }

    /// The program with arguments, in this deployment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).arg("--project").arg(&self.folder);
        command
    }

    /// Runs the program with arguments.
    ///
    /// # Errors
    /// See [`ended`].
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<f64, String> {
        ended(&mut self.command(arguments), None)
    }

    /// Computes every run that is due in the first `days` days.
    ///
    /// # Errors
    /// See [`ended`].
    pub(crate) fn compute(&self, days: usize) -> Result<f64, String> {
        ended(&mut self.computing(days), None)
    }

    /// Does the same and returns the peak memory in MiB.
    ///
    /// # Errors
    /// If it fails, or the system does not report it.
    pub(crate) fn peak_of_compute(&self, days: usize) -> Result<f64, String> {
        let computing = self.computing(days);
        let this = std::env::current_exe().map_err(|e| e.to_string())?;
        let mut measured = Command::new(this);
        measured.arg(PEAK).arg(computing.get_program());
        let output = measured.args(computing.get_args()).output();
        let output = output.map_err(|e| format!("{measured:?}: {e}"))?;
        match String::from_utf8_lossy(&output.stdout).trim().parse() {
            Ok(0_u64) => Err("this system does not report the memory of a process".to_owned()),
            Ok(bytes) => Ok(bytes as f64 / f64::from(1 << 20)),
            Err(_) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn computing(&self, days: usize) -> Command {
        let from = synthetic::day(0).to_string();
        let to = synthetic::day(days.saturating_sub(1)).to_string();
        self.command(&["compute", "--all", "--from", &from, "--to", &to])
    }

    /// A number that differs from one comparison to the next, for a deployment that is kept.
    pub(crate) fn asked(&self) -> usize {
        let path = self.folder.join("asked");
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let next = before.trim().parse::<usize>().unwrap_or(0) + 1;
        // If it cannot be stored, the next comparison asks for a recorded run and fails.
        let _ = std::fs::write(&path, next.to_string());
        next
    }

    /// The ledger's file.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.folder.join("out/ledger.db")
    }
}

/// Bytes that the files of a folder take on the disk, those below it included.
pub(crate) fn bytes_on_disk(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => bytes_on_disk(&entry.path()),
            Ok(about) => blocks(&about),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(unix)]
fn blocks(about: &std::fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    about.blocks() * 512
}

#[cfg(not(unix))]
fn blocks(about: &std::fs::Metadata) -> u64 {
    about.len()
}
