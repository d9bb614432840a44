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
    /// Checks the column; the error is a sentence with the row it is about.
    ///
    /// # Errors
    /// When the column has another type or length than it should, or holds what cannot be.
    fn view(column: &'c Column, rows: usize) -> Result<Self::View, (Option<usize>, String)>;
    /// The cell of a row, which is below the `rows` that the column was checked for.
    fn get(view: Self::View, row: usize) -> Self;
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
    ($type:ty, $kind:ident, $view:ty, |$values:ident, $rows:ident| $check:expr, |$v:ident, $row:ident| $get:expr) => {
        impl<'c> InputType<'c> for $type {
            const DATA_TYPE: DataType = DataType::$kind;
            const NULLABLE: bool = false;
            type View = $view;
            fn view(column: &'c Column, $rows: usize) -> Result<$view, Bad> {
                match &column.values {
                    Values::$kind($values) => $check,
                    _ => Err(wrong_type(column, DataType::$kind)),
                }
            }
            #[inline]
            fn get($v: $view, $row: usize) -> Self {
                $get
            }
        }
    };
}

input_type!(
    f64,
    Float64,
    &'c [f64],
    |v, rows| length(v.len(), rows, "values").map(|()| &v[..]),
    |v, row| v[row]
);
input_type!(
    i64,
    Int64,
    &'c [i64],
    |v, rows| length(v.len(), rows, "values").map(|()| &v[..]),
    |v, row| v[row]
);
input_type!(
    bool,
    Boolean,
    &'c [u8],
    |v, rows| length(v.len(), rows.div_ceil(8), "bytes").map(|()| &v[..]),
    |v, row| bit(v, row)
);
input_type!(
    Day,
    Date,
    &'c [i32],
    |v, rows| {
        length(v.len(), rows, "values")?;
        match v.iter().position(|d| Day::from_days(*d).is_none()) {
            Some(row) => Err((
                Some(row),
                format!("{} is a day outside the years 1 to 9999", v[row]),
            )),
            None => Ok(&v[..]),
        }
    },
    |v, row| Day::from_days(v[row]).unwrap_or(Day::MIN)
);
input_type!(
    &'c str,
    Text,
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
    |v, row| &v.1[v.0[row] as usize..v.0[row + 1] as usize]
);
input_type!(
    Series<'c>,
    Series,
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
    |v, row| {
        let span = v.0[row] as usize..v.0[row + 1] as usize;
        Series {
            dates: &v.1[span.clone()],
            values: &v.2[span],
        }
    }
);

impl<'c, T: InputType<'c>> InputType<'c> for Option<T> {
    const DATA_TYPE: DataType = T::DATA_TYPE;
    const NULLABLE: bool = true;
    type View = (T::View, Option<&'c [u8]>);
    fn view(column: &'c Column, rows: usize) -> Result<Self::View, Bad> {
        Ok((T::view(column, rows)?, column.validity.as_deref()))
    }
    #[inline]
    fn get(view: Self::View, row: usize) -> Self {
        match view.1 {
            Some(bits) if !bit(bits, row) => None,
            _ => Some(T::get(view.0, row)),
        }
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
    /// The cell of a row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> T {
        T::get(self.0, row)
    }
}
