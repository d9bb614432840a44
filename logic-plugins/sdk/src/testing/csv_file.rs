//! A CSV file of cases, a row each, turned into what a TOML file would say.
//!
//! Columns: `case`, `versions` (separated by spaces), `since`, `fails`, `in.NAME`, `param.NAME`,
//! `out.NAME`, `tolerance.NAME`. Empty is null in `in.`, the default in `param.`, not compared in
//! `out.`; `null` in `out.` must be null. A series is `2025-06-01=-1.5 2025-06-02=0`.

use toml::{Table, Value};

use crate::contract::{DataType, Description, Scalar};

/// The file as the table that `cases` reads.
pub(super) fn read(text: &str, d: &Description) -> Result<Table, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let heads = reader.headers().map_err(|e| e.to_string())?.clone();
    let inputs = heads.iter().filter_map(|h| h.strip_prefix("in."));
    let columns = inputs.map(Value::from).collect();
    let mut cases = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let fields = heads
            .iter()
            .zip(record.iter())
            .filter(|(_, f)| !f.is_empty());
        let mut case = Table::new();
        for (head, field) in fields {
            take(&mut case, head, field, d)
                .map_err(|e| format!("line {line}, column {head}: {e}"))?;
        }
        cases.push(Value::Table(case));
    }
    let mut table = Table::new();
    table.insert("columns".into(), Value::Array(columns));
    table.insert("case".into(), Value::Array(cases));
    Ok(table)
}

fn take(case: &mut Table, head: &str, field: &str, d: &Description) -> Result<(), String> {
    let mut within = |group: &str, name: &str, value: Value| {
        let table = case
            .entry(group)
            .or_insert_with(|| Value::Table(Table::new()));
        if let Some(table) = table.as_table_mut() {
            table.insert(name.to_owned(), value);
        }
    };
    let (kind, name) = head.split_once('.').unwrap_or((head, ""));
    match (kind, name) {
        ("case", "") => drop(case.insert("name".into(), field.into())),
        ("since" | "fails", "") => drop(case.insert(head.into(), field.into())),
        ("versions", "") => {
            let versions = field.split_ascii_whitespace().map(Value::from).collect();
            case.insert(head.into(), Value::Array(versions));
        }
        ("in", _) if field == "null" => {}
        ("in", _) => {
            // An input of another version stays as it is written: this one does not read it.
            if let Some(i) = d.inputs.iter().find(|i| i.field.name == name) {
                within("inputs", name, value(field, i.field.data_type)?);
            }
        }
        ("param", _) => {
            let declared = d.parameters.iter().find(|p| p.name == name);
            let data_type = declared.map_or(DataType::Text, |p| match p.default {
                Scalar::Float64(_) => DataType::Float64,
                Scalar::Int64(_) => DataType::Int64,
                Scalar::Boolean(_) => DataType::Boolean,
                Scalar::Date(_) => DataType::Date,
                Scalar::Text(_) => DataType::Text,
            });
            within("parameters", name, value(field, data_type)?);
        }
        ("out", _) if field == "null" => {
            let null = case
                .entry("null")
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Some(null) = null.as_array_mut() {
                null.push(name.into());
            }
        }
        ("out", _) => {
            let declared = d.outputs.iter().find(|o| o.field.name == name);
            let data_type = declared.map_or(DataType::Text, |o| o.field.data_type);
            within("expect", name, value(field, data_type)?);
        }
        ("tolerance", _) => within("tolerance", name, value(field, DataType::Float64)?),
        _ => return Err("the column is unknown".into()),
    }
    Ok(())
}

fn value(field: &str, kind: DataType) -> Result<Value, String> {
    let bad = || format!("`{field}` is not a value of the type {kind:?}");
    Ok(match kind {
        DataType::Int64 => Value::Integer(field.parse().map_err(|_| bad())?),
        DataType::Boolean => Value::Boolean(field.parse().map_err(|_| bad())?),
        DataType::Series => {
            let point = |p: &str| {
                let (day, x) = p.split_once('=')?;
                Some(Value::Array(vec![day.into(), x.into()]))
            };
            let points = field.split_ascii_whitespace().map(point);
            Value::Array(points.collect::<Option<_>>().ok_or_else(bad)?)
        }
        // Numbers and dates may be texts in TOML too.
        DataType::Float64 | DataType::Date | DataType::Text => field.into(),
    })
}
