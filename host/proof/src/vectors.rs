//! Tampered proofs and bundles, by name, with the error that each must give.
//!
//! The originals are in `tests/fixtures/audit-v1/`, written by the first program version that wrote proofs.

use std::path::Path;

use provender_domain::canonical::{Digest, to_text};
use provender_domain::merkle;
use serde_json::{Value as Json, json};

use crate::{Bundle, Checkpoint, Proof, ProofError, Signer, Verifier, archive};

fn fixture(file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/audit-v1");
    std::fs::read(folder.join(file)).unwrap()
}

fn key() -> Verifier {
    Verifier::parse(
        "ledger.key.pub",
        &String::from_utf8(fixture("ledger.key.pub")).unwrap(),
    )
    .unwrap()
}

/// Changes a field of a canonical JSON text.
fn with(text: &str, change: impl FnOnce(&mut Json)) -> String {
    let mut value: Json = serde_json::from_str(text).unwrap();
    change(&mut value);
    to_text(&value).unwrap()
}

/// Replaces the payload, and the digest in the entry that names it.
fn with_payload(proof: &mut Proof, change: impl FnOnce(&mut Json)) {
    proof.payload = with(&proof.payload, change);
    let digest = Digest::of_canonical(proof.payload.as_bytes()).to_string();
    proof.entry.text = with(&proof.entry.text, |entry| entry["payload"] = digest.into());
}

/// Replaces the checkpoint by a forger's: a tree of the proof's entry alone, under the name of the ledger's key.
fn with_forged_tree(proof: &mut Proof) {
    proof.entry.text = with(&proof.entry.text, |entry| entry["seq"] = json!(1));
    (proof.entry.index, proof.entry.size) = (0, 1);
    proof.entry.path.clear();
    let checkpoint = Checkpoint {
        origin: key().name().to_owned(),
        size: 1,
        root: merkle::leaf(proof.entry.text.as_bytes()),
    };
    let forger = Signer::new(key().name(), &[7; 32]).unwrap();
    proof.checkpoint = forger.sign(&checkpoint.to_text());
}

type Vector = (&'static str, fn(&mut Proof), &'static str);

/// Name, change, and the expected error.
const VECTORS: [Vector; 21] = [
    (
        "proof_with_a_step_swapped",
        |p| p.run.path.swap(0, 1),
        "the run does not lead to the root in its entry",
    ),
    (
        "proof_with_a_step_dropped",
        |p| drop(p.run.path.pop()),
        "the run does not lead to the root in its entry",
    ),
    (
        "proof_with_a_step_added",
        |p| p.run.path.push("00".repeat(32)),
        "the run does not lead to the root in its entry",
    ),
    (
        "proof_with_a_step_that_is_not_hex",
        |p| p.run.path[0].replace_range(0..1, "g"),
        "the run does not lead to the root in its entry",
    ),
    (
        "run_at_the_next_index",
        |p| p.run.index += 1,
        "the run does not lead to the root in its entry",
    ),
    (
        "run_beyond_every_tree",
        |p| p.run.index = u64::MAX,
        "the run does not lead to the root in its entry",
    ),
    (
        "run_with_another_output",
        |p| p.run.text = p.run.text.replace("87.23", "97.23"),
        "the run does not lead to the root in its entry",
    ),
    (
        "run_of_another_place",
        |p| p.run.text = with(&p.run.text, |run| run["boundary_id"] = "south".into()),
        "the run does not lead to the root in its entry",
    ),
    (
        "batch_said_to_be_larger",
        |p| p.run.size += 1,
        "the number of runs differs from the entry's count",
    ),
    (
        "payload_that_is_not_json",
        |p| p.payload.push('}'),
        "the entry's payload is not JSON",
    ),
    (
        "payload_without_a_root",
        |p| with_payload(p, |payload| payload["root"] = Json::Null),
        "the entry's payload has no root",
    ),
    (
        "payload_with_another_component",
        |p| p.payload = with(&p.payload, |payload| payload["component"] = "x".into()),
        "the payload does not match the digest in the entry",
    ),
    (
        "payload_and_entry_rewritten_together",
        |p| with_payload(p, |payload| payload["component"] = "x".into()),
        "the entry does not lead to the checkpoint's root",
    ),
    (
        "entry_of_another_kind",
        |p| p.entry.text = with(&p.entry.text, |entry| entry["kind"] = "ingest".into()),
        "the entry does not record runs",
    ),
    (
        "entry_at_another_number",
        |p| p.entry.text = with(&p.entry.text, |entry| entry["seq"] = json!(16)),
        "the entry is at another position in the tree",
    ),
    (
        "entry_beyond_every_tree",
        |p| p.entry.index = u64::MAX,
        "the entry is at another position in the tree",
    ),
    (
        "entry_of_a_larger_tree_than_the_checkpoint",
        |p| p.entry.size += 1,
        "the entry is at another position in the tree",
    ),
    (
        "entry_with_another_actor",
        |p| p.entry.text = with(&p.entry.text, |entry| entry["actor"] = "nobody".into()),
        "the entry does not lead to the checkpoint's root",
    ),
    (
        "entry_with_its_steps_reversed",
        |p| p.entry.path.reverse(),
        "the entry does not lead to the checkpoint's root",
    ),
    (
        "checkpoint_of_another_size",
        |p| p.checkpoint = p.checkpoint.replacen("\n21\n", "\n22\n", 1),
        "the signature does not match the text",
    ),
    (
        "checkpoint_of_a_forgers_own_tree",
        with_forged_tree,
        "it has no signature by this key",
    ),
];

