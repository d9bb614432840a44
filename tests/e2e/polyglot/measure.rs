//! The table in `docs/reference/languages.md`, measured if `PROVENDER_MEASURE=1` is set.

use std::time::{Duration, Instant};

use provender_sandbox::{Component, Limits, PinLimits};

use super::random::{SAFE, random_inputs};
use super::{cache, defaults, load, load_with_limits, others, repository};

/// The median of five measurements.
fn time(mut f: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..5)
        .map(|_| {
            let started = Instant::now();
            f();
            started.elapsed()
        })
        .collect();
    times.sort();
    times[2]
}

/// The smallest number up to `most` for which `works` is true.
fn least(most: u64, works: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, most);
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        if works(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

#[test]
fn the_table_of_languages_is_measured() {
    if std::env::var_os("PROVENDER_MEASURE").is_none() {
        println!("not measured: set PROVENDER_MEASURE=1");
        return;
    }
    let batch = 2_048;
    let rust = repository().join("logic-plugins/artifacts/days_remaining-v2.wasm");
    for (language, file) in [("rust", rust)].into_iter().chain(others()) {
        let bytes = std::fs::read(&file).unwrap();
        let usual = PinLimits::for_language(language).applied_to(&Limits::default());
        let started = Instant::now();
        let component = load_with_limits(&usual, None, &bytes).unwrap();
        let compile = started.elapsed();
        let _ = load(&file);
        let cached = time(|| drop(load(&file)));
        let parameters = defaults(&component);
        let inputs = random_inputs(&component, 1, batch, SAFE);
        let call = |component: &Component, rows| {
            let probe = component.probe(&parameters, &inputs, 0..rows).unwrap();
            probe.result.map(|_| probe.fuel)
        };
        let one = time(|| drop(call(&component, 1)));
        let whole = time(|| drop(call(&component, batch)));
        let (first, all) = (
            call(&component, 1).unwrap(),
            call(&component, batch).unwrap(),
        );
        let works = |limits: Limits| {
            let loaded = load_with_limits(&limits, Some(cache()), &bytes);
            loaded.is_ok_and(|c| call(&c, batch).is_ok())
        };
        let memory = least(usual.memory_bytes >> 20, |n| {
            works(Limits {
                memory_bytes: n << 20,
                ..usual.clone()
            })
        });
        let table = least(usual.table_elements, |n| {
            works(Limits {
                table_elements: n,
                ..usual.clone()
            })
        });
        println!(
            "{language}: {} bytes, compiled in {compile:.2?}, from the cache {cached:.1?}, a call of one row {one:.1?}, {:.2?} a row in a call of {batch}, fuel {} a row and {first} for one row, {} for describe, memory {memory} MiB, {table} table elements",
            component.size(),
            whole / batch as u32,
            (all - first) / (batch as u64 - 1),
            component
                .fuel(&parameters, &inputs, batch)
                .unwrap()
                .describe,
        );
    }
}
