//! Guests made of fuzzed data: whole components, declarations, returned columns.

use std::sync::OnceLock;

use provender_domain::column::Column;
use provender_domain::value::{DataType, Scalar, Value};
use provender_sandbox::{Component, Limits, Sandbox};

use crate::hostile::components::{Code, bombs, declaring, guest};
use provender_guests::declaration::{Declaration, Limit};

/// A sandbox with limits that keep every call short.
fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| {
        let limits = Limits {
            memory_bytes: 8 << 20,
            fuel_base: 2_000_000,
            fuel_per_row: 10_000,
            threads: 1,
            ..Limits::default()
        };
        Sandbox::new(limits, None).unwrap()
    })
}

fn load(bytes: &[u8]) -> Option<Component> {
    match sandbox().load("x.wasm", bytes) {
        Ok(component) => Some(component),
        Err(error) => {
            let text = error.to_string();
            assert!(
                text.contains("x.wasm") && !text.contains('\u{1b}'),
                "{text:?}"
            );
            None
        }
    }
}

pub(super) fn component_seeds() -> Vec<Vec<u8>> {
    vec![guest("fuzzed", Code::default()), bombs::nested(20)]
}

pub(super) fn component(bytes: &[u8]) {
    if let Some(component) = load(bytes) {
        rows(&component);
    }
}

/// Computes eight rows and checks the result.
fn rows(component: &Component) {
    let numbers: Vec<_> = (0..8).map(|n| Value::Float64(f64::from(n))).collect();
    let column = || Column::from_values(DataType::Float64, &numbers);
    let Ok(computed) = component.compute(&[Scalar::Float64(2.0)], &[column(), column()], 8) else {
        return;
    };
    for output in &computed.outputs {
        assert_eq!(output.rows(), 8);
        for row in 0..8 {
            if let Value::Float64(x) = output.get(row) {
                assert!(x.is_finite() && !(x == 0.0 && x.is_sign_negative()), "{x}");
            }
        }
    }
    for failure in &computed.failed {
        assert!(
            failure.row < 8 && !failure.message.contains('\u{1b}'),
            "{}",
            failure.message
        );
    }
}

/// The position of bytes in a component's data, and the component.
struct Patch {
    component: Vec<u8>,
    at: usize,
}

impl Patch {
    fn find(component: Vec<u8>, image: &[u8]) -> Patch {
        let at = component
            .windows(image.len())
            .position(|w| w == image)
            .unwrap();
        Patch { component, at }
    }

    fn with(&self, image: &[u8]) -> Vec<u8> {
        let mut component = self.component.clone();
        component[self.at..self.at + image.len()].copy_from_slice(image);
        component
    }
}

fn declared() -> Vec<u8> {
    let mut declare = Declaration::default();
    "fuzzed".clone_into(&mut declare.name);
    declare.guardrails = vec![("product", Some(Limit::Value(0.0)), None)];
    declare.monitors = vec![("share_null", Some("product"), Some(0.1), Some(0.2))];
    declare.image(4_096)
}

pub(super) fn description_seeds() -> Vec<Vec<u8>> {
    vec![declared()]
}

/// The declaration as the guest's memory contains it, byte for byte.
pub(super) fn description(image: &[u8]) {
    static PATCH: OnceLock<Patch> = OnceLock::new();
    let patch = PATCH.get_or_init(|| Patch::find(declaring(&declared()), &declared()));
    if let Some(component) = load(&patch.with(image)) {
        let d = component.description();
        assert!(d.inputs.len() <= 256 && d.outputs.len() <= 256 && d.name.len() <= 64);
        rows(&component);
    }
}

/// The answer of eight rows as the guest's memory contains it: 448 bytes from 1088 on.
fn answer() -> Vec<u8> {
    let mut image = vec![0; 448];
    let mut word =
        |at: usize, value: u32| image[at - 1_088..at - 1_084].copy_from_slice(&value.to_le_bytes());
    // ok(list of two columns)
    word(1_092, 1_288);
    word(1_096, 2);
    // float64, valid
    word(1_292, 1_400);
    word(1_296, 8);
    word(1_316, 1);
    word(1_320, 1_468);
    word(1_324, 1);
    word(1_468, 0xff);
    // text, no nulls
    word(1_328, 4);
    word(1_332, 1_472);
    word(1_336, 9);
    word(1_340, 1_512);
    word(1_344, 16);
    for n in 0..9 {
        word(1_472 + 4 * usize::try_from(n).unwrap(), 2 * n);
    }
    for n in 0..4 {
        word(1_512 + 4 * n, 0x6b6f_6b6f);
    }
    image
}

pub(super) fn returned_seeds() -> Vec<Vec<u8>> {
    vec![answer()]
}

pub(super) fn returned(image: &[u8]) {
    static PATCH: OnceLock<Patch> = OnceLock::new();
    let patch = PATCH.get_or_init(|| {
        let hex: String = answer().iter().map(|b| format!("\\{b:02x}")).collect();
        let code = Code {
            top: &format!("(data (i32.const 3000) \"{hex}\")"),
            always: "(memory.copy (i32.const 1088) (i32.const 3000) (i32.const 448))",
            ..Code::default()
        };
        Patch::find(guest("fuzzed", code), &answer())
    });
    let component = load(&patch.with(image)).unwrap();
    rows(&component);
}
