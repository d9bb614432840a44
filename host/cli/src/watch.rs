//! Ends the process when a compilation takes too long or too much memory.
//!
//! Compile time grows faster than code size: a function of 15 KB can take minutes. The cost cannot be
//! predicted, and a compiling thread cannot be stopped, so the whole process ends.
//! That leaves nothing half-written: components are compiled before the first write of a run, and every
//! write is atomic.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use provender_host::project::CompileLimits;
use provender_sandbox::LogicError;

use super::ui::Ui;

/// How often time and memory are checked.
const LOOK: Duration = Duration::from_millis(50);

/// Watches one compilation until dropped.
pub(super) struct Watch(#[expect(dead_code, reason = "its end is the sign")] Sender<()>);

impl Watch {
    /// Starts watching; `file` names the component in the message.
    pub(super) fn start(ui: Ui, file: &str, limits: CompileLimits) -> Watch {
        let (sender, receiver) = channel();
        let (file, began, before) = (file.to_owned(), Instant::now(), resident());
        let watch = move || {
            while receiver.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                let grown = resident().saturating_sub(before);
                let cause = if began.elapsed() > Duration::from_secs(limits.seconds) {
                    format!(
                        "it took more than {} s (limits.compile_seconds)",
                        limits.seconds
                    )
                } else if grown > limits.mib << 20 {
                    format!(
                        "it took more than {} MiB of memory (limits.compile_mib)",
                        limits.mib
                    )
                } else {
                    continue;
                };
                let exit = ui.finish("provender", Err(LogicError::Compile { file, cause }.into()));
                std::process::exit(i32::from(exit.code()));
            }
        };
        // If no thread can be started, compile unwatched.
        let _ = std::thread::Builder::new()
            .name("provender-watch".to_owned())
            .spawn(watch);
        Watch(sender)
    }
}

/// Bytes of resident memory of this process; 0 if the system does not report them.
fn resident() -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return 0;
    };
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
        .map_or(0, |kib| kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_holds_some_memory() {
        assert!(resident() > 1 << 20);
    }
}
