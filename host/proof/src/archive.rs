//! Tar archives in memory with exactly one encoding: regular files only, no times, no owners.

use std::io::{self, Read as _};

/// Bytes that are not an archive of plain files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It is not a tar archive, or it is cut short.
    #[error("it is not a complete tar archive: {0}")]
    Broken(String),
    /// A folder, a link, or a sparse file. A sparse header of a few bytes can claim a terabyte.
    #[error("{0} is not a regular file")]
    NotAFile(String),
}

/// Packs files into a tar archive. The same files always give the same bytes.
///
/// # Errors
/// When a name is too long for a tar header.
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

/// Returns the files of an archive in order, without writing any of them to disk. To check that the archive is in
/// [`pack`]'s encoding, pack the result again and compare.
///
/// # Errors
/// When it is not a complete archive of regular files.
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
    fn anything_but_a_regular_file_is_refused() {
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
                // The sparse header claims a terabyte.
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
