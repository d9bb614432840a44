//! Backups: what they contain, where they may be written, and what may happen at the same time.

use std::process::{Child, Stdio};

use serde_json::Value as Json;

use crate::crash_kit::ingested;
use crate::disks::error;
use crate::kit::Ranch;
use crate::release::{DAY, cut, promote, three, v1};

#[test]
fn a_backup_carries_the_release_store() {
    let ranch = v1();
    cut(&ranch, "days_remaining:v1", "first");
    promote(&ranch, "R1", "none");
    let copy = ranch.data(&["backup", "copy"], 0);
    assert_eq!(copy["release_files"], 4);
    // The deployment's own store is gone; reading verbs use the copy's.
    std::fs::remove_dir_all(ranch.path("out/releases")).unwrap();
    let ledger = ["--ledger", "copy/ledger.db"];
    let day = [
        &["monitor", "--all", "--end", DAY, "--fail-on", "never"][..],
        &ledger,
    ]
    .concat();
    let _ = ranch.run(&day).exits(0);
}

#[test]
fn of_backups_that_start_together_exactly_one_completes() {
    let ranch = Ranch::ran();
    for round in 0..5 {
        let folder = format!("copy{round}");
        let started: Vec<_> = (0..4)
            .map(|_| {
                let mut command = ranch.command();
                command.args(["backup", &folder, "--json"]);
                command.stdout(Stdio::piped()).stderr(Stdio::null());
                command.spawn().unwrap()
            })
            .collect();
        let mut made = 0;
        for child in started {
            let ended = child.wait_with_output().unwrap();
            let json: Json = serde_json::from_slice(&ended.stdout).unwrap();
            match ended.status.code() {
                Some(0) => made += 1,
                Some(74) => assert_eq!(json["error"]["code"], "backup_exists", "{json}"),
                _ => panic!("{json}"),
            }
        }
        assert_eq!(made, 1);
        let ledger = format!("{folder}/ledger.db");
        let _ = ranch.run(&["audit", "--ledger", &ledger]).exits(0);
    }
}

