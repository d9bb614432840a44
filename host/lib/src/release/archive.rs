//! One file with everything a release needs to run: a tar archive. The same content always gives the same
//! bytes.
//!
//! ```text
//! release/HEX.json       the release, named after its digest
//! components/HEX.wasm    each component, named after its SHA-256
//! evidence/HEX.json      evidence about it, in the order of recording
//! reports/KIND-HEX.json  the full reports that the evidence names
//! ```
//!
//! Entries are read into memory by name; nothing is unpacked to a path. What was read is packed again and must
//! give the same bytes. An archive with anything added, moved or changed, even in padding or headers, is
//! refused.

use std::collections::BTreeMap;

use provender_domain::canonical::Digest;
use provender_ledger::entries::ReportKind;
use provender_proof::archive;

use super::ReleaseError;
use super::document::Document;
use super::evidence::Evidence;

/// Size limit of an archive, in bytes.
pub const MOST: u64 = 2 << 30;

/// The contents of an archive.
#[derive(Clone, Debug, PartialEq)]
pub struct Archive {
    /// The release.
    pub document: Document,
    /// The bytes of each component, by digest.
    pub components: BTreeMap<Digest, Vec<u8>>,
    /// Evidence, oldest first. The order matters: of two gate decisions the later one counts, also after
    /// import.
    pub evidence: Vec<Evidence>,
    /// The kind and text of each report, by digest.
    pub reports: BTreeMap<Digest, (ReportKind, String)>,
}

impl Archive {
    /// The bytes of the archive. They depend only on the content, not on the machine or the time.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub fn pack(&self) -> Result<Vec<u8>, ReleaseError> {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let digest = self.document.digest()?;
        files.push((
            format!("release/{}.json", digest.hex()),
            self.document.to_text()?.into_bytes(),
        ));
        for (sha256, bytes) in &self.components {
            files.push((format!("components/{}.wasm", sha256.hex()), bytes.clone()));
        }
        for evidence in &self.evidence {
            let name = format!("evidence/{}.json", evidence.digest()?.hex());
            files.push((name, evidence.to_text()?.into_bytes()));
        }
        for (digest, (kind, text)) in &self.reports {
            let name = format!("reports/{kind}-{}.json", digest.hex());
            files.push((name, text.clone().into_bytes()));
        }
        archive::pack(&files).map_err(|cause| ReleaseError::Io {
            what: "the archive".to_owned(),
            cause,
        })
    }

    /// Reads an archive and checks every hash in it. `file` is its name for messages.
    ///
    /// # Errors
    /// [`ReleaseError::Archive`] if any part is damaged, missing or superfluous.
    pub fn unpack(file: &str, bytes: &[u8]) -> Result<Archive, ReleaseError> {
        let refuse = |problem: String| ReleaseError::Archive {
            file: file.to_owned(),
            problem,
        };
        let read = read(bytes).map_err(refuse)?;
        if read.pack()? != bytes {
            return Err(refuse(
                "it is not byte for byte what an export writes: something was added, moved or changed"
                    .to_owned(),
            ));
        }
        Ok(read)
    }
}

fn read(bytes: &[u8]) -> Result<Archive, String> {
    let mut document: Option<Document> = None;
    let mut components = BTreeMap::new();
    let mut evidence = Vec::new();
    let mut reports = BTreeMap::new();
    for (name, content) in archive::members(bytes).map_err(|e| e.to_string())? {
        let unknown = || format!("{name} does not belong in a release archive");
        let (folder, file) = name.split_once('/').ok_or_else(unknown)?;
        let stem = |ending: &str| file.strip_suffix(ending).ok_or_else(unknown);
        let other = |found: &Digest| format!("{name} has the digest {found}");
        let known_twice = || format!("{name} is in it twice");
        match folder {
            "release" => {
                let found = Digest::of_canonical(&content);
                if found.hex() != stem(".json")? {
                    return Err(other(&found));
                }
                let read = Document::parse(&content).map_err(|e| format!("{name}: {e}"))?;
                if document.replace(read).is_some() {
                    return Err("it contains two releases".to_owned());
                }
            }
            "components" => {
                let found = Digest::of_bytes(&content);
                if found.hex() != stem(".wasm")? {
                    return Err(other(&found));
                }
                if components.insert(found, content).is_some() {
                    return Err(known_twice());
                }
            }
            "evidence" => {
                let found = Digest::of_canonical(&content);
                if found.hex() != stem(".json")? {
                    return Err(other(&found));
                }
                let read = Evidence::parse(&content).map_err(|e| format!("{name}: {e}"))?;
                if evidence.contains(&read) {
                    return Err(known_twice());
                }
                evidence.push(read);
            }
            "reports" => {
                let found = Digest::of_canonical(&content);
                let (kind, hex) = stem(".json")?.rsplit_once('-').ok_or_else(unknown)?;
                if found.hex() != hex {
                    return Err(other(&found));
                }
                let kind = kind.parse().map_err(|e| format!("{name}: {e}"))?;
                let text = String::from_utf8(content).map_err(|_| unknown())?;
                if reports.insert(found, (kind, text)).is_some() {
                    return Err(known_twice());
                }
            }
            _ => return Err(unknown()),
        }
    }
    let archive = Archive {
        document: document.ok_or("it contains no release")?,
        components,
        evidence,
        reports,
    };
    check_complete(&archive)?;
    Ok(archive)
}

