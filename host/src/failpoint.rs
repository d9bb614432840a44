//! Places at which a test kills the program, to see what it leaves behind.
//!
//! Only a debug build has them: `PROVENDER_FAIL_AT=NAME`, read by the command line, ends the process
//! at the named place as a kill would, without unwinding and without cleaning up.

use std::sync::OnceLock;

/// Every place. `ledger.before-commit` is in every append that releases make.
pub const NAMES: [&str; 24] = [
    "cut.before-store",
    "cut.after-components",
    "cut.before-ledger",
    "cut.before-lock",
    "cut.after-lock",
    "import.after-components",
    "import.before-ledger",
    "import.after-ledger",
    "promote.before-ledger",
    "promote.after-ledger",
    "rollback.before-ledger",
    "rollback.after-ledger",
    "prune.before-ledger",
    "prune.after-ledger",
    "prune.after-documents",
    "ack.before-ledger",
    "ack.after-ledger",
    "incident-open.before-ledger",
    "incident-open.after-ledger",
    "incident.before-ledger",
    "incident.after-ledger",
    "incident-case.before-file",
    "incident-case.after-file",
    "ledger.before-commit",
];

static ARMED: OnceLock<String> = OnceLock::new();

/// Ends the process at the place of this name from now on. Does nothing in a release build.
pub fn arm(name: String) {
    if cfg!(debug_assertions) {
        // The first name stays: a process is killed once.
        let _ = ARMED.set(name);
    }
}

/// A place: the process ends here when a test asked for it.
pub fn hit(name: &str) {
    if cfg!(debug_assertions) && ARMED.get().is_some_and(|armed| armed == name) {
        std::process::abort();
    }
}
