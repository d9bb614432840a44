//! A CSV file of cases, one per row; the format is described in `docs/reference/golden-cases.md`.

use provender_domain::description::Description;
use provender_domain::number;
use provender_domain::value::{Scalar, Value};

use super::case::{Case, Expectation, Expected};
use super::cell;
use super::error::{GoldenError, SourceLine};
use super::set::{Head, binds};
use super::toml_file::{MINUS_ZERO, no_output, no_parameter, tolerance};

/// What a column of the file is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Case,
    Versions,
    Since,
    Fails,
    Input(String),
    Parameter(String),
    Output(String),
    Tolerance(String),
}

impl Column {
    fn parse(head: &str) -> Option<Column> {
        Some(match head {
            "case" => Column::Case,
            "versions" => Column::Versions,
            "since" => Column::Since,
            "fails" => Column::Fails,
            other => {
                let (kind, name) = other.split_once('.').filter(|(_, name)| !name.is_empty())?;
                let name = name.to_owned();
                match kind {
                    "in" => Column::Input(name),
                    "param" => Column::Parameter(name),
                    "out" => Column::Output(name),
                    "tolerance" => Column::Tolerance(name),
                    _ => return None,
                }
            }
        })
    }
}

/// The file, its rows as texts.
#[derive(Debug)]
pub(super) struct CsvFile {
    file: String,
    heads_row: Vec<String>,
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    pub(super) heads: Vec<Head>,
}

