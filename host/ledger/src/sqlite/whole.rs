//! Checks that all pages of a ledger exist, in its file or in the WAL beside it.
//!
//! SQLite notices if a file is shorter than its first page states. It does not notice if less than a page is
//! missing, or if there is a WAL: it would read missing pages as zeros, and write them. Format of the WAL:
//! <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

/// Header sizes in bytes, of the log and of each page in it.
const HEADER: usize = 32;
const FRAME: usize = 24;

/// Path of a ledger's WAL: beside the file itself, even if `path` is a link to it.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let file = path.canonicalize();
    let mut log = file.map_or_else(|_| path.as_os_str().to_owned(), PathBuf::into_os_string);
    log.push("-wal");
    PathBuf::from(log)
}

/// Describes what is missing of a truncated ledger; `None` if it is complete.
pub(super) fn missing(db: &Connection, path: &Path) -> rusqlite::Result<Option<String>> {
    // While this file is open, the WAL is not restarted and the ledger is not truncated.
    let reading = db.unchecked_transaction()?;
    let number = |name: &str| reading.pragma_query_value(None, name, |r| r.get::<_, u32>(0));
    // The first read starts the snapshot.
    reading.pragma_query_value(None, "schema_version", |_| Ok(()))?;
    let (page, pages) = (
        u64::from(number("page_size")?).max(1),
        u64::from(number("page_count")?),
    );
    let length = match std::fs::metadata(path) {
        Ok(about) => about.len(),
        Err(e) => return Ok(Some(format!("its size cannot be read: {e}"))),
    };
    let there = length / page;
    if pages <= there && length.is_multiple_of(page) {
        return Ok(None);
    }
    // A checkpoint may be copying pages of the WAL into the file right now.
    let log = log_of(path);
    let logged = match logged(&log, page) {
        Ok(logged) => logged,
        Err(e) => {
            return Ok(Some(format!(
                "it has {length} bytes, and its log {}, which may have the rest, cannot be read: {e}",
                log.display()
            )));
        }
    };
    let lost = (there + 1..=pages).find(|n| !logged.contains(n));
    Ok(lost.map(|n| {
        format!("it has {length} bytes, but page {n} of its {pages} pages ({page} bytes each) is missing")
    }))
}

/// The pages that are committed in a WAL; empty if there is no WAL.
fn logged(log: &Path, page: u64) -> io::Result<BTreeSet<u64>> {
    let mut log = match File::open(log) {
        Ok(log) => log,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(e) => return Err(e),
    };
    let word = |bytes: &[u8], at: usize| {
        u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    };
    let mut header = [0; HEADER];
    match log.read_exact(&mut header) {
        // An emptied or newly created log.
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(BTreeSet::new()),
        read => read?,
    }
    // Frames of an earlier use of the file have other salts.
    let salts = (word(&header, 16), word(&header, 20));
    let (mut committed, mut open) = (BTreeSet::new(), Vec::new());
    let mut frame = [0; FRAME];
    for n in 0.. {
        log.seek(SeekFrom::Start(HEADER as u64 + n * (FRAME as u64 + page)))?;
        match log.read_exact(&mut frame) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => break,
            read => read?,
        }
        if (word(&frame, 8), word(&frame, 12)) != salts {
            break;
        }
        open.push(u64::from(word(&frame, 0)));
        // The last frame of a transaction states the total number of pages.
        if word(&frame, 4) > 0 {
            committed.extend(open.drain(..));
        }
    }
    Ok(committed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database with pages that are only in the WAL, and some that are in the file too.
    fn logging(path: &Path) -> Connection {
        let db = Connection::open(path).unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        let fill = "CREATE TABLE IF NOT EXISTS t (x BLOB);
                    INSERT INTO t SELECT randomblob(3000) FROM json_each('[1,2,3,4,5,6,7,8]');";
        db.execute_batch(fill).unwrap();
        db
    }

    #[test]
    fn pages_in_neither_the_file_nor_the_log_are_missing() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("ledger.db");
        let db = logging(&path);
        let is_whole = |db: &Connection| missing(db, &path).unwrap().is_none();
        assert!(is_whole(&db), "all of it in the log");
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .unwrap();
        assert!(is_whole(&db), "all of it in the file");
        let more = logging(&path);
        assert!(is_whole(&more), "some here, some there");
        let length = std::fs::metadata(&path).unwrap().len();
        let file = File::options().write(true).open(&path).unwrap();
        for cut in [1, 100, 4_096] {
            file.set_len(length - cut).unwrap();
            let problems = missing(&more, &path).unwrap().unwrap();
            assert!(
                problems.contains(&format!("has {} bytes", length - cut)),
                "{problems}"
            );
        }
    }

    #[test]
    fn pages_of_an_uncommitted_transaction_do_not_count() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("ledger.db");
        let _db = logging(&path);
        let log = log_of(&path);
        let page = 4_096;
        let all = logged(&log, page).unwrap();
        assert!(all.len() > 4, "{all:?}");
        let bytes = std::fs::read(&log).unwrap();
        // Without the last page of the last transaction.
        let cut = bytes.len() - FRAME - 4_096;
        std::fs::write(&log, &bytes[..cut]).unwrap();
        let fewer = logged(&log, page).unwrap();
        assert!(
            fewer.len() < all.len() && fewer.is_subset(&all),
            "{fewer:?}"
        );
        // Frames of an earlier use.
        let mut other = bytes.clone();
        other[16] ^= 1;
        std::fs::write(&log, &other).unwrap();
        assert_eq!(logged(&log, page).unwrap(), BTreeSet::new());
        assert_eq!(
            logged(&temp.path().join("none"), page).unwrap(),
            BTreeSet::new()
        );
        std::fs::write(&log, &bytes[..HEADER - 1]).unwrap();
        assert_eq!(logged(&log, page).unwrap(), BTreeSet::new());
    }

    #[test]
    fn a_log_that_cannot_be_read_is_not_one_without_pages() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("ledger.db");
        let db = logging(&path);
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(std::fs::metadata(&path).unwrap().len() - 1)
            .unwrap();
        let log = log_of(&path);
        std::fs::remove_file(&log).unwrap();
        std::fs::create_dir(&log).unwrap();
        let problems = missing(&db, &path).unwrap().unwrap();
        assert!(problems.contains("cannot be read"), "{problems}");
    }
}
