//! That a run is recorded: from the run over its batch's root and its entry to a checkpoint, with nothing
//! else at hand. `docs/reference/audit.md` describes the form, and `tests/audit/verify_proof.py` checks it
//! without this program.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use provender_domain::canonical::{Digest, from_slice, hex, to_text};
use provender_domain::forms::{ChainEntry, Form, RunRow};
use provender_domain::key::RunKey;
use provender_domain::merkle::{self, Hash};

use crate::checkpoint::Checkpoint;
use crate::error::ProofError;
use crate::note::Verifier;

/// The form of a proof.
pub const PROOF_FORM: &str = Form::Proof.name();

/// A leaf's text and the way from it to a root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The leaf: canonical JSON, exactly as hashed.
    pub text: String,
    /// Its number, from 0.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// The hashes beside the way, from below: hex.
    pub path: Vec<String>,
}

impl Step {
    /// The step from a leaf to the root over all leaves; none where there is no leaf of this number.
    #[must_use]
    pub fn to(text: String, leaves: &[Hash], index: usize) -> Option<Step> {
        let path = merkle::inclusion(leaves, index)?;
        Some(Step {
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// [`PROOF_FORM`].
    #[serde(rename = "$type")]
    pub form: String,
    /// The run in its batch.
    pub run: Step,
    /// The payload of the batch's entry: canonical JSON with `count` and `root`.
    pub payload: String,
    /// The entry in the tree over all entries.
    pub entry: Step,
    /// The checkpoint that the tree has, signed where a key was given.
    pub checkpoint: String,
}

/// A run as its batch's entry binds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenRun {
    /// The run's key.
    pub key: RunKey,
    /// Digest of what made the number.
    pub provenance: Digest,
    /// Digest of the manifest's reproducible part.
    pub snapshot: Digest,
    /// SHA-256 of the manifest's bytes.
    pub manifest: Digest,
    /// Canonical JSON list of the outputs in declared order.
    pub outputs: String,
}

/// What a proof that holds says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The run.
    pub run: ProvenRun,
    /// When it was recorded, as its entry says.
    pub at: String,
    /// Who recorded it.
    pub actor: String,
    /// Number of the entry.
    pub entry: u64,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
}

impl Proof {
    /// Its text: canonical JSON with a newline.
    ///
    /// # Errors
    /// [`ProofError::Proof`] when a number has no canonical form, which is never so for a proof of this program.
    pub fn to_text(&self) -> Result<String, ProofError> {
        let value = serde_json::to_value(self).map_err(|e| ProofError::Proof(e.to_string()))?;
        let text = to_text(&value).map_err(|e| ProofError::Proof(e.to_string()))?;
        Ok(format!("{text}\n"))
    }

    /// Reads a proof.
    ///
    /// # Errors
    /// [`ProofError::Proof`] when it is not one.
    pub fn parse(text: &[u8]) -> Result<Proof, ProofError> {
        let proof: Proof = serde_json::from_slice(text)
            .map_err(|e| ProofError::Proof(format!("it is none: {e}")))?;
        if proof.form != PROOF_FORM {
            return Err(ProofError::Proof(format!(
                "it is of the form {}, this program reads {PROOF_FORM}",
                proof.form
            )));
        }
        Ok(proof)
    }

    /// Checks every step, and the checkpoint's signature where a key is given.
    ///
    /// # Errors
    /// [`ProofError::Proof`] names the first step that does not hold; [`ProofError::Checkpoint`] and
    /// [`ProofError::Signature`] say what is wrong with the checkpoint.
    pub fn verify(&self, key: Option<&Verifier>) -> Result<Proven, ProofError> {
        let no = |problem: &str| ProofError::Proof(problem.to_owned());
        let checkpoint = Checkpoint::parse("the proof's checkpoint", &self.checkpoint, key)?;
        let payload: Json = from_slice(self.payload.as_bytes())
            .map_err(|_| no("the entry's payload is not JSON"))?;
        let root = payload["root"]
            .as_str()
            .and_then(|r| r.strip_prefix("sha256:"));
        let root = root
            .and_then(hash)
            .ok_or_else(|| no("the entry's payload has no root"))?;
        if payload["count"].as_u64() != Some(self.run.size) {
            return Err(no("the entry recorded another number of runs"));
        }
        if !self.run.leads_to(&root) {
            return Err(no("the run does not lead to the root in its entry"));
        }
        let entry = ChainEntry::read(&self.entry.text)
            .ok_or_else(|| no("the entry's text is not that of an entry"))?;
        if entry.payload != Digest::of_canonical(self.payload.as_bytes()) {
            return Err(no("the payload is not the one that the entry names"));
        }
        if !matches!(entry.kind.as_str(), "runs" | "reissue") {
            return Err(no("the entry recorded no runs"));
        }
        let number = self.entry.index.saturating_add(1);
        if u64::try_from(entry.seq) != Ok(number) || self.entry.size != checkpoint.size {
            return Err(no("the entry stands elsewhere in the tree"));
        }
        if !self.entry.leads_to(&checkpoint.root) {
            return Err(no("the entry does not lead to the checkpoint's root"));
        }
        Ok(Proven {
            run: run(&self.run.text).ok_or_else(|| no("the run's text is not that of a run"))?,
            at: entry.at,
            actor: entry.actor,
            entry: number,
            checkpoint,
        })
    }
}

/// The run that a leaf's text describes.
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
