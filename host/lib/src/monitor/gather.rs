//! Gathers the monitor's input from the ledger: the answers of a window, and the expected days.
//!
//! An answer is expected for a boundary and herd from the latest of: the window's start, the herd's first day there,
//! the first observation of any column that the logic reads, and the day from which the version answers. On days
//! when another version was active, only answers that were computed anyway are expected, and of a canary only
//! what it recorded: a history that nobody asked for is never missing.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::{BTreeMap, BTreeSet};

use crate::compute::activation::Activations;
use crate::compute::answers::answers;
use crate::compute::{Bound, ComputeError, Facts};
use crate::project::logic::LogicOverrides;
use provender_domain::day::Day;
use provender_domain::value::Value;
use provender_ledger::Read;
use provender_ledger::types::{Guardrail, Run, RunFilter};
use provender_store::manifest::Store;

use super::input::{Bounds, LogicInput, Row, SeriesInput, Subject, Window};
use super::metrics::{Metric, Needs};
use super::overrides::{Override, Setting, apply_overrides};
use super::{MonitorError, resolve};
use crate::project::logic::MonitorOverride;
use provender_domain::catalogue::{Aggregate, Origin};
use provender_domain::description::{Direction, MonitorRule, Scope};

/// Why a window could not be gathered.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// The rules or the window are invalid.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// Answers could not be read.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// `logic.toml` names an unknown scope.
    #[error("{logic}: logic.toml sets a monitor's scope to `{scope}`; write fleet or series")]
    Scope {
        /// `name:version`.
        logic: ModelVersion,
        /// As written.
        scope: String,
    },
    /// `logic.toml` names an unknown direction.
    #[error(
        "{logic}: logic.toml sets a monitor's direction to `{direction}`; write above or below"
    )]
    Direction {
        /// `name:version`.
        logic: ModelVersion,
        /// As written.
        direction: String,
    },
    /// `logic.toml` adds a rule without `min_rows`.
    #[error(
        "{logic}: logic.toml adds a monitor rule of `{metric}` without min_rows; set the fewest rows on which it can be judged"
    )]
    MinRows {
        /// `name:version`.
        logic: ModelVersion,
        /// Its metric.
        metric: String,
    },
}

impl From<provender_ledger::LedgerError> for GatherError {
    fn from(e: provender_ledger::LedgerError) -> Self {
        GatherError::Compute(e.into())
    }
}

/// The rules in force of a bound logic.
///
/// # Errors
/// If `logic.toml` names a rule that the component does not declare.
pub fn rules(bound: &Bound, settings: &LogicOverrides) -> Result<Vec<MonitorRule>, GatherError> {
    let overrides = settings
        .monitors
        .iter()
        .filter(|m| !m.add)
        .map(|m| {
            let scope = scope(bound, m)?;
            let setting = |x: Option<f64>| x.map_or(Setting::Keep, Setting::Value);
            Ok(Override {
                metric: m.metric.clone(),
                subject: m.subject.clone().or_else(|| only_subject(bound, &m.metric)),
                scope,
                direction: direction(bound, m)?,
                warn: setting(m.warn),
                crit: setting(m.crit),
                min_rows: m.min_rows,
            })
        })
        .collect::<Result<Vec<_>, GatherError>>()?;
    let mut rules = apply_overrides(
        &bound.model_version,
        &bound.description().monitors,
        &overrides,
    )?;
    for m in settings.monitors.iter().filter(|m| m.add) {
        rules.push(MonitorRule {
            metric: m.metric.clone(),
            subject: m.subject.clone(),
            scope: scope(bound, m)?.unwrap_or(Scope::Fleet),
            direction: direction(bound, m)?.unwrap_or(Direction::Above),
            warn: m.warn,
            crit: m.crit,
            min_rows: m.min_rows.ok_or_else(|| GatherError::MinRows {
                logic: bound.model_version.clone(),
                metric: m.metric.clone(),
            })?,
        });
    }
    Ok(rules)
}

fn scope(bound: &Bound, m: &MonitorOverride) -> Result<Option<Scope>, GatherError> {
    match m.scope.as_deref() {
        None => Ok(None),
        Some("fleet") => Ok(Some(Scope::Fleet)),
        Some("series") => Ok(Some(Scope::Series)),
        Some(other) => Err(GatherError::Scope {
            logic: bound.model_version.clone(),
            scope: other.to_owned(),
        }),
    }
}

fn direction(bound: &Bound, m: &MonitorOverride) -> Result<Option<Direction>, GatherError> {
    match m.direction.as_deref() {
        None => Ok(None),
        Some("above") => Ok(Some(Direction::Above)),
        Some("below") => Ok(Some(Direction::Below)),
        Some(other) => Err(GatherError::Direction {
            logic: bound.model_version.clone(),
            direction: other.to_owned(),
        }),
    }
}

