//! The values of features as known at many entries of the ledger.
//!
//! [`super::Facts`] covers every place at one entry. Callers that go through years of recorded runs ask for one place
//! after another, each at the entry of its run. For them, all observations of a place are loaded once. Moving forward
//! in time applies only what was recorded since, so ask for rows by place and entry. Both give the same values; a test
//! compares them.

use provender_domain::ids::{BoundaryId, HerdId};
use provender_ledger::EntryNumber;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ingest::parsed::Kind;
use provender_domain::catalogue::{FeatureRef, Origin};
use provender_domain::day::Day;
use provender_domain::value::Value;
use provender_ledger::types::{Observed, Sourced};
use provender_ledger::{LedgerError, Read};

use super::aggregate::{Point, value, window};
use super::facts::winner;
use super::places::{Places, boundary_value, herd_value, run_value};

/// What several readers of the past share: the withdrawals of files, and the places.
pub(crate) struct History {
    precedence: Vec<String>,
    /// Maps a file to the entry that withdrew it.
    withdrawn: HashMap<i64, EntryNumber>,
    /// The entries that changed boundaries or herds.
    changed_at: BTreeSet<EntryNumber>,
    /// Boundaries and herds, by the entry of `changed_at` from which they hold.
    places: Mutex<BTreeMap<EntryNumber, Arc<Places>>>,
}

/// What was known at any entry.
pub(crate) struct Past<'l> {
    ledger: &'l dyn Read,
    history: Arc<History>,
    /// The last entry asked for, and its places.
    near: Option<(EntryNumber, Arc<Places>)>,
    /// The place whose columns are cached.
    boundary_id: BoundaryId,
    columns: HashMap<String, Timeline>,
}

/// The place and day of a run, and the last entry known to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    /// The place.
    pub boundary_id: &'a BoundaryId,
    /// The herd.
    pub herd_config_id: &'a HerdId,
    /// The day the number is for.
    pub day: Day,
    /// The last entry that is known.
    pub known: EntryNumber,
}

impl History {
    /// Reads when files were withdrawn. `precedence` as in [`super::Facts::load`].
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) fn load(ledger: &dyn Read, precedence: Vec<String>) -> Result<History, LedgerError> {
        let files = ledger.files()?;
        let of_places = [Kind::Boundaries.name(), Kind::Herds.name()];
        let changed_at = files
            .iter()
            .filter(|f| of_places.contains(&f.kind.as_str()))
            .flat_map(|f| [Some(f.entry), f.retracted])
            .flatten()
            .collect();
        let withdrawn = files
            .iter()
            .filter_map(|f| Some((f.file_id, f.retracted?)))
            .collect();
        Ok(History {
            precedence,
            withdrawn,
            changed_at,
            places: Mutex::default(),
        })
    }

    /// Boundaries (without their outlines) and herds as known at an entry. The first reader loads them while others
    /// wait, so that nothing is read twice.
    fn places(&self, ledger: &dyn Read, known: EntryNumber) -> Result<Arc<Places>, LedgerError> {
        let changed = self
            .changed_at
            .range(..=known)
            .next_back()
            .copied()
            .unwrap_or(EntryNumber::NONE);
        let mut all = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = all.get(&changed) {
            return Ok(Arc::clone(places));
        }
        let mut places = Places::load(ledger, changed, None)?;
        places.forget_outlines();
        let places = Arc::new(places);
        all.insert(changed, Arc::clone(&places));
        Ok(places)
    }
}

impl<'l> Past<'l> {
    /// Shares what other readers have already loaded; the rest is loaded on demand.
    #[must_use]
    pub(crate) fn new(ledger: &'l dyn Read, history: Arc<History>) -> Past<'l> {
        Past {
            ledger,
            history,
            near: None,
            boundary_id: BoundaryId::default(),
            columns: HashMap::new(),
        }
    }

    /// Boundaries (without their outlines) and herds as known at an entry.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) fn places(&mut self, known: EntryNumber) -> Result<&Places, LedgerError> {
        let near = self.near.take().filter(|(at, _)| *at == known);
        let near = match near {
            Some(near) => near,
            None => (known, self.history.places(self.ledger, known)?),
        };
        Ok(&self.near.insert(near).1)
    }