/// Checks that the archive holds what the release names and nothing else.
fn check_complete(archive: &Archive) -> Result<(), String> {
    let Archive {
        document,
        components,
        evidence,
        reports,
    } = archive;
    let digest = document.digest().map_err(|e| e.to_string())?;
    for component in &document.components {
        let of = component.model_version();
        let Some(bytes) = components.get(&component.sha256) else {
            return Err(format!("the component of {of} is missing"));
        };
        if bytes.len() as u64 != component.size {
            return Err(format!(
                "the component of {of} does not have the recorded size"
            ));
        }
    }
    let named = |sha256: &Digest| document.components.iter().any(|c| c.sha256 == *sha256);
    if let Some(stray) = components.keys().find(|d| !named(d)) {
        return Err(format!("the release does not name the component {stray}"));
    }
    if evidence.iter().any(|e| e.release != digest) {
        return Err("it contains evidence of another release".to_owned());
    }
    let reported = |report: &Digest| evidence.iter().any(|e| e.report == Some(*report));
    match reports.keys().find(|d| !reported(d)) {
        Some(stray) => Err(format!("no evidence names the report {stray}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::tests::release;
    use super::super::evidence::EvidenceFinding;
    use super::*;
    use provender_ledger::entries::CheckVerdict;
    use provender_ledger::entry::Stamp;

    fn archive() -> Archive {
        let document = release(1, b"component", "first");
        let report = r#"{"verdict":"ok"}"#;
        let stamp = Stamp {
            at: "2025-07-01T06:00:00.000000Z".into(),
            actor: "ds".into(),
            reason: None,
        };
        let finding = EvidenceFinding {
            kind: ReportKind::Backtest,
            verdict: CheckVerdict::Ok,
            rows: 30,
            report: Some(Digest::of_canonical(report.as_bytes())),
            summary: "30 rows".into(),
        };
        let evidence = Evidence::new(document.digest().unwrap(), finding, "staging", &stamp);
        Archive {
            components: BTreeMap::from([(Digest::of_bytes(b"component"), b"component".to_vec())]),
            evidence: vec![evidence],
            reports: BTreeMap::from([(
                Digest::of_canonical(report.as_bytes()),
                (ReportKind::Backtest, report.into()),
            )]),
            document,
        }
    }

    #[test]
    fn an_archive_survives_a_round_trip() {
        let mut one = archive();
        let mut later = one.evidence[0].clone();
        later.verdict = CheckVerdict::Crit;
        for evidence in [vec![later.clone()], Vec::new()] {
            one.evidence.extend(evidence);
            let bytes = one.pack().unwrap();
            assert_eq!(Archive::unpack("r.tar", &bytes).unwrap(), one);
            // The archive keeps the order of the ledger, regardless of which digest is smaller.
            one.evidence.reverse();
        }
        one.evidence.push(later);
        let error = Archive::unpack("r.tar", &one.pack().unwrap()).unwrap_err();
        assert!(error.to_string().contains("is in it twice"), "{error}");
    }

    #[test]
    fn every_changed_byte_is_refused() {
        let bytes = archive().pack().unwrap();
        for i in 0..bytes.len() {
            for bit in [1, 0x80] {
                let mut other = bytes.clone();
                other[i] ^= bit;
                assert!(Archive::unpack("r.tar", &other).is_err(), "byte {i}");
            }
        }
        for n in 0..bytes.len() {
            assert!(Archive::unpack("r.tar", &bytes[..n]).is_err(), "{n} bytes");
        }
        let longer = [bytes.as_slice(), &[0; 512]].concat();
        assert!(Archive::unpack("r.tar", &longer).is_err());
    }

    #[test]
    fn parts_that_do_not_belong_together_are_refused() {
        let cases: [(fn(&mut Archive), &str); 4] = [
            (|a| a.components.clear(), "the component of days:v1"),
            (
                |a| {
                    a.components.insert(Digest::of_bytes(b"x"), b"x".to_vec());
                },
                "does not name the component",
            ),
            (|a| a.evidence.clear(), "no evidence names the report"),
            (
                |a| a.document.cut.reason = "another".into(),
                "evidence of another release",
            ),
        ];
        for (change, expected) in cases {
            let mut bad = archive();
            change(&mut bad);
            let error = Archive::unpack("r.tar", &bad.pack().unwrap()).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
