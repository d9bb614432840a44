//! `audit` names exactly what differs from the record.

use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::Value as Json;

use crate::kit::Ranch;

/// How many runs the sample ranch records on its day.
const RUNS: i64 = 9;

pub(crate) fn open(ranch: &Ranch) -> Connection {
    Connection::open(ranch.path("out/ledger.db")).unwrap()
}

/// Runs SQL without the triggers and restores them afterwards, as anybody with access to the file can.
pub(crate) fn forge(ranch: &Ranch, sql: &str) {
    let db = open(ranch);
    let mut statement = db
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap();
    let triggers: Vec<(String, String)> = statement
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (name, _) in &triggers {
        db.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    db.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
        .unwrap();
    db.execute_batch(sql).unwrap();
    assert!(db.total_changes() > 0, "{sql} changes nothing");
    for (_, sql) in &triggers {
        db.execute_batch(sql).unwrap();
    }
}

/// Kinds of the bad objects, in order, without adjacent duplicates.
pub(crate) fn kinds(data: &Json) -> Vec<String> {
    let mut kinds: Vec<String> = data["bad"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["kind"].as_str().unwrap().to_owned())
        .collect();
    kinds.dedup();
    kinds
}

pub(crate) fn some_run(ranch: &Ranch) -> Json {
    ranch.data(
        &["list", "--boundary", "north", "--logic", "days_remaining"],
        0,
    )["answers"][0]["run"]
        .clone()
}

/// Path of a run's manifest in the deployment's folder.
fn manifest_of(ranch: &Ranch, run: &Json) -> String {
    let snapshot = run["snapshot_id"].as_str().unwrap();
    let files = ranch.files("out/manifests");
    let mut paths = files
        .iter()
        .map(|(path, _)| path.strip_prefix(ranch.dir()).unwrap());
    let found = paths.find(|p| p.to_str().unwrap().contains(snapshot));
    found.unwrap().to_str().unwrap().to_owned()
}

#[test]
fn an_untouched_deployment_audits_clean_and_its_objects_are_counted() {
    let ranch = Ranch::ran();
    let data = ranch.data(&["audit"], 0);
    let checked = &data["checked"];
    assert_eq!(
        (&checked["runs"], &checked["manifests"]),
        (&RUNS.into(), &RUNS.into())
    );
    let db = open(&ranch);
    let count = |table: &str| -> i64 {
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0))
            .unwrap()
    };
    assert_eq!(checked["entries"], count("entry"));
    assert_eq!(
        checked["facts"],
        count("observation") + count("boundary") + count("herd")
    );
    assert!(checked["components"].as_i64().unwrap() > 0);
    assert_eq!(data["bad"], serde_json::json!([]));
    assert_eq!(data["held"].as_array().unwrap().len(), 11, "{data}");
    assert_eq!(data["tree"]["size"], count("entry"));
    let said = ranch.run(&["audit"]).exits(0).stdout;
    assert!(
        said.starts_with("everything that is stored is what was recorded\n"),
        "{said}"
    );
}

#[test]
fn a_deployment_with_releases_reissues_and_withdrawals_audits_clean() {
    let ranch = crate::release::three();
    let _ = ranch.run(&["audit"]).exits(0);
    let _ = ranch
        .run(&[
            "monitor",
            "--all",
            "--end",
            "2025-06-30",
            "--fail-on",
            "never",
        ])
        .exits(0);
    let _ = ranch
        .run(&["ingest", "--forage", "story/forage_revised.csv", "--accept"])
        .exits(0);
    assert!(reissued(&ranch) > 0);
    let _ = ranch
        .run(&[
            "ingest",
            "retract",
            "story/forage_revised.csv",
            "--reason",
            "wrong",
        ])
        .exits(0);
    let data = ranch.data(&["audit"], 0);
    for check in ["releases", "reports", "files"] {
        assert!(
            data["checked"][check].as_i64().unwrap() > 0,
            "{check}: {data}"
        );
    }
}

/// Reissues the drifted runs. Returns how many runs replace another.
pub(crate) fn reissued(ranch: &Ranch) -> i64 {
    let plan = ["reissue", "--as-of", "2025-06-30", "--reason", "revised"];
    let planned = ranch.data(&plan, 0);
    let digest = planned["plan"].as_str().unwrap();
    let _ = ranch.data(&[plan.as_slice(), &["--apply", digest]].concat(), 0);
    let db = open(ranch);
    let sql = "SELECT count(*) FROM run WHERE replaces IS NOT NULL";
    db.query_row(sql, [], |r| r.get(0)).unwrap()
}

