//! `doctor` finds each problem, names the next step, and changes nothing.

use serde_json::{Value as Json, json};

use crate::kit::Ranch;
use crate::upgrade_kit::Fixture;

/// The codes of the findings. The exit code says whether there are any.
fn codes(ranch: &Ranch, more: &[&str]) -> Vec<String> {
    let args = [&["doctor", "--json"], more].concat();
    let ran = ranch.run(&args);
    let findings = ran.json()["data"]["findings"].clone();
    let findings = findings.as_array().unwrap();
    assert_eq!(ran.code, i32::from(!findings.is_empty()), "{findings:?}");
    let text = |finding: &Json, member: &str| {
        let text = finding[member].as_str().unwrap().to_owned();
        assert!(!text.is_empty(), "{member}: {finding}");
        text
    };
    for finding in findings {
        let _ = (text(finding, "what"), text(finding, "next"));
    }
    findings.iter().map(|f| text(f, "code")).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_sound_deployment_has_no_findings_and_is_not_changed() {
    let ranch = Ranch::sample();
    assert_eq!(codes(&ranch, &[]), NOTHING);
    let _ = ranch.run(&["run", "--as-of", "2025-06-30"]).exits(0);
    // SQLite creates two files beside a ledger even to read it.
    let files = || {
        let mut files = ranch.files("");
        files.retain(|(path, _)| !path.to_string_lossy().contains("ledger.db-"));
        files
    };
    let before = files();
    for more in [&[][..], &["--upgrade"]] {
        assert_eq!(codes(&ranch, more), NOTHING);
    }
    assert!(files() == before);
    let said = ranch.run(&["doctor", "--upgrade"]).exits(0);
    assert_eq!(said.stdout, "no problems found\n");
}

/// A problem with a deployment, made by hand.
type Spoil = fn(&Ranch);

#[test]
fn each_problem_is_found() {
    let cases: [(&str, Spoil); 12] = [
        ("config_invalid", |r| r.write("provender.toml", "[ledger\n")),
        ("config_value", |r| {
            r.edit("provender.toml", "sqlite:out", "postgres:out");
        }),
        ("config_invalid", |r| r.write("logic.toml", "[days\n")),
        ("config_invalid", |r| {
            r.write("sources.toml", "source = 1\n")
        }),
        ("lock_missing", |r| {
            std::fs::remove_file(r.path("provender.lock")).unwrap();
        }),
        ("component_unreadable", |r| {
            std::fs::remove_file(r.path("components/frost_days-v1.wasm")).unwrap();
        }),
        ("component_digest", |r| {
            let file = r.path("components/frost_days-v1.wasm");
            let mut bytes = std::fs::read(&file).unwrap();
            bytes[100] ^= 1;
            std::fs::write(&file, bytes).unwrap();
        }),
        ("ledger_missing", |r| {
            std::fs::remove_file(r.path("out/ledger.db")).unwrap();
        }),
        ("ledger_newer_schema", |r| {
            let db = rusqlite::Connection::open(r.path("out/ledger.db")).unwrap();
            db.pragma_update(None, "user_version", 99).unwrap();
        }),
        ("not_a_ledger", |r| {
            std::fs::remove_file(r.path("out/ledger.db")).unwrap();
            let db = rusqlite::Connection::open(r.path("out/ledger.db")).unwrap();
            db.execute_batch("CREATE TABLE x (y)").unwrap();
        }),
        ("unfinished_files", |r| {
            r.write("out/manifests/.writing/left", "half");
        }),
        ("unfinished_files", |r| {
            r.write("out/ledger.db.schema-2.tmp", "half");
        }),
    ];
    let ranch = Ranch::ran();
    for (code, spoil) in cases {
        let copy = crate::crash_kit::copy_of(&ranch);
        spoil(&copy);
        assert_eq!(codes(&copy, &[]), [code]);
    }
    let copy = crate::crash_kit::copy_of(&ranch);
    copy.write("logic.toml", "[days\n");
    copy.write("provender.lock.tmp", "half");
    assert_eq!(codes(&copy, &[]), ["config_invalid", "unfinished_files"]);
    let none = Ranch::empty().run(&["doctor"]).exits(66);
    assert!(none.stderr.contains("no provender.toml"), "{}", none.stderr);
}

#[test]
#[cfg(unix)]
fn a_folder_that_cannot_be_written_is_found() {
    use crate::disks::{allow, below, nobody};
    let Some(wrapper) = nobody() else { return };
    let ranch = Ranch::ran();
    allow(ranch.dir().parent().unwrap(), 0o755);
    for folder in ["out", "out/manifests", "out/reports", "out/cache"] {
        allow(&ranch.path(folder), 0o777);
    }
    allow(&ranch.path("out/ledger.db"), 0o666);
    let asked = || below(&ranch, wrapper, "exec \"$0\" \"$@\"", &["doctor", "--json"]);
    let writable = asked().exits(0);
    assert_eq!(writable.json()["data"]["findings"], json!([]));
    allow(&ranch.path("out/reports"), 0o555);
    let findings = asked().exits(1).json()["data"]["findings"].clone();
    allow(&ranch.path("out/reports"), 0o755);
    assert_eq!(findings[0]["code"], "folder_unwritable", "{findings}");
    let what = findings[0]["what"].as_str().unwrap();
    assert!(what.contains("out/reports"), "{what}");
    assert!(what.contains("`reports.path`"), "{what}");
}

/// What an upgrade requires of deployments that older programs wrote.
#[test]
fn an_older_schema_is_reported_until_it_is_migrated() {
    let ranch = Ranch::sample();
    let tar = include_bytes!("../fixtures/deployment-schema-2.tar");
    tar::Archive::new(tar.as_slice())
        .unpack(ranch.dir())
        .unwrap();
    let ledger = std::fs::read(ranch.path("out/ledger.db")).unwrap();
    assert_eq!(codes(&ranch, &[]), NOTHING);
    assert_eq!(codes(&ranch, &["--upgrade"]), ["ledger_older_schema"]);
    let said = ranch.run(&["doctor", "--upgrade"]).exits(1);
    assert!(said.stdout.contains("provender backup"), "{}", said.stdout);
    assert!(std::fs::read(ranch.path("out/ledger.db")).unwrap() == ledger);
    let _ = ranch.run(&["ingest"]).exits(0);
    assert_eq!(codes(&ranch, &["--upgrade"]), NOTHING);
}

/// If a version requires something of deployments of 0.1.0, it has to be stated here and in
/// `docs/operations/upgrade.md`.
#[test]
fn deployments_of_0_1_0_are_asked_for_the_migration_alone() {
    let fixture = Fixture::unpack();
    for deployment in ["ranch", "far", "python", "killed"] {
        let args = ["--project", deployment, "doctor", "--upgrade"];
        let asked = fixture.ask(&args.map(str::to_owned));
        let findings = asked.json["data"]["findings"].as_array().unwrap();
        let codes: Vec<&Json> = findings.iter().map(|f| &f["code"]).collect();
        assert_eq!(codes, ["ledger_older_schema"], "{deployment}");
    }
}
