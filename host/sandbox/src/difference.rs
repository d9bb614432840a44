//! Compares two contract versions, or a component with the contract, and names every missing or changed item.
//!
//! wasmtime only says "no matching implementation"; an author needs to know which field of which record differs.

use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{
    Interface, Package, PackageId, Record, Resolve, Type, TypeDefKind, TypeId, Variant, World,
    WorldItem, WorldKey,
};

use super::bindings::INTERFACE;
use super::versions;

/// The contract as this host calls it. Every 1.x keeps this interface unchanged.
const CONTRACT: &str = include_str!("../../../wit/frozen/logic-1.0.0.wit");
/// Most differences listed. The first one usually causes the others.
const MAX_LISTED: usize = 20;
/// Deepest nesting that is compared. The contract's own types are four levels deep.
const MAX_DEPTH: usize = 16;

/// Lists how the interface that a component exports differs from the contract's, one clause per difference. Empty
/// when nothing differs or the bytes cannot be compared.
#[must_use]
pub fn contract_differences(component: &[u8]) -> Vec<String> {
    let Ok((wanted, package)) = parsed(CONTRACT) else {
        return Vec::new();
    };
    let Ok(DecodedWasm::Component(found, world)) = decode(component) else {
        return Vec::new();
    };
    let Some(interface) = wanted
        .packages
        .get(package)
        .and_then(|p| wanted.interfaces.get(*p.interfaces.get("logic")?))
    else {
        return Vec::new();
    };
    let exported = found.worlds[world].exports.iter();
    let exported: Vec<_> = exported
        .filter_map(|(key, item)| match (key, item) {
            (WorldKey::Interface(id), WorldItem::Interface { .. }) => {
                Some((found.id_of(*id)?, found.interfaces.get(*id)?))
            }
            _ => None,
        })
        .collect();
    let theirs = exported
        .iter()
        .find(|(id, _)| versions::exported_version(id).is_some());
    let Some((_, theirs)) = theirs else {
        return without_version(exported.iter().map(|(id, _)| id.as_str()));
    };
    let mut comparison = Comparison::new(&wanted, &found);
    comparison.interface(interface, theirs);
    comparison.differences
}

/// Finds the interface exported without a version.
fn without_version<'a>(exported: impl Iterator<Item = &'a str>) -> Vec<String> {
    let bare = INTERFACE
        .split_once('@')
        .map_or(INTERFACE, |(bare, _)| bare);
    exported
        .filter(|id| *id == bare)
        .map(|id| format!("it exports {id} without a version of the contract"))
        .collect()
}

/// Lists what breaks for a component built against the WIT `old` on a host with the WIT `new`: items removed,
/// changed or newly required. Empty when `new` only adds.
///
/// # Errors
/// The parser's message, when one of the texts is not a WIT package.
pub fn breaking_changes(old: &str, new: &str) -> Result<Vec<String>, String> {
    let ((ours, old), (theirs, new)) = (parsed(old)?, parsed(new)?);
    let mut comparison = Comparison::new(&ours, &theirs);
    if let (Some(old), Some(new)) = (ours.packages.get(old), theirs.packages.get(new)) {
        comparison.package(old, new);
    }
    Ok(comparison.differences)
}

fn parsed(text: &str) -> Result<(Resolve, PackageId), String> {
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str("logic.wit", text)
        .map_err(|e| e.to_string())?;
    Ok((resolve, package))
}

struct Comparison<'a> {
    wanted: &'a Resolve,
    found: &'a Resolve,
    differences: Vec<String>,
}

