//! What a reader collects while it reads a file: bad rows, warnings and observations.

use provender_domain::ids::BoundaryId;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crate::ingest::parsed::{
    BadRow, Content, Format, Observation, Observations, ReadError, ReadOptions, Reading,
};
use provender_domain::day::Day;
use provender_domain::value::plain_zero;

use super::limits::{self, Limit};

/// Values in error messages are cut to this many characters.
const SHOWN: usize = 80;

/// A [`Reading`] that is being built.
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

    /// Records a bad row with the field and value at fault.
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

    /// Records a warning for the user.
    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// Warns about columns or fields that the host does not use; an empty list gives no warning.
    pub(super) fn warn_ignored(&mut self, what: &str, names: &[String]) {
        if !names.is_empty() {
            self.warn(format!("ignored {what}: {}", names.join(", ")));
        }
    }

    /// The error for a file that cannot be used as a whole.
    pub(super) fn refuse(&self, problem: impl Into<String>) -> ReadError {
        ReadError::File {
            file: self.options.file_name.clone(),
            problem: problem.into(),
        }
    }

    /// The one boundary that the file belongs to.
    ///
    /// # Errors
    /// If the options give none.
    pub(super) fn place(&self) -> Result<String, ReadError> {
        match self.options.boundary.as_deref().map(str::trim) {
            Some(id) if !id.is_empty() => Ok(id.to_owned()),
            _ => Err(self.refuse(
                "the file does not say which place it is about; give --boundary ID, or `boundary` in sources.toml",
            )),
        }
    }

    /// The finished reading.
    ///
    /// # Errors
    /// If there are bad rows and `skip_bad_rows` is not set; the error lists all of them.
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
            rows: counted(rows),
            content,
            skipped: self.bad,
            warnings: self.warnings,
        })
    }
}

fn shorten(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// A 1-based row number from a 0-based index.
pub(super) fn row_number(index: usize) -> u32 {
    counted(index + 1)
}

/// Rows, lines, places or columns of a file.
#[expect(
    clippy::expect_used,
    reason = "a file is held in memory as a whole, and has far fewer"
)]
pub(super) fn counted<N: TryFrom<usize, Error: std::fmt::Debug>>(n: usize) -> N {
    N::try_from(n).expect("a file has fewer rows, places and columns than their numbers count")
}

/// One value to be added to [`Observations`].
pub(super) struct Given<'a> {
    /// 1-based row.
    pub(super) row: u32,
    /// The field of the file, for messages.
    pub(super) field: &'a str,
    /// The value as the file has it, for messages.
    pub(super) shown: &'a str,
    /// The unit that the value was read in, for messages.
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

/// [`Observations`] that are being built.
#[derive(Default)]
pub(super) struct Gather {
    observations: Observations,
    boundaries: HashMap<String, u32>,
    /// Index of the last value's boundary, which is tried first: most files are sorted by place.
    boundary: u32,
    /// Limits by column of the observations.
    limits: Vec<Option<Limit>>,
    seen: Seen,
}

/// Finds repeated values. While the values of each place and column arrive in order of their days, the newest
/// day is enough; at the first one out of order, an index of all values is built.
#[derive(Default)]
struct Seen {
    newest: Vec<Vec<Option<Option<Day>>>>,
    all: Option<HashMap<(u32, u16, Option<Day>), u32>>,
}

impl Seen {
    /// The earlier row with a value of the same place, column and day. If there is none, remembers this value.
    fn before(&mut self, new: &Observation, values: &[Observation]) -> Option<u32> {
        let key = |o: &Observation| (o.boundary, o.column, o.date);
        if self.all.is_none() {
            let (place, column) = (new.boundary as usize, usize::from(new.column));
            if self.newest.len() <= place {
                self.newest.resize(place + 1, Vec::new());
            }
            let newest = &mut self.newest[place];
            if newest.len() <= column {
                newest.resize(column + 1, None);
            }
            let newest = &mut newest[column];
            if newest.is_none_or(|day| day < new.date) {
                *newest = Some(new.date);
                return None;
            }
        }
        let all = self
            .all
            .get_or_insert_with(|| values.iter().map(|o| (key(o), o.row)).collect());
        match all.entry(key(new)) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(free) => {
                free.insert(new.row);
                None
            }
        }
    }
}

impl Gather {
    /// Adds a value. An impossible or repeated value is a bad row instead.
    pub(super) fn put(&mut self, draft: &mut Draft<'_>, given: &Given<'_>) {
        let value = given.value.map(plain_zero);
        if let Some(x) = value {
            let problem = if x.is_finite() {
                self.limit(given.column).and_then(|limit| limit.problem(x))
            } else {
                Some("is too large for a 64-bit number".to_owned())
            };
            if let Some(problem) = problem {
                let problem = if given.read_as.is_empty() {
                    problem
                } else {
                    format!("{problem} (it was read as {})", given.read_as)
                };
                draft.bad(given.row, given.field, Some(given.shown), problem);
                return;
            }
        }
        let new = Observation {
            boundary: self.boundary(given.boundary),
            column: self.column(given.column),
            date: given.date,
            value,
            row: given.row,
        };
        if let Some(first) = self.seen.before(&new, &self.observations.values) {
            let when = given.date.map(|d| format!(" on {d}")).unwrap_or_default();
            draft.bad(
                given.row,
                given.field,
                Some(given.shown),
                format!(
                    "repeats {} of {}{when}, which row {first} has already given",
                    given.column, given.boundary
                ),
            );
            return;
        }
        self.observations.values.push(new);
    }

    fn boundary(&mut self, id: &str) -> u32 {
        let names = &mut self.observations.boundaries;
        if names.get(self.boundary as usize).is_none_or(|n| n != id) {
            self.boundary = match self.boundaries.get(id) {
                Some(n) => *n,
                None => {
                    let n = counted(names.len());
                    names.push(BoundaryId::unchecked(id));
                    self.boundaries.insert(id.to_owned(), n);
                    n
                }
            };
        }
        self.boundary
    }

    fn limit(&self, column: &str) -> Option<Limit> {
        let mut names = self.observations.columns.iter();
        match names.position(|n| n == column) {
            Some(known) => self.limits.get(known).copied().flatten(),
            None => limits::of(column),
        }
    }

    fn column(&mut self, name: &str) -> u16 {
        // A file has a handful.
        let names = &mut self.observations.columns;
        let at = names.iter().position(|n| n == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            self.limits.push(limits::of(name));
            names.len() - 1
        });
        counted(at)
    }

    /// The observations, without those of bad rows: a row is used as a whole or not at all.
    pub(super) fn into_content(mut self, draft: &Draft<'_>) -> Content {
        if !draft.bad.is_empty() {
            let bad: HashSet<u32> = draft.bad.iter().map(|b| b.row).collect();
            self.observations.values.retain(|v| !bad.contains(&v.row));
        }
        self.into_aggregate()
    }

    /// Observations that summarise all rows, so bad rows do not remove any.
    pub(super) fn into_aggregate(self) -> Content {
        Content::Observations(self.observations)
    }
}
