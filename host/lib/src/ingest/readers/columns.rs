//! CSV files whose columns are columns of the catalogue: a place, perhaps a date, and values.
//! A column may be in another unit, which is then the end of its name (`temp_max_f`).

use crate::ingest::parsed::{Content, ReadError};
use provender_domain::day::Day;

use super::draft::{Draft, Gather, Given};
use super::fields;
use super::table::{Line, Table};
use super::units::Unit;

/// A column of the file and the catalogue column it fills.
pub(super) struct Target {
    /// Index in the file.
    pub(super) index: usize,
    /// Catalogue name.
    pub(super) column: String,
    /// Unit in the file.
    pub(super) from: Unit,
    /// The catalogue's unit.
    pub(super) to: Unit,
}

/// A spelling that a file may use: (column in the file, catalogue name, unit in the file, catalogue unit).
pub(super) type Spelling = (&'static str, &'static str, Unit, Unit);

/// The targets among `spellings` that the table has.
///
/// # Errors
/// When two columns of the table fill the same catalogue column.
pub(super) fn targets(
    table: &Table,
    spellings: &[Spelling],
    draft: &Draft<'_>,
) -> Result<Vec<Target>, ReadError> {
    let mut targets: Vec<Target> = Vec::new();
    for (name, column, from, to) in spellings {
        let Some(index) = table.column(name) else {
            continue;
        };
        if let Some(other) = targets.iter().find(|t| t.column == *column) {
            let other = table.names.get(other.index).map_or("", String::as_str);
            return Err(draft.refuse(format!(
                "the columns `{other}` and `{name}` both give {column}; keep one"
            )));
        }
        targets.push(Target {
            index,
            column: (*column).to_owned(),
            from: *from,
            to: *to,
        });
    }
    Ok(targets)
}

/// The place of each row, from its own column or from the options.
pub(super) struct Places {
    column: Option<usize>,
    given: Option<String>,
}

impl Places {
    /// # Errors
    /// If neither the table nor the options give a place.
    pub(super) fn new(table: &Table, draft: &Draft<'_>) -> Result<Places, ReadError> {
        let column = table.first_of(&["boundary_id", "pasture_id"]);
        let given = match (column, &draft.options.boundary) {
            (None, _) => Some(draft.place()?),
            (Some(_), given) => given.as_deref().map(|g| g.trim().to_owned()),
        };
        Ok(Places { column, given })
    }

    /// Index of the place's column.
    pub(super) fn column(&self) -> Option<usize> {
        self.column
    }

    /// The place of a row; `None` if the row was refused.
    pub(super) fn of<'a>(&'a self, line: Line<'a>, draft: &mut Draft<'_>) -> Option<&'a str> {
        let own = self.column.map_or("", |c| line.cell(c));
        let problem = match (own, self.given.as_deref()) {
            ("", Some(given)) => return Some(given),
            ("", None) => Some("is missing".to_owned()),
            (own, Some(given)) if own != given => Some(format!(
                "is not {given}, the boundary that was given for this file"
            )),
            (own, _) => fields::id_problem(own),
        };
        match problem {
            None => Some(own),
            Some(problem) => {
                draft.bad(line.line, "boundary_id", Some(own), problem);
                None
            }
        }
    }
}

/// The date in a cell; `None` if the row was refused.
pub(super) fn date(line: Line<'_>, column: usize, draft: &mut Draft<'_>) -> Option<Day> {
    match fields::day(line.cell(column)) {
        Ok(day) => Some(day),
        Err(problem) => {
            draft.bad(line.line, "date", Some(line.cell(column)), problem);
            None
        }
    }
}

/// Converts the cell of a target and adds it to `gather`.
#[expect(clippy::too_many_arguments, reason = "what one value consists of")]
pub(super) fn put(
    table: &Table,
    line: Line<'_>,
    target: &Target,
    boundary: &str,
    date: Option<Day>,
    codes: &[f64],
    gather: &mut Gather,
    draft: &mut Draft<'_>,
) {
    let shown = line.cell(target.index);
    let field = table.names.get(target.index).map_or("", String::as_str);
    let value = match fields::optional_number(shown, codes) {
        Ok(None) => None,
        Ok(Some(x)) => match target.from.convert(x, target.to) {
            Some(x) => Some(x),
            None => {
                draft.bad(
                    line.line,
                    field,
                    Some(shown),
                    "cannot be converted to this column's unit",
                );
                return;
            }
        },
        Err(problem) => {
            draft.bad(line.line, field, Some(shown), problem);
            return;
        }
    };
    let given = Given {
        row: line.line,
        field,
        shown,
        read_as: target.from.name(),
        boundary,
        column: &target.column,
        date,
        value,
    };
    gather.put(draft, &given);
}

/// Reads a whole file with the columns place, perhaps `date`, and values.
///
/// # Errors
/// If it has no place, no date although it is `dated`, or no value column.
pub(super) fn read(
    table: &Table,
    targets: &[Target],
    dated: bool,
    draft: &mut Draft<'_>,
) -> Result<(usize, Content), ReadError> {
    let places = Places::new(table, draft)?;
    let date_column = match (dated, table.column("date")) {
        (false, _) => None,
        (true, Some(c)) => Some(c),
        (true, None) => return Err(draft.refuse("the header has no column `date`")),
    };
    let used: Vec<usize> = targets
        .iter()
        .map(|t| t.index)
        .chain(places.column())
        .chain(date_column)
        .collect();
    draft.warn_ignored("columns", &table.unused(&used));
    if targets.is_empty() {
        return Err(draft.refuse("the header has no known column of values"));
    }
    let mut gather = Gather::default();
    for line in table.rows.iter() {
        let place = places.of(line, draft);
        let day = match date_column {
            None => Some(None),
            Some(c) => date(line, c, draft).map(Some),
        };
        if let (Some(place), Some(day)) = (place, day) {
            for target in targets {
                put(table, line, target, place, day, &[], &mut gather, draft);
            }
        }
    }
    Ok((table.count, gather.into_content(draft)))
}
