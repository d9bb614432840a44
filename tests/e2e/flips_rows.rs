//! Rows of the ledger's tables, cell by cell, to be changed and restored.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

use crate::kit::Dice;

/// A cell with text as bytes, since a changed text need not be UTF-8.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl Cell {
    pub(crate) fn of(value: ValueRef<'_>) -> Cell {
        match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(i) => Cell::Integer(i),
            ValueRef::Real(x) => Cell::Real(x),
            ValueRef::Text(t) => Cell::Text(t.to_vec()),
            ValueRef::Blob(b) => Cell::Blob(b.to_vec()),
        }
    }

    fn bound(&self) -> Value {
        match self {
            Cell::Null => Value::Null,
            Cell::Integer(i) => Value::Integer(*i),
            Cell::Real(x) => Value::Real(*x),
            Cell::Text(b) | Cell::Blob(b) => Value::Blob(b.clone()),
        }
    }

    fn sql(&self, n: usize) -> String {
        match self {
            Cell::Text(_) => format!("CAST(?{n} AS TEXT)"),
            _ => format!("?{n}"),
        }
    }

    /// The cell with one bit flipped; a null becomes a value.
    pub(crate) fn flipped(&self, dice: &mut Dice) -> Cell {
        let flip = |bytes: &[u8], dice: &mut Dice| {
            let mut bytes = bytes.to_vec();
            if bytes.is_empty() {
                return vec![b'x'];
            }
            let at = dice.index(bytes.len());
            bytes[at] ^= 1_u8 << dice.index(8);
            bytes
        };
        match self {
            Cell::Null => Cell::Integer(1),
            Cell::Integer(i) => Cell::Integer(i ^ (1_i64 << dice.index(40))),
            Cell::Real(x) => Cell::Real(f64::from_bits(x.to_bits() ^ (1_u64 << dice.index(64)))),
            Cell::Text(t) => Cell::Text(flip(t, dice)),
            Cell::Blob(b) => Cell::Blob(flip(b, dice)),
        }
    }
}

/// A table's rows, in a fixed order.
pub(crate) fn rows(db: &Connection, table: &str) -> (Vec<String>, Vec<Vec<Cell>>) {
    let mut statement = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let rows = statement
        .query_map([], |r| {
            (0..names.len())
                .map(|i| Ok(Cell::of(r.get_ref(i)?)))
                .collect::<rusqlite::Result<Vec<Cell>>>()
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    (names, rows)
}

/// Replaces a row. Returns false if SQLite refuses, because another row has the key or the column does not
/// take the type.
pub(crate) fn put(
    db: &Connection,
    table: &str,
    names: &[String],
    from: &[Cell],
    to: &[Cell],
) -> bool {
    let list = |cells: &[Cell], between: &str, is: &str, first: usize| {
        let each = names.iter().zip(cells).enumerate();
        each.map(|(i, (name, cell))| format!("{name} {is} {}", cell.sql(first + i)))
            .collect::<Vec<_>>()
            .join(between)
    };
    let sql = format!(
        "UPDATE {table} SET {} WHERE {}",
        list(to, ", ", "=", 1),
        list(from, " AND ", "IS", 1 + to.len())
    );
    let values = to.iter().chain(from).map(Cell::bound);
    match db.execute(&sql, params_from_iter(values)) {
        Ok(n) => {
            assert_eq!(n, 1, "{sql}");
            true
        }
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => false,
        Err(e) => panic!("{sql}: {e}"),
    }
}

/// How SQLite stores a cell: NaN as null, −0.0 as 0.
pub(crate) fn read_back(
    db: &Connection,
    table: &str,
    names: &[String],
    row: &[Cell],
    column: usize,
) -> Cell {
    let kept = |cell: &Cell| match cell {
        Cell::Real(x) if x.is_nan() => Cell::Null,
        other => other.clone(),
    };
    let cells: Vec<Cell> = row.iter().map(kept).collect();
    let terms: Vec<String> = names
        .iter()
        .zip(&cells)
        .enumerate()
        .map(|(i, (name, cell))| format!("{name} IS {}", cell.sql(i + 1)))
        .collect();
    let sql = format!(
        "SELECT {} FROM {table} WHERE {}",
        names[column],
        terms.join(" AND ")
    );
    let values = cells.iter().map(Cell::bound);
    db.query_row(&sql, params_from_iter(values), |r| {
        Ok(Cell::of(r.get_ref(0)?))
    })
    .unwrap()
}
