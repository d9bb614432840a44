//! From bytes to a loaded component: what is refused, and what is kept.
//!
//! The bytes are hashed once, and those very bytes are compiled (or stand in the cache under that
//! hash). A component is refused when it is precompiled, a core module, too large, imports anything
//! at all, lacks an export, has one of another type, or describes itself wrongly.

use std::any::Any;
use std::sync::Arc;

use wasmparser::Parser;
use wasmtime::component::{Component as Compiled, Linker};
use wasmtime::{Engine, Store};

use provender_domain::canonical::Digest;
use provender_domain::column::Column;
use provender_domain::description::Description;
use provender_domain::value::Scalar;

use super::bindings::{INTERFACE, LogicPlugin, LogicPluginPre, wit};
use super::border;
use super::cache::Cache;
use super::describe;
use super::engine::{self, Backend, EngineInfo};
use super::error::LogicError;
use super::execute::{self, Callee, Computed};
use super::failure::{Failure, printable};
use super::limits::{DESCRIPTION_BYTES, Limits, Meter, PinLimits, Weight};
use super::survey::survey;
use super::versions::{SPOKEN, Version};

/// Names of one kind (imports, exports, tools) that are listed; a hostile component may have many.
pub(super) const LISTED: usize = 20;

/// The place where components are loaded and run: one engine, its limits, its cache.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    backend: Backend,
    limits: Limits,
    cache: Option<Cache>,
    on_compile: Option<OnCompile>,
    spoken: &'static [Version],
}

impl Inner {
    /// Compiles what no cache has, and tells who waits.
    fn compile(&self, file: &str, bytes: &[u8]) -> Result<Compiled, LogicError> {
        let size = bytes.len() as u64;
        let waiting = self.on_compile.as_ref().map(|tell| {
            let kept = self.cache.is_some();
            tell(Compiling { file, size, kept })
        });
        let compiled = Compiled::from_binary(&self.engine, bytes);
        drop(waiting);
        compiled.map_err(|e| not_a_component(file, &format!("{e:#}")))
    }
}

fn not_a_component(file: &str, cause: &str) -> LogicError {
    LogicError::NotAComponent {
        file: file.to_owned(),
        cause: printable(cause, 500),
    }
}

/// Whether bytes are within the limit and begin like a component.
fn form(file: &str, bytes: &[u8], limit: u64) -> Result<(), LogicError> {
    let name = file.to_owned();
    if bytes.len() as u64 > limit {
        return Err(LogicError::TooLarge { file: name, limit });
    }
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(LogicError::Precompiled { file: name });
    }
    if Parser::is_core_wasm(bytes) {
        return Err(LogicError::CoreModule { file: name });
    }
    if !Parser::is_component(bytes) {
        let cause = "it does not begin like a WebAssembly component";
        return Err(not_a_component(file, cause));
    }
    Ok(())
}

/// A compilation that is about to start; a large component takes seconds.
#[derive(Clone, Copy, Debug)]
pub struct Compiling<'c> {
    /// The component, as messages name it.
    pub file: &'c str,
    /// Its bytes.
    pub size: u64,
    /// Whether the code is kept, so that it is compiled this once.
    pub kept: bool,
}

