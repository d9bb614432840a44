//! Splits rows into batches, runs the batches on threads, and assembles the output columns.
//!
//! Every batch has its own store, so guest state cannot reach the next batch. When a call fails, its rows are
//! bisected until the failing rows are isolated; the others keep their results. All of this depends only on the
//! rows, never on time or thread order. Each batch writes its own span of every column, so threads share nothing
//! but the counter of batches.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use wasmtime::{Engine, Store};

use provender_domain::column::Column;
use provender_domain::description::Description;
use provender_domain::value::Scalar;

use super::assemble::{ColumnBuilder, ColumnSpan, FinishedSpan};
use super::bindings::LogicPluginPre;
use super::columns;
use super::deadline::{self, Late};
use super::error::LogicError;
use super::failure::{Failure, FailureCode};
use super::limits::{
    BATCH_BYTES, BATCH_CALLS, BATCHES, HOST_STACK_BYTES, Limits, Meter, Weight, cores,
};
use super::symbols::Symbols;

/// The result of computing rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Computed {
    /// The declared outputs in order, each with all rows; failed rows are null.
    pub outputs: Vec<Column>,
    /// The rows that failed, ascending.
    pub failed: Vec<RowFailure>,
}

/// A row without a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFailure {
    /// Row in the caller's columns.
    pub row: usize,
    /// Stable code.
    pub code: FailureCode,
    /// A sentence that names the component, version, row and cause.
    pub message: String,
    /// Wasm backtrace; empty if there is none.
    pub detail: String,
}

/// A component ready to be called.
pub(super) struct Callee<'a> {
    pub(super) engine: &'a Engine,
    pub(super) pre: &'a LogicPluginPre<Meter>,
    pub(super) description: &'a Description,
    pub(super) limits: &'a Limits,
    pub(super) weight: Weight,
    /// Time spent in calls that ended at their deadline.
    pub(super) late: &'a Late,
    /// Where files and lines of its backtraces come from.
    pub(super) symbols: Option<&'a Symbols>,
    /// Number of threads; 0 is one per core.
    pub(super) threads: usize,
}

/// Creates a store with its limits set, fuel included.
pub(super) fn store(
    engine: &Engine,
    limits: &Limits,
    fuel: u64,
    returned_bytes: usize,
) -> Result<Store<Meter>, wasmtime::Error> {
    let mut store = Store::new(engine, Meter::new(limits));
    // Set before instantiation, so that the guest's initial memory counts.
    store.limiter(|meter| meter);
    store.set_hostcall_fuel(returned_bytes);
    store.epoch_deadline_callback(|store| store.data().clock.check());
    refuel(&mut store, limits, fuel)?;
    Ok(store)
}

/// Gives the next call its fuel, and starts its clock.
pub(super) fn refuel(
    store: &mut Store<Meter>,
    limits: &Limits,
    fuel: u64,
) -> Result<(), wasmtime::Error> {
    store.set_fuel(fuel)?;
    let allowed = deadline::allowed(store.engine(), limits, fuel);
    store.data_mut().clock.start(allowed);
    store.set_epoch_deadline(1);
    Ok(())
}

/// Runs `f` on a thread whose stack is large enough for the guest's. Overflowing a smaller one would abort the
/// whole process.
pub(super) fn on_guest_stack<T: Send>(
    limits: &Limits,
    f: impl FnOnce() -> T + Send,
) -> Result<T, LogicError> {
    std::thread::scope(|scope| {
        let handle = std::thread::Builder::new()
            .name("provender-guest".to_owned())
            .stack_size(limits.stack_bytes.saturating_add(HOST_STACK_BYTES))
            .spawn_scoped(scope, f)
            .map_err(|e| LogicError::Thread {
                cause: e.to_string(),
            })?;
        handle.join().map_err(|_| LogicError::Thread {
            cause: "the host panicked in the thread".to_owned(),
        })
    })
}

/// For each batch, the rows of each of its calls.
pub(super) type Plan = Vec<Vec<Range<usize>>>;

