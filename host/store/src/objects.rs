//! The trait of objects that are written once, whatever keeps them.

use std::fmt;
use std::io;

use crate::address::StoreAddress;

/// What became of an object that was to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "other bytes under the name are an integrity error, unless the caller can tell that they mean the same"]
pub enum Creation {
    /// It is there now, with these bytes.
    Created,
    /// It was there already, with the same bytes.
    Same,
    /// The name is taken by other bytes, which are these.
    Taken(Vec<u8>),
}

/// A place of objects that are written once, each whole under its name or not there.
///
/// Names are relative paths with `/`, told apart byte by byte. No part of a name begins with a dot.
pub trait Objects: fmt::Debug + Send + Sync {
    /// Where it is.
    fn address(&self) -> &StoreAddress;

    /// Begins to create objects.
    ///
    /// # Errors
    /// When the place cannot be written.
    fn begin(&self) -> Result<Box<dyn Creating + '_>, ObjectError>;

    /// The bytes of an object, up to a ceiling.
    ///
    /// # Errors
    /// When it is not there ([`io::ErrorKind::NotFound`]), cannot be read, or has more bytes than the ceiling
    /// ([`io::ErrorKind::FileTooLarge`]).
    fn read(&self, name: &str, ceiling: u64) -> Result<Vec<u8>, ObjectError>;

    /// How many bytes an object has; `None` when it is not there.
    ///
    /// # Errors
    /// When the place cannot be asked.
    fn size(&self, name: &str) -> Result<Option<u64>, ObjectError>;

    /// The names of all objects that begin with a prefix, in ascending order of their bytes. A place that is not
    /// there yet has none.
    ///
    /// # Errors
    /// When the place is there and cannot be read.
    fn list(&self, prefix: &str) -> Result<Vec<String>, ObjectError>;

    /// Whether anything lies there that somebody put there.
    ///
    /// # Errors
    /// When the place is there and cannot be read.
    fn holds_any(&self) -> Result<bool, ObjectError>;

    /// Creates one object, which is durable when this returns.
    ///
    /// # Errors
    /// As [`Creating::create`].
    fn create(&self, name: &str, bytes: &[u8], ceiling: u64) -> Result<Creation, ObjectError> {
        let mut creating = self.begin()?;
        let creation = creating.create(name, bytes, ceiling)?;
        creating.settle()?;
        Ok(creation)
    }
}

/// Objects that are created together: all of them are durable once they are settled.
pub trait Creating {
    /// Creates an object; where its name is taken, reads and compares what is there. An object of more than
    /// `ceiling` bytes is refused, because nobody could read it again.
    ///
    /// # Errors
    /// When the place refuses, or what is there cannot be read. Objects that were created before stay.
    fn create(&mut self, name: &str, bytes: &[u8], ceiling: u64) -> Result<Creation, ObjectError>;

    /// Makes the names of all these objects durable, also of those that were there already: whoever created them
    /// may have been killed before.
    ///
    /// # Errors
    /// When the place refuses.
    fn settle(self: Box<Self>) -> Result<(), ObjectError>;
}

/// A place whose objects can be removed, for what the ledger has recorded as pruned. A store that retains its
/// objects does not have this.
pub trait Remove: Objects {
    /// Removes an object; that it is gone already is not an error.
    ///
    /// # Errors
    /// When the place refuses.
    fn remove(&self, name: &str) -> Result<(), ObjectError>;
}

/// A place or an object of it that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The place itself.
    #[error("folder {path} could not be {verb}: {cause}")]
    Place {
        /// What people call the place.
        path: String,
        /// `written` or `read`.
        verb: &'static str,
        /// Why.
        cause: io::Error,
    },
    /// An object.
    #[error("{path} could not be {verb}: {cause}")]
    Object {
        /// What people call the object.
        path: String,
        /// `written` or `read`.
        verb: &'static str,
        /// Why.
        cause: io::Error,
    },
}

impl ObjectError {
    /// What the store or the disk said.
    #[must_use]
    pub fn cause(&self) -> &io::Error {
        match self {
            ObjectError::Place { cause, .. } | ObjectError::Object { cause, .. } => cause,
        }
    }

    /// Whether the object is not there.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.cause().kind() == io::ErrorKind::NotFound
    }
}

/// Times that an object is created again which was there, and gone when it was read.
const TRIES: usize = 8;

/// Creates an object, and compares what is there when the name is taken. `create` answers false when it is;
/// what is gone by the time it is read is created again.
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
    fn what_is_gone_when_it_is_read_is_created_again() {
        // Somebody else's object, taken away before it is read, so many times.
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
    fn what_cannot_be_read_is_not_created_again() {
        let mut asked = 0;
        let create = || {
            asked += 1;
            Ok(false)
        };
        let found = create_or_compare(b"x", create, || Err("refused"), |_| false);
        assert_eq!((found, asked), (Err("refused"), 1));
    }
}
