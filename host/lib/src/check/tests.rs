//! Bad components, each refused with its whole message, and good ones that pass.

use crate::check::{CheckReport, Status, check};
use crate::testing::limits;
use provender_domain::catalogue::built_in;
use provender_guests::declaration::{Declaration, Field, Limit};
use provender_guests::recipe::{Recipe, component_of};
use provender_sandbox::{Limits, PinLimits, Sandbox};

const WIT: &str = include_str!("../../../../wit/logic.wit");

fn checked(bytes: &[u8]) -> CheckReport {
    checked_within(bytes, limits())
}

fn checked_within(bytes: &[u8], limits: Limits) -> CheckReport {
    let sandbox = Sandbox::new(limits, None).unwrap();
    check(
        &sandbox,
        "x.wasm",
        bytes,
        &PinLimits::default(),
        &built_in(),
    )
    .unwrap()
}

/// Everything in a report, for the snapshot.
fn listing(report: &CheckReport) -> String {
    let mut lines = Vec::new();
    for f in &report.findings {
        lines.push(format!("  {}: {}\n    fix: {}", f.code, f.message, f.fix));
    }
    for c in report
        .conformance
        .iter()
        .filter(|c| c.status == Status::Failed)
    {
        lines.push(format!("  conformance, {}: {}", c.name, c.detail));
    }
    if lines.is_empty() {
        lines.push("  accepted".to_owned());
    }
    lines
        .join("\n")
        .replace(&report.digest.to_string(), "DIGEST")
}

/// A product of two extremes is not a finite number, so these guests return the lesser of two.
fn wat(recipe: &Recipe) -> String {
    recipe
        .wat()
        .replace("(f64.mul (local.get $x)", "(f64.min (local.get $x)")
}

fn good() -> String {
    wat(&Recipe::default())
}

fn declare(change: impl FnOnce(&mut Declaration)) -> Vec<u8> {
    let mut recipe = Recipe::default();
    change(&mut recipe.declare);
    recipe.name.clone_from(&recipe.declare.name);
    let names: Vec<_> = recipe.declare.inputs.iter().map(|i| i.0.name).collect();
    recipe.inputs = [names[0], names[1]];
    recipe.nullable = recipe.declare.outputs[0].0.nullable;
    component_of(&wat(&recipe), WIT)
}

fn hooked(top: &'static str, describe: &'static str, end: &'static str) -> Vec<u8> {
    let recipe = Recipe {
        top,
        describe,
        end,
        ..Recipe::default()
    };
    component_of(&wat(&recipe), WIT)
}

/// A guest whose parameter ranges from 0 to 10 and defaults to 2.
fn bounded(end: &'static str) -> Vec<u8> {
    let mut recipe = Recipe {
        end,
        ..Recipe::default()
    };
    recipe.declare.parameters = vec![("factor", None, 2.0, Some(0.0), Some(10.0))];
    component_of(&wat(&recipe), WIT)
}

