//! System calls, read from strace: what was on the disk at which moment.

use std::collections::BTreeMap;
use std::process::Command;

use crate::kit::Ranch;

/// A system call that matters for durability.
#[derive(Debug, PartialEq)]
pub(crate) enum What {
    /// A file or folder was synced.
    Synced(String),
    /// A file was renamed or linked: from, to.
    Named(String, String),
    /// A folder was created.
    Made(String),
    /// A file was written to.
    Wrote(String),
    /// The result was printed.
    Reported,
}

/// A successful call. A call that began before another had ended may not rely on it.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) what: What,
    pub(crate) began: usize,
    pub(crate) ended: usize,
}

/// The calls of a program, in the order in which they ended.
pub(crate) struct Calls(pub(crate) Vec<Call>);

impl Calls {
    /// Runs a program and returns its calls; `None` if strace is not available.
    pub(crate) fn of(ranch: &Ranch, args: &[&str]) -> Option<Calls> {
        let kinds = "fsync,fdatasync,linkat,renameat,renameat2,rename,mkdir,mkdirat,pwrite64,write";
        Some(Calls::read(
            &traced(ranch, args, kinds)?,
            &ranch.dir().display().to_string(),
        ))
    }

    fn read(trace: &str, cwd: &str) -> Calls {
        // strace splits a call where another thread runs in between. A thread has one call at a time.
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
            // A call that failed or never returned had no effect.
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

    /// Whether a matching file was synced within a period.
    pub(crate) fn synced(&self, after: usize, before: usize, what: &dyn Fn(&str) -> bool) -> bool {
        self.0.iter().any(|c| {
            let is_it = matches!(&c.what, What::Synced(path) if what(path));
            is_it && c.began > after && c.ended < before
        })
    }

    /// The first write into the ledger's WAL after this moment.
    fn logged(&self, after: usize) -> &Call {
        let logs = |c: &&Call| matches!(&c.what, What::Wrote(p) if p.ends_with("ledger.db-wal"));
        self.0
            .iter()
            .filter(logs)
            .find(|c| c.began > after)
            .unwrap()
    }

    /// The last write into a file before this moment.
    pub(crate) fn last_write(&self, before: usize, file: &dyn Fn(&str) -> bool) -> usize {
        let writes = |c: &&Call| matches!(&c.what, What::Wrote(path) if file(path));
        let earlier = self.0.iter().filter(writes).filter(|c| c.ended < before);
        earlier.map(|c| c.ended).max().unwrap()
    }

    pub(crate) fn reported_at(&self) -> usize {
        self.0
            .iter()
            .find(|c| c.what == What::Reported)
            .unwrap()
            .began
    }

    /// Asserts that every folder created on the path to a file was synced, through its parent, before a
    /// moment. Returns their number.
    pub(crate) fn folders_are_known(&self, file: &str, before: usize) -> usize {
        let mut folders = 0;
        for made in &self.0 {
            let What::Made(path) = &made.what else {
                continue;
            };
            if !file.starts_with(&format!("{path}/")) {
                continue;
            }
            folders += 1;
            let above = path.rsplit_once('/').unwrap().0;
            assert!(
                self.synced(made.ended, before, &|p| p == above),
                "{above} was not on the disk with {path} before {file} was relied on"
            );
        }
        folders
    }

    /// Asserts the order: content before name, name before WAL, WAL before the printed result, and every new
    /// folder before the WAL entry that names something in it. Returns the numbers of names and folders.
    pub(crate) fn are_in_order(&self, below: &str) -> (usize, usize) {
        let reported = self.reported_at();
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
                reported > logged.ended,
                "the result was printed before {to} was recorded"
            );
            folders += self.folders_are_known(to, logged.began);
        }
        assert!(
            self.synced(self.last_write(reported, &log), reported, &log),
            "the WAL was not on the disk when the result was printed"
        );
        (names, folders)
    }
}

/// The system calls of some kinds, one per line.
pub(crate) fn traced(ranch: &Ranch, args: &[&str], kinds: &str) -> Option<String> {
    // Whether this machine allows tracing at all.
    let mut probe = Command::new("strace");
    probe.args(["-f", "-o", "/dev/null", "true"]);
    if !probe.output().is_ok_and(|ran| ran.status.success()) {
        return None;
    }
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
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{args:?}: {} {said}", ran.status);
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
        "write" if arguments.starts_with("1<") => Some(What::Reported),
        "write" | "pwrite64" => of_first().map(What::Wrote),
        _ => None,
    }
}

/// Without this rule, no test here would distinguish a sync that failed or came too late from one that
/// worked.
#[test]
fn a_sync_counts_only_if_it_succeeded_and_only_after_its_end() {
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
