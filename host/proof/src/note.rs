//! Ed25519 keys and signed notes, in the text forms of C2SP's signed-note (<https://c2sp.org/signed-note>),
//! so that other programs check what this one signs.
//!
//! A note is a text, an empty line, and lines `— NAME BASE64`, each a signature with the first four bytes
//! of its key's id before it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use provender_domain::canonical::hex;

use crate::error::ProofError;

/// What precedes a private key's text.
const PRIVATE: &str = "PRIVATE+KEY+";
/// The algorithm's number: Ed25519.
const ED25519: u8 = 1;

/// Whether a text can be a key's name, which is also a checkpoint's origin: without spaces and `+`.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

fn id_of(name: &str, key: &[u8; 32]) -> [u8; 4] {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519])
        .chain_update(key)
        .finalize();
    let [a, b, c, d, ..] = <[u8; 32]>::from(hash);
    [a, b, c, d]
}

/// The fields `NAME+HEX+BASE64` of a key, with the 32 bytes behind the algorithm's number.
fn fields(
    what: &str,
    kind: &'static str,
    text: &str,
) -> Result<(String, [u8; 4], [u8; 32]), ProofError> {
    let no = |problem: &str| ProofError::Key {
        what: what.to_owned(),
        kind,
        problem: problem.to_owned(),
    };
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(data)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(no("it is not of the form NAME+ID+BASE64"));
    };
    if !is_name(name) {
        return Err(no("it has no name, or a space in it"));
    }
    let id = u32::from_str_radix(id, 16)
        .ok()
        .filter(|_| id.len() == 8)
        .ok_or_else(|| no("its id is not eight hex digits"))?;
    let data = STANDARD
        .decode(data)
        .map_err(|_| no("its last part is not base64"))?;
    match data.split_first() {
        Some((&ED25519, key)) => {
            let key = key.try_into().map_err(|_| no("it is not of 32 bytes"))?;
            Ok((name.to_owned(), id.to_be_bytes(), key))
        }
        _ => Err(no("it is not an Ed25519 key")),
    }
}

/// A private key, which signs.
pub struct Signer {
    name: String,
    key: SigningKey,
}

impl Signer {
    /// A key made of 32 bytes, which the caller takes from a source of randomness.
    ///
    /// # Errors
    /// [`ProofError::Key`] when the name cannot be a key's name.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Signer, ProofError> {
        if !is_name(name) {
            return Err(ProofError::Key {
                what: format!("`{name}`"),
                kind: "name of a",
                problem: "it is empty, or has a space or a + in it".to_owned(),
            });
        }
        Ok(Signer {
            name: name.to_owned(),
            key: SigningKey::from_bytes(seed),
        })
    }

    /// Reads a private key's text; `what` names it for people.
    ///
    /// # Errors
    /// [`ProofError::Key`] when it is not one.
    pub fn parse(what: &str, text: &str) -> Result<Signer, ProofError> {
        let no = |problem: &str| ProofError::Key {
            what: what.to_owned(),
            kind: "private",
            problem: problem.to_owned(),
        };
        let rest = text.trim().strip_prefix(PRIVATE);
        let rest = rest.ok_or_else(|| no("it does not begin with PRIVATE+KEY+"))?;
        let (name, id, seed) = fields(what, "private", rest)?;
        let signer = Signer::new(&name, &seed)?;
        if signer.verifier().id() != id {
            return Err(no("its id is that of another key: it was damaged"));
        }
        Ok(signer)
    }

    /// The private key's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let id = hex(&self.verifier().id());
        let mut data = vec![ED25519];
        data.extend(self.key.as_bytes());
        format!("{PRIVATE}{}+{id}+{}\n", self.name, STANDARD.encode(data))
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key, which checks what this one signs.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier {
            name: self.name.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// The signed note of a text, which must end with a newline.
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
    /// Reads a public key's text; `what` names it for people.
    ///
    /// # Errors
    /// [`ProofError::Key`] when it is not one.
    pub fn parse(what: &str, text: &str) -> Result<Verifier, ProofError> {
        let no = |problem: &str| ProofError::Key {
            what: what.to_owned(),
            kind: "public",
            problem: problem.to_owned(),
        };
        if text.trim().starts_with(PRIVATE) {
            return Err(no("it is a private key, which only its holder should have"));
        }
        let (name, id, key) = fields(what, "public", text.trim())?;
        if id_of(&name, &key) != id {
            return Err(no("its id is that of another key: it was damaged"));
        }
        let key = VerifyingKey::from_bytes(&key).map_err(|e| no(&e.to_string()))?;
        Ok(Verifier { name, key })
    }

    /// The public key's text.
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

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; 4] {
        id_of(&self.name, self.key.as_bytes())
    }

    /// Checks that the holder of the key signed a note; signatures of other keys are passed over.
    pub(crate) fn check(&self, what: &str, note: &Note<'_>) -> Result<(), ProofError> {
        let no = |problem: &str| ProofError::Signature {
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
                Signature::from_slice(own).map_err(|_| no("a signature is cut short"))?;
            self.key
                .verify_strict(note.text.as_bytes(), &signature)
                .map_err(|_| no("the signature is not of this text"))?;
            signed = true;
        }
        signed
            .then_some(())
            .ok_or_else(|| no("this key did not sign it"))
    }
}

/// A note, taken apart.
pub(crate) struct Note<'a> {
    /// What is signed, with its last newline.
    pub(crate) text: &'a str,
    /// Names of keys with the id's first four bytes and the signature.
    signatures: Vec<(&'a str, Vec<u8>)>,
}

impl Note<'_> {
    /// Reads a note; one without any signature is its text alone. `Err` says what is wrong.
    pub(crate) fn parse(note: &str) -> Result<Note<'_>, String> {
        if !note.ends_with('\n') {
            return Err("its last line has no end".to_owned());
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
            .ok_or("a line among its signatures is none")?;
        Ok(Note { text, signatures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and note in the documentation of Go's `golang.org/x/mod/sumdb/note`, which the form is of.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn a_note_of_another_program_is_checked() {
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
        // Another's signature beside one's own is passed over.
        let both = format!(
            "{note}{}",
            stranger.sign("a\nb\n").rsplit_once("\n\n").unwrap().1
        );
        assert!(holds(&both));
    }

    #[test]
    fn what_is_no_key_is_refused_by_name() {
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
