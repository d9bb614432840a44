//! Reads from a component's bytes, before compilation: the tools that made it, its language, its nesting depth,
//! and its numbers of functions and globals.

use std::collections::BTreeSet;

use wasmparser::{
    BinaryReaderError, CustomSectionReader, KnownCustom, Name, Parser, Payload, TypeRef,
};

use super::component::LISTED;
use super::failure::printable;
use super::limits::{FUNCTIONS, GLOBALS, NAME_BYTES, NESTING, TYPE_NESTING};

/// The language that a component states; `unknown` if it states none or is not a component.
#[must_use]
pub fn stated_language(bytes: &[u8]) -> String {
    survey(bytes).map_or_else(|_| "unknown".to_owned(), |made| made.language)
}

/// What the sections of a component contain.
pub(super) struct Survey {
    /// Tools that made it: (tool, version), sorted.
    pub(super) tools: Vec<(String, String)>,
    /// Language that the component states; `unknown` if it states none.
    pub(super) language: String,
    /// Functions of all modules inside, imported ones included.
    pub(super) functions: u64,
    /// Globals of all modules inside.
    pub(super) globals: u64,
    /// Nesting depth of components and modules, not counting the outermost.
    pub(super) depth: u64,
    /// Upper bound of the nesting depth of component and instance types.
    pub(super) type_depth: u64,
    /// Longest name of a function or module, bytes.
    pub(super) name_bytes: u64,
    /// Whether a module inside says which lines its code comes from.
    pub(super) has_lines: bool,
}

impl Survey {
    /// The first limit that is exceeded: (what is counted, count, limit).
    pub(super) fn excess(&self) -> Option<(&'static str, u64, u64)> {
        [
            ("levels of nesting", self.depth, NESTING),
            ("levels of nested types", self.type_depth, TYPE_NESTING),
            ("functions", self.functions, FUNCTIONS),
            ("globals", self.globals, GLOBALS),
            ("bytes in one name", self.name_bytes, NAME_BYTES),
        ]
        .into_iter()
        .find(|(_, count, limit)| count > limit)
    }
}

/// Reads the tools and languages from a `producers` section.
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
        // The section is optional, so a malformed one is ignored.
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

/// The length of the longest name that a backtrace may show.
fn longest_name(section: &CustomSectionReader<'_>) -> usize {
    let KnownCustom::Name(names) = section.as_known() else {
        return 0;
    };
    let mut longest = 0;
    // The section is optional: wasmtime, too, reads it up to what is malformed.
    for part in names.map_while(Result::ok) {
        match part {
            Name::Module { name, .. } => longest = longest.max(name.len()),
            Name::Function(functions) => {
                let functions = functions.into_iter().map_while(Result::ok);
                longest = functions.map(|f| f.name.len()).fold(longest, usize::max);
            }
            _ => {}
        }
    }
    longest
}

/// Surveys the component and the modules inside. Only the component's own `producers` section names its language;
/// those inside may name the languages of libraries.
pub(super) fn survey(bytes: &[u8]) -> Result<Survey, BinaryReaderError> {
    let mut tools = BTreeSet::new();
    let mut languages: Vec<(u64, String)> = Vec::new();
    let (mut functions, mut globals) = (0_u64, 0_u64);
    let (mut depth, mut deepest, mut type_depth) = (0_u64, 0_u64, 0_u64);
    let mut name_bytes = 0_u64;
    let mut has_lines = false;
    for payload in Parser::new(0).parse_all(bytes) {
        let section = match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth += 1;
                deepest = deepest.max(depth);
                // It will be refused anyway, so stop reading.
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
        name_bytes = name_bytes.max(longest_name(&section) as u64);
        has_lines |= section.name() == ".debug_line";
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
        name_bytes,
        has_lines,
    })
}

/// An upper bound of the nesting depth of component and instance types in a type section. A nested type starts
/// with 0x01 (a declaration that is a type) and 0x41 or 0x42, so each such pair may be a level. wasmparser reads
/// them recursively, and a stack overflow would abort the process.
fn nested_types(section: &[u8]) -> u64 {
    let pairs = section
        .windows(2)
        .filter(|pair| matches!(pair, [0x01, 0x41 | 0x42]));
    pairs.count() as u64
}
