//! Power loss: the order in which things reach the disk, read from the system calls.

use std::collections::BTreeMap;
use std::process::Command;

use crate::crash_kit::ingested;
use crate::kit::Ranch;

/// One system call of those that matter.
#[derive(Debug, PartialEq)]
enum What {
    /// A file or folder is on the disk.
    Synced(String),
    /// A name was given: from, to.
    Named(String, String),
    /// A folder was made.
    Made(String),
    /// Something was written into a file.
    Wrote(String),
    /// The user was told.
    Told,
}

/// A call that succeeded. What began before another had ended may not count on it.
#[derive(Debug)]
struct Call {
    what: What,
    began: usize,
    ended: usize,
}

/// The calls of a program, in the order in which they ended.
struct Calls(Vec<Call>);

impl Calls {
    /// What a program does; nothing where strace is not to be had.
    fn of(ranch: &Ranch, args: &[&str]) -> Option<Calls> {
        let kinds = "fsync,fdatasync,linkat,renameat,renameat2,rename,mkdir,mkdirat,pwrite64,write";
        Some(Calls::read(
            &traced(ranch, args, kinds)?,
            &ranch.dir().display().to_string(),
        ))
    }

    fn read(trace: &str, cwd: &str) -> Calls {
        // A call may be cut in two where another thread comes between; a thread has one at a time.
        let mut begun: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        let mut calls = Vec::new();
        for (at, line) in trace.lines().enumerate() {
            let Some((thread, rest)) = line.split_once(' ') else {
                continue;
            };
            let rest = rest.trim_start();
            let (began, text) = if let Some(first) = rest.strip_suffix("<unfinished ...>") {
                begun.insert(thread, (at, first));
                continue;
            } else if let Some(resumed) = rest.strip_prefix("<... ") {
                let (Some((began, first)), Some((_, last))) =
                    (begun.remove(thread), resumed.split_once(" resumed>"))
                else {
                    continue;
                };
                (began, format!("{first}{last}"))
            } else {
                (at, rest.to_owned())
            };
            // What failed, or was never answered, did nothing.
            let answer = text.rsplit_once(" = ").map(|(_, answer)| answer);
            if !answer.is_some_and(|a| a.starts_with(|c: char| c.is_ascii_digit())) {
                continue;
            }
            if let Some(what) = what(&text, cwd) {
                calls.push(Call {
                    what,
                    began,
                    ended: at,
                });
            }
        }
        Calls(calls)
    }

    /// Whether something was synced within a stretch of time.
    fn synced(&self, after: usize, before: usize, what: &dyn Fn(&str) -> bool) -> bool {
        self.0.iter().any(|c| {
            let is_it = matches!(&c.what, What::Synced(path) if what(path));
            is_it && c.began > after && c.ended < before
        })
    }

    /// The first write into the ledger's log after this moment.
    fn logged(&self, after: usize) -> &Call {
        let logs = |c: &&Call| matches!(&c.what, What::Wrote(p) if p.ends_with("ledger.db-wal"));
        self.0
            .iter()
            .filter(logs)
            .find(|c| c.began > after)
            .unwrap()
    }

    /// The last write into a file before this moment.
    fn last_write(&self, before: usize, file: &dyn Fn(&str) -> bool) -> usize {
        let writes = |c: &&Call| matches!(&c.what, What::Wrote(path) if file(path));
        let earlier = self.0.iter().filter(writes).filter(|c| c.ended < before);
        earlier.map(|c| c.ended).max().unwrap()
    }

    fn told(&self) -> usize {
        self.0.iter().find(|c| c.what == What::Told).unwrap().began
    }

