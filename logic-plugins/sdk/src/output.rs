//! Typed results to output columns. A number that is none is refused here, by output and row: it
//! would not be comparable bit for bit, and nobody wants it.

use std::borrow::Cow;

use crate::Day;
use crate::contract::{Column, DataType, Failure, TextValues, Values};
use crate::input::BLOCK;

/// A value that no column may hold: its lane, and a sentence.
pub(crate) type Unfit = (usize, String);

/// A type that an output can have: `f64`, `i64`, `bool`, [`Day`], `&'static str`, `String`,
/// `Cow<'static, str>`, or an `Option` of one of them.
pub trait OutputType: Sized {
    /// The type in the contract.
    const DATA_TYPE: DataType;
    /// Whether the column may hold nulls.
    const NULLABLE: bool;
    /// The column in the making.
    type Builder;
    /// The cells of a block of rows in the making: zeros where nothing was put.
    type Block: Default;
    /// An empty column with room for `rows`.
    fn builder(rows: usize) -> Self::Builder;
    /// Puts the cell of a lane; lanes come in order.
    fn put(self, lane: usize, block: &mut Self::Block, builder: &mut Self::Builder);
    /// Puts the zero that stands in the slot of a null row.
    fn put_zero(lane: usize, block: &mut Self::Block, builder: &mut Self::Builder);
    /// Appends the first `lanes` cells of a block, and clears its bits. Numbers that stay behind are
    /// written over, or lie beyond the last row.
    ///
    /// # Errors
    /// When a value is not one that a column may hold: the first such lane, and a sentence.
    fn flush(
        block: &mut Self::Block,
        lanes: usize,
        builder: &mut Self::Builder,
    ) -> Result<(), Unfit>;
    /// The finished values and validity.
    fn finish(builder: Self::Builder) -> (Values, Option<Vec<u8>>);
}

#[inline(always)]
fn append<T: Copy>(builder: &mut Vec<T>, block: &[T; BLOCK], lanes: usize) {
    // Of a length that the compiler knows.
    builder.extend_from_slice(block);
    if lanes < BLOCK {
        builder.truncate(builder.len() + lanes - BLOCK);
    }
}

macro_rules! plain_output {
    ($type:ty, $kind:ident, $slot:ty, $zero:expr, |$value:ident| $slot_of:expr, |$block:ident| $check:expr) => {
        impl OutputType for $type {
            const DATA_TYPE: DataType = DataType::$kind;
            const NULLABLE: bool = false;
            type Builder = Vec<$slot>;
            type Block = [$slot; BLOCK];
            fn builder(rows: usize) -> Vec<$slot> {
                Vec::with_capacity(rows.next_multiple_of(BLOCK))
            }
            #[inline(always)]
            fn put(self, lane: usize, block: &mut [$slot; BLOCK], _: &mut Vec<$slot>) {
                let $value = self;
                block[lane] = $slot_of;
            }
            #[inline(always)]
            fn put_zero(lane: usize, block: &mut [$slot; BLOCK], _: &mut Vec<$slot>) {
                block[lane] = $zero;
            }
            #[inline(always)]
            fn flush(
                $block: &mut [$slot; BLOCK],
                lanes: usize,
                builder: &mut Vec<$slot>,
            ) -> Result<(), Unfit> {
                append(builder, $block, lanes);
                $check
            }
            fn finish(builder: Vec<$slot>) -> (Values, Option<Vec<u8>>) {
                (Values::$kind(builder), None)
            }
        }
    };
}

// -0.0 + 0.0 is 0.0: one zero, one set of bits.
plain_output!(f64, Float64, f64, 0.0, |v| v + 0.0, |block| {
    if block.iter().fold(true, |sound, v| sound & v.is_finite()) {
        Ok(())
    } else {
        Err(not_a_number(block))
    }
});
plain_output!(i64, Int64, i64, 0, |v| v, |_block| Ok(()));
plain_output!(Day, Date, i32, 0, |v| v.days(), |_block| Ok(()));

#[cold]
fn not_a_number(block: &[f64; BLOCK]) -> Unfit {
    let lane = block.iter().position(|v| !v.is_finite()).unwrap_or(0);
    let value = block[lane];
    (
        lane,
        format!("{value} is not a finite number; give null and a reason where there is no answer"),
    )
}

impl OutputType for bool {
    const DATA_TYPE: DataType = DataType::Boolean;
    const NULLABLE: bool = false;
    type Builder = Vec<u8>;
    type Block = u8;
    fn builder(rows: usize) -> Vec<u8> {
        Vec::with_capacity(rows.div_ceil(BLOCK))
    }
    #[inline(always)]
    fn put(self, lane: usize, block: &mut u8, _: &mut Vec<u8>) {
        *block |= u8::from(self) << lane;
    }
    fn put_zero(_lane: usize, _block: &mut u8, _: &mut Vec<u8>) {}
    #[inline(always)]
    fn flush(block: &mut u8, _lanes: usize, builder: &mut Vec<u8>) -> Result<(), Unfit> {
        builder.push(std::mem::take(block));
        Ok(())
    }
    fn finish(builder: Vec<u8>) -> (Values, Option<Vec<u8>>) {
        (Values::Boolean(builder), None)
    }
}

