//! The host's side of the contract, generated from the frozen `wit/frozen/logic-1.0.0.wit`: what a later
//! 1.x adds is looked up beside it, so that components of every 1.x are called by the same code.
//!
//! `ownership: Borrowing` lets a batch be lowered straight from the host's columns: what the guest's
//! memory receives is the only copy made.

pub(super) use generated::LogicPlugin;
pub(super) use generated::LogicPluginPre;
pub(super) use generated::exports::provender::logic::logic as wit;

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/frozen/logic-1.0.0.wit",
        world: "logic-plugin",
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

/// The interface that is called. Every 1.x has it as 1.0.0 froze it, and the engine finds the export of
/// any 1.x under this name; which versions are taken at all is [`super::versions`]' to say.
pub(super) const INTERFACE: &str = "provender:logic/logic@1.0.0";
