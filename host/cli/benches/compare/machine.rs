//! The machine on which it was measured.

use std::process::Command;

/// Names and values in the order of display. Unknown values are listed as such.
pub(crate) fn machine() -> Vec<(String, String)> {
    let unknown = || "unknown".to_owned();
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|l| l.strip_prefix("model name")?.split_once(": "))
        .map_or_else(unknown, |(_, name)| name.to_owned());
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory
        .lines()
        .find_map(|l| l.strip_prefix("MemTotal:")?.split_whitespace().next())
        .and_then(|kib| kib.parse::<u64>().ok())
        .map_or_else(unknown, |kib| format!("{} GiB", kib >> 20));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load
        .split_whitespace()
        .next()
        .map_or_else(unknown, str::to_owned);
    let rustc = Command::new("rustc").arg("-V").output();
    let rustc = rustc.ok().map_or_else(unknown, |o| {
        String::from_utf8_lossy(&o.stdout).trim().to_owned()
    });
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let profile = if cfg!(debug_assertions) {
        "dev: the ratios of this build say nothing about speed"
    } else {
        "release"
    };
    [
        ("processor", model),
        ("cores", cores.to_string()),
        ("memory", memory),
        (
            "system",
            format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        ),
        ("load when it began", load),
        ("compiler", rustc),
        ("profile", profile.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
