//! Disks that are full or forbidden; ledgers that are gone, cut, foreign or of another time.

use std::process::{Command, Output};

use rusqlite::Connection;

use crate::crash_kit::{Held, copy_of, ingested, sound, tidy};
use crate::kit::{Ran, Ranch};

pub(crate) const COMPUTE: [&str; 5] = ["compute", "--all", "--as-of", "2025-06-30", "--json"];

/// Runs the program below a shell that sets something up first; `$0` and `$@` are the program and its
/// arguments.
pub(crate) fn below(ranch: &Ranch, wrapper: &[&str], script: &str, args: &[&str]) -> Ran {
    let program = ranch.command();
    let mut command = Command::new(wrapper[0]);
    command
        .args(&wrapper[1..])
        .args(["sh", "-c", script])
        .arg(program.get_program())
        .args(args)
        .current_dir(ranch.dir())
        .env_clear();
    for (name, value) in program.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    ranch.finish(command.output().unwrap())
}

/// A namespace of one's own, in which one may mount; not every machine allows it.
pub(crate) const NAMESPACE: [&str; 3] = ["unshare", "-r", "-m"];

pub(crate) fn may_mount() -> bool {
    let tried = Command::new(NAMESPACE[0])
        .args(&NAMESPACE[1..])
        .args(["sh", "-c", "mount -t tmpfs none /mnt"])
        .output();
    let may = tried.is_ok_and(|o: Output| o.status.success());
    if !may {
        println!("not checked: this machine lets no user mount in a namespace of its own");
    }
    may
}

/// Runs as somebody to whom things are forbidden: nothing is to root, who becomes nobody.
#[cfg(unix)]
fn nobody() -> Option<&'static [&'static str]> {
    let root = std::fs::metadata("/proc/self").is_ok_and(|m| {
        use std::os::unix::fs::MetadataExt as _;
        m.uid() == 0
    });
    if !root {
        return Some(&["env"]);
    }
    let can = Command::new("setpriv").arg("--version").output();
    if !can.is_ok_and(|o| o.status.success()) {
        println!("not checked: root without setpriv cannot become somebody else");
        return None;
    }
    Some(&[
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ])
}

