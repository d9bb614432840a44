//! What is known of the places at a moment of the ledger, and the values that features take from it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::domain::catalogue::{Aggregate, FeatureRef, Origin, Window};
use crate::domain::day::Day;
use crate::domain::key::NO_HERD;
use crate::domain::periods::{self, Period};
use crate::domain::place::{Boundary, Herd};
use crate::domain::value::{Value, plain_zero};
use crate::ingest::compare::current_herds;
use crate::ledger::types::{File, Sourced};
use crate::ledger::{Ledger, LedgerError};

/// An observation that entered a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    /// Its day; `None` for what has no date of its own.
    pub date: Option<Day>,
    /// Its value, where it is a number.
    pub value: Option<f64>,
    /// The file.
    pub file_id: i64,
    /// 1-based row of the file.
    pub row: u32,
}

/// The value of one input of one run, with where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The value; null when nothing is known.
    pub value: Value,
    /// Days from the newest contributing observation to the calculation date.
    pub age_days: Option<i32>,
    /// What it was made of, oldest first.
    pub from: Vec<Contribution>,
}

impl Cell {
    fn plain(value: Value, file_id: i64, row: u32) -> Cell {
        Cell {
            value,
            age_days: None,
            from: vec![Contribution {
                date: None,
                value: None,
                file_id,
                row,
            }],
        }
    }

    fn null() -> Cell {
        Cell {
            value: Value::Null,
            age_days: None,
            from: Vec::new(),
        }
    }
}

/// A herd's row with the period in which it holds.
#[derive(Clone, Debug)]
pub struct HerdPeriod {
    /// The row.
    pub herd: Sourced<Herd>,
    /// When.
    pub period: Period,
}

/// A merged column: of each day the value of the source that wins, nodata left out.
#[derive(Debug, Default)]
struct Merged {
    points: Vec<(Option<Day>, f64, i64, u32)>,
}

/// What is known at one moment.
pub struct Facts<'l> {
    ledger: &'l dyn Ledger,
    known: i64,
    precedence: Vec<String>,
    boundaries: BTreeMap<String, Vec<(Day, Sourced<Boundary>)>>,
    herds: BTreeMap<String, Vec<HerdPeriod>>,
    files: HashMap<i64, File>,
    merged: RefCell<HashMap<(String, String), Rc<Merged>>>,
}

