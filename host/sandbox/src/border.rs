//! Checks a component's imports and exports against the contract: no imports, and the contract's interface in
//! exactly one version that this host speaks.

use wasmtime::Engine;
use wasmtime::component::Component as Compiled;
use wasmtime::component::types::{ComponentInstance, ComponentItem};

use super::component::{Source, listed};
use super::error::LogicError;
use super::versions::{self, UnsupportedVersion, Version};

/// A component's imports and exports, checked.
pub(super) struct Border {
    /// The contract version that the component is built for.
    pub(super) version: Version,
    /// Exports besides the contract's interface.
    pub(super) extra_exports: Vec<String>,
}

/// Checks imports and exports by name. The generated bindings check the types.
///
/// # Errors
/// When there is any import, when the interface is missing, incomplete or exported in several versions, or when
/// its version is not in `spoken`.
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
    let found: Vec<_> = exports().filter_map(versions::exported_version).collect();
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

/// The contract version that the component exports; must be exactly one, and in `spoken`.
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
                kind: UnsupportedVersion::classify(version, spoken),
                spoken: versions::listed(spoken),
            })
        }
        // Which of them a lookup finds would depend on the engine's order.
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
