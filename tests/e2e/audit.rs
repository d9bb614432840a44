//! `audit`: what is not what was recorded is named; checkpoints, proofs and bundles hold, and nothing
//! else passes for them.

use std::path::Path;
use std::process::{Command, Output};

use provender::domain::canonical::{hex, to_text};
use provender::domain::merkle;
use provender::ledger::Ledger as _;
use provender::ledger::sqlite::SqliteLedger;
use rusqlite::{Connection, params};
use serde_json::Value as Json;

use crate::kit::Ranch;

/// How many runs the sample ranch records on its day.
const RUNS: i64 = 9;
const NAME: &str = "ranch.example/grazing";

fn open(ranch: &Ranch) -> Connection {
    Connection::open(ranch.path("out/ledger.db")).unwrap()
}

/// Runs SQL with every trigger out of the way, and puts them back: what somebody with the file in hand
/// can do.
fn forge(ranch: &Ranch, sql: &str) {
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

/// Kinds of the bad objects, each once, in order.
fn kinds(data: &Json) -> Vec<String> {
    let mut kinds: Vec<String> = data["bad"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["kind"].as_str().unwrap().to_owned())
        .collect();
    kinds.dedup();
    kinds
}

fn key(ranch: &Ranch) {
    let _ = ranch
        .run(&["audit", "key", "ledger.key", "--name", NAME])
        .exits(0);
}

fn checkpoint(ranch: &Ranch, file: &str) {
    let args = ["audit", "checkpoint", "--key", "ledger.key", "--out", file];
    let _ = ranch.run(&args).exits(0);
}

const AGAINST: [&str; 5] = [
    "audit",
    "--against",
    "one.checkpoint",
    "--public-key",
    "ledger.key.pub",
];

fn some_run(ranch: &Ranch) -> Json {
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
fn what_was_not_touched_holds_and_is_counted() {
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
    // Everything into the one file, so that it can be put back.
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
        said.stderr.contains("1 object is not what was recorded; the first: schema trigger run_no_update: it is not there"),
        "{}",
        said.stderr
    );
}

#[test]
fn manifests_that_are_missing_or_changed_are_bad_and_orphans_are_told() {
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
            &"it is not there".into()
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

/// Changes a recorded number and computes every hash anew, as an administrator could: the row, the root
/// of its batch, and the chain from there on.
fn rewrite(ranch: &Ranch) {
    let path = ranch.path("out/ledger.db");
    forge(
        ranch,
        "UPDATE run SET outputs = json_set(outputs, '$[0]', 4711) WHERE snapshot = (SELECT min(snapshot) FROM run)",
    );
    let ledger = SqliteLedger::open(&path).unwrap();
    let mut leaves = std::collections::BTreeMap::<i64, Vec<merkle::Hash>>::new();
    ledger
        .snapshot()
        .unwrap()
        .runs(&mut |row| {
            let (_, entry, run) = row.unwrap();
            leaves.entry(entry).or_default().push(run.leaf());
        })
        .unwrap();
    let mut entries = ledger.entries(None).unwrap();
    drop(ledger);
    let mut sql = String::new();
    let mut prev = [0; 32];
    for entry in &mut entries {
        if let Some(leaves) = leaves.get(&entry.seq) {
            let mut payload: Json = serde_json::from_str(&entry.payload).unwrap();
            let root = merkle::set_root(leaves.clone());
            payload["root"] = format!("sha256:{}", hex(&root)).into();
            entry.payload = to_text(&payload).unwrap();
        }
        entry.prev = prev;
        entry.hash = entry.computed_hash().unwrap();
        prev = entry.hash;
        sql.push_str(&format!(
            "UPDATE entry SET payload = '{}', prev = x'{}', hash = x'{}' WHERE seq = {};\n",
            entry.payload.replace('\'', "''"),
            hex(&entry.prev),
            hex(&entry.hash),
            entry.seq
        ));
    }
    forge(ranch, &sql);
}

#[test]
fn a_ledger_with_every_hash_computed_anew_is_caught_by_a_checkpoint_alone() {
    let ranch = Ranch::ran();
    key(&ranch);
    checkpoint(&ranch, "one.checkpoint");
    // Growth is no rewriting.
    let _ = ranch.run(&["replay", "--all"]).exits(0);
    let data = ranch.data(&AGAINST, 0);
    assert_eq!(data["checked"]["checkpoint"], 1);
    let proof = data["against"]["consistency"].as_array().unwrap();
    assert!(!proof.is_empty(), "{data}");
    rewrite(&ranch);
    let _ = ranch.run(&["audit"]).exits(0);
    let data = ranch.data(&AGAINST, 11);
    assert_eq!(kinds(&data), ["checkpoint"]);
    let problem = data["bad"][0]["problem"].as_str().unwrap();
    assert!(problem.contains("history was rewritten"), "{problem}");
    // Nor does the holder of the key sign on top of it.
    let args = [
        "audit",
        "checkpoint",
        "--key",
        "ledger.key",
        "--against",
        "one.checkpoint",
    ];
    let said = ranch.run(&args).exits(11);
    assert!(
        said.stderr.contains("history was rewritten"),
        "{}",
        said.stderr
    );
}

#[test]
fn entries_cut_off_the_end_are_caught_by_a_checkpoint() {
    let ranch = Ranch::ran();
    let _ = ranch.run(&["replay", "--all"]).exits(0);
    key(&ranch);
    checkpoint(&ranch, "one.checkpoint");
    forge(
        &ranch,
        "DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)",
    );
    let _ = ranch.run(&["audit"]).exits(0);
    let data = ranch.data(&AGAINST, 11);
    let problem = data["bad"][0]["problem"].as_str().unwrap();
    assert!(problem.contains("entries were taken away"), "{problem}");
}

#[test]
fn a_checkpoint_that_was_not_signed_with_the_key_is_refused() {
    let ranch = Ranch::ran();
    key(&ranch);
    let _ = ranch
        .run(&["audit", "key", "other.key", "--name", NAME])
        .exits(0);
    let args = [
        "audit",
        "checkpoint",
        "--key",
        "other.key",
        "--out",
        "one.checkpoint",
    ];
    let _ = ranch.run(&args).exits(0);
    let said = ranch.run(&AGAINST).exits(11);
    insta::assert_snapshot!(said.stderr, @"
    error: one.checkpoint is not what the holder of the key ranch.example/grazing signed: this key did not sign it
     help: take the checkpoint from where it is kept, and the public key from its holder
    ");
    ranch.write("one.checkpoint", "not a checkpoint\n");
    let said = ranch.run(&AGAINST).exits(65);
    insta::assert_snapshot!(said.stderr, @"
    error: one.checkpoint is no checkpoint: it has 1 lines before its signatures instead of three: origin, size, root
     help: docs/reference/audit.md describes the forms of keys, checkpoints, proofs and bundles
    ");
}

#[test]
#[cfg(unix)]
fn a_private_key_is_its_owners_alone_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let ranch = Ranch::ran();
    key(&ranch);
    let file = ranch.path("ledger.key");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = ranch
        .run(&["audit", "key", "ledger.key", "--name", NAME])
        .exits(74);
    insta::assert_snapshot!(again.stderr, @"
    error: ledger.key.pub exists and is not overwritten
     help: give another name, or move that file away
    ");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = ranch
        .run(&["audit", "checkpoint", "--key", "ledger.key"])
        .exits(78);
    insta::assert_snapshot!(exposed.stderr, @"
    error: others may read or write the private key ledger.key: what it signs proves nothing
     help: if nobody has read it yet, chmod 600 ledger.key; else make another key
    ");
}

fn python(ranch: &Ranch, args: &[&str]) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/audit/verify_proof.py");
    let ran = Command::new("python3")
        .arg(script)
        .args(args)
        .current_dir(ranch.dir())
        .output();
    ran.ok()
}

#[test]
fn a_program_in_another_language_verifies_a_proof_and_refuses_every_other_text() {
    let ranch = Ranch::ran();
    key(&ranch);
    let run = some_run(&ranch);
    let id = run["run_id"].as_str().unwrap();
    let args = [
        "audit",
        "prove",
        id,
        "--key",
        "ledger.key",
        "--out",
        "proof.json",
    ];
    let _ = ranch.run(&args).exits(0);
    let Some(proven) = python(&ranch, &["proof.json", "ledger.key.pub"]) else {
        println!("not checked: python3 is not there");
        return;
    };
    let said = String::from_utf8(proven.stdout).unwrap();
    assert!(proven.status.success(), "{said}");
    assert!(said.starts_with("proven: north, "), "{said}");
    assert!(said.contains(&format!("in {NAME}")), "{said}");
    let text = ranch.read("proof.json");
    let proof: Json = serde_json::from_str(&text).unwrap();
    let changed = |pointer: &str, to: Json| {
        let mut other = proof.clone();
        *other.pointer_mut(pointer).unwrap() = to;
        other.to_string()
    };
    let run_text = proof["run"]["text"].as_str().unwrap();
    let cases = [
        changed("/run/text", run_text.replacen("north", "south", 1).into()),
        changed("/run/index", 8.into()),
        changed("/run/size", 10.into()),
        changed("/run/path", serde_json::json!([])),
        changed("/payload", "{}".into()),
        changed("/entry/index", 0.into()),
        changed("/entry/path", serde_json::json!(["00"])),
        changed("/checkpoint", format!("{NAME}\n1\nAAAA\n").into()),
    ];
    for other in cases {
        ranch.write("other.json", &other);
        let refused = python(&ranch, &["other.json", "ledger.key.pub"]).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{other}");
    }
    let _ = ranch
        .run(&["audit", "key", "other.key", "--name", NAME])
        .exits(0);
    let refused = python(&ranch, &["proof.json", "other.key.pub"]).unwrap();
    assert_eq!(refused.status.code(), Some(1));
}

#[test]
fn nothing_is_proved_of_a_changed_row() {
    let ranch = Ranch::ran();
    let id = some_run(&ranch)["run_id"].as_str().unwrap().to_owned();
    forge(
        &ranch,
        "UPDATE run SET outputs = json_set(outputs, '$[0]', 4711)",
    );
    let said = ranch.run(&["audit", "prove", &id]).exits(11);
    assert!(
        said.stderr.contains(
            "nothing can be proved of this run: the run does not lead to the root in its entry"
        ),
        "{}",
        said.stderr
    );
}

#[test]
fn a_bundle_is_computed_again_where_nothing_else_is() {
    let ranch = Ranch::ran();
    key(&ranch);
    let run = some_run(&ranch);
    let id = run["run_id"].as_str().unwrap();
    let args = ["explain", id, "--bundle", "run.tar", "--key", "ledger.key"];
    let _ = ranch.run(&args).exits(0);
    // Another machine: the bundle and the public key.
    let elsewhere = Ranch::empty();
    std::fs::create_dir_all(elsewhere.dir()).unwrap();
    for file in ["run.tar", "ledger.key.pub"] {
        std::fs::copy(ranch.path(file), elsewhere.path(file)).unwrap();
    }
    let replay = [
        "replay",
        "--bundle",
        "run.tar",
        "--public-key",
        "ledger.key.pub",
    ];
    for engine in ["native", "pulley"] {
        let mut args = replay.to_vec();
        args.extend(["--engine", engine]);
        let data = elsewhere.data(&args, 0);
        assert_eq!(
            (&data["replayed"], &data["identical"]),
            (&1.into(), &1.into())
        );
        assert_eq!(data["bundle"]["run_id"], run["run_id"]);
        assert_eq!(data["bundle"]["signed_by"], NAME);
        assert_eq!(data["entry"], Json::Null);
    }
    let _ = elsewhere
        .run(&["audit", "key", "other.key", "--name", NAME])
        .exits(0);
    let other = [
        "replay",
        "--bundle",
        "run.tar",
        "--public-key",
        "other.key.pub",
    ];
    let said = elsewhere.run(&other).exits(11);
    assert!(
        said.stderr.contains("this key did not sign it"),
        "{}",
        said.stderr
    );
    // Any changed byte is refused, wherever it is.
    let bytes = std::fs::read(elsewhere.path("run.tar")).unwrap();
    for i in 0..12 {
        let at = i * bytes.len() / 12 + 100 * i;
        let mut other = bytes.clone();
        other[at] ^= 1;
        std::fs::write(elsewhere.path("run.tar"), &other).unwrap();
        let code = elsewhere.run(&replay).code;
        assert!([11, 65].contains(&code), "byte {at}: exit {code}");
    }
}

#[test]
fn no_writer_waits_for_an_audit() {
    let ranch = Ranch::ran();
    let reader = SqliteLedger::open(&ranch.path("out/ledger.db")).unwrap();
    let snapshot = reader.snapshot().unwrap();
    let before = snapshot.count_of_runs().unwrap();
    let _ = ranch
        .run(&["compute", "--all", "--as-of", "2025-06-29"])
        .exits(0);
    assert_eq!(snapshot.count_of_runs().unwrap(), before);
    drop(snapshot);
    assert!(reader.snapshot().unwrap().count_of_runs().unwrap() > before);
}

#[test]
fn a_backup_audits_as_its_ledger_does() {
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
