//! The kernels: a million rows through the sandbox, compared with the same function in native Rust and with
//! the same component under another contract.

use provender_domain::column::Column;
use provender_domain::value::Scalar;
use provender_sandbox::{Component, Limits, Sandbox};

use super::measure::{in_turns, time};
use super::table::{Figure, Row, Target};
use super::{Scale, columns, native};

const NANO: f64 = 1e-9;

/// A shipped component in a sandbox with as many threads.
pub(crate) fn component(version: &str, threads: usize) -> Result<Component, String> {
    let path = format!(
        "{}/../../logic-plugins/artifacts/days_remaining-{version}.wasm",
        env!("CARGO_MANIFEST_DIR")
    );
    let bytes = std::fs::read(&path).map_err(|e| format!("{path}: {e}"))?;
    let limits = Limits {
        threads,
        ..Limits::default()
    };
    let sandbox = Sandbox::new(limits, None).map_err(|e| e.to_string())?;
    sandbox.load(&path, &bytes).map_err(|e| e.to_string())
}

/// Its parameters as it declares them.
pub(crate) fn defaults(component: &Component) -> Vec<Scalar> {
    let parameters = component.description().parameters.iter();
    parameters.map(|p| p.default.clone()).collect()
}

fn computed(
    component: &Component,
    parameters: &[Scalar],
    inputs: &[Column],
    rows: usize,
) -> Result<(Vec<Column>, f64), String> {
    let (computed, seconds) = time(|| component.compute(parameters, inputs, rows));
    let computed = computed.map_err(|e| e.to_string())?;
    match computed.failed.first() {
        Some(failed) => Err(failed.message.clone()),
        None => Ok((computed.outputs, seconds)),
    }
}

/// The rows of the table about kernels.
pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    type Kernel = (
        &'static str,
        fn(usize) -> Vec<Column>,
        fn(&[Column], usize) -> Vec<Column>,
    );
    let kernels: [Kernel; 2] = [
        ("v1", columns::v1, native::v1),
        ("v2", columns::v2, native::v2),
    ];
    kernels
        .into_iter()
        .map(|(version, inputs, native)| {
            let id = format!("kernel-{version}");
            let what = format!(
                "kernel: rows of `days_remaining:{version}` through the sandbox, one thread"
            );
            let target = Target::AtMost(2.2);
            match beside_native(scale, version, &inputs(scale.rows), native) {
                Ok((measured, beside)) => Row {
                    id,
                    what,
                    unit: "ns a row",
                    size: scale.rows,
                    measured: Ok(measured),
                    beside: Some(beside),
                    target,
                },
                Err(reason) => Row::not_run(&id, &what, target, reason),
            }
        })
        .collect()
}

fn beside_native(
    scale: &Scale,
    version: &str,
    inputs: &[Column],
    native: fn(&[Column], usize) -> Vec<Column>,
) -> Result<(Figure, Figure), String> {
    let rows = scale.rows;
    let component = component(version, 1)?;
    let parameters = defaults(&component);
    let (found, _) = computed(&component, &parameters, inputs, rows)?;
    if found != native(inputs, rows) {
        return Err(format!(
            "the native kernel of {version} does not give the component's bits"
        ));
    }
    drop(found);
    let [sandboxed, floor] = in_turns(
        scale.rounds,
        [
            &mut || computed(&component, &parameters, inputs, rows).map(|(_, s)| s),
            &mut || Ok(time(|| native(inputs, rows)).1),
        ],
    )?;
    let per = NANO * rows as f64;
    Ok((
        Figure::of_times("the sandbox", &sandboxed, per),
        Figure::of_times("native Rust", &floor, per),
    ))
}
