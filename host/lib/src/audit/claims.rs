//! Reads the chain of entries, and what each entry claims about rows, documents and components.

use provender_ledger::EntryNumber;
use std::collections::{BTreeMap, BTreeSet};

use crate::release::state::KINDS;
use provender_domain::canonical::{Digest, hex};
use provender_domain::merkle::{self, Hash};
use provender_ledger::entries::{BaselineFrozen, Ingest, IngestedFile, ReportKept, Retract};
use provender_ledger::entry::Entry;
use provender_ledger::{Inspect, LedgerError, Payload, PayloadError};

use super::finding::{AuditReport, Check, ObjectKind};

/// The number of rows that an entry recorded, and the Merkle root over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowsClaim {
    /// Number of rows.
    pub(crate) count: u64,
    /// The root, as in the payload: `sha256:HEX`.
    pub(crate) root: String,
}

impl RowsClaim {
    /// Compares with the leaves of the stored rows; the error says what differs.
    ///
    /// # Errors
    /// If the number of rows or the root differs.
    pub(crate) fn check(&self, leaves: Vec<Hash>) -> Result<(), String> {
        let found = leaves.len() as u64;
        if found != self.count {
            return Err(format!(
                "the entry recorded {} rows, but there are {found}",
                self.count
            ));
        }
        let root = format!("sha256:{}", hex(&merkle::set_root(leaves)));
        if root != self.root {
            return Err(format!(
                "the root over its {found} rows is {root}, but the entry recorded {}: a row was changed",
                self.root
            ));
        }
        Ok(())
    }
}

/// A batch of runs, as its entry describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchClaim {
    /// Count and root of its runs.
    pub(crate) rows: RowsClaim,
    /// Digest of the component that computed them.
    pub(crate) component: Digest,
    /// The packs that hold its manifests, if they share files.
    pub(crate) packs: BTreeSet<Digest>,
}

/// An ingested file, as its entry describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileClaim {
    /// Count and root of the rows that it added.
    pub(crate) rows: RowsClaim,
    /// Number, source, kind, format, path, digest and row count, as the file's row must have them.
    pub(crate) row: [String; 7],
}

/// A document, as its entry names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentClaim {
    /// `report`, `baseline` and so on.
    pub(crate) kind: String,
    /// The digest under which it is stored.
    pub(crate) digest: String,
    /// SHA-256 of its text.
    pub(crate) sha256: String,
}

/// The claims of all entries.
#[derive(Debug, Default)]
pub struct Claims {
    /// Leaf hashes of all entries, in order.
    pub leaves: Vec<Hash>,
    /// Files, by the entry that ingested them.
    pub files: BTreeMap<EntryNumber, FileClaim>,
    /// Numbers of withdrawn files, by entry.
    pub retractions: BTreeMap<EntryNumber, BTreeSet<i64>>,
    /// Batches of runs, by entry.
    pub batches: BTreeMap<EntryNumber, BatchClaim>,
    /// Documents, by entry.
    pub documents: BTreeMap<EntryNumber, DocumentClaim>,
    /// The entries that decide the state of releases.
    pub releases: Vec<Entry>,
}

impl Claims {
    /// Reads the chain of entries and checks its hashes.
    ///
    /// # Errors
    /// If the database cannot be read further.
    pub fn read(snapshot: &dyn Inspect, report: &mut AuditReport) -> Result<Claims, LedgerError> {
        let mut claims = Claims::default();
        let mut before: (EntryNumber, [u8; 32]) = (EntryNumber::NONE, [0; 32]);
        snapshot.scan_entries(&mut |scanned| {
            report.looked(Check::Entries, 1);
            let entry = match scanned {
                Ok(entry) => entry,
                Err(e) => {
                    report.bad(Check::Entries, ObjectKind::Entry, e.id, e.problem);
                    return;
                }
            };
            let mut bad = |problem: String| {
                report.bad(
                    Check::Entries,
                    ObjectKind::Entry,
                    entry.seq.to_string(),
                    problem,
                );
            };
            if entry.seq != before.0.next() {
                bad(format!(
                    "it comes right after entry {}, so the numbering has a gap",
                    before.0
                ));
            }
            if entry.prev != before.1 {
                bad(format!(
                    "it records {} as the hash of the previous entry, which is {}",
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
                            "its content has the hash {}, but it records {}",
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
        let payload = entry.parse().map_err(|e| match e {
            PayloadError::Malformed { cause, .. } => {
                format!("its payload does not have the documented form: {cause}")
            }
            PayloadError::Kind { kind, .. } | PayloadError::Other { kind, .. } => {
                format!("its kind `{kind}` is unknown to this program")
            }
        })?;
        let kind = payload.kind();
        let document = match payload {
            Payload::Ingest(Ingest { file, .. }) => {
                let claim = file_claim(&file);
                let missing = "its payload does not describe its file completely";
                self.files.insert(entry.seq, claim.ok_or(missing)?);
                None
            }
            Payload::Retract(Retract { files }) => {
                let numbers = files.iter().map(|f| f.file).collect();
                self.retractions.insert(entry.seq, numbers);
                None
            }
            Payload::Runs(runs) | Payload::Reissue(runs) => {
                let claim = BatchClaim {
                    rows: RowsClaim {
                        count: runs.count,
                        root: runs.root.to_string(),
                    },
                    component: runs.context.component,
                    packs: runs.packs.into_iter().collect(),
                };
                self.batches.insert(entry.seq, claim);
                None
            }
            Payload::Report(ReportKept { document, .. })
            | Payload::Baseline(BaselineFrozen { document, .. }) => document,
            _ => None,
        };
        if let Some(row) = document {
            let claim = DocumentClaim {
                kind: row.kind.name().to_owned(),
                digest: row.digest.to_string(),
                sha256: row.sha256.to_string(),
            };
            self.documents.insert(entry.seq, claim);
        }
        if KINDS.contains(&kind) {
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

fn file_claim(file: &IngestedFile) -> Option<FileClaim> {
    let brought = file.identity.as_ref()?;
    Some(FileClaim {
        rows: RowsClaim {
            count: brought.count,
            root: brought.root.to_string(),
        },
        row: [
            brought.file.to_string(),
            file.source.clone(),
            file.kind.clone(),
            file.format.clone(),
            file.path.clone(),
            file.sha256.to_string(),
            file.rows.to_string(),
        ],
    })
}
