//! Opens more connections for reading in several threads, which all see the same moment.

use std::path::PathBuf;

use crate::{Inspect, LedgerError};

use super::SqliteLedger;
use super::open::translate;
use super::read;

/// How often to try to open all readers between two writes. A writer takes milliseconds per entry, an attempt
/// takes microseconds.
const TRIES: usize = 1_000;

impl SqliteLedger {
    /// Read-only connections to the same file; empty if it is in memory.
    pub(super) fn beside(&self, count: usize) -> Result<Vec<Box<dyn Inspect>>, LedgerError> {
        let Some(path) = self.db.path().filter(|p| !p.is_empty()).map(PathBuf::from) else {
            return Ok(Vec::new());
        };
        let open = || -> Result<Vec<SqliteLedger>, LedgerError> {
            let readers = (0..count).map(|_| SqliteLedger::open_read_only(&path));
            readers.collect()
        };
        let mut readers = open()?;
        for _ in 0..TRIES {
            let mut heads = Vec::with_capacity(count);
            for reader in &readers {
                reader.db.execute_batch("BEGIN").map_err(translate)?;
                // The first read starts the snapshot. Every write except a migration adds an entry, and an
                // entry's hash covers all before it. So two readers with the same newest entry see the same data.
                // Nothing can be appended to entries that cannot be read.
                let schema: i64 = reader
                    .db
                    .pragma_query_value(None, "user_version", |r| r.get(0))
                    .map_err(translate)?;
                let as_opened = schema == reader.schema;
                let head = match read::head(&reader.db) {
                    Ok(head) => Ok(head),
                    Err(LedgerError::Damaged(problem)) => Err(problem),
                    Err(e) => return Err(e),
                };
                heads.push((as_opened, head));
            }
            if !heads.iter().all(|(as_opened, _)| *as_opened) {
                // Another process has migrated the ledger to a newer schema.
                readers = open()?;
                continue;
            }
            if heads.iter().all(|head| Some(head) == heads.first()) {
                let readers = readers.into_iter().map(|reader| Box::new(reader) as _);
                return Ok(readers.collect());
            }
            for reader in &readers {
                reader.db.execute_batch("ROLLBACK").map_err(translate)?;
            }
        }
        Err(LedgerError::Busy)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::entries::{NoPayload, Payload};
    use crate::entry::Stamp;
    use crate::store::{Read as _, Write as _};

    fn append(ledger: &SqliteLedger) {
        let stamp = Stamp {
            at: "2025-07-01T00:00:00Z".into(),
            actor: "tester".into(),
            reason: None,
        };
        ledger.append(&stamp, &Payload::Hold(NoPayload {})).unwrap();
    }

    #[test]
    fn readers_see_one_moment_while_another_writes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let writer = SqliteLedger::open(&path).unwrap();
        append(&writer);
        let ledger = SqliteLedger::open(&path).unwrap();
        assert!(ledger.readers(0).unwrap().is_empty());
        let done = AtomicBool::new(false);
        let mut moments = std::collections::BTreeSet::new();
        std::thread::scope(|scope| {
            let done = &done;
            let writing = scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    append(&writer);
                }
            });
            let mut same = Vec::new();
            // Until something was written in between.
            while same.len() < 20 || moments.len() < 2 {
                assert!(!writing.is_finished());
                let readers = ledger.readers(5).unwrap();
                let first = readers[0].head().unwrap();
                // Later queries see the same moment.
                let heads: Vec<_> = readers.iter().map(|r| r.head().unwrap()).collect();
                same.push(heads == [first; 5]);
                moments.insert(first);
            }
            done.store(true, Ordering::Relaxed);
            assert!(!same.contains(&false), "{same:?}");
        });
        assert!(ledger.head().unwrap() >= *moments.last().unwrap());
    }
}
