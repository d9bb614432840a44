//! One batch: the calls that its store takes, and a call that fails taken apart down to the row.
//!
//! A batch has a store of its own, so that what a guest remembers does not reach the next. Its store
//! takes one call after the other, each over as many rows as fit the CPU's cache: the memory that the
//! first call grew and touched is what the next ones work in. What fails fails in a fresh store: a
//! failure must not hang on the calls before, and a trap poisons its store anyway.

use std::collections::BTreeMap;
use std::ops::Range;

use wasmtime::Store;

use provender_domain::column::Column;
use provender_domain::value::Scalar;

use super::assemble::Run;
use super::bindings::{LogicPlugin, wit};
use super::columns::{self, Lowered};
use super::execute::{Callee, store};
use super::failure::{Failure, FailureCode, printable};
use super::limits::{BISECT_FUEL_FACTOR, Meter};
use super::returned::{self, BadValue};

/// What became of the rows of one call.
#[derive(Default)]
struct Taken {
    /// First row → the declared outputs of the rows from there on.
    pieces: Vec<(usize, Vec<Column>)>,
    /// Row → why it failed.
    failed: BTreeMap<usize, Failure>,
}

impl Taken {
    /// Writes what the call gave, and gives back which rows failed.
    fn write(mut self, runs: &mut [Run<'_>]) -> BTreeMap<usize, Failure> {
        self.pieces.sort_by_key(|(from, _)| *from);
        for (from, columns) in &self.pieces {
            for (run, column) in runs.iter_mut().zip(columns) {
                run.append(*from, column, &self.failed);
            }
        }
        self.failed
    }
}

/// An instance in its store, after its first call.
struct Session {
    store: Store<Meter>,
    plugin: LogicPlugin,
    /// Bytes that the guest held after its last call.
    held: u64,
    /// Calls in which it came to hold more.
    grown: u32,
}

/// Calls in which a guest's memory may grow before it is started anew: one that frees nothing would
/// else run into its limit, and one that grows for ever leaves the CPU's cache.
const GROWING_CALLS: u32 = 2;

impl Session {
    /// After another call; `None` when it is better left.
    fn after_call(mut self) -> Option<Session> {
        let held = self.store.data().memory();
        if held > self.held {
            self.grown += 1;
        }
        self.held = held;
        (self.grown < GROWING_CALLS).then_some(self)
    }
}

/// What became of one call.
struct Call {
    fuel_used: u64,
    /// What it cost the host beside that.
    weight: u64,
    result: Result<Returned, CallFailure>,
    /// What the next call may go to, where this one succeeded.
    session: Option<Session>,
}

/// The columns of a call, and the values of them that are none.
type Returned = (Vec<Column>, Vec<BadValue>);

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
    /// The calls of one batch, in their order; what each returned is written while it is in the cache.
    /// Gives the rows that failed, and why.
    pub(super) fn run_batch(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        calls: &[Range<usize>],
        runs: &mut [Run<'_>],
    ) -> BTreeMap<usize, Failure> {
        let mut failed = BTreeMap::new();
        let mut session: Option<Session> = None;
        for range in calls.iter().filter(|r| !r.is_empty()) {
            let mut taken = Taken::default();
            let again = session.take().and_then(|mut open| {
                let columns = self.call_again(&mut open, parameters, inputs, range.clone())?;
                taken.pieces.push((range.start, columns));
                Some(open.after_call())
            });
            session = match again {
                Some(session) => session,
                None => self.call_apart(parameters, inputs, range.clone(), &mut taken),
            };
            failed.append(&mut taken.write(runs));
        }
        failed
    }

    /// A call of an instance that took others before; `None` when anything at all is wrong.
    fn call_again(
        &self,
        open: &mut Session,
        parameters: &[Scalar],
        inputs: &[Column],
        range: Range<usize>,
    ) -> Option<Vec<Column>> {
        open.store.set_fuel(self.limits.fuel(range.len())).ok()?;
        let result = self.call_in(&mut open.store, &open.plugin, parameters, inputs, range);
        let (columns, bad) = result.ok()?;
        bad.is_empty().then_some(columns)
    }

    /// One call in a store of its own, taken apart where it fails.
    fn call_apart(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        whole: Range<usize>,
        taken: &mut Taken,
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
                        taken.failed.entry(range.start + row).or_insert(failure);
                    }
                    taken.pieces.push((range.start, columns));
                    session = call.session;
                    continue;
                }
                Err(failure) => failure,
            };
            if range.len() > 1 && !all_rows && spent < budget {
                let rest = match row {
                    Some(row) => {
                        taken.failed.insert(row, failure);
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
                taken.failed.insert(row, failure.clone());
            }
        }
        session
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
                    session: None,
                };
            }
        };
        let (plugin, result) = match self.pre.instantiate(&mut store) {
            Ok(plugin) => {
                let result = self.call_in(&mut store, &plugin, parameters, inputs, range);
                (Some(plugin), result)
            }
            Err(e) => (None, Err(Failure::of_start(&e, &store).into())),
        };
        #[expect(
            clippy::expect_used,
            reason = "fuel is on in every engine of this crate"
        )]
        let fuel_used = fuel.saturating_sub(store.get_fuel().expect("fuel is on"));
        let held = store.data().memory();
        Call {
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
            .map(|(output, column)| returned::checked(output, column, range.len(), &mut bad))
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
