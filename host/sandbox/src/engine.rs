//! The deterministic engine settings, and the identity of the engine in this program.

use wasmtime::{Config, Engine, OptLevel, Strategy, WasmBacktraceDetails};

use super::deadline;
use super::error::LogicError;
use super::limits::Limits;

/// Name under which the settings of `deterministic_v1` are recorded. Changing any setting that could change a
/// number requires a new name.
pub const PROFILE: &str = "deterministic-v1";

/// How a component is executed. Both backends use `deterministic-v1` and must give the same bits: a number on
/// which two code generators agree does not depend on a bug in one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// Machine code for this computer, by Cranelift.
    #[default]
    Native,
    /// Bytecode for wasmtime's portable interpreter.
    Pulley,
}

impl Backend {
    /// `native` or `pulley`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Backend::Native => "native",
            Backend::Pulley => "pulley",
        }
    }
}

/// The engine that ran a component. Recorded in manifests, never part of a number's provenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineInfo {
    /// Version of wasmtime: `48.0.8`.
    pub wasmtime: String,
    /// Name of the settings: `deterministic-v1`.
    pub profile: &'static str,
    /// What code is generated for: architecture, system and, where there are several, its ABI.
    pub target: String,
}

impl EngineInfo {
    /// The engine of this program with the native backend.
    #[must_use]
    pub fn current() -> EngineInfo {
        EngineInfo::for_backend(Backend::Native)
    }

    /// The engine of this program with the given backend.
    #[must_use]
    pub fn for_backend(backend: Backend) -> EngineInfo {
        EngineInfo {
            wasmtime: WASMTIME_VERSION.to_owned(),
            profile: PROFILE,
            target: match backend {
                Backend::Native => target(),
                Backend::Pulley => PULLEY.to_owned(),
            },
        }
    }
}

/// The settings of `deterministic-v1`.
fn deterministic_v1(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        // The NaN that an operation yields depends on the CPU; this makes it canonical.
        .cranelift_nan_canonicalization(true)
        // Relaxed SIMD may give different numbers on different CPUs.
        .wasm_relaxed_simd(false)
        .relaxed_simd_deterministic(true)
        // How far a 64-bit memory can grow depends on the host, and no guest needs one.
        .wasm_memory64(false)
        // Composed components, such as one that carries QuickJS, need this: wasmtime's adapters between their
        // parts use several memories, and wasmtime panics if those are forbidden. They change no number, and the
        // meter counts all memories of a store together.
        .wasm_multi_memory(true)
        // Stops an endless loop after the same instruction on every machine.
        .consume_fuel(true)
        // Makes a running guest look at its clock; see `deadline`.
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack_bytes)
        .memory_init_cow(true)
        // No debug information of a stranger is read in this process. The default reads an environment variable.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        // Only keeps handles to the guest's memories, so that a panic message can be read.
        .coredump_on_trap(true);
    config
}

/// The interpreter's target: 64 bits, in the host's byte order.
const PULLEY: &str = if cfg!(target_endian = "big") {
    "pulley64be"
} else {
    "pulley64"
};

/// Creates an engine with the deterministic settings.
pub fn engine(limits: &Limits, backend: Backend) -> Result<Engine, LogicError> {
    let mut config = deterministic_v1(limits);
    let made = match backend {
        Backend::Native => Ok(()),
        Backend::Pulley => config.target(PULLEY).map(|_| ()),
    };
    let engine = made
        .and_then(|()| Engine::new(&config))
        .map_err(|e| LogicError::Engine {
            cause: format!("{e:#}"),
        })?;
    deadline::tick(&engine)?;
    Ok(engine)
}

fn target() -> String {
    use std::env::consts::{ARCH, OS};
    let abi = if cfg!(target_env = "gnu") {
        "-gnu"
    } else if cfg!(target_env = "musl") {
        "-musl"
    } else if cfg!(target_env = "msvc") {
        "-msvc"
    } else {
        ""
    };
    format!("{ARCH}-{OS}{abi}")
}

// wasmtime does not export its full version, and a number typed here would go stale unnoticed. So the version is
// searched at compile time in the lock file that cargo built with; if it is missing there, compilation fails.
const LOCK: &[u8] = include_bytes!("../../../Cargo.lock");
const VERSION_FROM: usize = end_of(LOCK, b"name = \"wasmtime\"\nversion = \"");
const VERSION_LENGTH: usize = length_to_quote(LOCK, VERSION_FROM);
const VERSION_BYTES: [u8; VERSION_LENGTH] = copy(LOCK, VERSION_FROM);

/// Version of wasmtime in this program.
pub(super) const WASMTIME_VERSION: &str = match std::str::from_utf8(&VERSION_BYTES) {
    Ok(version) => version,
    Err(_) => "unknown",
};

const fn end_of(text: &[u8], needle: &[u8]) -> usize {
    let mut at = 0;
    while at + needle.len() <= text.len() {
        let mut i = 0;
        while i < needle.len() && text[at + i] == needle[i] {
            i += 1;
        }
        if i == needle.len() {
            return at + i;
        }
        at += 1;
    }
    assert!(at == usize::MAX, "Cargo.lock does not name wasmtime");
    0
}

const fn length_to_quote(text: &[u8], from: usize) -> usize {
    let mut n = 0;
    while text[from + n] != b'"' {
        n += 1;
    }
    n
}

const fn copy<const N: usize>(text: &[u8], from: usize) -> [u8; N] {
    let mut out = [0; N];
    let mut i = 0;
    while i < N {
        out[i] = text[from + i];
        i += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_version_is_the_one_in_the_lock_file() {
        let version = EngineInfo::current().wasmtime;
        let parts: Vec<u32> = version.split('.').map(|p| p.parse().unwrap()).collect();
        assert_eq!(parts.len(), 3, "{version}");
        assert_eq!(parts[0], 48, "a new major version: review the profile");
    }

    #[test]
    fn the_engine_starts_with_the_profile() {
        for backend in [Backend::Native, Backend::Pulley] {
            assert!(engine(&Limits::default(), backend).is_ok(), "{backend:?}");
        }
        assert!(EngineInfo::current().target.contains('-'));
    }
}