/// Told of each compilation, and of none that the cache spares; what it hands back is dropped when the
/// compilation has ended.
pub type OnCompile = Arc<dyn Fn(Compiling<'_>) -> Box<dyn Any> + Send + Sync>;

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("limits", &self.inner.limits)
            .field("cache", &self.inner.cache)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// A sandbox with its own engine. `cache` is a folder that only the host writes.
    ///
    /// # Errors
    /// When wasmtime refuses the settings on this machine.
    pub fn new(limits: Limits, cache: Option<cap_std::fs::Dir>) -> Result<Sandbox, LogicError> {
        Sandbox::made(Backend::Native, limits, cache, None, SPOKEN)
    }

    /// As [`Sandbox::new`], with someone to tell of each compilation.
    ///
    /// # Errors
    /// See [`Sandbox::new`].
    pub fn watched(
        limits: Limits,
        cache: Option<cap_std::fs::Dir>,
        on_compile: Option<OnCompile>,
    ) -> Result<Sandbox, LogicError> {
        Sandbox::made(Backend::Native, limits, cache, on_compile, SPOKEN)
    }

    /// As [`Sandbox::watched`], on a backend of the caller's choice.
    ///
    /// # Errors
    /// See [`Sandbox::new`].
    pub fn on(
        backend: Backend,
        limits: Limits,
        cache: Option<cap_std::fs::Dir>,
        on_compile: Option<OnCompile>,
    ) -> Result<Sandbox, LogicError> {
        Sandbox::made(backend, limits, cache, on_compile, SPOKEN)
    }

    /// A sandbox of a host that speaks other versions of the contract.
    #[cfg(test)]
    pub(super) fn speaking(
        limits: Limits,
        spoken: &'static [Version],
    ) -> Result<Sandbox, LogicError> {
        Sandbox::made(Backend::Native, limits, None, None, spoken)
    }

    fn made(
        backend: Backend,
        limits: Limits,
        cache: Option<cap_std::fs::Dir>,
        on_compile: Option<OnCompile>,
        spoken: &'static [Version],
    ) -> Result<Sandbox, LogicError> {
        let engine = engine::engine(&limits, backend)?;
        let cache = cache.map(|dir| Cache::new(dir, &engine));
        Ok(Sandbox {
            inner: Arc::new(Inner {
                engine,
                backend,
                limits,
                cache,
                on_compile,
                spoken,
            }),
        })
    }

    /// What runs components here.
    #[must_use]
    pub fn engine(&self) -> EngineInfo {
        EngineInfo::of(self.inner.backend)
    }

    /// The ceilings in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Loads a component from its bytes; `file` names them in messages.
    ///
    /// # Errors
    /// When the bytes are not an acceptable component, see the module's comment.
    pub fn load(&self, file: &str, bytes: &[u8]) -> Result<Component, LogicError> {
        self.load_within(file, bytes, &PinLimits::default())
    }

    /// As [`Sandbox::load`], under ceilings of the component's own where `own` sets them.
    ///
    /// # Errors
    /// See [`Sandbox::load`].
    pub fn load_within(
        &self,
        file: &str,
        bytes: &[u8],
        own: &PinLimits,
    ) -> Result<Component, LogicError> {
        let inner = &self.inner;
        let limits = own.over(&inner.limits);
        let size = bytes.len() as u64;
        form(file, bytes, limits.component_bytes)?;
        let source = Source {
            file,
            digest: Digest::of_bytes(bytes),
        };
        let made = survey(bytes).map_err(|e| not_a_component(file, &e.to_string()))?;
        // Before compiling: both the compiler and every instance pay for each of them.
        if let Some((what, count, limit)) = made.excess() {
            return Err(LogicError::TooComplex {
                file: file.to_owned(),
                digest: source.digest,
                what,
                count,
                limit,
            });
        }
        let cached = inner
            .cache
            .as_ref()
            .and_then(|c| c.load(&inner.engine, &source.digest));
        let fresh = cached.is_none();
        let compiled = match cached {
            Some(compiled) => compiled,
            None => inner.compile(file, bytes)?,
        };
        let border = border::check(&source, &inner.engine, &compiled, inner.spoken)?;
        let pre = source.pre(&inner.engine, &compiled)?;
        let description =
            execute::on_guest_stack(&limits, || source.describe(&inner.engine, &limits, &pre))??;
        // Only what was accepted is kept.
        if let (true, Some(cache)) = (fresh, &inner.cache) {
            cache.store(&source.digest, &compiled);
        }
        Ok(Component {
            inner: Arc::new(Loaded {
                sandbox: Arc::clone(inner),
                limits,
                file: file.to_owned(),
                digest: source.digest,
                size,
                world: border.version.world(),
                extra_exports: border.extra_exports,
                toolchain: made.tools,
                language: made.language,
                globals: made.globals,
                description,
                pre,
            }),
        })
    }
}

/// What messages about a component in the making name.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    file: &'a str,
    pub(super) digest: Digest,
}

