//! The frame of an Arrow IPC file with one batch: schema, batch, footer.
//!
//! The columns, their lengths and the header's text determine every byte of a frame. So a reader takes only those
//! from a file, builds the frame again and compares. No other encoding of the same content is accepted, and
//! nothing in the metadata is trusted.

use super::flat::{Pending, Reader, Slot, Writer, long, word};

/// Start of every file, padded to eight bytes.
const MAGIC: &[u8; 8] = b"ARROW1\0\0";
/// End of every file.
const END: &[u8; 6] = b"ARROW1";
/// Start of every message.
const CONTINUES: [u8; 4] = [0xff; 4];
/// Metadata key of the header in the schema.
const KEY: &str = "provender.pack";
/// `MetadataVersion.V5`.
const VERSION: i16 = 4;

/// Column types, as in Arrow's `Schema.fbs`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Integers: bits, signed.
    Int(i32, bool),
    /// IEEE 754 binary64.
    Double,
    /// Bits.
    Boolean,
    /// Days since 1970-01-01, 32 bits.
    Date,
    /// UTF-8 with 32-bit offsets.
    Text,
    /// Fixed-size binary: bytes per row.
    Fixed(i32),
    /// Lists with 32-bit offsets.
    List(Box<Field>),
    /// Structs: several columns side by side.
    Struct(Vec<Field>),
}

/// A column of the schema.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) nullable: bool,
    pub(super) kind: Kind,
}

impl Field {
    pub(super) fn new(name: impl Into<String>, nullable: bool, kind: Kind) -> Field {
        Field {
            name: name.into(),
            nullable,
            kind,
        }
    }

    fn children(&self) -> &[Field] {
        match &self.kind {
            Kind::List(child) => std::slice::from_ref(child),
            Kind::Struct(children) => children,
            _ => &[],
        }
    }
}

/// A batch without its body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Batch {
    pub(super) rows: i64,
    /// For each column, in pre-order: length and number of nulls.
    pub(super) nodes: Vec<(i64, i64)>,
    /// For each buffer: its offset in the body, and its length.
    pub(super) buffers: Vec<(i64, i64)>,
}

fn field(w: &mut Writer, from: Pending, field: &Field) {
    let children = field.children();
    let kind = match &field.kind {
        Kind::Int(..) => 2,
        Kind::Double => 3,
        Kind::Text => 5,
        Kind::Boolean => 6,
        Kind::Date => 8,
        Kind::List(_) => 12,
        Kind::Struct(_) => 13,
        Kind::Fixed(_) => 15,
    };
    let slots = [
        Slot::Reference,
        Slot::Byte(u8::from(field.nullable)),
        Slot::Byte(kind),
        Slot::Reference,
        Slot::Absent,
        Slot::Reference,
    ];
    let refs = w.table(from, &slots);
    let [name, of_kind, list] = refs[..] else {
        return;
    };
    w.text(name, &field.name);
    let own: &[Slot] = match &field.kind {
        Kind::Int(bits, signed) => &[Slot::Int(*bits), Slot::Byte(u8::from(*signed))],
        // DOUBLE, DAY
        Kind::Double => &[Slot::Short(2)],
        Kind::Date => &[Slot::Short(0)],
        Kind::Fixed(width) => &[Slot::Int(*width)],
        Kind::Boolean | Kind::Text | Kind::List(_) | Kind::Struct(_) => &[],
    };
    w.table(of_kind, own);
    let places = w.references(list, children.len());
    for (place, child) in places.into_iter().zip(children) {
        self::field(w, place, child);
    }
}

fn schema(w: &mut Writer, from: Pending, fields: &[Field], header: &str) {
    let slots = [
        Slot::Short(0),
        Slot::Reference,
        Slot::Reference,
        Slot::Reference,
    ];
    let refs = w.table(from, &slots);
    let [list, metadata, features] = refs[..] else {
        return;
    };
    let places = w.references(list, fields.len());
    for (place, f) in places.into_iter().zip(fields) {
        field(w, place, f);
    }
    for member in w.references(metadata, 1) {
        let refs = w.table(member, &[Slot::Reference, Slot::Reference]);
        for (place, text) in refs.into_iter().zip([KEY, header]) {
            w.text(place, text);
        }
    }
    // COMPRESSED_BODY
    w.longs(features, 1, std::iter::once(2));
}

