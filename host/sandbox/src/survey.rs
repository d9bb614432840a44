//! What a component's bytes say before anything is compiled: who made it, in which language, and how
//! deep it is nested, and how many functions and globals it has.

use std::collections::BTreeSet;

use wasmparser::{BinaryReaderError, CustomSectionReader, KnownCustom, Parser, Payload, TypeRef};

use super::component::LISTED;
use super::failure::printable;
use super::limits::{FUNCTIONS, GLOBALS, NESTING, TYPE_NESTING};

/// The language that a component says it is written in; `unknown` where it does not, or is none.
#[must_use]
pub fn language_of(bytes: &[u8]) -> String {
    survey(bytes).map_or_else(|_| "unknown".to_owned(), |made| made.language)
}

/// What the sections of a component tell.
pub(super) struct Survey {
    /// (tool, version), sorted.
    pub(super) tools: Vec<(String, String)>,
    /// As the component says itself; `unknown` where it does not.
    pub(super) language: String,
    /// Functions of all modules inside, imported ones included.
    pub(super) functions: u64,
    /// Their globals.
    pub(super) globals: u64,
    /// Components and modules that lie in one another, the outermost not counted.
    pub(super) depth: u64,
    /// Types of components and instances that may lie in one another, at most.
    pub(super) type_depth: u64,
}

impl Survey {
    /// What there is too much of: (of what, how many, the limit).
    pub(super) fn excess(&self) -> Option<(&'static str, u64, u64)> {
        [
            ("levels of nesting", self.depth, NESTING),
            ("levels of nested types", self.type_depth, TYPE_NESTING),
            ("functions", self.functions, FUNCTIONS),
            ("globals", self.globals, GLOBALS),
        ]
        .into_iter()
        .find(|(_, count, limit)| count > limit)
    }
}

/// What a custom section says of the tools and languages that made the component.
fn producers(
    section: &CustomSectionReader<'_>,
    depth: u64,
    tools: &mut BTreeSet<(String, String)>,
    languages: &mut Vec<(u64, String)>,
) {
    let KnownCustom::Producers(fields) = section.as_known() else {
        return;
    };
    for field in fields {
        // The section is a courtesy of the tools: a broken one says nothing, and harms nothing.
        let Ok(field) = field else { break };
        for value in field.values {
            let Ok(value) = value else { break };
            if tools.len() < 4 * LISTED {
                tools.insert((printable(value.name, 80), printable(value.version, 120)));
            }
            if field.name == "language" && languages.len() < LISTED {
                languages.push((depth, value.name.to_ascii_lowercase()));
            }
        }
    }
}

/// Reads the component and the modules in it. The component's own `producers` section names its
/// language; the sections inside may name the languages of libraries too.
pub(super) fn survey(bytes: &[u8]) -> Result<Survey, BinaryReaderError> {
    let mut tools = BTreeSet::new();
    let mut languages: Vec<(u64, String)> = Vec::new();
    let (mut functions, mut globals) = (0_u64, 0_u64);
    let (mut depth, mut deepest, mut type_depth) = (0_u64, 0_u64, 0_u64);
    for payload in Parser::new(0).parse_all(bytes) {
        let section = match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth += 1;
                deepest = deepest.max(depth);
                // What is refused anyway is read no further.
                if deepest > NESTING {
                    break;
                }
                continue;
            }
            Payload::End(_) => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Payload::ComponentTypeSection(section) => {
                type_depth = type_depth.max(nested_types(&bytes[section.range()]));
                continue;
            }
            Payload::FunctionSection(section) => {
                functions = functions.saturating_add(u64::from(section.count()));
                continue;
            }
            Payload::GlobalSection(section) => {
                globals = globals.saturating_add(u64::from(section.count()));
                continue;
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    match import?.ty {
                        TypeRef::Func(_) | TypeRef::FuncExact(_) => functions += 1,
                        TypeRef::Global(_) => globals += 1,
                        _ => {}
                    }
                }
                continue;
            }
            Payload::CustomSection(section) => section,
            _ => continue,
        };
        producers(&section, depth, &mut tools, &mut languages);
    }
    languages.sort();
    let language = languages
        .into_iter()
        .map(|(_, language)| printable(&language, 40))
        .next();
    Ok(Survey {
        tools: tools.into_iter().collect(),
        language: language.unwrap_or_else(|| "unknown".to_owned()),
        functions,
        globals,
        depth: deepest,
        type_depth,
    })
}

/// A bound on how deep types of components and instances lie in one another in a section of types. A
/// nested one begins with 0x01 (a declaration that is a type) and 0x41 or 0x42; each such pair may be a
/// level. wasmparser reads them by recursion, and past the end of the stack the process is gone.
fn nested_types(section: &[u8]) -> u64 {
    let pairs = section
        .windows(2)
        .filter(|pair| matches!(pair, [0x01, 0x41 | 0x42]));
    pairs.count() as u64
}