#[cfg(unix)]
fn allow(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Lets anybody read the deployment and write its ledger.
#[cfg(unix)]
fn opened(ranch: &Ranch) {
    allow(ranch.dir().parent().unwrap(), 0o755);
    for file in ["out", "out/ledger.db"] {
        allow(&ranch.path(file), 0o777);
    }
}

pub(crate) fn error(ran: &Ran) -> (String, String) {
    let json = ran.json();
    let text = |name: &str| json["error"][name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("message"))
}

#[test]
#[cfg(unix)]
fn a_write_that_the_disk_cuts_off_is_74_and_going_on_later_ends_like_undisturbed() {
    let prepared = ingested();
    let undisturbed = copy_of(&prepared);
    let _ = undisturbed.run(&COMPUTE).exits(0);
    let reference = Held::by(&undisturbed);
    let mut refused = 0;
    // Blocks of 512 bytes: from files that have no room for a manifest to files that have it for the
    // log, but not for all of it.
    for blocks in [0, 2, 8, 40, 70, 100, 160, 400, 1_000] {
        let ranch = copy_of(&prepared);
        // Compiled code would not fit either, and is not needed.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let ran = below(&ranch, &["env"], &script, &COMPUTE);
        let when = format!("files of {blocks} blocks");
        if ran.code != 0 {
            refused += 1;
            let (code, message) = error(&ran);
            assert_eq!(ran.code, 74, "{when}: {message}");
            assert!(
                ["ledger_io", "manifest_io"].contains(&code.as_str()),
                "{when}: {code}: {message}"
            );
            assert!(
                ran.json()["error"]["help"]
                    .as_str()
                    .is_some_and(|h| h.contains("space")),
                "{when}"
            );
        }
        sound(&ranch, &when);
        let _ = ranch.run(&COMPUTE).exits(0);
        Held::by(&ranch).must_be(&reference, &when);
        tidy(&ranch, &when);
    }
    assert!(refused >= 3, "only {refused} of the limits were met");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_74_for_every_verb_that_writes() {
    if !may_mount() {
        return;
    }
    let prepared = ingested();
    // Room for the ledger and a little, none for a day's runs; the day fits after the disk has grown.
    let script = r#"
        cp -r out kept && mount -t tmpfs -o size=640k none out && cp -r kept/* out/ 2>/dev/null
        rm -rf out/cache
        dd if=/dev/zero of=out/ballast bs=1k 2>/dev/null
        "$0" "$@"; full=$?
        rm out/ballast
        mount -o remount,size=64m out
        "$0" list >/dev/null || exit 99
        "$0" compute --all --as-of 2025-06-30 --quiet || exit 98
        "$0" monitor --all --end 2025-06-30 --fail-on never --quiet || exit 97
        find out/manifests out/reports -name '*.tmp' | grep . && exit 96
        exit $full
    "#;
    for args in [
        &COMPUTE[..],
        &["monitor", "--all", "--end", "2025-06-30", "--json"],
        &["ingest", "--forage", "more.csv", "--json"],
        &[
            "plugin",
            "freeze",
            "days_remaining:v1",
            "--reason",
            "x",
            "--json",
        ],
    ] {
        let ranch = copy_of(&prepared);
        ranch.write(
            "more.csv",
            "boundary_id,date,kg_per_ha\nnorth,2025-07-01,12\n",
        );
        let ran = below(&ranch, &NAMESPACE, script, args);
        assert_eq!(ran.code, 74, "{args:?}: {}{}", ran.stdout, ran.stderr);
        let (code, message) = error(&ran);
        assert_eq!(code, "ledger_io", "{args:?}: {message}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_of_manifests_or_reports_is_74_and_leaves_no_half_of_one() {
    if !may_mount() {
        return;
    }
    let prepared = ingested();
    let script = r#"
        for folder in out/manifests out/reports; do
          mkdir -p $folder && mount -t tmpfs -o size=16k none $folder || exit 95
        done
        "$0" "$@"; full=$?
        find out/manifests out/reports -name '*.tmp' | grep . && exit 96
        find out/manifests out/reports -type f -size 0 | grep . && exit 94
        for folder in out/manifests out/reports; do mount -o remount,size=64m $folder; done
        "$0" compute --all --as-of 2025-06-30 --quiet || exit 98
        "$0" monitor --all --end 2025-06-30 --fail-on never --quiet || exit 97
        exit $full
    "#;
    let monitor = ["monitor", "--all", "--end", "2025-06-30", "--json"];
    for (args, expected) in [
        (&COMPUTE[..], "manifest_io"),
        (&monitor, "report_unwritable"),
    ] {
        let ranch = copy_of(&prepared);
        let ran = below(&ranch, &NAMESPACE, script, args).exits(74);
        let (code, message) = error(&ran);
        assert_eq!(code, expected, "{message}");
        let help = ran.json()["error"]["help"].clone();
        assert!(help.as_str().is_some_and(|h| h.contains("space")), "{help}");
    }
}

#[test]
#[cfg(unix)]
fn a_ledger_that_may_not_be_written_is_69_and_a_file_that_may_not_be_read_74() {
    use std::os::unix::fs::PermissionsExt as _;
    let ranch = ingested();
    let allow = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let Some(wrapper) = nobody() else { return };
    allow(ranch.dir().parent().unwrap(), 0o755);
    let run = |args: &[&str]| below(&ranch, wrapper, "exec \"$0\" \"$@\"", args);
    allow(&ranch.path("out"), 0o555);
    allow(&ranch.path("out/ledger.db"), 0o444);
    // A ledger that may not be written cannot be opened by who writes, whatever its folder allows.
    for folder in [0o555, 0o777] {
        allow(&ranch.path("out"), folder);
        let ran = run(&COMPUTE).exits(69);
        let (code, message) = error(&ran);
        assert_eq!(code, "ledger_unavailable", "{message}");
        assert!(message.contains("out/ledger.db"), "{message}");
        let _ = run(&["list"]).exits(0);
    }
    allow(&ranch.path("inputs/herds.json"), 0o000);
    for file in ["out/ledger.db", "out/ledger.db-wal", "out/ledger.db-shm"] {
        if ranch.path(file).exists() {
            allow(&ranch.path(file), 0o666);
        }
    }
    let ran = run(&["ingest", "--herds", "inputs/herds.json", "--json"]).exits(74);
    assert_eq!(error(&ran).0, "file_unreadable");
    allow(&ranch.path("logic.toml"), 0o000);
    let ran = run(&COMPUTE).exits(74);
    let (code, message) = error(&ran);
    assert_eq!(code, "config_unreadable");
    assert!(message.contains("logic.toml"), "{message}");
}

/// A deployment with recorded runs, and what `compute` says of it once its ledger has suffered.
fn suffering(what: impl Fn(&Ranch)) -> (i32, String, String) {
    let ranch = Ranch::ran();
    for file in ["out/ledger.db-wal", "out/ledger.db-shm"] {
        assert!(
            !ranch.path(file).exists(),
            "the last one out folds the log in"
        );
    }
    what(&ranch);
    let before = ranch.files("out/manifests");
    let ran = ranch.run(&COMPUTE);
    let (code, message) = error(&ran);
    assert_eq!(ranch.files("out/manifests"), before, "{message}");
    (ran.code, code, message)
}

#[test]
fn a_ledger_that_is_gone_empty_cut_foreign_or_newer_is_told_apart() {
    let path = |ranch: &Ranch| ranch.path("out/ledger.db");
    let (exit, code, message) = suffering(|r| std::fs::remove_file(path(r)).unwrap());
    assert_eq!((exit, code.as_str()), (69, "ledger_missing"), "{message}");
    insta::assert_snapshot!(message, @"the ledger sqlite:RANCH/out/ledger.db is missing or empty, but manifests of recorded runs are there");
    let (exit, code, message) = suffering(|r| std::fs::write(path(r), "").unwrap());
    assert_eq!((exit, code.as_str()), (69, "ledger_missing"), "{message}");
    let whole = {
        let ranch = Ranch::ran();
        std::fs::metadata(path(&ranch)).unwrap().len()
    };
    // Less than a page, too: SQLite takes what is missing of one for zeros.
    for cut in [
        1,
        100,
        4_095,
        4_096,
        whole - 200_000,
        whole - 4_096,
        whole - 100,
    ] {
        let (exit, code, message) = suffering(|r| {
            let file = std::fs::File::options().write(true).open(path(r)).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length - cut).unwrap();
        });
        let found = (exit, code.as_str());
        assert_eq!(found, (69, "ledger_unavailable"), "{cut}: {message}");
        assert!(
            message.contains("RANCH/out/ledger.db is cut, damaged or no ledger"),
            "{cut}: {message}"
        );
    }
    for number in [0, -1] {
        let (exit, code, message) = suffering(|r| {
            let other = Connection::open(path(r)).unwrap();
            other.pragma_update(None, "user_version", number).unwrap();
        });
        let found = (exit, code.as_str());
        assert_eq!(found, (69, "ledger_unavailable"), "{number}: {message}");
        assert!(
            message.contains(&format!("the number {number},")),
            "{message}"
        );
    }
    let (exit, code, message) =
        suffering(|r| std::fs::write(path(r), "hello ".repeat(2_000)).unwrap());
    let found = (exit, code.as_str());
    assert_eq!(found, (69, "ledger_unavailable"), "{message}");
    let (exit, code, message) = suffering(|r| {
        std::fs::remove_file(path(r)).unwrap();
        let other = Connection::open(path(r)).unwrap();
        other
            .execute_batch("CREATE TABLE recipes (name TEXT)")
            .unwrap();
    });
    assert_eq!((exit, code.as_str()), (69, "not_a_ledger"), "{message}");
    let (exit, code, message) = suffering(|r| {
        let newer = Connection::open(path(r)).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
    });
    assert_eq!(
        (exit, code.as_str()),
        (69, "ledger_newer_schema"),
        "{message}"
    );
    assert!(
        message.contains("schema 99") && message.contains("newer provender"),
        "{message}"
    );
}

/// Where a killed process has left a log, a page that is in it need not be in the file; every other page must.
#[test]
fn a_ledger_that_is_cut_beside_its_log_is_told_or_whole_with_it() {
    let ranch = ingested();
    // Held open, so that the log is not folded in when `compute` ends.
    let held = crate::crash_kit::database(&ranch);
    let _: i64 = held
        .query_row("SELECT count(*) FROM run", [], |r| r.get(0))
        .unwrap();
    let _ = ranch.run(&COMPUTE).exits(0);
    let killed = copy_of(&ranch);
    std::fs::remove_file(killed.path("out/ledger.db-shm")).unwrap();
    let mut refused = 0;
    for cut in [0, 1, 4_096, 4_196, 12_000, 30_000, 100_000] {
        let ranch = copy_of(&killed);
        let path = ranch.path("out/ledger.db");
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length - cut).unwrap();
        let first = ranch.run(&["list", "--json"]);
        if first.code == 0 {
            // Nothing was lost.
            let _ = ranch.run(&COMPUTE).exits(0);
            sound(&ranch, &format!("{cut} bytes cut"));
            continue;
        }
        refused += 1;
        let backup = ["backup", "copy", "--json"];
        for args in [
            &["list", "--json"][..],
            &COMPUTE,
            &backup,
            &["list", "--json"],
        ] {
            let (code, message) = error(&ranch.run(args).exits(69));
            assert_eq!(code, "ledger_unavailable", "{cut}: {args:?}: {message}");
            assert!(message.contains("is cut"), "{cut}: {args:?}: {message}");
        }
    }
    assert!((2..7).contains(&refused), "{refused}");
}

/// Verbs that ask which release is in force, or what the ledger has frozen, and would go by the files alone where
/// nothing is recorded yet.
const LOOKING: [&[&str]; 10] = [
    &["list"],
    &["status", "--as-of", "2025-06-30"],
    &["explain", "--boundary", "north", "--as-of", "2025-06-30"],
    &["compute", "--all", "--as-of", "2025-06-30", "--dry-run"],
    &["features"],
    &["verify"],
    &["plugin", "list"],
    &["release", "status"],
    &["audit"],
    &["backup", "copy"],
];

#[test]
fn who_looks_is_told_that_the_ledger_is_lost() {
    let ranch = Ranch::ran();
    let ledger = ranch.path("out/ledger.db");
    let bytes = std::fs::read(&ledger).unwrap();
    for lost in ["gone", "empty", "cut"] {
        std::fs::remove_file(&ledger).unwrap();
        let expected = match lost {
            "gone" => "ledger_missing",
            "empty" => {
                std::fs::write(&ledger, "").unwrap();
                "ledger_missing"
            }
            _ => {
                std::fs::write(&ledger, &bytes[..bytes.len() - 7]).unwrap();
                "ledger_unavailable"
            }
        };
        for args in LOOKING {
            let args = [args, &["--json"]].concat();
            let (code, message) = error(&ranch.run(&args).exits(69));
            assert_eq!(code, expected, "{lost}: {args:?}: {message}");
        }
        if lost == "gone" {
            assert!(!ledger.exists(), "looking begins none");
            std::fs::write(&ledger, "").unwrap();
        }
        assert!(!ranch.path("copy").exists());
    }
    std::fs::write(&ledger, &bytes).unwrap();
    for args in LOOKING {
        let _ = ranch.run(args).exits(0);
    }
}

/// That a ledger or a manifest cannot be looked for does not say that there is none.
#[test]
#[cfg(unix)]
fn a_folder_that_may_not_be_looked_into_is_not_taken_for_an_empty_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(wrapper) = nobody() else { return };
    let ranch = Ranch::ran();
    let allow = |path: &str, mode| {
        let path = ranch.path(path);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    allow("..", 0o755);
    let run = |args: &[&str]| below(&ranch, wrapper, "exec \"$0\" \"$@\"", args);
    allow("out", 0o000);
    for args in &LOOKING[..9] {
        let (code, message) = error(&run(&[args, &["--json"][..]].concat()).exits(69));
        assert_eq!(code, "ledger_unavailable", "{args:?}: {message}");
        assert!(message.contains("ermission denied"), "{args:?}: {message}");
    }
    allow("out", 0o777);
    // Files that SQLite made for one user beside a ledger of another's are in the way.
    for beside in ["out/ledger.db-wal", "out/ledger.db-shm"] {
        assert!(!ranch.path(beside).exists());
    }
    for file in ["out", "out/ledger.db"] {
        allow(file, 0o777);
    }
    allow("out/manifests", 0o000);
    let (code, message) = error(&run(&["audit", "--json"]).exits(74));
    assert_eq!(code, "manifest_io", "{message}");
    std::fs::remove_file(ranch.path("out/ledger.db")).unwrap();
    let (code, message) = error(&run(&COMPUTE).exits(74));
    assert_eq!(code, "manifest_io", "{message}");
    assert!(!ranch.path("out/ledger.db").exists(), "none is begun");
}

#[test]
#[cfg(unix)]
fn a_folder_of_manifests_that_is_a_link_or_a_file_is_named() {
    let prepared = ingested();
    for (what, told) in [
        ("file", "out/manifests is no folder"),
        (
            "nowhere",
            "out/manifests is a link that leads to no folder inside the deployment's",
        ),
        (
            "/tmp",
            "out/manifests is a link that leads to no folder inside the deployment's",
        ),
    ] {
        let ranch = copy_of(&prepared);
        let place = ranch.path("out/manifests");
        match what {
            "file" => std::fs::write(place, "").unwrap(),
            link => std::os::unix::fs::symlink(link, place).unwrap(),
        }
        let copied = ["backup", "copy", "--json"];
        for (args, expected) in [
            (&COMPUTE[..], "manifest_io"),
            (&["audit", "--json"], "manifest_io"),
            (&copied, "backup"),
        ] {
            let (code, message) = error(&ranch.run(args).exits(74));
            assert_eq!(code, expected, "{what}: {args:?}: {message}");
            assert!(message.ends_with(told), "{what}: {args:?}: {message}");
        }
        assert!(!ranch.path("copy").exists());
    }
    // A link to a folder inside is as good as one.
    let ranch = copy_of(&prepared);
    std::fs::create_dir(ranch.path("kept")).unwrap();
    std::os::unix::fs::symlink("../kept", ranch.path("out/manifests")).unwrap();
    let _ = ranch.run(&COMPUTE).exits(0);
    let _ = ranch.run(&["audit"]).exits(0);
}

/// A disk of its own has a folder that is nobody's, and may not be looked into.
#[test]
#[cfg(unix)]
fn what_a_disk_keeps_for_itself_is_no_manifest() {
    let Some(wrapper) = nobody() else { return };
    let ranch = Ranch::sample();
    std::fs::create_dir_all(ranch.path("out/manifests/lost+found")).unwrap();
    let _ = ranch.run(&["run", "--as-of", "2025-06-30"]).exits(0);
    opened(&ranch);
    allow(&ranch.path("out/manifests/lost+found"), 0o000);
    let run = |args: &[&str]| below(&ranch, wrapper, "exec \"$0\" \"$@\"", args);
    let _ = run(&["audit"]).exits(0);
    let _ = run(&["backup", "out/copy"]).exits(0);
}

/// One may pass through a folder that one may not list.
#[test]
#[cfg(unix)]
fn folders_on_the_way_need_not_be_listed() {
    let Some(wrapper) = nobody() else { return };
    let ranch = ingested();
    let setting = "path = \"out/m/manifests\"";
    ranch.edit("provender.toml", "path = \"out/manifests\"", setting);
    std::fs::create_dir_all(ranch.path("out/m/manifests")).unwrap();
    opened(&ranch);
    allow(&ranch.path("out/m/manifests"), 0o777);
    allow(&ranch.path("out/m"), 0o711);
    let run = |args: &[&str]| below(&ranch, wrapper, "exec \"$0\" \"$@\"", args);
    let _ = run(&COMPUTE).exits(0);
    let _ = run(&["audit"]).exits(0);
}

/// Whoever opens a pipe waits for its writer, who may never come.
#[test]
#[cfg(target_os = "linux")]
fn a_pipe_in_the_place_of_a_configuration_is_refused() {
    let prepared = ingested();
    for file in [
        "provender.toml",
        "logic.toml",
        "sources.toml",
        "provender.lock",
    ] {
        let ranch = copy_of(&prepared);
        let path = ranch.path(file);
        std::fs::remove_file(&path).unwrap();
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let ran = ranch.run(&COMPUTE);
        let (code, message) = error(&ran);
        let (refused, verb) = match file {
            "provender.lock" => ("lock_invalid", "cannot be used"),
            _ => ("config_invalid", "is not usable"),
        };
        let told = format!("{file} {verb}: it is a pipe or a device, and no file");
        assert_eq!(
            (ran.code, code.as_str(), message),
            (78, refused, told),
            "{file}"
        );
    }
}

#[test]
fn a_clock_that_jumps_is_told_and_changes_no_order() {
    let mut ranch = Ranch::ran();
    ranch.now = "2031-01-01T00:00:00Z".into();
    let _ = ranch
        .run(&["compute", "--all", "--as-of", "2025-06-29"])
        .exits(0);
    ranch.now = "2025-07-02T06:00:00Z".into();
    let ran = ranch
        .run(&["compute", "--all", "--as-of", "2025-06-28"])
        .exits(0);
    assert_eq!(
        ran.stderr
            .matches("note: the clock says 2025-07-02")
            .count(),
        1,
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("2031-01-01"), "{}", ran.stderr);
    sound(&ranch, "a clock that jumps");
    let data = ranch.data(&COMPUTE[..4], 0);
    assert_eq!(data["summary"]["unchanged"], 9);
}

#[test]
fn a_ledger_of_the_first_schema_is_read_by_todays_program() {
    let ranch = Ranch::new();
    let old = include_bytes!("../fixtures/ledger-schema-1.db");
    std::fs::write(ranch.path("old.db"), old).unwrap();
    let data = ranch.data(&["list", "--all-versions", "--ledger", "old.db"], 0);
    assert_eq!(data["answers"].as_array().unwrap().len(), 5);
    assert_eq!(std::fs::read(ranch.path("old.db")).unwrap(), old);
}
