//! Packs: the manifests of one chunk in one columnar file, named by its digest.
//!
//! A pack is an Arrow IPC file with one batch, which notebooks can read directly;
//! `docs/reference/manifest-packs.md` describes every byte. The shared part of its manifests is in the schema's
//! metadata, the rest in columns. A manifest's document is an exact function of both: the same bytes that a
//! single file would have, with the same digests.
//!
//! * [`header`] — the shared part of the manifests
//! * [`rows`] — the columns
//! * `cells` — values of a row as canonical JSON
//! * [`render`] — renders the document of a row, and its digests
//! * `body` — compressed buffers, read to known lengths
//! * `ipc` — schema, batch and footer of the file
//! * `lz4` — the frames of compressed buffers
//! * `flat` — the required part of FlatBuffers

mod body;
mod cells;
mod flat;
pub mod header;
mod ipc;
mod lz4;
pub mod render;
pub mod rows;

#[cfg(test)]
mod tests;

pub use cells::list;
pub use header::Header;
pub use render::{RowDigests, Scratch, Template};
pub use rows::{Rows, SourceObservation, Sources};

use body::{BodyReader, BodyWriter};

/// Version of the format, in the header.
pub const FORMAT: &str = "provender.pack.v1";

/// Most rows of a pack.
pub const ROWS: usize = 65_536;

/// Rows after which a pack is closed. A query about one run reads its whole pack, so packs must not be large;
/// each pack is a file that is synced, so they must not be many.
pub const PART: usize = 4_096;

/// Bytes of columns after which a pack is closed and the next one started.
pub const FULL: usize = 64 << 20;

/// A pack: the shared part of its manifests, and its rows.
#[derive(Debug)]
pub struct Pack {
    /// Renders the documents.
    pub template: Template,
    /// The rows.
    pub rows: Rows,
}

/// Encodes a pack.
///
/// # Errors
/// When there are no rows or too many, or the header has no canonical form.
pub fn to_bytes(header: &Header, rows: &Rows) -> Result<Vec<u8>, String> {
    if rows.is_empty() || rows.len() > ROWS {
        return Err(format!("{} rows do not make a pack", rows.len()));
    }
    let mut body = BodyWriter::default();
    body.batch.rows = i64::try_from(rows.len()).map_err(|e| e.to_string())?;
    rows.write(&mut body)?;
    let text = header.to_text()?;
    let (mut bytes, after) = ipc::frame(&header.fields(), &text, &body.batch, body.bytes.len());
    bytes.extend_from_slice(&body.bytes);
    bytes.extend_from_slice(&after);
    Ok(bytes)
}

impl Pack {
    /// Parses a pack's bytes; `Err` describes what is wrong. The caller checks the digest.
    ///
    /// # Errors
    /// When it is not a pack, has a newer format, or is not in the canonical encoding.
    pub fn parse(bytes: &[u8]) -> Result<Pack, String> {
        let unchecked = ipc::split_file(bytes)
            .ok_or("it is not an Arrow file with a header of this program")?;
        let header = Header::parse(unchecked.header)?;
        let rows = usize::try_from(unchecked.batch.rows).ok();
        let rows = rows
            .filter(|n| (1..=ROWS).contains(n))
            .ok_or_else(|| format!("it states that it has {} rows", unchecked.batch.rows))?;
        let (before, after) = ipc::frame(
            &header.fields(),
            unchecked.header,
            &unchecked.batch,
            unchecked.body,
        );
        let cut = unchecked.rest.split_at_checked(unchecked.body);
        let framed = cut.filter(|(_, end)| {
            bytes.starts_with(&before)
                && *end == after
                && before.len() + unchecked.rest.len() == bytes.len()
        });
        let Some((body, _)) = framed else {
            return Err("its frame does not match its content".to_owned());
        };
        let mut reader = BodyReader::new(unchecked.batch, body);
        let rows = Rows::read(&mut reader, &header, rows)?;
        Ok(Pack {
            template: Template::new(header)?,
            rows,
        })
    }

    /// The shared part of the manifests.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.template.header
    }

    /// The document of a row.
    ///
    /// # Errors
    /// When the row does not exist, or refers to something that does not exist.
    pub fn document(&self, row: u32) -> Result<Vec<u8>, String> {
        let i = usize::try_from(row).ok().filter(|i| *i < self.rows.len());
        let i = i.ok_or_else(|| format!("it has no row {row}"))?;
        self.template
            .document(&self.rows, i, &mut Scratch::default())
    }
}
