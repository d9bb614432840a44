//! Runs the calls of one batch in one store, and bisects a failed call down to the failing rows.
//!
//! Every batch has its own store, so no guest state carries over to the next batch. Within a batch, each call
//! covers as many rows as fit the CPU's cache and reuses the memory that the first call grew. A failed call is
//! repeated in a fresh store: a failure must not depend on earlier calls, and a trap poisons its store anyway.

use std::collections::BTreeMap;
use std::ops::Range;

use wasmtime::Store;

use provender_domain::column::Column;
use provender_domain::value::Scalar;

use super::assemble::ColumnSpan;
use super::bindings::{LogicPlugin, wit};
use super::columns::{self, Lowered};
use super::deadline;
use super::execute::{self, Callee, store};
use super::failure::{Failure, FailureCode, printable};
use super::limits::{BISECT_FUEL_FACTOR, Meter};
use super::returned::{self, BadValue};

/// The result of one call's rows.
#[derive(Default)]
struct CallRows {
    /// First row → the declared outputs of the rows starting there.
    pieces: Vec<(usize, Vec<Column>)>,
    /// Row → why it failed.
    failed: BTreeMap<usize, Failure>,
}

impl CallRows {
    /// Writes the outputs to the spans and returns the failed rows.
    fn write(mut self, spans: &mut [ColumnSpan<'_>]) -> BTreeMap<usize, Failure> {
        self.pieces.sort_by_key(|(from, _)| *from);
        for (from, columns) in &self.pieces {
            for (run, column) in spans.iter_mut().zip(columns) {
                run.append(*from, column, &self.failed);
            }
        }
        self.failed
    }
}

/// An instance that has served at least one call, with its store.
struct Session {
    store: Store<Meter>,
    plugin: LogicPlugin,
    /// Bytes that the guest held after its last call.
    held: u64,
    /// Number of calls in which its memory grew.
    grown: u32,
}

/// Calls in which a guest's memory may grow before the guest is restarted. A guest that never frees would hit its
/// limit, and a growing memory leaves the CPU's cache.
const GROWING_CALLS: u32 = 2;

impl Session {
    /// Updates the counters after a call; `None` when the instance should be dropped.
    fn after_call(mut self) -> Option<Session> {
        let held = self.store.data().memory();
        if held > self.held {
            self.grown += 1;
        }
        self.held = held;
        (self.grown < GROWING_CALLS).then_some(self)
    }
}

/// The result of one call.
struct CallAttempt {
    fuel_used: u64,
    /// What it cost the host besides fuel, in units of fuel.
    weight: u64,
    result: Result<Returned, CallFailure>,
    /// The session for the next call, if this one succeeded.
    session: Option<Session>,
}

/// The columns of a call, and their values that break the contract.
type Returned = (Vec<Column>, Vec<BadValue>);

/// A call without a usable result.
struct CallFailure {
    failure: Failure,
    /// The row that the guest blames, as a row of the caller's columns.
    row: Option<usize>,
    /// True when every row would fail the same way.
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
    /// Runs the calls of one batch in order and writes each result while it is still in the cache. Returns the
    /// failed rows with their reasons.
    pub(super) fn run_batch(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        calls: &[Range<usize>],
        spans: &mut [ColumnSpan<'_>],
    ) -> BTreeMap<usize, Failure> {
        let mut failed = BTreeMap::new();
        let mut session: Option<Session> = None;
        for range in calls.iter().filter(|r| !r.is_empty()) {
            let mut rows = CallRows::default();
            let again = session.take().and_then(|mut open| {
                let columns = self.call_again(&mut open, parameters, inputs, range.clone())?;
                rows.pieces.push((range.start, columns));
                Some(open.after_call())
            });
            session = match again {
                Some(session) => session,
                None => self.call_apart(parameters, inputs, range.clone(), &mut rows),
            };
            failed.append(&mut rows.write(spans));
        }
        failed
    }

    /// Makes a call in an instance that was used before; `None` when anything goes wrong.
    fn call_again(
        &self,
        open: &mut Session,
        parameters: &[Scalar],
        inputs: &[Column],
        range: Range<usize>,
    ) -> Option<Vec<Column>> {
        if self.late.is_over(self.engine) {
            return None;
        }
        let fuel = self.limits.fuel(range.len());
        execute::refuel(&mut open.store, self.limits, fuel).ok()?;
        let result = self.call_in(&mut open.store, &open.plugin, parameters, inputs, range);
        let late = |failed: &CallFailure| failed.failure.code == FailureCode::Deadline;
        if result.as_ref().is_err_and(late) {
            self.late.add(open.store.data().clock.used());
        }
        let (columns, bad) = result.ok()?;
        bad.is_empty().then_some(columns)
    }

    /// Makes a call in a fresh store, and bisects it when it fails.
    fn call_apart(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        whole: Range<usize>,
        rows: &mut CallRows,
    ) -> Option<Session> {
        let budget = self
            .limits
            .fuel(whole.len())
            .saturating_mul(BISECT_FUEL_FACTOR);
        let mut spent = 0_u64;
        let mut session = None;
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
                        rows.failed.entry(range.start + row).or_insert(failure);
                    }
                    rows.pieces.push((range.start, columns));
                    session = call.session;
                    continue;
                }
                Err(failure) => failure,
            };
            if range.len() > 1 && !all_rows && spent < budget {
                let rest = match row {
                    Some(row) => {
                        rows.failed.insert(row, failure);
                        // Guests process rows in order: the rows before are probably good, those after may hold
                        // more failures of this kind.
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
                    "{}; rows {} to {} failed together and were not examined one by one, because the failures of rows {} to {} had used up {BISECT_FUEL_FACTOR} times the fuel of such a batch",
                    failure.cause,
                    range.start,
                    range.end - 1,
                    whole.start,
                    whole.end - 1
                );
            }
            for row in range {
                rows.failed.insert(row, failure.clone());
            }
        }
        session
    }

    /// Makes one call in a fresh store and returns the fuel used and, if it failed, why.
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

    /// Makes one call in a fresh store.
    fn call(&self, parameters: &[Scalar], inputs: &[Column], range: Range<usize>) -> CallAttempt {
        let not_made = |code, cause| CallAttempt {
            fuel_used: 0,
            weight: 0,
            result: Err(CallFailure {
                failure: Failure::new(code, cause),
                row: None,
                all_rows: code == FailureCode::Deadline,
            }),
            session: None,
        };
        if self.late.is_over(self.engine) {
            return not_made(FailureCode::Deadline, deadline::late());
        }
        let fuel = self.limits.fuel(range.len());
        let mut store = match store(self.engine, self.limits, fuel, self.limits.returned_bytes) {
            Ok(store) => store,
            Err(e) => {
                let cause = format!("the store could not be created: {e:#}");
                return not_made(FailureCode::Internal, cause);
            }
        };
        let (plugin, result) = match self.pre.instantiate(&mut store) {
            Ok(plugin) => {
                let result = self.call_in(&mut store, &plugin, parameters, inputs, range);
                (Some(plugin), result)
            }
            Err(e) => (None, Err(Failure::from_start(&e, &store).into())),
        };
        if let Err(failed) = &result
            && failed.failure.code == FailureCode::Deadline
        {
            self.late.add(store.data().clock.used());
        }
        #[expect(
            clippy::expect_used,
            reason = "every engine of this crate has fuel enabled"
        )]
        let fuel_used = fuel.saturating_sub(store.get_fuel().expect("fuel is on"));
        let held = store.data().memory();
        CallAttempt {
            fuel_used,
            weight: self.weight.of_call(held),
            session: plugin.filter(|_| result.is_ok()).map(|plugin| Session {
                store,
                plugin,
                held,
                grown: 0,
            }),
            result,
        }
    }

    fn call_in(
        &self,
        store: &mut Store<Meter>,
        plugin: &LogicPlugin,
        parameters: &[Scalar],
        inputs: &[Column],
        range: Range<usize>,
    ) -> Result<Returned, CallFailure> {
        let rows = u32::try_from(range.len())
            .map_err(|_| Failure::new(FailureCode::Internal, "the batch has over 2^32 rows"))?;
        let scalars: Vec<_> = parameters.iter().map(columns::scalar).collect();
        let lowered: Vec<_> = inputs
            .iter()
            .map(|c| Lowered::slice(c, range.clone()))
            .collect();
        let lowered: Vec<_> = lowered.iter().map(Lowered::as_wit).collect();
        let guest = plugin.provender_logic_logic();
        let returned = match guest.call_compute(&mut *store, rows, &scalars, &lowered) {
            Ok(returned) => returned,
            Err(e) => return Err(Failure::from_call(&e, &*store).into()),
        };
        let returned = returned.map_err(|f| declared_failure(f, &range))?;
        let outputs = &self.description.outputs;
        if returned.len() != outputs.len() {
            let cause = format!(
                "it returned {} columns, but declares {}",
                returned.len(),
                outputs.len()
            );
            return Err(Failure::new(FailureCode::BadReturn, cause).into());
        }
        let mut bad = Vec::new();
        let columns = outputs
            .iter()
            .zip(returned)
            .map(|(output, column)| returned::checked(output, column, range.len(), &mut bad))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|cause| Failure::new(FailureCode::BadReturn, cause))?;
        Ok((columns, bad))
    }
}

/// Converts a failure that the guest reports itself.
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
            // A row beyond the batch is ignored.
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
