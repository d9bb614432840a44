//! What several rooms' tests share.

use provender_guests::recipe::Recipe;
use provender_sandbox::{Component, Limits, LogicError, Sandbox};

/// A recipe's component, loaded.
pub(crate) trait Load {
    /// Under the given limits.
    fn load_with(&self, limits: Limits) -> Result<Component, LogicError>;

    /// Under the tests' limits.
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

/// Limits that let an endless loop end in milliseconds.
pub(crate) fn limits() -> Limits {
    Limits {
        memory_bytes: 8 << 20,
        fuel_base: 200_000,
        fuel_per_row: 1_000,
        ..Limits::default()
    }
}
