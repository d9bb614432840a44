//! What a guest may use, every number with its reason.
//!
//! All limits are ceilings: a guest that stays below them computes the same bits under any of
//! them, so that none of them belongs to the provenance of a number.

use serde::{Deserialize, Serialize};
use wasmtime::ResourceLimiter;

/// Ceilings of one sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory, all memories of one store together.
    pub memory_bytes: u64,
    /// Elements of all tables of one store together.
    pub table_elements: u64,
    /// Bytes of stack for wasm frames.
    pub stack_bytes: usize,
    /// Fuel of every call before its rows.
    pub fuel_base: u64,
    /// Fuel of every call for each of its rows.
    pub fuel_per_row: u64,
    /// Bytes of a component file.
    pub component_bytes: u64,
    /// Bytes that one call may hand back.
    pub returned_bytes: usize,
    /// Rows of a batch at most.
    pub batch_rows: usize,
    /// Threads that compute; 0 is one per core.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            // A batch of 2,048 rows with a year of daily values in four series columns is 36 MB,
            // and a guest that copies it once still fits. Times the threads of a usual machine it
            // stays far below physical memory, so that growth never fails for the host's reasons.
            memory_bytes: 128 << 20,
            // Function pointers of a language runtime: CPython's table has about 10,000 elements.
            table_elements: 100_000,
            // wasmtime's own default. A debug build of a Rust guest needs some tens of KiB.
            stack_bytes: 512 << 10,
            // About 20 ms of work: starting a guest and describing it take a fraction of a
            // millisecond in Rust, some milliseconds in a language with a runtime of its own.
            fuel_base: 20_000_000,
            // Some 20 µs a row. Measured: a row of ten inputs and ten outputs takes 850 in Rust,
            // 120,000 in Python, 190,000 in JavaScript; a language that needs more than this has it
            // from its pin.
            fuel_per_row: 100_000,
            // A Rust component is 0.1 to 0.5 MB; one that carries CPython about 20 MB.
            component_bytes: 32 << 20,
            // 2,048 rows of 100 columns of numbers are 1.6 MB; ten times that leaves room for texts.
            returned_bytes: 16 << 20,
            // Measured: 1,000 to 4,000 rows take about 13 ns a row where 100,000 in one batch take
            // 37, because the guest's memory then grows out of the CPU's cache and faults anew.
            batch_rows: 2_048,
            threads: 0,
        }
    }
}

/// Ceilings that a pin sets for its own component, where the deployment's do not do: a guest that
/// carries a language runtime needs more memory and more fuel than one in Rust. `[component.limits]`
/// of the lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PinLimits {
    /// Bytes of linear memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Elements of all tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_elements: Option<u64>,
    /// Fuel of every call before its rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel_base: Option<u64>,
    /// Fuel of every call for each of its rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel_per_row: Option<u64>,
    /// Bytes of the component file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component_bytes: Option<u64>,
    /// Bytes that one call may hand back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned_bytes: Option<u64>,
}

impl PinLimits {
    /// What a component in this language usually needs beyond the default limits. A guest in Rust or
    /// C needs nothing more; one that carries an interpreter does.
    #[must_use]
    pub fn usual(language: &str) -> PinLimits {
        match language {
            "python" => PinLimits {
                memory_bytes: Some(256 << 20),
                fuel_base: Some(200_000_000),
                fuel_per_row: Some(2_000_000),
                ..PinLimits::default()
            },
            "javascript" => PinLimits {
                fuel_base: Some(100_000_000),
                fuel_per_row: Some(1_000_000),
                ..PinLimits::default()
            },
            _ => PinLimits::default(),
        }
    }

    /// The most that a component may have whose own ceilings are not known here: a stranger's bundle must not
    /// take the machine.
    pub const MOST: PinLimits = PinLimits {
        memory_bytes: Some(2 << 30),
        table_elements: Some(1_000_000),
        fuel_base: Some(1_000_000_000),
        fuel_per_row: Some(1_000_000_000),
        component_bytes: Some(256 << 20),
        returned_bytes: Some(1 << 30),
    };

    /// Each ceiling of a sandbox as one of a component's own.
    #[must_use]
    pub fn of(limits: &Limits) -> PinLimits {
        PinLimits {
            memory_bytes: Some(limits.memory_bytes),
            table_elements: Some(limits.table_elements),
            fuel_base: Some(limits.fuel_base),
            fuel_per_row: Some(limits.fuel_per_row),
            component_bytes: Some(limits.component_bytes),
            returned_bytes: Some(limits.returned_bytes as u64),
        }
    }

    /// The higher one of each two ceilings; that of one where the other says nothing.
    #[must_use]
    pub fn or_more(&self, other: &PinLimits) -> PinLimits {
        // Nothing is less than any number.
        PinLimits {
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
            table_elements: self.table_elements.max(other.table_elements),
            fuel_base: self.fuel_base.max(other.fuel_base),
            fuel_per_row: self.fuel_per_row.max(other.fuel_per_row),
            component_bytes: self.component_bytes.max(other.component_bytes),
            returned_bytes: self.returned_bytes.max(other.returned_bytes),
        }
    }

