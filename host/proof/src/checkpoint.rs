//! Checkpoints: size and root of the Merkle tree over a ledger's entries, as C2SP's tlog-checkpoint
//! (<https://c2sp.org/tlog-checkpoint>). Also checks that a ledger has only grown since a checkpoint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use provender_domain::canonical::hex;
use provender_domain::merkle::{self, Hash};

use crate::error::ProofError;
use crate::note::{Note, Verifier, is_name};

/// The state of a ledger at one moment. Keep it elsewhere to detect later whether anything recorded up to then
/// was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Identifies the ledger: the name of the key that signs.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root hash over the entries.
    pub root: Hash,
}

impl Checkpoint {
    /// The three lines that are signed.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )
    }

    /// Parses a checkpoint, signed or not. Given a key, also checks that its holder signed it. `what` names the
    /// checkpoint in error messages.
    ///
    /// # Errors
    /// [`ProofError::Checkpoint`] when it is not a checkpoint; [`ProofError::Signature`] when the key's holder
    /// did not sign it.
    pub fn parse(what: &str, text: &str, key: Option<&Verifier>) -> Result<Checkpoint, ProofError> {
        let refuse = |problem: String| ProofError::Checkpoint {
            what: what.to_owned(),
            problem,
        };
        let note = Note::parse(text).map_err(refuse)?;
        let lines: Vec<&str> = note.text.lines().collect();
        let [origin, size, root] = lines.as_slice() else {
            return Err(refuse(format!(
                "it has {} lines before its signatures instead of three: origin, size, root",
                lines.len()
            )));
        };
        let number = size
            .parse()
            .map_err(|_| refuse(format!("`{size}` is not a size")))?;
        let hash = STANDARD
            .decode(root)
            .ok()
            .and_then(|bytes| Hash::try_from(bytes).ok())
            .ok_or_else(|| {
                refuse(format!(
                    "`{root}` is not a root: expected 32 bytes as base64"
                ))
            })?;
        let checkpoint = Checkpoint {
            origin: (*origin).to_owned(),
            size: number,
            root: hash,
        };
        if !is_name(origin) || checkpoint.to_text() != note.text {
            return Err(refuse(
                "it is not in the canonical form of a checkpoint".to_owned(),
            ));
        }
        if let Some(key) = key {
            key.check(what, &note)?;
            if key.name() != checkpoint.origin {
                return Err(ProofError::Signature {
                    what: what.to_owned(),
                    name: key.name().to_owned(),
                    problem: format!("it belongs to another ledger, {}", checkpoint.origin),
                });
            }
        }
        Ok(checkpoint)
    }
}

/// Why a ledger does not continue a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Discontinuity {
    /// The ledger has fewer entries than the checkpoint.
    #[error("it covers {expected} entries, but the ledger has {found}: entries were removed")]
    Shortened {
        /// Entries of the checkpoint.
        expected: u64,
        /// Entries of the ledger.
        found: u64,
    },
    /// An entry covered by the checkpoint was changed.
    #[error(
        "the first {size} entries have the root {}, but the checkpoint has {}: history was rewritten",
        hex(found),
        hex(expected)
    )]
    Rewritten {
        /// Entries of the checkpoint.
        size: u64,
        /// The root in the checkpoint.
        expected: Hash,
        /// The root of the ledger's first entries.
        found: Hash,
    },
}

/// Checks that the tree over `leaves` extends the checkpoint's tree. Returns the consistency proof, or `None` for
/// a checkpoint without entries.
///
/// # Errors
/// When an entry covered by the checkpoint is missing or was changed.
pub fn continues(old: &Checkpoint, leaves: &[Hash]) -> Result<Option<Vec<Hash>>, Discontinuity> {
    let found = leaves.len() as u64;
    let beginning = usize::try_from(old.size).ok().and_then(|n| leaves.get(..n));
    let Some(beginning) = beginning else {
        return Err(Discontinuity::Shortened {
            expected: old.size,
            found,
        });
    };
    let root = merkle::root(beginning);
    if root != old.root {
        return Err(Discontinuity::Rewritten {
            size: old.size,
            expected: old.root,
            found: root,
        });
    }
    Ok(merkle::consistency(leaves, beginning.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Signer;

    fn leaves(n: u8) -> Vec<Hash> {
        (0..n).map(|i| merkle::leaf(&[i])).collect()
    }

    fn checkpoint(n: u8) -> Checkpoint {
        Checkpoint {
            origin: "ranch.example/ledger".into(),
            size: u64::from(n),
            root: merkle::root(&leaves(n)),
        }
    }

    #[test]
    fn growth_continues_a_checkpoint_and_nothing_else_does() {
        for n in 0..9 {
            for more in n..12 {
                let proof = continues(&checkpoint(n), &leaves(more)).unwrap();
                let (old, new) = (checkpoint(n), checkpoint(more));
                let holds = |p: &Vec<Hash>| {
                    merkle::is_consistent(old.size, new.size, &old.root, &new.root, p)
                };
                assert_eq!(proof.as_ref().is_some_and(holds), n > 0, "{n} of {more}");
            }
            for i in 0..usize::from(n) {
                let mut other = leaves(11);
                other[i][0] ^= 1;
                let error = continues(&checkpoint(n), &other).unwrap_err().to_string();
                assert!(error.contains("rewritten"), "{error}");
            }
        }
        let error = continues(&checkpoint(5), &leaves(4))
            .unwrap_err()
            .to_string();
        assert!(error.contains("removed"), "{error}");
    }

    #[test]
    fn a_checkpoint_round_trips_and_its_signature_is_checked() {
        let signer = Signer::new("ranch.example/ledger", &[3; 32]).unwrap();
        let one = checkpoint(5);
        let note = signer.sign(&one.to_text());
        let key = signer.verifier();
        assert_eq!(Checkpoint::parse("c", &note, Some(&key)).unwrap(), one);
        assert_eq!(Checkpoint::parse("c", &one.to_text(), None).unwrap(), one);
        let of_another = Checkpoint {
            origin: "else".into(),
            ..one.clone()
        };
        let cases = [
            (one.to_text(), "it has no signature by this key"),
            (
                note.replacen("\n5\n", "\n6\n", 1),
                "does not match the text",
            ),
            (signer.sign(&of_another.to_text()), "another ledger"),
            (note.replacen("\n5\n", "\n05\n", 1), "canonical form"),
            (format!("x\n{note}"), "4 lines"),
            ("x".to_owned(), "end with a newline"),
        ];
        for (text, expected) in cases {
            let error = Checkpoint::parse("c", &text, Some(&key)).unwrap_err();
            assert!(error.to_string().contains(expected), "{text}: {error}");
        }
    }
}
