//! What is known of the places at a moment of the ledger, and the values that features take from it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::domain::catalogue::{FeatureRef, Origin};
use crate::domain::day::Day;
use crate::domain::place::Boundary;
use crate::domain::value::Value;
use crate::ledger::types::{File, Observed, Sourced};
use crate::ledger::{Ledger, LedgerError};

use super::aggregate::{Point, age_days, used, value, window};
use super::places::{HerdPeriod, Places, boundary_value, herd_value, run_value};

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

impl Contribution {
    fn of(point: &Point) -> Contribution {
        Contribution {
            date: point.date,
            value: Some(point.value),
            file_id: point.file_id,
            row: point.row,
        }
    }
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

/// What is known at one moment.
pub struct Facts<'l> {
    ledger: &'l dyn Ledger,
    known: i64,
    precedence: Vec<String>,
    places: Places,
    files: HashMap<i64, File>,
    merged: RefCell<HashMap<(String, String), Rc<[Point]>>>,
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
        let files = ledger
            .files()?
            .into_iter()
            .map(|f| (f.file_id, f))
            .collect();
        Ok(Facts {
            ledger,
            known,
            precedence,
            places: Places::load(ledger, known)?,
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

    /// Boundaries and herds.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Ids of all boundaries.
    pub fn boundary_ids(&self) -> impl Iterator<Item = &str> {
        self.places.boundary_ids()
    }

    /// See [`Places::boundary`].
    #[must_use]
    pub fn boundary(&self, id: &str, day: Day) -> Option<&Sourced<Boundary>> {
        self.places.boundary(id, day)
    }

    /// Every period of a herd.
    #[must_use]
    pub fn herd_periods(&self, herd_config_id: &str) -> &[HerdPeriod] {
        self.places.herd_periods(herd_config_id)
    }

    /// Ids of all herds.
    pub fn herd_ids(&self) -> impl Iterator<Item = &str> {
        self.places.herd_ids()
    }

    /// See [`Places::herd`].
    #[must_use]
    pub fn herd(&self, herd_config_id: &str, boundary_id: &str, day: Day) -> Option<&HerdPeriod> {
        self.places.herd(herd_config_id, boundary_id, day)
    }

    /// See [`Places::due`].
    #[must_use]
    pub fn due(&self, day: Day, reads_herd: bool) -> Vec<(String, String)> {
        self.places.due(day, reads_herd)
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
            .first()
            .and_then(|p| p.date))
    }

    fn merged(&self, boundary_id: &str, column: &str) -> Result<Rc<[Point]>, LedgerError> {
        let key = (boundary_id.to_owned(), column.to_owned());
        if let Some(m) = self.merged.borrow().get(&key) {
            return Ok(Rc::clone(m));
        }
        let said = self.ledger.observations(boundary_id, column, self.known)?;
        let merged: Rc<[Point]> = said
            .chunk_by(|a, b| a.value.date == b.value.date)
            .filter_map(|same_day| winner(same_day, &self.precedence))
            .collect();
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
            Origin::Run => Ok(Cell {
                value: run_value(&reference.name, boundary_id, day),
                age_days: None,
                from: Vec::new(),
            }),
            Origin::Boundary => Ok(self
                .boundary(boundary_id, day)
                .map_or_else(Cell::null, |s| {
                    Cell::plain(boundary_value(&s.value, &reference.name), s.file_id, s.row)
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
                let window = window(&merged, reference, day, season_start);
                let from = used(window, reference.aggregate).iter();
                Ok(Cell {
                    value: value(window, reference.aggregate, day),
                    age_days: age_days(window, day),
                    from: from.map(Contribution::of).collect(),
                })
            }
        }
    }
}

/// Of what was said of one day, by source and entry, the point in force: of each source its last
/// word, of the sources the first in precedence that has a value. Sources outside `precedence` come
/// after those in it, by name.
pub(super) fn winner<'s>(
    same_day: impl IntoIterator<Item = &'s Sourced<Observed>>,
    precedence: &[String],
) -> Option<Point> {
    let rank = |source: &str| {
        precedence
            .iter()
            .position(|s| s == source)
            .unwrap_or(precedence.len())
    };
    let mut last: BTreeMap<(usize, &str), &Sourced<Observed>> = BTreeMap::new();
    for s in same_day {
        last.insert((rank(&s.value.source), &s.value.source), s);
    }
    last.values().find_map(|s| {
        Some(Point {
            date: s.value.date,
            value: s.value.value?,
            file_id: s.file_id,
            row: s.row,
        })
    })
}
