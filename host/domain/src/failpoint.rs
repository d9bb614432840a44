//! Places at which a test kills the program, to see what it leaves behind.
//!
//! Only a debug build has them: `PROVENDER_FAIL_AT=NAME`, read by the command line, ends the process
//! at the named place as a kill would, without unwinding and without cleaning up; `NAME#3` when it comes
//! there for the third time, so that a test reaches each of many writes. `PROVENDER_HOLD_AT=NAME=FILE` makes
//! it wait at a place, so that something else can be done meanwhile. `PROVENDER_PASSES=FILE` lists the places
//! that it passes, so that a test kills it at each of them and nowhere else.

use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Every place. Those of `ledger` are in every append, those of `file` around every file that is put
/// under its name: a manifest, a report, a pin, a component, a release;
/// those of `copy` around the copy of a ledger that is led to a newer schema.
pub const NAMES: [&str; 42] = [
    "audit.before-runs",
    "backup.before-manifests",
    "cut.before-store",
    "cut.after-components",
    "cut.before-ledger",
    "cut.before-lock",
    "cut.after-lock",
    "import.after-components",
    "import.before-ledger",
    "import.after-ledger",
    "gate.before-ledger",
    "gate.after-ledger",
    "promote.before-ledger",
    "promote.after-ledger",
    "rollback.before-ledger",
    "rollback.after-ledger",
    "canary.before-ledger",
    "canary.after-ledger",
    "canary.after-chunk",
    "canary-stop.before-ledger",
    "canary-stop.after-ledger",
    "prune.before-ledger",
    "prune.after-ledger",
    "prune.after-documents",
    "ingest.after-file",
    "compute.after-chunk",
    "compute.after-batch",
    "replay.before-chunks",
    "pin.before-lock",
    "pin.after-lock",
    "pin.after-sweep",
    "pack.before-file",
    "pack.after-file",
    "backup.before-name",
    "copy.half",
    "copy.before-name",
    "copy.after-name",
    "ledger.before-commit",
    "ledger.after-commit",
    "file.half",
    "file.before-name",
    "file.after-name",
];

/// The place at which to wait, and the file that says for how long.
static HELD: OnceLock<(String, String, AtomicBool)> = OnceLock::new();

/// Holds the process at a place from now on, given as `NAME=FILE`: it makes the file there, the first time,
/// and waits until somebody takes it away. Does nothing in a release build.
pub fn hold(asked: &str) {
    if cfg!(debug_assertions)
        && let Some((name, file)) = asked.split_once('=')
    {
        let _ = HELD.set((name.to_owned(), file.to_owned(), AtomicBool::new(true)));
    }
}

/// The file that lists the places that are passed.
static LISTED: OnceLock<String> = OnceLock::new();

/// Writes the name of each place that is passed from now on as a line of this file. Does nothing in a release
/// build.
pub fn list(file: String) {
    if cfg!(debug_assertions) {
        let _ = LISTED.set(file);
    }
}

/// The name, and how many times more it is passed.
static ARMED: OnceLock<(String, AtomicU64)> = OnceLock::new();

/// Ends the process at the place of this name from now on. Does nothing in a release build.
#[expect(
    clippy::expect_used,
    reason = "tests alone arm a place, in debug builds"
)]
pub fn arm(name: String) {
    if cfg!(debug_assertions) {
        let (name, times) = match name.split_once('#') {
            Some((name, times)) => (name.to_owned(), times.parse().expect("a number of times")),
            None => (name, 1),
        };
        // The first name stays: a process is killed once.
        let _ = ARMED.set((name, AtomicU64::new(times)));
    }
}

/// A place: the process ends here when a test asked for it.
pub fn hit(name: &str) {
    if !cfg!(debug_assertions) {
        return;
    }
    if let Some(file) = LISTED.get() {
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(file);
        // A test that lists them finds none otherwise.
        let _ = file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
    }
    if let Some((armed, times)) = ARMED.get()
        && armed == name
        && times.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
    if let Some((held, file, first)) = HELD.get()
        && held == name
        && first.swap(false, Ordering::SeqCst)
        && std::fs::write(file, "").is_ok()
    {
        while std::fs::exists(file).is_ok_and(|there| there) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(folder: &std::path::Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, text);
            } else if path.extension().is_some_and(|e| e == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn the_list_holds_the_places_of_the_source_and_no_other() {
        let mut text = String::new();
        sources(
            &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".."),
            &mut text,
        );
        let mark = concat!("failpoint::", "hit(\"");
        let mut found: Vec<_> = text
            .split(mark)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        found.sort_unstable();
        found.dedup();
        let mut listed = NAMES.to_vec();
        listed.sort_unstable();
        assert_eq!(found, listed);
    }
}
