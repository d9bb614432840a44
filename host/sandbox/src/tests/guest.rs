//! A handwritten WAT guest: `product = a * b` over nullable numbers, and `note`, the text `ok` in every row. Some
//! values of `a` make it misbehave in that row (see [`magic`]); hooks break it in other ways.

pub(crate) use provender_guests::magic;
pub(crate) use provender_guests::recipe::{Recipe, component_in, component_of};

use crate::{Component, Limits, LogicError, Sandbox};
use provender_domain::column::Column;
use provender_domain::value::{DataType, Value};

/// Loads a recipe's component.
pub(crate) trait Load {
    /// Loads it under the given limits.
    fn load_with(&self, limits: Limits) -> Result<Component, LogicError>;

    /// Loads it under the tests' limits.
    fn load(&self) -> Result<Component, LogicError> {
        self.load_with(limits())
    }
}

impl Load for Recipe {
    fn load_with(&self, limits: Limits) -> Result<Component, LogicError> {
        let sandbox = Sandbox::new(limits, None).unwrap();
        sandbox.load("product.wasm", &self.component())
    }
}

/// Limits under which an endless loop ends within milliseconds.
pub(crate) fn limits() -> Limits {
    Limits {
        memory_bytes: 8 << 20,
        fuel_base: 200_000,
        fuel_per_row: 1_000,
        ..Limits::default()
    }
}

/// A column of numbers, with NaN for null.
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
