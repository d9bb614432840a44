//! The columns of a pack: the parts in which its manifests differ.

use super::body::{BodyReader, BodyWriter};
use super::cells::day;
use super::header::{self, Header};
use provender_domain::column::{Column, ColumnData, index, led};
use provender_domain::day::Day;
use provender_domain::ids::{BoundaryId, HerdId};
use provender_domain::key::{ConfigVersion, RunKey};
use provender_domain::value::{DataType, Value};

/// The observations behind the values of one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Sources {
    /// Days from the newest contributing observation to the calculation date.
    pub age_days: Column,
    /// Row `i` has the observations `offsets[i]..offsets[i + 1]`, oldest first.
    pub offsets: Vec<u32>,
    /// For each observation, the file: an index into [`Header::files`].
    pub file: Vec<u32>,
    /// For each observation, its 1-based row in that file.
    pub row: Vec<u32>,
    /// For each observation, its day.
    pub date: Column,
    /// For each observation, its value.
    pub value: Column,
}

/// An observation that contributed to a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SourceObservation {
    /// An index into [`Header::files`].
    pub file: u32,
    /// 1-based row of the file.
    pub row: u32,
    /// The day, if it has one.
    pub date: Option<Day>,
    /// The value, if it is a number.
    pub value: Option<f64>,
}

/// The rows of a pack.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    len: usize,
    boundary_id: Column,
    herd_config_id: Column,
    date: Vec<i32>,
    reissue: Vec<u32>,
    replaces: Column,
    /// Inputs in declared order.
    pub inputs: Vec<Column>,
    /// For each input, the observations behind it.
    pub sources: Vec<Sources>,
    /// Outputs in declared order.
    pub outputs: Vec<Column>,
    breached_offsets: Vec<u32>,
    breached: Vec<u32>,
    provenance: Vec<[u8; 32]>,
}

#[expect(clippy::expect_used, reason = "a pack is cut long before")]
fn count(n: usize) -> u32 {
    u32::try_from(n).expect("a pack has fewer than 2^32 of anything")
}

impl Sources {
    fn slice(&self, from: usize, to: usize) -> Sources {
        let (offsets, seen) = led(&self.offsets, from..to);
        Sources {
            age_days: self.age_days.slice(from, to),
            offsets,
            file: self.file[seen.clone()].to_vec(),
            row: self.row[seen.clone()].to_vec(),
            date: self.date.slice(seen.start, seen.end),
            value: self.value.slice(seen.start, seen.end),
        }
    }

    fn new() -> Sources {
        Sources {
            age_days: Column::new(DataType::Int64),
            offsets: vec![0],
            file: Vec::new(),
            row: Vec::new(),
            date: Column::new(DataType::Date),
            value: Column::new(DataType::Float64),
        }
    }

    /// The range of a row's observations.
    #[must_use]
    pub fn range(&self, i: usize) -> std::ops::Range<usize> {
        let at = |i: usize| self.offsets.get(i).map_or(0, |o| index(*o));
        at(i)..at(i + 1)
    }

    /// Appends a row.
    pub fn push(&mut self, age_days: Option<i32>, seen: impl Iterator<Item = SourceObservation>) {
        self.age_days
            .push(&age_days.map_or(Value::Null, |a| Value::Int64(i64::from(a))));
        for s in seen {
            self.file.push(s.file);
            self.row.push(s.row);
            self.date.push(&s.date.map_or(Value::Null, Value::Date));
            self.value
                .push(&s.value.map_or(Value::Null, Value::Float64));
        }
        self.offsets.push(count(self.file.len()));
    }
}

