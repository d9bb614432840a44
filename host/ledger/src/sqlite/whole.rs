//! Whether all of a ledger's pages are there, in its file or in the log beside it.
//!
//! SQLite notices a file that is shorter than its first page says, but not where less than a page is missing, nor
//! where a log lies beside it: what is in neither it would read as zeros, and write on. The form of the log:
//! <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

/// Bytes of the log's header, and of that of each page in it.
const HEADER: usize = 32;
const FRAME: usize = 24;

/// Where SQLite has the log of a ledger: beside the file itself, also where the path is a link to it.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let file = path.canonicalize();
    let mut log = file.map_or_else(|_| path.as_os_str().to_owned(), PathBuf::into_os_string);
    log.push("-wal");
    PathBuf::from(log)
}

/// What is missing of a ledger that is shorter than it should be.
pub(super) fn missing(db: &Connection, path: &Path) -> rusqlite::Result<Option<String>> {
    // While this is open, the log is not begun anew, and the file does not become shorter.
    let reading = db.unchecked_transaction()?;
    let number = |name: &str| reading.pragma_query_value(None, name, |r| r.get::<_, u32>(0));
    // The first read fixes the moment.
    reading.pragma_query_value(None, "schema_version", |_| Ok(()))?;
    let (page, pages) = (
        u64::from(number("page_size")?).max(1),
        u64::from(number("page_count")?),
    );
    let length = match std::fs::metadata(path) {
        Ok(about) => about.len(),
        Err(e) => return Ok(Some(format!("how large it is cannot be read: {e}"))),
    };
    let there = length / page;
    if pages <= there && length.is_multiple_of(page) {
        return Ok(None);
    }
    // A page that the log has may be on its way into the file at this moment.
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
        format!("it has {length} bytes, and its page {n} of {pages} ({page} bytes each) is not among them")
    }))
}

/// The pages that are committed in a log; none where there is no log.
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
        // A log that was emptied, or only just begun.
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
        // The last page of a transaction says how many pages there are.
        if word(&frame, 4) > 0 {
            committed.extend(open.drain(..));
        }
    }
    Ok(committed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages that stand in the log alone, some in the file too.
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
    fn what_is_in_the_file_or_in_the_log_is_not_missing_and_what_is_in_neither_is() {
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
            let told = missing(&more, &path).unwrap().unwrap();
            assert!(
                told.contains(&format!("has {} bytes", length - cut)),
                "{told}"
            );
        }
    }

    #[test]
    fn pages_of_a_transaction_that_did_not_end_do_not_count() {
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
        let told = missing(&db, &path).unwrap().unwrap();
        assert!(told.contains("cannot be read"), "{told}");
    }
}
