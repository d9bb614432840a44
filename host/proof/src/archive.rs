//! Tar archives in memory, which have exactly one spelling: no times, no owners, plain files alone.

use std::io::{self, Read as _};

/// Bytes that are not an archive of plain files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It is not a tar archive, or ends too soon.
    #[error("it is no whole tar archive: {0}")]
    Broken(String),
    /// A folder, a link, or a sparse file, of which a few bytes may say that it has a terabyte.
    #[error("{0} is no plain file")]
    NotAFile(String),
}

/// A tar archive of files, the same bytes wherever it is made.
///
/// # Errors
/// When a name is too long for the form.
pub fn pack(files: &[(String, Vec<u8>)]) -> io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        builder.append_data(&mut header, name, bytes.as_slice())?;
    }
    builder.into_inner()
}

/// The files of an archive in its order. Nothing is unpacked by path; whether the archive is the one that
/// [`pack`] makes of them, its reader finds out by packing them again.
///
/// # Errors
/// When it is not a whole archive of plain files.
pub fn members(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ArchiveError> {
    let broken = |e: io::Error| ArchiveError::Broken(e.to_string());
    let mut members = Vec::new();
    for entry in tar::Archive::new(bytes).entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() {
            return Err(ArchiveError::NotAFile(name));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        members.push((name, content));
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_back_in_their_order() {
        let files = [("b/two", "2"), ("a", ""), ("b/one", "1")];
        let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        let bytes = pack(&files).unwrap();
        assert_eq!(members(&bytes).unwrap(), files);
        assert_eq!(members(&pack(&[]).unwrap()), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_plain_file_is_not_read() {
        for kind in [
            tar::EntryType::GNUSparse,
            tar::EntryType::Symlink,
            tar::EntryType::Directory,
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_path("bundle/manifest.json").unwrap();
            header.set_size(0);
            if let Some(gnu) = header.as_gnu_mut() {
                // A terabyte, says the header of a sparse file.
                gnu.realsize
                    .copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
            }
            header.set_cksum();
            let mut bytes = header.as_bytes().to_vec();
            bytes.extend([0; 1024]);
            assert!(members(&bytes).is_err(), "{kind:?}");
        }
    }
}
