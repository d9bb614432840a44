//! A bundle: one file with a run's manifest, its component and the proof that the run is recorded. An auditor can
//! recompute the number from it on a machine that has nothing else.
//!
//! It is a tar archive with exactly these members in one fixed encoding, so the same run always gives the same
//! bytes:
//!
//! ```text
//! bundle/component.wasm   the component's bytes
//! bundle/limits.json      the resource limits in force where the bundle was written
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
use crate::proof::{Proof, VerifiedProof};
use crate::record::ManifestRecord;

/// The contents of a bundle. `Limits` is the type that the limits deserialize to: plain JSON is enough for an
/// auditor who does not compute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle<Limits = Json> {
    /// The component's bytes.
    pub component: Vec<u8>,
    /// The resource limits in force where the bundle was written.
    pub limits: Limits,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// The proof that the run is recorded.
    pub proof: Proof,
}

impl<Limits: Serialize + DeserializeOwned> Bundle<Limits> {
    /// Packs the bundle into a tar archive.
    ///
    /// # Errors
    /// [`ProofError::Bundle`] when a part cannot be encoded, which cannot happen for a bundle made by this
    /// program.
    pub fn pack(&self) -> Result<Vec<u8>, ProofError> {
        let refuse = |problem: String| ProofError::Bundle {
            file: "the bundle".to_owned(),
            problem,
        };
        let limits = serde_json::to_value(&self.limits).map_err(|e| refuse(e.to_string()))?;
        let limits = to_text(&limits).map_err(|e| refuse(e.to_string()))?;
        let files = [
            ("bundle/component.wasm".to_owned(), self.component.clone()),
            ("bundle/limits.json".to_owned(), limits.into_bytes()),
            ("bundle/manifest.json".to_owned(), self.manifest.clone()),
            (
                "bundle/proof.json".to_owned(),
                self.proof.to_text()?.into_bytes(),
            ),
        ];
        archive::pack(&files).map_err(|e| refuse(e.to_string()))
    }

    /// Unpacks an archive; `file` is its name in error messages. [`Bundle::check`] checks the contents.
    ///
    /// # Errors
    /// [`ProofError::Bundle`] when it is not in the canonical encoding.
    pub fn unpack(file: &str, bytes: &[u8]) -> Result<Bundle<Limits>, ProofError> {
        let refuse = |problem: String| ProofError::Bundle {
            file: file.to_owned(),
            problem,
        };
        let bundle = read(bytes).map_err(refuse)?;
        if bundle.pack()? != bytes {
            let problem =
                "it is not in the canonical encoding: something was added, moved or changed";
            return Err(refuse(problem.to_owned()));
        }
        Ok(bundle)
    }
}

impl<Limits> Bundle<Limits> {
    /// Checks the proof, and that the manifest and the component belong to the proven run. Given a key, also
    /// checks that its holder signed the checkpoint.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn check(&self, key: Option<&Verifier>) -> Result<(VerifiedProof, Manifest), ProofError> {
        let refuse = |problem: String| ProofError::Proof(problem);
        let proven = self.proof.verify(key)?;
        let run = &proven.run;
        let found = Digest::of_bytes(&self.manifest);
        if found != run.manifest {
            return Err(refuse(format!(
                "the manifest has the SHA-256 {found}, but the run names {}",
                run.manifest
            )));
        }
        let (manifest, snapshot) = Manifest::parse_named(&self.manifest).map_err(refuse)?;
        let record = ManifestRecord::read(&manifest).map_err(refuse)?;
        if snapshot != run.snapshot || record.key != run.key || record.provenance != run.provenance
        {
            return Err(refuse(format!(
                "the manifest belongs to {}, not to the run",
                record.key
            )));
        }
        let found = Digest::of_bytes(&self.component);
        if found != record.component {
            return Err(refuse(format!(
                "the component has the digest {found}, but the manifest names {}",
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
            _ => return Err(format!("{name} does not belong in a bundle")),
        };
        if part.replace(content).is_some() {
            return Err(format!("{name} appears twice"));
        }
    }
    let require =
        |part: Option<Vec<u8>>, name: &str| part.ok_or_else(|| format!("it has no {name}"));
    let limits = require(limits, "limits.json")?;
    Ok(Bundle {
        component: require(component, "component.wasm")?,
        limits: serde_json::from_slice(&limits).map_err(|e| format!("its limits.json: {e}"))?,
        manifest: require(manifest, "manifest.json")?,
        proof: Proof::parse(&require(proof, "proof.json")?).map_err(|e| e.to_string())?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::proof::{InclusionStep, PROOF_FORM};

    fn bundle() -> Bundle {
        let step = InclusionStep {
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
    fn a_bundle_round_trips_in_one_encoding_only() {
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
        assert!(error.contains("does not belong in a bundle"), "{error}");
    }

    #[test]
    fn a_changed_byte_of_a_header_is_refused() {
        let bytes = bundle().pack().unwrap();
        // Only the first header: digests check what the members hold.
        for i in 0..512 {
            let mut other = bytes.clone();
            other[i] ^= 1;
            assert!(unpack(&other).is_err(), "byte {i}");
        }
    }

    #[test]
    fn an_index_beyond_every_tree_is_refused() {
        let mut proof = bundle().proof;
        proof.entry.index = u64::MAX;
        proof.run.index = u64::MAX;
        assert!(proof.verify(None).is_err());
    }
}
