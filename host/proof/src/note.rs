//! Ed25519 keys and signed notes in the text forms of C2SP's signed-note (<https://c2sp.org/signed-note>), so
//! other programs can check what this one signs.
//!
//! A note is a text, an empty line, and lines `— NAME BASE64`. Each of these is a signature after the first four
//! bytes of its key's id.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use provender_domain::canonical::hex;

use crate::error::ProofError;

/// Prefix of a private key's text.
const PRIVATE: &str = "PRIVATE+KEY+";
/// Algorithm number of Ed25519.
const ED25519: u8 = 1;

/// Whether a text can be a key's name, which is also a checkpoint's origin: not empty, no whitespace, no `+`.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

fn key_id(name: &str, key: &[u8; 32]) -> [u8; 4] {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519])
        .chain_update(key)
        .finalize();
    let [a, b, c, d, ..] = <[u8; 32]>::from(hash);
    [a, b, c, d]
}

/// Parses the fields `NAME+HEX+BASE64` of a key, and returns the 32 bytes after the algorithm number.
fn fields(
    what: &str,
    kind: &'static str,
    text: &str,
) -> Result<(String, [u8; 4], [u8; 32]), ProofError> {
    let refuse = |problem: &str| ProofError::Key {
        what: what.to_owned(),
        kind,
        problem: problem.to_owned(),
    };
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(data)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(refuse("it is not in the form NAME+ID+BASE64"));
    };
    if !is_name(name) {
        return Err(refuse("its name is empty or contains a space"));
    }
    let id = u32::from_str_radix(id, 16)
        .ok()
        .filter(|_| id.len() == 8)
        .ok_or_else(|| refuse("its id is not eight hex digits"))?;
    let data = STANDARD
        .decode(data)
        .map_err(|_| refuse("its last part is not base64"))?;
    match data.split_first() {
        Some((&ED25519, key)) => {
            let key = key
                .try_into()
                .map_err(|_| refuse("it is not 32 bytes long"))?;
            Ok((name.to_owned(), id.to_be_bytes(), key))
        }
        _ => Err(refuse("it is not an Ed25519 key")),
    }
}

/// A private key, which signs.
pub struct Signer {
    name: String,
    key: SigningKey,
}

impl Signer {
    /// Makes a key from 32 random bytes of the caller.
    ///
    /// # Errors
    /// [`ProofError::Key`] when `name` is not a valid key name.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Signer, ProofError> {
        if !is_name(name) {
            return Err(ProofError::Key {
                what: format!("`{name}`"),
                kind: "valid name for a",
                problem: "it is empty or contains a space or a +".to_owned(),
            });
        }
        Ok(Signer {
            name: name.to_owned(),
            key: SigningKey::from_bytes(seed),
        })
    }

    /// Parses a private key; `what` names it in error messages.
    ///
    /// # Errors
    /// [`ProofError::Key`] when it is not a private key.
    pub fn parse(what: &str, text: &str) -> Result<Signer, ProofError> {
        let refuse = |problem: &str| ProofError::Key {
            what: what.to_owned(),
            kind: "private",
            problem: problem.to_owned(),
        };
        let rest = text.trim().strip_prefix(PRIVATE);
        let rest = rest.ok_or_else(|| refuse("it does not start with PRIVATE+KEY+"))?;
        let (name, id, seed) = fields(what, "private", rest)?;
        let signer = Signer::new(&name, &seed)?;
        if signer.verifier().id() != id {
            return Err(refuse("its id belongs to another key: the text is damaged"));
        }
        Ok(signer)
    }

    /// The private key in its text form.
    #[must_use]
    pub fn to_text(&self) -> String {
        let id = hex(&self.verifier().id());
        let mut data = vec![ED25519];
        data.extend(self.key.as_bytes());
        format!("{PRIVATE}{}+{id}+{}\n", self.name, STANDARD.encode(data))
    }

    /// Name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The matching public key.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier {
            name: self.name.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// Signs `text`, which must end with a newline, and returns the note.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        let mut data = self.verifier().id().to_vec();
        data.extend(self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n— {} {}\n", self.name, STANDARD.encode(data))
    }
}

/// A public key, which checks signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    key: VerifyingKey,
}

impl Verifier {
    /// Parses a public key; `what` names it in error messages.
    ///
    /// # Errors
    /// [`ProofError::Key`] when it is not a public key.
    pub fn parse(what: &str, text: &str) -> Result<Verifier, ProofError> {
        let refuse = |problem: &str| ProofError::Key {
            what: what.to_owned(),
            kind: "public",
            problem: problem.to_owned(),
        };
        if text.trim().starts_with(PRIVATE) {
            return Err(refuse(
                "it is a private key, which nobody but its holder should have",
            ));
        }
        let (name, id, key) = fields(what, "public", text.trim())?;
        if key_id(&name, &key) != id {
            return Err(refuse("its id belongs to another key: the text is damaged"));
        }
        let key = VerifyingKey::from_bytes(&key).map_err(|e| refuse(&e.to_string()))?;
        Ok(Verifier { name, key })
    }

