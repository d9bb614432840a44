//! Host bindings, generated from the frozen `wit/frozen/logic-1.0.0.wit`. Additions of a later 1.x are looked up
//! separately, so the same code calls components of every 1.x.
//!
//! With `ownership: Borrowing`, a batch is lowered straight from the host's columns into the guest's memory, the
//! only copy.

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

/// The interface the host calls. Every 1.x keeps it as frozen in 1.0.0, and the engine resolves the export of any
/// 1.x under this name. [`super::versions`] decides which versions are accepted.
pub(super) const INTERFACE: &str = "provender:logic/logic@1.0.0";
