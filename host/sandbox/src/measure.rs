//! Measures the fuel of a call by stage, for authors. Production does not measure.

use provender_domain::column::Column;
use provender_domain::value::Scalar;

use super::columns::{self, Lowered};
use super::component::Component;
use super::error::LogicError;
use super::execute::{self, Callee};
use super::failure::printable;
use super::limits::DESCRIPTION_BYTES;

/// Fuel used by each stage. A stage that failed counts with what it had used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuel {
    /// Fuel of instantiation.
    pub start_up: u64,
    /// Fuel of `describe` in a fresh instance.
    pub describe: u64,
    /// Fuel of `compute` in a fresh instance, including the guest's work of reading the columns.
    pub compute: u64,
}

impl Component {
    /// Measures one call over all rows of `inputs`, without splitting it into batches.
    ///
    /// # Errors
    /// When parameters or inputs do not match the declaration, or the host cannot make the call.
    pub fn fuel(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: usize,
    ) -> Result<Fuel, LogicError> {
        let callee = self.callee();
        callee.check_call(parameters, inputs, rows)?;
        execute::on_guest_stack(callee.limits, || measure(&callee, parameters, inputs, rows))?
            .map_err(|e| LogicError::Engine {
                cause: printable(&format!("{e:#}"), 500),
            })
    }
}

fn measure(
    callee: &Callee<'_>,
    parameters: &[Scalar],
    inputs: &[Column],
    rows: usize,
) -> Result<Fuel, wasmtime::Error> {
    let fuel = callee.limits.fuel(rows);
    let fresh = |returned| execute::store(callee.engine, callee.limits, fuel, returned);

    let mut store = fresh(DESCRIPTION_BYTES)?;
    let plugin = callee.pre.instantiate(&mut store)?;
    let after_start = store.get_fuel()?;
    let guest = plugin.provender_logic_logic();
    // The fuel counts even if the guest failed; the cause of a failure is reported by other calls.
    let _ = guest.call_describe(&mut store);
    let describe = after_start.saturating_sub(store.get_fuel()?);

    let mut store = fresh(callee.limits.returned_bytes)?;
    let plugin = callee.pre.instantiate(&mut store)?;
    let before = store.get_fuel()?;
    let scalars: Vec<_> = parameters.iter().map(columns::scalar).collect();
    let lowered: Vec<_> = inputs.iter().map(|c| Lowered::slice(c, 0..rows)).collect();
    let lowered: Vec<_> = lowered.iter().map(Lowered::as_wit).collect();
    let count = u32::try_from(rows).map_err(wasmtime::Error::new)?;
    let guest = plugin.provender_logic_logic();
    let _ = guest.call_compute(&mut store, count, &scalars, &lowered);
    Ok(Fuel {
        start_up: fuel.saturating_sub(after_start),
        describe,
        compute: before.saturating_sub(store.get_fuel()?),
    })
}
