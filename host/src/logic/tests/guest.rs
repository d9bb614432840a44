//! A guest written by hand in WAT: `product = a * b` over nullable numbers, and `note`, the text
//! `ok` in every row. Some values of `a` make it misbehave in that row (see [`magic`]); hooks break
//! it in other ways.

pub(crate) use super::recipe::{Recipe, component_in, component_of};
use crate::domain::column::Column;
use crate::domain::value::{DataType, Value};
use crate::logic::{Component, Limits, LogicError, Sandbox};

/// Values of `a` that make the guest misbehave in their row.
pub(crate) mod magic {
    pub(crate) const LOOP: f64 = 1001.0;
    pub(crate) const PANIC: f64 = 1002.0;
    pub(crate) const GROW: f64 = 1003.0;
    pub(crate) const RECURSE: f64 = 1004.0;
    pub(crate) const NAN: f64 = 1005.0;
    pub(crate) const INTERNAL: f64 = 1006.0;
    pub(crate) const INVALID_INPUT: f64 = 1007.0;
    pub(crate) const INVALID_PARAMETER: f64 = 1008.0;
    pub(crate) const MINUS_ZERO: f64 = 1009.0;
}

impl Recipe {
    /// The component, loaded under the given limits.
    pub(crate) fn load_with(&self, limits: Limits) -> Result<Component, LogicError> {
        let sandbox = Sandbox::new(limits, None).unwrap();
        sandbox.load("product.wasm", &self.component())
    }

    /// The component, loaded under the tests' limits.
    pub(crate) fn load(&self) -> Result<Component, LogicError> {
        self.load_with(limits())
    }
}

/// Limits that let an endless loop end in milliseconds.
pub(crate) fn limits() -> Limits {
    Limits {
        memory_bytes: 8 << 20,
        fuel_base: 200_000,
        fuel_per_row: 1_000,
        ..Limits::default()
    }
}

/// A column of numbers; NaN stands for null.
pub(crate) fn numbers(values: &[f64]) -> Column {
    let values: Vec<_> = values
        .iter()
        .map(|x| {
            if x.is_nan() {
                Value::Null
            } else {
                Value::Float64(*x)
            }
        })
        .collect();
    Column::from_values(DataType::Float64, &values)
}
