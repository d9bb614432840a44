//! The part of FlatBuffers that Arrow's metadata needs: tables, strings, vectors and structs. Writing goes from
//! front to back; reading checks all bounds.
//!
//! A table is written before the objects that it refers to. [`Writer::table`] returns the positions of its
//! references, and each is settled when its object is written.

/// A slot of a table, in the order of the schema's ids.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    /// Absent: the reader uses the default.
    Absent,
    /// One byte: a boolean, an enum, the type of a union.
    Byte(u8),
    /// Two bytes.
    Short(i16),
    /// Four bytes.
    Int(i32),
    /// Eight bytes.
    Long(i64),
    /// A reference, settled later.
    Reference,
}

impl Slot {
    fn size(self) -> usize {
        match self {
            Slot::Absent => 0,
            Slot::Byte(_) => 1,
            Slot::Short(_) => 2,
            Slot::Int(_) | Slot::Reference => 4,
            Slot::Long(_) => 8,
        }
    }
}

/// Position of a reference that is not settled yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending(usize);

/// A buffer being written.
#[derive(Debug)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

#[expect(clippy::expect_used, reason = "a table has a few slots")]
fn small(n: usize) -> u16 {
    u16::try_from(n).expect("a table has a few slots")
}

#[expect(
    clippy::expect_used,
    reason = "metadata is a few kilobytes, and a pack that is read at all has few hundred megabytes"
)]
pub(super) fn word(n: usize) -> u32 {
    u32::try_from(n).expect("a frame has fewer than 2^32 bytes")
}

/// A length or a place in a body.
#[expect(clippy::cast_possible_wrap, reason = "a body is held in memory")]
pub(super) fn long(n: usize) -> i64 {
    n as i64
}

impl Writer {
    /// An empty buffer, and the reference to its root table.
    pub(super) fn new() -> (Writer, Pending) {
        (Writer { bytes: vec![0; 4] }, Pending(0))
    }

    /// The buffer, padded to eight bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.align(8, 0);
        self.bytes
    }

    /// Pads so that the position plus `ahead` is a multiple of `to`.
    fn align(&mut self, to: usize, ahead: usize) {
        while !(self.bytes.len() + ahead).is_multiple_of(to) {
            self.bytes.push(0);
        }
    }

    fn settle(&mut self, from: Pending) {
        let distance = word(self.bytes.len() - from.0).to_le_bytes();
        self.bytes[from.0..from.0 + 4].copy_from_slice(&distance);
    }

    /// Writes the table that `from` refers to, and returns its references in the order of their slots.
    pub(super) fn table(&mut self, from: Pending, slots: &[Slot]) -> Vec<Pending> {
        // Offset of each slot in the table: the largest first, so that none needs padding.
        let mut offsets = vec![0; slots.len()];
        let mut end = 4;
        for size in [8, 4, 2, 1] {
            for (offset, slot) in offsets.iter_mut().zip(slots) {
                if slot.size() == size {
                    end += (size - end % size) % size;
                    *offset = end;
                    end += size;
                }
            }
        }
        self.align(2, 0);
        let head = 4 + 2 * slots.len();
        // The table itself is aligned to eight bytes, after its list of slots.
        self.align(8, head);
        let list = self.bytes.len();
        self.bytes.extend_from_slice(&small(head).to_le_bytes());
        self.bytes.extend_from_slice(&small(end).to_le_bytes());
        for offset in &offsets {
            self.bytes.extend_from_slice(&small(*offset).to_le_bytes());
        }
        self.settle(from);
        let table = self.bytes.len();
        self.bytes
            .extend_from_slice(&word(table - list).to_le_bytes());
        self.bytes.resize(table + end, 0);
        let mut pending = Vec::new();
        for (offset, slot) in offsets.iter().zip(slots) {
            let at = table + offset;
            let mut put = |raw: &[u8]| self.bytes[at..at + raw.len()].copy_from_slice(raw);
            match slot {
                Slot::Absent => {}
                Slot::Byte(b) => put(&[*b]),
                Slot::Short(n) => put(&n.to_le_bytes()),
                Slot::Int(n) => put(&n.to_le_bytes()),
                Slot::Long(n) => put(&n.to_le_bytes()),
                Slot::Reference => pending.push(Pending(at)),
            }
        }
        pending
    }

    /// Writes a text.
    pub(super) fn text(&mut self, from: Pending, text: &str) {
        self.align(4, 0);
        self.settle(from);
        self.bytes
            .extend_from_slice(&word(text.len()).to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
    }

    /// Writes a vector of references.
    pub(super) fn references(&mut self, from: Pending, n: usize) -> Vec<Pending> {
        self.align(4, 0);
        self.settle(from);
        self.bytes.extend_from_slice(&word(n).to_le_bytes());
        let first = self.bytes.len();
        self.bytes.resize(first + 4 * n, 0);
        (0..n).map(|i| Pending(first + 4 * i)).collect()
    }

    /// Writes a vector of `n` numbers, or of structs aligned to eight bytes.
    pub(super) fn longs(&mut self, from: Pending, n: usize, values: impl Iterator<Item = i64>) {
        self.align(8, 4);
        self.settle(from);
        self.bytes.extend_from_slice(&word(n).to_le_bytes());
        for value in values {
            self.bytes.extend_from_slice(&value.to_le_bytes());
        }
    }
}