/// Each refusal with its whole text. None of them changes anything.
#[test]
fn a_backup_to_an_unusable_place_is_refused_with_the_reason() {
    let ranch = v1();
    cut(&ranch, "days_remaining:v1", "first");
    ranch.write("file", "mine");
    ranch.write("taken/file", "mine");
    ranch.write("killed/ledger.db.partial", "half");
    ranch.write("killed/manifests/a.json", "half");
    let before = ranch.files("");
    let refused = |folder: &str| {
        let ran = ranch.run(&["backup", folder, "--json"]);
        let help = ran.json()["error"]["help"].clone();
        let (code, message) = error(&ran);
        format!("{} {code}\n{message}\n{}", ran.code, help.as_str().unwrap())
    };
    insta::assert_snapshot!(refused("file"), @"
    74 backup_exists
    file is not a folder; a backup never overwrites anything
    name a folder that does not exist yet; nothing was changed
    ");
    insta::assert_snapshot!(refused("taken"), @"
    74 backup_exists
    taken is not empty; a backup never overwrites anything
    name a folder that does not exist yet; nothing was changed
    ");
    insta::assert_snapshot!(refused("killed"), @"
    74 backup_exists
    killed holds a backup without ledger.db: it is still being made, or it was killed
    if no backup is running, remove the folder; otherwise name another one. Nothing was changed
    ");
    insta::assert_snapshot!(refused("out/manifests/copy"), @"
    64 backup_inside
    out/manifests/copy lies in out/manifests, which is backed up; a backup cannot contain itself
    name a folder elsewhere, ideally on another disk
    ");
    insta::assert_snapshot!(refused("out/releases/a/../b/copy"), @"
    64 backup_inside
    out/releases/a/../b/copy lies in out/releases, which is backed up; a backup cannot contain itself
    name a folder elsewhere, ideally on another disk
    ");
    // The path leads through a missing folder, which would be created.
    let through = ranch.run(&["backup", "nowhere/../out/manifests/copy", "--json"]);
    assert_eq!(
        (through.code, error(&through).0.as_str()),
        (64, "backup_inside")
    );
    assert!(!ranch.path("nowhere").exists());
    assert!(ranch.files("") == before, "nothing was changed");
}

#[test]
fn a_backup_before_the_first_run_creates_no_folder_in_the_deployment() {
    let ranch = ingested();
    let copied = ranch.data(&["backup", "copy"], 0);
    assert_eq!(copied["manifests"], 0);
    assert!(!ranch.path("out/manifests").exists());
    assert!(ranch.path("copy/manifests").is_dir());
    let _ = ranch.run(&["audit", "--ledger", "copy/ledger.db"]).exits(0);
}

/// A command that is paused at a hold point.
pub(crate) struct HeldCommand {
    running: Child,
    file: std::path::PathBuf,
}

#[cfg(debug_assertions)]
impl HeldCommand {
    pub(crate) fn at(ranch: &Ranch, place: &str, args: &[&str]) -> HeldCommand {
        let file = ranch.path("../held");
        let mut command = ranch.command();
        command
            .args(args)
            .env("PROVENDER_HOLD_AT", format!("{place}={}", file.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut held = HeldCommand {
            running: command.spawn().unwrap(),
            file,
        };
        while !held.file.exists() {
            // The order matters: the process creates the file and then waits.
            assert!(
                held.waits() || held.file.exists(),
                "{place} was not reached"
            );
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        held
    }

    pub(crate) fn go_on(self, ranch: &Ranch) -> crate::kit::Ran {
        std::fs::remove_file(self.file).unwrap();
        ranch.finish(self.running.wait_with_output().unwrap())
    }

    /// Sends a signal, `TERM` or `INT`. The process has it when this returns.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.running.id().to_string();
        let mut kill = std::process::Command::new("sh");
        let kill = kill.args(["-c", "kill -s \"$0\" \"$1\"", name, &id]);
        assert!(kill.status().unwrap().success());
    }

    /// Waits for it to end without letting it continue.
    pub(crate) fn ended(self, ranch: &Ranch) -> crate::kit::Ran {
        ranch.finish(self.running.wait_with_output().unwrap())
    }

    /// Whether it is still running.
    pub(crate) fn waits(&mut self) -> bool {
        self.running.try_wait().unwrap().is_none()
    }
}

#[test]
#[cfg(debug_assertions)]
fn a_prune_during_a_backup_or_an_audit_makes_neither_wrong() {
    for (place, args) in [
        ("audit.before-runs", &["audit", "--json"][..]),
        ("backup.before-manifests", &["backup", "copy", "--json"]),
    ] {
        let ranch = three();
        let held = HeldCommand::at(&ranch, place, args);
        let prune = ["release", "prune", "--keep", "1"];
        let plan = ranch.data(&prune, 0);
        let digest = plan["plan"].as_str().unwrap();
        let gone = ranch.data(&[&prune[..], &["--apply", digest]].concat(), 0);
        assert_eq!(gone["releases"].as_array().unwrap().len(), 1, "{gone}");
        let data = held.go_on(&ranch).exits(0).json()["data"].clone();
        if args[0] == "backup" {
            let files = data["release_files"].as_u64().unwrap();
            assert_eq!(files, ranch.files("out/releases").len() as u64);
            let audit = ["audit", "--ledger", "copy/ledger.db"];
            assert_eq!(ranch.data(&audit, 0)["bad"], serde_json::json!([]));
        }
        // If a release's file is really missing, the audit finds it.
        let release = ranch.files("out/releases");
        let (document, _) = release
            .iter()
            .find(|(p, _)| p.extension().is_some_and(|e| e == "json"))
            .unwrap();
        std::fs::remove_file(document).unwrap();
        let _ = ranch.run(&["audit"]).exits(11);
    }
}
