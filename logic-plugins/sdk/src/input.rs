//! Input columns to typed cells. A column is checked once, before the loop; a cell is then a slice
//! index, and text and series are views into the column: nothing is allocated per row.

use crate::Day;
use crate::contract::{Column, DataType, Failure, Values};

/// The dated observations of a window, oldest first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Series<'a> {
    dates: &'a [i32],
    values: &'a [f64],
}

impl<'a> Series<'a> {
    /// Number of observations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True when the window holds no observation.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The observed values, in the column's unit.
    #[must_use]
    pub fn values(&self) -> &'a [f64] {
        self.values
    }

    /// The value observed on a day.
    #[must_use]
    pub fn on(&self, day: Day) -> Option<f64> {
        let at = self.dates.binary_search(&day.days()).ok()?;
        self.values.get(at).copied()
    }

    /// The observations with their days.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = (Day, f64)> + 'a {
        let days = self
            .dates
            .iter()
            .map(|d| Day::from_days(*d).unwrap_or(Day::MIN));
        days.zip(self.values.iter().copied())
    }
}

/// A type that an input can have: `f64`, `i64`, `bool`, [`Day`], `&str`, [`Series`], or an `Option`
/// of one of them.
pub trait InputType<'c>: Sized {
    /// The type in the contract.
    const DATA_TYPE: DataType;
    /// Whether the column may hold nulls.
    const NULLABLE: bool;
    /// The checked column.
    type View: Copy;
    /// The cells of a block of rows.
    type Block: Copy;
    /// Checks the column; the error is a sentence with the row it is about.
    ///
    /// # Errors
    /// When the column has another type or length than it should, or holds what cannot be.
    fn view(column: &'c Column, rows: usize) -> Result<Self::View, (Option<usize>, String)>;
    /// The cells of the `lanes` rows from `start` on, a multiple of eight; all are below the `rows`
    /// that the column was checked for.
    fn block(view: Self::View, start: usize, lanes: usize) -> Self::Block;
    /// One of them.
    fn get(block: &Self::Block, lane: usize) -> Self;
}

/// Rows that are taken in and given out together: a byte of a bitmap, a few vectors of numbers. Checks of
/// bounds, bitmaps and room are made once a block and not once a row.
pub(crate) const BLOCK: usize = 8;

/// The `lanes` values from `start` on, and zeros after them.
#[inline(always)]
fn lanes_of<T: Copy + Default>(values: &[T], start: usize, lanes: usize) -> [T; BLOCK] {
    match values.get(start..).and_then(<[T]>::first_chunk::<BLOCK>) {
        Some(whole) => *whole,
        None => last_lanes(values, start, lanes),
    }
}

#[cold]
#[inline(never)]
fn last_lanes<T: Copy + Default>(values: &[T], start: usize, lanes: usize) -> [T; BLOCK] {
    let mut part = [T::default(); BLOCK];
    part[..lanes].copy_from_slice(&values[start..start + lanes]);
    part
}

type Bad = (Option<usize>, String);

fn bit(bits: &[u8], row: usize) -> bool {
    bits[row / 8] >> (row % 8) & 1 == 1
}

fn length(found: usize, wanted: usize, what: &str) -> Result<(), Bad> {
    if found == wanted {
        return Ok(());
    }
    Err((
        None,
        format!("the column has {found} {what} where {wanted} are needed"),
    ))
}

fn ascending(offsets: &[u32], rows: usize, end: usize) -> Result<(), Bad> {
    length(offsets.len(), rows + 1, "offsets")?;
    let ends = offsets.first() == Some(&0) && offsets.last().map(|o| *o as usize) == Some(end);
    match offsets.windows(2).position(|w| w[0] > w[1]) {
        Some(row) => Err((Some(row), "the column's offsets descend".into())),
        None if !ends => Err((
            None,
            format!("the column's offsets do not run from 0 to {end}"),
        )),
        None => Ok(()),
    }
}