impl CsvFile {
    pub(super) fn parse(file: &str, text: &str) -> Result<CsvFile, GoldenError> {
        let bad = |e: csv::Error| GoldenError::Parse {
            file: file.to_owned(),
            format: "CSV",
            cause: e.to_string(),
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let heads_row: Vec<String> = reader
            .headers()
            .map_err(bad)?
            .iter()
            .map(str::to_owned)
            .collect();
        let mut parsed = CsvFile {
            file: file.to_owned(),
            columns: Vec::new(),
            heads_row,
            rows: Vec::new(),
            heads: Vec::new(),
        };
        parsed.columns = parsed.read_columns()?;
        for record in reader.records() {
            let record = record.map_err(bad)?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a line of a text that is held in memory"
            )]
            let line = record.position().map_or(0, csv::Position::line) as usize;
            parsed.rows.push(record.iter().map(str::to_owned).collect());
            let head = parsed.head(line)?;
            parsed.heads.push(head);
        }
        Ok(parsed)
    }

    fn no(&self, line: usize, column: &str, problem: impl Into<String>) -> GoldenError {
        GoldenError::Field {
            place: SourceLine {
                file: self.file.clone(),
                line,
            },
            field: format!("column {column}"),
            problem: problem.into(),
        }
    }

    fn read_columns(&self) -> Result<Vec<Column>, GoldenError> {
        let mut columns: Vec<Column> = Vec::new();
        for head in &self.heads_row {
            let column = Column::parse(head).ok_or_else(|| {
                self.no(
                    1,
                    &format!("`{head}`"),
                    "columns are case, versions, since, fails, in.NAME, param.NAME, out.NAME and tolerance.NAME",
                )
            })?;
            if columns.contains(&column) {
                return Err(self.no(1, head, "this column occurs twice"));
            }
            columns.push(column);
        }
        if !columns.contains(&Column::Case) {
            return Err(self.no(
                1,
                "case",
                "the column with the names of the cases is missing",
            ));
        }
        Ok(columns)
    }

    /// The field of a row in a column; empty where there is no such column.
    fn field(&self, row: usize, column: &Column) -> &str {
        let at = self.columns.iter().position(|c| c == column);
        at.and_then(|i| self.rows[row].get(i))
            .map_or("", String::as_str)
    }

    /// The head of the row that was read last.
    fn head(&self, line: usize) -> Result<Head, GoldenError> {
        let row = self.rows.len() - 1;
        let name = self.field(row, &Column::Case);
        if name.is_empty() {
            return Err(self.no(line, "case", "it is empty: a case needs a name of its own"));
        }
        let versions: Vec<String> = self
            .field(row, &Column::Versions)
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect();
        let since = self.field(row, &Column::Since);
        Ok(Head {
            name: name.to_owned(),
            place: SourceLine {
                file: self.file.clone(),
                line,
            },
            binds: binds(
                (!versions.is_empty()).then_some(versions.as_slice()),
                (!since.is_empty()).then_some(since),
            )
            .map_err(|problem| self.no(line, "versions", problem))?,
        })
    }

    /// Row `index` for a declaration.
    pub(super) fn read(&self, index: usize, d: &Description) -> Result<Case, GoldenError> {
        let head = &self.heads[index];
        let inputs = d
            .inputs
            .iter()
            .map(|i| self.input(index, &i.field.name, i.field.data_type, d))
            .collect::<Result<_, _>>()?;
        Ok(Case {
            name: head.name.clone(),
            place: head.place.clone(),
            inputs,
            parameters: self.parameters(index, d)?,
            expect: self.expectation(index, d)?,
        })
    }

    fn input(
        &self,
        row: usize,
        name: &str,
        data_type: provender_domain::value::DataType,
        d: &Description,
    ) -> Result<Value, GoldenError> {
        let column = Column::Input(name.to_owned());
        if !self.columns.contains(&column) {
            // A misspelled column would be null in every case.
            let problem = format!("{} reads this input; add the column", d.model_version());
            return Err(self.no(1, &format!("in.{name}"), problem));
        }
        match self.field(row, &column) {
            "" | "null" => Ok(Value::Null),
            text => cell::of_text(text, data_type).map_err(|problem| {
                self.no(self.heads[row].place.line, &format!("in.{name}"), problem)
            }),
        }
    }

    /// The fields of a row that are not empty, in the columns that `pick` selects.
    fn filled<'s>(
        &'s self,
        row: usize,
        pick: impl Fn(&'s Column) -> Option<&'s String> + 's,
    ) -> impl Iterator<Item = (&'s str, &'s str)> + 's {
        self.columns
            .iter()
            .zip(&self.rows[row])
            .filter_map(move |(column, text)| Some((pick(column)?.as_str(), text.as_str())))
            .filter(|(_, text)| !text.is_empty())
    }

    fn parameters(&self, row: usize, d: &Description) -> Result<Vec<Scalar>, GoldenError> {
        let line = self.heads[row].place.line;
        let mut values: Vec<Scalar> = d.parameters.iter().map(|p| p.default.clone()).collect();
        let named = self.filled(row, |c| match c {
            Column::Parameter(name) => Some(name),
            _ => None,
        });
        for (name, text) in named {
            let column = format!("param.{name}");
            let Some(i) = d.parameters.iter().position(|p| p.name == name) else {
                return Err(self.no(line, &column, no_parameter(d, name)));
            };
            let value = cell::of_text(text, d.parameters[i].default.data_type())
                .map_err(|problem| self.no(line, &column, problem))?;
            values[i] = cell::scalar(value)
                .ok_or_else(|| self.no(line, &column, "a parameter is one value"))?;
        }
        Ok(values)
    }

    fn expectation(&self, row: usize, d: &Description) -> Result<Expectation, GoldenError> {
        let line = self.heads[row].place.line;
        let mut expected: Vec<Expected> = Vec::new();
        let outputs = self.filled(row, |c| match c {
            Column::Output(name) => Some(name),
            _ => None,
        });
        for (name, text) in outputs {
            let column = format!("out.{name}");
            let Some(output) = d.outputs.iter().position(|o| o.field.name == name) else {
                return Err(self.no(line, &column, no_output(d, name)));
            };
            if number::parse(text).is_some_and(|x| x == 0.0 && x.is_sign_negative()) {
                return Err(self.no(line, &column, MINUS_ZERO));
            }
            let value = match text {
                "null" => Value::Null,
                text => cell::of_text(text, d.outputs[output].field.data_type)
                    .map_err(|problem| self.no(line, &column, problem))?,
            };
            expected.push(Expected {
                output,
                value,
                tolerance: None,
            });
        }
        let slacks = self.filled(row, |c| match c {
            Column::Tolerance(name) => Some(name),
            _ => None,
        });
        for (name, text) in slacks {
            let found = expected
                .iter_mut()
                .find(|e| d.outputs[e.output].field.name == name);
            tolerance(found, number::parse(text)).map_err(|problem| {
                self.no(
                    line,
                    &format!("tolerance.{name}"),
                    format!("`{text}`: {problem}"),
                )
            })?;
        }
        match (self.field(row, &Column::Fails), expected.is_empty()) {
            ("", true) => Err(GoldenError::Incomplete {
                place: self.heads[row].place.clone(),
                case: self.heads[row].name.clone(),
                fields: "an out. column or fails",
            }),
            ("", false) => Ok(Expectation::Outputs(expected)),
            (text, true) => Ok(Expectation::Failure(text.to_owned())),
            (_, false) => Err(self.no(line, "fails", "a case that fails gives no outputs")),
        }
    }
}
