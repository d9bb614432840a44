//! Boundaries, herds and observations as known at one entry of the ledger, and the values of features.

use provender_domain::ids::{BoundaryId, HerdId};
use provender_ledger::EntryNumber;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use provender_domain::catalogue::{FeatureRef, Origin};
use provender_domain::day::Day;
use provender_domain::place::Boundary;
use provender_domain::value::Value;
use provender_ledger::types::{File, Observed, Sourced};
use provender_ledger::{LedgerError, Read};

use super::aggregate::{Point, age_days, used, value, window};
use super::places::{HerdPeriod, Places, boundary_value, herd_value, run_value};

/// An observation that contributed to a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Contribution {
    /// Its day; `None` if it has no date of its own.
    pub(crate) date: Option<Day>,
    /// Its value, if it is a number.
    pub(crate) value: Option<f64>,
    /// The file.
    pub(crate) file_id: i64,
    /// 1-based row of the file.
    pub(crate) row: u32,
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

/// The value of one input of one run, with its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The value; null if nothing is known.
    pub(crate) value: Value,
    /// Days from the newest contributing observation to the calculation date.
    pub(crate) age_days: Option<i32>,
    /// The observations behind the value, oldest first.
    pub(crate) from: Vec<Contribution>,
}

/// Like [`Cell`], but borrows the observations behind the value.
pub(super) struct View<'p> {
    /// The value; null if nothing is known.
    pub(super) value: Value,
    /// Days from the newest contributing observation to the calculation date.
    pub(super) age_days: Option<i32>,
    /// File and row of the boundary or herd that holds the value.
    pub(super) row: Option<(i64, u32)>,
    /// The observations behind the value, oldest first.
    pub(super) points: &'p [Point],
}

impl View<'_> {
    fn of(value: Value, row: Option<(i64, u32)>) -> View<'static> {
        View {
            value,
            age_days: None,
            row,
            points: &[],
        }
    }
}

/// Everything known at one entry of the ledger.
pub struct Facts<'l> {
    ledger: &'l dyn Read,
    known: EntryNumber,
    precedence: Vec<String>,
    places: Places,
    files: HashMap<i64, File>,
    merged: RefCell<HashMap<(BoundaryId, String), Rc<[Point]>>>,
}