impl Rows {
    /// No rows, with columns for these inputs and outputs.
    #[must_use]
    pub fn new(inputs: &[header::Column], outputs: &[header::Column]) -> Rows {
        let columns = |of: &[header::Column]| of.iter().map(|c| Column::new(c.data_type)).collect();
        Rows {
            len: 0,
            boundary_id: Column::new(DataType::Text),
            herd_config_id: Column::new(DataType::Text),
            date: Vec::new(),
            reissue: Vec::new(),
            replaces: Column::new(DataType::Text),
            inputs: columns(inputs),
            sources: inputs.iter().map(|_| Sources::new()).collect(),
            outputs: columns(outputs),
            breached_offsets: vec![0],
            breached: Vec::new(),
            provenance: Vec::new(),
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a row's key. Append its inputs, sources, outputs, provenance and breaches separately: all columns
    /// must have the same length when the pack is encoded.
    pub fn push_key(
        &mut self,
        (boundary_id, herd_config_id, day): (&BoundaryId, &HerdId, Day),
        reissue: u32,
        replaces: Option<&ConfigVersion>,
    ) {
        self.len += 1;
        self.boundary_id.push_text(boundary_id);
        self.herd_config_id.push_text(herd_config_id);
        self.date.push(day.days());
        self.reissue.push(reissue);
        self.replaces
            .push(&replaces.map_or(Value::Null, |v| Value::Text(v.to_string())));
    }

    /// Appends a row's provenance.
    pub fn push_provenance(&mut self, digest: [u8; 32]) {
        self.provenance.push(digest);
    }

    /// Appends the guardrails that a row breaches, as indexes into the configuration's list.
    pub fn push_breached(&mut self, rails: impl Iterator<Item = u32>) {
        self.breached.extend(rails);
        self.breached_offsets.push(count(self.breached.len()));
    }

    /// The boundary of a row.
    #[must_use]
    pub fn boundary_id(&self, i: usize) -> &str {
        self.boundary_id.text(i)
    }

    /// The herd of a row.
    #[must_use]
    pub fn herd_config_id(&self, i: usize) -> &str {
        self.herd_config_id.text(i)
    }

    /// The calculation date of a row.
    #[must_use]
    pub fn day(&self, i: usize) -> Day {
        day(self.date[i])
    }

    /// The reissue number of a row.
    #[must_use]
    pub fn reissue(&self, i: usize) -> u32 {
        self.reissue[i]
    }

    /// The configuration version that a row replaces.
    #[must_use]
    pub fn replaces(&self, i: usize) -> Option<&str> {
        (!self.replaces.is_null(i)).then(|| self.replaces.text(i))
    }

    /// The provenance of a row.
    #[must_use]
    pub fn provenance(&self, i: usize) -> [u8; 32] {
        self.provenance[i]
    }

    /// The guardrails that a row breaches.
    #[must_use]
    pub fn breached(&self, i: usize) -> &[u32] {
        let at = |i: usize| index(self.breached_offsets[i]);
        &self.breached[at(i)..at(i + 1)]
    }

    /// The key of a row.
    #[must_use]
    pub fn key(&self, header: &Header, i: usize) -> RunKey {
        RunKey {
            boundary_id: BoundaryId::unchecked(self.boundary_id(i)),
            herd_config_id: HerdId::unchecked(self.herd_config_id(i)),
            calculation_date: self.day(i),
            model_version: header.model_version(),
            config_version: ConfigVersion {
                config: header.config_version,
                reissue: self.reissue(i),
            },
        }
    }

    /// Splits the rows into parts of about the same size, of at most `most` rows each.
    #[must_use]
    pub fn parts(&self, most: usize) -> Vec<Rows> {
        let parts = self.len.div_ceil(most.max(1)).max(1);
        let at = |n: usize| self.len * n / parts;
        (0..parts).map(|n| self.slice(at(n), at(n + 1))).collect()
    }

    /// The rows from `from` to before `to`.
    fn slice(&self, from: usize, to: usize) -> Rows {
        let columns = |of: &[Column]| of.iter().map(|c| c.slice(from, to)).collect();
        let (breached_offsets, breached) = led(&self.breached_offsets, from..to);
        Rows {
            len: to - from,
            boundary_id: self.boundary_id.slice(from, to),
            herd_config_id: self.herd_config_id.slice(from, to),
            date: self.date[from..to].to_vec(),
            reissue: self.reissue[from..to].to_vec(),
            replaces: self.replaces.slice(from, to),
            inputs: columns(&self.inputs),
            sources: self.sources.iter().map(|s| s.slice(from, to)).collect(),
            outputs: columns(&self.outputs),
            breached_offsets,
            breached: self.breached[breached].to_vec(),
            provenance: self.provenance[from..to].to_vec(),
        }
    }

    /// Approximate size of the columns in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let column = |c: &Column| match c.data() {
            ColumnData::Float64(v) => 8 * v.len(),
            ColumnData::Int64(v) => 8 * v.len(),
            ColumnData::Boolean(v) => v.len(),
            ColumnData::Date(v) => 4 * v.len(),
            ColumnData::Text { offsets, bytes } => 4 * offsets.len() + bytes.len(),
            ColumnData::Series { offsets, dates, .. } => 4 * offsets.len() + 12 * dates.len(),
        };
        let values: usize = self.inputs.iter().chain(&self.outputs).map(column).sum();
        let keys = column(&self.boundary_id) + column(&self.herd_config_id);
        let seen: usize = self.sources.iter().map(|s| 21 * s.file.len()).sum();
        values + keys + seen + self.len * (64 + 12 * self.sources.len())
    }

