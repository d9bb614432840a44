//! Components that are refused at load.

use super::guest::Load as _;
use super::guest::{Recipe, component_of, limits};
use crate::{LogicError, Sandbox, WORLD};
use provender_domain::canonical::Digest;

fn sandbox() -> Sandbox {
    Sandbox::new(limits(), None).unwrap()
}

fn refused(bytes: &[u8]) -> LogicError {
    let error = sandbox().load("x.wasm", bytes).unwrap_err();
    assert_eq!(error.exit_code_kind().code(), 14, "{error}");
    assert!(error.to_string().contains("x.wasm"), "{error}");
    error
}

#[test]
fn a_good_component_reports_its_properties() {
    let bytes = Recipe::default().component();
    let component = sandbox().load("product.wasm", &bytes).unwrap();
    assert_eq!(component.digest(), Digest::of_bytes(&bytes));
    assert_eq!(component.size(), bytes.len() as u64);
    assert_eq!(component.world(), WORLD);
    assert_eq!(component.description().model_version(), "product:v1");
    assert_eq!(component.description().outputs[1].field.name, "note");
    assert!(component.imports().is_empty());
    assert!(component.extra_exports().is_empty());
    let tools: Vec<_> = component.toolchain().iter().map(|t| t.0.as_str()).collect();
    assert!(tools.contains(&"wit-component"), "{tools:?}");
}

#[test]
fn any_import_is_refused_by_name() {
    let wit = include_str!("../../../../wit/logic.wit").replace(
        "world logic-plugin {",
        "interface clock { now: func() -> u64; }\nworld logic-plugin { import clock;",
    );
    let wat = Recipe::default().wat().replace(
        "(memory (export",
        "(import \"provender:logic/clock@1.0.0\" \"now\" (func $now (result i64)))\n(memory (export",
    );
    let error = refused(&component_of(&wat, &wit));
    assert!(matches!(error, LogicError::Imports { .. }), "{error}");
    assert!(error.to_string().contains("provender:logic/clock@1.0.0"));
}

#[test]
fn each_kind_of_bytes_that_are_not_a_component_has_its_error() {
    let core = wat::parse_str("(module)").unwrap();
    assert!(matches!(refused(&core), LogicError::CoreModule { .. }));

    let engine = crate::engine::engine(&limits(), crate::Backend::Native).unwrap();
    let component = Recipe::default().component();
    let compiled = engine.precompile_component(&component).unwrap();
    assert!(matches!(refused(&compiled), LogicError::Precompiled { .. }));

    for bytes in [&b""[..], b"\0asm", b"(component)", &[0xa5; 4_096]] {
        assert!(matches!(refused(bytes), LogicError::NotAComponent { .. }));
    }
    for cut in [9, component.len() / 2, component.len() - 1] {
        let error = refused(&component[..cut]);
        assert!(matches!(error, LogicError::NotAComponent { .. }), "{error}");
    }
}

#[test]
fn a_component_of_the_maximum_size_loads_and_one_byte_more_does_not() {
    let bytes = Recipe::default().component();
    let mut limits = limits();
    limits.component_bytes = bytes.len() as u64;
    let sandbox = Sandbox::new(limits.clone(), None).unwrap();
    assert!(sandbox.load("x.wasm", &bytes).is_ok());
    limits.component_bytes -= 1;
    let sandbox = Sandbox::new(limits, None).unwrap();
    let error = sandbox.load("x.wasm", &bytes).unwrap_err();
    assert!(matches!(error, LogicError::TooLarge { .. }));
}

#[test]
fn a_missing_interface_or_function_is_named() {
    let empty = wat::parse_str("(component)").unwrap();
    let error = refused(&empty).to_string();
    assert!(
        error.contains("does not export provender:logic/logic@1.0.0"),
        "{error}"
    );
    assert!(error.contains("it exports nothing"), "{error}");

    let wit =
        include_str!("../../../../wit/logic.wit").replace("  compute: func", "  compile: func");
    let wat = Recipe::default().wat().replace("#compute", "#compile");
    let error = refused(&component_of(&wat, &wit)).to_string();
    assert!(error.contains("the function compute of"), "{error}");
}