/// The result of one batch: its outputs in declared order, and the failed rows.
struct BatchResult {
    /// Index of the batch.
    number: usize,
    written: Vec<FinishedSpan>,
    failed: BTreeMap<usize, Failure>,
}

impl Callee<'_> {
    /// Computes `rows` rows.
    pub(super) fn compute(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: usize,
    ) -> Result<Computed, LogicError> {
        let plan = plan(inputs, rows, self.limits.batch_rows);
        self.compute_in_batches(parameters, inputs, rows, &plan)
    }

    /// Like [`Callee::compute`], with given calls, which must cover the rows in order.
    pub(super) fn compute_in_batches(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: usize,
        plan: &Plan,
    ) -> Result<Computed, LogicError> {
        self.check_call(parameters, inputs, rows)?;
        let outputs = self.description.outputs.iter();
        let mut whole: Vec<ColumnBuilder> = outputs
            .map(|o| ColumnBuilder::new(o.field.data_type, rows))
            .collect();
        let done = self.run_all(parameters, inputs, plan, cut(&mut whole, plan, rows))?;
        let mut written: Vec<Vec<FinishedSpan>> = whole.iter().map(|_| Vec::new()).collect();
        let mut failed = BTreeMap::new();
        for mut batch in done {
            failed.append(&mut batch.failed);
            for (all, own) in written.iter_mut().zip(batch.written) {
                all.push(own);
            }
        }
        let whole = whole.into_iter().zip(written);
        Ok(Computed {
            outputs: whole.map(|(whole, spans)| whole.finish(spans)).collect(),
            failed: self.row_failures(failed),
        })
    }

    fn row_failures(&self, failed: BTreeMap<usize, Failure>) -> Vec<RowFailure> {
        let model_version = self.description.model_version();
        let failed = failed.into_iter();
        failed
            .map(|(row, failure)| RowFailure {
                row,
                code: failure.code,
                message: format!(
                    "{model_version} failed in row {row} ({}): {}",
                    failure.code.code(),
                    failure.cause
                ),
                detail: failure.trace.text(self.symbols),
            })
            .collect()
    }

    /// Checks that the caller's values match the declaration, before anything is computed.
    pub(super) fn check_call(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: usize,
    ) -> Result<(), LogicError> {
        let wrong = |cause: String| LogicError::Call {
            component: self.description.model_version(),
            cause,
        };
        self.check_parameters(parameters).map_err(wrong)?;
        self.check_inputs(inputs, rows).map_err(wrong)
    }

    fn check_parameters(&self, parameters: &[Scalar]) -> Result<(), String> {
        let declared = &self.description.parameters;
        if parameters.len() != declared.len() {
            return Err(format!(
                "it takes {} parameters but was given {}",
                declared.len(),
                parameters.len()
            ));
        }
        for (given, declared) in parameters.iter().zip(declared) {
            let (is, should) = (given.data_type(), declared.default.data_type());
            if is != should {
                return Err(format!(
                    "its parameter `{}` is of type {} but was given a value of type {}",
                    declared.name,
                    should.name(),
                    is.name()
                ));
            }
            if matches!(given, Scalar::Float64(x) if !x.is_finite()) {
                return Err(format!(
                    "its parameter `{}` was given a number that is not finite",
                    declared.name
                ));
            }
        }
        Ok(())
    }

    fn check_inputs(&self, inputs: &[Column], rows: usize) -> Result<(), String> {
        let declared = &self.description.inputs;
        if inputs.len() != declared.len() {
            return Err(format!(
                "it takes {} input columns but was given {}",
                declared.len(),
                inputs.len()
            ));
        }
        for (given, declared) in inputs.iter().zip(declared) {
            let field = &declared.field;
            if given.data_type() != field.data_type {
                return Err(format!(
                    "its input `{}` is of type {} but was given a column of type {}",
                    field.name,
                    field.data_type.name(),
                    given.data_type().name()
                ));
            }
            if given.rows() != rows {
                return Err(format!(
                    "its input `{}` was given {} rows instead of {rows}",
                    field.name,
                    given.rows()
                ));
            }
            if !field.nullable
                && given.validity().is_some()
                && let Some(row) = (0..rows).find(|i| given.is_null(*i))
            {
                return Err(format!(
                    "its input `{}` is declared as not nullable but is null in row {row}",
                    field.name
                ));
            }
        }
        Ok(())
    }

    /// Runs the batches of a plan, each with its spans of the outputs. Returns the results in the plan's order.
    fn run_all(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        plan: &Plan,
        spans: Vec<Vec<ColumnSpan<'_>>>,
    ) -> Result<Vec<BatchResult>, LogicError> {
        let workers = match plan.len() {
            0 | 1 => plan.len(),
            batches => cores(self.threads).min(batches),
        };
        let queue = Mutex::new(plan.iter().zip(spans).enumerate());
        let work = || {
            let mut done = Vec::new();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((number, (calls, mut spans))) = next else {
                    break done;
                };
                let failed = self.run_batch(parameters, inputs, calls, &mut spans);
                done.push(BatchResult {
                    number,
                    written: spans.into_iter().map(ColumnSpan::end).collect(),
                    failed,
                });
            }
        };
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..workers)
                .map(|n| {
                    std::thread::Builder::new()
                        .name(format!("provender-guest-{n}"))
                        .stack_size(self.limits.stack_bytes.saturating_add(HOST_STACK_BYTES))
                        .spawn_scoped(scope, work)
                })
                .collect();
            let mut refused = None;
            let mut started = 0;
            let mut done = Vec::new();
            for handle in handles {
                match handle {
                    Ok(handle) => {
                        started += 1;
                        done.extend(handle.join().map_err(|_| LogicError::Thread {
                            cause: "the host panicked in a worker".to_owned(),
                        })?);
                    }
                    Err(e) => refused = Some(e.to_string()),
                }
            }
            // A single worker is enough: it takes every batch in the end.
            if let (Some(cause), 0) = (refused, started) {
                return Err(LogicError::Thread { cause });
            }
            done.sort_by_key(|d: &BatchResult| d.number);
            Ok(done)
        })
    }
}

