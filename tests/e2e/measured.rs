//! Runs the program and reads the memory and processor time that the system accounted to it.
//!
//! Linux accounts to a new process the peak memory of the process that starts it, and the tests' own process
//! may be large because it compiles components. So a small process starts the program: this test binary
//! again, with the one test [`starts_the_program`].

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

use crate::kit::{PROGRAM, Ran, Ranch};

/// What the system accounted to an ended process.
pub(crate) struct Usage {
    /// The peak of resident memory; 0 if the system does not report it.
    pub(crate) peak_bytes: u64,
    /// Processor time, in the program and in the kernel for it.
    pub(crate) cpu: Duration,
}

/// Names the folder through which the two processes exchange files.
const FOLDER: &str = "PROVENDER_MEASURED";
/// After this time a program counts as hanging and is killed. Its duration is judged by processor time.
const HANGS: Duration = Duration::from_secs(1_800);

/// Runs the program with these arguments.
pub(crate) fn measured(ranch: &Ranch, args: &[&str]) -> (Ran, Usage) {
    let folder = tempfile::tempdir().unwrap();
    let inside = |name: &str| folder.path().join(name);
    fs::write(inside("args"), args.join("\0")).unwrap();
    let starter = ranch
        .command_of(&std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "measured::starts_the_program"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let usage = fs::read_to_string(inside("usage"));
    let usage = usage.unwrap_or_else(|e| panic!("{args:?}: {e}: {starter:?}"));
    let (code, numbers) = usage.split_once(' ').unwrap();
    let (peak, nanos) = numbers.split_once(' ').unwrap();
    let [stdout, stderr] = ["stdout", "stderr"].map(|name| fs::read(inside(name)).unwrap());
    let usage = Usage {
        peak_bytes: peak.parse().unwrap(),
        cpu: Duration::from_nanos(nanos.parse().unwrap()),
    };
    (ranch.ended(code.parse().unwrap(), stdout, stderr), usage)
}

#[test]
#[ignore = "started by the tests that measure a run of the program"]
fn starts_the_program() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let folder = Path::new(&folder);
    let file = |name: &str| fs::File::create(folder.join(name)).unwrap();
    let args = fs::read_to_string(folder.join("args")).unwrap();
    let mut program = Command::new(PROGRAM)
        .args(args.split('\0'))
        .env_remove(FOLDER)
        .stdin(Stdio::null())
        .stdout(file("stdout"))
        .stderr(file("stderr"))
        .spawn()
        .unwrap();
    let started = Instant::now();
    let ended = loop {
        if let Some(ended) = program.try_wait4().unwrap() {
            break ended;
        }
        if started.elapsed() > HANGS {
            program.kill().unwrap();
            panic!("the program does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let (code, usage) = (ended.status.code().unwrap_or(-1), ended.rusage);
    let cpu = (usage.utime + usage.stime).as_nanos();
    fs::write(
        folder.join("usage"),
        format!("{code} {} {cpu}", usage.maxrss),
    )
    .unwrap();
}
