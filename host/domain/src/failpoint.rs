//! Places at which a test kills the program, to see what it leaves behind.
//!
//! Only debug builds have fail points. The command line reads the variables. `PROVENDER_FAIL_AT=NAME` ends the process
//! at the named place like a kill, without unwinding or cleaning up; `NAME#3` does so the third time, so that a test
//! can reach each of many writes. `PROVENDER_HOLD_AT=NAME=FILE` makes the process wait at a place, so that a test can
//! do something else in the meantime. `PROVENDER_PASSES=FILE` lists the places that the process passes, so that a test
//! kills it at each of them and nowhere else.

use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Every place. Those named `ledger` are in every append. Those named `file` surround every file that gets its final
/// name: a manifest, a report, a pin, a component, a release. Those named `copy` surround the copy of a ledger that is
/// migrated to a newer schema.
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

/// The place at which to wait, and the file that exists as long as the process waits.
static HELD: OnceLock<(String, String, AtomicBool)> = OnceLock::new();

/// Makes the process wait at a place, given as `NAME=FILE`. The first time, it creates the file and waits until the
/// file is removed. Does nothing in a release build.
pub fn hold(asked: &str) {
    if cfg!(debug_assertions)
        && let Some((name, file)) = asked.split_once('=')
    {
        let _ = HELD.set((name.to_owned(), file.to_owned(), AtomicBool::new(true)));
    }
}

/// The file that lists the places passed.
static LISTED: OnceLock<String> = OnceLock::new();

/// Appends the name of each place that is passed to this file, one a line. Does nothing in a release build.
pub fn list(file: String) {
    if cfg!(debug_assertions) {
        let _ = LISTED.set(file);
    }
}

/// The place, and how many more times it is passed.
static ARMED: OnceLock<(String, AtomicU64)> = OnceLock::new();

/// Ends the process at the named place. Does nothing in a release build.
#[expect(
    clippy::expect_used,
    reason = "only tests arm a place, in debug builds"
)]
pub fn arm(name: String) {
    if cfg!(debug_assertions) {
        let (name, times) = match name.split_once('#') {
            Some((name, times)) => (name.to_owned(), times.parse().expect("a number of times")),
            None => (name, 1),
        };
        // Only the first name counts: a process is killed once.
        let _ = ARMED.set((name, AtomicU64::new(times)));
    }
}

/// A place: ends the process here if a test asked for it.
pub fn hit(name: &str) {
    if !cfg!(debug_assertions) {
        return;
    }
    if let Some(file) = LISTED.get() {
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(file);
        // If this fails, the test that reads the list notices.
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
    fn names_are_exactly_the_places_in_the_source() {
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
