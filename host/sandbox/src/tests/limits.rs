//! Each limit in a pair: reached exactly, and exceeded by one.

use super::guest::Load as _;
use super::guest::{Recipe, component_of, limits, numbers};
use crate::limits::{DESCRIPTION_BYTES, FUNCTIONS, GLOBALS, TYPE_NESTING};
use crate::survey::survey;
use crate::{Backend, FailureCode, Limits, LogicError, Sandbox};
use provender_domain::value::Scalar;
use provender_guests::declaration::Declaration;

/// Leaks a text, because a recipe holds static texts.
fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Finds the smallest number for which `what` holds, by bisection.
fn least(mut fails: u64, mut holds: u64, what: impl Fn(u64) -> bool) -> u64 {
    assert!(
        !what(fails) && what(holds),
        "{fails} to {holds} encloses no edge"
    );
    while holds - fails > 1 {
        let middle = fails + (holds - fails) / 2;
        if what(middle) {
            holds = middle;
        } else {
            fails = middle;
        }
    }
    holds
}

fn loads(recipe: &Recipe, limits: &Limits) -> Result<(), LogicError> {
    recipe.load_with(limits.clone()).map(|_| ())
}

/// Loads a component with `code` at its top level, `count` times.
fn many(code: &str, count: usize) -> Result<(), LogicError> {
    let top = leaked(code.repeat(count));
    loads(
        &Recipe {
            top,
            ..Recipe::default()
        },
        &Limits::default(),
    )
}

/// Computes 1,000 rows under these limits, and returns the code of the failure.
fn computes(backend: Backend, limits: &Limits) -> Option<FailureCode> {
    let sandbox = Sandbox::with_backend(backend, limits.clone(), None, None).unwrap();
    let component = sandbox
        .load("product.wasm", &Recipe::default().component())
        .unwrap();
    let inputs = [numbers(&[3.0; 1_000]), numbers(&[4.0; 1_000])];
    let probe = component
        .probe(&[Scalar::Float64(2.0)], &inputs, 0..1_000)
        .unwrap();
    probe.result.err().map(|(code, _)| code)
}

#[test]
fn fuel_is_counted_to_the_unit_and_alike_on_both_backends() {
    let with = |fuel_base| Limits {
        fuel_base,
        fuel_per_row: 0,
        ..limits()
    };
    for backend in [Backend::Native, Backend::Pulley] {
        let enough = least(10_000, 1_000_000, |fuel| {
            computes(backend, &with(fuel)).is_none()
        });
        assert_eq!(
            computes(backend, &with(enough - 1)),
            Some(FailureCode::OutOfFuel)
        );
        // Both backends execute the same number of instructions.
        assert_eq!(
            enough,
            least(10_000, 1_000_000, |fuel| computes(
                Backend::Native,
                &with(fuel)
            )
            .is_none())
        );
        // One unit for each of 1,000 rows equals a thousand for the call.
        let by_row = Limits {
            fuel_per_row: 1,
            ..with(enough - 1_000)
        };
        assert_eq!(computes(backend, &by_row), None);
        let by_row = Limits {
            fuel_per_row: 1,
            ..with(enough - 1_001)
        };
        assert_eq!(computes(backend, &by_row), Some(FailureCode::OutOfFuel));
    }
}

#[test]
fn the_stack_limit_is_exact() {
    let fails = |depth: u64, stack_bytes| {
        let recipe = Recipe {
            top: "(func $down (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))",
            describe: leaked(format!("(drop (call $down (i32.const {depth})))")),
            ..Recipe::default()
        };
        let limits = Limits {
            stack_bytes,
            fuel_base: 10_000_000,
            ..limits()
        };
        match loads(&recipe, &limits) {
            Ok(()) => false,
            Err(e) => {
                assert_eq!(e.code(), "stack_overflow", "{e}");
                true
            }
        }
    };
    let small = 64 << 10;
    let first = least(10, 20_000, |depth| fails(depth, small));
    assert!(!fails(first - 1, small) && fails(first, small));
    // It is the limit that stops it: with twice the stack it recurses twice as deep.
    assert!(!fails(first, 2 * small) && !fails(2 * first - 20, 2 * small));
    assert!(fails(2 * first + 20, 2 * small));
}

#[test]
fn the_limit_of_returned_bytes_is_exact() {
    let with = |bytes: u64| Limits {
        returned_bytes: usize::try_from(bytes).unwrap(),
        ..Limits::default()
    };
    let enough = least(100, 1 << 20, |bytes| {
        computes(Backend::Native, &with(bytes)).is_none()
    });
    assert_eq!(
        computes(Backend::Native, &with(enough - 1)),
        Some(FailureCode::BadReturn)
    );
    // 1,000 numbers, 1,001 offsets, 2,000 letters and a bitmap.
    assert!(
        (8_000 + 4_004 + 2_000 + 125..20_000).contains(&enough),
        "{enough}"
    );
}

#[test]
fn the_limit_of_described_bytes_is_exact() {
    let code = |length: u64| {
        let declare = Declaration {
            summary: leaked("x".repeat(usize::try_from(length).unwrap())),
            ..Declaration::default()
        };
        let recipe = Recipe {
            declare,
            ..Recipe::default()
        };
        loads(&recipe, &Limits::default()).unwrap_err().code()
    };
    // A summary of over 2,000 letters breaks a rule; over a megabyte is not even read.
    let most = DESCRIPTION_BYTES as u64;
    let first = least(most / 2, most + 1, |n| code(n) == "bad_return");
    assert_eq!(
        (code(first - 1), code(first)),
        ("description_invalid", "bad_return")
    );
    assert!(first > most - 4_096, "{first}");
}

