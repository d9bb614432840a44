//! Compiled code kept between runs.
//!
//! A convenience and nothing more: an entry is named after the component's digest, the engine's
//! settings and wasmtime's version; it is loaded only from the very buffer whose SHA-256 was just
//! compared with the sidecar, and on any doubt the code is compiled again. The folder belongs to the
//! host: who can write there can run native code in this process, which is why nothing that comes
//! with a component is ever put there. A cache that cannot be written is no error.

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

/// Compiled code is some four times its component; more than this is not read into memory.
const ENTRY_BYTES: u64 = 512 << 20;
/// All entries together: some fifty components of Python. Each build of a logic leaves one behind.
const CACHE_BYTES: u64 = 2 << 30;

/// How the name of what is being written ends.
const TEMPORARY: &str = ".tmp";
/// Nobody writes for so long.
const LEFT: Duration = Duration::from_secs(3_600);

/// A folder of compiled components.
#[derive(Debug)]
pub(super) struct Cache {
    dir: Dir,
    engine: String,
}

/// Feeds what wasmtime hashes into SHA-256: `DefaultHasher` may differ between Rust versions.
struct Sha(Sha256);

impl Hasher for Sha {
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
        let mut sha = Sha(Sha256::new());
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

    /// What the sidecar must say for this entry: the whole key and the code's digest.
    fn sidecar(&self, component: &Digest, code: &[u8]) -> String {
        format!(
            "component {component}\nengine {}\nwasmtime {WASMTIME_VERSION}\ncode {}\n",
            self.engine,
            Digest::of_bytes(code)
        )
    }

    /// The compiled component, where there is an entry beyond doubt.
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

    /// Keeps a compiled component; failure to do so is of no consequence.
    pub(super) fn store(&self, component: &Digest, compiled: &wasmtime::component::Component) {
        let Ok(code) = compiled.serialize() else {
            return;
        };
        let stem = self.stem(component);
        // The sidecar last: code without a sidecar is no entry.
        let sidecar = self.sidecar(component, &code);
        let _ = self
            .write(&format!("{stem}.cwasm"), &code)
            .and_then(|()| self.write(&format!("{stem}.sha256"), sidecar.as_bytes()))
            .and_then(|()| self.shrink(CACHE_BYTES));
    }

    /// Removes what killed processes left, and the entries that were written first, until the others fit.
    pub(super) fn shrink(&self, most: u64) -> std::io::Result<()> {
        let mut entries = Vec::new();
        for entry in self.dir.entries()? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') && name.ends_with(TEMPORARY) {
                let written = entry.metadata()?.modified()?.into_std();
                // One from the future, after the clock was set back, is kept.
                if written.elapsed().is_ok_and(|age| age > LEFT) {
                    // Another process may have been here.
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
            // Without its code it is no entry.
            let _ = self.dir.remove_file(format!("{stem}.sha256"));
            total -= size;
        }
        Ok(())
    }

    /// Writes under a name of its own and renames, so that no reader sees half a file.
    fn write(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let temporary = format!(".{name}.{}-{count}{TEMPORARY}", std::process::id());
        durable::replace_by(&self.dir, &temporary, name, bytes, Keep::ForNow)
    }
}

#[expect(unsafe_code, reason = "wasmtime's only way to load compiled code")]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<wasmtime::component::Component> {
    // SAFETY: `code` is the buffer whose SHA-256 was compared with the sidecar, both written by
    // `store` from wasmtime's own output into a folder that only the host writes; wasmtime itself
    // refuses code of another version or other settings.
    unsafe { wasmtime::component::Component::deserialize(engine, code) }.ok()
}
