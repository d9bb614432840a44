//! Deployments on the disk, and the program run in them as whole processes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::synthetic::{self, Plan};

/// The program that is measured: built by cargo with the profile of this one.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_provender");

/// A process that has ended well.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// Wall time, from before it was started until it had ended.
    pub(crate) seconds: f64,
    /// The most memory it held at once, in MiB; `None` where the system does not say.
    pub(crate) peak_mib: Option<f64>,
}

/// Runs a command to its end, as a whole process.
///
/// # Errors
/// When it cannot be started or ends with another exit code than 0 (or `also`).
pub(crate) fn ended(command: &mut Command, also: Option<i32>) -> Result<Ended, String> {
    let shown = format!("{command:?}");
    let log = std::env::temp_dir().join(format!("compare-{}.log", std::process::id()));
    let file = std::fs::File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .spawn()
        .map_err(|e| format!("{shown}: {e}"))?;
    let watch = Watch::start(&child);
    let status = child.wait().map_err(|e| format!("{shown}: {e}"))?;
    let seconds = start.elapsed().as_secs_f64();
    let peak_mib = watch.end();
    if status.success() || (also.is_some() && status.code() == also) {
        return Ok(Ended { seconds, peak_mib });
    }
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    Err(format!("{shown} ended with {status}: {}", said.trim()))
}

/// Looks every few milliseconds how much memory a process has held at most. The system's own mark only
/// rises, so that the last look before the end misses little.
struct Watch {
    stop: std::sync::mpsc::Sender<()>,
    peak: std::thread::JoinHandle<Option<f64>>,
}

impl Watch {
    fn start(child: &Child) -> Watch {
        let path = format!("/proc/{}/status", child.id());
        let (stop, stopped) = std::sync::mpsc::channel();
        let peak = std::thread::spawn(move || {
            let mut peak = None;
            loop {
                if let Some(mib) = high_water(&path) {
                    peak = Some(mib);
                }
                let waited = stopped.recv_timeout(Duration::from_millis(5));
                if waited != Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                    return peak;
                }
            }
        });
        Watch { stop, peak }
    }

    fn end(self) -> Option<f64> {
        // The watcher has ended already when nobody receives.
        let _ = self.stop.send(());
        self.peak.join().ok().flatten()
    }
}

fn high_water(path: &str) -> Option<f64> {
    let status = std::fs::read_to_string(path).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
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
    /// Makes one anew; what lies in the folder goes.
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
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Ended, String> {
        ended(&mut self.command(arguments), None)
    }

    /// Computes every run that is due in the first `days` days.
    ///
    /// # Errors
    /// See [`ended`].
    pub(crate) fn compute(&self, days: usize) -> Result<Ended, String> {
        let from = synthetic::day(0).to_string();
        let to = synthetic::day(days.saturating_sub(1)).to_string();
        self.run(&["compute", "--all", "--from", &from, "--to", &to])
    }

    /// A number that differs from one comparison to the next, for a deployment that is kept.
    pub(crate) fn asked(&self) -> usize {
        let path = self.folder.join("asked");
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let next = before.trim().parse::<usize>().unwrap_or(0) + 1;
        // Where it cannot be kept, the run is known already and the question fails by itself.
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
