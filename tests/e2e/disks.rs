//! Full disks, missing permissions, and clocks that jump.

use std::process::{Command, Output};

use crate::crash_kit::{DeploymentContent, copy_of, ingested, sound, tidy};
use crate::kit::{Ran, Ranch};

pub(crate) const COMPUTE: [&str; 5] = ["compute", "--all", "--as-of", "2025-06-30", "--json"];

/// Runs the program through a shell script that first sets something up; `$0` and `$@` are the program and
/// its arguments.
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

/// A private mount namespace, in which a user may mount. Not every machine allows it.
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

/// Runs as a user without permissions. Root has all permissions, so it becomes `nobody`.
#[cfg(unix)]
pub(crate) fn nobody() -> Option<&'static [&'static str]> {
    let root = std::fs::metadata("/proc/self").is_ok_and(|m| {
        use std::os::unix::fs::MetadataExt as _;
        m.uid() == 0
    });
    if !root {
        return Some(&["env"]);
    }
    let can = Command::new("setpriv").arg("--version").output();
    if !can.is_ok_and(|o| o.status.success()) {
        println!(
            "not checked: this runs as root, and setpriv, which would start the test as another user, is not installed"
        );
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
pub(crate) fn allow(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Lets anybody read the deployment and write its ledger.
#[cfg(unix)]
pub(crate) fn opened(ranch: &Ranch) {
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
fn a_write_cut_off_by_the_disk_is_74_and_continuing_gives_the_undisturbed_result() {
    let prepared = ingested();
    let undisturbed = copy_of(&prepared);
    let _ = undisturbed.run(&COMPUTE).exits(0);
    let reference = DeploymentContent::of(&undisturbed);
    let mut refused = 0;
    // From 0 blocks of 512 bytes, too few for a manifest, up to enough for part of the WAL.
    for blocks in [0, 2, 8, 40, 70, 100, 160, 400, 1_000] {
        let ranch = copy_of(&prepared);
        // Compiled code would not fit either; it is not needed.
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
        DeploymentContent::of(&ranch).must_equal(&reference, &when);
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
    // The disk has room for the ledger and a little more, but not for the runs of a day. They fit once it has
    // grown.
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
fn a_full_disk_of_manifests_or_reports_is_74_and_leaves_no_partial_file() {
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
fn a_read_only_ledger_is_69_and_an_unreadable_file_is_74() {
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
    // A writer cannot open a read-only ledger, whatever its folder permits.
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

#[test]
fn a_clock_that_jumps_is_reported_and_changes_no_order() {
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
fn todays_program_reads_a_ledger_of_the_first_schema() {
    let ranch = Ranch::new();
    let old = include_bytes!("../fixtures/ledger-schema-1.db");
    std::fs::write(ranch.path("old.db"), old).unwrap();
    let data = ranch.data(&["list", "--all-versions", "--ledger", "old.db"], 0);
    assert_eq!(data["answers"].as_array().unwrap().len(), 5);
    assert_eq!(std::fs::read(ranch.path("old.db")).unwrap(), old);
}
