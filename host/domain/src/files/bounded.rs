//! Reads files up to a stated limit, and not a byte further.
//!
//! A file given to the program (a component from a stranger, a download that never ends, `/dev/zero` by mistake) must
//! not be able to fill the memory. Each kind of file has its limit; `docs/reference/sandbox.md` lists them with the
//! reasons.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use cap_std::fs::Dir;

/// For files written by hand, and the lock file: `provender.toml`, `logic.toml`, `sources.toml`, `provender.lock`. A
/// thousand pins are 400 KB.
pub const CONFIG_BYTES: u64 = 4 << 20;

/// For a file of observations, unless `limits.input_mib` says otherwise: forty years of daily values for a thousand
/// places in one CSV file.
pub const INPUT_BYTES: u64 = 256 << 20;

/// For a manifest. A run that reads ten years of daily values in a hundred series columns has one of 25 MB.
pub const MANIFEST_BYTES: u64 = 64 << 20;

/// For a pack of manifests. What its columns decompress to has a separate limit.
pub const PACK_BYTES: u64 = 256 << 20;

/// For a component whose own limits are not yet known, only its digest: eight times the size of the largest component
/// that contains a language runtime.
pub const COMPONENT_BYTES: u64 = 256 << 20;

#[derive(Debug, thiserror::Error)]
#[error("it has more than {0} bytes, the limit for such a file")]
struct TooLarge(u64);

/// Reads everything.
///
/// # Errors
/// If reading fails. With [`ErrorKind::FileTooLarge`] if there are more than `ceiling` bytes.
pub fn read(from: impl Read, ceiling: u64) -> io::Result<Vec<u8>> {
    read_into(Vec::new(), from, ceiling)
}

/// Like [`read`], for a file of known size: its memory is allocated once.
fn read_sized(from: impl Read, size: u64, ceiling: u64) -> io::Result<Vec<u8>> {
    // One byte more than the size, so that the last read finds the end without allocating again.
    let room = usize::try_from(size.min(ceiling)).map_err(io::Error::other)?;
    read_into(Vec::with_capacity(room.saturating_add(1)), from, ceiling)
}

fn read_into(mut bytes: Vec<u8>, from: impl Read, ceiling: u64) -> io::Result<Vec<u8>> {
    from.take(ceiling.saturating_add(1))
        .read_to_end(&mut bytes)?;
    within(bytes.len() as u64, ceiling)?;
    Ok(bytes)
}

/// Checks that a file of this size can be read again within a limit.
///
/// # Errors
/// With [`ErrorKind::FileTooLarge`] if it cannot.
pub fn within(bytes: u64, ceiling: u64) -> io::Result<()> {
    match bytes > ceiling {
        true => Err(io::Error::new(ErrorKind::FileTooLarge, TooLarge(ceiling))),
        false => Ok(()),
    }
}

/// Reads a file of an open folder. Refuses a pipe, because opening one waits for its writer.
///
/// # Errors
/// See [`read`]. With [`ErrorKind::InvalidData`] for a pipe or a device. Also if the file cannot be opened.
pub fn read_in(dir: &Dir, path: impl AsRef<Path>, ceiling: u64) -> io::Result<Vec<u8>> {
    let about = dir.metadata(&path)?;
    if !about.is_file() && !about.is_dir() {
        let problem = "it is a pipe or a device, not a file";
        return Err(io::Error::new(ErrorKind::InvalidData, problem));
    }
    read_sized(dir.open(path)?, about.len(), ceiling)
}

/// Reads a text file of an open folder.
///
/// # Errors
/// See [`read_in`]. Also with [`ErrorKind::InvalidData`] if it is not UTF-8.
pub fn text_in(dir: &Dir, path: impl AsRef<Path>, ceiling: u64) -> io::Result<String> {
    text(read_in(dir, path, ceiling)?)
}

/// Reads a file that the user named, in any folder.
///
/// # Errors
/// See [`read_in`].
pub fn read_named(path: &Path, ceiling: u64) -> io::Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    let size = file.metadata().map_or(0, |about| about.len());
    read_sized(file, size, ceiling)
}

/// Converts bytes to text.
///
/// # Errors
/// With [`ErrorKind::InvalidData`] if they are not UTF-8.
pub fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|e| io::Error::new(ErrorKind::InvalidData, e.utf8_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_exactly_the_ceiling_is_read_and_one_byte_more_is_not() {
        assert_eq!(read(&[7_u8; 10][..], 10).unwrap().len(), 10);
        let error = read(&[7_u8; 11][..], 10).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        insta::assert_snapshot!(error, @"it has more than 10 bytes, the limit for such a file");
    }

    #[test]
    fn a_wrong_file_size_changes_nothing() {
        for size in [0, 3, 10, 11, u64::MAX] {
            assert_eq!(read_sized(&[7_u8; 10][..], size, 10).unwrap(), [7; 10]);
            assert!(read_sized(&[7_u8; 11][..], size, 10).is_err());
        }
    }

    #[test]
    fn an_endless_file_is_read_only_up_to_the_ceiling() {
        struct Counting(u64);
        impl Read for Counting {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 += buffer.len() as u64;
                Ok(buffer.len())
            }
        }
        let mut endless = Counting(0);
        assert!(read(&mut endless, 1_000).is_err());
        assert_eq!(endless.0, 1_001);
    }
}