/// Cuts the output columns into spans: for each batch, one span per output.
fn cut<'c>(whole: &'c mut [ColumnBuilder], plan: &Plan, rows: usize) -> Vec<Vec<ColumnSpan<'c>>> {
    let mut ends: Vec<usize> = plan
        .iter()
        .map(|calls| calls.last().map_or(0, |call| call.end))
        .collect();
    if let Some(last) = ends.last_mut() {
        *last = rows;
    }
    let mut spans: Vec<Vec<ColumnSpan<'c>>> = plan.iter().map(|_| Vec::new()).collect();
    for column in whole {
        for (spans, run) in spans.iter_mut().zip(column.spans(&ends)) {
            spans.push(run);
        }
    }
    spans
}

/// Number of rows per call: at most `batch_rows`, fewer when rows are large (series), and a multiple of 8 so that
/// bitmaps are cut at byte boundaries.
pub(super) fn call_rows(inputs: &[Column], rows: usize, batch_rows: usize) -> usize {
    let bytes: usize = inputs.iter().map(columns::bytes).sum();
    let per_row = (bytes / rows.max(1)).max(1);
    let most = batch_rows.max(1).min(BATCH_BYTES / per_row).max(1);
    if most > 8 { most - most % 8 } else { most }
}

/// Groups the rows into batches and calls. Small inputs get fewer calls per batch, to keep all cores busy.
fn plan(inputs: &[Column], rows: usize, batch_rows: usize) -> Plan {
    let size = call_rows(inputs, rows, batch_rows);
    let calls: Vec<_> = (0..rows)
        .step_by(size)
        .map(|from| from..rows.min(from + size))
        .collect();
    let together = (calls.len() / BATCHES).clamp(1, BATCH_CALLS);
    calls.chunks(together).map(<[_]>::to_vec).collect()
}