impl<'l> Facts<'l> {
    /// Reads boundaries, herds and files as known at entry `known`; observations follow on demand.
    /// `precedence` lists sources, the first wins; sources not in it come after, by name.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn load(
        ledger: &'l dyn Ledger,
        known: i64,
        precedence: Vec<String>,
    ) -> Result<Facts<'l>, LedgerError> {
        let mut boundaries: BTreeMap<String, Vec<(Day, Sourced<Boundary>)>> = BTreeMap::new();
        for (day, revision) in ledger.boundaries(None, known)? {
            boundaries
                .entry(revision.value.boundary_id.clone())
                .or_default()
                .push((day, revision));
        }
        let mut rows: BTreeMap<String, Vec<Sourced<Herd>>> = BTreeMap::new();
        for row in current_herds(ledger.herds(known)?) {
            rows.entry(row.value.herd_config_id.clone())
                .or_default()
                .push(row);
        }
        let mut herds = BTreeMap::new();
        for (id, rows) in rows {
            let plain: Vec<&Herd> = rows.iter().map(|r| &r.value).collect();
            let periods = periods::of_herd(&plain)
                .map_err(|_| LedgerError::Damaged(format!("herd {id} has overlapping periods")))?;
            let periods = periods.into_iter().map(|(i, period)| HerdPeriod {
                herd: rows[i].clone(),
                period,
            });
            herds.insert(id, periods.collect());
        }
        let files = ledger
            .files()?
            .into_iter()
            .map(|f| (f.file_id, f))
            .collect();
        Ok(Facts {
            ledger,
            known,
            precedence,
            boundaries,
            herds,
            files,
            merged: RefCell::default(),
        })
    }

    /// The entry up to which things are known.
    #[must_use]
    pub fn known(&self) -> i64 {
        self.known
    }

    /// A file by its number.
    #[must_use]
    pub fn file(&self, file_id: i64) -> Option<&File> {
        self.files.get(&file_id)
    }

    /// Ids of all boundaries.
    pub fn boundary_ids(&self) -> impl Iterator<Item = &str> {
        self.boundaries.keys().map(String::as_str)
    }

    /// The outline in force on a day: of those effective by then the latest, and of one day the one
    /// ingested last.
    #[must_use]
    pub fn boundary(&self, id: &str, day: Day) -> Option<&Sourced<Boundary>> {
        let revisions = self.boundaries.get(id)?;
        revisions
            .iter()
            .filter(|(from, _)| *from <= day)
            .max_by_key(|(from, s)| (*from, s.entry))
            .map(|(_, s)| s)
    }

    /// Every period of a herd.
    #[must_use]
    pub fn herd_periods(&self, herd_config_id: &str) -> &[HerdPeriod] {
        self.herds
            .get(herd_config_id)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Ids of all herds.
    pub fn herd_ids(&self) -> impl Iterator<Item = &str> {
        self.herds.keys().map(String::as_str)
    }

    /// The row of a herd that holds in a boundary on a day.
    #[must_use]
    pub fn herd(&self, herd_config_id: &str, boundary_id: &str, day: Day) -> Option<&HerdPeriod> {
        self.herd_periods(herd_config_id)
            .iter()
            .find(|h| h.herd.value.boundary_id == boundary_id && h.period.covers(day))
    }

    /// The (boundary, herd) pairs that are due on a day, by boundary and herd: every herd where its
    /// period covers the day, or every boundary for a logic that reads no herd.
    #[must_use]
    pub fn due(&self, day: Day, reads_herd: bool) -> Vec<(String, String)> {
        if !reads_herd {
            let holds = |id: &&String| self.boundary(id, day).is_some();
            return self
                .boundaries
                .keys()
                .filter(holds)
                .map(|id| (id.clone(), NO_HERD.to_owned()))
                .collect();
        }
        let mut due: Vec<(String, String)> = self
            .herds
            .iter()
            .flat_map(|(id, periods)| {
                periods
                    .iter()
                    .filter(|h| h.period.covers(day))
                    .map(|h| (h.herd.value.boundary_id.clone(), id.clone()))
            })
            .collect();
        due.sort();
        due
    }

    /// The first day on which anything at all is known of a boundary's column.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn first_observation(
        &self,
        boundary_id: &str,
        column: &str,
    ) -> Result<Option<Day>, LedgerError> {
        Ok(self
            .merged(boundary_id, column)?
            .points
            .first()
            .and_then(|p| p.0))
    }

    fn rank(&self, source: &str) -> usize {
        self.precedence
            .iter()
            .position(|s| s == source)
            .unwrap_or(self.precedence.len())
    }

    fn merged(&self, boundary_id: &str, column: &str) -> Result<Rc<Merged>, LedgerError> {
        let key = (boundary_id.to_owned(), column.to_owned());
        if let Some(m) = self.merged.borrow().get(&key) {
            return Ok(Rc::clone(m));
        }
        let mut points: Vec<(Option<Day>, f64, i64, u32)> = Vec::new();
        let said = self.ledger.observations(boundary_id, column, self.known)?;
        for same_day in said.chunk_by(|a, b| a.value.date == b.value.date) {
            // Of each source its last word; of the sources the first in precedence that has a value.
            let mut last: BTreeMap<(usize, &str), &Sourced<_>> = BTreeMap::new();
            for s in same_day {
                last.insert((self.rank(&s.value.source), &s.value.source), s);
            }
            if let Some((s, value)) = last.values().find_map(|s| s.value.value.map(|v| (s, v))) {
                points.push((s.value.date, value, s.file_id, s.row));
            }
        }
        let merged = Rc::new(Merged { points });
        self.merged.borrow_mut().insert(key, Rc::clone(&merged));
        Ok(merged)
    }

    /// The value that a reference takes for a boundary, herd and day. `season_start` is month and
    /// day, 1 January when DS set none.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn cell(
        &self,
        reference: &FeatureRef,
        origin: Origin,
        (boundary_id, herd_config_id): (&str, &str),
        day: Day,
        season_start: (i8, i8),
    ) -> Result<Cell, LedgerError> {
        match origin {
            Origin::Run => Ok(match reference.name.as_str() {
                "calculation_date" => Cell {
                    value: Value::Date(day),
                    age_days: None,
                    from: Vec::new(),
                },
                _ => Cell {
                    value: Value::Text(boundary_id.to_owned()),
                    age_days: None,
                    from: Vec::new(),
                },
            }),
            Origin::Boundary => Ok(self
                .boundary(boundary_id, day)
                .map_or_else(Cell::null, |s| {
                    let number =
                        |x: Option<f64>| x.map_or(Value::Null, |x| Value::Float64(plain_zero(x)));
                    let value = match reference.name.as_str() {
                        "area_ha" => number(Some(s.value.area_ha)),
                        _ => number(s.value.declared_area_ha),
                    };
                    Cell::plain(value, s.file_id, s.row)
                })),
            Origin::Herd => {
                Ok(self
                    .herd(herd_config_id, boundary_id, day)
                    .map_or_else(Cell::null, |h| {
                        Cell::plain(
                            herd_value(&h.herd.value, &reference.name),
                            h.herd.file_id,
                            h.herd.row,
                        )
                    }))
            }
            Origin::Static | Origin::Observation => {
                let merged = self.merged(boundary_id, &reference.name)?;
                Ok(aggregate(&merged.points, reference, day, season_start))
            }
        }
    }
}

