//! Ledger addresses.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::admin::Admin;
use crate::sqlite;

/// Default of `ledger.url` in a deployment.
pub const DEFAULT_URL: &str = "sqlite:out/ledger.db";

/// The address of a ledger, as in `ledger.url`. Only this type knows the kind of store; other code uses [`Admin`]
/// and the handles that it opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
}

/// The address names an unsupported kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("only sqlite:PATH is supported, such as {DEFAULT_URL}")]
pub struct UnknownAddress;

impl Address {
    /// Parses an address. A path in it is relative to `root`, the deployment's folder.
    ///
    /// # Errors
    /// When it names an unsupported kind of store.
    ///
    /// ```
    /// use provender_ledger::Address;
    /// let address = Address::parse("sqlite:out/ledger.db", "ranch".as_ref())?;
    /// assert_eq!(address.to_string(), "sqlite:ranch/out/ledger.db");
    /// assert!(Address::parse("papyrus:x", "ranch".as_ref()).is_err());
    /// # Ok::<_, provender_ledger::UnknownAddress>(())
    /// ```
    pub fn parse(url: &str, root: &Path) -> Result<Address, UnknownAddress> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Address::from_path(&root.join(path))),
            _ => Err(UnknownAddress),
        }
    }

    /// The address of a ledger in a file, such as a backup.
    #[must_use]
    pub fn from_path(path: &Path) -> Address {
        Address(Kind::Sqlite(path.to_path_buf()))
    }

    /// The address without the kind of store: for a file, its path.
    #[must_use]
    pub fn location(&self) -> String {
        let Kind::Sqlite(path) = &self.0;
        path.display().to_string()
    }

    /// The folder of a ledger that is a file, otherwise `None`. A backup has its manifests and releases in this
    /// folder.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        let Kind::Sqlite(path) = &self.0;
        path.parent()
    }

    /// The administration of the store at this address.
    #[must_use]
    pub fn admin(&self) -> Box<dyn Admin> {
        match &self.0 {
            Kind::Sqlite(path) => Box::new(sqlite::SqliteStore::new(path)),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kind::Sqlite(path) = &self.0;
        write!(f, "sqlite:{}", path.display())
    }
}