    /// What is set, up to what another one sets.
    #[must_use]
    pub fn at_most(&self, most: &PinLimits) -> PinLimits {
        let least = |own: Option<u64>, most: Option<u64>| own.map(|n| most.map_or(n, |m| n.min(m)));
        PinLimits {
            memory_bytes: least(self.memory_bytes, most.memory_bytes),
            table_elements: least(self.table_elements, most.table_elements),
            fuel_base: least(self.fuel_base, most.fuel_base),
            fuel_per_row: least(self.fuel_per_row, most.fuel_per_row),
            component_bytes: least(self.component_bytes, most.component_bytes),
            returned_bytes: least(self.returned_bytes, most.returned_bytes),
        }
    }

    /// True when nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == PinLimits::default()
    }

    /// The deployment's ceilings with what is set here in their place.
    #[must_use]
    pub fn over(&self, base: &Limits) -> Limits {
        #[expect(
            clippy::disallowed_methods,
            reason = "a ceiling beyond what a memory holds is none"
        )]
        let bytes = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Limits {
            memory_bytes: self.memory_bytes.unwrap_or(base.memory_bytes),
            table_elements: self.table_elements.unwrap_or(base.table_elements),
            fuel_base: self.fuel_base.unwrap_or(base.fuel_base),
            fuel_per_row: self.fuel_per_row.unwrap_or(base.fuel_per_row),
            component_bytes: self.component_bytes.unwrap_or(base.component_bytes),
            returned_bytes: self.returned_bytes.map_or(base.returned_bytes, bytes),
            ..base.clone()
        }
    }
}

/// Bytes that one `describe` may hand back: the largest declaration that passes the checks of
/// `describe` has some hundred names and sentences, 200 KB at most.
pub(super) const DESCRIPTION_BYTES: usize = 1 << 20;

/// Bytes of input columns that a batch holds, unless a single row has more: two batches on two
/// cores fit the last-level cache of a small server.
pub(super) const BATCH_BYTES: usize = 4 << 20;

/// Calls that the store of one batch takes at most. Making a store and touching its memory for the first
/// time cost about as much as a call of 2,048 rows; among 16 calls that is a small part.
pub(super) const BATCH_CALLS: usize = 16;

/// Batches that rows are dealt into before their stores take more than one call: work for four cores.
pub(super) const BATCHES: usize = 4;

/// How many times the fuel of the whole batch may be spent on taking a failed batch apart. Finding
/// one endless row among 2,048 costs under three times the batch's fuel, so that five such rows
/// are found exactly; cheap failures burn little and are found however many they are. It bounds a
/// component that loops in every row to a few seconds a batch.
pub(super) const BISECT_FUEL_FACTOR: u64 = 16;

/// Core instances, memories and tables in a store: a component of one Rust module has two or three
/// of each, one with a language runtime and its libraries about twenty.
const INSTANCES: usize = 64;
const MEMORIES: usize = 16;
const TABLES: usize = 64;

/// Functions of a component, imported ones included: CPython with its standard library has some
/// 20,000. Each costs the compiler time and every instance some tens of bytes that no meter counts.
pub(super) const FUNCTIONS: u64 = 100_000;

/// Globals of a component: one in Rust has three, one linked from shared libraries has one for each
/// address that they exchange, some thousands. Every instance holds 16 bytes for each, uncounted too.
pub(super) const GLOBALS: u64 = 50_000;

/// Components and modules in one another. A composed component has three or four levels; each one
/// costs the validator a state of its own (measured: 5,000 of them 830 MB and 5 s).
pub(super) const NESTING: u64 = 32;

/// Types of components and instances in one another, by a count that is never too low. Components of
/// CPython, `QuickJS` and `SpiderMonkey` have at most one; each level takes the parser some kilobytes of
/// stack (measured: 1,000 of them overflow a thread's 2 MiB, which aborts the process).
pub(super) const TYPE_NESTING: u64 = 100;

/// Memory and component size up to which a fresh call costs no more than its fuel says.
const LIGHT_BYTES: u64 = 4 << 20;

/// What a failed call costs the host beside the guest's fuel, in units of fuel (about a nanosecond):
/// a large memory is set up and searched for a panic's words, and a handle is made for every global.
/// Without it, a guest that fails cheaply in every row could have the host do that 4,095 times a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight {
    size: u64,
    globals: u64,
}

impl Weight {
    /// Of a component of `size` bytes with `globals` globals.
    pub(super) fn new(size: u64, globals: u64) -> Weight {
        Weight { size, globals }
    }

    /// Of one call after which the guest held `memory` bytes.
    pub(super) fn of_call(self, memory: u64) -> u64 {
        let bytes = memory.saturating_add(self.size).saturating_sub(LIGHT_BYTES);
        // One module may stand in a store as often as there may be instances.
        (bytes / 4).saturating_add(self.globals.saturating_mul(16 * INSTANCES as u64))
    }
}

