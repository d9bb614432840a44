//! What was done to a proof or bundle that holds, by name, and what the checker says of it.
//!
//! Both are those of `tests/fixtures/audit-v1/`, which the first program that wrote proofs wrote.

use std::path::Path;

use provender_domain::canonical::{Digest, to_text};
use provender_domain::merkle;
use serde_json::{Value as Json, json};

use crate::{Bundle, Checkpoint, Proof, ProofError, Signer, Verifier, archive};

fn kept(file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/audit-v1");
    std::fs::read(folder.join(file)).unwrap()
}

fn key() -> Verifier {
    Verifier::parse(
        "ledger.key.pub",
        &String::from_utf8(kept("ledger.key.pub")).unwrap(),
    )
    .unwrap()
}

/// Changes a field of a canonical JSON text.
fn with(text: &str, change: impl FnOnce(&mut Json)) -> String {
    let mut value: Json = serde_json::from_str(text).unwrap();
    change(&mut value);
    to_text(&value).unwrap()
}

/// A payload in the place of another, with the entry that names it.
fn with_payload(proof: &mut Proof, change: impl FnOnce(&mut Json)) {
    proof.payload = with(&proof.payload, change);
    let digest = Digest::of_canonical(proof.payload.as_bytes()).to_string();
    proof.entry.text = with(&proof.entry.text, |entry| entry["payload"] = digest.into());
}

/// A forger's checkpoint over a tree of the proof's entry alone, under the name of the ledger's key.
fn with_tree_of_its_own(proof: &mut Proof) {
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

/// Name, what was done, and the words that name the step that does not hold.
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
        "the entry recorded another number of runs",
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
        "the payload is not the one that the entry names",
    ),
    (
        "payload_and_entry_rewritten_together",
        |p| with_payload(p, |payload| payload["component"] = "x".into()),
        "the entry does not lead to the checkpoint's root",
    ),
    (
        "entry_of_another_kind",
        |p| p.entry.text = with(&p.entry.text, |entry| entry["kind"] = "ingest".into()),
        "the entry recorded no runs",
    ),
    (
        "entry_at_another_number",
        |p| p.entry.text = with(&p.entry.text, |entry| entry["seq"] = json!(16)),
        "the entry stands elsewhere in the tree",
    ),
    (
        "entry_beyond_every_tree",
        |p| p.entry.index = u64::MAX,
        "the entry stands elsewhere in the tree",
    ),
    (
        "entry_of_a_larger_tree_than_the_checkpoint",
        |p| p.entry.size += 1,
        "the entry stands elsewhere in the tree",
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
        "the signature is not of this text",
    ),
    (
        "checkpoint_of_a_forgers_own_tree",
        with_tree_of_its_own,
        "this key did not sign it",
    ),
];

#[test]
fn whatever_was_done_to_a_proof_the_step_that_does_not_hold_is_named() {
    let (proof, key) = (Proof::parse(&kept("proof.json")).unwrap(), key());
    assert!(proof.verify(Some(&key)).is_ok());
    for (name, change, expected) in VECTORS {
        let mut changed = proof.clone();
        change(&mut changed);
        assert_ne!(changed, proof, "{name}: nothing was done to it");
        let error = changed.verify(Some(&key)).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

/// Nothing but the signature tells a tree that a forger made: this is what a key is for.
#[test]
fn without_a_key_a_forgers_own_tree_passes() {
    let mut proof = Proof::parse(&kept("proof.json")).unwrap();
    with_tree_of_its_own(&mut proof);
    assert!(proof.verify(None).is_ok());
}

#[test]
fn a_text_that_is_not_a_proof_of_this_form_is_refused() {
    let proof = String::from_utf8(kept("proof.json")).unwrap();
    let with_more = proof.replacen('{', "{\"more\":1,", 1);
    let later = proof.replace("provender.proof.v1", "provender.proof.v2");
    let cases = [
        ("not_json", "{", "it is none"),
        ("with_an_unknown_field", &with_more, "unknown field"),
        (
            "of_a_later_form",
            &later,
            "it is of the form provender.proof.v2",
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
fn whatever_was_done_to_a_bundle_is_named() {
    let (bytes, key) = (kept("bundle.tar"), key());
    let bundle: Bundle = Bundle::unpack("bundle.tar", &bytes).unwrap();
    let (proven, manifest) = bundle.check(Some(&key)).unwrap();
    assert_eq!(manifest.snapshot_id().unwrap(), proven.run.snapshot);
    for (name, change, expected) in BUNDLES {
        let mut changed = bundle.clone();
        change(&mut changed);
        assert_ne!(changed, bundle, "{name}: nothing was done to it");
        let error = changed.check(Some(&key)).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
    // Ceilings are no part of a number.
    let with_other_limits = Bundle {
        limits: json!({"fuel_base": 1}),
        ..bundle.clone()
    };
    assert!(with_other_limits.check(Some(&key)).is_ok());
}

#[test]
fn whatever_was_done_to_the_archive_of_a_bundle_is_refused() {
    let bytes = kept("bundle.tar");
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
        ("as_it_was", bytes.clone(), ""),
        (
            "members_swapped",
            pack(&swapped),
            "not written in the one way",
        ),
        (
            "limits_with_a_newline",
            pack(&spaced.collect::<Vec<_>>()),
            "not written in the one way",
        ),
        ("member_twice", pack(&twice), "is in it twice"),
        (
            "member_of_a_stranger",
            pack(&stranger),
            "does not belong into a bundle",
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
            "not written in the one way",
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
