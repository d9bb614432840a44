//! A sample of runs that anyone can draw again.

use crate::domain::canonical::Digest;
use crate::ledger::types::Run;

/// The `n` runs whose digest of seed and run id is smallest, in their former order. Who knows the
/// seed and the ledger draws the same ones; who recorded the runs could not know the seed.
#[must_use]
pub fn sample(runs: Vec<Run>, n: usize, seed: &str) -> Vec<Run> {
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
