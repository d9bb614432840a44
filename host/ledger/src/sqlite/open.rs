//! Opens a ledger: creates or checks the schema, and makes the connection refuse what triggers cannot, such as
//! dropping the triggers.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, TransactionBehavior};

use crate::{Address, LedgerError};
use provender_domain::files::durable::{folder_of, sync_at};

use super::migrate::{SHIMS, STEPS, migrate, newest, numbered};
use super::whole::{log_of, missing};

/// `PVDR`: distinguishes a ledger from other databases.
const APPLICATION_ID: i64 = 0x5056_4452;
/// Default time that a writer waits for another one before it reports "busy".
const BUSY: Duration = Duration::from_secs(60);

/// A ledger in an SQLite database.
pub(crate) struct SqliteLedger {
    pub(super) db: Connection,
    /// Schema at the time of opening. Another process may have migrated it since.
    pub(super) schema: i64,
}

impl SqliteLedger {
    #[cfg(test)]
    pub(crate) fn open(path: &Path) -> Result<SqliteLedger, LedgerError> {
        Self::open_patiently(path, BUSY)
    }

    /// Opens the ledger at `path`, and creates it if it does not exist.
    ///
    /// # Errors
    /// When the file cannot be opened, is not a ledger, or has a newer schema.
    pub(crate) fn open_patiently(
        path: &Path,
        patience: Duration,
    ) -> Result<SqliteLedger, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::with_flags(path, flags, patience)
    }

    /// Like [`SqliteLedger::open_patiently`], but refuses to create a ledger. For a deployment with recorded
    /// runs.
    ///
    /// # Errors
    /// See [`SqliteLedger::open_patiently`]; [`LedgerError::Gone`] when there is no ledger or it is empty.
    pub(crate) fn open_existing(
        path: &Path,
        patience: Duration,
    ) -> Result<SqliteLedger, LedgerError> {
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Err(LedgerError::gone(&Address::from_path(path))),
            // It may exist; the check itself failed.
            Err(cause) => return Err(unavailable(path, &cause)),
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::with_flags(path, flags, patience)
    }

    /// Opens an existing ledger read-only: a backup, or a ledger in a read-only folder.
    ///
    /// Even for reading a ledger with a WAL, SQLite creates two files beside it. If it cannot, but there is no
    /// WAL, the file is opened as immutable. That is safe: a writer would have created a WAL, so nobody is
    /// writing.
    ///
    /// # Errors
    /// See [`SqliteLedger::open_patiently`]; also when the file does not exist. [`LedgerError::LogLeft`] when the
    /// folder is read-only and contains a WAL of a killed process.
    pub(crate) fn open_read_only(path: &Path) -> Result<SqliteLedger, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let refused = match Self::with_flags(path, flags, BUSY) {
            Err(e @ (LedgerError::Unavailable { .. } | LedgerError::Io(_))) if path.is_file() => e,
            opened => return opened,
        };
        let Some(address) = immutable_uri(path) else {
            return Err(refused);
        };
        let log = log_of(path);
        if std::fs::metadata(&log).is_ok_and(|m| m.len() > 0) {
            return Err(LedgerError::LogLeft {
                url: ledger_url(path),
                log: log.display().to_string(),
            });
        }
        let flags = flags | OpenFlags::SQLITE_OPEN_URI;
        // The first error was about the folder; an error here is about the file.
        Self::opened(
            Connection::open_with_flags(address, flags),
            path,
            flags,
            BUSY,
        )
    }

    fn with_flags(
        path: &Path,
        flags: OpenFlags,
        patience: Duration,
    ) -> Result<SqliteLedger, LedgerError> {
        let db = Connection::open_with_flags(path, flags);
        Self::opened(db, path, flags, patience)
    }

    /// Configures a connection, and checks the ledger.
    fn opened(
        db: rusqlite::Result<Connection>,
        path: &Path,
        flags: OpenFlags,
        patience: Duration,
    ) -> Result<SqliteLedger, LedgerError> {
        let url = ledger_url(path);
        let unavailable = |e: rusqlite::Error| match (e.sqlite_error_code(), translate(e)) {
            // The disk is full or failing, which is not the ledger's fault.
            (Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure), LedgerError::Io(cause)) => {
                LedgerError::Io(format!("{url}: {cause}"))
            }
            (_, LedgerError::Damaged(cause)) => LedgerError::Broken {
                url: url.clone(),
                cause,
            },
            (_, LedgerError::Database(cause) | LedgerError::Io(cause)) => {
                LedgerError::Unavailable {
                    url: url.clone(),
                    cause,
                }
            }
            (_, other) => other,
        };
        let mut db = db.map_err(&unavailable)?;
        db.busy_timeout(patience).map_err(&unavailable)?;
        let writable = flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE);
        let begins = flags.contains(OpenFlags::SQLITE_OPEN_CREATE);
        // SQLite opens a read-only file silently and only fails at the first write, so check here.
        if writable && db.is_readonly(MAIN_DB).map_err(&unavailable)? {
            let refused = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY);
            return Err(unavailable(rusqlite::Error::SqliteFailure(refused, None)));
        }
        if writable && !begins {
            // Use this connection: a second one would remove the WAL when it closes.
            let tables = db.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0));
            if tables.is_ok_and(|tables: i64| tables == 0) {
                return Err(LedgerError::gone(&Address::from_path(path)));
            }
        }
        if writable {
            // With WAL, readers continue beside a writer. FULL makes commits durable.
            db.pragma_update(None, "journal_mode", "WAL")
                .map_err(&unavailable)?;
            db.pragma_update(None, "synchronous", "FULL")
                .map_err(&unavailable)?;
        }
        db.pragma_update(None, "foreign_keys", true)
            .map_err(&unavailable)?;
        // With this off, INSERT OR REPLACE deletes rows without firing delete triggers.
        db.pragma_update(None, "recursive_triggers", true)
            .map_err(&unavailable)?;
        db.pragma_update(None, "trusted_schema", false)
            .map_err(&unavailable)?;
        // The last connection to close checkpoints the WAL, which would replace missing pages by zeros.
        let no_checkpoint = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        db.set_db_config(no_checkpoint, true)
            .map_err(&unavailable)?;
        if let Some(cause) = missing(&db, path).map_err(&unavailable)? {
            return Err(LedgerError::Broken { url, cause });
        }
        db.set_db_config(no_checkpoint, false)
            .map_err(&unavailable)?;
        let schema = check_schema(&mut db, path, &url, writable)?;
        if writable {
            sync_log(path).map_err(|cause| LedgerError::Io(format!("{url}: {cause}")))?;
        }
        db.authorizer(Some(authorize)).map_err(&unavailable)?;
        db.set_prepared_statement_cache_capacity(64);
        Ok(SqliteLedger { db, schema })
    }

    /// An empty in-memory ledger for reading, for a deployment that has not recorded anything yet.
    ///
    /// # Errors
    /// When memory is insufficient.
    pub(crate) fn empty_in_memory() -> Result<SqliteLedger, LedgerError> {
        let mut db = Connection::open_in_memory().map_err(translate)?;
        let memory = Path::new(":memory:");
        let schema = check_schema(&mut db, memory, &ledger_url(memory), true)?;
        db.authorizer(Some(authorize)).map_err(translate)?;
        db.pragma_update(None, "query_only", true)
            .map_err(translate)?;
        Ok(SqliteLedger { db, schema })
    }

    /// Copies the ledger consistently to a new file while others keep writing.
    ///
    /// # Errors
    /// When the target exists or cannot be written.
    pub(crate) fn backup(&self, to: &Path) -> Result<(), LedgerError> {
        let url = ledger_url(to);
        if to.exists() {
            return Err(LedgerError::Unavailable {
                url,
                cause: "the file already exists, and a backup never overwrites".to_owned(),
            });
        }
        let mut target = Connection::open(to).map_err(translate)?;
        {
            let backup = rusqlite::backup::Backup::new(&self.db, &mut target).map_err(translate)?;
            backup
                .run_to_completion(1024, Duration::ZERO, None)
                .map_err(translate)?;
        }
        // Without WAL, the copy is a single file that can be opened from a read-only folder.
        target
            .pragma_update(None, "journal_mode", "DELETE")
            .map_err(translate)?;
        target.close().map_err(|(_, e)| translate(e))
    }
}

