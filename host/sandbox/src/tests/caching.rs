//! The cache of compiled code: hits, tampering and eviction.

use std::sync::{Arc, Mutex};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::guest::{Recipe, limits, numbers};
use crate::cache::Cache;
use crate::engine::engine;
use crate::{Backend, Compiling, Component, OnCompile, Sandbox};
use provender_domain::value::{Scalar, Value};

fn load(folder: &std::path::Path) -> Component {
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).unwrap();
    let sandbox = Sandbox::new(limits(), Some(dir)).unwrap();
    sandbox
        .load("product.wasm", &Recipe::default().component())
        .unwrap()
}

fn works(component: &Component) {
    let inputs = [numbers(&[3.0]), numbers(&[2.5])];
    let computed = component
        .compute(&[Scalar::Float64(2.0)], &inputs, 1)
        .unwrap();
    assert_eq!(computed.outputs[0].get(0), Value::Float64(7.5));
}

fn entries(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    names.sort();
    names
}

#[test]
fn an_entry_is_written_once_and_read_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    works(&load(folder.path()));
    let names = entries(folder.path());
    assert_eq!(names.len(), 2, "{names:?}");
    let written = std::fs::metadata(&names[0]).unwrap().modified().unwrap();
    works(&load(folder.path()));
    assert_eq!(entries(folder.path()), names);
    let kept = std::fs::metadata(&names[0]).unwrap().modified().unwrap();
    assert_eq!(kept, written, "a hit writes nothing");
}

#[test]
fn a_tampered_entry_is_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    works(&load(folder.path()));
    let names = entries(folder.path());
    let sound: Vec<_> = names.iter().map(|n| std::fs::read(n).unwrap()).collect();
    for (name, good) in names.iter().zip(&sound) {
        let mut flipped = good.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        for bad in [flipped, good[..middle].to_vec(), Vec::new()] {
            std::fs::write(name, bad).unwrap();
            works(&load(folder.path()));
            assert_eq!(&std::fs::read(name).unwrap(), good, "repaired");
        }
    }
}

#[test]
fn code_of_another_component_under_this_name_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    works(&load(folder.path()));
    let names = entries(folder.path());
    let other = Recipe {
        end: "(f64.store (local.get $out) (f64.const 666))",
        ..Recipe::default()
    };
    let elsewhere = tempfile::tempdir().unwrap();
    let dir = Dir::open_ambient_dir(elsewhere.path(), ambient_authority()).unwrap();
    let sandbox = Sandbox::new(limits(), Some(dir)).unwrap();
    sandbox.load("other.wasm", &other.component()).unwrap();
    for (from, to) in entries(elsewhere.path()).iter().zip(&names) {
        std::fs::copy(from, to).unwrap();
    }
    works(&load(folder.path()));
}

#[test]
fn a_cache_that_cannot_be_written_is_not_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("cache");
    std::fs::create_dir(&inner).unwrap();
    let dir = Dir::open_ambient_dir(&inner, ambient_authority()).unwrap();
    std::fs::remove_dir(&inner).unwrap();
    let sandbox = Sandbox::new(limits(), Some(dir)).unwrap();
    let component = sandbox.load("product.wasm", &Recipe::default().component());
    works(&component.unwrap());
}

#[test]
fn the_observer_sees_each_compilation_and_no_cache_hit() {
    let folder = tempfile::tempdir().unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let sandbox = |cache: bool| {
        let dir = || Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        let calls = Arc::clone(&calls);
        let observer: OnCompile = Arc::new(move |c: Compiling<'_>| {
            let line = format!("{} {}", c.file, c.cached);
            calls.lock().unwrap().push(line.clone());
            Box::new(Ends(Arc::clone(&calls), line))
        });
        Sandbox::with_observer(limits(), cache.then(dir), Some(observer)).unwrap()
    };
    let bytes = Recipe::default().component();
    for cache in [true, true, false] {
        sandbox(cache).load("product.wasm", &bytes).unwrap();
    }
    let lines = calls.lock().unwrap().join(", ");
    assert_eq!(
        lines,
        "product.wasm true, product.wasm true ended, product.wasm false, product.wasm false ended"
    );
}

struct Ends(Arc<Mutex<Vec<String>>>, String);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(format!("{} ended", self.1));
    }
}

#[test]
fn the_oldest_entry_is_removed_when_the_cache_is_full() {
    let folder = tempfile::tempdir().unwrap();
    works(&load(folder.path()));
    let first = entries(folder.path());
    // Makes it older than the next one, even on a file system with a coarse clock.
    let file = std::fs::File::options().write(true).open(&first[0]);
    let past = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    file.unwrap().set_modified(past).unwrap();
    let dir = || Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
    let other = Recipe {
        end: "(f64.store (local.get $out) (f64.const 666))",
        ..Recipe::default()
    };
    let sandbox = Sandbox::new(limits(), Some(dir())).unwrap();
    sandbox.load("other.wasm", &other.component()).unwrap();
    let both = entries(folder.path());
    assert_eq!(both.len(), 4);
    let size: u64 = std::fs::metadata(&first[0]).unwrap().len();
    let cache = Cache::new(dir(), &engine(&limits(), Backend::Native).unwrap());
    cache.shrink(10 * size).unwrap();
    assert_eq!(entries(folder.path()), both, "there is room for both");
    cache.shrink(size + size / 2).unwrap();
    let left = entries(folder.path());
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(!left.contains(&first[0]), "the older one is gone");
}

#[test]
fn files_left_by_a_killed_process_are_removed_after_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let left = |name: &str, minutes: u64| {
        let path = folder.path().join(name);
        let file = std::fs::File::create(&path).unwrap();
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(60 * minutes);
        file.set_modified(then).unwrap();
        path
    };
    let old = left(".a.cwasm.1-0.tmp", 61);
    let young = left(".b.cwasm.2-0.tmp", 50);
    let own = left("notes.tmp", 600);
    works(&load(folder.path()));
    let there = [&old, &young, &own].map(|path| path.exists());
    assert_eq!(there, [false, true, true]);
}
