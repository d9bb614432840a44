//! The chain of entries, and what they say of rows, documents and components.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::release::standing::KINDS;
use provender_domain::canonical::{Digest, from_slice, hex};
use provender_domain::merkle::{self, Hash};
use provender_ledger::entry::{Entry, Kind};
use provender_ledger::{Inspect, LedgerError};

use super::finding::{Check, Report};

/// How many rows an entry recorded, and the root over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// How many.
    pub count: u64,
    /// The root as the payload has it: `sha256:HEX`.
    pub root: String,
}

impl Rows {
    fn of(payload: &Json) -> Option<Rows> {
        Some(Rows {
            count: payload.get("count")?.as_u64()?,
            root: payload.get("root")?.as_str()?.to_owned(),
        })
    }

    /// Compares with the leaves of the rows that are there; `Err` says what differs.
    ///
    /// # Errors
    /// When there are more or fewer, or one of them is another.
    pub fn check(&self, leaves: Vec<Hash>) -> Result<(), String> {
        let found = leaves.len() as u64;
        if found != self.count {
            return Err(format!(
                "the entry recorded {} rows, there are {found}",
                self.count
            ));
        }
        let root = format!("sha256:{}", hex(&merkle::set_root(leaves)));
        if root != self.root {
            return Err(format!(
                "the root over its {found} rows is {root}, the entry says {}: one of them was changed",
                self.root
            ));
        }
        Ok(())
    }
}

/// A batch of runs as its entry describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchClaim {
    /// Its rows.
    pub rows: Rows,
    /// Digest of the component that computed them.
    pub component: Option<Digest>,
    /// The packs that hold their manifests, where they share files.
    pub packs: BTreeSet<Digest>,
}

/// A file as its entry describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileClaim {
    /// What it brought.
    pub rows: Rows,
    /// Number, source, kind, format, path, digest and row count, as the file's row must have them.
    pub row: [String; 7],
}

/// A document as an entry names it: kind, digest, SHA-256 of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentClaim {
    /// Its kind.
    pub kind: String,
    /// The digest it stands under.
    pub digest: String,
    /// SHA-256 of its text.
    pub sha256: String,
}

/// What all entries say.
#[derive(Debug, Default)]
pub struct Claims {
    /// Leaf hashes of the entries, in order.
    pub leaves: Vec<Hash>,
    /// Files by entry.
    pub files: BTreeMap<i64, FileClaim>,
    /// Numbers of withdrawn files by entry.
    pub retractions: BTreeMap<i64, BTreeSet<i64>>,
    /// Batches by entry.
    pub batches: BTreeMap<i64, BatchClaim>,
    /// Documents by entry.
    pub documents: BTreeMap<i64, DocumentClaim>,
    /// Entries that say how releases stand.
    pub releases: Vec<Entry>,
}

impl Claims {
    /// Reads the chain and checks it.
    ///
    /// # Errors
    /// When the database cannot be read any further.
    pub fn read(snapshot: &dyn Inspect, report: &mut Report) -> Result<Claims, LedgerError> {
        let mut claims = Claims::default();
        let mut before: (i64, [u8; 32]) = (0, [0; 32]);
        snapshot.scan_entries(&mut |scanned| {
            report.looked(Check::Entries, 1);
            let entry = match scanned {
                Ok(entry) => entry,
                Err(e) => {
                    report.bad(Check::Entries, "entry", e.id, e.problem);
                    return;
                }
            };
            let mut bad = |problem: String| {
                report.bad(Check::Entries, "entry", entry.seq.to_string(), problem);
            };
            if entry.seq != before.0 + 1 {
                bad(format!("it follows entry {}", before.0));
            }
            if entry.prev != before.1 {
                bad(format!(
                    "it names {} as the hash of the entry before, which is {}",
                    hex(&entry.prev),
                    hex(&before.1)
                ));
            }
            before = (entry.seq, entry.hash);
            match entry.canonical() {
                Err(e) => bad(e.to_string()),
                Ok(text) => {
                    let found = *Digest::of_canonical(text.as_bytes()).bytes();
                    if found != entry.hash {
                        bad(format!(
                            "its content has the hash {}, it says {}",
                            hex(&found),
                            hex(&entry.hash)
                        ));
                    }
                    claims.leaves.push(merkle::leaf(text.as_bytes()));
                }
            }
            if let Err(problem) = claims.add(entry.clone()) {
                bad(problem);
            }
        })?;
        Ok(claims)
    }

    fn add(&mut self, entry: Entry) -> Result<(), String> {
        let payload = from_slice(entry.payload.as_bytes())
            .map_err(|e| format!("its payload is not JSON: {e}"))?;
        let missing = |what: &str| format!("its payload has no {what}");
        let is = |kind: Kind| entry.kind == kind.name();
        if is(Kind::Ingest) {
            let claim =
                file_claim(&payload).ok_or_else(|| missing("whole description of a file"))?;
            self.files.insert(entry.seq, claim);
        } else if is(Kind::Retract) {
            let files = payload.get("files").and_then(Json::as_array);
            let numbers = files.and_then(|l| l.iter().map(|f| f.get("file")?.as_i64()).collect());
            let numbers = numbers.ok_or_else(|| missing("list of files"))?;
            self.retractions.insert(entry.seq, numbers);
        } else if is(Kind::Runs) || is(Kind::Reissue) {
            let rows = Rows::of(&payload).ok_or_else(|| missing("count and root"))?;
            let component = payload.get("component").and_then(Json::as_str);
            let component = component.and_then(|c| c.parse().ok());
            let packs = payload.get("packs").and_then(Json::as_array);
            let packs: Option<BTreeSet<Digest>> = packs
                .into_iter()
                .flatten()
                .map(|p| p.as_str()?.parse().ok())
                .collect();
            let claim = BatchClaim {
                rows,
                component,
                packs: packs.ok_or_else(|| missing("list of packs by their digests"))?,
            };
            self.batches.insert(entry.seq, claim);
        }
        if let Some(claim) = payload.get("document").and_then(document_claim) {
            self.documents.insert(entry.seq, claim);
        }
        if KINDS.iter().any(|k| is(*k)) {
            self.releases.push(entry);
        }
        Ok(())
    }

    /// The root of the tree over the entries.
    #[must_use]
    pub fn root(&self) -> Hash {
        merkle::root(&self.leaves)
    }
}

/// What `document` says where it binds a document's row; a release's own text has other members.
fn document_claim(document: &Json) -> Option<DocumentClaim> {
    let text = |name: &str| Some(document.get(name)?.as_str()?.to_owned());
    (document.as_object()?.len() == 3).then_some(())?;
    Some(DocumentClaim {
        kind: text("kind")?,
        digest: text("digest")?,
        sha256: text("sha256")?,
    })
}

fn file_claim(payload: &Json) -> Option<FileClaim> {
    let text = |name: &str| Some(payload.get(name)?.as_str()?.to_owned());
    let number = |name: &str| Some(payload.get(name)?.as_i64()?.to_string());
    Some(FileClaim {
        rows: Rows::of(payload)?,
        row: [
            number("file")?,
            text("source")?,
            text("kind")?,
            text("format")?,
            text("path")?,
            text("sha256")?,
            number("rows")?,
        ],
    })
}
