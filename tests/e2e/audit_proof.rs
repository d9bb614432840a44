//! Checkpoints, proofs and bundles are valid on another machine and for a program in another language, and
//! nothing else is accepted as one.

use std::path::Path;
use std::process::{Command, Output};

use provender_domain::canonical::{hex, to_text};
use provender_domain::merkle;
use provender_host::audit::Bundle;
use provender_ledger::EntryNumber;
use provender_ledger::scan::Scan;
use provender_ledger::{Address, open_reader};
use provender_proof::{Proof, Verifier};
use provender_sandbox::PinLimits;
use serde_json::Value as Json;

use crate::audit::{forge, kinds, some_run};
use crate::kit::Ranch;

const NAME: &str = "ranch.example/grazing";

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

/// Changes a recorded number and recomputes every hash that depends on it, as an administrator could: the
/// row, the root of its batch, and the chain from there on.
fn rewrite(ranch: &Ranch) {
    let path = ranch.path("out/ledger.db");
    forge(
        ranch,
        "UPDATE run SET outputs = json_set(outputs, '$[0]', 4711) WHERE snapshot = (SELECT min(snapshot) FROM run)",
    );
    let ledger = open_reader(&Address::from_path(&path)).unwrap();
    let mut leaves = std::collections::BTreeMap::<EntryNumber, Vec<merkle::Hash>>::new();
    let mut scan = Scan::begin(ledger.readers(1).unwrap()).unwrap();
    while let Some(read) = scan.readers[0].read().unwrap() {
        assert!(read.unreadable.is_empty());
        for stored in read.runs {
            let leaf = stored.run.leaf();
            leaves.entry(stored.entry).or_default().push(leaf);
        }
    }
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
fn only_a_checkpoint_reveals_a_ledger_with_every_hash_recomputed() {
    let ranch = Ranch::ran();
    key(&ranch);
    checkpoint(&ranch, "one.checkpoint");
    // A ledger that has only grown was not rewritten.
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
    // Even with the key, no new checkpoint is signed on top of the rewritten ledger.
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
fn a_checkpoint_reveals_entries_cut_off_the_end() {
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
    assert!(problem.contains("entries were removed"), "{problem}");
}

#[test]
fn a_checkpoint_not_signed_with_the_key_is_refused() {
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
    error: one.checkpoint does not verify with the key ranch.example/grazing: it has no signature by this key
     help: take the checkpoint from where it is kept, and the public key from its holder
    ");
    ranch.write("one.checkpoint", "not a checkpoint\n");
    let said = ranch.run(&AGAINST).exits(65);
    insta::assert_snapshot!(said.stderr, @"
    error: one.checkpoint is not a checkpoint: it has 1 lines before its signatures instead of three: origin, size, root
     help: docs/reference/audit.md describes the forms of keys, checkpoints, proofs and bundles
    ");
}

#[test]
#[cfg(unix)]
fn only_its_owner_can_read_a_private_key_and_it_is_never_overwritten() {
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
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/audit/verify_proof.py");
    let ran = Command::new("python3")
        .arg(script)
        .args(args)
        .current_dir(ranch.dir())
        .output();
    ran.ok()
}

#[test]
fn a_program_in_another_language_verifies_a_proof_and_refuses_altered_ones() {
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
        println!("not checked: python3 is not installed");
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
fn a_changed_row_cannot_be_proved() {
    let ranch = Ranch::ran();
    let id = some_run(&ranch)["run_id"].as_str().unwrap().to_owned();
    forge(
        &ranch,
        "UPDATE run SET outputs = json_set(outputs, '$[0]', 4711)",
    );
    let said = ranch.run(&["audit", "prove", &id]).exits(11);
    assert!(
        said.stderr
            .contains("this run cannot be proved: the run does not lead to the root in its entry"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_bundle_is_replayed_on_a_machine_that_has_nothing_else() {
    let ranch = Ranch::ran();
    key(&ranch);
    let run = some_run(&ranch);
    let id = run["run_id"].as_str().unwrap();
    let args = ["explain", id, "--bundle", "run.tar", "--key", "ledger.key"];
    let _ = ranch.run(&args).exits(0);
    // The other machine has only the bundle and the public key.
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
        said.stderr.contains("it has no signature by this key"),
        "{}",
        said.stderr
    );
    // The verb refuses changed bytes of the component and of the end of the archive too.
    let bytes = std::fs::read(elsewhere.path("run.tar")).unwrap();
    let component = place_of(&bytes, "bundle/component.wasm");
    for at in [0, component.start, component.end - 1, bytes.len() - 1] {
        let mut other = bytes.clone();
        other[at] ^= 1;
        std::fs::write(elsewhere.path("run.tar"), &other).unwrap();
        let code = elsewhere.run(&replay).code;
        assert!([11, 65].contains(&code), "byte {at}: exit {code}");
    }
}

/// The byte range of a member's content in a bundle.
fn place_of(bundle: &[u8], member: &str) -> std::ops::Range<usize> {
    let mut archive = tar::Archive::new(bundle);
    let found = archive.entries().unwrap().map(Result::unwrap);
    let mut found = found.filter(|entry| entry.path_bytes() == member.as_bytes());
    let entry = found.next().unwrap();
    let start = usize::try_from(entry.raw_file_position()).unwrap();
    start..start + usize::try_from(entry.size()).unwrap()
}

/// Flips a bit in every byte outside the component, and in 200 of the component's: one SHA-256 covers all of
/// it.
#[test]
fn a_changed_bit_of_a_bundle_is_refused_except_in_its_ceilings() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/audit-v1");
    let key = std::fs::read_to_string(kept.join("ledger.key.pub")).unwrap();
    let key = Verifier::parse("ledger.key.pub", &key).unwrap();
    let bytes = std::fs::read(kept.join("bundle.tar")).unwrap();
    let mut bundle = Bundle::unpack("bundle.tar", &bytes).unwrap();
    // Gives the bundle ceilings of its own, like those of a Python component.
    bundle.limits = PinLimits::for_language("python");
    let bytes = bundle.pack().unwrap();
    assert!(bundle.check(Some(&key)).is_ok());
    let component = place_of(&bytes, "bundle/component.wasm");
    let ceilings = place_of(&bytes, "bundle/limits.json");
    let some = component.clone().step_by(component.len() / 200);
    let others = (0..bytes.len()).filter(|at| !component.contains(at));
    let mut passed = 0;
    for at in others.chain(some) {
        let mut other = bytes.clone();
        other[at] ^= 1 << (at % 8);
        let Ok(read) = Bundle::unpack("bundle.tar", &other) else {
            continue;
        };
        if read.check(Some(&key)).is_ok() {
            // Ceilings are not part of a number, and their range is bounded.
            assert!(ceilings.contains(&at), "byte {at} of the bundle");
            assert_eq!(
                (read.component, read.manifest, read.proof),
                (
                    bundle.component.clone(),
                    bundle.manifest.clone(),
                    bundle.proof.clone()
                )
            );
            passed += 1;
        }
    }
    assert!(passed > 0, "ceilings are bound by no digest");
}

#[test]
fn ceilings_of_a_bundle_outside_the_programs_own_range_are_refused() {
    let auditor = Ranch::empty();
    std::fs::create_dir_all(auditor.dir()).unwrap();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/audit-v1");
    let bytes = std::fs::read(kept.join("bundle.tar")).unwrap();
    let bundle = Bundle::unpack("bundle.tar", &bytes).unwrap();
    let replayed = |limits: PinLimits| {
        let other = Bundle {
            limits,
            ..bundle.clone()
        };
        std::fs::write(auditor.path("bundle.tar"), other.pack().unwrap()).unwrap();
        auditor.run(&["replay", "--bundle", "bundle.tar", "--json"])
    };
    let fuel = |fuel_base| PinLimits {
        fuel_base: Some(fuel_base),
        ..bundle.limits.clone()
    };
    for bad in [0, 1, 1 << 52] {
        let json = replayed(fuel(bad)).exits(65).json();
        assert_eq!(json["error"]["code"], "bundle_limits", "{json}");
        let message = json["error"]["message"].as_str().unwrap();
        let words =
            format!("it asks for fuel_base = {bad}; this program accepts 20000000 to 1000000000");
        assert!(message.contains(&words), "{message}");
    }
    for good in [bundle.limits.clone(), PinLimits::default(), PinLimits::MAX] {
        let _ = replayed(good).exits(0);
    }
}

/// The first program that wrote proofs wrote `tests/fixtures/audit-v1/`, on the sample ranch: `audit key`,
/// then `explain RUN --bundle` and `audit prove RUN` with that key. What an auditor keeps must stay valid
/// with every later program, as long as the forms are called v1.
#[test]
fn proofs_and_bundles_of_the_first_program_are_still_valid() {
    const RUN: &str =
        "sha256-jcs-v1:c2a9f37a369faedd8af443e78b480ec3f60f4fc6a867af00409a0c6686d3628b";
    let auditor = Ranch::empty();
    std::fs::create_dir_all(auditor.dir()).unwrap();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/audit-v1");
    for file in ["bundle.tar", "proof.json", "ledger.key.pub"] {
        std::fs::copy(kept.join(file), auditor.path(file)).unwrap();
    }
    let replay = [
        "replay",
        "--bundle",
        "bundle.tar",
        "--public-key",
        "ledger.key.pub",
    ];
    let data = auditor.data(&replay, 0);
    assert_eq!(data["identical"], 1, "{data}");
    assert_eq!(data["bundle"]["run_id"], RUN);
    assert_eq!(data["bundle"]["signed_by"], NAME);
    let proof = Proof::parse(auditor.read("proof.json").as_bytes()).unwrap();
    let key = Verifier::parse("ledger.key.pub", &auditor.read("ledger.key.pub")).unwrap();
    let proven = proof.verify(Some(&key)).unwrap();
    assert_eq!((proven.entry, proven.checkpoint.size), (17, 21));
    match python(&auditor, &["proof.json", "ledger.key.pub"]) {
        Some(said) => assert!(said.status.success(), "{said:?}"),
        None => println!("not checked: python3 is not installed"),
    }
}