impl<'a> Comparison<'a> {
    fn new(wanted: &'a Resolve, found: &'a Resolve) -> Comparison<'a> {
        Comparison {
            wanted,
            found,
            differences: Vec::new(),
        }
    }

    /// Requires every interface with its types and without added functions, and every world with the same imports
    /// and exports.
    fn package(&mut self, wanted: &Package, found: &Package) {
        let (old, new) = (self.wanted, self.found);
        for (name, id) in &wanted.interfaces {
            let theirs = found.interfaces.get(name);
            let (Some(ours), Some(theirs)) = (
                old.interfaces.get(*id),
                theirs.and_then(|i| new.interfaces.get(*i)),
            ) else {
                self.add(format!("the interface `{name}` is missing"));
                continue;
            };
            self.interface(ours, theirs);
            for (name, id) in &ours.types {
                match theirs.types.get(name) {
                    Some(theirs) => {
                        let place = format!("the type `{name}`");
                        self.types(&place, Type::Id(*id), Type::Id(*theirs), MAX_DEPTH);
                    }
                    None => self.add(format!("the type `{name}` is missing")),
                }
            }
            for added in theirs.functions.keys() {
                if !ours.functions.contains_key(added) {
                    self.add(format!(
                        "the function `{added}` is added to `{name}`; a component built before does not have it"
                    ));
                }
            }
        }
        for (name, id) in &wanted.worlds {
            let theirs = found.worlds.get(name).and_then(|w| new.worlds.get(*w));
            let (Some(ours), Some(theirs)) = (old.worlds.get(*id), theirs) else {
                self.add(format!("the world `{name}` is missing"));
                continue;
            };
            self.world(
                name,
                &imports_and_exports(old, ours),
                &imports_and_exports(new, theirs),
            );
        }
    }

    /// Compares a world's imports and exports by name.
    fn world(&mut self, world: &str, wanted: &[String], found: &[String]) {
        for item in wanted.iter().filter(|i| !found.contains(i)) {
            self.add(format!("the world `{world}` no longer has the {item}"));
        }
        for item in found.iter().filter(|i| !wanted.contains(i)) {
            self.add(format!(
                "the world `{world}` adds the {item}, which a component built before does not have"
            ));
        }
    }

    fn add(&mut self, difference: String) {
        if self.differences.len() < MAX_LISTED && !self.differences.contains(&difference) {
            self.differences.push(difference);
        }
    }

    fn interface(&mut self, wanted: &Interface, found: &Interface) {
        for (name, ours) in &wanted.functions {
            let Some(theirs) = found.functions.get(name) else {
                let there: Vec<_> = found.functions.keys().map(String::as_str).collect();
                self.add(format!(
                    "the function `{name}` is missing; the functions are: {}",
                    if there.is_empty() {
                        "none".to_owned()
                    } else {
                        there.join(", ")
                    }
                ));
                continue;
            };
            let names = |f: &wit_parser::Function| {
                f.params
                    .iter()
                    .map(|p| p.name.clone())
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            if ours.params.len() != theirs.params.len() {
                self.add(format!(
                    "the function `{name}` takes ({}), but the contract has ({})",
                    names(theirs),
                    names(ours)
                ));
            }
            for (a, b) in ours.params.iter().zip(&theirs.params) {
                self.types(
                    &format!("the parameter `{}` of `{name}`", a.name),
                    a.ty,
                    b.ty,
                    MAX_DEPTH,
                );
            }
            match (ours.result, theirs.result) {
                (Some(a), Some(b)) => {
                    self.types(&format!("the result of `{name}`"), a, b, MAX_DEPTH)
                }
                (Some(_), None) => self.add(format!(
                    "the function `{name}` returns nothing, but the contract has a result"
                )),
                (None, Some(_)) => self.add(format!(
                    "the function `{name}` returns a result, but the contract has none"
                )),
                (None, None) => {}
            }
        }
    }

    fn types(&mut self, place: &str, wanted: Type, found: Type, depth: usize) {
        let (wanted, found) = (alias(self.wanted, wanted), alias(self.found, found));
        let (Type::Id(a), Type::Id(b)) = (wanted, found) else {
            if wanted != found {
                self.mismatch(place, wanted, found);
            }
            return;
        };
        if depth == 0 {
            return;
        }
        let (Some(ours), Some(theirs)) = (self.wanted.types.get(a), self.found.types.get(b)) else {
            return;
        };
        let named = ours
            .name
            .as_ref()
            .map_or_else(|| place.to_owned(), |n| format!("`{n}`"));
        match (&ours.kind, &theirs.kind) {
            (TypeDefKind::Record(x), TypeDefKind::Record(y)) => self.records(&named, (x, y), depth),
            (TypeDefKind::Variant(x), TypeDefKind::Variant(y)) => {
                self.variants(&named, (x, y), depth);
            }
            (TypeDefKind::Enum(x), TypeDefKind::Enum(y)) => {
                let cases = |e: &wit_parser::Enum| {
                    e.cases.iter().map(|c| c.name.clone()).collect::<Vec<_>>()
                };
                self.members(&format!("the enum {named}"), "case", &cases(x), &cases(y));
            }
            (TypeDefKind::List(x), TypeDefKind::List(y))
            | (TypeDefKind::Option(x), TypeDefKind::Option(y)) => {
                self.types(place, *x, *y, depth - 1);
            }
            (TypeDefKind::Tuple(x), TypeDefKind::Tuple(y)) if x.types.len() == y.types.len() => {
                for (a, b) in x.types.iter().zip(&y.types) {
                    self.types(place, *a, *b, depth - 1);
                }
            }
            (TypeDefKind::Result(x), TypeDefKind::Result(y)) => {
                for (a, b) in [(x.ok, y.ok), (x.err, y.err)] {
                    match (a, b) {
                        (Some(a), Some(b)) => self.types(place, a, b, depth - 1),
                        (None, None) => {}
                        _ => self.mismatch(place, wanted, found),
                    }
                }
            }
            _ => self.mismatch(place, wanted, found),
        }
    }

    fn records(&mut self, named: &str, (x, y): (&Record, &Record), depth: usize) {
        let fields = |r: &Record| r.fields.iter().map(|f| f.name.clone()).collect::<Vec<_>>();
        let what = format!("the record {named}");
        self.members(&what, "field", &fields(x), &fields(y));
        for ours in &x.fields {
            if let Some(theirs) = y.fields.iter().find(|f| f.name == ours.name) {
                let place = format!("the field `{}` of {named}", ours.name);
                self.types(&place, ours.ty, theirs.ty, depth - 1);
            }
        }
    }

    fn variants(&mut self, named: &str, (x, y): (&Variant, &Variant), depth: usize) {
        let cases = |v: &Variant| v.cases.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
        let what = format!("the variant {named}");
        self.members(&what, "case", &cases(x), &cases(y));
        for ours in &x.cases {
            let theirs = y.cases.iter().find(|c| c.name == ours.name);
            if let Some((a, b)) = theirs.and_then(|t| ours.ty.zip(t.ty)) {
                let place = format!("the case `{}` of {named}", ours.name);
                self.types(&place, a, b, depth - 1);
            }
        }
    }

    /// Compares the fields of a record or the cases of a variant. Order counts, because they are passed by
    /// position.
    fn members(&mut self, what: &str, kind: &str, wanted: &[String], found: &[String]) {
        for name in wanted.iter().filter(|n| !found.contains(n)) {
            self.add(format!("{what} lacks the {kind} `{name}`"));
        }
        for name in found.iter().filter(|n| !wanted.contains(n)) {
            self.add(format!(
                "{what} has the {kind} `{name}`, which the contract does not have"
            ));
        }
        let mut sorted = (wanted.to_vec(), found.to_vec());
        sorted.0.sort();
        sorted.1.sort();
        if sorted.0 == sorted.1 && wanted != found {
            self.add(format!(
                "{what} has its {kind}s in another order: {}, but the contract has {}",
                found.join(", "),
                wanted.join(", ")
            ));
        }
    }

    fn mismatch(&mut self, place: &str, wanted: Type, found: Type) {
        let (wanted, found) = (
            type_text(self.wanted, wanted, MAX_DEPTH),
            type_text(self.found, found, MAX_DEPTH),
        );
        self.add(format!("{place} is {found}, but the contract has {wanted}"));
    }
}

