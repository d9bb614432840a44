//! That a run is recorded: from the run over its batch's root and its entry to a checkpoint, with nothing
//! else at hand. `docs/reference/audit.md` describes the form, and `tests/audit/verify_proof.py` checks it
//! without this program.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::replay::Subject;
use provender_domain::canonical::{Digest, from_slice, hex, to_text};
use provender_domain::key::RunKey;
use provender_domain::merkle::{self, Hash};
use provender_ledger::Ledger as _;
use provender_ledger::sqlite::SqliteLedger;

use super::checkpoint::Checkpoint;
use super::error::AuditError;
use super::note::{Signer, Verifier};

/// The form of a proof.
pub const FORM: &str = "provender.proof.v1";

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
    fn to(text: String, leaves: &[Hash], index: usize) -> Option<Step> {
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
    /// [`FORM`].
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

/// What a proof that holds says.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The run: its key and what its manifest must hash to.
    pub subject: Subject,
    /// When it was recorded, as its entry says.
    pub at: String,
    /// Who recorded it.
    pub actor: String,
    /// Number of the entry.
    pub entry: u64,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
}

/// Proves that a run is recorded.
///
/// # Errors
/// When there is no such run, or [`AuditError::Unprovable`] when what is stored is not what was recorded.
pub fn prove(
    ledger: &SqliteLedger,
    key: &RunKey,
    origin: &str,
    signer: Option<&Signer>,
) -> Result<Proof, AuditError> {
    let unprovable = |problem: String| AuditError::Unprovable(problem);
    let snapshot = ledger.snapshot()?;
    let run = ledger
        .run(key)?
        .ok_or_else(|| unprovable(format!("there is no run {key}")))?;
    let mut batch: Vec<Hash> = Vec::new();
    ledger.runs_of(run.entry, &mut |other| batch.push(other.leaf()))?;
    batch.sort_unstable();
    let (mut leaves, mut own, mut problem): (Vec<Hash>, Option<(usize, String, String)>, _) =
        (Vec::new(), None, None);
    snapshot.entries(&mut |scanned| {
        let read = scanned
            .map_err(|e| format!("{}: {}", e.id, e.problem))
            .and_then(|e| Ok((e.canonical().map_err(|e| e.to_string())?, e)));
        match read {
            Err(e) => problem = Some(e),
            Ok((text, entry)) => {
                leaves.push(merkle::leaf(text.as_bytes()));
                if entry.seq == run.entry {
                    own = Some((leaves.len() - 1, text, entry.payload));
                }
            }
        }
    })?;
    if let Some(problem) = problem {
        return Err(unprovable(problem));
    }
    let missing = || unprovable(format!("its entry {} is not there", run.entry));
    let (at, text, payload) = own.ok_or_else(missing)?;
    let leaf = run.run.leaf();
    let index = batch.iter().position(|h| *h == leaf).ok_or_else(missing)?;
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size: leaves.len() as u64,
        root: merkle::root(&leaves),
    };
    let note = checkpoint.to_text();
    let proof = Proof {
        form: FORM.to_owned(),
        run: Step::to(run.run.canonical(), &batch, index).ok_or_else(missing)?,
        payload,
        entry: Step::to(text, &leaves, at).ok_or_else(missing)?,
        checkpoint: signer.map_or(note.clone(), |s| s.sign(&note)),
    };
    // A row that was changed has another batch than its entry says.
    proof.verify(None).map_err(|e| match e {
        AuditError::Proof(problem) => unprovable(format!(
            "{problem}; `provender audit` tells what else is not what was recorded"
        )),
        other => other,
    })?;
    Ok(proof)
}

impl Proof {
    /// Its text: canonical JSON with a newline.
    ///
    /// # Errors
    /// [`AuditError::Proof`] when a number has no canonical form, which is never so for a proof of this program.
    pub fn to_text(&self) -> Result<String, AuditError> {
        let value = serde_json::to_value(self).map_err(|e| AuditError::Proof(e.to_string()))?;
        let text = to_text(&value).map_err(|e| AuditError::Proof(e.to_string()))?;
        Ok(format!("{text}\n"))
    }

    /// Reads a proof.
    ///
    /// # Errors
    /// [`AuditError::Proof`] when it is none.
    pub fn parse(text: &[u8]) -> Result<Proof, AuditError> {
        let proof: Proof = serde_json::from_slice(text)
            .map_err(|e| AuditError::Proof(format!("it is none: {e}")))?;
        if proof.form != FORM {
            return Err(AuditError::Proof(format!(
                "it is of the form {}, this program reads {FORM}",
                proof.form
            )));
        }
        Ok(proof)
    }

    /// Checks every step, and the checkpoint's signature where a key is given.
    ///
    /// # Errors
    /// [`AuditError::Proof`] names the first step that does not hold; a checkpoint that is none or was not
    /// signed by the key's holder.
    pub fn verify(&self, key: Option<&Verifier>) -> Result<Proven, AuditError> {
        let no = |problem: &str| AuditError::Proof(problem.to_owned());
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
        let entry: Json =
            from_slice(self.entry.text.as_bytes()).map_err(|_| no("the entry is not JSON"))?;
        let said = Digest::of_canonical(self.payload.as_bytes()).to_string();
        if entry["payload"].as_str() != Some(&said) {
            return Err(no("the payload is not the one that the entry names"));
        }
        let kind = entry["kind"].as_str();
        if !matches!(kind, Some("runs" | "reissue")) {
            return Err(no("the entry recorded no runs"));
        }
        let number = self.entry.index.saturating_add(1);
        if entry["seq"].as_u64() != Some(number) || self.entry.size != checkpoint.size {
            return Err(no("the entry stands elsewhere in the tree"));
        }
        if !self.entry.leads_to(&checkpoint.root) {
            return Err(no("the entry does not lead to the checkpoint's root"));
        }
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        Ok(Proven {
            subject: subject(&self.run.text)
                .ok_or_else(|| no("the run's text is not that of a run"))?,
            at: text("at"),
            actor: text("actor"),
            entry: number,
            checkpoint,
        })
    }
}

/// The run that a leaf's text describes.
fn subject(text: &str) -> Option<Subject> {
    let run: Json = from_slice(text.as_bytes()).ok()?;
    let text = |name: &str| Some(run.get(name)?.as_str()?.to_owned());
    let digest = |name: &str| text(name)?.parse::<Digest>().ok();
    (text("$type")? == "provender.run.v2").then_some(())?;
    Some(Subject {
        key: RunKey {
            boundary_id: text("boundary_id")?,
            herd_config_id: text("herd_config_id")?,
            calculation_date: text("calculation_date")?.parse().ok()?,
            model_version: text("model_version")?,
            config_version: text("config_version")?.parse().ok()?,
        },
        provenance: digest("provenance")?,
        snapshot: digest("snapshot_id")?,
        manifest: digest("manifest_sha256")?,
        place: None,
        outputs: text("outputs")?,
    })
}
