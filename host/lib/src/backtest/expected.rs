//! The days on which the monitors expect an answer, as known then.
//!
//! A pasture that was drawn, or a herd whose period was corrected, after the answers of a day were recorded
//! made none of them late. So each day is held to what was known when its answers were recorded; a day without
//! any to what was known at the next day with one, at which a daily job would have caught up.

use provender_domain::ids::{BoundaryId, HerdId};
use provender_ledger::EntryNumber;
use std::collections::{BTreeMap, BTreeSet};

use crate::compute::Bound;
use crate::compute::past::Past;
use crate::monitor::Window;
use provender_domain::day::Day;
use provender_ledger::LedgerError;

use super::error::BacktestError;

/// Days by boundary and herd.
pub(super) type Expected = BTreeMap<(BoundaryId, HerdId), BTreeSet<Day>>;

/// What was known when the answers of each day were recorded: the last entry that counts.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<Day, EntryNumber>);

impl Known {
    /// Notes that an answer of this day was recorded when `known` was the last entry; the latest one of a day counts.
    pub(super) fn saw(&mut self, day: Day, known: EntryNumber) {
        let latest = self.0.entry(day).or_insert(known);
        *latest = known.max(*latest);
    }

    /// Takes in what was known when answers of other places were recorded.
    pub(super) fn join(&mut self, others: Known) {
        for (day, known) in others.0 {
            self.saw(day, known);
        }
    }

    /// What was known of a day.
    fn of(&self, day: Day) -> Option<EntryNumber> {
        let next = self.0.range(day..).next();
        next.or_else(|| self.0.iter().next_back())
            .map(|(_, known)| *known)
    }

    /// The days of a window on which an answer of a version was expected, from the first day with an answer on.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(super) fn expected(
        &self,
        past: &mut Past<'_>,
        bound: &Bound,
        window: Window,
        (boundary, herd): (Option<&BoundaryId>, Option<&HerdId>),
    ) -> Result<Expected, BacktestError> {
        let first = window.first()?;
        let from = self.0.keys().next().map_or(first, |day| first.max(*day));
        // By place, since the past is read one place after the other.
        let mut due: BTreeMap<BoundaryId, Vec<(HerdId, Day, EntryNumber)>> = BTreeMap::new();
        for day in from.through(window.end) {
            let Some(known) = self.of(day) else { continue };
            for (b, h) in past.places(known)?.due(day, bound.reads_herd) {
                if boundary.is_none_or(|only| *only == b) && herd.is_none_or(|only| *only == h) {
                    due.entry(b).or_default().push((h, day, known));
                }
            }
        }
        let mut days = Expected::new();
        for (boundary, mut of_place) in due {
            of_place.sort_by_key(|(_, _, known)| *known);
            for (herd, day, known) in of_place {
                let observed = first_observed(past, bound, &boundary, known)?;
                if observed.is_none_or(|first| first <= day) {
                    days.entry((boundary.clone(), herd))
                        .or_default()
                        .insert(day);
                }
            }
        }
        Ok(days)
    }
}

/// The first day on which any column that the logic reads was observed, as the monitor has it.
fn first_observed(
    past: &mut Past<'_>,
    bound: &Bound,
    boundary: &BoundaryId,
    known: EntryNumber,
) -> Result<Option<Day>, LedgerError> {
    let mut first: Option<Day> = None;
    for input in bound.inputs.iter().filter(|i| i.feature.is_dated()) {
        if let Some(day) = past.first_observation(boundary, &input.feature.name, known)? {
            first = Some(first.map_or(day, |f| f.min(day)));
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_expected_from_what_was_known_when_it_or_the_next_was_recorded() {
        let day = |d| Day::from_ymd(2025, 6, d).unwrap();
        let mut known = Known::default();
        assert_eq!(known.of(day(1)), None);
        known.saw(day(10), EntryNumber::new(5));
        known.saw(day(10), EntryNumber::new(7));
        let mut others = Known::default();
        others.saw(day(10), EntryNumber::new(6));
        others.saw(day(20), EntryNumber::new(30));
        known.join(others);
        assert_eq!(known.of(day(10)), Some(EntryNumber::new(7)));
        assert_eq!(known.of(day(12)), Some(EntryNumber::new(30)));
        assert_eq!(known.of(day(25)), Some(EntryNumber::new(30)));
    }
}