#[test]
fn another_version_of_the_contract_is_refused_with_its_kind() {
    let of = |version: &str| {
        let wit = include_str!("../../../../wit/logic.wit").replace("1.0.0", version);
        let wat = Recipe::default()
            .wat()
            .replace("logic@1.0.0#", &format!("logic@{version}#"));
        let error = refused(&component_of(&wat, &wit));
        assert_eq!(error.code(), "component_contract_version");
        error.to_string()
    };
    for (version, expected) in [
        (
            "0.1.0",
            "provender:logic 0.1.0, a draft from before the contract was frozen; this host speaks 1.0.0",
        ),
        ("1.1.0", "provender:logic 1.1.0, newer than this program;"),
        ("2.0.0", "provender:logic 2.0.0, newer than this program;"),
        (
            "1.0.0-rc.1",
            "provender:logic 1.0.0-rc.1, a version that was never released;",
        ),
    ] {
        let error = of(version);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn an_export_with_other_types_is_refused() {
    let wit = include_str!("../../../../wit/logic.wit").replace("rows: u32,", "rows: s32,");
    let error = refused(&component_of(&Recipe::default().wat(), &wit));
    assert!(
        matches!(error, LogicError::MistypedExport { .. }),
        "{error}"
    );
}

#[test]
fn a_declaration_that_breaks_a_rule_is_refused_with_the_rule() {
    let recipe = Recipe {
        inputs: ["a", "a"],
        ..Recipe::default()
    };
    let error = refused(&recipe.component()).to_string();
    assert!(error.contains("the input `a` is declared twice"), "{error}");

    let recipe = Recipe {
        name: "x".repeat(2 << 20),
        ..Recipe::default()
    };
    let error = refused(&recipe.component());
    assert_eq!(error.code(), "bad_return", "{error}");
}

#[test]
fn a_describe_that_loops_traps_or_changes_is_refused() {
    let with = |describe, top| {
        refused(
            &Recipe {
                describe,
                top,
                ..Recipe::default()
            }
            .component(),
        )
    };
    let error = with("(call $spin)", "");
    assert_eq!(error.code(), "fuel_exhausted", "{error}");
    assert!(error.to_string().contains("failed in describe"));
    assert!(error.detail().contains("spin"), "{}", error.detail());

    let error = with("(call $panic)", "");
    assert!(
        error
            .to_string()
            .contains("it panicked: the herd is  [31mgone"),
        "{error}"
    );

    let error = with("(call $hoard)", "");
    assert_eq!(error.code(), "memory_exhausted", "{error}");

    // The first letter of the name changes with each call.
    let error = with(
        "(i32.store8 (i32.load (i32.const 4096)) (i32.add (i32.const 1) (i32.load8_u (i32.load (i32.const 4096)))))",
        "",
    );
    assert!(matches!(error, LogicError::Unstable { .. }), "{error}");

    let error = with("", "(func $init (loop $again (br $again))) (start $init)");
    assert_eq!(error.code(), "fuel_exhausted", "{error}");
    assert!(error.to_string().contains("failed in start-up"), "{error}");
}

#[test]
fn initial_memory_and_tables_count() {
    let with = |top| {
        Recipe {
            top,
            ..Recipe::default()
        }
        .load()
    };
    assert!(with("(table 100000 funcref)").is_ok());
    assert_eq!(
        with("(table 100001 funcref)").unwrap_err().code(),
        "memory_exhausted"
    );
    let wat = Recipe::default().wat();
    let wit = include_str!("../../../../wit/logic.wit");
    // 128 pages are 8 MiB.
    for (pages, code) in [(128, None), (129, Some("memory_exhausted"))] {
        let wat = wat.replace(
            "(memory (export \"memory\") 1)",
            &format!("(memory (export \"memory\") {pages})"),
        );
        let loaded = sandbox().load("x.wasm", &component_of(&wat, wit));
        assert_eq!(loaded.err().map(|e| e.code()), code);
    }
}