    /// The value that a reference reads at an entry; see [`super::Facts::cell`].
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) fn value(
        &mut self,
        reference: &FeatureRef,
        origin: Origin,
        at: Moment<'_>,
        season_start: (i8, i8),
    ) -> Result<Value, LedgerError> {
        match origin {
            Origin::Run(column) => Ok(run_value(column, at.boundary_id, at.day)),
            Origin::Boundary(column) => Ok(self
                .places(at.known)?
                .boundary(at.boundary_id, at.day)
                .map_or(Value::Null, |s| boundary_value(&s.value, column))),
            Origin::Herd(column) => Ok(self
                .places(at.known)?
                .herd(at.herd_config_id, at.boundary_id, at.day)
                .map_or(Value::Null, |h| herd_value(&h.herd.value, column))),
            Origin::Static | Origin::Observation => {
                let points = self.points(at.boundary_id, &reference.name, at.known)?;
                let window = window(points, reference, at.day, season_start);
                Ok(value(window, reference.aggregate, at.day))
            }
        }
    }

    /// The first day for which a boundary's column had a value at an entry; see [`super::Facts::first_observation`].
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) fn first_observation(
        &mut self,
        boundary_id: &BoundaryId,
        column: &str,
        known: EntryNumber,
    ) -> Result<Option<Day>, LedgerError> {
        let points = self.points(boundary_id, column, known)?;
        Ok(points.first().and_then(|p| p.date))
    }

    fn points(
        &mut self,
        boundary_id: &BoundaryId,
        column: &str,
        known: EntryNumber,
    ) -> Result<&[Point], LedgerError> {
        if self.boundary_id != *boundary_id {
            self.columns.clear();
            self.boundary_id.clone_from(boundary_id);
        }
        if !self.columns.contains_key(column) {
            let statements = self.ledger.all_observations(boundary_id, column)?;
            let timeline = Timeline::new(statements, &self.history.withdrawn);
            self.columns.insert(column.to_owned(), timeline);
        }
        Ok(match self.columns.get_mut(column) {
            Some(timeline) => timeline.at(known, &self.history.precedence),
            None => &[],
        })
    }
}

/// All observations ever recorded for one column, with the points in force at one entry.
struct Timeline {
    /// Sorted by date, source and entry.
    statements: Vec<Sourced<Observed>>,
    /// For each observation, the entry that withdrew it.
    withdrawn: Vec<Option<EntryNumber>>,
    /// Pairs of an entry and the index of an observation that it adds or withdraws, sorted by entry.
    changes: Vec<(EntryNumber, usize)>,
    /// Number of changes already applied.
    applied: usize,
    points: Vec<Point>,
}

impl Timeline {
    fn new(statements: Vec<Sourced<Observed>>, files: &HashMap<i64, EntryNumber>) -> Timeline {
        let withdrawn: Vec<Option<EntryNumber>> = statements
            .iter()
            .map(|s| files.get(&s.file_id).copied())
            .collect();
        let recorded = statements.iter().enumerate().map(|(i, s)| (s.entry, i));
        let gone = withdrawn.iter().enumerate();
        let mut changes: Vec<(EntryNumber, usize)> = recorded
            .chain(gone.filter_map(|(i, w)| Some(((*w)?, i))))
            .collect();
        changes.sort_unstable();
        Timeline {
            statements,
            withdrawn,
            changes,
            applied: 0,
            points: Vec::new(),
        }
    }

    /// The points in force at an entry, by date.
    fn at(&mut self, known: EntryNumber, precedence: &[String]) -> &[Point] {
        let until = self.changes.partition_point(|(entry, _)| *entry <= known);
        if until < self.applied {
            // Queries rarely go back in time; when one does, rebuild from the start.
            self.applied = 0;
            self.points.clear();
        }
        for i in self.applied..until {
            if let Some((_, place)) = self.changes.get(i) {
                self.settle(*place, known, precedence);
            }
        }
        self.applied = until;
        &self.points
    }

