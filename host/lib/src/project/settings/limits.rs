//! `[limits]`: ceilings of the sandbox, of compiling a component, and of input files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use provender_domain::files::bounded::INPUT_BYTES;
use provender_sandbox::Limits;

/// Ceilings of the sandbox. The defaults are in `provender_sandbox`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Memory of one instance, MiB.
    pub memory_mib: Option<u64>,
    /// Fuel that each call gets in addition to the fuel for its rows.
    pub fuel_base: Option<u64>,
    /// Fuel for each row.
    pub fuel_per_row: Option<u64>,
    /// Seconds of processor time that each call may take besides the time for its fuel.
    pub deadline_seconds: Option<u64>,
    /// Largest component, MiB.
    pub component_mib: Option<u64>,
    /// Seconds that compiling one component may take.
    pub compile_seconds: Option<u64>,
    /// Memory that compiling one component may take, MiB; enforced on Linux only.
    pub compile_mib: Option<u64>,
    /// Largest input file, MiB.
    pub input_mib: Option<u64>,
    /// Rows of one call into the sandbox.
    pub batch_rows: Option<usize>,
    /// Worker threads; 0 is one per core.
    pub threads: Option<usize>,
}

/// What compiling one component may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Seconds.
    pub seconds: u64,
    /// Memory in addition to what the process used before, MiB.
    pub mib: u64,
}

impl Default for CompileLimits {
    fn default() -> CompileLimits {
        // Measured: CPython's 18 MB take 12 s of one core and 0.4 GB. The limits are far above that, to
        // allow for slow and busy machines.
        CompileLimits {
            seconds: 300,
            mib: 4_096,
        }
    }
}

impl LimitSettings {
    /// What compiling a component may take.
    #[must_use]
    pub fn compile(&self) -> CompileLimits {
        let default = CompileLimits::default();
        CompileLimits {
            seconds: self.compile_seconds.unwrap_or(default.seconds),
            mib: self.compile_mib.unwrap_or(default.mib).min(1 << 40),
        }
    }

    /// Largest input file, bytes.
    #[must_use]
    pub(crate) fn input_bytes(&self) -> u64 {
        self.input_mib
            .map_or(INPUT_BYTES, |mib| mib.saturating_mul(1 << 20))
    }

    /// The sandbox's default limits, changed by these settings.
    #[must_use]
    pub fn resolve(&self) -> Limits {
        let mut limits = Limits::default();
        if let Some(x) = self.memory_mib {
            limits.memory_bytes = x.saturating_mul(1 << 20);
        }
        if let Some(x) = self.fuel_base {
            limits.fuel_base = x;
        }
        if let Some(x) = self.fuel_per_row {
            limits.fuel_per_row = x;
        }
        if let Some(x) = self.deadline_seconds {
            limits.deadline_seconds = x;
        }
        if let Some(x) = self.component_mib {
            limits.component_bytes = x.saturating_mul(1 << 20);
        }
        if let Some(x) = self.batch_rows {
            limits.batch_rows = x.max(1);
        }
        if let Some(x) = self.threads {
            limits.threads = x;
        }
        limits
    }
}
