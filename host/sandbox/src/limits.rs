//! The guest's limits, each with its reason.
//!
//! All limits are ceilings: a guest that stays below them computes the same bits under any of them. So none is
//! part of a number's provenance.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasmtime::ResourceLimiter;

use super::deadline::CallClock;

/// Limits of one sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory, over all memories of a store.
    pub memory_bytes: u64,
    /// Elements of tables, over all tables of a store.
    pub table_elements: u64,
    /// Bytes of stack for wasm frames.
    pub stack_bytes: usize,
    /// Fuel of every call, regardless of its rows.
    pub fuel_base: u64,
    /// Additional fuel per row.
    pub fuel_per_row: u64,
    /// Seconds of processor time of every call, besides the time that its fuel takes.
    pub deadline_seconds: u64,
    /// Largest component file in bytes.
    pub component_bytes: u64,
    /// Most bytes that one call may return.
    pub returned_bytes: usize,
    /// Most rows of a batch.
    pub batch_rows: usize,
    /// Number of computing threads; 0 is one per core.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            // 36 MB is a batch of 2,048 rows with a year of daily values in four series columns, and a guest that
            // copies it once still fits. Times the threads of a usual machine it is far below physical memory, so
            // growth never fails because of the host.
            memory_bytes: 128 << 20,
            // For the function pointers of a language runtime: CPython's table has 5,785 elements.
            table_elements: 100_000,
            // wasmtime's default. A debug build of a Rust guest needs a few tens of KiB.
            stack_bytes: 512 << 10,
            // About 20 ms of work. Starting and describing a guest takes a fraction of a millisecond in Rust, and
            // a few milliseconds in a language with its own runtime.
            fuel_base: 20_000_000,
            // About 20 µs per row. Measured: a row of ten inputs and ten outputs uses 850 in Rust, 120,000 in
            // Python, 190,000 in JavaScript. A language that needs more gets it from its pin.
            fuel_per_row: 100_000,
            // A hundred times what the fuel of start-up takes.
            deadline_seconds: 2,
            // A Rust component has 0.1 to 0.5 MB; one that carries CPython about 20 MB.
            component_bytes: 32 << 20,
            // 2,048 rows of 100 numeric columns are 1.6 MB; ten times that leaves room for texts.
            returned_bytes: 16 << 20,
            // Measured: batches of 1,000 to 4,000 rows take about 13 ns per row, a batch of 100,000 takes 37. Its
            // guest's memory outgrows the CPU's cache and page-faults again.
            batch_rows: 2_048,
            threads: 0,
        }
    }
}

/// Limits that a pin sets for its own component, `[component.limits]` in the lock file. A guest with a language
/// runtime needs more memory and fuel than the deployment's limits allow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PinLimits {
    /// Bytes of linear memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub memory_bytes: Option<u64>,
    /// Elements of tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub table_elements: Option<u64>,
    /// Fuel of every call, regardless of its rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub fuel_base: Option<u64>,
    /// Additional fuel per row.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub fuel_per_row: Option<u64>,
    /// Largest component file in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub component_bytes: Option<u64>,
    /// Most bytes that one call may return.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub returned_bytes: Option<u64>,
}