/// A world's imports and exports, such as `export logic`, without versions, which may differ.
fn imports_and_exports(resolve: &Resolve, world: &World) -> Vec<String> {
    let name = |key: &WorldKey| {
        let full = resolve.name_world_key(key);
        full.split_once('@')
            .map_or(full.as_str(), |(bare, _)| bare)
            .to_owned()
    };
    let imports = world.imports.keys().map(|k| format!("import {}", name(k)));
    let exports = world.exports.keys().map(|k| format!("export {}", name(k)));
    imports.chain(exports).collect()
}

/// Resolves aliases.
fn alias(resolve: &Resolve, mut ty: Type) -> Type {
    // Decoded components have no alias cycles; the bound protects against a decoder bug.
    for _ in 0..64 {
        let Type::Id(id) = ty else { break };
        let Some(TypeDefKind::Type(inner)) = resolve.types.get(id).map(|t| &t.kind) else {
            break;
        };
        ty = *inner;
    }
    ty
}

/// A type in WIT syntax.
fn type_text(resolve: &Resolve, ty: Type, depth: usize) -> String {
    let of = |t: &Type| match depth {
        0 => "…".to_owned(),
        _ => type_text(resolve, *t, depth - 1),
    };
    let plain = match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::ErrorContext => "error-context",
        Type::Id(id) => return definition_text(resolve, id, of),
    };
    plain.to_owned()
}

fn definition_text(resolve: &Resolve, id: TypeId, of: impl Fn(&Type) -> String) -> String {
    let Some(definition) = resolve.types.get(id) else {
        return "an unknown type".to_owned();
    };
    if let Some(name) = &definition.name {
        return format!("`{name}`");
    }
    match &definition.kind {
        TypeDefKind::List(t) => format!("list<{}>", of(t)),
        TypeDefKind::Option(t) => format!("option<{}>", of(t)),
        TypeDefKind::Type(t) => of(t),
        TypeDefKind::Tuple(t) => {
            format!(
                "tuple<{}>",
                t.types.iter().map(&of).collect::<Vec<_>>().join(", ")
            )
        }
        TypeDefKind::Result(r) => {
            let side = |t: &Option<Type>| t.as_ref().map_or_else(|| "_".to_owned(), &of);
            format!("result<{}, {}>", side(&r.ok), side(&r.err))
        }
        other => format!("a {}", other.as_str()),
    }
}