/// A guest with forty inputs that reads the first two, and traps if the last is the least number.
fn forty() -> Vec<u8> {
    let mut recipe = Recipe {
        end: "(local.set $i (i32.const 0))
          (block $end (loop $each
            (br_if $end (i32.ge_u (local.get $i) (local.get $rows)))
            (if (f64.eq (f64.const -0x1.fffffffffffffp+1023)
                  (f64.load (i32.add (i32.load offset=1564 (local.get $ip)) (i32.shl (local.get $i) (i32.const 3)))))
              (then (call $panic)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $each)))",
        ..Recipe::default()
    };
    for n in 2..40 {
        let mut input = recipe.declare.inputs[0].clone();
        input.0.name = Box::leak(format!("i{n}").into_boxed_str());
        recipe.declare.inputs.push(input);
    }
    component_of(&wat(&recipe), WIT)
}

/// A component whose guest uses another version of the contract.
fn changed(from: &str, to: &str) -> Vec<u8> {
    let wit = WIT.replace(from, to);
    assert_ne!(wit, WIT, "{from}");
    component_of(&good(), &wit)
}

fn importing() -> Vec<u8> {
    let wit = WIT.replace(
        "world logic-plugin {",
        "interface clock { now: func() -> u64; }\nworld logic-plugin { import clock;",
    );
    let wat = good().replace(
        "(memory (export",
        "(import \"provender:logic/clock@1.0.0\" \"now\" (func $now (result i64)))\n(memory (export",
    );
    component_of(&wat, &wit)
}

fn bad_components() -> Vec<(&'static str, Vec<u8>)> {
    let whole = component_of(&good(), WIT);
    let engine =
        provender_sandbox::engine::engine(&limits(), provender_sandbox::Backend::Native).unwrap();
    let compute = |from: &str, to: &str| {
        let wat = good();
        let other = wat.replace(from, to);
        assert_ne!(wat, other, "{from}");
        component_of(&other, WIT)
    };
    let monitors = |m: Vec<_>| declare(|d| d.monitors = m);
    let first = |change: fn(&mut Field)| declare(|d| change(&mut d.inputs[0].0));
    let feature = |feature: &'static str| declare(|d| d.inputs[0].1 = feature);
    vec![
        ("a text", b"print('hello')".to_vec()),
        ("a core module", wat::parse_str("(module)").unwrap()),
        ("precompiled code", engine.precompile_component(&whole).unwrap()),
        ("half a component", whole[..whole.len() / 2].to_vec()),
        ("too large", vec![0; 5 << 20]),
        ("an import", importing()),
        ("no exports", wat::parse_str("(component)").unwrap()),
        ("another version of the contract", {
            let wat = good().replace("logic@1.0.0#", "logic@0.9.0#");
            component_of(&wat, &WIT.replace("1.0.0", "0.9.0"))
        }),
        ("a function is missing", {
            let wat = good().replace("#compute", "#compile");
            component_of(&wat, &WIT.replace("  compute: func", "  compile: func"))
        }),
        ("a parameter of another type", changed("(rows: u32,", "(rows: s32,")),
        ("a parameter less", {
            let wat = good().replace("(param $rows i32) (param $pp", "(param $pp");
            let wat = wat.replace("(local $a i32)", "(local $rows i32) (local $a i32)");
            component_of(&wat, &WIT.replace("compute: func(rows: u32, ", "compute: func("))
        }),
        ("a record with a field less", changed(", nullable: bool, doc: string", ", nullable: bool")),
        ("a record with a field more", changed("nullable: bool, doc: string", "nullable: bool, doc: string, note: string")),
        ("an enum with a case more", changed("enum role { outcome, term, reason }", "enum role { outcome, term, reason, note }")),
        ("an enum in another order", changed("enum severity { warn, crit }", "enum severity { crit, warn }")),
        ("describe traps", hooked("", "unreachable", "")),
        ("describe panics with words", hooked("", "(call $panic)", "")),
        ("describe never ends", hooked("", "(call $spin)", "")),
        ("describe hoards memory", hooked("", "(call $hoard)", "")),
        ("describe recurses", hooked("", "(drop (call $deep (i32.const 0)))", "")),
        ("describe changes its mind", hooked(
            "(global $n (mut i32) (i32.const 0))",
            "(global.set $n (i32.add (global.get $n) (i32.const 1)))
             (i32.store8 (i32.const 4177) (i32.add (i32.const 0x30) (global.get $n)))",
            "",
        )),
        ("start-up traps", hooked("(func $start unreachable) (start $start)", "", "")),
        ("no name", declare(|d| d.name = String::new())),
        ("a name in capitals", declare(|d| d.name = "DaysRemaining".to_owned())),
        ("a version that is a number", declare(|d| d.version = "2")),
        ("control characters", declare(|d| d.summary = "all \u{1b}[31mred")),
        ("an empty input name", first(|f| f.name = "")),
        ("an input twice", first(|f| f.name = "b")),
        ("an unknown feature", feature("forage_kg_per_hectare")),
        ("no such aggregate", feature("forage_kg_per_ha:median:30d")),
        ("an aggregate of what has no dates", feature("area_ha:sum:30d")),
        ("another unit", first(|f| f.unit = Some("lb/acre"))),
        ("another type", first(|f| f.data_type = 1)),
        ("not nullable", first(|f| f.nullable = false)),
        ("two inputs at once", declare(|d| {
            d.inputs[0].1 = "rainfall";
            d.inputs[1].0.unit = None;
        })),
        ("a default above its maximum", declare(|d| d.parameters = vec![("factor", None, 2.0, Some(0.0), Some(1.0))])),
        ("crossed bounds", declare(|d| d.parameters = vec![("factor", None, 2.0, Some(3.0), Some(1.0))])),
        ("no outcome", declare(|d| d.outputs[0].1 = 1)),
        ("a reason that is a number", declare(|d| d.outputs[0].1 = 2)),
        ("a guardrail on nothing", declare(|d| d.guardrails = vec![("days", Some(Limit::Value(0.0)), None)])),
        ("a guardrail by an unknown parameter", declare(|d| d.guardrails = vec![("product", Some(Limit::Parameter("least")), None)])),
        ("a guardrail on a text", declare(|d| d.guardrails = vec![("note", Some(Limit::Value(0.0)), None)])),
        ("a monitor of nothing", monitors(vec![("share_null", Some("days"), Some(0.1), None)])),
        ("an unknown metric", monitors(vec![("share_nul", Some("product"), Some(0.1), None)])),
        ("a monitor without thresholds", monitors(vec![("share_null", Some("product"), None, None)])),
        ("two bad monitors", monitors(vec![
            ("share_nul", Some("product"), Some(0.1), None),
            ("p59", Some("product"), Some(0.1), None),
        ])),
        ("null where none is declared", declare(|d| d.outputs[0].0.nullable = false)),
        ("an infinite number", compute("(f64.min (local.get $x)", "(f64.div (f64.const 1)")),
        ("a panic on a negative number", compute(
            "(if (f64.eq (local.get $x) (f64.const 1001)) (then (call $spin)))",
            "(if (f64.lt (local.get $x) (f64.const 0)) (then (call $panic)))",
        )),
        ("an endless loop on zero", compute("(f64.const 1001)", "(f64.const 0)")),
        ("an answer that depends on its place", compute(
            "(local.get $x)\n          (f64.load",
            "(f64.add (f64.mul (local.get $x) (f64.const 1e-9)) (f64.convert_i32_u (local.get $i)))\n          (f64.load",
        )),
        ("an answer that depends on the batch", hooked(
            "",
            "",
            "(if (i32.gt_u (local.get $rows) (i32.const 1)) (then (f64.store (local.get $out) (f64.const 7))
               (i32.store8 (local.get $valid) (i32.or (i32.load8_u (local.get $valid)) (i32.const 1)))))",
        )),
        ("an empty batch traps", hooked(
            "",
            "",
            "(if (i32.eqz (local.get $rows)) (then unreachable))",
        )),
        ("a trap at a parameter's largest value", bounded(
            "(if (f64.ge (f64.load offset=8 (local.get $pp)) (f64.const 10)) (then (call $panic)))",
        )),
        ("an answer that depends on the batch at a parameter's smallest value", bounded(
            "(if (i32.and (f64.le (f64.load offset=8 (local.get $pp)) (f64.const 0)) (i32.gt_u (local.get $rows) (i32.const 1)))
               (then (f64.store (local.get $out) (f64.const 7))
                 (i32.store8 (local.get $valid) (i32.or (i32.load8_u (local.get $valid)) (i32.const 1)))))",
        )),
        ("a trap on an extreme of the last of forty inputs", forty()),
        ("a column too few", hooked("", "", "(i32.store (i32.const 1096) (i32.const 1))")),
    ]
}