impl Source<'_> {
    pub(super) fn file(&self) -> String {
        self.file.to_owned()
    }

    pub(super) fn missing(&self, wanted: String, found: Vec<String>) -> LogicError {
        LogicError::MissingExport {
            file: self.file(),
            digest: self.digest,
            wanted,
            found: if found.is_empty() {
                "nothing".to_owned()
            } else {
                found.join(", ")
            },
        }
    }

    fn pre(
        &self,
        engine: &Engine,
        compiled: &Compiled,
    ) -> Result<LogicPluginPre<Meter>, LogicError> {
        // An empty linker: there is nothing a component could be given.
        Linker::new(engine)
            .instantiate_pre(compiled)
            .and_then(LogicPluginPre::new)
            .map_err(|e| self.mistyped(&e))
    }

    fn mistyped(&self, error: &wasmtime::Error) -> LogicError {
        LogicError::MistypedExport {
            file: self.file(),
            digest: self.digest,
            export: INTERFACE.to_owned(),
            cause: printable(&format!("{error:#}"), 500),
        }
    }

    /// Starts the component and asks it twice what it is.
    fn describe(
        &self,
        engine: &Engine,
        limits: &Limits,
        pre: &LogicPluginPre<Meter>,
    ) -> Result<Description, LogicError> {
        let fuel = limits.fuel(0);
        let mut store = execute::store(engine, limits, fuel, DESCRIPTION_BYTES).map_err(|e| {
            LogicError::Engine {
                cause: format!("{e:#}"),
            }
        })?;
        let instance = pre
            .instance_pre()
            .instantiate(&mut store)
            .map_err(|e| self.failed("start-up", Failure::of_start(&e, &store)))?;
        let plugin = LogicPlugin::new(&mut store, &instance).map_err(|e| self.mistyped(&e))?;
        let ask = |store: &mut Store<Meter>| -> Result<wit::Description, LogicError> {
            let guest = plugin.provender_logic_logic();
            store
                .set_fuel(fuel)
                .and_then(|()| guest.call_describe(&mut *store))
                .map_err(|e| self.failed("describe", Failure::of(&e, &*store)))
        };
        let first = ask(&mut store)?;
        let second = ask(&mut store)?;
        // The generated types compare by their text, which tells even two NaNs and two zeros apart.
        if format!("{first:?}") != format!("{second:?}") {
            return Err(LogicError::Unstable {
                file: self.file(),
                digest: self.digest,
            });
        }
        describe::description(first).map_err(|cause| LogicError::Description {
            file: self.file(),
            digest: self.digest,
            cause,
        })
    }

    fn failed(&self, stage: &'static str, failure: Failure) -> LogicError {
        LogicError::Load {
            file: self.file(),
            digest: self.digest,
            stage,
            code: failure.code,
            cause: failure.cause,
            detail: failure.detail.into(),
        }
    }
}

pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names = names;
    let mut list: Vec<_> = names
        .by_ref()
        .take(LISTED)
        .map(|n| printable(n, 200))
        .collect();
    let more = names.count();
    if more > 0 {
        list.push(format!("and {more} more"));
    }
    list
}

/// A loaded component.
#[derive(Clone)]
pub struct Component {
    inner: Arc<Loaded>,
}

struct Loaded {
    sandbox: Arc<Inner>,
    limits: Limits,
    file: String,
    digest: Digest,
    size: u64,
    world: String,
    extra_exports: Vec<String>,
    toolchain: Vec<(String, String)>,
    language: String,
    globals: u64,
    description: Description,
    pre: LogicPluginPre<Meter>,
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component")
            .field("file", &self.inner.file)
            .field("digest", &self.inner.digest.to_string())
            .field("model_version", &self.inner.description.model_version())
            .finish_non_exhaustive()
    }
}

impl Component {
    /// The name its bytes were loaded under.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.inner.file
    }

    /// Digest of the bytes that were compiled.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.inner.digest
    }

    /// Number of those bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.inner.size
    }

    /// The world that it is built for, in the version that its export names.
    #[must_use]
    pub fn world(&self) -> &str {
        &self.inner.world
    }

    /// What it declares of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.inner.description
    }

    /// What it imports: nothing, or it would not have been loaded.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &[]
    }

    /// What it exports beside the contract's interface; the host never calls it.
    #[must_use]
    pub fn extra_exports(&self) -> &[String] {
        &self.inner.extra_exports
    }

    /// The tools that made it, from its `producers` sections: (tool, version), sorted.
    #[must_use]
    pub fn toolchain(&self) -> &[(String, String)] {
        &self.inner.toolchain
    }

    /// The language it is written in, as it says itself: `rust`, `python`, `c`; else `unknown`.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.inner.language
    }

    /// The ceilings it runs under.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Computes `rows` rows from the declared parameters and inputs, in declared order.
    ///
    /// Rows that fail are listed and null; the others keep their results. The outputs do not
    /// depend on the number of threads.
    ///
    /// # Errors
    /// When parameters or inputs are not those declared ([`LogicError::Call`]), or no thread could
    /// be started.
    pub fn compute(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: usize,
    ) -> Result<Computed, LogicError> {
        self.callee().compute(parameters, inputs, rows)
    }

    /// As [`Component::compute`], in one thread: for callers that keep the cores busy themselves.
    ///
    /// # Errors
    /// As [`Component::compute`].
    pub fn compute_alone(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: usize,
    ) -> Result<Computed, LogicError> {
        let alone = Callee {
            threads: 1,
            ..self.callee()
        };
        alone.compute(parameters, inputs, rows)
    }

    /// What the host calls.
    pub(super) fn callee(&self) -> Callee<'_> {
        let loaded = &self.inner;
        Callee {
            engine: &loaded.sandbox.engine,
            pre: &loaded.pre,
            description: &loaded.description,
            limits: &loaded.limits,
            weight: Weight::new(loaded.size, loaded.globals),
            threads: loaded.limits.threads,
        }
    }
}
