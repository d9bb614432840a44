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

use std::io::Read as _;

use crate::release::archive::tar;
use crate::replay::Record;
use provender_domain::canonical::{Digest, to_text};
use provender_proof::{Proof, ProofError, Proven, Verifier};
use provender_sandbox::PinLimits;
use provender_store::manifest::Manifest;

/// What is in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The component's bytes.
    pub component: Vec<u8>,
    /// The ceilings that it could be computed below where the bundle was written.
    pub limits: PinLimits,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// The proof that the run is recorded.
    pub proof: Proof,
}

impl Bundle {
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
        tar(&files).map_err(|e| no(e.to_string()))
    }

    /// Reads an archive; `file` is its name for people. What is in it is checked by [`Bundle::check`].
    ///
    /// # Errors
    /// [`ProofError::Bundle`] when it is not written in the one way.
    pub fn unpack(file: &str, bytes: &[u8]) -> Result<Bundle, ProofError> {
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

    /// Checks the proof, and that manifest and component are those of the proven run; with a key also
    /// that its holder signed the checkpoint.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn check(&self, key: Option<&Verifier>) -> Result<(Proven, Manifest), ProofError> {
        let no = |problem: String| ProofError::Proof(problem);
        let proven = self.proof.verify(key)?;
        let subject = &proven.run;
        let found = Digest::of_bytes(&self.manifest);
        if found != subject.manifest {
            return Err(no(format!(
                "the manifest has the SHA-256 {found}, the run names {}",
                subject.manifest
            )));
        }
        let manifest = Manifest::parse(&self.manifest).map_err(no)?;
        let snapshot = manifest.snapshot_id().map_err(|e| no(e.to_string()))?;
        let record = Record::read(&manifest).map_err(no)?;
        if snapshot != subject.snapshot
            || record.key != subject.key
            || record.provenance != subject.provenance
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

    /// The ceilings to compute with: its own, up to what a stranger's bundle may have.
    #[must_use]
    pub fn bounded_limits(&self) -> PinLimits {
        let least = |own: Option<u64>, most: Option<u64>| own.map(|n| most.map_or(n, |m| n.min(m)));
        let own = &self.limits;
        PinLimits {
            memory_bytes: least(own.memory_bytes, PinLimits::MOST.memory_bytes),
            table_elements: least(own.table_elements, PinLimits::MOST.table_elements),
            fuel_base: least(own.fuel_base, PinLimits::MOST.fuel_base),
            fuel_per_row: least(own.fuel_per_row, PinLimits::MOST.fuel_per_row),
            component_bytes: least(own.component_bytes, PinLimits::MOST.component_bytes),
            returned_bytes: least(own.returned_bytes, PinLimits::MOST.returned_bytes),
        }
    }
}

fn read(bytes: &[u8]) -> Result<Bundle, String> {
    let (mut component, mut limits, mut manifest, mut proof) = (None, None, None, None);
    let io = |e: std::io::Error| format!("it is no whole tar archive: {e}");
    for entry in tar::Archive::new(bytes).entries().map_err(io)? {
        let mut entry = entry.map_err(io)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        // A sparse file of a few bytes may say that it has a terabyte.
        if !entry.header().entry_type().is_file() {
            return Err(format!("{name} is no plain file"));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(io)?;
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
    use super::*;
    use provender_proof::{PROOF_FORM, Step};

    fn bundle() -> Bundle {
        let step = Step {
            text: "{}".into(),
            index: 0,
            size: 1,
            path: Vec::new(),
        };
        Bundle {
            component: b"component".to_vec(),
            limits: PinLimits::usual("python"),
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

    #[test]
    fn a_bundle_comes_back_whole_and_in_one_way_only() {
        let one = bundle();
        let bytes = one.pack().unwrap();
        assert_eq!(Bundle::unpack("b.tar", &bytes).unwrap(), one);
        for n in 0..bytes.len() {
            assert!(Bundle::unpack("b.tar", &bytes[..n]).is_err(), "{n} bytes");
        }
        let longer = [bytes.as_slice(), &[0; 512]].concat();
        assert!(Bundle::unpack("b.tar", &longer).is_err());
        let another = tar(&[("bundle/readme".to_owned(), Vec::new())]).unwrap();
        let error = Bundle::unpack("b.tar", &another).unwrap_err().to_string();
        assert!(error.contains("does not belong into a bundle"), "{error}");
    }

    #[test]
    fn a_changed_byte_of_its_frame_is_refused() {
        let bytes = bundle().pack().unwrap();
        // The first header; what the members hold is checked by their digests.
        for i in 0..512 {
            let mut other = bytes.clone();
            other[i] ^= 1;
            assert!(Bundle::unpack("b.tar", &other).is_err(), "byte {i}");
        }
    }

    #[test]
    fn what_is_no_plain_file_is_not_read() {
        for kind in [
            tar::EntryType::GNUSparse,
            tar::EntryType::Symlink,
            tar::EntryType::Directory,
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_path("bundle/manifest.json").unwrap();
            header.set_size(0);
            if let Some(gnu) = header.as_gnu_mut() {
                // A terabyte, says the header of a sparse file.
                gnu.realsize
                    .copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
            }
            header.set_cksum();
            let mut bytes = header.as_bytes().to_vec();
            bytes.extend([0; 1024]);
            let error = Bundle::unpack("b.tar", &bytes).unwrap_err().to_string();
            assert!(
                error.contains("is no plain file") || error.contains("tar archive"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_strangers_bundle_takes_no_more_than_it_may() {
        let mut greedy = bundle();
        greedy.limits.fuel_base = Some(u64::MAX);
        greedy.limits.memory_bytes = Some(u64::MAX);
        let bounded = greedy.bounded_limits();
        assert_eq!(bounded.fuel_base, PinLimits::MOST.fuel_base);
        assert_eq!(bounded.memory_bytes, PinLimits::MOST.memory_bytes);
        let own = bundle();
        assert_eq!(own.bounded_limits(), own.limits);
    }

    #[test]
    fn a_number_beyond_every_tree_is_no_proof() {
        let mut proof = bundle().proof;
        proof.entry.index = u64::MAX;
        proof.run.index = u64::MAX;
        assert!(proof.verify(None).is_err());
    }
}
