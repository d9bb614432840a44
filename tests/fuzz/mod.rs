//! Fuzzing: every reader of foreign data gets malformed data.
//!
//! Inputs come from a small corpus by seeded mutation, so that every failure can be repeated. The corpus is
//! in `corpus/TARGET/`, where inputs that failed are kept as `found-*`. In the normal suite each target gets
//! a few hundred inputs; the long form is
//!
//! ```text
//! PROVENDER_FUZZ_SECONDS=600 [PROVENDER_FUZZ_TARGET=rap] [PROVENDER_FUZZ_SEED=7] cargo test --test e2e fuzz::
//! ```
//!
//! * `mutate` — makes an input from others
//! * `guests` — components, declarations, returned columns
//! * `readings` — what must hold for a file of observations that was read
//! * `targets` — the readers, and what must hold whatever they get

mod guests;
mod mutate;
mod readings;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mutate::Mutator;
use targets::Target;

/// Processor time of the reading thread above which an input of a few kilobytes shows a defect.
const PATIENCE: Duration = Duration::from_secs(10);
/// Elapsed time, on a machine that does other things as well.
const PATIENCE_OF_THE_CLOCK: Duration = Duration::from_secs(300);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus")
}

/// The files of a target, ordered by name.
fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder().join(target.name)) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|p| std::fs::read(p).unwrap()).collect()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Processor time of this thread; `None` if the system does not report it.
fn processor() -> Duration {
    let Ok(text) = std::fs::read_to_string("/proc/thread-self/schedstat") else {
        return Duration::ZERO;
    };
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// Runs one input. If it fails, it is kept and named.
fn one(target: &Target, input: &[u8], from: &str) {
    let scratch = std::env::temp_dir().join(format!(
        "provender-fuzz-{}.{}",
        target.name,
        std::process::id()
    ));
    // Written before the run, because nothing could be written after a stack overflow.
    let long = number("PROVENDER_FUZZ_SECONDS").is_some();
    if long {
        std::fs::write(&scratch, input).unwrap();
    }
    let (started, before) = (Instant::now(), processor());
    let result = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let (clock, cpu) = (started.elapsed(), processor().saturating_sub(before));
    if result.is_err() || cpu > PATIENCE || clock > PATIENCE_OF_THE_CLOCK {
        std::fs::write(&scratch, input).unwrap();
        panic!(
            "{} fails on {from} after {clock:.1?}, {cpu:.1?} of the processor: the input is {}",
            target.name,
            scratch.display()
        );
    }
    if long {
        let _ = std::fs::remove_file(&scratch);
    }
}

fn fuzz(target: &Target) {
    if std::env::var("PROVENDER_FUZZ_TARGET").is_ok_and(|wanted| wanted != target.name) {
        return;
    }
    let seeds: Vec<_> = corpus(target).into_iter().chain((target.seeds)()).collect();
    assert!(!seeds.is_empty(), "{} has no corpus", target.name);
    for (n, seed) in seeds.iter().enumerate() {
        one(target, seed, &format!("its seed {n}"));
    }
    let until = number("PROVENDER_FUZZ_SECONDS").map(|s| Instant::now() + Duration::from_secs(s));
    let seed = number("PROVENDER_FUZZ_SEED").unwrap_or(1);
    let mut mutator = Mutator::new(seed, target.words);
    let mut count = 0_u64;
    while until.map_or(count < target.quick, |until| Instant::now() < until) {
        let input = mutator.next(&seeds, target.keep_length);
        one(
            target,
            &input,
            &format!("input {count} of PROVENDER_FUZZ_SEED={seed}"),
        );
        count += 1;
    }
    println!("{}: {count} inputs from {} seeds", target.name, seeds.len());
}

/// Runs all targets of some kinds, one after the other.
fn all(names: &[&str]) {
    for name in names {
        let target = targets::ALL.iter().find(|t| t.name == *name).unwrap();
        fuzz(target);
    }
}

#[test]
fn a_component_of_any_bytes_is_refused_or_loads() {
    all(&["component", "description"]);
}

#[test]
fn anything_that_a_guest_returns_is_checked() {
    all(&["returned"]);
}

#[test]
fn any_file_of_observations_is_read_or_refused() {
    let formats = targets::formats();
    let names: Vec<&str> = formats.iter().map(String::as_str).collect();
    all(&names);
}

#[test]
fn any_file_of_the_deployment_is_read_or_refused() {
    all(&targets::FILES);
}

#[test]
fn any_file_for_an_auditor_is_read_or_refused() {
    all(&["audit"]);
}

#[test]
fn every_target_is_run_by_a_test() {
    let mut run = vec!["audit", "component", "description", "returned"];
    let formats = targets::formats();
    run.extend(formats.iter().map(String::as_str));
    run.extend(targets::FILES);
    let mut known: Vec<_> = targets::ALL.iter().map(|t| t.name).collect();
    run.sort_unstable();
    known.sort_unstable();
    assert_eq!(run, known);
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            known.contains(&name.as_str()),
            "corpus/{name} belongs to no target"
        );
    }
}
