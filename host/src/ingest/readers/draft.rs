//! What a reader collects on its way through a file: the rows it could not take, the things worth
//! saying, and observations with their names interned.

use std::collections::{HashMap, HashSet};

use crate::domain::day::Day;
use crate::domain::value::plain_zero;
use crate::ingest::parsed::{
    BadRow, Content, Format, Observation, Observations, ReadError, ReadOptions, Reading,
};

use super::limits;

/// Longest value that an error message repeats, in characters.
const SHOWN: usize = 80;

/// A reading in the making.
pub(super) struct Draft<'a> {
    /// How to read.
    pub(super) options: &'a ReadOptions,
    bad: Vec<BadRow>,
    warnings: Vec<String>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(options: &'a ReadOptions) -> Draft<'a> {
        Draft {
            options,
            bad: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Notes a row that cannot be taken, with the field and the value at fault.
    pub(super) fn bad(
        &mut self,
        row: u32,
        field: &str,
        value: Option<&str>,
        problem: impl Into<String>,
    ) {
        self.bad.push(BadRow {
            row,
            field: (!field.is_empty()).then(|| field.to_owned()),
            value: value.map(shorten),
            problem: problem.into(),
        });
    }

    /// Notes something worth saying.
    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// Names what the file carries and the host does not use; nothing for an empty list.
    pub(super) fn warn_ignored(&mut self, what: &str, names: &[String]) {
        if !names.is_empty() {
            self.warn(format!("ignored {what}: {}", names.join(", ")));
        }
    }

    /// The file as a whole cannot be used.
    pub(super) fn refuse(&self, problem: impl Into<String>) -> ReadError {
        ReadError::File {
            file: self.options.file_name.clone(),
            problem: problem.into(),
        }
    }

    /// The one place that the file belongs to.
    ///
    /// # Errors
    /// When the options name none.
    pub(super) fn place(&self) -> Result<String, ReadError> {
        match self.options.boundary.as_deref().map(str::trim) {
            Some(id) if !id.is_empty() => Ok(id.to_owned()),
            _ => Err(self.refuse(
                "the file does not say which place it is about; give --boundary ID, or `boundary` in sources.toml",
            )),
        }
    }

    /// The reading, or every bad row.
    ///
    /// # Errors
    /// When there are bad rows and they may not be skipped.
    pub(super) fn finish(
        mut self,
        format: Format,
        rows: usize,
        content: Content,
    ) -> Result<Reading, ReadError> {
        self.bad.sort_by_key(|b| b.row);
        if !self.bad.is_empty() && !self.options.skip_bad_rows {
            return Err(ReadError::Rows {
                file: self.options.file_name.clone(),
                rows: self.bad,
            });
        }
        Ok(Reading {
            format,
            rows: u32::try_from(rows).unwrap_or(u32::MAX),
            content,
            skipped: self.bad,
            warnings: self.warnings,
        })
    }
}

fn shorten(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}

/// A 1-based row number from a 0-based index.
pub(super) fn row_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)
}

/// One value on its way into [`Observations`].
pub(super) struct Entry<'a> {
    /// 1-based row.
    pub(super) row: u32,
    /// The field of the file, for messages.
    pub(super) field: &'a str,
    /// The value as the file has it, for messages.
    pub(super) shown: &'a str,
    /// Which unit the value was read in, for messages.
    pub(super) read_as: &'a str,
    /// The place.
    pub(super) boundary: &'a str,
    /// Catalogue name of the column.
    pub(super) column: &'a str,
    /// The day, where the column is dated.
    pub(super) date: Option<Day>,
    /// The value in the catalogue's unit.
    pub(super) value: Option<f64>,
}

/// Observations in the making.
#[derive(Default)]
pub(super) struct Gather {
    observations: Observations,
    boundaries: HashMap<String, u32>,
    columns: HashMap<String, u16>,
    seen: HashMap<(u32, u16, Option<Day>), u32>,
}

impl Gather {
    /// Takes a value, unless it is impossible or stands in the file already.
    pub(super) fn put(&mut self, draft: &mut Draft<'_>, entry: &Entry<'_>) {
        let value = entry.value.map(plain_zero);
        if let Some(x) = value {
            let problem = if x.is_finite() {
                limits::problem(entry.column, x)
            } else {
                Some("is beyond what a number can hold".to_owned())
            };
            if let Some(problem) = problem {
                let problem = if entry.read_as.is_empty() {
                    problem
                } else {
                    format!("{problem} (it was read as {})", entry.read_as)
                };
                draft.bad(entry.row, entry.field, Some(entry.shown), problem);
                return;
            }
        }
        let boundary = *self
            .boundaries
            .entry(entry.boundary.to_owned())
            .or_insert_with(|| {
                self.observations.boundaries.push(entry.boundary.to_owned());
                row_number(self.observations.boundaries.len() - 1) - 1
            });
        let column = match self.columns.get(entry.column) {
            Some(c) => *c,
            None => {
                let c = u16::try_from(self.observations.columns.len()).unwrap_or(u16::MAX);
                self.observations.columns.push(entry.column.to_owned());
                self.columns.insert(entry.column.to_owned(), c);
                c
            }
        };
        if let Some(first) = self.seen.insert((boundary, column, entry.date), entry.row) {
            let when = entry.date.map(|d| format!(" on {d}")).unwrap_or_default();
            draft.bad(
                entry.row,
                entry.field,
                Some(entry.shown),
                format!(
                    "row {first} has a value of {} for {}{when} already",
                    entry.column, entry.boundary
                ),
            );
            self.seen.insert((boundary, column, entry.date), first);
            return;
        }
        self.observations.values.push(Observation {
            boundary,
            column,
            date: entry.date,
            value,
            row: entry.row,
        });
    }

    /// The observations, less those of rows that turned out bad: a row is taken whole or not at
    /// all.
    pub(super) fn into_content(mut self, draft: &Draft<'_>) -> Content {
        if !draft.bad.is_empty() {
            let bad: HashSet<u32> = draft.bad.iter().map(|b| b.row).collect();
            self.observations.values.retain(|v| !bad.contains(&v.row));
        }
        self.into_aggregate()
    }

    /// Observations that were made of all rows together and belong to none of them.
    pub(super) fn into_aggregate(self) -> Content {
        Content::Observations(self.observations)
    }
}
