//! Entry numbers in statements and rows.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};

use crate::entry::EntryNumber;

impl ToSql for EntryNumber {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.get()))
    }
}

impl FromSql for EntryNumber {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<EntryNumber> {
        i64::column_result(value).map(EntryNumber::new)
    }
}