/// Reads an untrusted buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..at.checked_add(N)?)?.try_into().ok()
    }

    fn size(self, at: usize) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.array(at)?)).ok()
    }

    /// The position that a reference refers to.
    fn follow(self, at: usize) -> Option<usize> {
        at.checked_add(self.size(at)?)
    }

    /// Position of the root table.
    pub(super) fn root(self) -> Option<usize> {
        self.follow(0)
    }

    /// Position of a slot of a table.
    fn slot(self, table: usize, n: usize) -> Option<usize> {
        let distance = i32::from_le_bytes(self.array(table)?);
        let list = i64::try_from(table).ok()? - i64::from(distance);
        let list = usize::try_from(list).ok()?;
        let at = list.checked_add(4 + 2 * n)?;
        let size = usize::from(u16::from_le_bytes(self.array(list)?));
        if 4 + 2 * n >= size {
            return None;
        }
        let offset = usize::from(u16::from_le_bytes(self.array(at)?));
        (offset != 0)
            .then_some(table)
            .and_then(|t| t.checked_add(offset))
    }

    /// The eight-byte number in a slot.
    pub(super) fn long(self, table: usize, n: usize) -> Option<i64> {
        Some(i64::from_le_bytes(self.array(self.slot(table, n)?)?))
    }

    /// Position of the table or vector that a slot refers to.
    pub(super) fn object(self, table: usize, n: usize) -> Option<usize> {
        self.follow(self.slot(table, n)?)
    }

    /// Position that the `i`-th reference of a vector refers to.
    pub(super) fn element(self, vector: usize, i: usize) -> Option<usize> {
        (i < self.size(vector)?).then_some(())?;
        self.follow(vector.checked_add(4)?.checked_add(i.checked_mul(4)?)?)
    }

    /// The string in a slot.
    pub(super) fn text(self, table: usize, n: usize) -> Option<&'a str> {
        let at = self.object(table, n)?;
        let from = at.checked_add(4)?;
        let bytes = self.0.get(from..from.checked_add(self.size(at)?)?)?;
        std::str::from_utf8(bytes).ok()
    }

    /// The numbers of a vector of structs of two numbers.
    pub(super) fn pairs(self, vector: usize) -> Option<Vec<(i64, i64)>> {
        let from = vector.checked_add(4)?;
        let length = self.size(vector)?.checked_mul(16)?;
        let bytes = self.0.get(from..from.checked_add(length)?)?;
        let (numbers, _) = bytes.as_chunks::<8>();
        let (pairs, _) = numbers.as_chunks::<2>();
        let number = |[first, second]: &[[u8; 8]; 2]| {
            (i64::from_le_bytes(*first), i64::from_le_bytes(*second))
        };
        Some(pairs.iter().map(number).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Vec<u8> {
        let (mut w, root) = Writer::new();
        let slots = [
            Slot::Short(4),
            Slot::Byte(1),
            Slot::Reference,
            Slot::Long(-7),
            Slot::Absent,
            Slot::Reference,
            Slot::Reference,
        ];
        let refs = w.table(root, &slots);
        w.text(refs[0], "a text");
        let elements = w.references(refs[1], 2);
        for (i, element) in elements.into_iter().enumerate() {
            w.table(element, &[Slot::Long(i64::try_from(i).unwrap())]);
        }
        w.longs(refs[2], 2, [1, 2, 3, 4].into_iter());
        w.finish()
    }

    #[test]
    fn a_written_buffer_can_be_read() {
        let bytes = sample();
        assert_eq!(bytes.len() % 8, 0);
        let r = Reader(&bytes);
        let root = r.root().unwrap();
        assert_eq!(r.text(root, 2), Some("a text"));
        assert_eq!(r.long(root, 3), Some(-7));
        assert_eq!(r.long(root, 4), None);
        assert_eq!(r.long(root, 9), None);
        let vector = r.object(root, 5).unwrap();
        assert_eq!(r.long(r.element(vector, 1).unwrap(), 0), Some(1));
        assert_eq!(r.element(vector, 2), None);
        let pairs = r.pairs(r.object(root, 6).unwrap());
        assert_eq!(pairs, Some(vec![(1, 2), (3, 4)]));
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_read_outside_the_buffer(mut bytes in prop::collection::vec(any::<u8>(), 0..200), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), own in any::<bool>()) {
            if own {
                bytes = sample();
            }
            for (at, with) in flips {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] ^= with;
                }
            }
            let r = Reader(&bytes);
            if let Some(root) = r.root() {
                for slot in 0..8 {
                    let _ = (r.long(root, slot), r.text(root, slot));
                    if let Some(object) = r.object(root, slot) {
                        let _ = (r.pairs(object), r.element(object, 1));
                    }
                }
            }
        }
    }
}
