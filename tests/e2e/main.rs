//! End-to-end tests: the real program on real files, from outside.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    reason = "a test stops at the first failed expectation"
)]

mod ack;
mod answers;
mod audit;
mod audit_odd;
mod audit_proof;
mod author;
mod author_says;
mod backtest;
mod backtest_inputs;
mod backtest_kit;
mod backtest_refused;
mod backtest_settings;
mod backup;
mod bombs;
mod calls_kit;
mod canary;
mod canary_history;
mod canonical;
mod ceilings;
mod contract;
mod contract_base;
mod contract_kit;
mod contract_rules;
mod crash;
mod crash_kit;
mod disks;
#[cfg(target_os = "linux")]
mod disks_full;
#[cfg(target_os = "linux")]
mod disks_full_files;
mod docs;
mod doctor;
mod durability;
mod exits;
mod explain;
mod flips;
mod flips_rows;
#[path = "../fuzz/mod.rs"]
mod fuzz;
mod gate;
mod gate_kit;
mod golden;
mod hostile;
mod ids;
mod immutable;
mod incident;
mod kit;
mod lost;
mod measured;
mod migration;
mod monitoring;
mod mounts;
mod nevada;
mod operability;
mod packs;
mod paths;
mod pinning;
mod pinning_next;
mod polyglot;
mod prepared;
mod quarter;
mod quiet;
mod release;
mod release_races;
mod release_store;
mod replay;
mod schemas;
#[cfg(debug_assertions)]
mod signals;
mod story;
mod triage;
mod upgrade;
mod upgrade_kit;
mod walls;
mod workflows;
mod writers;
