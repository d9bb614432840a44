//! Loads components from bytes, and checks them.
//!
//! The bytes are hashed once, and exactly those bytes are compiled or found in the cache under their hash. A
//! component is refused when it is precompiled, a core module or too large, when it has any import, when an
//! export is missing or has the wrong type, and when its description is invalid.

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
use super::deadline::Late;
use super::describe;
use super::engine::{self, Backend, EngineInfo};
use super::error::LogicError;
use super::execute::{self, Callee, Computed};
use super::failure::{Failure, printable};
use super::limits::{DESCRIPTION_BYTES, Limits, Meter, PinLimits, Weight};
use super::survey::survey;
use super::symbols::{self, Symbols};
use super::versions::{SPOKEN, Version};

/// Most names of one kind (imports, exports, tools) that are listed; a hostile component may have many.
pub(super) const LISTED: usize = 20;

/// Loads and runs components: one engine with its limits and its cache.
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
    /// Compiles the bytes and notifies the observer.
    fn compile(&self, file: &str, bytes: &[u8]) -> Result<Compiled, LogicError> {
        let size = bytes.len() as u64;
        let waiting = self.on_compile.as_ref().map(|observe| {
            let cached = self.cache.is_some();
            observe(Compiling { file, size, cached })
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

/// Checks that the bytes are within the size limit and start like a component.
fn check_header(file: &str, bytes: &[u8], limit: u64) -> Result<(), LogicError> {
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
        let cause = "it does not start like a WebAssembly component";
        return Err(not_a_component(file, cause));
    }
    Ok(())
}

/// A compilation about to start. Large components take seconds.
#[derive(Clone, Copy, Debug)]
pub struct Compiling<'c> {
    /// Name of the component in messages.
    pub file: &'c str,
    /// Size of the component in bytes.
    pub size: u64,
    /// Whether the compiled code is cached, so that this happens only once.
    pub cached: bool,
}

/// Called before each compilation, but not on a cache hit. The returned value is dropped when the compilation has
/// ended.
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
    /// A sandbox with its own engine. Only the host may write to the `cache` folder.
    ///
    /// # Errors
    /// When wasmtime refuses the engine settings on this machine.
    pub fn new(limits: Limits, cache: Option<cap_std::fs::Dir>) -> Result<Sandbox, LogicError> {
        Sandbox::build(Backend::Native, limits, cache, None, SPOKEN)
    }

    /// Like [`Sandbox::new`], with an observer of compilations.
    ///
    /// # Errors
    /// See [`Sandbox::new`].
    pub fn with_observer(
        limits: Limits,
        cache: Option<cap_std::fs::Dir>,
        on_compile: Option<OnCompile>,
    ) -> Result<Sandbox, LogicError> {
        Sandbox::build(Backend::Native, limits, cache, on_compile, SPOKEN)
    }

    /// Like [`Sandbox::with_observer`], with a choice of backend.
    ///
    /// # Errors
    /// See [`Sandbox::new`].
    pub fn with_backend(
        backend: Backend,
        limits: Limits,
        cache: Option<cap_std::fs::Dir>,
        on_compile: Option<OnCompile>,
    ) -> Result<Sandbox, LogicError> {
        Sandbox::build(backend, limits, cache, on_compile, SPOKEN)
    }

    /// A sandbox of a host that speaks the given contract versions.
    #[cfg(test)]
    pub(super) fn with_versions(
        limits: Limits,
        spoken: &'static [Version],
    ) -> Result<Sandbox, LogicError> {
        Sandbox::build(Backend::Native, limits, None, None, spoken)
    }

    fn build(
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

    /// The engine that runs components in this sandbox.
    #[must_use]
    pub fn engine(&self) -> EngineInfo {
        EngineInfo::for_backend(self.inner.backend)
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Loads a component from its bytes; `file` names it in messages.
    ///
    /// # Errors
    /// When the component is refused; see the module documentation.
    pub fn load(&self, file: &str, bytes: &[u8]) -> Result<Component, LogicError> {
        self.load_with_limits(file, bytes, &PinLimits::default())
    }

    /// Like [`Sandbox::load`], with the limits in `own` replacing the sandbox's.
    ///
    /// # Errors
    /// See [`Sandbox::load`].
    pub fn load_with_limits(
        &self,
        file: &str,
        bytes: &[u8],
        own: &PinLimits,
    ) -> Result<Component, LogicError> {
        let inner = &self.inner;
        let limits = own.applied_to(&inner.limits);
        let size = bytes.len() as u64;
        check_header(file, bytes, limits.component_bytes)?;
        let made = survey(bytes).map_err(|e| not_a_component(file, &e.to_string()))?;
        // The bytes are kept only for those who will read them.
        let symbols = (made.has_lines && symbols::has_helper()).then(|| Symbols::new(bytes));
        let source = Source {
            file,
            digest: Digest::of_bytes(bytes),
            symbols: symbols.as_ref(),
        };
        // Check this before compiling: the compiler and every instance pay for each function and global.
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
        // Only an accepted component is cached.
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
                late: Late::default(),
                symbols,
            }),
        })
    }
}