/// A ledger's address, for errors.
fn ledger_url(path: &Path) -> String {
    Address::from_path(path).to_string()
}

/// Converts a system error about a ledger's file.
pub(super) fn unavailable(path: &Path, cause: &io::Error) -> LedgerError {
    LedgerError::Unavailable {
        url: ledger_url(path),
        cause: cause.to_string(),
    }
}

/// Syncs what others have left in the WAL. A process may have been killed after its commit but before the sync;
/// this process would report those records as durable.
fn sync_log(path: &Path) -> io::Result<()> {
    let log = log_of(path);
    if !log.metadata().is_ok_and(|m| m.len() > 0) {
        return Ok(());
    }
    match std::fs::File::open(&log) {
        Ok(log) => log.sync_all()?,
        // The last connection to close has checkpointed and synced the WAL in the meantime.
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    }
    // Sync the folder too, for the names of the log and the ledger.
    sync_at(&folder_of(&log))
}

/// The URI with which SQLite reads a file without lock and WAL; `None` if the path cannot be written as a URI.
fn immutable_uri(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    let mut address = String::from("file:");
    for c in path.to_str()?.chars() {
        match c {
            '%' => address.push_str("%25"),
            '?' => address.push_str("%3f"),
            '#' => address.push_str("%23"),
            c => address.push(c),
        }
    }
    address.push_str("?immutable=1");
    Some(address)
}