    pub(super) fn write(&self, w: &mut BodyWriter) -> Result<(), String> {
        w.column(&self.boundary_id)?;
        w.column(&self.herd_config_id)?;
        w.node(self.len, None)?;
        w.days(&self.date)?;
        w.node(self.len, None)?;
        w.words(&self.reissue)?;
        w.column(&self.replaces)?;
        w.node(self.len, None)?;
        w.buffer(self.provenance.as_flattened())?;
        w.node(self.len, None)?;
        w.offsets(&self.breached_offsets)?;
        w.node(self.breached.len(), None)?;
        w.words(&self.breached)?;
        for column in self.outputs.iter().chain(&self.inputs) {
            w.column(column)?;
        }
        for s in &self.sources {
            let seen = s.file.len();
            w.column(&s.age_days)?;
            w.node(self.len, None)?;
            w.offsets(&s.offsets)?;
            w.node(seen, None)?;
            for words in [&s.file, &s.row] {
                w.node(seen, None)?;
                w.words(words)?;
            }
            w.column(&s.date)?;
            w.column(&s.value)?;
        }
        Ok(())
    }

    pub(super) fn read(
        r: &mut BodyReader<'_>,
        header: &Header,
        rows: usize,
    ) -> Result<Rows, String> {
        let boundary_id = r.column(DataType::Text, rows)?;
        let herd_config_id = r.column(DataType::Text, rows)?;
        r.node(rows)?;
        let date = r.days(rows)?;
        r.node(rows)?;
        let reissue = r.words(rows)?;
        let replaces = r.column(DataType::Text, rows)?;
        r.node(rows)?;
        let provenance = r.hashes(rows)?;
        r.node(rows)?;
        let (breached_offsets, breached) = r.offsets(rows)?;
        r.node(breached)?;
        let breached = r.words(breached)?;
        let mut columns = |of: &[header::Column]| -> Result<Vec<Column>, String> {
            of.iter().map(|c| r.column(c.data_type, rows)).collect()
        };
        let outputs = columns(&header.outputs)?;
        let inputs = columns(&header.inputs)?;
        let files = count(header.files.len());
        let mut sources = Vec::with_capacity(inputs.len());
        for _ in &header.inputs {
            let age_days = r.column(DataType::Int64, rows)?;
            r.node(rows)?;
            let (offsets, seen) = r.offsets(rows)?;
            r.node(seen)?;
            r.node(seen)?;
            let file = r.words(seen)?;
            r.node(seen)?;
            let row = r.words(seen)?;
            if file.iter().any(|f| *f >= files) {
                return Err("a source names a file that is not in the header".to_owned());
            }
            sources.push(Sources {
                age_days,
                offsets,
                file,
                row,
                date: r.column(DataType::Date, seen)?,
                value: r.column(DataType::Float64, seen)?,
            });
        }
        match r.is_done() {
            true => Ok(Rows {
                len: rows,
                boundary_id,
                herd_config_id,
                date,
                reissue,
                replaces,
                inputs,
                sources,
                outputs,
                breached_offsets,
                breached,
                provenance,
            }),
            false => Err("its batch has too many columns or buffers".to_owned()),
        }
    }
}
