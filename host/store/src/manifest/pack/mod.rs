//! Manifests in bulk: those of one chunk in one file, column by column, named by its digest.
//!
//! A pack is an Arrow IPC file with one batch, which notebooks read as it is; `docs/reference/manifest-packs.md`
//! describes every byte. What all its manifests share stands once in the schema's metadata, what differs
//! in the columns, and a manifest's document is an exact function of both: the very bytes that a single
//! file would have, under the same digests.
//!
//! * [`header`] — what the manifests share
//! * [`rows`] — the columns
//! * `cells` — a row's values as canonical JSON
//! * [`render`] — the document of a row, and its digests
//! * `body` — buffers, compressed, read to lengths that are known before
//! * `ipc` — schema, batch and footer of the file
//! * `lz4` — the frames that buffers are compressed in
//! * `flat` — FlatBuffers, as much as these need

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
pub use render::{Scratch, Sealed, Template};
pub use rows::{Rows, Seen, Sources};

use body::{BodyReader, BodyWriter};

/// Version of the format, in the header.
pub const FORMAT: &str = "provender.pack.v1";

/// Most rows that a pack may have.
pub const ROWS: usize = 65_536;

/// Rows after which a pack of many is closed: a question about one run reads its whole pack, and each pack is
/// a file that is synced.
pub const PART: usize = 4_096;

/// Bytes of columns after which a pack is closed and another one begun.
pub const FULL: usize = 64 << 20;

/// A pack: what its manifests share, and its rows.
#[derive(Debug)]
pub struct Pack {
    /// Writes the documents.
    pub template: Template,
    /// The rows.
    pub rows: Rows,
}

/// The bytes of a pack.
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
    /// Reads a pack's bytes; `Err` says in words what is wrong. Its digest is for the caller to check.
    ///
    /// # Errors
    /// When it is no pack, of a newer format, or not written in the one way.
    pub fn parse(bytes: &[u8]) -> Result<Pack, String> {
        let said = ipc::said(bytes).ok_or("it is no Arrow file with a header of this program")?;
        let header = Header::parse(said.header)?;
        let rows = usize::try_from(said.batch.rows).ok();
        let rows = rows
            .filter(|n| (1..=ROWS).contains(n))
            .ok_or_else(|| format!("it says that it has {} rows", said.batch.rows))?;
        let (before, after) = ipc::frame(&header.fields(), said.header, &said.batch, said.body);
        let cut = said.rest.split_at_checked(said.body);
        let framed = cut.filter(|(_, end)| {
            bytes.starts_with(&before)
                && *end == after
                && before.len() + said.rest.len() == bytes.len()
        });
        let Some((body, _)) = framed else {
            return Err("its frame is not the one that its content has".to_owned());
        };
        let mut reader = BodyReader::new(said.batch, body);
        let rows = Rows::read(&mut reader, &header, rows)?;
        Ok(Pack {
            template: Template::new(header)?,
            rows,
        })
    }

    /// What the manifests share.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.template.header
    }

    /// The document of a row.
    ///
    /// # Errors
    /// When there is no such row, or it refers to what is not there.
    pub fn document(&self, row: u32) -> Result<Vec<u8>, String> {
        let i = usize::try_from(row).ok().filter(|i| *i < self.rows.len());
        let i = i.ok_or_else(|| format!("it has no row {row}"))?;
        self.template
            .document(&self.rows, i, &mut Scratch::default())
    }
}
