//! A core module to a component: encoded in process, validated, without imports, and telling what
//! built it.

use wasm_metadata::{AddMetadata, Producers};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

/// Version of the encoder that is compiled in; `Cargo.toml` pins it.
pub(crate) const WIT_COMPONENT: &str = "0.263.0";

/// What built a component: with the same of all of it, the same source gives the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toolchain {
    /// Version of rustc with its commit.
    pub rustc: String,
    /// `prebuilt` or `built-from-source`.
    pub rust_std: String,
    /// Version of the encoder.
    pub wit_component: String,
    /// Version of the SDK `provender-logic`.
    pub sdk: String,
}

impl std::fmt::Display for Toolchain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |s: &str| {
            if s.is_empty() {
                "unknown".to_owned()
            } else {
                s.to_owned()
            }
        };
        write!(
            f,
            "rustc {}, std {}, wit-component {}, provender-logic {}",
            shown(&self.rustc),
            shown(&self.rust_std),
            shown(&self.wit_component),
            shown(&self.sdk)
        )
    }
}

/// A core module that does not become a component.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// The encoder refuses it.
    #[error("the module does not become a component: {0}")]
    Encode(String),
    /// The bytes are no component.
    #[error("the bytes are not a component: {0}")]
    Parse(String),
    /// A component must compute from its inputs alone.
    #[error(
        "the component imports {0}; a logic may import nothing: find what uses the outside (clocks, random numbers, printing) and take it out"
    )]
    Imports(String),
}

/// Encodes a core module that cargo built, writes down what built it, and refuses imports.
///
/// # Errors
/// When the module does not fit its world, or the component would import something.
pub fn encode(module: &[u8], toolchain: &Toolchain) -> Result<Vec<u8>, ComponentError> {
    let component = with_producers(
        &encoded(module)?,
        &[("Rust", "")],
        &[
            ("rustc", &toolchain.rustc),
            ("rust-std", &toolchain.rust_std),
        ],
        &[("provender-logic", &toolchain.sdk)],
    )?;
    refuse_imports(&component)?;
    Ok(component)
}

/// Encodes a core module that another tool chain built, or takes the component that one made, and
/// writes down what `plugin show` prints: the language, and the tools as (name, version). A module
/// holds the section of its world, as wit-bindgen's object file brings it.
///
/// # Errors
/// When the module does not fit its world, or the component would import something.
pub fn encode_foreign(
    bytes: &[u8],
    language: &str,
    tools: &[(&str, &str)],
) -> Result<Vec<u8>, ComponentError> {
    let language = &[(language, "")];
    let component = if Parser::is_component(bytes) {
        with_producers(bytes, language, tools, &[])?
    } else {
        with_producers(&encoded(bytes)?, language, tools, &[])?
    };
    refuse_imports(&component)?;
    Ok(component)
}

fn encoded(module: &[u8]) -> Result<Vec<u8>, ComponentError> {
    // The alternate form of the encoder's error holds its whole chain of causes.
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.encode())
        .map_err(|e| ComponentError::Encode(format!("{e:#}")))
}

/// Writes down what built a component: languages, tools and SDKs, each with its version.
///
/// # Errors
/// When the bytes are not a component.
pub fn with_producers(
    component: &[u8],
    language: &[(&str, &str)],
    processed_by: &[(&str, &str)],
    sdk: &[(&str, &str)],
) -> Result<Vec<u8>, ComponentError> {
    let owned = |list: &[(&str, &str)]| {
        let pair = |(tool, version): &(&str, &str)| ((*tool).to_owned(), (*version).to_owned());
        list.iter().map(pair).collect()
    };
    let mut add = AddMetadata::default();
    add.language = owned(language);
    add.processed_by = owned(processed_by);
    add.sdk = owned(sdk);
    add.to_wasm(component)
        .map_err(|e| ComponentError::Encode(format!("{e:#}")))
}

/// Refuses a component that imports anything, by name.
///
/// # Errors
/// When it imports something, or the bytes are not a component.
pub fn refuse_imports(component: &[u8]) -> Result<(), ComponentError> {
    let found = imports(component)?;
    if found.is_empty() {
        Ok(())
    } else {
        Err(ComponentError::Imports(found.join(", ")))
    }
}

/// The names that a component imports.
///
/// # Errors
/// When the bytes are not a component.
pub fn imports(component: &[u8]) -> Result<Vec<String>, ComponentError> {
    let bad = |e: wasmparser::BinaryReaderError| ComponentError::Parse(e.to_string());
    let (mut depth, mut names) = (0, Vec::new());
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(bad)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            // What the inner modules import of each other is no import of the component.
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names.push(import.map_err(bad)?.name.name.to_string());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

/// What built a component, as it says itself; empty where it does not.
///
/// # Errors
/// When the bytes are not WebAssembly.
pub fn toolchain_of(component: &[u8]) -> Result<Toolchain, ComponentError> {
    let producers =
        Producers::from_wasm(component).map_err(|e| ComponentError::Parse(format!("{e:#}")))?;
    let version = |field: &str, tool: &str| -> String {
        let found = producers
            .as_ref()
            .and_then(|p| p.get(field).and_then(|f| f.get(tool).cloned()));
        found.unwrap_or_default()
    };
    Ok(Toolchain {
        rustc: version("processed-by", "rustc"),
        rust_std: version("processed-by", "rust-std"),
        wit_component: version("processed-by", "wit-component"),
        sdk: version("sdk", "provender-logic"),
    })
}