    /// The bytes before the name, the name before the log, the log before the user; every folder before the
    /// log that names what is in it. Gives how many names and folders were looked at.
    fn are_in_order(&self, below: &str) -> (usize, usize) {
        let told = self.told();
        let log = |p: &str| p.ends_with("ledger.db-wal");
        let (mut names, mut folders) = (0, 0);
        for call in &self.0 {
            let What::Named(from, to) = &call.what else {
                continue;
            };
            if !to.contains(below) {
                continue;
            }
            names += 1;
            let written = self.last_write(call.began, &|p| p == from);
            assert!(
                self.synced(written, call.began, &|p| p == from),
                "{from} was named before it was on the disk"
            );
            let logged = self.logged(call.ended);
            let folder = to.rsplit_once('/').unwrap().0;
            assert!(
                self.synced(call.ended, logged.began, &|p| p == folder),
                "{folder} was not on the disk before the ledger named {to}"
            );
            assert!(
                told > logged.ended,
                "the user was told before {to} was recorded"
            );
            for made in &self.0 {
                let What::Made(path) = &made.what else {
                    continue;
                };
                if !to.starts_with(&format!("{path}/")) {
                    continue;
                }
                folders += 1;
                let above = path.rsplit_once('/').unwrap().0;
                assert!(
                    self.synced(made.ended, logged.began, &|p| p == above),
                    "{above} was not on the disk with {path} before the ledger named {to}"
                );
            }
        }
        assert!(
            self.synced(self.last_write(told, &log), told, &log),
            "the log was not on the disk when the user was told"
        );
        (names, folders)
    }
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
    Some(String::from_utf8_lossy(&std::fs::read(ranch.path("trace")).unwrap()).into_owned())
}

fn what(call: &str, cwd: &str) -> Option<What> {
    let (name, arguments) = call.split_once('(')?;
    let paths: Vec<&str> = arguments
        .split('<')
        .skip(1)
        .filter_map(|p| p.split_once('>').map(|(p, _)| p.trim_end_matches("/.")))
        .collect();
    let texts: Vec<&str> = arguments.split('"').skip(1).step_by(2).collect();
    let from = |folder: &str, n: usize| -> Option<String> {
        let text = texts.get(n)?.trim_start_matches("./");
        Some(match text.starts_with('/') {
            true => text.to_owned(),
            false => format!("{folder}/{text}"),
        })
    };
    let joined = |n: usize| from(paths.get(n)?, n);
    let of_first = || Some((*paths.first()?).to_owned());
    match name {
        "fsync" | "fdatasync" => of_first().map(What::Synced),
        "linkat" | "renameat" | "renameat2" => Some(What::Named(joined(0)?, joined(1)?)),
        "rename" => Some(What::Named(from(cwd, 0)?, from(cwd, 1)?)),
        "mkdirat" => from(paths.first().unwrap_or(&cwd), 0).map(What::Made),
        "mkdir" => from(cwd, 0).map(What::Made),
        "write" if arguments.starts_with("1<") => Some(What::Told),
        "write" | "pwrite64" => of_first().map(What::Wrote),
        _ => None,
    }
}

