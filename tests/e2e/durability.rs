//! Power loss: the order in which things reach the disk, read from the system calls.

use std::process::Command;

use crate::crash_kit::ingested;
use crate::kit::Ranch;

/// One system call of those that matter.
#[derive(Debug, PartialEq)]
enum Call {
    /// A file is on the disk.
    Synced(String),
    /// A name was given: from, to.
    Named(String, String),
    /// Something was written into the ledger's log.
    Logged,
    /// The user was told.
    Told,
}

/// What the program does, in order; nothing where strace is not to be had.
fn calls(ranch: &Ranch, args: &[&str]) -> Option<Vec<Call>> {
    let kinds = "fsync,fdatasync,linkat,renameat,renameat2,rename,pwrite64,write";
    let trace = traced(ranch, args, kinds)?;
    Some(trace.lines().filter_map(call).collect())
}

/// The system calls of some kinds, a line each.
fn traced(ranch: &Ranch, args: &[&str], kinds: &str) -> Option<String> {
    let program = ranch.command();
    let mut command = Command::new("strace");
    command
        .args(["-f", "-y", "-s", "200", "-o", "trace", "-e"])
        .arg(format!("trace={kinds}"))
        .arg(program.get_program())
        .args(args)
        .current_dir(ranch.dir())
        .env_clear();
    for (name, value) in program.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let ran = command.output().ok()?;
    if !ranch.path("trace").exists() || !ran.status.success() {
        return None;
    }
    // Each thread's calls may be cut in two where another thread comes between.
    Some(String::from_utf8_lossy(&std::fs::read(ranch.path("trace")).unwrap()).into_owned())
}

fn call(line: &str) -> Option<Call> {
    let (_, rest) = line.split_once(' ')?;
    let rest = rest.trim_start();
    let (name, arguments) = rest.split_once('(')?;
    let paths: Vec<&str> = arguments
        .split('<')
        .skip(1)
        .filter_map(|p| p.split_once('>').map(|(p, _)| p))
        .collect();
    let texts: Vec<&str> = arguments.split('"').skip(1).step_by(2).collect();
    let joined = |n: usize| Some(format!("{}/{}", paths.get(n)?, texts.get(n)?));
    match name {
        "fsync" | "fdatasync" => Some(Call::Synced((*paths.first()?).to_owned())),
        "linkat" | "renameat" | "renameat2" => Some(Call::Named(joined(0)?, joined(1)?)),
        "pwrite64" if paths.first()?.ends_with("ledger.db-wal") => Some(Call::Logged),
        "write" if arguments.starts_with("1<") => Some(Call::Told),
        _ => None,
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_compute_reports_as_recorded_is_on_the_disk() {
    let ranch = ingested();
    let args = ["compute", "--all", "--as-of", "2025-06-30"];
    let Some(calls) = calls(&ranch, &args) else {
        println!("not checked: the order of writes needs strace, and leave to use it");
        return;
    };
    let synced = |from: usize, to: usize, what: &dyn Fn(&str) -> bool| {
        calls[from..to]
            .iter()
            .any(|c| matches!(c, Call::Synced(path) if what(path)))
    };
    let told = calls.iter().position(|c| *c == Call::Told).unwrap();
    let mut named = 0;
    for (at, call) in calls.iter().enumerate() {
        let Call::Named(from, to) = call else {
            continue;
        };
        if !to.contains("/manifests/") {
            continue;
        }
        named += 1;
        // The bytes before the name, the name before the log, the log before the user.
        assert!(
            synced(0, at, &|p| p == from),
            "{from} was named before it was on the disk"
        );
        let logged = at + calls[at..].iter().position(|c| *c == Call::Logged).unwrap();
        let folder = to.rsplit_once('/').unwrap().0;
        assert!(
            synced(at, logged, &|p| p.trim_end_matches("/.") == folder),
            "{folder} was not on the disk before the ledger named {to}"
        );
        assert!(told > logged, "the user was told before {to} was recorded");
        let last = told
            - calls[..told]
                .iter()
                .rev()
                .position(|c| *c == Call::Logged)
                .unwrap();
        assert!(
            synced(last, told, &|p| p.ends_with("ledger.db-wal")),
            "the log was not on the disk when the user was told"
        );
    }
    assert_eq!(named, 9);
}

/// Each connection reads the whole schema anew, and the last one that closes takes the log away.
#[test]
#[cfg(target_os = "linux")]
fn one_run_takes_one_connection_and_leaves_no_log() {
    let ranch = ingested();
    let args = [
        "compute",
        "--boundary",
        "creek",
        "--herd",
        "h-cows",
        "--as-of",
        "2025-06-30",
    ];
    let Some(trace) = traced(&ranch, &args, "openat,write") else {
        println!("not checked: how often the ledger is opened needs strace, and leave to use it");
        return;
    };
    assert!(trace.contains("1 recorded"), "{trace}");
    let opened = |name: &str| {
        let name = format!("/{name}\"");
        let of = |l: &&str| l.contains(" openat(") && l.contains(&name);
        trace.lines().filter(of).count()
    };
    assert_eq!(opened("ledger.db"), 1, "{trace}");
    assert_eq!(opened("ledger.db-wal"), 1, "{trace}");
    for left in ["out/ledger.db-wal", "out/ledger.db-shm"] {
        assert!(!ranch.path(left).exists(), "{left}");
    }
}