fn message(kind: u8, body: i64, content: impl FnOnce(&mut Writer, Pending)) -> Vec<u8> {
    let (mut w, root) = Writer::new();
    let slots = [
        Slot::Short(VERSION),
        Slot::Byte(kind),
        Slot::Reference,
        Slot::Long(body),
    ];
    if let [place] = w.table(root, &slots)[..] {
        content(&mut w, place);
    }
    framed(&w.finish())
}

/// A message with its marker and length.
fn framed(metadata: &[u8]) -> Vec<u8> {
    let length = word(metadata.len());
    [&CONTINUES, &length.to_le_bytes(), metadata].concat()
}

fn batch_message(batch: &Batch, body: i64) -> Vec<u8> {
    message(3, body, |w, place| {
        let slots = [
            Slot::Long(batch.rows),
            Slot::Reference,
            Slot::Reference,
            Slot::Reference,
        ];
        let refs = w.table(place, &slots);
        let [nodes, buffers, compression] = refs[..] else {
            return;
        };
        for (place, pairs) in [(nodes, &batch.nodes), (buffers, &batch.buffers)] {
            w.longs(place, pairs.len(), pairs.iter().flat_map(|(a, b)| [*a, *b]));
        }
        // LZ4_FRAME, BUFFER
        w.table(compression, &[Slot::Byte(0), Slot::Byte(0)]);
    })
}

/// Everything in a file except the batch's body: the part before it, and the part after it.
pub(super) fn frame(
    fields: &[Field],
    header: &str,
    batch: &Batch,
    body: usize,
) -> (Vec<u8>, Vec<u8>) {
    let schema_message = message(1, 0, |w, place| schema(w, place, fields, header));
    let mut before = [MAGIC.as_slice(), &schema_message].concat();
    let at = before.len();
    let metadata = batch_message(batch, long(body));
    before.extend_from_slice(&metadata);
    let mut after = [CONTINUES, [0; 4]].concat();
    let (mut w, root) = Writer::new();
    let slots = [
        Slot::Short(VERSION),
        Slot::Reference,
        Slot::Absent,
        Slot::Reference,
    ];
    if let [of_schema, blocks] = w.table(root, &slots)[..] {
        schema(&mut w, of_schema, fields, header);
        // The length of the metadata takes four bytes and four of padding.
        let block = [long(at), long(metadata.len()), long(body)];
        w.longs(blocks, 1, block.into_iter());
    }
    let footer = w.finish();
    let length = word(footer.len());
    after.extend_from_slice(&footer);
    after.extend_from_slice(&length.to_le_bytes());
    after.extend_from_slice(END);
    (before, after)
}

/// The metadata of the message at `at`, and the position after it.
fn metadata(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let head: &[u8] = bytes.get(at..at.checked_add(8)?)?;
    let (mark, length) = head.split_at(4);
    (mark == CONTINUES).then_some(())?;
    let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
    let (from, to) = (at + 8, (at + 8).checked_add(length)?);
    Some((bytes.get(from..to)?, to))
}

/// The unchecked content of a file.
pub(super) struct UncheckedFile<'a> {
    pub(super) header: &'a str,
    pub(super) batch: Batch,
    /// The batch's body and everything after it.
    pub(super) rest: &'a [u8],
    /// Length of the body.
    pub(super) body: usize,
}

/// Takes the header's text, the batch and its body from a file; `None` if they are not at their positions in a
/// frame.
pub(super) fn split_file(bytes: &[u8]) -> Option<UncheckedFile<'_>> {
    (bytes.get(..8)? == MAGIC).then_some(())?;
    let (schema, next) = metadata(bytes, 8)?;
    let r = Reader(schema);
    let schema = r.object(r.root()?, 2)?;
    let member = r.element(r.object(schema, 2)?, 0)?;
    let header = r.text(member, 1)?;
    let (batch, next) = metadata(bytes, next)?;
    let r = Reader(batch);
    let root = r.root()?;
    let table = r.object(root, 2)?;
    Some(UncheckedFile {
        header,
        batch: Batch {
            rows: r.long(table, 0)?,
            nodes: r.pairs(r.object(table, 1)?)?,
            buffers: r.pairs(r.object(table, 2)?)?,
        },
        rest: bytes.get(next..)?,
        body: usize::try_from(r.long(root, 3)?).ok()?,
    })
}
