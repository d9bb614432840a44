//! A sample of runs that anyone can draw again, and the ceilings they are computed under.

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::domain::canonical::Digest;
use crate::ledger::entry::Kind;
use crate::ledger::types::Run;
use crate::ledger::{Ledger, LedgerError};
use crate::logic::PinLimits;

/// The ceilings that were recorded with each component when its version was frozen.
///
/// # Errors
/// When the ledger cannot be read.
pub fn ceilings(ledger: &dyn Ledger) -> Result<HashMap<Digest, PinLimits>, LedgerError> {
    let entries = ledger.entries(Some(Kind::Freeze))?;
    Ok(entries
        .iter()
        .filter_map(|e| {
            let payload: Json = serde_json::from_str(&e.payload).ok()?;
            let digest = payload["component"].as_str()?.parse().ok()?;
            let limits = serde_json::from_value(payload["limits"].clone()).ok()?;
            Some((digest, limits))
        })
        .collect())
}

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