/// Identifies a component in messages while it is loaded.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    file: &'a str,
    pub(super) digest: Digest,
    symbols: Option<&'a Symbols>,
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
        // The linker is empty, because a component may not import anything.
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

    /// Starts the component and calls `describe` twice.
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
            .map_err(|e| self.failed("start-up", Failure::from_start(&e, &store)))?;
        let plugin = LogicPlugin::new(&mut store, &instance).map_err(|e| self.mistyped(&e))?;
        let ask = |store: &mut Store<Meter>| -> Result<wit::Description, LogicError> {
            let guest = plugin.provender_logic_logic();
            execute::refuel(store, limits, fuel)
                .and_then(|()| guest.call_describe(&mut *store))
                .map_err(|e| self.failed("describe", Failure::from_call(&e, &*store)))
        };
        let first = ask(&mut store)?;
        let second = ask(&mut store)?;
        // The generated types compare by their debug text, which even distinguishes NaNs and the two zeros.
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
            detail: failure.trace.text(self.symbols).into(),
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
    late: Late,
    symbols: Option<Symbols>,
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
    /// Name under which the bytes were loaded.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.inner.file
    }

    /// Digest of the compiled bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.inner.digest
    }

    /// Size of the component in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.inner.size
    }

    /// World that the component is built for, in the version that its export names.
    #[must_use]
    pub fn world(&self) -> &str {
        &self.inner.world
    }

    /// The component's declaration.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.inner.description
    }

    /// The component's imports: always empty, because anything else is refused at load.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &[]
    }

    /// Exports besides the contract's interface. The host never calls them.
    #[must_use]
    pub fn extra_exports(&self) -> &[String] {
        &self.inner.extra_exports
    }

    /// Tools that made the component, from its `producers` sections: (tool, version), sorted.
    #[must_use]
    pub fn toolchain(&self) -> &[(String, String)] {
        &self.inner.toolchain
    }

    /// Source language that the component states, such as `rust`, `python` or `c`; otherwise `unknown`.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.inner.language
    }

    /// The limits it runs under.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Computes `rows` rows from the declared parameters and inputs, in declared order.
    ///
    /// Failed rows are listed and null; the others keep their results. The outputs do not depend on the number of
    /// threads.
    ///
    /// # Errors
    /// When parameters or inputs do not match the declaration ([`LogicError::Call`]), or no thread could be
    /// started.
    pub fn compute(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: usize,
    ) -> Result<Computed, LogicError> {
        self.callee().compute(parameters, inputs, rows)
    }

    /// Like [`Component::compute`], in a single thread, for callers that keep all cores busy themselves.
    ///
    /// # Errors
    /// See [`Component::compute`].
    pub fn compute_single_threaded(
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

    /// The component, ready to be called.
    pub(super) fn callee(&self) -> Callee<'_> {
        let loaded = &self.inner;
        Callee {
            engine: &loaded.sandbox.engine,
            pre: &loaded.pre,
            description: &loaded.description,
            limits: &loaded.limits,
            weight: Weight::new(loaded.size, loaded.globals),
            late: &loaded.late,
            symbols: loaded.symbols.as_ref(),
            threads: loaded.limits.threads,
        }
    }
}