impl PinLimits {
    /// What a component in this language usually needs beyond the default limits: nothing for Rust or C, more for
    /// a language with an interpreter.
    #[must_use]
    pub fn for_language(language: &str) -> PinLimits {
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

    /// The most that any component may have when its own limits come from an untrusted source, such as a bundle.
    pub const MAX: PinLimits = PinLimits {
        memory_bytes: Some(2 << 30),
        table_elements: Some(1_000_000),
        fuel_base: Some(1_000_000_000),
        fuel_per_row: Some(1_000_000_000),
        component_bytes: Some(256 << 20),
        returned_bytes: Some(1 << 30),
    };

    /// All limits of a sandbox, as limits of a pin.
    #[must_use]
    pub fn from_limits(limits: &Limits) -> PinLimits {
        PinLimits {
            memory_bytes: Some(limits.memory_bytes),
            table_elements: Some(limits.table_elements),
            fuel_base: Some(limits.fuel_base),
            fuel_per_row: Some(limits.fuel_per_row),
            component_bytes: Some(limits.component_bytes),
            returned_bytes: Some(limits.returned_bytes as u64),
        }
    }

    /// The higher of each two limits; an unset limit is lower than any.
    #[must_use]
    pub fn max_of_each(&self, other: &PinLimits) -> PinLimits {
        // `None` orders before every number.
        PinLimits {
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
            table_elements: self.table_elements.max(other.table_elements),
            fuel_base: self.fuel_base.max(other.fuel_base),
            fuel_per_row: self.fuel_per_row.max(other.fuel_per_row),
            component_bytes: self.component_bytes.max(other.component_bytes),
            returned_bytes: self.returned_bytes.max(other.returned_bytes),
        }
    }

    /// All limits with their names.
    fn named(&self) -> [(&'static str, Option<u64>); 6] {
        // Destructured by name: a new limit does not compile until it is checked, too.
        let PinLimits {
            memory_bytes,
            table_elements,
            fuel_base,
            fuel_per_row,
            component_bytes,
            returned_bytes,
        } = *self;
        [
            ("memory_bytes", memory_bytes),
            ("table_elements", table_elements),
            ("fuel_base", fuel_base),
            ("fuel_per_row", fuel_per_row),
            ("component_bytes", component_bytes),
            ("returned_bytes", returned_bytes),
        ]
    }

    /// Checks limits from an untrusted source, such as a bundle: none may be below this program's own defaults, nor
    /// above [`PinLimits::MAX`].
    ///
    /// # Errors
    /// The first limit that is outside.
    pub fn check_foreign(&self) -> Result<(), LimitOutside> {
        let own = PinLimits::from_limits(&Limits::default());
        let range = own.named().into_iter().zip(PinLimits::MAX.named());
        for ((name, asked), ((_, least), (_, most))) in self.named().into_iter().zip(range) {
            if let (Some(asked), Some(least), Some(most)) = (asked, least, most)
                && !(least..=most).contains(&asked)
            {
                return Err(LimitOutside {
                    name,
                    asked,
                    least,
                    most,
                });
            }
        }
        Ok(())
    }

    /// The limits that are set here, capped by those in `most`.
    #[must_use]
    pub fn capped_by(&self, most: &PinLimits) -> PinLimits {
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

    /// True when no limit is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == PinLimits::default()
    }

    /// The deployment's limits, overridden by those set here.
    #[must_use]
    pub fn applied_to(&self, base: &Limits) -> Limits {
        #[expect(
            clippy::disallowed_methods,
            reason = "a limit beyond the address space is no limit"
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

/// Most bytes that one `describe` may return. The largest valid declaration has a few hundred names and
/// sentences, at most 200 KB.
pub(super) const DESCRIPTION_BYTES: usize = 1 << 20;

/// Bytes of input columns per batch, unless a single row has more. Two batches on two cores fit the last-level
/// cache of a small server.
pub(super) const BATCH_BYTES: usize = 4 << 20;

/// Most calls per store. Making a store and touching its memory for the first time costs about as much as a call
/// of 2,048 rows; spread over 16 calls it is negligible.
pub(super) const BATCH_CALLS: usize = 16;

/// Number of batches to make before any store takes more than one call: work for four cores.
pub(super) const BATCHES: usize = 4;

/// How many times the fuel of the whole batch may be spent on bisecting a failed batch. Finding one endless row
/// among 2,048 costs less than three times the batch's fuel, so five such rows are found exactly. Cheap failures
/// use little fuel and are all found. A component that loops in every row is limited to a few seconds per batch.
pub(super) const BISECT_FUEL_FACTOR: u64 = 16;

/// Most core instances, memories and tables in a store. A component of one Rust module has two or three of each,
/// one with a language runtime and its libraries about twenty.
const INSTANCES: usize = 64;
const MEMORIES: usize = 16;
const TABLES: usize = 64;

/// Most functions of a component, imported ones included. CPython with its standard library has about 20,000.
/// Each costs compile time, and each instance a few tens of bytes that no meter counts.
pub(super) const FUNCTIONS: u64 = 100_000;

/// Most globals of a component. One in Rust has three; one linked from shared libraries has a few thousand, one
/// per shared address. Every instance holds 16 bytes for each, which no meter counts.
pub(super) const GLOBALS: u64 = 50_000;

/// Deepest nesting of components and modules. A composed component has three or four levels. Each level costs the
/// validator memory (measured: 5,000 levels take 830 MB and 5 s).
pub(super) const NESTING: u64 = 32;

/// Deepest nesting of component and instance types, estimated by a count that is never too low. Components of
/// CPython, `QuickJS` and `SpiderMonkey` have at most one level. Each level takes a few kilobytes of the parser's
/// stack (measured: 1,000 levels overflow a thread's 2 MiB, which aborts the process).
pub(super) const TYPE_NESTING: u64 = 100;

/// Longest name of a function, bytes. A backtrace copies up to twenty. Those of Rust and C++ have a few hundred,
/// those of deeply nested templates a few thousand.
pub(super) const NAME_BYTES: u64 = 64 << 10;

/// Up to this size of memory plus component, a fresh call costs the host no more than its fuel.
const LIGHT_BYTES: u64 = 4 << 20;

/// The host's own cost of a failed call, in units of fuel (about a nanosecond each): setting up a large memory,
/// searching it for a panic note, and making a handle for every global. Without it, a guest that fails cheaply in
/// every row could cause this cost 4,095 times per batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight {
    size: u64,
    globals: u64,
}

impl Weight {
    /// For a component of `size` bytes with `globals` globals.
    pub(super) fn new(size: u64, globals: u64) -> Weight {
        Weight { size, globals }
    }

    /// The cost of one call after which the guest held `memory` bytes.
    pub(super) fn of_call(self, memory: u64) -> u64 {
        let bytes = memory.saturating_add(self.size).saturating_sub(LIGHT_BYTES);
        // A module can be instantiated as often as there may be instances in a store.
        (bytes / 4).saturating_add(self.globals.saturating_mul(16 * INSTANCES as u64))
    }
}

/// Native stack that the host's own frames need besides the guest's. Lifting, lowering and the trap handler use a
/// few tens of KiB in a debug build.
pub(super) const HOST_STACK_BYTES: usize = 1 << 20;

/// Resolves a number of threads, where 0 means one per core.
pub(super) fn cores(threads: usize) -> usize {
    match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

impl Limits {
    /// Number of computing threads, with 0 resolved to the number of cores.
    #[must_use]
    pub fn workers(&self) -> usize {
        cores(self.threads)
    }

    /// Fuel for a call over `rows` rows.
    pub(super) fn fuel(&self, rows: usize) -> u64 {
        // u64::MAX would leave no room for the engine's own accounting.
        self.fuel_base
            .saturating_add(self.fuel_per_row.saturating_mul(rows as u64))
            .min(u64::MAX / 2)
    }
}

/// A limit from an untrusted source that this program does not accept.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("it asks for {name} = {asked}; this program accepts {least} to {most}")]
pub struct LimitOutside {
    /// Which limit.
    pub name: &'static str,
    /// The value that is asked for.
    pub asked: u64,
    /// This program's default.
    pub least: u64,
    /// The most that is accepted.
    pub most: u64,
}

/// A limit that the guest reached when growing its memory or tables.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum LimitReached {
    /// Linear memory.
    #[error("it asked for {asked} bytes of memory; {limit} are allowed")]
    Memory { asked: u64, limit: u64 },
    /// Tables.
    #[error("it asked for {asked} table elements; {limit} are allowed")]
    Table { asked: u64, limit: u64 },
}

/// Per-store accounting: counts what the guest holds and refuses growth beyond the limits.
///
/// wasmtime's own `StoreLimits` bounds each memory separately, so a guest with several memories would get a
/// multiple. Growth beyond a limit traps, because a guest that sees `-1` might continue with a different number,
/// and a trap names the cause.
#[derive(Debug)]
pub(super) struct Meter {
    memory: Gauge,
    table: Gauge,
    /// Processor time of the running call.
    pub(super) clock: CallClock,
}

#[derive(Debug)]
struct Gauge {
    held: u64,
    limit: u64,
}

impl Gauge {
    /// Counts a growth from `current` to `desired`. `Err` has the total that was asked for if it exceeds the
    /// limit.
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
            clock: CallClock::default(),
        }
    }
}

impl Meter {
    /// Bytes of linear memory, over all memories.
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
            // Beyond a memory's own declared maximum, the guest gets the `-1` that the specification promises.
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
    fn limits_from_an_untrusted_bundle_are_capped() {
        let greedy = PinLimits {
            fuel_base: Some(u64::MAX),
            memory_bytes: Some(u64::MAX),
            ..PinLimits::for_language("python")
        };
        let bounded = greedy.capped_by(&PinLimits::MAX);
        assert_eq!(bounded.fuel_base, PinLimits::MAX.fuel_base);
        assert_eq!(bounded.memory_bytes, PinLimits::MAX.memory_bytes);
        let own = PinLimits::for_language("python");
        assert_eq!(own.capped_by(&PinLimits::MAX), own);
        assert!(greedy.check_foreign().is_err());
        assert_eq!(bounded.check_foreign(), Ok(()));
    }

