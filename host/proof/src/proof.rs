//! Proofs that a run is recorded: from the run through its batch's root and entry to a checkpoint. A proof needs
//! no other data. `docs/reference/audit.md` describes the form, and `tests/audit/verify_proof.py` verifies it
//! without this program.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use provender_domain::canonical::{Digest, from_slice, hex, to_text};
use provender_domain::forms::{ChainEntry, Form, RunRow};
use provender_domain::key::RunKey;
use provender_domain::merkle::{self, Hash};

use crate::checkpoint::Checkpoint;
use crate::error::ProofError;
use crate::note::Verifier;

/// Value of `$type` in a proof.
pub const PROOF_FORM: &str = Form::Proof.name();

/// An inclusion proof: a leaf's text and its path to a root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InclusionStep {
    /// The leaf: canonical JSON, exactly as hashed.
    pub text: String,
    /// Index of the leaf, from 0.
    pub index: u64,
    /// Number of leaves in the tree.
    pub size: u64,
    /// Hex hashes of the siblings along the path, from the leaf upwards.
    pub path: Vec<String>,
}

impl InclusionStep {
    /// Proves a leaf against the root over all leaves; `None` if `index` is out of range.
    #[must_use]
    pub fn to(text: String, leaves: &[Hash], index: usize) -> Option<InclusionStep> {
        let path = merkle::inclusion(leaves, index)?;
        Some(InclusionStep {
            text,
            index: index as u64,
            size: leaves.len() as u64,
            path: path.iter().map(|h| hex(h)).collect(),
        })
    }

    fn leads_to(&self, root: &Hash) -> bool {
        let path: Option<Vec<Hash>> = self.path.iter().map(|h| hash(h)).collect();
        let leaf = merkle::leaf(self.text.as_bytes());
        path.is_some_and(|path| merkle::is_included(&leaf, self.index, self.size, &path, root))
    }
}

fn hash(hex: &str) -> Option<Hash> {
    let digest: Digest = format!("sha256:{hex}").parse().ok()?;
    Some(*digest.bytes())
}

/// A proof that a run is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The form of the proof.
    #[serde(rename = "$type")]
    #[schemars(extend("const" = PROOF_FORM))]
    pub form: String,
    /// The run within its batch.
    pub run: InclusionStep,
    /// The payload of the batch's entry: canonical JSON with `count` and `root`.
    pub payload: String,
    /// The entry within the tree over all entries.
    pub entry: InclusionStep,
    /// The checkpoint of that tree, signed if a key was available.
    pub checkpoint: String,
}

/// A run, as bound by the entry of its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenRun {
    /// The run's key.
    pub key: RunKey,
    /// Digest of everything that makes the number.
    pub provenance: Digest,
    /// Digest of the manifest's reproducible part.
    pub snapshot: Digest,
    /// SHA-256 of the manifest's bytes.
    pub manifest: Digest,
    /// Canonical JSON list of the outputs in declared order.
    pub outputs: String,
}

/// What a verified proof establishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProof {
    /// The run.
    pub run: ProvenRun,
    /// Time of recording, from the entry.
    pub at: String,
    /// Who recorded it.
    pub actor: String,
    /// Sequence number of the entry, from 1.
    pub entry: u64,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
}

impl Proof {
    /// The proof as canonical JSON with a newline.
    ///
    /// # Errors
    /// [`ProofError::Proof`] when a number has no canonical form, which cannot happen for a proof of this
    /// program.
    pub fn to_text(&self) -> Result<String, ProofError> {
        let value = serde_json::to_value(self).map_err(|e| ProofError::Proof(e.to_string()))?;
        let text = to_text(&value).map_err(|e| ProofError::Proof(e.to_string()))?;
        Ok(format!("{text}\n"))
    }

    /// Parses a proof.
    ///
    /// # Errors
    /// [`ProofError::Proof`] when the text is not a proof.
    pub fn parse(text: &[u8]) -> Result<Proof, ProofError> {
        let proof: Proof = serde_json::from_slice(text)
            .map_err(|e| ProofError::Proof(format!("it cannot be read: {e}")))?;
        if proof.form != PROOF_FORM {
            return Err(ProofError::Proof(format!(
                "it has the form {}, but this program reads {PROOF_FORM}",
                proof.form
            )));
        }
        Ok(proof)
    }

    /// Verifies every step, and the checkpoint's signature if a key is given.
    ///
    /// # Errors
    /// [`ProofError::Proof`] for the first step that fails; [`ProofError::Checkpoint`] or
    /// [`ProofError::Signature`] for a problem with the checkpoint.
    pub fn verify(&self, key: Option<&Verifier>) -> Result<VerifiedProof, ProofError> {
        let refuse = |problem: &str| ProofError::Proof(problem.to_owned());
        let checkpoint = Checkpoint::parse("the proof's checkpoint", &self.checkpoint, key)?;
        let payload: Json = from_slice(self.payload.as_bytes())
            .map_err(|_| refuse("the entry's payload is not JSON"))?;
        let root = payload["root"]
            .as_str()
            .and_then(|r| r.strip_prefix("sha256:"));
        let root = root
            .and_then(hash)
            .ok_or_else(|| refuse("the entry's payload has no root"))?;
        if payload["count"].as_u64() != Some(self.run.size) {
            return Err(refuse("the number of runs differs from the entry's count"));
        }
        if !self.run.leads_to(&root) {
            return Err(refuse("the run does not lead to the root in its entry"));
        }
        let entry = ChainEntry::read(&self.entry.text)
            .ok_or_else(|| refuse("the entry's text does not describe an entry"))?;
        if entry.payload != Digest::of_canonical(self.payload.as_bytes()) {
            return Err(refuse("the payload does not match the digest in the entry"));
        }
        if !matches!(entry.kind.as_str(), "runs" | "reissue") {
            return Err(refuse("the entry does not record runs"));
        }
        let number = self.entry.index.saturating_add(1);
        if u64::try_from(entry.seq) != Ok(number) || self.entry.size != checkpoint.size {
            return Err(refuse("the entry is at another position in the tree"));
        }
        if !self.entry.leads_to(&checkpoint.root) {
            return Err(refuse("the entry does not lead to the checkpoint's root"));
        }
        Ok(VerifiedProof {
            run: run(&self.run.text)
                .ok_or_else(|| refuse("the run's text does not describe a run"))?,
            at: entry.at,
            actor: entry.actor,
            entry: number,
            checkpoint,
        })
    }
}
/// Reads the run from a leaf's text.
fn run(text: &str) -> Option<ProvenRun> {
    let run = RunRow::read(text)?;
    Some(ProvenRun {
        key: run.key,
        provenance: run.provenance,
        snapshot: run.snapshot_id,
        manifest: run.manifest_sha256,
        outputs: run.outputs,
    })
}