#[test]
fn every_kind_of_changed_row_is_named() {
    let cases = [
        (
            "UPDATE run SET guardrail = 1 - guardrail WHERE snapshot = (SELECT min(snapshot) FROM run)",
            "batch",
        ),
        (
            "UPDATE run SET provenance = zeroblob(32) WHERE snapshot = (SELECT min(snapshot) FROM run)",
            "batch,manifest",
        ),
        (
            "UPDATE run SET replaces = 999 WHERE snapshot = (SELECT min(snapshot) FROM run)",
            "run,batch",
        ),
        (
            "DELETE FROM run WHERE snapshot = (SELECT min(snapshot) FROM run)",
            "batch,series",
        ),
        (
            "UPDATE run SET entry = 1 WHERE snapshot = (SELECT min(snapshot) FROM run)",
            "run,batch",
        ),
        (
            "UPDATE observation SET value = value + 1 WHERE stream_id = 1",
            "facts",
        ),
        (
            "DELETE FROM observation WHERE stream_id = 1",
            "stream,facts",
        ),
        (
            "UPDATE stream SET source = source || 'x' WHERE stream_id = 1",
            "facts",
        ),
        (
            "UPDATE boundary SET area_ha = area_ha * 2 WHERE boundary_id = 'north'",
            "facts",
        ),
        ("UPDATE herd SET animal_count = animal_count + 1", "facts"),
        (
            "UPDATE file SET path = path || 'x' WHERE file_id = 1",
            "file",
        ),
        ("INSERT INTO retraction VALUES (1, 1)", "retraction"),
        (
            "UPDATE config SET canonical = canonical || ' ' WHERE config_id = 1",
            "config",
        ),
        (
            "INSERT INTO series SELECT 999, 'x', herd_config_id, model_version, config_id, 0 FROM series LIMIT 1",
            "series",
        ),
        ("INSERT INTO stream VALUES (999, 'x', 'y', 'z')", "stream"),
        (
            "DELETE FROM locator WHERE digit = (SELECT min(digit) FROM locator)",
            "list",
        ),
        (
            "UPDATE locator SET part = part + 1 WHERE digit = (SELECT min(digit) FROM locator)",
            "list",
        ),
        (
            "UPDATE locator SET runs = x'01' WHERE digit = (SELECT min(digit) FROM locator)",
            "list",
        ),
        (
            "INSERT INTO locator SELECT digit, 1, part, runs FROM locator LIMIT 1",
            "list",
        ),
        ("UPDATE report SET body = body || ' '", "report"),
        ("DELETE FROM report", "report"),
        ("UPDATE entry SET actor = 'nobody' WHERE seq = 1", "entry"),
        (
            "UPDATE entry SET payload = json_set(payload, '$.x', 1) WHERE seq = 1",
            "entry",
        ),
        (
            "CREATE TABLE extra (x); INSERT INTO extra VALUES (1)",
            "schema",
        ),
    ];
    let ranch = Ranch::ran();
    let file = ranch.path("out/ledger.db");
    // Checkpoints everything into the one file, so that it can be restored.
    open(&ranch)
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let pristine = std::fs::read(&file).unwrap();
    for (sql, expected) in &cases {
        forge(&ranch, sql);
        let data = ranch.data(&["audit"], 11);
        let mut found = kinds(&data);
        found.retain(|k| k != "database");
        assert_eq!(found.join(","), *expected, "{sql}: {data}");
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(ranch.path(&format!("out/ledger.db{end}")));
        }
        std::fs::write(&file, &pristine).unwrap();
    }
    let _ = ranch.run(&["audit"]).exits(0);
}

#[test]
fn a_missing_guard_is_named() {
    let ranch = Ranch::ran();
    open(&ranch)
        .execute_batch("DROP TRIGGER run_no_update")
        .unwrap();
    let said = ranch.run(&["audit"]).exits(11);
    assert!(
        said.stderr.contains("1 object is not what was recorded; the first: schema trigger run_no_update: it is missing"),
        "{}",
        said.stderr
    );
}

