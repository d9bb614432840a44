//! Batches, threads, fuel, and a failed batch taken apart down to the row.
//!
//! Every call gets a store of its own: a trap poisons its store, and what a guest remembers from
//! one batch must not reach the next. Where a call fails its rows are halved and tried again until
//! the failing rows stand alone; the others keep their results. All of this depends on the rows
//! alone, never on time or on which thread came first.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::{Engine, Store};

use crate::domain::column::Column;
use crate::domain::description::Description;
use crate::domain::value::Scalar;

use super::assemble::assemble;
use super::bindings::{LogicPluginPre, wit};
use super::columns::{self, BadValue, Lowered};
use super::error::LogicError;
use super::failure::{Failure, FailureCode, printable};
use super::limits::{BATCH_BYTES, BISECT_FUEL_FACTOR, HOST_STACK_BYTES, Limits, Meter, Weight};

/// What a component computed.
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
    /// A sentence that names component, version, row and cause.
    pub message: String,
    /// Symbolised wasm backtrace; empty where there is none.
    pub detail: String,
}

/// A component ready to be called.
pub(super) struct Callee<'a> {
    pub(super) engine: &'a Engine,
    pub(super) pre: &'a LogicPluginPre<Meter>,
    pub(super) description: &'a Description,
    pub(super) limits: &'a Limits,
    pub(super) weight: Weight,
}

/// A fresh store with its limits set, fuel included.
pub(super) fn store(
    engine: &Engine,
    limits: &Limits,
    fuel: u64,
    returned_bytes: usize,
) -> Result<Store<Meter>, wasmtime::Error> {
    let mut store = Store::new(engine, Meter::new(limits));
    // Before instantiation, so that the memory a guest starts with counts.
    store.limiter(|meter| meter);
    store.set_fuel(fuel)?;
    store.set_hostcall_fuel(returned_bytes);
    Ok(store)
}

/// Runs `f` on a thread whose stack surely holds the guest's: past the end of a smaller one the
/// whole process would be aborted.
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
            cause: "the thread ended in a panic of the host".to_owned(),
        })
    })
}

/// What became of one batch.
#[derive(Default)]
struct Batch {
    /// First row → the declared outputs of the rows from there on.
    pieces: Vec<(usize, Vec<Column>)>,
    /// Row → why it failed.
    failed: BTreeMap<usize, Failure>,
}

/// What became of one call.
struct Call {
    fuel_used: u64,
    /// What it cost the host beside that.
    weight: u64,
    result: Result<(Vec<Column>, Vec<BadValue>), CallFailure>,
}

/// A call without a usable result.
struct CallFailure {
    failure: Failure,
    /// The row to which the guest attributes it, within the caller's columns.
    row: Option<usize>,
    /// True when every row would fail alike.
    all_rows: bool,
}

impl From<Failure> for CallFailure {
    fn from(failure: Failure) -> CallFailure {
        CallFailure {
            failure,
            row: None,
            all_rows: false,
        }
    }
}

