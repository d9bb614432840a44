//! Manifests in packs: the same runs and documents as in single files, readable by every verb, changes
//! detected, complete after a kill.

use std::path::PathBuf;

use provender_domain::canonical::Digest;
use provender_store::manifest::Manifest;
use provender_store::manifest::pack::Pack;

use crate::crash_kit::{DeploymentContent, copy_of, database, ingested};
use crate::kit::Ranch;

const DAYS: [&str; 6] = [
    "compute",
    "--all",
    "--from",
    "2025-06-21",
    "--to",
    "2025-06-30",
];

/// The sample with 90 runs; batches of at least this many go into packs.
fn computed(from: u32) -> Ranch {
    let ranch = ingested();
    let setting = format!("path = \"out/manifests\"\npack_from = {from}");
    ranch.edit("provender.toml", "path = \"out/manifests\"", &setting);
    let _ = ranch.run(&DAYS).exits(0);
    ranch
}

fn packs(ranch: &Ranch) -> Vec<PathBuf> {
    let files = ranch.files("out/manifests").into_iter().map(|(p, _)| p);
    files
        .filter(|p| p.extension().is_some_and(|e| e == "arrow"))
        .collect()
}

/// Everything that the view has about runs, except where their manifests are.
fn runs(ranch: &Ranch) -> Vec<String> {
    let db = database(ranch);
    let sql = "SELECT concat_ws(' ', boundary_id, herd_config_id, calculation_date, model_version, config_version, provenance, snapshot_id, manifest_sha256, guardrails, outputs, entry) FROM runs ORDER BY 1";
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |r| r.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn packed_and_single_manifests_give_the_same_runs_and_documents() {
    let (single, packed) = (computed(1_000), computed(10));
    assert_eq!(runs(&single), runs(&packed));
    assert_eq!(packs(&single).len(), 0);
    assert!(!packs(&packed).is_empty());
    let singles = |ranch: &Ranch| {
        let mut files = ranch.files("out/manifests");
        files.retain(|(p, _)| p.extension().is_some_and(|e| e == "json"));
        let root = ranch.dir();
        let named = files
            .into_iter()
            .map(|(p, b)| (p.strip_prefix(&root).unwrap().to_owned(), b));
        named.collect::<Vec<_>>()
    };
    let before = singles(&packed).len();
    let data = packed.data(&["manifest", "export", "--all"], 0);
    assert_eq!(data["written"].as_u64().unwrap() + before as u64, 90);
    assert_eq!(data["runs"], 90);
    assert_eq!(singles(&packed), singles(&single));
    // Exported manifests are not orphans.
    let audit = packed.data(&["audit"], 0);
    assert_eq!(audit["checked"]["manifests"], 90);
    assert_eq!(audit["orphans"], serde_json::json!([]), "{audit}");
}

#[test]
fn every_verb_reads_a_manifest_in_a_pack() {
    let (single, packed) = (computed(1_000), computed(1));
    let asked = [
        "--boundary",
        "creek",
        "--herd",
        "h-cows",
        "--as-of",
        "2025-06-30",
    ];
    let list = packed.data(&[["list"].as_slice(), &asked].concat(), 0);
    let run = &list["answers"][0]["run"];
    let id = run["run_id"].as_str().unwrap().to_owned();
    let data = packed.data(&["manifest", "show", &id], 0);
    let path = data["path"].as_str().unwrap();
    assert!(path.starts_with("out/manifests/packs/"), "{path}");
    let explained = |ranch: &Ranch| {
        let mut data = ranch.data(&["explain", &id], 0);
        data["manifest"] = serde_json::Value::Null;
        data["run"]["manifest"] = serde_json::Value::Null;
        data
    };
    assert_eq!(explained(&packed), explained(&single));
    let shown = packed.run(&["manifest", "show", &id]).exits(0).stdout;
    let manifest = Manifest::parse(shown.as_bytes()).unwrap();
    assert_eq!(manifest.to_bytes().unwrap(), shown.as_bytes());
    assert_eq!(
        data["sha256"],
        Digest::of_bytes(shown.as_bytes()).to_string()
    );
    let _ = packed
        .run(&["explain", &id, "--bundle", "run.tar"])
        .exits(0);
    let _ = packed.run(&["replay", "--bundle", "run.tar"]).exits(0);
    for verb in [
        &["replay", "--all"][..],
        &["audit"],
        &["diff", &id, &id],
        &[
            "monitor",
            "--all",
            "--end",
            "2025-06-30",
            "--fail-on",
            "never",
        ],
        &["incident", "open", "--title", "t", "--run", &id],
        &["incident", "link", "1", "--manifest", path],
    ] {
        let ran = packed.run(verb);
        assert_eq!(ran.code, 0, "{verb:?}: {}{}", ran.stdout, ran.stderr);
    }
    let replayed = packed.data(&["replay", "--all"], 0);
    assert_eq!(replayed["identical"], 90);
    // After inputs are revised, drift is detected from the packs, and reissues are packed.
    let revised = ["ingest", "--forage", "story/forage_revised.csv", "--accept"];
    for ranch in [&single, &packed] {
        let _ = ranch.run(&revised).exits(0);
    }
    let again = |ranch: &Ranch| ranch.run(&DAYS).exits(10);
    assert_eq!(again(&packed).stdout, again(&single).stdout);
    let plan = [
        "reissue",
        "--from",
        "2025-06-21",
        "--to",
        "2025-06-30",
        "--reason",
        "r",
    ];
    let digest = packed.data(&plan, 0)["plan"].as_str().unwrap().to_owned();
    let apply = [plan.as_slice(), &["--apply", &digest]].concat();
    let _ = packed.run(&apply).exits(0);
    let _ = packed.run(&["audit"]).exits(0);
    let replayed = packed.data(&["replay", "--all"], 0);
    assert_eq!(replayed["identical"], replayed["replayed"]);
    // A backup contains the packs.
    let _ = packed.run(&["backup", "copy"]).exits(0);
    let audit = ["audit", "--ledger", "copy/ledger.db"];
    let _ = packed.run(&audit).exits(0);
}

/// The test in `flips`, which also has packs, covers any bit anywhere.
#[test]
fn a_changed_truncated_or_missing_pack_is_reported() {
    let ranch = computed(10);
    let pack = packs(&ranch).pop().unwrap();
    let bytes = std::fs::read(&pack).unwrap();
    let spoil = |change: &dyn Fn(&mut Vec<u8>), expected: &str| {
        let mut other = bytes.clone();
        change(&mut other);
        std::fs::write(&pack, other).unwrap();
        let ran = ranch.run(&["audit"]).exits(11);
        assert!(ran.stdout.contains(expected), "{}", ran.stdout);
        assert!(ran.stdout.contains("packs/"), "{}", ran.stdout);
    };
    let last = bytes.len() - 1;
    for at in [0, 9, last / 3, last / 2, last] {
        spoil(&|b| b[at] ^= 4, "its SHA-256 is");
    }
    spoil(&|b| b.truncate(last / 2), "its SHA-256 is");
    std::fs::remove_file(&pack).unwrap();
    let ran = ranch.run(&["audit"]).exits(11);
    assert!(ran.stdout.contains("it is missing"), "{}", ran.stdout);
    std::fs::write(&pack, &bytes).unwrap();
    let _ = ranch.run(&["audit"]).exits(0);
}

/// A pack swapped for another, together with its row in the ledger, does not match the entry.
#[test]
fn rows_that_name_other_packs_or_places_are_found() {
    let ranch = computed(10);
    for (sql, expected) in [
        (
            "UPDATE run SET place = place + 1 WHERE place = 0",
            "it is of",
        ),
        (
            "UPDATE run SET place = 4000 WHERE place = 0",
            "its pack has",
        ),
        (
            "UPDATE run SET pack = NULL, place = NULL WHERE place = 3",
            "it is missing",
        ),
        (
            "UPDATE pack SET digest = randomblob(32) WHERE pack_id = 1",
            "it is missing",
        ),
        (
            "UPDATE pack SET entry = 1 WHERE pack_id = 1",
            "which names no such pack",
        ),
    ] {
        let copy = copy_of(&ranch);
        let db = database(&copy);
        db.execute_batch("DROP TRIGGER run_no_update; DROP TRIGGER pack_no_update;")
            .unwrap();
        assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
        drop(db);
        let ran = copy.run(&["audit"]).exits(11);
        assert!(ran.stdout.contains(expected), "{sql}: {}", ran.stdout);
    }
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_at_any_write_of_a_pack_leaves_whole_runs_or_nothing() {
    let ranch = ingested();
    let setting = "path = \"out/manifests\"\npack_from = 1";
    ranch.edit("provender.toml", "path = \"out/manifests\"", setting);
    let args = ["compute", "--boundary", "home", "--as-of", "2025-06-30"];
    crate::crash::killed_everywhere(&ranch, &args, 0, 12);
}

#[test]
fn a_pack_left_by_a_killed_process_is_reported_and_harmless() {
    let ranch = computed(10);
    let before = DeploymentContent::of(&ranch);
    let pack = packs(&ranch).pop().unwrap();
    let bytes = std::fs::read(&pack).unwrap();
    // A complete pack of the same runs, recorded at another moment.
    let parsed = Pack::parse(&bytes).unwrap();
    let mut header = parsed.header().clone();
    header.environment.recorded_at = "2025-07-01T05:00:00Z".to_owned();
    let left = provender_store::manifest::pack::to_bytes(&header, &parsed.rows).unwrap();
    let name = format!("{}.arrow", Digest::of_bytes(&left).hex());
    std::fs::write(pack.with_file_name(&name), &left).unwrap();
    let audit = ranch.data(&["audit"], 0);
    let path = format!("out/manifests/packs/{name}");
    assert_eq!(audit["orphans"], serde_json::json!([path]));
    let _ = ranch.run(&DAYS).exits(0);
    DeploymentContent::of(&ranch).must_equal(&before, "after a pack was left");
}
