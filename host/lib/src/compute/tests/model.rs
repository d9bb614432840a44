//! The actions on a ledger, and their effect on a few maps.

use provender_ledger::EntryNumber;
use std::collections::BTreeMap;

use proptest::prelude::*;

use provender_domain::day::Day;

pub(super) const PLACES: [&str; 2] = ["north", "south"];
/// No input reads the last one.
pub(super) const COLUMNS: [&str; 3] = ["forage_kg_per_ha", "precipitation_mm", "temp_max_c"];
pub(super) const DAYS: u8 = 4;
/// A product above this breaches the guardrail.
pub(super) const MOST: f64 = 30.0;

#[derive(Clone, Debug)]
pub(super) enum Act {
    /// A file gives a value for a column, place and day.
    Say {
        column: usize,
        place: usize,
        day: u8,
        value: u8,
    },
    /// The newest file, or one before it, is withdrawn.
    Withdraw(u8),
    /// Computes every place and day of a range with what was known some entries ago, like a process that planned before
    /// others recorded.
    Compute {
        config: usize,
        from: u8,
        to: u8,
        behind: u8,
        recheck: bool,
        dry_run: bool,
    },
    /// Replaces what drifted.
    Reissue { config: usize, dry_run: bool },
    /// Closes the ledger and opens it again.
    Reopen,
}

pub(super) fn acts() -> impl Strategy<Value = Vec<Act>> {
    // Few places, days and values, so that keys collide and values return.
    let say = (0..COLUMNS.len(), 0..PLACES.len(), 0..DAYS, 0_u8..4).prop_map(
        |(column, place, day, value)| Act::Say {
            column,
            place,
            day,
            value,
        },
    );
    let compute = (
        0_usize..2,
        0..DAYS,
        0..DAYS,
        0_u8..3,
        any::<bool>(),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(config, a, b, behind, recheck, dry_run)| Act::Compute {
            config,
            from: a.min(b),
            to: a.max(b),
            behind,
            recheck,
            dry_run,
        });
    let reissue = (0_usize..2, prop::bool::weighted(0.2))
        .prop_map(|(config, dry_run)| Act::Reissue { config, dry_run });
    let act = prop_oneof![
        5 => say,
        2 => any::<u8>().prop_map(Act::Withdraw),
        5 => compute,
        3 => reissue,
        1 => Just(Act::Reopen),
    ];
    prop::collection::vec(act, 4..30)
}

pub(super) fn day(offset: u8) -> Day {
    Day::from_days(20_000 + i32::from(offset)).unwrap()
}

/// What a run read: forage and rain.
pub(super) type Inputs = [Option<f64>; 2];
/// Place, day and configuration.
pub(super) type Key = (usize, u8, usize);

/// A value from a file, with the entries that recorded and withdrew it.
pub(super) struct Said {
    pub(super) entry: EntryNumber,
    pub(super) withdrawn: Option<EntryNumber>,
    pub(super) at: (usize, usize, u8),
    pub(super) value: f64,
}

/// The expected state.
#[derive(Default)]
pub(super) struct Model {
    pub(super) said: Vec<Said>,
    /// The first recording of each key and what replaced it.
    pub(super) runs: BTreeMap<Key, Vec<Inputs>>,
    /// How often each thing happened, so that no test passes because nothing did.
    pub(super) seen: BTreeMap<&'static str, u32>,
}

impl Model {
    pub(super) fn saw(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    pub(super) fn value(
        &self,
        column: usize,
        place: usize,
        day: u8,
        known: EntryNumber,
    ) -> Option<f64> {
        let counts = |s: &&Said| {
            s.at == (column, place, day)
                && s.entry <= known
                && s.withdrawn.is_none_or(|at| at > known)
        };
        self.said.iter().rfind(counts).map(|s| s.value)
    }

    /// The newest forage, and the rain of two days.
    pub(super) fn inputs(&self, place: usize, day: u8, known: EntryNumber) -> Inputs {
        let forage = (0..=day).rev().find_map(|d| self.value(0, place, d, known));
        let rain: Vec<f64> = (day.saturating_sub(1)..=day)
            .filter_map(|d| self.value(1, place, d, known))
            .collect();
        [forage, (!rain.is_empty()).then(|| rain.iter().sum())]
    }
}

pub(super) fn product(inputs: &Inputs) -> Option<f64> {
    Some(inputs[0]? * inputs[1]?)
}