impl Callee<'_> {
    /// Computes `rows` rows.
    pub(super) fn compute(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: usize,
    ) -> Result<Computed, LogicError> {
        let ranges = batches(inputs, rows, self.limits.batch_rows);
        self.compute_in(parameters, inputs, rows, &ranges)
    }

    /// As [`Callee::compute`], in the given batches, which cover the rows in order.
    pub(super) fn compute_in(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: usize,
        ranges: &[Range<usize>],
    ) -> Result<Computed, LogicError> {
        self.check_call(parameters, inputs, rows)?;
        let done = self.run_all(parameters, inputs, ranges)?;
        let mut pieces = Vec::new();
        let mut failed = BTreeMap::new();
        for batch in done {
            pieces.extend(batch.pieces);
            failed.extend(batch.failed);
        }
        pieces.sort_by_key(|(from, _)| *from);
        let mut marks = vec![false; rows];
        for row in failed.keys() {
            marks[*row] = true;
        }
        let outputs = self
            .description
            .outputs
            .iter()
            .enumerate()
            .map(|(n, output)| {
                let column = pieces.iter().map(|(from, columns)| (*from, &columns[n]));
                assemble(output.field.data_type, rows, column, &marks)
            })
            .collect();
        let failed = failed
            .into_iter()
            .map(|(row, failure)| RowFailure {
                row,
                code: failure.code,
                message: format!(
                    "{} failed in row {row} ({}): {}",
                    self.description.model_version(),
                    failure.code.code(),
                    failure.cause
                ),
                detail: failure.detail,
            })
            .collect();
        Ok(Computed { outputs, failed })
    }

    /// The caller must hand over what the component declares, or nothing at all is computed.
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
        let declared = &self.description.parameters;
        if parameters.len() != declared.len() {
            return Err(wrong(format!(
                "it takes {} parameters and was given {}",
                declared.len(),
                parameters.len()
            )));
        }
        for (given, declared) in parameters.iter().zip(declared) {
            let (is, should) = (given.data_type(), declared.default.data_type());
            if is != should {
                return Err(wrong(format!(
                    "its parameter `{}` is of type {} and was given a value of type {}",
                    declared.name,
                    should.name(),
                    is.name()
                )));
            }
            if matches!(given, Scalar::Float64(x) if !x.is_finite()) {
                return Err(wrong(format!(
                    "its parameter `{}` was given a number that is not finite",
                    declared.name
                )));
            }
        }
        let declared = &self.description.inputs;
        if inputs.len() != declared.len() {
            return Err(wrong(format!(
                "it takes {} input columns and was given {}",
                declared.len(),
                inputs.len()
            )));
        }
        for (given, declared) in inputs.iter().zip(declared) {
            let field = &declared.field;
            if given.data_type() != field.data_type {
                return Err(wrong(format!(
                    "its input `{}` is of type {} and was given a column of type {}",
                    field.name,
                    field.data_type.name(),
                    given.data_type().name()
                )));
            }
            if given.rows() != rows {
                return Err(wrong(format!(
                    "its input `{}` was given {} rows of {rows}",
                    field.name,
                    given.rows()
                )));
            }
            if !field.nullable
                && given.validity().is_some()
                && let Some(row) = (0..rows).find(|i| given.is_null(*i))
            {
                return Err(wrong(format!(
                    "its input `{}` is declared without nulls and is null in row {row}",
                    field.name
                )));
            }
        }
        Ok(())
    }

    fn run_all(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        ranges: &[Range<usize>],
    ) -> Result<Vec<Batch>, LogicError> {
        let cores = match self.limits.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        };
        let workers = cores.min(ranges.len());
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some(range) = ranges.get(next.fetch_add(1, Ordering::Relaxed)) {
                done.push(self.run_batch(parameters, inputs, range.clone()));
            }
            done
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
            let mut done = Vec::new();
            let mut refused = None;
            let mut started = 0;
            for handle in handles {
                match handle {
                    Ok(handle) => {
                        started += 1;
                        done.extend(handle.join().map_err(|_| LogicError::Thread {
                            cause: "a worker ended in a panic of the host".to_owned(),
                        })?);
                    }
                    Err(e) => refused = Some(e.to_string()),
                }
            }
            // Any worker at all takes every batch in the end.
            match refused {
                Some(cause) if started == 0 => Err(LogicError::Thread { cause }),
                _ => Ok(done),
            }
        })
    }

    /// One batch, taken apart where it fails.
    fn run_batch(&self, parameters: &[Scalar], inputs: &[Column], whole: Range<usize>) -> Batch {
        let budget = self
            .limits
            .fuel(whole.len())
            .saturating_mul(BISECT_FUEL_FACTOR);
        let mut spent = 0_u64;
        let mut batch = Batch::default();
        let mut open = vec![whole.clone()];
        while let Some(range) = open.pop() {
            if range.is_empty() {
                continue;
            }
            let call = self.call(parameters, inputs, range.clone());
            spent = spent.saturating_add(call.fuel_used.saturating_add(call.weight));
            let CallFailure {
                mut failure,
                row,
                all_rows,
            } = match call.result {
                Ok((columns, bad)) => {
                    for BadValue { row, cause } in bad {
                        let failure = Failure::new(FailureCode::BadReturn, cause);
                        batch.failed.entry(range.start + row).or_insert(failure);
                    }
                    batch.pieces.push((range.start, columns));
                    continue;
                }
                Err(failure) => failure,
            };
            if range.len() > 1 && !all_rows && spent < budget {
                let rest = match row {
                    Some(row) => {
                        batch.failed.insert(row, failure);
                        // A guest goes through its rows in order: those before are most likely
                        // good, those after may hold more of the kind.
                        open.push(range.start..row);
                        row + 1..range.end
                    }
                    None => range,
                };
                let middle = rest.start + rest.len() / 2;
                open.push(middle..rest.end);
                open.push(rest.start..middle);
                continue;
            }
            if range.len() > 1 && !all_rows {
                failure.cause = format!(
                    "{}; rows {} to {} failed together and were not taken apart, because the failures of rows {} to {} had used up {BISECT_FUEL_FACTOR} times the fuel of such a batch",
                    failure.cause,
                    range.start,
                    range.end - 1,
                    whole.start,
                    whole.end - 1
                );
            }
            for row in range {
                batch.failed.insert(row, failure.clone());
            }
        }
        batch
    }

    /// One call in a store of its own: what it used and, where it failed, why.
    pub(super) fn call_once(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: Range<usize>,
    ) -> (u64, Result<Vec<Column>, Failure>) {
        let call = self.call(parameters, inputs, rows);
        let result = match call.result {
            Ok((columns, bad)) => match bad.into_iter().next() {
                None => Ok(columns),
                Some(BadValue { row, cause }) => Err(Failure::new(
                    FailureCode::BadReturn,
                    format!("row {row}: {cause}"),
                )),
            },
            Err(failure) => Err(failure.failure),
        };
        (call.fuel_used, result)
    }

    /// One call in a store of its own.
    fn call(&self, parameters: &[Scalar], inputs: &[Column], range: Range<usize>) -> Call {
        let fuel = self.limits.fuel(range.len());
        let mut store = match store(self.engine, self.limits, fuel, self.limits.returned_bytes) {
            Ok(store) => store,
            Err(e) => {
                let cause = format!("no store could be made: {e:#}");
                return Call {
                    fuel_used: 0,
                    weight: 0,
                    result: Err(Failure::new(FailureCode::Internal, cause).into()),
                };
            }
        };
        let result = self.call_in(&mut store, parameters, inputs, range);
        // Fuel is on in every engine of this room.
        let fuel_used = fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        Call {
            fuel_used,
            weight: self.weight.of_call(store.data().memory()),
            result,
        }
    }

    fn call_in(
        &self,
        store: &mut Store<Meter>,
        parameters: &[Scalar],
        inputs: &[Column],
        range: Range<usize>,
    ) -> Result<(Vec<Column>, Vec<BadValue>), CallFailure> {
        let plugin = match self.pre.instantiate(&mut *store) {
            Ok(plugin) => plugin,
            Err(e) => return Err(Failure::of_start(&e, &*store).into()),
        };
        let rows = u32::try_from(range.len())
            .map_err(|_| Failure::new(FailureCode::Internal, "the batch has over 2^32 rows"))?;
        let scalars: Vec<_> = parameters.iter().map(columns::scalar).collect();
        let lowered: Vec<_> = inputs
            .iter()
            .map(|c| Lowered::of(c, range.clone()))
            .collect();
        let lowered: Vec<_> = lowered.iter().map(Lowered::as_wit).collect();
        let guest = plugin.provender_logic_logic();
        let returned = match guest.call_compute(&mut *store, rows, &scalars, &lowered) {
            Ok(returned) => returned,
            Err(e) => return Err(Failure::of(&e, &*store).into()),
        };
        let returned = returned.map_err(|f| declared_failure(f, &range))?;
        let outputs = &self.description.outputs;
        if returned.len() != outputs.len() {
            let cause = format!(
                "it returned {} columns where it declares {}",
                returned.len(),
                outputs.len()
            );
            return Err(Failure::new(FailureCode::BadReturn, cause).into());
        }
        let mut bad = Vec::new();
        let columns = outputs
            .iter()
            .zip(returned)
            .map(|(output, column)| columns::checked(output, column, range.len(), &mut bad))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|cause| Failure::new(FailureCode::BadReturn, cause))?;
        Ok((columns, bad))
    }
}

