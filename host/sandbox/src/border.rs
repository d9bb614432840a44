//! What a component takes in and gives out, against the contract: no imports at all, and the
//! contract's interface in one version that this host speaks.

use wasmtime::Engine;
use wasmtime::component::Component as Compiled;
use wasmtime::component::types::{ComponentInstance, ComponentItem};

use super::component::{Source, listed};
use super::error::LogicError;
use super::versions::{self, Stranger, Version};

/// A border that was found good.
pub(super) struct Border {
    /// The version of the contract that the component is built for.
    pub(super) version: Version,
    /// Exports beside the contract's interface.
    pub(super) extra_exports: Vec<String>,
}

/// Checks imports and exports by name; types are the generated bindings' to check.
///
/// # Errors
/// When there is an import, no interface or several, one of a version that `spoken` lacks, or one
/// without its functions.
pub(super) fn check(
    source: &Source<'_>,
    engine: &Engine,
    compiled: &Compiled,
    spoken: &[Version],
) -> Result<Border, LogicError> {
    let border = compiled.component_type();
    let imports = listed(border.imports(engine).map(|(name, _)| name));
    if !imports.is_empty() {
        return Err(LogicError::Imports {
            file: source.file(),
            digest: source.digest,
            names: imports.join(", "),
        });
    }
    let exports = || border.exports(engine).map(|(name, _)| name);
    let found: Vec<_> = exports().filter_map(versions::of_export).collect();
    let version = one_spoken(source, &found, spoken, || listed(exports()))?;
    let name = version.interface();
    match border.get_export(engine, &name).map(|export| export.ty) {
        Some(ComponentItem::ComponentInstance(interface)) => {
            functions(source, engine, &interface, &name)?;
        }
        _ => {
            return Err(LogicError::MistypedExport {
                file: source.file(),
                digest: source.digest,
                export: name,
                cause: "it is not an interface".to_owned(),
            });
        }
    }
    Ok(Border {
        version,
        extra_exports: listed(exports().filter(|export| *export != name)),
    })
}

/// The one version that the component exports, where it is spoken here.
fn one_spoken(
    source: &Source<'_>,
    found: &[&str],
    spoken: &[Version],
    exports: impl FnOnce() -> Vec<String>,
) -> Result<Version, LogicError> {
    match found {
        [] => {
            let newest = spoken.last().copied().map(Version::interface);
            Err(source.missing(
                newest.unwrap_or_else(|| "the contract".to_owned()),
                exports(),
            ))
        }
        [version] => {
            let known = spoken.iter().find(|v| v.number() == *version);
            known.copied().ok_or_else(|| LogicError::OtherVersion {
                file: source.file(),
                digest: source.digest,
                found: listed(std::iter::once(*version)).join(""),
                stranger: Stranger::of(version, spoken),
                spoken: versions::listed(spoken),
            })
        }
        // Which one a lookup finds would depend on the engine's order.
        several => Err(LogicError::SeveralVersions {
            file: source.file(),
            digest: source.digest,
            found: listed(several.iter().copied()).join(", "),
        }),
    }
}

fn functions(
    source: &Source<'_>,
    engine: &Engine,
    interface: &ComponentInstance,
    name: &str,
) -> Result<(), LogicError> {
    for function in ["describe", "compute"] {
        let found = interface.get_export(engine, function);
        if !found.is_some_and(|e| matches!(e.ty, ComponentItem::ComponentFunc(_))) {
            let wanted = format!("the function {function} of {name}");
            let found = interface.exports(engine).map(|(name, _)| name);
            return Err(source.missing(wanted, listed(found)));
        }
    }
    Ok(())
}