#[test]
fn a_good_component_is_accepted_and_conforms() {
    let report = checked(&component_of(&good(), WIT));
    assert!(
        report.accepted() && report.conforms(),
        "{}",
        listing(&report)
    );
    assert_eq!(report.conformance.len(), 9);
}

#[test]
fn every_bad_component_is_refused_with_its_reason_and_its_fix() {
    let mut text = String::new();
    for (name, bytes) in bad_components() {
        let report = checked_within(
            &bytes,
            Limits {
                component_bytes: 4 << 20,
                ..limits()
            },
        );
        assert!(
            !(report.accepted() && report.conforms()),
            "{name} is accepted"
        );
        for f in &report.findings {
            assert!(!f.message.is_empty() && !f.fix.is_empty(), "{name}");
        }
        text.push_str(&format!("{name}\n{}\n\n", listing(&report)));
    }
    insta::assert_snapshot!("refusals", text);
}

#[test]
fn exports_beside_the_contract_are_fine() {
    let wit = WIT.replace(
        "world logic-plugin {",
        "world logic-plugin { export about: func() -> u32;",
    );
    let wat = good().replace(
        "(memory (export",
        "(func (export \"about\") (result i32) (i32.const 7))\n(memory (export",
    );
    let report = checked(&component_of(&wat, &wit));
    assert!(
        report.accepted() && report.conforms(),
        "{}",
        listing(&report)
    );
    assert_eq!(report.component.unwrap().extra_exports(), ["about"]);
}