fn herd_value(herd: &Herd, name: &str) -> Value {
    let number = |x: Option<f64>| x.map_or(Value::Null, |x| Value::Float64(plain_zero(x)));
    let text = |x: &Option<String>| x.clone().map_or(Value::Null, Value::Text);
    match name {
        "herd_config_id" => Value::Text(herd.herd_config_id.clone()),
        "animal_count" => number(herd.animal_count),
        "daily_intake_kg_per_head" => number(herd.daily_intake_kg_per_head),
        "average_weight_kg" => number(herd.average_weight_kg),
        "utilization_target_pct" => number(herd.utilization_target_pct),
        "animal_type" => text(&herd.animal_type),
        "animal_class" => text(&herd.class),
        "herd_effective_date" => Value::Date(herd.effective_date),
        _ => Value::Null,
    }
}

/// First day of the season that `day` lies in.
fn season(day: Day, (month, first): (i8, i8)) -> Day {
    let (year, _, _) = day.ymd();
    let this = Day::from_ymd(year, month, first);
    let before = Day::from_ymd(year - 1, month, first);
    this.filter(|d| *d <= day).or(before).unwrap_or(Day::MIN)
}

fn aggregate(
    points: &[(Option<Day>, f64, i64, u32)],
    reference: &FeatureRef,
    day: Day,
    season_start: (i8, i8),
) -> Cell {
    let from = match reference.window {
        Window::All => Day::MIN,
        Window::Days(n) => day
            .plus(1 - i32::try_from(n).unwrap_or(i32::MAX))
            .unwrap_or(Day::MIN),
        Window::Season => season(day, season_start),
    };
    // Undated properties sort first and always hold.
    let end = points.partition_point(|p| p.0.is_none_or(|d| d <= day));
    let start = points.partition_point(|p| p.0.is_some_and(|d| d < from));
    let window = points.get(start..end).unwrap_or_default();
    let newest = window.last();
    let age_days = newest.and_then(|p| p.0).map(|d| day.since(d));
    let value = match (reference.aggregate, newest) {
        (Aggregate::Count, _) => Value::Int64(i64::try_from(window.len()).unwrap_or(i64::MAX)),
        (_, None) => Value::Null,
        (Aggregate::Latest, Some(p)) => number(p.1),
        (Aggregate::Age, Some(_)) => age_days.map_or(Value::Null, |a| Value::Int64(i64::from(a))),
        (Aggregate::Sum, Some(_)) => number(sum(window)),
        #[expect(
            clippy::cast_precision_loss,
            reason = "a window has far fewer than 2^53 days"
        )]
        (Aggregate::Mean, Some(_)) => number(sum(window) / window.len() as f64),
        (Aggregate::Min, Some(_)) => {
            number(window.iter().map(|p| p.1).fold(f64::INFINITY, f64::min))
        }
        (Aggregate::Max, Some(_)) => {
            number(window.iter().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max))
        }
        (Aggregate::Series, Some(_)) => {
            Value::Series(window.iter().filter_map(|p| Some((p.0?, p.1))).collect())
        }
    };
    let used = match reference.aggregate {
        Aggregate::Latest | Aggregate::Age => newest.map(std::slice::from_ref).unwrap_or_default(),
        _ => window,
    };
    let from = used
        .iter()
        .map(|p| Contribution {
            date: p.0,
            value: Some(p.1),
            file_id: p.2,
            row: p.3,
        })
        .collect();
    Cell {
        value,
        age_days,
        from,
    }
}

