//! Dated numbers that the deployment declares: `boundary_id,date,<column of a [[series]]>`.

use crate::ingest::parsed::{Kind, ReadError};

use super::columns::{self, Target};
use super::draft::Draft;
use super::formats::{Form, Reader, Taken};
use super::table::Table;
use super::units::Unit;

/// The declared series among the table's columns.
///
/// # Errors
/// When two of its columns give the same series.
pub(super) fn targets(table: &Table, draft: &Draft<'_>) -> Result<Vec<Target>, ReadError> {
    let mut targets: Vec<Target> = Vec::new();
    for (name, column) in &draft.options.series {
        let Some(index) = table.column(name.trim()) else {
            continue;
        };
        if targets
            .iter()
            .any(|t| t.column == *column && t.index != index)
        {
            return Err(draft.refuse(format!("two columns give the series {column}; keep one")));
        }
        targets.push(Target {
            index,
            column: column.clone(),
            from: Unit::AsDeclared,
            to: Unit::AsDeclared,
        });
    }
    Ok(targets)
}

/// The format's entry in the table of readers.
pub(super) const READER: Reader = Reader {
    name: "series-csv",
    kind: Kind::Series,
    sign: "columns date and one declared by [[series]]",
    form: Form::Text {
        is: |head| {
            let mut declared = head.options.series.iter();
            head.has("date") && declared.any(|(name, _)| head.has(name.trim()))
        },
        read,
    },
};

/// Reads a CSV of declared series.
fn read(text: &str, draft: &mut Draft<'_>) -> Taken {
    let table = Table::read(text, 1, draft)?;
    let targets = targets(&table, draft)?;
    if targets.is_empty() {
        let declared: Vec<&str> = draft
            .options
            .series
            .iter()
            .map(|(n, _)| n.as_str())
            .collect();
        return Err(draft.refuse(if declared.is_empty() {
            "no [[series]] in sources.toml is declared for this file".to_owned()
        } else {
            format!(
                "has the columns {}, but none of the declared series {}",
                table.names.join(", "),
                declared.join(", ")
            )
        }));
    }
    columns::read(&table, &targets, true, draft)
}

#[cfg(test)]
mod tests {
    use crate::ingest::parsed::{Format, Kind, ReadOptions};
    use crate::ingest::readers::testing::{near, refusal, value};

    #[test]
    fn declared_columns_are_read_and_others_are_not() {
        let options = ReadOptions {
            kind: Some(Kind::Series),
            series: vec![("Soil Moisture".to_owned(), "soil_moisture_pct".to_owned())],
            ..ReadOptions::default()
        };
        let text = b"boundary_id,date,soil moisture,temp_max_c\nn,2025-05-01,\"1,234.5\",3\n";
        let reading = super::super::read(text, &options).unwrap();
        assert_eq!(reading.format, Format::parse("series-csv").unwrap());
        near(value(&reading, "soil_moisture_pct", "2025-05-01"), 1234.5);
        assert_eq!(reading.warnings, ["ignored columns: temp_max_c"]);
        let forced = ReadOptions {
            format: Format::parse("series-csv"),
            series: Vec::new(),
            ..options
        };
        let message = refusal(super::super::read(text, &forced));
        assert!(message.contains("[[series]]"), "{message}");
    }
}