/// Checks the ledger's schema, migrates it if it may be written, and returns its number.
fn check_schema(
    db: &mut Connection,
    path: &Path,
    url: &str,
    writable: bool,
) -> Result<i64, LedgerError> {
    let newest = newest(STEPS);
    // Checking takes no write lock, so readers never wait for a writer.
    match schema(db, url, writable)? {
        Some(found) if found < newest && !writable => {
            for (_, shim) in numbered(SHIMS).filter(|(schema, _)| *schema > found) {
                db.execute_batch(shim).map_err(translate)?;
            }
            return Ok(found);
        }
        Some(found) if found < newest => {
            return migrate(db, path, found, STEPS).map(|()| newest);
        }
        Some(found) => return Ok(found),
        None => {}
    }
    let tx = db
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(translate)?;
    // Another process may have created the schema in the meantime.
    if let Some(found) = schema(&tx, url, writable)? {
        return tx.commit().map_err(translate).map(|()| found);
    }
    tx.execute_batch(include_str!("schema.sql"))
        .map_err(translate)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(translate)?;
    // `schema.sql` stays schema 1; the steps migrate from there.
    for step in STEPS {
        tx.execute_batch(step).map_err(translate)?;
    }
    tx.pragma_update(None, "user_version", newest)
        .map_err(translate)?;
    provender_domain::failpoint::hit("ledger.before-commit");
    tx.commit().map_err(translate)?;
    provender_domain::failpoint::hit("ledger.after-commit");
    Ok(newest)
}

/// The supported schema of a ledger; `None` for an empty database that may become one.
fn schema(db: &Connection, url: &str, writable: bool) -> Result<Option<i64>, LedgerError> {
    let pragma = |name: &str| {
        db.pragma_query_value(None, name, |r| r.get::<_, i64>(0))
            .map_err(translate)
    };
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    if application == APPLICATION_ID {
        return match version {
            v if v > newest(STEPS) => Err(LedgerError::NewerSchema {
                url: url.to_owned(),
                found: v,
                known: newest(STEPS),
            }),
            v if v < 1 => Err(LedgerError::Broken {
                url: url.to_owned(),
                cause: format!("its schema has the number {v}, but the first schema is 1"),
            }),
            v => Ok(Some(v)),
        };
    }
    let tables: i64 = db
        .query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))
        .map_err(translate)?;
    if tables > 0 || application != 0 || !writable {
        return Err(LedgerError::NotALedger {
            url: url.to_owned(),
            found: application,
        });
    }
    Ok(None)
}

/// Forbids statements that this program must never execute after the schema exists.
fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::DropTable { .. }
        | AuthAction::DropTrigger { .. }
        | AuthAction::DropIndex { .. }
        | AuthAction::DropView { .. }
        | AuthAction::AlterTable { .. }
        | AuthAction::Update { .. }
        | AuthAction::Delete { .. } => Authorization::Deny,
        _ => Authorization::Allow,
    }
}

fn is_of_another_kind(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    matches!(
        error,
        Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::FromSqlConversionFailure(..)
            | Error::Utf8Error(..)
    )
}

/// Converts SQLite's errors.
pub(super) fn translate(error: rusqlite::Error) -> LedgerError {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::Busy,
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => LedgerError::Damaged(text),
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen,
        ) => LedgerError::Io(text),
        // Triggers raise these words. In any other error they are user data.
        Some(ErrorCode::ConstraintViolation) if text.contains("DRIFT:") => LedgerError::Drift(text),
        Some(ErrorCode::ConstraintViolation) if text.contains("IMMUTABLE:") => {
            LedgerError::Immutable(text)
        }
        // This program never writes a value of another type than its column's.
        None if is_of_another_kind(&error) => LedgerError::Damaged(text),
        _ => LedgerError::Database(text),
    }
}
