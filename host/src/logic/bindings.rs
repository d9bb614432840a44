//! The host's side of `wit/logic.wit`, generated.
//!
//! `ownership: Borrowing` lets a batch be lowered straight from the host's columns: what the guest's
//! memory receives is the only copy made.

pub(super) use generated::LogicPlugin;
pub(super) use generated::LogicPluginPre;
pub(super) use generated::exports::provender::logic::logic as wit;

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "logic-plugin",
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

/// The interface that a component exports, with the version this host speaks.
pub(super) const INTERFACE: &str = "provender:logic/logic@0.1.0";

/// The world that a component is built for, as the lock file and the provenance name it.
pub const WORLD: &str = "provender:logic/logic-plugin@0.1.0";