#[test]
fn each_tampered_proof_names_the_step_that_fails() {
    let (proof, key) = (Proof::parse(&fixture("proof.json")).unwrap(), key());
    assert!(proof.verify(Some(&key)).is_ok());
    for (name, change, expected) in VECTORS {
        let mut changed = proof.clone();
        change(&mut changed);
        assert_ne!(changed, proof, "{name}: the change had no effect");
        let error = changed.verify(Some(&key)).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

/// A forger's tree differs by nothing but its signature, so it passes without a key.
#[test]
fn without_a_key_a_forgers_own_tree_passes() {
    let mut proof = Proof::parse(&fixture("proof.json")).unwrap();
    with_forged_tree(&mut proof);
    assert!(proof.verify(None).is_ok());
}

#[test]
fn a_text_that_is_not_a_proof_of_this_form_is_refused() {
    let proof = String::from_utf8(fixture("proof.json")).unwrap();
    let with_more = proof.replacen('{', "{\"more\":1,", 1);
    let later = proof.replace("provender.proof.v1", "provender.proof.v2");
    let cases = [
        ("not_json", "{", "it cannot be read"),
        ("with_an_unknown_field", &with_more, "unknown field"),
        (
            "of_a_later_form",
            &later,
            "it has the form provender.proof.v2",
        ),
    ];
    for (name, text, expected) in cases {
        let error = Proof::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

type BundleVector = (&'static str, fn(&mut Bundle), &'static str);

const BUNDLES: [BundleVector; 5] = [
    (
        "bundle_with_a_space_in_its_manifest",
        |b| b.manifest.push(b' '),
        "the manifest has the SHA-256",
    ),
    (
        "bundle_with_the_manifest_of_nothing",
        |b| b.manifest.clear(),
        "the manifest has the SHA-256",
    ),
    (
        "bundle_with_another_component",
        |b| b.component[0] ^= 1,
        "the component has the digest",
    ),
    (
        "bundle_with_a_step_of_its_proof_swapped",
        |b| b.proof.run.path.swap(0, 1),
        "the run does not lead to the root in its entry",
    ),
    (
        "bundle_with_the_proof_of_another_manifest",
        |b| {
            b.proof.run.text = with(&b.proof.run.text, |run| {
                run["manifest_sha256"] = Digest::of_bytes(b"another").to_string().into();
            });
        },
        "the run does not lead to the root in its entry",
    ),
];

#[test]
fn each_tampered_bundle_names_the_part_that_fails() {
    let (bytes, key) = (fixture("bundle.tar"), key());
    let bundle: Bundle = Bundle::unpack("bundle.tar", &bytes).unwrap();
    let (proven, manifest) = bundle.check(Some(&key)).unwrap();
    assert_eq!(manifest.snapshot_id().unwrap(), proven.run.snapshot);
    for (name, change, expected) in BUNDLES {
        let mut changed = bundle.clone();
        change(&mut changed);
        assert_ne!(changed, bundle, "{name}: the change had no effect");
        let error = changed.check(Some(&key)).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
    // The limits do not affect the number, so the proof does not cover them.
    let with_other_limits = Bundle {
        limits: json!({"fuel_base": 1}),
        ..bundle.clone()
    };
    assert!(with_other_limits.check(Some(&key)).is_ok());
}

#[test]
fn each_tampered_bundle_archive_is_refused() {
    let bytes = fixture("bundle.tar");
    let members = archive::members(&bytes).unwrap();
    let mut swapped = members.clone();
    swapped.swap(0, 1);
    let twice = [members.as_slice(), &members[..1]].concat();
    let stranger = [members.as_slice(), &[("bundle/x".to_owned(), Vec::new())]].concat();
    let spaced = members.iter().cloned().map(|(name, mut bytes)| {
        if name == "bundle/limits.json" {
            bytes.push(b'\n');
        }
        (name, bytes)
    });
    let pack = |members: &[(String, Vec<u8>)]| archive::pack(members).unwrap();
    let cases = [
        ("unchanged", bytes.clone(), ""),
        ("members_swapped", pack(&swapped), "canonical encoding"),
        (
            "limits_with_a_newline",
            pack(&spaced.collect::<Vec<_>>()),
            "canonical encoding",
        ),
        ("member_twice", pack(&twice), "appears twice"),
        (
            "member_of_a_stranger",
            pack(&stranger),
            "does not belong in a bundle",
        ),
        (
            "member_missing",
            pack(&members[1..]),
            "it has no component.wasm",
        ),
        (
            "cut_short",
            bytes[..bytes.len() / 2].to_vec(),
            "tar archive",
        ),
        (
            "with_more_behind_it",
            [bytes.as_slice(), b"x"].concat(),
            "canonical encoding",
        ),
    ];
    for (name, bytes, expected) in cases {
        let read: Result<Bundle, ProofError> = Bundle::unpack("bundle.tar", &bytes);
        match read {
            Ok(_) => assert_eq!(expected, "", "{name}"),
            Err(e) => assert!(
                !expected.is_empty() && e.to_string().contains(expected),
                "{name}: {e}"
            ),
        }
    }
}
