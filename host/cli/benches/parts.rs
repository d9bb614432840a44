//! The small parts, each by itself: `cargo bench --bench parts`.
//!
//! What a call of the sandbox costs is `per call + rows × per row`: `call` has one row, eight, and a full
//! call of 2,048; what it costs to make a store and instantiate shows where there are none.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a measurement that cannot go on ends, and says so"
)]

#[path = "support/columns.rs"]
mod columns;
#[path = "support/native.rs"]
mod native;
#[path = "support/synthetic.rs"]
#[expect(dead_code, reason = "the comparison makes whole deployments of it")]
mod synthetic;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use provender_domain::canonical::Digest;
use provender_host::ingest::{ReadOptions, read};
use provender_sandbox::{Component, Limits, Sandbox};

use synthetic::Plan;

fn main() {
    divan::main();
}

fn days_remaining() -> Component {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../logic-plugins/artifacts/days_remaining-v2.wasm"
    );
    let limits = Limits {
        threads: 1,
        ..Limits::default()
    };
    let sandbox = Sandbox::new(limits, None).unwrap();
    sandbox.load(path, &std::fs::read(path).unwrap()).unwrap()
}

/// One call in a store of its own.
#[divan::bench(args = [0, 1, 8, 2_048])]
fn call(bencher: Bencher<'_, '_>, rows: usize) {
    let component = days_remaining();
    let parameters: Vec<_> = component
        .description()
        .parameters
        .iter()
        .map(|p| p.default.clone())
        .collect();
    let inputs = columns::v2(rows);
    bencher
        .counter(ItemsCount::new(rows))
        .bench_local(|| component.probe(&parameters, &inputs, 0..rows).unwrap());
}

/// The kernels in native Rust, over as many rows as a call has.
#[divan::bench(args = ["v1", "v2"])]
fn native_kernel(bencher: Bencher<'_, '_>, version: &str) {
    let rows = 2_048;
    let (inputs, kernel) = match version {
        "v1" => (columns::v1(rows), native::v1 as fn(&[_], usize) -> Vec<_>),
        _ => (columns::v2(rows), native::v2 as fn(&[_], usize) -> Vec<_>),
    };
    bencher
        .counter(ItemsCount::new(rows))
        .bench_local(|| kernel(black_box(&inputs), rows));
}

/// A component loaded without a compiled cache: mostly Cranelift.
#[divan::bench(sample_count = 10)]
fn compile() -> Component {
    days_remaining()
}

/// A digest of raw bytes.
#[divan::bench(args = [1_024, 1_048_576])]
fn digest(bencher: Bencher<'_, '_>, bytes: usize) {
    let buffer = vec![7_u8; bytes];
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| Digest::of_bytes(black_box(&buffer)));
}

/// A thousand days of weather, read.
#[divan::bench]
fn weather(bencher: Bencher<'_, '_>) {
    let plan = Plan {
        boundaries: 1,
        days: 1_000,
        weather: true,
    };
    let text = synthetic::weather(&plan);
    let options = ReadOptions {
        file_name: "weather.csv".to_owned(),
        ..ReadOptions::default()
    };
    bencher
        .counter(BytesCount::new(text.len()))
        .bench_local(|| read(black_box(text.as_bytes()), &options).unwrap());
}
