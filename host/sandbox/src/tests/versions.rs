//! Components of every frozen contract, on a host with a grown contract.

use wasmtime::component::{Component as Compiled, Linker};

use super::guest::{Recipe, component_in, limits, numbers};
use crate::difference::breaking_changes;
use crate::engine::{Backend, engine};
use crate::execute::store;
use crate::versions::{SPOKEN, Version, WORLD};
use crate::{Component, LogicError, Pin, PinLimits, PinState, Sandbox};
use provender_domain::canonical::Digest;
use provender_domain::value::Value;

/// Host bindings for a grown contract.
mod later {
    wasmtime::component::bindgen!({
        path: "src/tests/wit/logic-1.1.0.wit",
        world: "logic-plugin",
    });
}

const CURRENT: &str = include_str!("../../../../wit/logic.wit");
const FROZEN: &[(&str, &str)] = &[(
    "1.0.0",
    include_str!("../../../../wit/frozen/logic-1.0.0.wit"),
)];
const GROWN: &str = include_str!("wit/logic-1.1.0.wit");

/// `product:v1` of these tests' guest, built once for 1.0.0 and never rebuilt.
const OLD: &[u8] = include_bytes!("../../../../tests/frozen/product-1.0.0.wasm");
const OLD_DIGEST: &str = "sha256:2989857b9ac6b1cda6793e0b70d2dfaa667fbc29cd2e456ce9992cbfabe54722";

const BOTH: &[Version] = &[Version::for_test("1.0.0"), Version::for_test("1.1.0")];

/// The guest, built for the grown contract with its added interface.
fn grown() -> Vec<u8> {
    let wat = Recipe::default()
        .wat()
        .replace("logic@1.0.0#", "logic@1.1.0#")
        .replace(
            "(memory (export",
            "(func (export \"provender:logic/notes@1.1.0#covers\") (result i32) (i32.const 1024))\n(memory (export",
        );
    component_in(&wat, GROWN, "logic-plugin-with-notes")
}

fn products(component: &Component) -> Vec<Value> {
    let inputs = [numbers(&[2.0, 3.0]), numbers(&[5.0, f64::NAN])];
    let parameters: Vec<_> = component
        .description()
        .parameters
        .iter()
        .map(|p| p.default.clone())
        .collect();
    let computed = component.compute(&parameters, &inputs, 2).unwrap();
    assert!(computed.failed.is_empty(), "{:?}", computed.failed);
    (0..2).map(|row| computed.outputs[0].get(row)).collect()
}

#[test]
fn the_contract_equals_its_frozen_copy_and_every_spoken_version_has_one() {
    let package = |v: &Version| format!("package provender:logic@{};", v.number());
    let newest = SPOKEN.last().unwrap();
    assert!(CURRENT.contains(&package(newest)));
    assert_eq!(FROZEN.len(), SPOKEN.len());
    for (version, (number, text)) in SPOKEN.iter().zip(FROZEN) {
        assert_eq!(version.number(), *number);
        assert!(text.contains(&package(version)), "{number}");
    }
    assert_eq!(CURRENT, FROZEN.last().unwrap().1);
}

#[test]
fn each_frozen_contract_only_adds_to_the_ones_before() {
    let all = FROZEN.iter().map(|(_, text)| *text).chain([GROWN]);
    let all: Vec<_> = all.collect();
    for (n, old) in all.iter().enumerate() {
        for new in &all[n..] {
            assert_eq!(breaking_changes(old, new), Ok(Vec::new()));
        }
    }
}

