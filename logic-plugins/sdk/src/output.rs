//! Typed results to output columns. A number that is none is refused here, by output and row: it
//! would not be comparable bit for bit, and nobody wants it.

use std::borrow::Cow;

use crate::Day;
use crate::contract::{Column, DataType, Failure, TextValues, Values};

/// A type that an output can have: `f64`, `i64`, `bool`, [`Day`], `&'static str`, `String`,
/// `Cow<'static, str>`, or an `Option` of one of them.
pub trait OutputType: Sized {
    /// The type in the contract.
    const DATA_TYPE: DataType;
    /// Whether the column may hold nulls.
    const NULLABLE: bool;
    /// The column in the making.
    type Builder;
    /// An empty column with room for `rows`.
    fn builder(rows: usize) -> Self::Builder;
    /// Appends a cell.
    ///
    /// # Errors
    /// A sentence, when the value is not one that a column may hold.
    fn push(self, row: usize, builder: &mut Self::Builder) -> Result<(), String>;
    /// Appends the zero that stands in the slot of a null row.
    fn push_zero(row: usize, builder: &mut Self::Builder);
    /// The finished values and validity.
    fn finish(builder: Self::Builder) -> (Values, Option<Vec<u8>>);
}

/// Sets the bit of a row in a bitmap that was made for all rows.
#[inline]
fn set_bit(bits: &mut [u8], row: usize) {
    bits[row / 8] |= 1 << (row % 8);
}

macro_rules! plain_output {
    ($type:ty, $kind:ident, $slot:ty, $zero:expr, |$value:ident| $push:expr) => {
        impl OutputType for $type {
            const DATA_TYPE: DataType = DataType::$kind;
            const NULLABLE: bool = false;
            type Builder = Vec<$slot>;
            fn builder(rows: usize) -> Vec<$slot> {
                Vec::with_capacity(rows)
            }
            #[inline]
            fn push(self, _row: usize, builder: &mut Vec<$slot>) -> Result<(), String> {
                let $value = self;
                builder.push($push);
                Ok(())
            }
            #[inline]
            fn push_zero(_row: usize, builder: &mut Vec<$slot>) {
                builder.push($zero);
            }
            fn finish(builder: Vec<$slot>) -> (Values, Option<Vec<u8>>) {
                (Values::$kind(builder), None)
            }
        }
    };
}

plain_output!(f64, Float64, f64, 0.0, |v| {
    if !v.is_finite() {
        return Err(not_a_number(v));
    }
    // -0.0 + 0.0 is 0.0: one zero, one set of bits.
    v + 0.0
});
plain_output!(i64, Int64, i64, 0, |v| v);
plain_output!(Day, Date, i32, 0, |v| v.days());

#[cold]
fn not_a_number(value: f64) -> String {
    format!("{value} is not a finite number; give null and a reason where there is no answer")
}

impl OutputType for bool {
    const DATA_TYPE: DataType = DataType::Boolean;
    const NULLABLE: bool = false;
    type Builder = Vec<u8>;
    fn builder(rows: usize) -> Vec<u8> {
        vec![0; rows.div_ceil(8)]
    }
    #[inline]
    fn push(self, row: usize, builder: &mut Vec<u8>) -> Result<(), String> {
        if self {
            set_bit(builder, row);
        }
        Ok(())
    }
    fn push_zero(_row: usize, _builder: &mut Vec<u8>) {}
    fn finish(builder: Vec<u8>) -> (Values, Option<Vec<u8>>) {
        (Values::Boolean(builder), None)
    }
}

macro_rules! text_output {
    ($type:ty) => {
        impl OutputType for $type {
            const DATA_TYPE: DataType = DataType::Text;
            const NULLABLE: bool = false;
            type Builder = TextValues;
            fn builder(rows: usize) -> TextValues {
                let mut offsets = Vec::with_capacity(rows + 1);
                offsets.push(0);
                TextValues {
                    offsets,
                    bytes: Vec::new(),
                }
            }
            #[inline]
            fn push(self, row: usize, builder: &mut TextValues) -> Result<(), String> {
                builder.bytes.extend_from_slice(self.as_bytes());
                if u32::try_from(builder.bytes.len()).is_err() {
                    return Err("the texts of one call exceed 4 GiB".into());
                }
                Self::push_zero(row, builder);
                Ok(())
            }
            #[inline]
            fn push_zero(_row: usize, builder: &mut TextValues) {
                builder.offsets.push(builder.bytes.len() as u32);
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

impl<T: OutputType> OutputType for Option<T> {
    const DATA_TYPE: DataType = T::DATA_TYPE;
    const NULLABLE: bool = true;
    /// The values, the bitmap, and whether any row is null.
    type Builder = (T::Builder, Vec<u8>, bool);
    fn builder(rows: usize) -> Self::Builder {
        (T::builder(rows), vec![0; rows.div_ceil(8)], false)
    }
    #[inline]
    fn push(self, row: usize, builder: &mut Self::Builder) -> Result<(), String> {
        match self {
            Some(value) => {
                set_bit(&mut builder.1, row);
                value.push(row, &mut builder.0)
            }
            None => {
                builder.2 = true;
                T::push_zero(row, &mut builder.0);
                Ok(())
            }
        }
    }
    fn push_zero(row: usize, builder: &mut Self::Builder) {
        builder.2 = true;
        T::push_zero(row, &mut builder.0);
    }
    fn finish(builder: Self::Builder) -> (Values, Option<Vec<u8>>) {
        let (values, bits, any_null) = builder;
        (T::finish(values).0, any_null.then_some(bits))
    }
}

/// An output column in the making.
#[derive(Debug)]
pub struct Writer<T: OutputType> {
    name: &'static str,
    builder: T::Builder,
}

impl<T: OutputType> Writer<T> {
    /// A column for exactly `rows` rows.
    #[must_use]
    pub fn new(name: &'static str, rows: u32) -> Writer<T> {
        Writer {
            name,
            builder: T::builder(rows as usize),
        }
    }

    /// Appends the cell of `row`; rows come in order.
    ///
    /// # Errors
    /// [`Failure::Internal`] with row and output when the value is not one that a column may hold.
    #[inline]
    pub fn push(&mut self, row: usize, value: T) -> Result<(), Failure> {
        value.push(row, &mut self.builder).map_err(|message| {
            Failure::Internal(format!("row {row}: output `{}`: {message}", self.name))
        })
    }

    /// The finished column.
    #[must_use]
    pub fn finish(self) -> Column {
        let (values, validity) = T::finish(self.builder);
        Column { values, validity }
    }
}
