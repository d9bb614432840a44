//! The counts of a part of the places, and how parts are merged.

use std::collections::BTreeSet;

use crate::compute::Bound;
use provender_domain::day::Day;

use super::expected::Known;
use super::monitors::Watched;
use super::report::Baseline;
use super::snapshot::Provenance;
use super::tally::Tally;

/// Counts, and the rows that monitors look at.
pub(super) struct PassResult<'a> {
    /// Outcomes, guardrails, failures.
    pub tally: Tally<'a>,
    /// Where the numbers before come from.
    pub baseline: Baseline,
    /// How the inputs were obtained.
    pub provenance: Provenance,
    /// Names of inputs that some recorded run did not read.
    pub beyond: BTreeSet<String>,
    /// Rows of the window, of the side before.
    pub watched_before: Watched,
    /// Rows of the window, of the candidate.
    pub watched_after: Watched,
    /// What was known when the answers of each day in the window were recorded.
    pub known: Known,
    /// Answers.
    pub rows: u64,
    /// First and last day of one.
    pub days: Option<(Day, Day)>,
}

impl<'a> PassResult<'a> {
    /// Nothing yet.
    #[must_use]
    pub(super) fn new(before: &'a Bound, after: &'a Bound) -> PassResult<'a> {
        PassResult {
            tally: Tally::new(before, after),
            baseline: Baseline::default(),
            provenance: Provenance::default(),
            beyond: BTreeSet::new(),
            watched_before: Watched::default(),
            watched_after: Watched::default(),
            known: Known::default(),
            rows: 0,
            days: None,
        }
    }

    /// An answer for this day.
    pub(super) fn saw(&mut self, day: Day) {
        self.rows += 1;
        self.range(day, day);
    }

    fn range(&mut self, from: Day, to: Day) {
        let (first, last) = self.days.unwrap_or((from, to));
        self.days = Some((first.min(from), last.max(to)));
    }

    /// Merges the counts of the places that follow these.
    pub(super) fn join(&mut self, later: PassResult<'_>) {
        self.tally.join(later.tally);
        let (own, other) = (&mut self.baseline, later.baseline);
        own.recorded += other.recorded;
        own.other_configs += other.other_configs;
        own.computed += other.computed;
        own.failed += other.failed;
        self.provenance.join(later.provenance);
        self.beyond.extend(later.beyond);
        self.watched_before.join(later.watched_before);
        self.watched_after.join(later.watched_after);
        self.known.join(later.known);
        self.rows += later.rows;
        if let Some((from, to)) = later.days {
            self.range(from, to);
        }
    }
}