fn wrong_type(column: &Column, wanted: DataType) -> Bad {
    let found = match column.values {
        Values::Float64(_) => DataType::Float64,
        Values::Int64(_) => DataType::Int64,
        Values::Boolean(_) => DataType::Boolean,
        Values::Date(_) => DataType::Date,
        Values::Text(_) => DataType::Text,
        Values::Series(_) => DataType::Series,
    };
    (
        None,
        format!("the column holds {found:?} where {wanted:?} is declared"),
    )
}

macro_rules! input_type {
    ($type:ty, $kind:ident, $view:ty, $block:ty, |$values:ident, $rows:ident| $check:expr,
     |$v:ident, $start:ident, $lanes:ident| $take:expr, |$b:ident, $lane:ident| $get:expr) => {
        impl<'c> InputType<'c> for $type {
            const DATA_TYPE: DataType = DataType::$kind;
            const NULLABLE: bool = false;
            type View = $view;
            type Block = $block;
            fn view(column: &'c Column, $rows: usize) -> Result<$view, Bad> {
                match &column.values {
                    Values::$kind($values) => $check,
                    _ => Err(wrong_type(column, DataType::$kind)),
                }
            }
            #[inline(always)]
            fn block($v: $view, $start: usize, $lanes: usize) -> $block {
                $take
            }
            #[inline(always)]
            fn get($b: &$block, $lane: usize) -> Self {
                $get
            }
        }
    };
}