/// The inputs whose change explains a step: properties of the herd, boundary and soil, and observations. The day
/// itself and ages of observations are left out, because they change every day.
fn explaining(bound: &Bound) -> Vec<String> {
    let inputs = bound.description().inputs.iter().zip(&bound.inputs);
    inputs
        .filter(|(_, b)| {
            !matches!(b.feature.origin, Origin::Run(_)) && b.reference.aggregate != Aggregate::Age
        })
        .map(|(i, _)| i.field.name.clone())
        .collect()
}

/// The only subject with which a metric is declared, so that `logic.toml` may leave it out.
fn only_subject(bound: &Bound, metric: &str) -> Option<String> {
    let subjects: BTreeSet<&Option<String>> = bound
        .description()
        .monitors
        .iter()
        .filter(|r| r.metric == metric)
        .map(|r| &r.subject)
        .collect();
    if subjects.len() == 1 {
        subjects.into_iter().next().cloned().flatten()
    } else {
        None
    }
}

/// The input of a bound logic with its rules and bounds, and without answers.
///
/// # Errors
/// If the rules are invalid.
pub(crate) fn empty(bound: &Bound, settings: &LogicOverrides) -> Result<LogicInput, GatherError> {
    let mut bounds: BTreeMap<String, Bounds> = BTreeMap::new();
    for rail in &bound.rails {
        if let Some(output) = bound.description().outputs.get(rail.output) {
            bounds.insert(
                output.field.name.clone(),
                Bounds {
                    minimum: rail.minimum,
                    maximum: rail.maximum,
                },
            );
        }
    }
    let input = LogicInput {
        model_version: bound.model_version.clone(),
        rules: rules(bound, settings)?,
        bounds,
        subjects: Subject::of(bound.description()),
        explaining: explaining(bound),
        baseline: None,
        series: Vec::new(),
    };
    resolve::check(&input)?;
    Ok(input)
}

/// The days on which an answer is expected, by boundary and herd.
///
/// # Errors
/// When the ledger cannot be read.
pub(crate) fn expected(
    facts: &Facts<'_>,
    bound: &Bound,
    (from, to): (Day, Day),
    boundary: Option<&BoundaryId>,
) -> Result<BTreeMap<(BoundaryId, HerdId), BTreeSet<Day>>, GatherError> {
    let mut days: BTreeMap<(BoundaryId, HerdId), BTreeSet<Day>> = BTreeMap::new();
    for day in from.through(to) {
        for (b, h) in facts.due(day, bound.reads_herd) {
            if boundary.is_some_and(|only| *only != b)
                || first_observed(facts, bound, &b)?.is_some_and(|d| day < d)
            {
                continue;
            }
            days.entry((b, h)).or_default().insert(day);
        }
    }
    Ok(days)
}

/// Gathers the window of one logic; `boundary` limits it to one place.
///
/// # Errors
/// If the ledger or a manifest cannot be read, or the rules are invalid.
pub(crate) fn gather(
    ledger: &dyn Read,
    facts: &Facts<'_>,
    manifests: &Store,
    bound: &Bound,
    settings: &LogicOverrides,
    window: Window,
    boundary: Option<&BoundaryId>,
) -> Result<LogicInput, GatherError> {
    let mut input = empty(bound, settings)?;
    let shifts =
        |r: &MonitorRule| Metric::by_name(&r.metric).is_some_and(|m| m.needs() == Needs::Baseline);
    if input.rules.iter().any(shifts) {
        input.baseline = super::frozen::in_force(ledger, &bound.model_version)?;
    }
    let needed = input.needed().into_iter().map(str::to_owned).collect();
    fill(
        ledger, facts, manifests, bound, input, &needed, window, boundary,
    )
}

/// Gathers the answers of a period, with every number that a baseline needs.
///
/// # Errors
/// As [`gather`].
pub(crate) fn gather_numbers(
    ledger: &dyn Read,
    facts: &Facts<'_>,
    manifests: &Store,
    bound: &Bound,
    settings: &LogicOverrides,
    window: Window,
    boundary: Option<&BoundaryId>,
) -> Result<LogicInput, GatherError> {
    let input = empty(bound, settings)?;
    let mut needed = super::baseline::frozen_columns(&input);
    needed.extend(input.needed().into_iter().map(str::to_owned));
    fill(
        ledger, facts, manifests, bound, input, &needed, window, boundary,
    )
}