#[test]
fn memories_tables_and_globals_are_counted() {
    // The guest itself has one memory and one global.
    assert!(many("(memory 0)", 15).is_ok());
    assert_eq!(
        many("(memory 0)", 16).unwrap_err().code(),
        "memory_exhausted"
    );
    assert!(many("(table 0 funcref)", 64).is_ok());
    assert_eq!(
        many("(table 0 funcref)", 65).unwrap_err().code(),
        "memory_exhausted"
    );
    let globals = usize::try_from(GLOBALS).unwrap() - 1;
    let code = "(global i32 (i32.const 0))";
    assert!(many(code, globals).is_ok());
    let error = many(code, globals + 1).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("50001 globals; a component may have at most 50000"),
        "{error}"
    );
}

#[test]
fn core_instances_are_counted() {
    let guest = Recipe::default().component();
    let (mut modules, mut instances) = (0, 0);
    for payload in wasmparser::Parser::new(0).parse_all(&guest) {
        match payload.unwrap() {
            wasmparser::Payload::ModuleSection { .. } => modules += 1,
            wasmparser::Payload::InstanceSection(section) => {
                let of_a_module = |i: &wasmparser::Instance<'_>| {
                    matches!(i, wasmparser::Instance::Instantiate { .. })
                };
                instances += section
                    .into_iter()
                    .map(Result::unwrap)
                    .filter(of_a_module)
                    .count();
            }
            _ => {}
        }
    }
    // Adds an empty module after the guest's own, and instantiates it `count` times.
    let with = |count: usize| {
        let mut component = guest.clone();
        let empty = wasm_encoder::Module::new();
        let section = wasm_encoder::ModuleSection(&empty);
        wasm_encoder::ComponentSection::append_to_component(&section, &mut component);
        let mut section = wasm_encoder::InstanceSection::new();
        for _ in 0..count {
            let nothing: [(&str, wasm_encoder::ModuleArg); 0] = [];
            section.instantiate(modules, nothing);
        }
        wasm_encoder::ComponentSection::append_to_component(&section, &mut component);
        let sandbox = Sandbox::new(Limits::default(), None).unwrap();
        sandbox.load("x.wasm", &component).map(|_| ())
    };
    let most = least(1, 1_000, |count| {
        with(usize::try_from(count).unwrap()).is_err()
    }) - 1;
    assert_eq!(usize::try_from(most).unwrap() + instances, 64);
    let error = with(usize::try_from(most).unwrap() + 1).unwrap_err();
    assert_eq!(error.code(), "memory_exhausted", "{error}");
    assert!(error.to_string().contains("could not start"), "{error}");
}

#[test]
fn functions_are_counted() {
    let bytes = |count: u64| {
        let top = leaked("(func)".repeat(usize::try_from(count).unwrap()));
        Recipe {
            top,
            ..Recipe::default()
        }
        .component()
    };
    let own = survey(&bytes(0)).unwrap().functions;
    assert_eq!(survey(&bytes(FUNCTIONS - own)).unwrap().excess(), None);
    let excess = survey(&bytes(FUNCTIONS - own + 1)).unwrap().excess();
    assert_eq!(excess, Some(("functions", FUNCTIONS + 1, FUNCTIONS)));
}

#[test]
fn nested_types_are_counted_before_anything_parses_them() {
    let nested = |levels: u64| {
        let mut types = vec![1];
        types.extend([0x41, 1, 1].repeat(usize::try_from(levels).unwrap()));
        types.extend([0x41, 0]);
        let mut component = wasm_encoder::Component::new();
        component.section(&wasm_encoder::RawSection {
            id: 7,
            data: &types,
        });
        let sandbox = Sandbox::new(Limits::default(), None).unwrap();
        sandbox
            .load("x.wasm", &component.finish())
            .unwrap_err()
            .code()
    };
    // The outermost type counts too.
    assert_ne!(nested(TYPE_NESTING - 1), "component_too_complex");
    assert_eq!(nested(TYPE_NESTING), "component_too_complex");
}

#[test]
fn fields_and_their_texts_are_limited() {
    let declared = |change: &dyn Fn(&mut Declaration)| {
        let mut declare = Declaration::default();
        change(&mut declare);
        let recipe = Recipe {
            declare,
            ..Recipe::default()
        };
        let bytes = component_of(&recipe.wat(), include_str!("../../../../wit/logic.wit"));
        let sandbox = Sandbox::new(Limits::default(), None).unwrap();
        sandbox.load("x.wasm", &bytes).map(|_| ())
    };
    let outputs = |count: usize| {
        declared(&|d: &mut Declaration| {
            let note = d.outputs[1].clone();
            d.outputs.truncate(1);
            d.outputs.extend((1..count).map(|n| {
                let mut output = note.clone();
                output.0.name = leaked(format!("note_{n}"));
                output
            }));
        })
    };
    assert!(outputs(256).is_ok());
    let error = outputs(257).unwrap_err().to_string();
    assert!(
        error.contains("257 outputs are declared; at most 256 are allowed"),
        "{error}"
    );
    for (allowed, change) in [
        (
            64,
            (|d, n| d.outputs[1].0.name = leaked("n".repeat(n))) as fn(&mut Declaration, usize),
        ),
        (32, |d, n| d.inputs[0].0.unit = Some(leaked("u".repeat(n)))),
        (2_000, |d, n| d.outputs[0].0.doc = leaked("d".repeat(n))),
        (2_000, |d, n| d.summary = leaked("s".repeat(n))),
    ] {
        assert!(
            declared(&|d: &mut Declaration| change(d, allowed)).is_ok(),
            "{allowed}"
        );
        let error = declared(&|d: &mut Declaration| change(d, allowed + 1)).unwrap_err();
        assert_eq!(error.code(), "description_invalid", "{error}");
    }
}
