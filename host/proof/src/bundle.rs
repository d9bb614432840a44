//! One file with a run's manifest, its component and the proof that it is recorded: all that an auditor
//! needs to compute the number again on a machine that has nothing else.
//!
//! A tar archive with exactly these members, written in one way, so that a bundle is the same bytes
//! wherever it is made:
//!
//! ```text
//! bundle/component.wasm   the component's bytes
//! bundle/limits.json      the ceilings that it could be computed below where the bundle was written
//! bundle/manifest.json    the manifest's bytes
//! bundle/proof.json       the proof, with the checkpoint
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use provender_domain::canonical::{Digest, to_text};
use provender_domain::manifest::Manifest;

use crate::archive;
use crate::error::ProofError;
use crate::note::Verifier;
use crate::proof::{Proof, Proven};
use crate::record::Record;

/// What is in a bundle. `Limits` is what the ceilings are read as: an auditor who does not compute needs no more
/// than JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle<Limits = Json> {
    /// The component's bytes.
    pub component: Vec<u8>,
    /// The ceilings that it could be computed below where the bundle was written.
    pub limits: Limits,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// The proof that the run is recorded.
    pub proof: Proof,
}

impl<Limits: Serialize + DeserializeOwned> Bundle<Limits> {
    /// The archive.
    ///
    /// # Errors
    /// [`ProofError::Bundle`] when it has no form, which is never so for a bundle of this program.
    pub fn pack(&self) -> Result<Vec<u8>, ProofError> {
        let no = |problem: String| ProofError::Bundle {
            file: "the bundle".to_owned(),
            problem,
        };
        let limits = serde_json::to_value(&self.limits).map_err(|e| no(e.to_string()))?;
        let limits = to_text(&limits).map_err(|e| no(e.to_string()))?;
        let files = [
            ("bundle/component.wasm".to_owned(), self.component.clone()),
            ("bundle/limits.json".to_owned(), limits.into_bytes()),
            ("bundle/manifest.json".to_owned(), self.manifest.clone()),
            (
                "bundle/proof.json".to_owned(),
                self.proof.to_text()?.into_bytes(),
            ),
        ];
        archive::pack(&files).map_err(|e| no(e.to_string()))
    }

    /// Reads an archive; `file` is its name for people. What is in it is checked by [`Bundle::check`].
    ///
    /// # Errors
    /// [`ProofError::Bundle`] when it is not written in the one way.
    pub fn unpack(file: &str, bytes: &[u8]) -> Result<Bundle<Limits>, ProofError> {
        let no = |problem: String| ProofError::Bundle {
            file: file.to_owned(),
            problem,
        };
        let bundle = read(bytes).map_err(no)?;
        if bundle.pack()? != bytes {
            let problem = "it is not written in the one way: something was added, moved or changed";
            return Err(no(problem.to_owned()));
        }
        Ok(bundle)
    }
}

impl<Limits> Bundle<Limits> {
    /// Checks the proof, and that manifest and component are those of the proven run; with a key also
    /// that its holder signed the checkpoint.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn check(&self, key: Option<&Verifier>) -> Result<(Proven, Manifest), ProofError> {
        let no = |problem: String| ProofError::Proof(problem);
        let proven = self.proof.verify(key)?;
        let run = &proven.run;
        let found = Digest::of_bytes(&self.manifest);
        if found != run.manifest {
            return Err(no(format!(
                "the manifest has the SHA-256 {found}, the run names {}",
                run.manifest
            )));
        }
        let manifest = Manifest::parse(&self.manifest).map_err(no)?;
        let snapshot = manifest.snapshot_id().map_err(|e| no(e.to_string()))?;
        let record = Record::read(&manifest).map_err(no)?;
        if snapshot != run.snapshot || record.key != run.key || record.provenance != run.provenance
        {
            return Err(no(format!(
                "the manifest is of {}, not of the run",
                record.key
            )));
        }
        let found = Digest::of_bytes(&self.component);
        if found != record.component {
            return Err(no(format!(
                "the component has the digest {found}, the manifest names {}",
                record.component
            )));
        }
        Ok((proven, manifest))
    }
}

fn read<Limits: DeserializeOwned>(bytes: &[u8]) -> Result<Bundle<Limits>, String> {
    let (mut component, mut limits, mut manifest, mut proof) = (None, None, None, None);
    for (name, content) in archive::members(bytes).map_err(|e| e.to_string())? {
        let part = match name.as_str() {
            "bundle/component.wasm" => &mut component,
            "bundle/limits.json" => &mut limits,
            "bundle/manifest.json" => &mut manifest,
            "bundle/proof.json" => &mut proof,
            _ => return Err(format!("{name} does not belong into a bundle")),
        };
        if part.replace(content).is_some() {
            return Err(format!("{name} is in it twice"));
        }
    }
    let there = |part: Option<Vec<u8>>, name: &str| part.ok_or_else(|| format!("it has no {name}"));
    let limits = there(limits, "limits.json")?;
    Ok(Bundle {
        component: there(component, "component.wasm")?,
        limits: serde_json::from_slice(&limits).map_err(|e| format!("its limits.json: {e}"))?,
        manifest: there(manifest, "manifest.json")?,
        proof: Proof::parse(&there(proof, "proof.json")?).map_err(|e| e.to_string())?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::proof::{PROOF_FORM, Step};

    fn bundle() -> Bundle {
        let step = Step {
            text: "{}".into(),
            index: 0,
            size: 1,
            path: Vec::new(),
        };
        Bundle {
            component: b"component".to_vec(),
            limits: json!({"fuel_base": 1}),
            manifest: b"{}".to_vec(),
            proof: Proof {
                form: PROOF_FORM.into(),
                run: step.clone(),
                payload: "{}".into(),
                entry: step,
                checkpoint: "a\n1\nAAAA\n".into(),
            },
        }
    }

    fn unpack(bytes: &[u8]) -> Result<Bundle, ProofError> {
        Bundle::unpack("b.tar", bytes)
    }

    #[test]
    fn a_bundle_comes_back_whole_and_in_one_way_only() {
        let one = bundle();
        let bytes = one.pack().unwrap();
        assert_eq!(unpack(&bytes).unwrap(), one);
        for n in 0..bytes.len() {
            assert!(unpack(&bytes[..n]).is_err(), "{n} bytes");
        }
        let longer = [bytes.as_slice(), &[0; 512]].concat();
        assert!(unpack(&longer).is_err());
        let another = archive::pack(&[("bundle/readme".to_owned(), Vec::new())]).unwrap();
        let error = unpack(&another).unwrap_err().to_string();
        assert!(error.contains("does not belong into a bundle"), "{error}");
    }

    #[test]
    fn a_changed_byte_of_its_frame_is_refused() {
        let bytes = bundle().pack().unwrap();
        // The first header; what the members hold is checked by their digests.
        for i in 0..512 {
            let mut other = bytes.clone();
            other[i] ^= 1;
            assert!(unpack(&other).is_err(), "byte {i}");
        }
    }

    #[test]
    fn a_number_beyond_every_tree_is_no_proof() {
        let mut proof = bundle().proof;
        proof.entry.index = u64::MAX;
        proof.run.index = u64::MAX;
        assert!(proof.verify(None).is_err());
    }
}