#[expect(
    clippy::too_many_arguments,
    reason = "what gather takes, and the columns"
)]
fn fill(
    ledger: &dyn Read,
    facts: &Facts<'_>,
    manifests: &Store,
    bound: &Bound,
    mut input: LogicInput,
    needed: &BTreeSet<String>,
    window: Window,
    boundary: Option<&BoundaryId>,
) -> Result<LogicInput, GatherError> {
    let span = tracing::info_span!(
        target: "provender::monitor",
        "gather",
        logic = bound.model_version.as_str(),
        answers = tracing::field::Empty,
    )
    .entered();
    let first = window.first()?;
    let filter = RunFilter {
        boundary_id: boundary.cloned(),
        from: Some(first),
        to: Some(window.end),
        logic: Some(bound.model_version.to_string()),
        ..RunFilter::default()
    };
    let mut series: BTreeMap<(BoundaryId, HerdId), SeriesInput> = BTreeMap::new();
    let entry =
        |map: &mut BTreeMap<(BoundaryId, HerdId), SeriesInput>, b: &BoundaryId, h: &HerdId| {
            map.entry((b.clone(), h.clone()))
                .or_insert_with(|| SeriesInput {
                    boundary_id: b.clone(),
                    herd_config_id: h.clone(),
                    expected: BTreeSet::new(),
                    rows: Vec::new(),
                });
        };
    let runs = answers(ledger, &filter)?;
    span.record("answers", runs.len());
    let activations = Activations::load(ledger)?;
    let version = &bound.model_version;
    let asked: BTreeSet<Day> = runs
        .iter()
        .filter(|r| !activations.in_shadow(r))
        .map(|r| r.run.key.calculation_date)
        .collect();
    let start = [activations.first_day(version), asked.first().copied()]
        .into_iter()
        .flatten()
        .min()
        .map_or(first, |day| day.max(first));
    for run in &runs {
        let key = &run.run.key;
        entry(&mut series, &key.boundary_id, &key.herd_config_id);
        if let Some(s) = series.get_mut(&(key.boundary_id.clone(), key.herd_config_id.clone())) {
            s.rows.push(row(bound, manifests, run, needed)?);
        }
    }
    for ((b, h), days) in expected(facts, bound, (start, window.end), boundary)? {
        entry(&mut series, &b, &h);
        if let Some(s) = series.get_mut(&(b, h)) {
            s.expected = days;
            s.expected
                .retain(|day| asked.contains(day) || !activations.another_on(version, *day));
        }
    }
    for run in runs.iter().filter(|r| activations.in_shadow(r)) {
        let key = &run.run.key;
        if let Some(s) = series.get_mut(&(key.boundary_id.clone(), key.herd_config_id.clone())) {
            s.expected.insert(key.calculation_date);
        }
    }
    input.series = series.into_values().collect();
    Ok(input)
}

fn first_observed(
    facts: &Facts<'_>,
    bound: &Bound,
    boundary: &BoundaryId,
) -> Result<Option<Day>, GatherError> {
    let mut first: Option<Day> = None;
    for input in bound.inputs.iter().filter(|i| i.feature.is_dated()) {
        if let Some(day) = facts.first_observation(boundary, &input.feature.name)? {
            first = Some(first.map_or(day, |f| f.min(day)));
        }
    }
    Ok(first)
}

fn row(
    bound: &Bound,
    manifests: &Store,
    run: &Run,
    needed: &BTreeSet<String>,
) -> Result<Row, GatherError> {
    let key = &run.run.key;
    let outputs = crate::compute::guard::recorded_outputs(bound, run).ok_or_else(|| {
        ComputeError::Ledger(provender_ledger::LedgerError::Damaged(format!(
            "the outputs of {key} do not fit its component"
        )))
    })?;
    let mut values: BTreeMap<String, Value> = bound
        .description()
        .outputs
        .iter()
        .zip(outputs)
        .map(|(o, v)| (o.field.name.clone(), v))
        .collect();
    // Inputs are only in the manifest, which is read only if a rule needs one.
    let missing: Vec<&String> = needed.iter().filter(|n| !values.contains_key(*n)).collect();
    if !missing.is_empty() {
        let manifest = manifests
            .read(run.run.manifest_ref())
            .map_err(ComputeError::from)?
            .reproducible
            .inputs;
        for name in missing {
            let declared = bound
                .description()
                .inputs
                .iter()
                .find(|i| i.field.name == *name);
            let value = declared
                .zip(manifest.get(name))
                .and_then(|(i, j)| Value::from_json(i.field.data_type, j));
            values.insert(name.clone(), value.unwrap_or(Value::Null));
        }
    }
    values.retain(|name, _| needed.contains(name));
    Ok(Row {
        date: key.calculation_date,
        run_id: key.run_id(),
        snapshot_id: run.run.snapshot,
        manifest: manifests.path_of(run.run.manifest_ref()),
        config_version: key.config_version.clone(),
        values,
        guardrail_failed: run.run.guardrail != Guardrail::Ok,
    })
}