/// Bytes of native stack that the host's own frames need beside the guest's: lifting, lowering and
/// the trap handler use some tens of KiB in a debug build.
pub(super) const HOST_STACK_BYTES: usize = 1 << 20;

/// So many threads, or one per core for 0.
pub(super) fn cores(threads: usize) -> usize {
    match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

impl Limits {
    /// How many threads compute, the cores counted where that is what is asked for.
    #[must_use]
    pub fn workers(&self) -> usize {
        cores(self.threads)
    }

    /// Fuel of a call over `rows` rows.
    pub(super) fn fuel(&self, rows: usize) -> u64 {
        // u64::MAX itself would leave no room for the engine's own accounting.
        self.fuel_base
            .saturating_add(self.fuel_per_row.saturating_mul(rows as u64))
            .min(u64::MAX / 2)
    }
}

/// A limit that the guest ran into while its memory or tables grew.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum LimitReached {
    /// Linear memory.
    #[error("it asked for {asked} bytes of memory where {limit} are allowed")]
    Memory { asked: u64, limit: u64 },
    /// Tables.
    #[error("it asked for {asked} table elements where {limit} are allowed")]
    Table { asked: u64, limit: u64 },
}

/// The state of a store: counts what the guest holds and refuses more than the limits.
///
/// wasmtime's own `StoreLimits` bounds each memory by itself; a guest with several of them would
/// get that much several times. Growth past a limit traps, because a guest that sees `-1` may go
/// on with another number, and a trap names the cause.
#[derive(Debug)]
pub(super) struct Meter {
    memory: Gauge,
    table: Gauge,
}

#[derive(Debug)]
struct Gauge {
    held: u64,
    limit: u64,
}

impl Gauge {
    /// Counts a growth from `current` to `desired`; the total asked for when it is too much.
    fn grow(&mut self, current: usize, desired: usize) -> Result<(), u64> {
        let more = desired.saturating_sub(current) as u64;
        let total = self.held.saturating_add(more);
        if total > self.limit {
            return Err(total);
        }
        self.held = total;
        Ok(())
    }
}

impl Meter {
    pub(super) fn new(limits: &Limits) -> Meter {
        Meter {
            memory: Gauge {
                held: 0,
                limit: limits.memory_bytes,
            },
            table: Gauge {
                held: 0,
                limit: limits.table_elements,
            },
        }
    }
}

impl Meter {
    /// Bytes of linear memory in all memories.
    pub(super) fn memory(&self) -> u64 {
        self.memory.held
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let limit = self.memory.limit;
        match self.memory.grow(current, desired) {
            Err(asked) => Err(LimitReached::Memory { asked, limit }.into()),
            // Past its own declared maximum the guest gets the -1 that the specification promises.
            Ok(()) => Ok(maximum.is_none_or(|m| desired <= m)),
        }
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let limit = self.table.limit;
        match self.table.grow(current, desired) {
            Err(asked) => Err(LimitReached::Table { asked, limit }.into()),
            Ok(()) => Ok(maximum.is_none_or(|m| desired <= m)),
        }
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_of_one_store_are_counted_together() {
        let limits = Limits {
            memory_bytes: 100,
            table_elements: 10,
            ..Limits::default()
        };
        let mut meter = Meter::new(&limits);
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.memory_growing(0, 40, None).unwrap());
        let error = meter.memory_growing(40, 41, None).unwrap_err();
        assert_eq!(
            error.downcast_ref(),
            Some(&LimitReached::Memory {
                asked: 101,
                limit: 100
            })
        );
        assert!(meter.table_growing(0, 10, None).unwrap());
        assert!(meter.table_growing(10, 11, None).is_err());
    }

    #[test]
    fn a_strangers_bundle_takes_no_more_than_it_may() {
        let greedy = PinLimits {
            fuel_base: Some(u64::MAX),
            memory_bytes: Some(u64::MAX),
            ..PinLimits::usual("python")
        };
        let bounded = greedy.at_most(&PinLimits::MOST);
        assert_eq!(bounded.fuel_base, PinLimits::MOST.fuel_base);
        assert_eq!(bounded.memory_bytes, PinLimits::MOST.memory_bytes);
        let own = PinLimits::usual("python");
        assert_eq!(own.at_most(&PinLimits::MOST), own);
    }

    #[test]
    fn a_light_call_weighs_next_to_nothing_and_a_heavy_one_what_it_costs() {
        let light = Weight::new(150_000, 3).of_call(1 << 20);
        assert!(light < 4_000, "{light}");
        let heavy = Weight::new(150_000, 3).of_call(128 << 20);
        assert!(heavy > 30_000_000, "{heavy}");
        assert!(Weight::new(0, GLOBALS).of_call(0) > 30_000_000);
        assert_eq!(Weight::new(u64::MAX, u64::MAX).of_call(u64::MAX), u64::MAX);
    }

    #[test]
    fn fuel_never_overflows() {
        let limits = Limits {
            fuel_per_row: u64::MAX,
            ..Limits::default()
        };
        assert_eq!(limits.fuel(usize::MAX), u64::MAX / 2);
        assert_eq!(Limits::default().fuel(2), 20_200_000);
    }
}
