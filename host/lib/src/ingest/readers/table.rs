//! CSV tables. Columns are looked up by trimmed name, ignoring case. Every row has its line number. Rows with
//! another number of cells than the header are refused: an unquoted thousands separator looks like that.

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::ingest::parsed::ReadError;

use super::draft::{Draft, counted};

/// A table of text.
pub(super) struct Table {
    /// Column names as the file spells them, trimmed.
    pub(super) names: Vec<String>,
    /// Data rows, those of another length left out.
    pub(super) rows: CsvRows,
    /// How many data rows the file has, bad ones included.
    pub(super) count: usize,
}

/// The cells of all rows in one text, so that a million rows need three allocations, not three million.
#[derive(Default)]
pub(super) struct CsvRows {
    text: String,
    /// End of each cell in `text`, row by row.
    ends: Vec<usize>,
    /// 1-based line of each row.
    lines: Vec<u32>,
    width: usize,
}

impl CsvRows {
    fn push(&mut self, line: u32, cells: &StringRecord) {
        for cell in cells {
            self.text.push_str(cell.trim());
            self.ends.push(self.text.len());
        }
        self.lines.push(line);
    }

    /// The rows in the file's order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Line<'_>> {
        let numbers = self.lines.iter().enumerate();
        numbers.map(|(n, line)| Line {
            line: *line,
            first: n * self.width,
            rows: self,
        })
    }
}

/// A row of the table.
#[derive(Clone, Copy)]
pub(super) struct Line<'t> {
    /// 1-based line of the file.
    pub(super) line: u32,
    /// Index of its first cell.
    first: usize,
    rows: &'t CsvRows,
}

impl<'t> Line<'t> {
    /// The trimmed cell of a column.
    pub(super) fn cell(&self, column: usize) -> &'t str {
        if column >= self.rows.width {
            return "";
        }
        let ends = &self.rows.ends;
        let at = self.first + column;
        let from = at.checked_sub(1).map_or(0, |before| ends[before]);
        &self.rows.text[from..ends[at]]
    }
}

/// The column names in the first line that is not blank; `None` if all lines are blank.
pub(super) fn header(text: &str) -> Option<Vec<String>> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let record = reader.records().next()?.ok()?;
    Some(record.iter().map(ToOwned::to_owned).collect())
}

/// Counts lines while a file is read. The CSV parser counts only up to the end of the previous record, which is
/// wrong after CRLF and blank lines.
struct Lines<'t> {
    text: &'t [u8],
    byte: usize,
    line: u32,
}

impl Lines<'_> {
    /// The line of the record that begins at or after `byte`.
    fn at(&mut self, byte: u64) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a place in a text that is held in memory"
        )]
        let byte = (byte as usize).max(self.byte);
        let ends = self.text[self.byte..byte].iter().filter(|b| **b == b'\n');
        self.line += counted::<u32>(ends.count());
        self.byte = byte;
        while let Some(next @ (b'\r' | b'\n')) = self.text.get(self.byte) {
            self.line += u32::from(*next == b'\n');
            self.byte += 1;
        }
        self.line
    }
}

impl Table {
    /// Reads `text`, whose first line is line `first_line` of the file.
    ///
    /// # Errors
    /// If there is no header, or a name occurs in it twice.
    pub(super) fn read(
        text: &str,
        first_line: u32,
        draft: &mut Draft<'_>,
    ) -> Result<Table, ReadError> {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut cells = StringRecord::new();
        match reader.read_record(&mut cells) {
            Ok(true) => {}
            Ok(false) => return Err(draft.refuse("the file is empty")),
            Err(e) => return Err(draft.refuse(format!("the header cannot be read: {e}"))),
        }
        // Trimmed here, because the CSV reader would copy every record to trim it.
        let names: Vec<String> = cells.iter().map(|c| c.trim().to_owned()).collect();
        for (i, name) in names.iter().enumerate() {
            let again = names
                .iter()
                .take(i)
                .any(|earlier| earlier.eq_ignore_ascii_case(name));
            if again && !name.is_empty() {
                return Err(draft.refuse(format!("the header names `{name}` twice")));
            }
        }
        let mut count = 0;
        let mut rows = CsvRows {
            width: names.len(),
            ..CsvRows::default()
        };
        rows.text.reserve(text.len());
        let mut lines = Lines {
            text: text.as_bytes(),
            byte: 0,
            line: first_line,
        };
        loop {
            match reader.read_record(&mut cells) {
                Ok(true) => count += 1,
                Ok(false) => break,
                Err(e) => return Err(draft.refuse(format!("a row cannot be read: {e}"))),
            }
            let line = lines.at(cells.position().map_or(0, csv::Position::byte));
            if cells.len() == names.len() {
                rows.push(line, &cells);
            } else if cells.iter().any(|c| !c.trim().is_empty()) {
                draft.bad(
                    line,
                    "",
                    None,
                    format!(
                        "has {} fields where the header has {}; a number with thousands separators needs quotes",
                        cells.len(),
                        names.len()
                    ),
                );
            } else {
                // Spreadsheets leave lines of separators or blanks at the end.
                count -= 1;
            }
        }
        Ok(Table { names, rows, count })
    }

    /// Index of the column `name`, ignoring case.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n.eq_ignore_ascii_case(name))
    }

    /// Index of the first of `names` that is a column.
    pub(super) fn first_of(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|n| self.column(n))
    }

    /// Named columns that are not among `used`.
    pub(super) fn unused(&self, used: &[usize]) -> Vec<String> {
        self.names
            .iter()
            .enumerate()
            .filter(|(i, name)| !name.is_empty() && !used.contains(i))
            .map(|(_, name)| name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::parsed::{BadRow, Content, Format, ReadOptions, Reading};

    fn read(text: &str) -> (Result<Table, ReadError>, Result<Reading, ReadError>) {
        let options = ReadOptions {
            file_name: "t.csv".to_owned(),
            ..ReadOptions::default()
        };
        let mut draft = Draft::new(&options);
        let table = Table::read(text, 1, &mut draft);
        let end = draft.finish(
            Format::parse("soil-csv").unwrap(),
            0,
            Content::Herds(Vec::new()),
        );
        (table, end)
    }

    #[test]
    fn columns_are_found_whatever_their_case_and_line_ends() {
        let (table, end) = read(" Date , ACRES\r\n2020-01-01,\"63,510\"\r\n\r\n2020-01-02, 7 \r\n");
        let table = table.unwrap();
        assert!(end.is_ok());
        let acres = table.column("acres").unwrap();
        let cells: Vec<_> = table.rows.iter().map(|r| (r.line, r.cell(acres))).collect();
        assert_eq!(cells, [(2, "63,510"), (4, "7")]);
        assert_eq!(table.column("DATE"), Some(0));
    }

    #[test]
    fn a_row_of_another_length_is_named_by_its_line() {
        let (_, end) = read("a,b\n1,2\n3,63,510\n");
        let Err(ReadError::Rows { rows, .. }) = end else {
            panic!("taken")
        };
        let BadRow { row, problem, .. } = &rows[0];
        assert_eq!(*row, 3);
        assert!(problem.contains("3 fields"), "{problem}");
    }

    #[test]
    fn a_duplicate_name_is_refused() {
        let (table, _) = read("date,Date\n");
        assert!(table.err().unwrap().to_string().contains("twice"));
    }
}
