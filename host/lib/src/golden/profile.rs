//! Where the fuel goes. Fuel counts executed WebAssembly operations, so that it is the same on
//! every machine, where a stopwatch is not.
//!
//! What a single function costs cannot be told: wasmtime's sampling profiler needs interruptions by
//! time, which the deterministic engine has off.

use schemars::JsonSchema;
use serde::Serialize;

use provender_sandbox::{Component, Fuel};

use super::error::GoldenError;
use super::run::{Tested, columns};

/// Rows of the bulk call, the size of production's batches.
pub const BULK_ROWS: usize = 2_048;

/// The fuel of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CaseFuel {
    /// The case.
    pub case: String,
    /// Of its call of one row, start-up excluded.
    pub compute: u64,
    /// Of a call of `bulk_rows` copies of it, for each row beyond what a call without rows takes.
    pub per_row: u64,
}

/// Where the fuel goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Of making an instance, which every call does.
    pub start_up: u64,
    /// Of `describe`, once a load.
    pub describe: u64,
    /// Of a call without rows: what a call costs before its first row.
    pub no_rows: u64,
    /// Case by case, the dearest row first.
    pub cases: Vec<CaseFuel>,
    /// The ceiling of a call before its rows.
    pub limit_base: u64,
    /// The ceiling of a call for each row.
    pub limit_per_row: u64,
}

impl Profile {
    /// The share of start-up and call in the fuel of a call of one row, of the dearest case, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    pub fn base_share(&self) -> f64 {
        let base = self.start_up + self.no_rows;
        let row = self.cases.first().map_or(0, |c| c.per_row);
        if base + row == 0 {
            return 0.0;
        }
        base as f64 / (base + row) as f64
    }
}

/// Measures the cases that gave outputs.
///
/// # Errors
/// When the sandbox itself fails.
pub fn profile(component: &Component, tested: &Tested) -> Result<Profile, GoldenError> {
    let limits = component.limits();
    let good: Vec<_> = tested
        .cases
        .iter()
        .filter(|c| c.outputs.is_some())
        .collect();
    // Any parameters do for a call without rows.
    let defaults: Vec<_> = component
        .description()
        .parameters
        .iter()
        .map(|p| p.default.clone())
        .collect();
    let Fuel {
        start_up,
        describe,
        compute: no_rows,
    } = component.fuel(&defaults, &columns(component, &[]), 0)?;
    let mut cases = Vec::with_capacity(good.len());
    for ran in good {
        let case = &ran.case;
        let of = |rows: usize| -> Result<u64, GoldenError> {
            let copies = vec![case.inputs.as_slice(); rows];
            let inputs = columns(component, &copies);
            Ok(component.fuel(&case.parameters, &inputs, rows)?.compute)
        };
        let bulk = of(BULK_ROWS)?.saturating_sub(no_rows);
        cases.push(CaseFuel {
            case: case.name.clone(),
            compute: of(1)?,
            per_row: bulk / BULK_ROWS as u64,
        });
    }
    cases.sort_by_key(|c| std::cmp::Reverse(c.per_row));
    Ok(Profile {
        start_up,
        describe,
        no_rows,
        cases,
        limit_base: limits.fuel_base,
        limit_per_row: limits.fuel_per_row,
    })
}