/// Appends a text; for the short ones of a logic a call of the engine's copy would cost more than the
/// copying.
#[inline(always)]
fn append_text(bytes: &mut Vec<u8>, text: &[u8]) {
    let length = text.len();
    if let (Some(head), Some(tail), true) = (
        text.first_chunk::<8>(),
        text.last_chunk::<8>(),
        length <= 16,
    ) {
        // Two overlapping copies of a known length make up every length from 8 to 16.
        let mut both = [0; 16];
        both[..8].copy_from_slice(head);
        both[length - 8..length].copy_from_slice(tail);
        let end = bytes.len() + length;
        bytes.extend_from_slice(&both);
        bytes.truncate(end);
    } else {
        bytes.extend_from_slice(text);
    }
}

macro_rules! text_output {
    ($type:ty) => {
        impl OutputType for $type {
            const DATA_TYPE: DataType = DataType::Text;
            const NULLABLE: bool = false;
            type Builder = TextValues;
            /// Where the texts end.
            type Block = [u32; BLOCK];
            fn builder(rows: usize) -> TextValues {
                let mut offsets = Vec::with_capacity(rows.next_multiple_of(BLOCK) + 1);
                offsets.push(0);
                TextValues {
                    offsets,
                    bytes: Vec::new(),
                }
            }
            #[inline(always)]
            fn put(self, lane: usize, block: &mut [u32; BLOCK], builder: &mut TextValues) {
                append_text(&mut builder.bytes, self.as_bytes());
                Self::put_zero(lane, block, builder);
            }
            #[inline(always)]
            fn put_zero(lane: usize, block: &mut [u32; BLOCK], builder: &mut TextValues) {
                // The memory of a guest has at most 2^32 bytes.
                block[lane] = builder.bytes.len() as u32;
            }
            #[inline(always)]
            fn flush(
                block: &mut [u32; BLOCK],
                lanes: usize,
                builder: &mut TextValues,
            ) -> Result<(), Unfit> {
                append(&mut builder.offsets, block, lanes);
                match u32::try_from(builder.bytes.len()) {
                    Ok(_) => Ok(()),
                    Err(_) => Err((0, "the texts of one call exceed 4 GiB".into())),
                }
            }
            fn finish(builder: TextValues) -> (Values, Option<Vec<u8>>) {
                (Values::Text(builder), None)
            }
        }
    };
}

text_output!(&'static str);
text_output!(String);
text_output!(Cow<'static, str>);

/// A nullable column in the making.
#[derive(Debug)]
pub struct Nullable<B> {
    values: B,
    valid: Vec<u8>,
    any_null: bool,
}

impl<T: OutputType> OutputType for Option<T> {
    const DATA_TYPE: DataType = T::DATA_TYPE;
    const NULLABLE: bool = true;
    type Builder = Nullable<T::Builder>;
    /// The cells, and a bit for each that is not null.
    type Block = (T::Block, u8);
    fn builder(rows: usize) -> Self::Builder {
        Nullable {
            values: T::builder(rows),
            valid: Vec::with_capacity(rows.div_ceil(BLOCK)),
            any_null: false,
        }
    }
    #[inline(always)]
    fn put(self, lane: usize, block: &mut Self::Block, builder: &mut Self::Builder) {
        block.1 |= u8::from(self.is_some()) << lane;
        match self {
            Some(value) => value.put(lane, &mut block.0, &mut builder.values),
            None => T::put_zero(lane, &mut block.0, &mut builder.values),
        }
    }
    #[inline(always)]
    fn put_zero(lane: usize, block: &mut Self::Block, builder: &mut Self::Builder) {
        T::put_zero(lane, &mut block.0, &mut builder.values);
    }
    #[inline(always)]
    fn flush(
        block: &mut Self::Block,
        lanes: usize,
        builder: &mut Self::Builder,
    ) -> Result<(), Unfit> {
        let valid = std::mem::take(&mut block.1);
        builder.valid.push(valid);
        builder.any_null |= valid.count_ones() as usize != lanes;
        T::flush(&mut block.0, lanes, &mut builder.values)
    }
    fn finish(builder: Self::Builder) -> (Values, Option<Vec<u8>>) {
        let values = T::finish(builder.values).0;
        (values, builder.any_null.then_some(builder.valid))
    }
}

/// An output column in the making.
#[derive(Debug)]
pub struct Writer<T: OutputType> {
    name: &'static str,
    block: T::Block,
    builder: T::Builder,
}

impl<T: OutputType> Writer<T> {
    /// A column for exactly `rows` rows.
    #[must_use]
    pub fn new(name: &'static str, rows: u32) -> Writer<T> {
        Writer {
            name,
            block: T::Block::default(),
            builder: T::builder(rows as usize),
        }
    }

    /// Puts the cell of a lane of the block in the making; lanes come in order.
    #[inline(always)]
    pub fn put(&mut self, lane: usize, value: T) {
        value.put(lane, &mut self.block, &mut self.builder);
    }

    /// Ends the block, whose first row is `start`, after its first `lanes` rows. What is wrong with the
    /// earliest row goes to `failed`.
    #[inline(always)]
    pub fn flush(&mut self, start: usize, lanes: usize, failed: &mut Option<(usize, Failure)>) {
        if let Err((lane, message)) = T::flush(&mut self.block, lanes, &mut self.builder) {
            refuse(self.name, start + lane, &message, failed);
        }
    }

    /// The finished column.
    #[must_use]
    pub fn finish(self) -> Column {
        let (values, validity) = T::finish(self.builder);
        Column { values, validity }
    }
}

#[cold]
fn refuse(name: &str, row: usize, message: &str, failed: &mut Option<(usize, Failure)>) {
    if failed.as_ref().is_none_or(|(first, _)| row < *first) {
        let message = format!("row {row}: output `{name}`: {message}");
        *failed = Some((row, Failure::Internal(message)));
    }
}