    #[test]
    fn limits_from_an_untrusted_bundle_are_within_the_programs_own() {
        let own = PinLimits::from_limits(&Limits::default());
        for good in [PinLimits::default(), own.clone(), PinLimits::MAX] {
            assert_eq!(good.check_foreign(), Ok(()));
        }
        let with = |fuel_base| PinLimits {
            fuel_base: Some(fuel_base),
            ..own.clone()
        };
        for bad in [0, 19_999_999, 1_000_000_001] {
            let error = with(bad).check_foreign().unwrap_err();
            assert_eq!((error.name, error.asked), ("fuel_base", bad));
        }
        // The other limits are checked alike.
        let low: Vec<_> = own.named().into_iter().map(|(name, _)| name).collect();
        let one = Some(1);
        let each = [
            PinLimits {
                memory_bytes: one,
                ..PinLimits::default()
            },
            PinLimits {
                table_elements: one,
                ..PinLimits::default()
            },
            PinLimits {
                fuel_base: one,
                ..PinLimits::default()
            },
            PinLimits {
                fuel_per_row: one,
                ..PinLimits::default()
            },
            PinLimits {
                component_bytes: one,
                ..PinLimits::default()
            },
            PinLimits {
                returned_bytes: one,
                ..PinLimits::default()
            },
        ];
        let names: Vec<_> = each
            .iter()
            .map(|l| l.check_foreign().unwrap_err().name)
            .collect();
        assert_eq!(names, low);
    }

    #[test]
    fn a_light_call_costs_almost_nothing_and_a_heavy_one_is_charged() {
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