    /// The public key in its text form.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut data = vec![ED25519];
        data.extend(self.key.as_bytes());
        format!(
            "{}+{}+{}\n",
            self.name,
            hex(&self.id()),
            STANDARD.encode(data)
        )
    }

    /// Name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.key.as_bytes())
    }

    /// Checks that the key signed a note. Signatures by other keys are ignored.
    pub(crate) fn check(&self, what: &str, note: &Note<'_>) -> Result<(), ProofError> {
        let refuse = |problem: &str| ProofError::Signature {
            what: what.to_owned(),
            name: self.name.clone(),
            problem: problem.to_owned(),
        };
        let mut signed = false;
        for (name, data) in &note.signatures {
            let own = data.strip_prefix(self.id().as_slice());
            let Some(own) = own.filter(|_| *name == self.name) else {
                continue;
            };
            let signature =
                Signature::from_slice(own).map_err(|_| refuse("a signature is cut short"))?;
            self.key
                .verify_strict(note.text.as_bytes(), &signature)
                .map_err(|_| refuse("the signature does not match the text"))?;
            signed = true;
        }
        signed
            .then_some(())
            .ok_or_else(|| refuse("it has no signature by this key"))
    }
}

/// A parsed note.
pub(crate) struct Note<'a> {
    /// The signed text, with its last newline.
    pub(crate) text: &'a str,
    /// Key names, each with the first four bytes of the key's id and the signature.
    signatures: Vec<(&'a str, Vec<u8>)>,
}

impl Note<'_> {
    /// Parses a note. Without signatures, the note is its text alone.
    pub(crate) fn parse(note: &str) -> Result<Note<'_>, String> {
        if !note.ends_with('\n') {
            return Err("it does not end with a newline".to_owned());
        }
        let Some(at) = note.rfind("\n\n") else {
            return Ok(Note {
                text: note,
                signatures: Vec::new(),
            });
        };
        let (text, lines) = note.split_at(at + 1);
        let signatures = lines
            .lines()
            .skip(1)
            .map(|line| {
                let (name, data) = line.strip_prefix("— ")?.split_once(' ')?;
                let data = STANDARD.decode(data).ok()?;
                (is_name(name) && data.len() > 4).then_some((name, data))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or("one of its signature lines is malformed")?;
        Ok(Note { text, signatures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key and note from the documentation of Go's `golang.org/x/mod/sumdb/note`, which defined the format.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn a_note_signed_by_another_program_verifies() {
        let verifier = Verifier::parse("k", KEY).unwrap();
        assert_eq!(verifier.to_text().trim(), KEY);
        verifier.check("n", &Note::parse(NOTE).unwrap()).unwrap();
    }

    #[test]
    fn every_changed_byte_of_a_signed_text_or_its_signature_is_refused() {
        let signer = Signer::new("example.org/ranch", &[7; 32]).unwrap();
        let again = Signer::parse("k", &signer.to_text()).unwrap();
        assert_eq!(again.to_text(), signer.to_text());
        let note = signer.sign("a\nb\n");
        let verifier = signer.verifier();
        let holds = |note: &str| Note::parse(note).is_ok_and(|n| verifier.check("n", &n).is_ok());
        assert!(holds(&note));
        for i in 0..note.len() {
            let mut other = note.clone().into_bytes();
            other[i] ^= 1;
            if let Ok(other) = String::from_utf8(other) {
                assert!(!holds(&other), "byte {i}: {other}");
            }
        }
        assert!(!holds("a\nb\n"));
        let stranger = Signer::new("example.org/ranch", &[8; 32]).unwrap();
        assert!(!holds(&stranger.sign("a\nb\n")));
        // A second signature by another key is ignored.
        let both = format!(
            "{note}{}",
            stranger.sign("a\nb\n").rsplit_once("\n\n").unwrap().1
        );
        assert!(holds(&both));
    }

    #[test]
    fn each_malformed_key_is_refused_with_its_reason() {
        let private = Signer::new("a", &[7; 32]).unwrap().to_text();
        for (text, expected) in [
            ("", "NAME+ID+BASE64"),
            ("a+zzzzzzzz+AA==", "eight hex digits"),
            ("a+00000000+AA==", "not an Ed25519 key"),
            (private.as_str(), "it is a private key"),
            (&KEY.replace("c74f20a3", "c74f20a4"), "another key"),
        ] {
            let error = Verifier::parse("k.pub", text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(Signer::new("two words", &[1; 32]).is_err());
        assert!(Signer::parse("k", KEY).is_err());
    }
}
