//! The fuel of a call, stage by stage. For authors who ask where it goes; production does not
//! measure.

use provender_domain::column::Column;
use provender_domain::value::Scalar;

use super::columns::{self, Lowered};
use super::component::Component;
use super::error::LogicError;
use super::execute::{self, Callee};
use super::limits::DESCRIPTION_BYTES;

/// Fuel used, stage by stage; the part of the stages that ended in a failure is counted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuel {
    /// Of making an instance.
    pub start_up: u64,
    /// Of `describe` in a fresh instance.
    pub describe: u64,
    /// Of `compute` in a fresh instance, with the guest's work of taking the columns in.
    pub compute: u64,
}

impl Component {
    /// Measures one call over all rows of `inputs`, without splitting it into batches.
    ///
    /// # Errors
    /// When parameters or inputs are not those declared, or the host cannot call at all.
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
                cause: format!("{e:#}"),
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
    // What a failing guest burned is what was asked for; why it failed is said elsewhere.
    let _ = guest.call_describe(&mut store);
    let describe = after_start.saturating_sub(store.get_fuel()?);

    let mut store = fresh(callee.limits.returned_bytes)?;
    let plugin = callee.pre.instantiate(&mut store)?;
    let before = store.get_fuel()?;
    let scalars: Vec<_> = parameters.iter().map(columns::scalar).collect();
    let lowered: Vec<_> = inputs.iter().map(|c| Lowered::of(c, 0..rows)).collect();
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