    /// Updates the point for the day of one observation to its state at `known`.
    fn settle(&mut self, place: usize, known: EntryNumber, precedence: &[String]) {
        let Some(date) = self.statements.get(place).map(|s| s.value.date) else {
            return;
        };
        let mut from = place;
        while from > 0 && self.statements[from - 1].value.date == date {
            from -= 1;
        }
        let same_day = self.statements[from..]
            .iter()
            .zip(&self.withdrawn[from..])
            .take_while(|(s, _)| s.value.date == date)
            .filter(|(s, gone)| s.entry <= known && gone.is_none_or(|w| w > known))
            .map(|(s, _)| s);
        let won = winner(same_day, precedence);
        // Days mostly come in order, so try the end first.
        let at = match self.points.last() {
            Some(last) if last.date < date => self.points.len(),
            _ => self.points.partition_point(|p| p.date < date),
        };
        let there = self.points.get(at).is_some_and(|p| p.date == date);
        match (won, there) {
            (Some(point), true) => self.points[at] = point,
            (Some(point), false) => self.points.insert(at, point),
            (None, true) => {
                self.points.remove(at);
            }
            (None, false) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use provender_ledger::entries::IngestNotes;

    use super::*;
    use crate::compute::Facts;
    use crate::compute::test_ledger;
    use provender_domain::canonical::Digest;
    use provender_ledger::Write;
    use provender_ledger::entry::Stamp;
    use provender_ledger::types::{File, NewFacts, NewObservation, NewStream};

    fn stamp() -> Stamp {
        Stamp {
            at: "2025-07-01T00:00:00Z".into(),
            actor: "tester".into(),
            reason: None,
        }
    }

    /// A file with a source and (day offset, value) pairs, or the withdrawal of an earlier file.
    #[derive(Clone, Debug)]
    enum Act {
        File(u8, Vec<(u8, Option<f64>)>),
        Withdraw(usize),
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let statements = prop::collection::vec((0_u8..12, prop::option::of(-5.0..5.0_f64)), 1..6);
        let act = prop_oneof![
            4 => (0_u8..3, statements).prop_map(|(s, statements)| Act::File(s, statements)),
            1 => any::<prop::sample::Index>().prop_map(|i| Act::Withdraw(i.index(64))),
        ];
        prop::collection::vec(act, 1..8)
    }

    fn day(offset: u8) -> Day {
        Day::from_days(20_000 + i32::from(offset)).unwrap()
    }

    fn ledger(acts: &[Act]) -> (tempfile::TempDir, Box<dyn Write>) {
        let dir = tempfile::tempdir().unwrap();
        let ledger = test_ledger(dir.path());
        for act in acts {
            match act {
                Act::File(source, statements) => {
                    // A file has at most one value a day.
                    let statements: BTreeMap<u8, Option<f64>> =
                        statements.iter().copied().collect();
                    let facts = NewFacts {
                        streams: vec![NewStream {
                            boundary_id: BoundaryId::unchecked("north"),
                            column: "x".into(),
                        }],
                        observations: statements
                            .iter()
                            .map(|(d, value)| NewObservation {
                                stream: 0,
                                date: Some(day(*d)),
                                value: *value,
                                row: u32::from(*d) + 1,
                            })
                            .collect(),
                        ..NewFacts::default()
                    };
                    let file = File {
                        file_id: 0,
                        entry: EntryNumber::NONE,
                        source: format!("s{source}"),
                        kind: "forage".into(),
                        format: "forage-csv".into(),
                        path: "f.csv".into(),
                        sha256: Digest::of_bytes(format!("{statements:?}").as_bytes()),
                        rows: 1,
                        retracted: None,
                    };
                    ledger
                        .record_file(
                            &stamp(),
                            &file,
                            &facts,
                            &IngestNotes::default(),
                            EntryNumber::LATEST,
                        )
                        .unwrap();
                }
                Act::Withdraw(n) => {
                    let files: Vec<File> = ledger
                        .files()
                        .unwrap()
                        .into_iter()
                        .filter(|f| f.retracted.is_none())
                        .collect();
                    if let Some(file) = files.get(n % files.len().max(1)) {
                        ledger
                            .retract(&stamp(), std::slice::from_ref(file))
                            .unwrap();
                    }
                }
            }
        }
        (dir, ledger)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(provender_guests::how_many(24)))]
        #[test]
        fn the_past_agrees_with_the_facts_of_that_moment(
            acts in acts(),
            moments in prop::collection::vec((0_i64..9, 0_u8..14), 1..12),
        ) {
            let (_dir, ledger) = ledger(&acts);
            let precedence = vec!["s1".to_owned()];
            let history = History::load(&*ledger, precedence.clone()).unwrap();
            let mut past = Past::new(&*ledger, Arc::new(history));
            for (known, offset) in moments {
                let known = EntryNumber::new(known);
                let facts = Facts::load(&*ledger, known, precedence.clone()).unwrap();
                for text in ["x", "x:age", "x:sum:5d", "x:series:season", "x:count:20d"] {
                    let reference: FeatureRef = text.parse().unwrap();
                    let (north, herd) = (BoundaryId::unchecked("north"), HerdId::unchecked("h"));
                    let at = Moment { boundary_id: &north, herd_config_id: &herd, day: day(offset), known };
                    let then = past.value(&reference, Origin::Observation, at, (3, 1)).unwrap();
                    let cell = facts
                        .cell(&reference, Origin::Observation, (&north, &herd), day(offset), (3, 1))
                        .unwrap();
                    prop_assert_eq!(then, cell.value, "{} known at {}", text, known);
                }
            }
        }
    }
}
