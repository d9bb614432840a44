//! Makes the proof that a run is recorded: from the run to its batch's root, to its entry, to a checkpoint.
//! `provender_proof` checks it, `docs/reference/audit.md` describes its form, and `tests/audit/verify_proof.py`
//! checks it without this program.

use provender_domain::key::RunKey;
use provender_domain::merkle::{self, Hash};
use provender_ledger::Read;
use provender_proof::{Checkpoint, InclusionStep, PROOF_FORM, Proof, ProofError, Signer};

use super::error::AuditError;

/// Proves that a run is recorded.
///
/// # Errors
/// If there is no such run ([`AuditError::Unprovable`]), or if what is stored differs from what was recorded.
pub fn prove(
    ledger: &dyn Read,
    key: &RunKey,
    origin: &str,
    signer: Option<&Signer>,
) -> Result<Proof, AuditError> {
    let unprovable = |problem: String| AuditError::Unprovable(problem);
    let moment = ledger.moment()?;
    let run = moment
        .run(key)?
        .ok_or_else(|| unprovable(format!("there is no run {key}")))?;
    let mut batch: Vec<Hash> = Vec::new();
    moment.runs_of_entry(run.entry, &mut |other| batch.push(other.leaf()))?;
    batch.sort_unstable();
    let (mut leaves, mut own, mut problem): (Vec<Hash>, Option<(usize, String, String)>, _) =
        (Vec::new(), None, None);
    moment.scan_entries(&mut |scanned| {
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
    let missing = || unprovable(format!("its entry {} is missing", run.entry));
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
        form: PROOF_FORM.to_owned(),
        run: InclusionStep::to(run.run.canonical(), &batch, index).ok_or_else(missing)?,
        payload,
        entry: InclusionStep::to(text, &leaves, at).ok_or_else(missing)?,
        checkpoint: signer.map_or(note.clone(), |s| s.sign(&note)),
    };
    // A row that was changed gives another root than its entry recorded.
    proof.verify(None).map_err(|e| match e {
        ProofError::Proof(problem) => unprovable(format!(
            "{problem}; `provender audit` lists everything that differs from what was recorded"
        )),
        other => other.into(),
    })?;
    Ok(proof)
}