/// A failure that the guest reports itself.
fn declared_failure(raw: wit::Failure, range: &Range<usize>) -> CallFailure {
    const MOST: usize = 500;
    match raw {
        wit::Failure::InvalidParameter((name, message)) => CallFailure {
            failure: Failure::new(
                FailureCode::InvalidParameter,
                format!(
                    "the parameter `{}` is refused: {}",
                    printable(&name, 64),
                    printable(&message, MOST)
                ),
            ),
            row: None,
            // The parameters are the same for every row.
            all_rows: true,
        },
        wit::Failure::InvalidInput((name, row, message)) => {
            // A row beyond the batch is no row.
            let row = row
                .and_then(|r| range.start.checked_add(usize::try_from(r).ok()?))
                .filter(|r| range.contains(r));
            CallFailure {
                failure: Failure::new(
                    FailureCode::InvalidInput,
                    format!(
                        "the input `{}` is refused: {}",
                        printable(&name, 64),
                        printable(&message, MOST)
                    ),
                ),
                row,
                all_rows: false,
            }
        }
        wit::Failure::Internal(message) => {
            Failure::new(FailureCode::Internal, printable(&message, MOST)).into()
        }
    }
}

/// The rows of each batch: at most `batch_rows`, fewer where rows are large (series), and a
/// multiple of 8 so that bitmaps are cut at bytes.
pub(super) fn batches(inputs: &[Column], rows: usize, batch_rows: usize) -> Vec<Range<usize>> {
    if rows == 0 {
        return Vec::new();
    }
    let bytes: usize = inputs.iter().map(columns::bytes).sum();
    let per_row = (bytes / rows).max(1);
    let most = batch_rows.max(1).min(BATCH_BYTES / per_row).max(1);
    let size = if most > 8 { most - most % 8 } else { most };
    (0..rows)
        .step_by(size)
        .map(|from| from..rows.min(from + size))
        .collect()
}
