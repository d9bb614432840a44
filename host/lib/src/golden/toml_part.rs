//! Reads a part of a TOML file of cases key by key, with the line that messages about it name.

use toml_edit::{Item, Table, TableLike};

use super::cell;
use super::error::{GoldenError, SourceLine};
use super::set::line_of;

/// Where messages about a part of the file point.
pub(super) struct At<'f> {
    pub(super) file: &'f str,
    pub(super) text: &'f str,
    /// `case `x`` or nothing.
    pub(super) owner: String,
    /// Where the owner begins, for parts without a span of their own.
    pub(super) start: usize,
}

impl At<'_> {
    pub(super) fn place(&self, item: Option<&Item>) -> SourceLine {
        let offset = item.and_then(Item::span).map_or(self.start, |s| s.start);
        SourceLine {
            file: self.file.to_owned(),
            line: line_of(self.text, offset),
        }
    }

    pub(super) fn no(
        &self,
        key: &str,
        item: Option<&Item>,
        problem: impl Into<String>,
    ) -> GoldenError {
        let field = match (self.owner.is_empty(), key.is_empty()) {
            (true, _) => key.to_owned(),
            (false, true) => self.owner.clone(),
            (false, false) => format!("{}: {key}", self.owner),
        };
        GoldenError::Field {
            place: self.place(item),
            field,
            problem: problem.into(),
        }
    }

    /// A list of texts, or a single text if `one` is set.
    pub(super) fn texts(
        &self,
        table: &dyn TableLike,
        key: &str,
        one: bool,
    ) -> Result<Vec<String>, GoldenError> {
        let Some(item) = table.get(key) else {
            return Ok(Vec::new());
        };
        if let (true, Some(text)) = (one, item.as_str()) {
            return Ok(vec![text.to_owned()]);
        }
        let texts = item.as_array().and_then(|all| {
            all.iter()
                .map(|v| v.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
        });
        texts.ok_or_else(|| {
            let wanted = if one { "a text" } else { "a list of texts" };
            self.no(
                key,
                Some(item),
                format!("{} is not {wanted}", written(item)),
            )
        })
    }

    pub(super) fn text(
        &self,
        table: &dyn TableLike,
        key: &str,
    ) -> Result<Option<String>, GoldenError> {
        let Some(item) = table.get(key) else {
            return Ok(None);
        };
        match item.as_str() {
            Some(text) if !text.trim().is_empty() => Ok(Some(text.to_owned())),
            _ => Err(self.no(
                key,
                Some(item),
                format!("{} is not a text, or is empty", written(item)),
            )),
        }
    }

    pub(super) fn table<'t>(
        &self,
        table: &'t dyn TableLike,
        key: &str,
    ) -> Result<Option<&'t dyn TableLike>, GoldenError> {
        table
            .get(key)
            .map(|item| {
                item.as_table_like().ok_or_else(|| {
                    self.no(
                        key,
                        Some(item),
                        format!("{} is not a table {{ name = value }}", written(item)),
                    )
                })
            })
            .transpose()
    }

    pub(super) fn known_keys(
        &self,
        table: &dyn TableLike,
        known: &[&str],
    ) -> Result<(), GoldenError> {
        match table.iter().find(|(key, _)| !known.contains(key)) {
            Some((key, item)) => Err(self.no(
                key,
                Some(item),
                format!("unknown key; the known keys are {}", known.join(", ")),
            )),
            None => Ok(()),
        }
    }
}

fn written(item: &Item) -> String {
    item.as_value()
        .map_or_else(|| "this table".to_owned(), cell::shown)
}

/// The tables of `[[key]]`.
pub(super) fn tables<'t>(
    at: &At<'_>,
    root: &'t Table,
    key: &str,
) -> Result<Vec<&'t dyn TableLike>, GoldenError> {
    match root.get(key) {
        None => Ok(Vec::new()),
        Some(Item::ArrayOfTables(all)) => Ok(all.iter().map(|t| t as &dyn TableLike).collect()),
        Some(item) => Err(at.no(key, Some(item), format!("write each as a [[{key}]] table"))),
    }
}

/// Where a `[[case]]` begins.
pub(super) fn start(root: &Table, key: &str, index: usize) -> usize {
    root.get(key)
        .and_then(Item::as_array_of_tables)
        .and_then(|all| all.get(index))
        .and_then(Table::span)
        .map_or(0, |span| span.start)
}
