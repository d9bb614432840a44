//! A cache of compiled code.
//!
//! Purely an optimisation. An entry's name has the component's digest, the engine's settings and wasmtime's
//! version. Code is loaded only from the buffer whose SHA-256 was just compared with the sidecar; on any doubt it
//! is compiled again. Anyone who can write to the folder can run native code in this process, so nothing that
//! comes with a component is ever put there. A cache that cannot be written is not an error.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cap_std::fs::Dir;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use provender_domain::canonical::{Digest, hex};
use provender_domain::files::bounded;
use provender_domain::files::durable::{self, Keep};

use super::engine::WASMTIME_VERSION;

/// Compiled code is about four times the size of its component. Larger entries are not read into memory.
const ENTRY_BYTES: u64 = 512 << 20;
/// For all entries together: about fifty Python components. Each build of a logic leaves one behind.
const CACHE_BYTES: u64 = 2 << 30;

/// Suffix of files that are still being written.
const TEMPORARY: &str = ".tmp";
/// No write takes this long, so an older temporary file is left over from a killed process.
const LEFT: Duration = Duration::from_secs(3_600);

/// A folder of compiled components.
#[derive(Debug)]
pub(super) struct Cache {
    dir: Dir,
    engine: String,
}

/// Adapts SHA-256 to `Hasher`, which wasmtime needs. `DefaultHasher` may differ between Rust versions.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest: [u8; 32] = self.0.clone().finalize().into();
        digest
            .iter()
            .take(8)
            .fold(0, |n, b| (n << 8) | u64::from(*b))
    }
}

impl Cache {
    pub(super) fn new(dir: Dir, engine: &Engine) -> Cache {
        let mut sha = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut sha);
        let engine = hex(&<[u8; 32]>::from(sha.0.finalize()));
        Cache { dir, engine }
    }

    fn stem(&self, component: &Digest) -> String {
        format!(
            "{}-{}-{WASMTIME_VERSION}",
            component.hex(),
            &self.engine[..16]
        )
    }

    /// The sidecar's expected contents: the full key and the code's digest.
    fn sidecar(&self, component: &Digest, code: &[u8]) -> String {
        format!(
            "component {component}\nengine {}\nwasmtime {WASMTIME_VERSION}\ncode {}\n",
            self.engine,
            Digest::of_bytes(code)
        )
    }

    /// Loads the compiled component if there is a valid entry.
    pub(super) fn load(
        &self,
        engine: &Engine,
        component: &Digest,
    ) -> Option<wasmtime::component::Component> {
        let stem = self.stem(component);
        let code = self.read(&format!("{stem}.cwasm"), ENTRY_BYTES)?;
        let sidecar = self.read(&format!("{stem}.sha256"), 1_024)?;
        if sidecar != self.sidecar(component, &code).as_bytes() {
            return None;
        }
        deserialize(engine, &code)
    }

    fn read(&self, name: &str, most: u64) -> Option<Vec<u8>> {
        bounded::read_in(&self.dir, name, most).ok()
    }

    /// Stores a compiled component. A failure is ignored: it costs only the next compilation.
    pub(super) fn store(&self, component: &Digest, compiled: &wasmtime::component::Component) {
        let Ok(code) = compiled.serialize() else {
            return;
        };
        let stem = self.stem(component);
        // The sidecar goes last: code without a sidecar does not count as an entry.
        let sidecar = self.sidecar(component, &code);
        let _ = self
            .write(&format!("{stem}.cwasm"), &code)
            .and_then(|()| self.write(&format!("{stem}.sha256"), sidecar.as_bytes()))
            .and_then(|()| self.shrink(CACHE_BYTES));
    }

    /// Removes files left over from killed processes, then the oldest entries until the rest fits into `most`
    /// bytes.
    pub(super) fn shrink(&self, most: u64) -> std::io::Result<()> {
        let mut entries = Vec::new();
        for entry in self.dir.entries()? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') && name.ends_with(TEMPORARY) {
                let written = entry.metadata()?.modified()?.into_std();
                // A file from the future, after the clock was set back, is kept.
                if written.elapsed().is_ok_and(|age| age > LEFT) {
                    // Another process may have removed it first.
                    let _ = self.dir.remove_file(&name);
                }
            }
            if let Some(stem) = name.strip_suffix(".cwasm") {
                let about = entry.metadata()?;
                entries.push((about.modified()?, stem.to_owned(), about.len()));
            }
        }
        entries.sort();
        let mut total: u64 = entries.iter().map(|(_, _, size)| size).sum();
        for (_, stem, size) in entries {
            if total <= most {
                break;
            }
            self.dir.remove_file(format!("{stem}.cwasm"))?;
            // A sidecar without its code is not an entry.
            let _ = self.dir.remove_file(format!("{stem}.sha256"));
            total -= size;
        }
        Ok(())
    }

    /// Writes to a unique name and renames it, so that no reader sees half a file.
    fn write(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let temporary = format!(".{name}.{}-{count}{TEMPORARY}", std::process::id());
        durable::replace_by(&self.dir, &temporary, name, bytes, Keep::ForNow)
    }
}

#[expect(unsafe_code, reason = "wasmtime's only way to load compiled code")]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<wasmtime::component::Component> {
    // SAFETY: `code` is the buffer whose SHA-256 was compared with the sidecar. `store` wrote both from
    // wasmtime's own output, into a folder that only the host writes. wasmtime refuses code of another version or
    // other settings.
    unsafe { wasmtime::component::Component::deserialize(engine, code) }.ok()
}