input_type!(
    f64,
    Float64,
    &'c [f64],
    [f64; BLOCK],
    |v, rows| length(v.len(), rows, "values").map(|()| &v[..]),
    |v, start, lanes| lanes_of(v, start, lanes),
    |b, lane| b[lane]
);
input_type!(
    i64,
    Int64,
    &'c [i64],
    [i64; BLOCK],
    |v, rows| length(v.len(), rows, "values").map(|()| &v[..]),
    |v, start, lanes| lanes_of(v, start, lanes),
    |b, lane| b[lane]
);
input_type!(
    bool,
    Boolean,
    &'c [u8],
    u8,
    |v, rows| length(v.len(), rows.div_ceil(8), "bytes").map(|()| &v[..]),
    |v, start, _lanes| v[start / 8],
    |b, lane| b >> lane & 1 == 1
);
input_type!(
    Day,
    Date,
    &'c [i32],
    [i32; BLOCK],
    |v, rows| {
        length(v.len(), rows, "values")?;
        // Without an early end, so that the whole column is looked at in vectors.
        if v.iter()
            .fold(true, |sound, d| sound & Day::from_days(*d).is_some())
        {
            return Ok(&v[..]);
        }
        match v.iter().position(|d| Day::from_days(*d).is_none()) {
            Some(row) => Err((
                Some(row),
                format!("{} is a day outside the years 1 to 9999", v[row]),
            )),
            None => Ok(&v[..]),
        }
    },
    |v, start, lanes| lanes_of(v, start, lanes),
    |b, lane| Day::checked(b[lane])
);
input_type!(
    &'c str,
    Text,
    (&'c [u32], &'c str),
    (&'c [u32], &'c str),
    |v, rows| {
        ascending(&v.offsets, rows, v.bytes.len())?;
        let text = std::str::from_utf8(&v.bytes)
            .map_err(|e| (None, format!("the text is not UTF-8: {e}")))?;
        match v
            .offsets
            .iter()
            .position(|o| !text.is_char_boundary(*o as usize))
        {
            Some(row) => Err((Some(row), "an offset lies within a character".into())),
            None => Ok((&v.offsets[..], text)),
        }
    },
    |v, start, lanes| (&v.0[start..=start + lanes], v.1),
    |b, lane| &b.1[b.0[lane] as usize..b.0[lane + 1] as usize]
);
input_type!(
    Series<'c>,
    Series,
    (&'c [u32], &'c [i32], &'c [f64]),
    (&'c [u32], &'c [i32], &'c [f64]),
    |v, rows| {
        ascending(&v.offsets, rows, v.values.len())?;
        length(v.dates.len(), v.values.len(), "dates")?;
        match v.dates.iter().any(|d| Day::from_days(*d).is_none()) {
            true => Err((
                None,
                "a series holds a day outside the years 1 to 9999".into(),
            )),
            false => Ok((&v.offsets[..], &v.dates[..], &v.values[..])),
        }
    },
    |v, start, lanes| (&v.0[start..=start + lanes], v.1, v.2),
    |b, lane| {
        let span = b.0[lane] as usize..b.0[lane + 1] as usize;
        Series {
            dates: &b.1[span.clone()],
            values: &b.2[span],
        }
    }
);

impl<'c, T: InputType<'c>> InputType<'c> for Option<T> {
    const DATA_TYPE: DataType = T::DATA_TYPE;
    const NULLABLE: bool = true;
    type View = (T::View, Option<&'c [u8]>);
    type Block = (T::Block, u8);
    fn view(column: &'c Column, rows: usize) -> Result<Self::View, Bad> {
        Ok((T::view(column, rows)?, column.validity.as_deref()))
    }
    #[inline(always)]
    fn block(view: Self::View, start: usize, lanes: usize) -> Self::Block {
        let valid = view.1.map_or(u8::MAX, |bits| bits[start / 8]);
        (T::block(view.0, start, lanes), valid)
    }
    #[inline(always)]
    fn get(block: &Self::Block, lane: usize) -> Self {
        (block.1 >> lane & 1 == 1).then(|| T::get(&block.0, lane))
    }
}

/// The columns of one call, taken one after the other in the declaration's order.
#[derive(Debug)]
pub struct ColumnArgs<'c> {
    columns: std::slice::Iter<'c, Column>,
    rows: usize,
}

impl<'c> ColumnArgs<'c> {
    /// Takes what the host gave.
    #[must_use]
    pub fn new(columns: &'c [Column], rows: u32) -> ColumnArgs<'c> {
        ColumnArgs {
            columns: columns.iter(),
            rows: rows as usize,
        }
    }

    /// The next column, checked.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] when there is none or it cannot be read as a `T`; a null where the
    /// declaration admits none is named with its row.
    pub fn take<T: InputType<'c>>(&mut self, name: &'static str) -> Result<Reader<'c, T>, Failure> {
        let bad = |(row, message): Bad| {
            Failure::InvalidInput((
                name.to_owned(),
                row.and_then(|r| u32::try_from(r).ok()),
                message,
            ))
        };
        let column = self
            .columns
            .next()
            .ok_or_else(|| bad((None, "the host gave no column for it".into())))?;
        if let Some(bits) = &column.validity {
            length(bits.len(), self.rows.div_ceil(8), "bytes of validity").map_err(bad)?;
            if !T::NULLABLE
                && let Some(row) = (0..self.rows).find(|row| !bit(bits, *row))
            {
                return Err(bad((
                    Some(row),
                    format!("row {row} is null, and the input is declared without nulls"),
                )));
            }
        }
        Ok(Reader(T::view(column, self.rows).map_err(bad)?))
    }

    /// Ends the taking.
    ///
    /// # Errors
    /// [`Failure::Internal`] when the host gave more columns than were declared.
    pub fn done(mut self) -> Result<(), Failure> {
        match self.columns.next() {
            None => Ok(()),
            Some(_) => Err(Failure::Internal(
                "the host gave more columns than are declared".into(),
            )),
        }
    }
}

/// A checked column that gives the cells of its rows.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'c, T: InputType<'c>>(T::View);

impl<'c, T: InputType<'c>> Reader<'c, T> {
    /// The cells of the `lanes` rows from `start` on, a multiple of eight.
    #[inline(always)]
    #[must_use]
    pub fn block(&self, start: usize, lanes: usize) -> Cells<'c, T> {
        Cells(T::block(self.0, start, lanes))
    }
}

/// The cells of a block of rows.
#[derive(Clone, Copy, Debug)]
pub struct Cells<'c, T: InputType<'c>>(T::Block);

impl<'c, T: InputType<'c>> Cells<'c, T> {
    /// One of them.
    #[inline(always)]
    #[must_use]
    pub fn get(&self, lane: usize) -> T {
        T::get(&self.0, lane)
    }
}
