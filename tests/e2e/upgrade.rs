//! The program of today opens what version 0.1.0 wrote. The ledgers have the same heads, each reading verb
//! gives the same answer except for added members, the audit finds nothing, a replay gives the same bits, and
//! further days are recorded on top.
//!
//! `tests/fixtures/v0.1.0/` says how the fixture was made. `upgrade_kit.rs` has the tables of what may
//! differ.

use std::collections::BTreeSet;

use provender_proof::{Proof, Verifier};
use provender_store::manifest::Manifest;
use provender_store::manifest::pack::{self, Pack};
use serde_json::{Value as Json, json};

use crate::kit::Ranch;
use crate::upgrade_kit::{Answer, Asked, Fixture, asked, head, kept};

/// Runs the commands whose names begin with this, in order, and fails with every difference at once.
fn answers_as_before(groups: &[&str]) -> Fixture {
    let fixture = Fixture::unpack();
    let mut wrong = Vec::new();
    for group in groups {
        let commands = asked(group);
        assert!(!commands.is_empty(), "no command of {group}");
        for Asked { name, args } in commands {
            let new = fixture.ask(&args);
            wrong.extend(fixture.differences(&name, &kept(&name), &new));
        }
    }
    let count = wrong.len();
    wrong.truncate(40);
    assert!(
        wrong.is_empty(),
        "{count} differences to 0.1.0:\n{}",
        wrong.join("\n")
    );
    fixture
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Every kind of entry except an import, then a replay of everything, and further days on top.
#[test]
fn a_deployment_of_0_1_0_gives_its_recorded_answers() {
    let _ = answers_as_before(&["ranch-"]);
}

#[test]
fn copies_archives_and_leftovers_of_a_kill_give_their_recorded_answers() {
    let _ = answers_as_before(&["backup", "bundle", "far-", "killed-"]);
}

/// Separate from the others, because compiling a component of 18 MB takes most of the time.
#[test]
fn a_deployment_with_a_component_in_python_gives_its_recorded_answers() {
    let _ = answers_as_before(&["python-"]);
}

#[test]
fn every_command_has_a_recorded_answer_and_runs_in_one_of_the_tests() {
    let all: Vec<String> = asked("").into_iter().map(|a| a.name).collect();
    let run = ["ranch-", "backup", "bundle", "far-", "killed-", "python-"];
    let run: BTreeSet<String> = run.iter().flat_map(|g| asked(g)).map(|a| a.name).collect();
    assert_eq!(run, all.iter().cloned().collect());
    assert_eq!(run.len(), all.len(), "a name is there twice");
    assert!(all.len() > 100, "only {} commands", all.len());
    for name in all {
        assert_eq!(kept(&name).json["format_version"], "1.0", "{name}");
    }
}

/// The types of manifests and packs hold everything: they write the bytes that they read.
#[test]
fn every_manifest_and_pack_round_trips_to_the_same_bytes() {
    let fixture = Fixture::unpack();
    let (mut single, mut packed, mut rows) = (0, 0, 0);
    for deployment in ["ranch", "far", "python", "killed"] {
        let folder = fixture.path(&format!("{deployment}/out/manifests"));
        for place in std::fs::read_dir(folder).unwrap() {
            for file in std::fs::read_dir(place.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let bytes = std::fs::read(&path).unwrap();
                if path.extension().is_some_and(|e| e == "json") {
                    let manifest = Manifest::parse(&bytes).unwrap();
                    assert_eq!(manifest.to_bytes().unwrap(), bytes, "{}", path.display());
                    single += 1;
                    continue;
                }
                let pack = Pack::parse(&bytes).unwrap();
                let written = pack::to_bytes(pack.header(), &pack.rows).unwrap();
                assert!(written == bytes, "{}", path.display());
                for row in 0..u32::try_from(pack.rows.len()).unwrap() {
                    let document = pack.document(row).unwrap();
                    let manifest = Manifest::parse(&document).unwrap();
                    assert_eq!(manifest.to_bytes().unwrap(), document, "row {row}");
                    rows += 1;
                }
                packed += 1;
            }
        }
    }
    assert_eq!((single, packed), (201, 4));
    assert!(rows > 100, "{rows}");
}

/// An audit changes nothing, not even the schema.
#[test]
fn the_ledgers_have_their_recorded_heads_and_an_audit_changes_no_byte() {
    let fixture = Fixture::unpack();
    for deployment in ["ranch", "far", "python", "killed"] {
        let ledger = fixture.path(&format!("{deployment}/out/ledger.db"));
        let before = std::fs::read(&ledger).unwrap();
        let asked = words(&format!("--project {deployment} audit checkpoint"));
        let data = fixture.ask(&asked).json["data"].clone();
        let found = json!({"size": data["size"], "root": data["root"]});
        assert_eq!(found, head(deployment), "{deployment}");
        let audited = fixture.ask(&words(&format!("--project {deployment} audit")));
        assert_eq!(audited.json["data"]["bad"], json!([]), "{deployment}");
        // The WAL that the killed process left may be checkpointed.
        if deployment != "killed" {
            assert!(std::fs::read(&ledger).unwrap() == before, "{deployment}");
        }
    }
}

#[test]
fn a_proof_of_0_1_0_is_valid() {
    let fixture = Fixture::unpack();
    let read = |inside: &str| std::fs::read_to_string(fixture.path(inside)).unwrap();
    let key = read("ranch/ledger-TEST-ONLY.key.pub");
    let key = Verifier::parse("ledger-TEST-ONLY.key.pub", &key).unwrap();
    let proof = Proof::parse(read("kept/mesa.proof.json").as_bytes()).unwrap();
    let proven = proof.verify(Some(&key)).unwrap();
    // One replay was recorded after the proof.
    assert_eq!(head("ranch")["size"], proven.checkpoint.size + 1);
}

/// A new deployment imports what 0.1.0 exported, and computes with it.
#[test]
fn a_new_deployment_can_start_from_archives_of_0_1_0() {
    let fixture = Fixture::unpack();
    let ranch = Ranch::sample();
    let _ = ranch.run(&["ingest"]).exits(0);
    for release in ["R1", "R2"] {
        let file = fixture.path(&format!("kept/{release}.tar"));
        let data = ranch.data(&["release", "import", file.to_str().unwrap()], 0);
        let there = fixture.ask(&words(&format!("--project ranch release show {release}")));
        assert_eq!(data["release"], there.json["data"]["release"], "{data}");
    }
    let promote = ["release", "promote", "R2", "--reason", "as in staging"];
    let _ = ranch.run(&promote).exits(0);
    let day = ["compute", "--all", "--as-of", "2025-06-30"];
    assert_eq!(ranch.data(&day, 0)["summary"]["recorded"], 9);
    // `far` recorded this number under the same release.
    let run = |answers: &Json| answers["answers"][0]["run"].clone();
    let of = "list --boundary creek --herd h-cows --as-of 2025-06-30";
    let there = fixture.ask(&words(&format!("--project far {of}"))).json["data"].clone();
    let args: Vec<&str> = of.split(' ').collect();
    let here = run(&ranch.data(&args, 0));
    for part in ["run_id", "outputs", "provenance", "snapshot_id"] {
        assert_eq!(here[part], run(&there)[part], "{part}");
    }
    let _ = ranch.run(&["audit"]).exits(0);
}

/// A read-only disk, as an archive is mounted.
#[test]
#[cfg(target_os = "linux")]
fn a_read_only_copy_can_be_read() {
    if !crate::disks::may_mount() {
        return;
    }
    let fixture = Fixture::unpack();
    let script = "cd .. && mount --bind ranch ranch && mount -o remount,bind,ro ranch || exit 99; exec \"$0\" \"$@\"";
    for name in ["ranch-list", "ranch-explain", "ranch-audit-late"] {
        let commands = asked(name);
        let asked = commands.iter().find(|a| a.name == name).unwrap();
        let mut args: Vec<&str> = asked.args.iter().map(String::as_str).collect();
        args.push("--json");
        let ran = crate::disks::below(&fixture.ranch, &crate::disks::NAMESPACE, script, &args);
        assert_ne!(ran.code, 99, "{}", ran.stderr);
        let (mut old, json) = (kept(name), ran.json());
        // Messages about the read-only disk are not compared.
        old.warnings.clear();
        let new = Answer {
            json,
            warnings: Vec::new(),
        };
        assert_eq!(
            fixture.differences(name, &old, &new),
            Vec::<String>::new(),
            "{}",
            ran.stderr
        );
    }
}

/// Changes the n-th leaf in the order of the text. Returns whether there is one.
fn change(json: &mut Json, n: &mut usize) -> bool {
    match json {
        Json::Object(members) => members.values_mut().any(|v| change(v, n)),
        Json::Array(rows) => rows.iter_mut().any(|v| change(v, n)),
        leaf if *n == 0 => {
            *leaf = match leaf {
                Json::Null => json!(false),
                Json::Bool(value) => json!(!*value),
                Json::Number(value) => json!(value.as_f64().unwrap() * 1.000_001 + 1.0),
                Json::String(text) => json!(format!("{text} ")),
                _ => json!(null),
            };
            true
        }
        _ => {
            *n -= 1;
            false
        }
    }
}

/// The comparison fails for every changed value of an answer, a missing member, added, missing or reordered
/// rows, and an added or missing warning. It passes for an added member.
#[test]
fn the_comparison_finds_every_change_except_an_added_member() {
    let fixture = Fixture::unpack();
    let wrong = |name: &str, old: &Answer, new: &Answer| fixture.differences(name, old, new);
    for name in ["ranch-explain", "ranch-release-status", "ranch-status"] {
        let old = kept(name);
        assert!(wrong(name, &old, &old).is_empty(), "{name}");
        let mut leaves = 0;
        loop {
            let mut new = old.clone();
            if !change(&mut new.json, &mut { leaves }) {
                break;
            }
            assert_eq!(wrong(name, &old, &new).len(), 1, "{name}: leaf {leaves}");
            leaves += 1;
        }
        assert!(leaves > 40, "{name}: {leaves} leaves");
    }
    let old = kept("far-status");
    let changed = |how: &dyn Fn(&mut Answer)| {
        let mut new = old.clone();
        how(&mut new);
        wrong("far-status", &old, &new)
    };
    assert!(changed(&|new| new.json["data"]["added"] = json!(1)).is_empty());
    assert!(changed(&|new| new.json["data"]["sources"][0]["added"] = json!([1])).is_empty());
    let rows = |new: &mut Answer, how: &dyn Fn(&mut Vec<Json>)| {
        how(new.json["data"]["sources"].as_array_mut().unwrap());
    };
    let finds: [&dyn Fn(&mut Answer); 6] = [
        &|new| drop(new.json["data"].as_object_mut().unwrap().remove("complete")),
        &|new| rows(new, &|rows| drop(rows.pop())),
        &|new| rows(new, &|rows| rows.push(json!({}))),
        &|new| rows(new, &|rows| rows.swap(0, 1)),
        &|new| new.warnings.push("warning: nobody expects it".to_owned()),
        &|new| drop(new.warnings.pop()),
    ];
    for (n, how) in finds.iter().enumerate() {
        assert!(!changed(how).is_empty(), "change {n}");
    }
}

/// End to end: a recorded number changed in the ledger, with its guard dropped, gives another answer.
#[test]
fn a_number_changed_in_the_ledger_gives_another_answer() {
    let fixture = Fixture::unpack();
    let db = rusqlite::Connection::open(fixture.path("ranch/out/ledger.db")).unwrap();
    db.execute_batch(
        "DROP TRIGGER run_no_update; UPDATE run SET outputs = json_set(outputs, '$[0]', 4711)",
    )
    .unwrap();
    drop(db);
    for name in ["ranch-list", "ranch-audit"] {
        let commands = asked(name);
        let asked = commands.iter().find(|a| a.name == name).unwrap();
        let new = fixture.ask(&asked.args);
        assert!(
            !fixture.differences(name, &kept(name), &new).is_empty(),
            "{name}"
        );
    }
}
