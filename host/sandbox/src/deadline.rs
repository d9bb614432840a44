//! A deadline beside the fuel, in processor time of the thread that calls.
//!
//! Fuel counts instructions. Some work of the host costs none: adapters between the parts of a component copy
//! strings of any length for the price of one call. The deadline stops what fuel does not see. Only the time that
//! the calling thread itself computes counts, so a busy machine fails nothing. It is far above what the fuel of the
//! call takes, and it never decides a number: a call ends below it, or it has no result.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime::{Engine, UpdateDeadline};

use super::error::LogicError;
use super::limits::Limits;

/// How often a running guest looks at its clock.
const TICK: Duration = Duration::from_millis(50);

/// Processor time for each unit of fuel, nanoseconds. Measured: native code takes 0.3 to 1, and 20 where every
/// fifth instruction waits for memory.
const NANOS_PER_FUEL: u64 = 50;

/// The interpreter takes 10 to 40 times as long as native code, except in what the host does for the guest.
const PULLEY_FACTOR: u32 = 10;

/// Processor time that the calls of one loaded component may spend, all together, in calls that end at the
/// deadline. One such row among 2,048 is found with less; a component that never ends does not keep a command for
/// hours, batch after batch.
const LATE: Duration = Duration::from_secs(60);

/// The processor time of a call with this fuel.
pub(super) fn allowed(engine: &Engine, limits: &Limits, fuel: u64) -> Duration {
    let own = Duration::from_secs(limits.deadline_seconds)
        .saturating_add(Duration::from_nanos(fuel.saturating_mul(NANOS_PER_FUEL)));
    own.saturating_mul(factor(engine))
}

fn factor(engine: &Engine) -> u32 {
    if engine.is_pulley() { PULLEY_FACTOR } else { 1 }
}

/// Starts the thread that makes running guests look at their clocks. It ends with the engine.
pub(super) fn tick(engine: &Engine) -> Result<(), LogicError> {
    let engine = engine.weak();
    let ticking = move || {
        loop {
            std::thread::sleep(TICK);
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => break,
            }
        }
    };
    std::thread::Builder::new()
        .name("provender-ticks".to_owned())
        .stack_size(128 << 10)
        .spawn(ticking)
        .map(|_| ())
        .map_err(|e| LogicError::Thread {
            cause: e.to_string(),
        })
}

/// The call has used up its time.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "it used up its {} s of processor time, beyond what its fuel takes",
    .allowed.as_secs()
)]
pub(super) struct DeadlinePassed {
    allowed: Duration,
}

/// The clock of the call that a store makes.
#[derive(Debug, Default)]
pub(super) struct CallClock {
    begun: Duration,
    allowed: Duration,
}

impl CallClock {
    /// Starts the clock of a call, which must be made by this thread.
    pub(super) fn start(&mut self, allowed: Duration) {
        *self = CallClock {
            begun: processor_time(),
            allowed,
        };
    }

    /// Processor time since the start.
    pub(super) fn used(&self) -> Duration {
        processor_time().saturating_sub(self.begun)
    }

    /// What a running guest does at a tick.
    pub(super) fn check(&self) -> wasmtime::Result<UpdateDeadline> {
        if self.used() > self.allowed {
            let allowed = self.allowed;
            return Err(DeadlinePassed { allowed }.into());
        }
        Ok(UpdateDeadline::Continue(1))
    }
}

/// Milliseconds that a component has spent in calls that ended at the deadline.
#[derive(Debug, Default)]
pub(super) struct Late(AtomicU64);

impl Late {
    pub(super) fn add(&self, used: Duration) {
        let millis = used.as_secs().saturating_mul(1_000) + u64::from(used.subsec_millis());
        self.0.fetch_add(millis, Ordering::Relaxed);
    }

    /// Whether the component is to be called no more.
    pub(super) fn is_over(&self, engine: &Engine) -> bool {
        let used = Duration::from_millis(self.0.load(Ordering::Relaxed));
        used > LATE.saturating_mul(factor(engine))
    }
}

/// The cause that rows get after the last call.
pub(super) fn late() -> String {
    format!(
        "it was not called again, because earlier calls had used {} s of processor time and ended at their deadlines",
        LATE.as_secs()
    )
}

/// Processor time of this thread.
#[cfg(unix)]
fn processor_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    #[expect(
        clippy::disallowed_methods,
        reason = "a thread's clock starts at zero and is never negative"
    )]
    Duration::try_from(now).unwrap_or(Duration::ZERO)
}

/// Where a thread's processor time is not known, no call is late: wall time would fail calls on a busy machine.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    Duration::ZERO
}