/// Without it no test here would tell a sync that failed, or came too late, from one that held.
#[test]
fn a_sync_counts_when_it_succeeded_and_from_its_end_on() {
    let trace = "\
1 write(4</r/.writing/1.tmp>, \"a\", 1) = 1
1 fsync(4</r/.writing/1.tmp> <unfinished ...>
2 mkdirat(3</r>, \"out\", 0777) = 0
2 fsync(5</r>) = -1 EIO (Input/output error)
1 <... fsync resumed>)              = 0
2 fsync(6</r/out>
2 linkat(3</r/.writing>, \"1.tmp\", 5</r/out>, \"a.json\", 0) = 0
1 rename(\"b\", \"/r/c\" <unfinished ...>
1 <... rename resumed>) = -1 ENOENT (No such file or directory)
1 write(1<pipe:[1]>, \"told\", 4) = 4
1 fsync(9</r/late> <unfinished ...>
";
    let calls = Calls::read(trace, "/cwd");
    let seen: Vec<_> = calls.0.iter().map(|c| (c.began, c.ended)).collect();
    assert_eq!(
        seen,
        [(0, 0), (2, 2), (1, 4), (6, 6), (9, 9)],
        "{:?}",
        calls.0
    );
    let file = |p: &str| p == "/r/.writing/1.tmp";
    assert!(calls.synced(0, 6, &file));
    assert!(!calls.synced(0, 4, &file) && !calls.synced(1, 6, &file));
    assert!(!calls.synced(0, 20, &|p| p != "/r/.writing/1.tmp"));
    assert_eq!(calls.0[1].what, What::Made("/r/out".to_owned()));
    let named = What::Named("/r/.writing/1.tmp".to_owned(), "/r/out/a.json".to_owned());
    assert_eq!(calls.0[3].what, named);
}

const COMPUTE: [&str; 4] = ["compute", "--all", "--as-of", "2025-06-30"];

#[test]
#[cfg(target_os = "linux")]
fn what_compute_reports_as_recorded_is_on_the_disk() {
    let ranch = ingested();
    let Some(calls) = Calls::of(&ranch, &COMPUTE) else {
        println!("not checked: the order of writes needs strace, and leave to use it");
        return;
    };
    let (names, folders) = calls.are_in_order("/manifests/");
    assert_eq!(names, 9);
    // The folder of manifests and that of a boundary, for each.
    assert_eq!(folders, 18);
}

#[test]
#[cfg(target_os = "linux")]
fn what_compute_reports_as_recorded_in_packs_is_on_the_disk() {
    let ranch = ingested();
    let setting = "path = \"out/manifests\"\npack_from = 1";
    ranch.edit("provender.toml", "path = \"out/manifests\"", setting);
    let Some(calls) = Calls::of(&ranch, &COMPUTE) else {
        println!("not checked: the order of writes needs strace, and leave to use it");
        return;
    };
    // One pack of each of two logics, in folders that are new to the first.
    let (names, folders) = calls.are_in_order("/manifests/packs/");
    assert_eq!((names, folders), (2, 4));
}

/// A ledger, its folder, and what `ingest` has told of it.
#[test]
#[cfg(target_os = "linux")]
fn what_a_first_ingest_reports_is_on_the_disk() {
    let ranch = Ranch::sample();
    ranch.edit(
        "provender.toml",
        "sqlite:out/ledger.db",
        "sqlite:out/a/b/ledger.db",
    );
    let args = ["ingest", "--boundaries", "inputs/pastures.geojson"];
    let Some(calls) = Calls::of(&ranch, &args) else {
        println!("not checked: the order of writes needs strace, and leave to use it");
        return;
    };
    let told = calls.told();
    let log = |p: &str| p.ends_with("ledger.db-wal");
    assert!(calls.synced(calls.last_write(told, &log), told, &log));
    let root = ranch.dir().canonicalize().unwrap().display().to_string();
    let mut above = root.clone();
    for name in ["out", "a", "b"] {
        let folder = format!("{above}/{name}");
        let made = |c: &&Call| c.what == What::Made(folder.clone());
        let made = calls.0.iter().find(made).unwrap().ended;
        assert!(
            calls.synced(made, told, &|p| p == above),
            "{above} with {folder}"
        );
        above = folder;
    }
    // The ledger's own name, and that of its log.
    assert!(calls.synced(0, told, &|p| p == above), "{above}");
}

/// A report is on the disk before the ledger says so.
#[test]
#[cfg(target_os = "linux")]
fn what_monitor_reports_as_recorded_is_on_the_disk() {
    let ranch = ingested();
    let _ = ranch.run(&COMPUTE).exits(0);
    let monitor = [
        "monitor",
        "--all",
        "--end",
        "2025-06-30",
        "--fail-on",
        "never",
    ];
    let Some(calls) = Calls::of(&ranch, &monitor) else {
        println!("not checked: the order of writes needs strace, and leave to use it");
        return;
    };
    let told = calls.told();
    let mut names = 0;
    for call in &calls.0 {
        let What::Named(from, to) = &call.what else {
            continue;
        };
        if !to.contains("/reports/") {
            continue;
        }
        names += 1;
        let written = calls.last_write(call.began, &|p| p == from);
        assert!(calls.synced(written, call.began, &|p| p == from), "{from}");
        let folder = to.rsplit_once('/').unwrap().0;
        assert!(calls.synced(call.ended, told, &|p| p == folder), "{folder}");
    }
    assert_eq!(names, 3);
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