/// Plain left-to-right sum by date: the order is part of the aggregate's definition (version 1).
fn sum(window: &[(Option<Day>, f64, i64, u32)]) -> f64 {
    window.iter().fold(0.0, |s, p| s + p.1)
}

/// A sum of finite numbers can overflow; what is not finite is missing, never infinite.
fn number(x: f64) -> Value {
    if x.is_finite() {
        Value::Float64(plain_zero(x))
    } else {
        Value::Null
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(days: &[(&str, f64)]) -> Vec<(Option<Day>, f64, i64, u32)> {
        days.iter()
            .map(|(d, x)| (Some(d.parse().unwrap()), *x, 1, 1))
            .collect()
    }

    fn value(reference: &str, day: &str) -> Value {
        let points = points(&[
            ("2025-02-28", 5.0),
            ("2025-03-01", 1.0),
            ("2025-03-17", 2.0),
            ("2025-04-02", 4.0),
        ]);
        aggregate(
            &points,
            &reference.parse().unwrap(),
            day.parse().unwrap(),
            (3, 1),
        )
        .value
    }

    #[test]
    fn aggregates_look_at_their_window_and_never_ahead() {
        assert_eq!(value("x", "2025-03-20"), Value::Float64(2.0));
        assert_eq!(value("x:age", "2025-03-20"), Value::Int64(3));
        assert_eq!(value("x:sum:season", "2025-04-02"), Value::Float64(7.0));
        assert_eq!(
            value("x:sum:season", "2025-02-28"),
            Value::Float64(5.0),
            "the season of the year before"
        );
        assert_eq!(
            value("x:mean:17d", "2025-03-17"),
            Value::Float64(1.5),
            "both ends of 17 days count"
        );
        assert_eq!(value("x:count:16d", "2025-03-17"), Value::Int64(1));
        assert_eq!(value("x:max:60d", "2025-04-10"), Value::Float64(5.0));
        assert_eq!(value("x:latest:3d", "2025-04-10"), Value::Null);
        assert_eq!(value("x", "2025-01-01"), Value::Null);
        assert_eq!(value("x:count:season", "2025-01-01"), Value::Int64(0));
    }

    #[test]
    fn a_series_carries_its_dates() {
        let Value::Series(points) = value("x:series:season", "2025-03-20") else {
            panic!()
        };
        assert_eq!(
            points,
            [
                ("2025-03-01".parse().unwrap(), 1.0),
                ("2025-03-17".parse().unwrap(), 2.0)
            ]
        );
    }
}
