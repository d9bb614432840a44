//! The trait of write-once objects on any storage.

use std::fmt;
use std::io;

use crate::address::StoreAddress;

/// The result of creating an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "other bytes under the name are an integrity error, unless the caller can tell that they mean the same"]
pub enum Creation {
    /// The object was created with these bytes.
    Created,
    /// The object already existed with the same bytes.
    Same,
    /// The object already exists with other bytes, given here.
    Taken(Vec<u8>),
}

/// A store of write-once objects. Each object exists completely under its name, or not at all.
///
/// Names are relative paths with `/`, compared byte by byte. No part of a name starts with a dot.
pub trait Objects: fmt::Debug + Send + Sync {
    /// Address of the store.
    fn address(&self) -> &StoreAddress;

    /// Starts creating objects.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn begin(&self) -> Result<Box<dyn Creating + '_>, ObjectError>;

    /// The bytes of an object, up to a ceiling.
    ///
    /// # Errors
    /// When it does not exist ([`io::ErrorKind::NotFound`]), cannot be read, or has more bytes than the ceiling
    /// ([`io::ErrorKind::FileTooLarge`]).
    fn read(&self, name: &str, ceiling: u64) -> Result<Vec<u8>, ObjectError>;

    /// Size of an object in bytes; `None` if it does not exist.
    ///
    /// # Errors
    /// When the store cannot be queried.
    fn size(&self, name: &str) -> Result<Option<u64>, ObjectError>;

    /// Names of all objects with a prefix, in ascending byte order. A store that does not exist yet has none.
    ///
    /// # Errors
    /// When the store exists but cannot be read.
    fn list(&self, prefix: &str) -> Result<Vec<String>, ObjectError>;

    /// Whether the store contains any object or foreign file.
    ///
    /// # Errors
    /// When the store exists but cannot be read.
    fn holds_any(&self) -> Result<bool, ObjectError>;

    /// Creates one object, which is durable when this returns.
    ///
    /// # Errors
    /// See [`Creating::create`].
    fn create(&self, name: &str, bytes: &[u8], ceiling: u64) -> Result<Creation, ObjectError> {
        let mut creating = self.begin()?;
        let creation = creating.create(name, bytes, ceiling)?;
        creating.settle()?;
        Ok(creation)
    }
}

/// Creates several objects. All of them are durable after [`Creating::settle`].
pub trait Creating {
    /// Creates an object. If its name exists, reads and compares the existing bytes. An object of more than
    /// `ceiling` bytes is refused, because it could not be read again.
    ///
    /// # Errors
    /// When the store refuses, or an existing object cannot be read. Objects created before stay.
    fn create(&mut self, name: &str, bytes: &[u8], ceiling: u64) -> Result<Creation, ObjectError>;

    /// Makes the names of all these objects durable, including those that existed already: their creator may have
    /// been killed before doing so.
    ///
    /// # Errors
    /// When the store refuses.
    fn settle(self: Box<Self>) -> Result<(), ObjectError>;
}

/// A store whose objects can be removed, for objects that the ledger records as pruned. A store that retains its
/// objects does not implement this.
pub trait Remove: Objects {
    /// Removes an object. A missing object is not an error.
    ///
    /// # Errors
    /// When the store refuses.
    fn remove(&self, name: &str) -> Result<(), ObjectError>;
}

/// A store or an object that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The store as a whole.
    #[error("folder {path} could not be {verb}: {cause}")]
    Place {
        /// Name of the store in messages.
        path: String,
        /// `written` or `read`.
        verb: &'static str,
        /// The system's error.
        cause: io::Error,
    },
    /// An object.
    #[error("{path} could not be {verb}: {cause}")]
    Object {
        /// Name of the object in messages.
        path: String,
        /// `written` or `read`.
        verb: &'static str,
        /// The system's error.
        cause: io::Error,
    },
}

impl ObjectError {
    /// The system's error.
    #[must_use]
    pub fn cause(&self) -> &io::Error {
        match self {
            ObjectError::Place { cause, .. } | ObjectError::Object { cause, .. } => cause,
        }
    }

    /// Whether the object does not exist.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.cause().kind() == io::ErrorKind::NotFound
    }
}

/// How often creation is repeated for an object that existed but was removed before it could be read.
const TRIES: usize = 8;

/// Creates an object, or compares it with the existing one. `create` returns false if the name exists; if the
/// existing object has gone by the time it is read, creation is repeated.
pub(crate) fn create_or_compare<E>(
    bytes: &[u8],
    mut create: impl FnMut() -> Result<bool, E>,
    mut read: impl FnMut() -> Result<Vec<u8>, E>,
    is_absent: impl Fn(&E) -> bool,
) -> Result<Creation, E> {
    let mut tries = 1;
    loop {
        if create()? {
            return Ok(Creation::Created);
        }
        match read() {
            Ok(found) if found == bytes => return Ok(Creation::Same),
            Ok(found) => return Ok(Creation::Taken(found)),
            Err(e) if is_absent(&e) && tries < TRIES => tries += 1,
            Err(e) => return Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_vanishes_before_it_is_read_is_created_again() {
        // An object of another writer, removed N times before it is read.
        for (gone, created) in [(0, true), (1, true), (7, true), (8, false)] {
            let mut left = gone;
            let create = || -> Result<bool, &str> {
                let free = left == 0;
                left = usize::saturating_sub(left, 1);
                Ok(free)
            };
            let found = create_or_compare(b"x", create, || Err("absent"), |_| true);
            assert_eq!(found == Ok(Creation::Created), created, "{gone}");
        }
    }

    #[test]
    fn an_unreadable_object_is_not_created_again() {
        let mut asked = 0;
        let create = || {
            asked += 1;
            Ok(false)
        };
        let found = create_or_compare(b"x", create, || Err("refused"), |_| false);
        assert_eq!((found, asked), (Err("refused"), 1));
    }
}