impl<'l> Facts<'l> {
    /// Reads boundaries, herds and files as known at entry `known`; observations are read on demand. `precedence` lists
    /// sources, most important first. Sources that are not listed come last, by name.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) fn load(
        ledger: &'l dyn Read,
        known: EntryNumber,
        precedence: Vec<String>,
    ) -> Result<Facts<'l>, LedgerError> {
        Facts::load_of(ledger, known, precedence, None)
    }

    /// Like [`Facts::load`], but reads only one boundary and the herds that are ever in it, because reading all places
    /// is slow if there are many. If the boundary is not known, there are no places.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) fn load_of(
        ledger: &'l dyn Read,
        known: EntryNumber,
        precedence: Vec<String>,
        boundary: Option<&BoundaryId>,
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
            places: Places::load(ledger, known, boundary)?,
            files,
            merged: RefCell::default(),
        })
    }

    /// The ledger that these facts are read from.
    pub(super) fn ledger(&self) -> &'l dyn Read {
        self.ledger
    }

    /// The last entry that these facts include.
    #[must_use]
    pub(crate) fn known(&self) -> EntryNumber {
        self.known
    }

    /// A file by its number.
    #[must_use]
    pub(crate) fn file(&self, file_id: i64) -> Option<&File> {
        self.files.get(&file_id)
    }

    /// Boundaries and herds.
    #[must_use]
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// Ids of all boundaries.
    pub(crate) fn boundary_ids(&self) -> impl Iterator<Item = &BoundaryId> {
        self.places.boundary_ids()
    }

    /// See [`Places::boundary`].
    #[must_use]
    pub(crate) fn boundary(&self, id: &BoundaryId, day: Day) -> Option<&Sourced<Boundary>> {
        self.places.boundary(id, day)
    }

    /// Every period of a herd.
    #[must_use]
    pub(crate) fn herd_periods(&self, herd_config_id: &HerdId) -> &[HerdPeriod] {
        self.places.herd_periods(herd_config_id)
    }

    /// Ids of all herds.
    pub(crate) fn herd_ids(&self) -> impl Iterator<Item = &HerdId> {
        self.places.herd_ids()
    }

    /// See [`Places::herd`].
    #[must_use]
    pub(crate) fn herd(
        &self,
        herd_config_id: &HerdId,
        boundary_id: &BoundaryId,
        day: Day,
    ) -> Option<&HerdPeriod> {
        self.places.herd(herd_config_id, boundary_id, day)
    }

    /// See `Places::due`.
    #[must_use]
    pub fn due(&self, day: Day, reads_herd: bool) -> Vec<(BoundaryId, HerdId)> {
        self.places.due(day, reads_herd)
    }

    /// The first day for which a boundary's column has a value.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) fn first_observation(
        &self,
        boundary_id: &BoundaryId,
        column: &str,
    ) -> Result<Option<Day>, LedgerError> {
        Ok(self
            .merged(boundary_id, column)?
            .first()
            .and_then(|p| p.date))
    }

    fn merged(&self, boundary_id: &BoundaryId, column: &str) -> Result<Rc<[Point]>, LedgerError> {
        let key = (boundary_id.to_owned(), column.to_owned());
        if let Some(m) = self.merged.borrow().get(&key) {
            return Ok(Rc::clone(m));
        }
        let merged = self.points(boundary_id, column)?;
        self.merged.borrow_mut().insert(key, Rc::clone(&merged));
        Ok(merged)
    }

    /// The points in force of a boundary's column, by date. They are not cached: a caller that visits many places keeps
    /// only those of the current one.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(super) fn points(
        &self,
        boundary_id: &BoundaryId,
        column: &str,
    ) -> Result<Rc<[Point]>, LedgerError> {
        let statements = self.ledger.observations(boundary_id, column, self.known)?;
        Ok(statements
            .chunk_by(|a, b| a.value.date == b.value.date)
            .filter_map(|same_day| winner(same_day, &self.precedence))
            .collect())
    }

    /// The value that a reference reads, and the observations behind it. `points` are the points in force of its
    /// column, if it is an observed column.
    pub(super) fn view<'p>(
        &self,
        (reference, origin): (&FeatureRef, Origin),
        (boundary_id, herd_config_id): (&BoundaryId, &HerdId),
        day: Day,
        season_start: (i8, i8),
        points: &'p [Point],
    ) -> View<'p> {
        match origin {
            Origin::Run(column) => View::of(run_value(column, boundary_id, day), None),
            Origin::Boundary(column) => match self.boundary(boundary_id, day) {
                Some(s) => View::of(boundary_value(&s.value, column), Some((s.file_id, s.row))),
                None => View::of(Value::Null, None),
            },
            Origin::Herd(column) => match self.herd(herd_config_id, boundary_id, day) {
                Some(h) => {
                    let row = (h.herd.file_id, h.herd.row);
                    View::of(herd_value(&h.herd.value, column), Some(row))
                }
                None => View::of(Value::Null, None),
            },
            Origin::Static | Origin::Observation => {
                let window = window(points, reference, day, season_start);
                View {
                    value: value(window, reference.aggregate, day),
                    age_days: age_days(window, day),
                    row: None,
                    points: used(window, reference.aggregate),
                }
            }
        }
    }

    /// The value that a reference reads for a boundary, herd and day. `season_start` is month and day: 1 January if DS
    /// set none.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) fn cell(
        &self,
        reference: &FeatureRef,
        origin: Origin,
        (boundary_id, herd_config_id): (&BoundaryId, &HerdId),
        day: Day,
        season_start: (i8, i8),
    ) -> Result<Cell, LedgerError> {
        let merged = match origin {
            Origin::Static | Origin::Observation => self.merged(boundary_id, &reference.name)?,
            Origin::Run(_) | Origin::Boundary(_) | Origin::Herd(_) => Rc::default(),
        };
        let place = (boundary_id, herd_config_id);
        let view = self.view((reference, origin), place, day, season_start, &merged);
        let row = view.row.map(|(file_id, row)| Contribution {
            date: None,
            value: None,
            file_id,
            row,
        });
        Ok(Cell {
            age_days: view.age_days,
            from: row
                .into_iter()
                .chain(view.points.iter().map(Contribution::of))
                .collect(),
            value: view.value,
        })
    }
}

/// Chooses the point in force for one day. `same_day` is sorted by source and entry. The last statement of each source
/// counts; the first source in precedence that has a value wins. Sources outside `precedence` come last, by name.
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