#[test]
fn each_change_that_breaks_a_1_0_component_is_named() {
    let with = |from: &str, to: &str| {
        let changed = GROWN.replacen(from, to, 1);
        assert_ne!(changed, GROWN, "{from}");
        breaking_changes(CURRENT, &changed).unwrap().join("; ")
    };
    for (from, to, expected) in [
        (
            "enum severity { warn, crit }",
            "enum severity { warn, crit, page }",
            "the enum `severity` has the case `page`, which the contract does not have",
        ),
        (
            "nullable: bool, doc: string",
            "nullable: bool, doc: string, note: string",
            "the record `field` has the field `note`, which the contract does not have",
        ),
        (
            "min-rows: u32",
            "min-rows: u64",
            "the field `min-rows` of `monitor-rule` is u64, but the contract has u32",
        ),
        (
            "describe: func() -> description;",
            "describe: func() -> description;\n  license: func() -> string;",
            "the function `license` is added to `logic`; a component built before does not have it",
        ),
        (
            "compute: func(",
            "run: func(",
            "the function `compute` is missing",
        ),
        (
            "world logic-plugin { export logic; }",
            "world logic-plugin { export logic; export notes; }",
            "the world `logic-plugin` adds the export provender:logic/notes, which a component built before does not have",
        ),
        (
            "world logic-plugin {",
            "world plugin {",
            "the world `logic-plugin` is missing",
        ),
        ("interface logic {", "interface logics {", ""),
    ] {
        if expected.is_empty() {
            // A world that names a missing interface is not a valid package.
            assert!(breaking_changes(CURRENT, &GROWN.replacen(from, to, 1)).is_err());
            continue;
        }
        let found = with(from, to);
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn a_component_of_1_0_runs_beside_one_of_1_1_and_each_keeps_its_own_world() {
    assert_eq!(Digest::of_bytes(OLD).to_string(), OLD_DIGEST);
    let sandbox = Sandbox::with_versions(limits(), BOTH).unwrap();
    let old = sandbox.load("old.wasm", OLD).unwrap();
    let new = sandbox.load("new.wasm", &grown()).unwrap();
    assert_eq!(products(&old), [Value::Float64(10.0), Value::Null]);
    assert_eq!(products(&new), products(&old));
    assert_eq!(old.world(), "provender:logic/logic-plugin@1.0.0");
    assert_eq!(new.world(), "provender:logic/logic-plugin@1.1.0");
    assert!(old.extra_exports().is_empty());
    assert_eq!(new.extra_exports(), ["provender:logic/notes@1.1.0"]);
    for component in [&old, &new] {
        let pin = Pin::for_component(component, "x.wasm", PinState::Frozen, PinLimits::default());
        assert_eq!(pin.world, component.world());
        assert!(pin.check_component(component).is_ok());
    }
    // Today's host calls the old component's world by the same name.
    let today = Sandbox::new(limits(), None).unwrap();
    let component = today.load("old.wasm", OLD).unwrap();
    assert_eq!(component.world(), WORLD);
    assert_eq!(products(&component), products(&old));
}

#[test]
fn a_host_with_the_bindings_of_1_1_calls_a_component_of_1_0() {
    let limits = limits();
    let engine = engine(&limits, Backend::Native).unwrap();
    let compiled = Compiled::from_binary(&engine, OLD).unwrap();
    let pre = Linker::new(&engine).instantiate_pre(&compiled).unwrap();
    let pre = later::LogicPluginPre::new(pre).unwrap();
    let mut store = store(&engine, &limits, limits.fuel(1), 1 << 20).unwrap();
    let plugin = pre.instantiate(&mut store).unwrap();
    let guest = plugin.provender_logic_logic();
    let described = guest.call_describe(&mut store).unwrap();
    assert_eq!((&*described.name, &*described.version), ("product", "v1"));
}

#[test]
fn a_component_of_1_1_is_newer_than_the_host_of_today() {
    let today = Sandbox::new(limits(), None).unwrap();
    let error = today.load("new.wasm", &grown()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("provender:logic 1.1.0, newer than this program; this host speaks 1.0.0"),
        "{error}"
    );
}

#[test]
fn a_component_that_exports_two_versions_is_refused() {
    let both = wat::parse_str(
        r#"(component
            (instance $empty)
            (export "provender:logic/logic@1.0.0" (instance $empty))
            (export "provender:logic/logic@1.1.0" (instance $empty)))"#,
    )
    .unwrap();
    let sandbox = Sandbox::with_versions(limits(), BOTH).unwrap();
    let error = sandbox.load("both.wasm", &both).unwrap_err();
    assert!(
        matches!(error, LogicError::SeveralVersions { .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("versions 1.0.0, 1.1.0;"),
        "{error}"
    );
}
