//! Selects a sample of runs that anyone can draw again, and reads the ceilings for computing them.

use provender_ledger::EntryNumber;
use std::collections::{BTreeSet, HashMap};

use crate::compute::freeze::limits_of;
use provender_domain::canonical::Digest;
use provender_ledger::entries::{Pin, RunsRecorded};
use provender_ledger::entry::Kind;
use provender_ledger::types::{Run, RunFilter};
use provender_ledger::{LedgerError, Read};
use provender_sandbox::PinLimits;

/// The ceilings recorded with each component when its version was frozen.
///
/// # Errors
/// If the ledger cannot be read.
pub(crate) fn ceilings(ledger: &dyn Read) -> Result<HashMap<Digest, PinLimits>, LedgerError> {
    let entries = ledger.entries(Some(Kind::Freeze))?;
    let limits = entries.iter().map(|entry| {
        let pin: Pin = entry.read()?;
        Ok((pin.component, limits_of(&pin.limits)))
    });
    limits.collect()
}

/// Draws `n` different numbers below `of`, in ascending order: the first `n` places of a Fisher–Yates shuffle. Step i
/// uses the first sixteen bytes of SHA-256 of the seed, a newline and i, as a number modulo what is left. Every choice
/// is equally likely, and the cost depends only on `n`.
#[must_use]
pub(crate) fn draw(of: u64, n: usize, seed: &str) -> Vec<u64> {
    let n = of.min(n as u64);
    let mut moved: HashMap<u64, u64> = HashMap::new();
    let mut drawn: Vec<u64> = (0..n)
        .map(|i| {
            let digest = Digest::of_bytes(format!("{seed}\n{i}").as_bytes());
            let number = u128::from_be_bytes(std::array::from_fn(|k| digest.bytes()[k]));
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the remainder is below a 64-bit number"
            )]
            let at = i + (number % u128::from(of - i)) as u64;
            let last = moved.get(&i).copied().unwrap_or(i);
            moved.insert(at, last).unwrap_or(at)
        })
        .collect();
    drawn.sort_unstable();
    drawn
}

/// Draws `n` runs, as in `draw`, from all runs that match the filter and whose entry is in `recorded`, ordered by
/// entry, series and day. Also returns how many there are. Anyone who knows the seed and the ledger draws the same
/// runs; whoever recorded the runs could not know the seed. Without a filter only the drawn runs are read.
///
/// # Errors
/// If the ledger cannot be read, or an entry has fewer runs than it lists.
pub fn sample_of(
    ledger: &dyn Read,
    filter: Option<&RunFilter>,
    recorded: Option<&BTreeSet<EntryNumber>>,
    (n, seed): (usize, &str),
) -> Result<(u64, Vec<Run>), LedgerError> {
    let counts = |entry: EntryNumber| recorded.is_none_or(|r| r.contains(&entry));
    let mut runs = Vec::new();
    if let Some(filter) = filter {
        let mut places = ledger.places(filter)?;
        places.retain(|place| counts(place.entry));
        let of = places.len() as u64;
        for position in draw(of, n, seed) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "drawn numbers are indices of a list"
            )]
            let place = places[position as usize];
            let run = ledger.run_at(place)?;
            runs.push(run.ok_or_else(|| {
                LedgerError::Damaged(format!(
                    "entry {} lists a run for {} that is missing; run `provender audit` for details",
                    place.entry, place.date
                ))
            })?);
        }
        return Ok((of, runs));
    }
    let mut batches: Vec<(EntryNumber, u64)> = Vec::new();
    for entry in ledger.entries_of_kinds(&[Kind::Runs, Kind::Reissue])? {
        let count = entry.read::<RunsRecorded>()?.count;
        if counts(entry.seq) {
            batches.push((entry.seq, count));
        }
    }
    let of = batches.iter().map(|(_, count)| count).sum();
    let drawn = draw(of, n, seed);
    let (mut rest, mut before) = (drawn.as_slice(), 0);
    for (entry, count) in batches {
        let (here, later) = rest.split_at(rest.partition_point(|p| *p < before + count));
        if !here.is_empty() {
            let positions: Vec<u64> = here.iter().map(|p| p - before).collect();
            runs.extend(ledger.runs_at_positions(entry, count, &positions)?);
        }
        (rest, before) = (later, before + count);
    }
    Ok((of, runs))
}

/// The `n` runs with the smallest digest of seed and run id, in their original order. Anyone who knows the seed and the
/// ledger draws the same runs; whoever recorded the runs could not know the seed.
#[must_use]
pub(crate) fn sample(runs: Vec<Run>, n: usize, seed: &str) -> Vec<Run> {
    let mut ranked: Vec<(Digest, usize, Run)> = runs
        .into_iter()
        .enumerate()
        .map(|(i, run)| {
            let drawn = format!("{seed}\n{}", run.run.key.run_id());
            (Digest::of_bytes(drawn.as_bytes()), i, run)
        })
        .collect();
    ranked.sort_by_key(|(digest, _, _)| *digest);
    ranked.truncate(n);
    ranked.sort_by_key(|(_, i, _)| *i);
    ranked.into_iter().map(|(_, _, run)| run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_drawn_once_each_and_a_seed_repeats_them(of in 0_u64..500, n in 0_usize..600, seed in any::<String>()) {
            let drawn = draw(of, n, &seed);
            prop_assert_eq!(drawn.len() as u64, of.min(n as u64));
            prop_assert!(drawn.iter().all(|d| *d < of));
            prop_assert!(drawn.windows(2).all(|w| w[0] < w[1]));
            prop_assert_eq!(drawn, draw(of, n, &seed));
        }
    }

    #[test]
    fn draw_follows_the_documented_steps() {
        // Checks the first step: SHA-256 of the text "s\n0", whose first sixteen bytes are taken modulo 1,000.
        let digest = Digest::of_bytes(b"s\n0");
        let mut number = 0_u128;
        for byte in &digest.bytes()[..16] {
            number = number << 8 | u128::from(*byte);
        }
        assert_eq!(u128::from(draw(1_000, 1, "s")[0]), number % 1_000);
        // A complete shuffle contains every number.
        assert_eq!(draw(20, 20, "s"), (0..20).collect::<Vec<u64>>());
    }

    #[test]
    fn every_number_is_equally_likely() {
        let (of, n, times) = (10, 3, 20_000_u32);
        let mut tally = [0_u32; 10];
        for seed in 0..times {
            for d in draw(of, n, &seed.to_string()) {
                tally[usize::try_from(d).unwrap()] += 1;
            }
        }
        // Expected 6,000 each; the standard deviation is 65.
        assert!(tally.iter().all(|t| t.abs_diff(6_000) < 390), "{tally:?}");
    }
}