#[test]
fn missing_or_changed_manifests_are_bad_and_orphans_are_reported() {
    let ranch = Ranch::ran();
    let manifest = manifest_of(&ranch, &some_run(&ranch));
    let orphan = "out/manifests/north/2025-06-30_sha256-jcs-v1:00.json";
    ranch.write(orphan, "{}");
    ranch.write("out/manifests/.writing/1-1.tmp", "half");
    let data = ranch.data(&["audit"], 0);
    assert_eq!(data["orphans"], serde_json::json!([orphan]));
    let text = ranch.read(&manifest);
    ranch.write(&manifest, &text.replacen("north", "south", 1));
    assert_eq!(kinds(&ranch.data(&["audit"], 11)), ["manifest"]);
    std::fs::remove_file(ranch.path(&manifest)).unwrap();
    let data = ranch.data(&["audit"], 11);
    let bad = &data["bad"][0];
    assert_eq!(
        (&bad["kind"], &bad["id"], &bad["problem"]),
        (
            &"manifest".into(),
            &manifest.as_str().into(),
            &"it is missing".into()
        )
    );
}

#[test]
fn a_changed_component_or_release_is_bad() {
    let ranch = crate::release::three();
    let flip = |path: &Path, at: usize| {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[at] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    let pinned = ranch.path("components/days_remaining-v2.wasm");
    flip(&pinned, 100);
    assert_eq!(kinds(&ranch.data(&["audit"], 11)), ["component"]);
    flip(&pinned, 100);
    for (path, _) in ranch.files("out/releases") {
        flip(&path, 30);
        let data = ranch.data(&["audit"], 11);
        assert!(kinds(&data).contains(&"release".to_owned()), "{data}");
        flip(&path, 30);
    }
    let _ = ranch.run(&["audit"]).exits(0);
}

#[test]
fn an_audit_of_a_missing_or_empty_ledger_is_refused_and_creates_none() {
    let ranch = Ranch::new();
    for empty in [false, true] {
        for args in [
            &["audit"][..],
            &["audit", "checkpoint"],
            &["audit", "prove", "00"],
        ] {
            let all = [args, &["--json"]].concat();
            let error = ranch.run(&all).exits(69).json()["error"].clone();
            assert_eq!(error["code"], "ledger_missing", "{args:?}");
            insta::allow_duplicates! {
                insta::assert_snapshot!(error["message"].as_str().unwrap(), @"the ledger sqlite:RANCH/out/ledger.db is missing or empty: nothing is recorded there");
                insta::assert_snapshot!(error["help"].as_str().unwrap(), @"`provender run` records the first numbers. If some were recorded before, restore the ledger from a backup, or name a backup with --ledger");
            }
            let left = std::fs::metadata(ranch.path("out/ledger.db")).map(|m| m.len());
            assert_eq!(left.ok(), empty.then_some(0), "{args:?}");
        }
        // A copy that was interrupted at once leaves an empty file.
        ranch.write("out/ledger.db", "");
    }
}

#[test]
fn an_unreadable_lock_file_is_bad_and_everything_else_is_checked() {
    let ranch = Ranch::ran();
    let before = ranch.data(&["audit"], 0);
    let lock = ranch.read("provender.lock");
    for text in [
        "<<<<<<< HEAD\n".to_owned() + &lock,
        lock.replacen("sha256:", "sha1:", 1),
    ] {
        ranch.write("provender.lock", &text);
        let ran = ranch.run(&["audit", "--json"]).exits(11);
        let data = ran.json()["data"].clone();
        assert_eq!(kinds(&data), ["lock"], "{data}");
        assert_eq!(data["bad"][0]["id"], "provender.lock");
        let help = ran.json()["error"]["help"].clone();
        assert!(help.as_str().unwrap().contains("provender.lock"), "{help}");
        for check in ["entries", "facts", "runs", "manifests"] {
            assert_eq!(data["checked"][check], before["checked"][check], "{check}");
        }
        // Components that runs name are found in their folder and used, even without a lock file.
        assert!(
            data["checked"]["components"].as_i64().unwrap() > 0,
            "{data}"
        );
        let replayed = ranch.data(&["replay", "--all", "--ledger", "out/ledger.db"], 0);
        assert_eq!(replayed["identical"], RUNS, "{replayed}");
    }
    let said = ranch.run(&["audit"]).exits(11).stderr;
    insta::assert_snapshot!(said, @r#"
    error: 1 object is not what was recorded; the first: lock provender.lock: cannot be used: TOML parse error at line 8, column 10
      |
    8 | sha256 = "sha1:18d83e7386a2484358fe3d4ba429a96afbbe6f5f0fb1272258a30ce715e64f56"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    `sha1:18d83e7386a2484358fe3d4ba429a96afbbe6f5f0fb1272258a30ce715e64f56` is not a digest of the form sha256:<64 hex digits> or sha256-jcs-v1:<64 hex digits>; the components it pins were not checked
     help: restore provender.lock from git, or fix what the message names: until then, what it pins is not checked
    "#);
    ranch.write("provender.lock", &lock);
    let _ = ranch.run(&["audit"]).exits(0);
    // Without a lock file, what was recorded can still be checked.
    std::fs::remove_file(ranch.path("provender.lock")).unwrap();
    let _ = ranch.run(&["audit"]).exits(0);
}

/// Damages a page of a table: its first byte, which gives the type of the page.
fn damage(ranch: &Ranch, table: &str) {
    let db = open(ranch);
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let number = |sql: &str| -> u64 {
        db.query_row(sql, [], |r| r.get::<_, i64>(0))
            .unwrap()
            .cast_unsigned()
    };
    let page = number(&format!(
        "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = '{table}'"
    ));
    let size = number("PRAGMA page_size");
    drop(db);
    let file = ranch.path("out/ledger.db");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[usize::try_from((page - 1) * size).unwrap()] = 0xff;
    std::fs::write(&file, &bytes).unwrap();
}

#[test]
fn checks_that_need_a_damaged_page_are_not_made_and_all_others_are() {
    const ALL: [&str; 11] = [
        "database",
        "schema",
        "entries",
        "files",
        "facts",
        "runs",
        "configs",
        "manifests",
        "reports",
        "components",
        "releases",
    ];
    for (table, not_made) in [
        (
            "run",
            &["runs", "configs", "manifests", "components"] as &[&str],
        ),
        ("observation", &["facts"]),
        ("file", &["files", "facts"]),
        ("report", &["reports"]),
        (
            "entry",
            &[
                "entries",
                "files",
                "facts",
                "runs",
                "configs",
                "manifests",
                "reports",
                "components",
                "releases",
            ],
        ),
    ] {
        let ranch = Ranch::ran();
        damage(&ranch, table);
        let data = ranch.data(&["audit"], 11);
        let held: Vec<&str> = data["held"]
            .as_array()
            .unwrap_or_else(|| panic!("{table}: {data}"))
            .iter()
            .filter_map(Json::as_str)
            .collect();
        let expected: Vec<&str> = ALL
            .into_iter()
            .filter(|check| *check != "database" && !not_made.contains(check))
            .collect();
        assert_eq!(held, expected, "{table}: {data}");
        for bad in data["bad"].as_array().unwrap() {
            assert_eq!(bad["kind"], "database", "{table}: {data}");
            assert!(!bad["problem"].as_str().unwrap().contains('\n'), "{data}");
        }
        for check in not_made {
            assert_eq!(data["checked"].get(check), None, "{table}: {data}");
        }
        assert_eq!(data["tree"].is_null(), table == "entry", "{table}: {data}");
        let text = ranch.run(&["audit"]).exits(11);
        assert!(text.stdout.contains("not checked"), "{}", text.stdout);
    }
}

#[test]
fn bad_objects_are_reported_even_if_a_page_is_damaged() {
    let ranch = Ranch::ran();
    forge(&ranch, "UPDATE entry SET actor = 'somebody' WHERE seq = 1");
    let component = ranch.path("components");
    let component = std::fs::read_dir(component)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::write(&component, b"other bytes").unwrap();
    damage(&ranch, "run");
    let mut found = kinds(&ranch.data(&["audit"], 11));
    found.sort();
    assert_eq!(found, ["component", "database", "entry"]);
}

#[test]
fn a_backup_audits_like_its_ledger() {
    let ranch = Ranch::ran();
    let _ = ranch.run(&["backup", "backup"]).exits(0);
    let data = ranch.data(&["audit", "--ledger", "backup/ledger.db"], 0);
    assert_eq!(data["checked"]["manifests"], RUNS);
    let db = Connection::open(ranch.path("backup/ledger.db")).unwrap();
    db.execute_batch("DROP TRIGGER run_no_update; DROP TRIGGER run_no_delete")
        .unwrap();
    db.execute(
        "UPDATE run SET manifest = ?1",
        params![[7_u8; 32].as_slice()],
    )
    .unwrap();
    drop(db);
    let data = ranch.data(&["audit", "--ledger", "backup/ledger.db"], 11);
    assert_eq!(kinds(&data), ["schema", "batch", "manifest"]);
}
