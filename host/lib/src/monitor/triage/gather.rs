//! The scene of a report, from the ledger and the manifests: what is recorded now, which after a reissue
//! or a rollback is more than the report saw.

use provender_domain::ids::ModelVersion;
use std::collections::{BTreeMap, BTreeSet};

use crate::compute::answers::answers;
use provender_domain::canonical::Digest;
use provender_ledger::Read;
use provender_ledger::types::{Guardrail, Run, RunFilter};
use provender_store::manifest::Store;

use super::super::baseline::Baseline;
use super::super::frozen::{baselines, document};
use super::super::gather::GatherError;
use super::super::stored::{Body, Failing};
use super::scene::{Row, TriageScene};
use crate::compute::ComputeError;

/// Of more rows than this on a side, those with the smallest run ids are looked at: the same ones each
/// time, and no place or day before others.
pub(super) const LOOKED_AT: usize = 500;

/// One scene for each logic with failing rows.
///
/// # Errors
/// When the ledger or a manifest cannot be read.
pub fn scenes(
    ledger: &dyn Read,
    manifests: &Store,
    body: &Body,
) -> Result<Vec<TriageScene>, GatherError> {
    let mut by_logic: BTreeMap<String, Vec<(ModelVersion, Failing)>> = BTreeMap::new();
    for (model_version, row) in body.failing() {
        let name = model_version.name();
        by_logic
            .entry(name.to_owned())
            .or_default()
            .push((model_version, row));
    }
    by_logic
        .into_iter()
        .map(|(name, failing)| scene(ledger, manifests, body, name, &failing))
        .collect()
}

fn scene(
    ledger: &dyn Read,
    manifests: &Store,
    body: &Body,
    logic: String,
    failing: &[(ModelVersion, Failing)],
) -> Result<TriageScene, GatherError> {
    let window = body.window;
    let filter = RunFilter {
        from: Some(window.start.back(window.days)),
        to: Some(window.end),
        logic: Some(logic.clone()),
        ..RunFilter::default()
    };
    let all = ledger.runs(&filter)?;
    let by_id: BTreeMap<Digest, &Run> = all.iter().map(|r| (r.run.key.run_id(), r)).collect();
    let ids: BTreeSet<Digest> = failing.iter().map(|(_, f)| f.run_id).collect();
    let versions: BTreeSet<&ModelVersion> = failing.iter().map(|(v, _)| v).collect();
    let series: BTreeSet<(&str, &str)> = failing
        .iter()
        .map(|(_, f)| (f.boundary_id.as_str(), f.herd_config_id.as_str()))
        .collect();
    let first = failing.iter().map(|(_, f)| f.calculation_date).min();
    let first = first.unwrap_or(window.start);

    let mut failing: Vec<&Failing> = failing.iter().map(|(_, f)| f).collect();
    let all_failing = failing.len();
    failing.sort_by_key(|f| f.run_id);
    failing.truncate(LOOKED_AT);
    let mut scene = TriageScene {
        logic,
        all_failing,
        ..TriageScene::default()
    };
    for one in failing {
        let Some(run) = by_id.get(&one.run_id) else {
            continue;
        };
        let mut row = row(manifests, run)?;
        row.metrics.clone_from(&one.metrics);
        let index = scene.failing.len();
        for other in companions(&all, run) {
            let same_version = other.run.key.model_version == run.run.key.model_version;
            let found = (index, self::row(manifests, other)?);
            match same_version {
                true => scene.replaced.push(found),
                false => scene.others.push(found),
            }
        }
        scene.failing.push(row);
    }
    let answering = answers(ledger, &filter)?;
    let passing = answering.iter().filter(|r| {
        let key = &r.run.key;
        key.calculation_date >= window.start && !ids.contains(&key.run_id()) && {
            // What replaced a failing answer since is no answer beside it.
            !scene.failing.iter().any(|f| {
                f.date == key.calculation_date
                    && f.boundary_id == key.boundary_id
                    && f.herd_config_id == key.herd_config_id
            })
        }
    });
    scene.passing = rows(manifests, passing)?;
    let before = answering.iter().filter(|r| {
        let key = &r.run.key;
        key.calculation_date < first
            && series.contains(&(key.boundary_id.as_str(), key.herd_config_id.as_str()))
    });
    scene.before = rows(manifests, before)?;
    scene.frozen = baseline(ledger, &scene.logic, &versions)?;
    in_force(&mut scene, body, &versions);
    Ok(scene)
}

/// Bounds and thresholds that the report held the versions to.
fn in_force(scene: &mut TriageScene, body: &Body, versions: &BTreeSet<&ModelVersion>) {
    let held = body
        .logics
        .iter()
        .filter(|l| versions.contains(&l.model_version));
    for bounds in held.flat_map(|l| &l.bounds) {
        scene.bounds.insert(bounds.output.clone(), bounds.clone());
    }
    let groups = body.fleet.iter().chain(&body.series);
    let groups = groups.filter(|g| versions.contains(&g.model_version));
    for metric in groups.flat_map(|g| &g.metrics) {
        if let Some(threshold) = metric.warn.or(metric.crit) {
            let rule = (metric.direction, threshold);
            scene.thresholds.entry(metric.label()).or_insert(rule);
        }
    }
}

/// The newest baseline in force of a failing version, else of the logic.
fn baseline(
    ledger: &dyn Read,
    logic: &str,
    versions: &BTreeSet<&ModelVersion>,
) -> Result<Option<Baseline>, GatherError> {
    let mut held = baselines(ledger)?;
    held.retain(|f| f.in_force && f.model_version.name() == logic);
    let own = held.iter().rfind(|f| versions.contains(&f.model_version));
    let Some(frozen) = own.or(held.last()) else {
        return Ok(None);
    };
    Ok(Some(document(ledger, frozen.baseline)?))
}

/// Other runs of a run's place, herd and day: the newest of each other version, and of its own version
/// the one that it replaced.
fn companions<'r>(all: &'r [Run], run: &Run) -> Vec<&'r Run> {
    let key = &run.run.key;
    let mut by_version: BTreeMap<&str, &Run> = BTreeMap::new();
    for other in all {
        let k = &other.run.key;
        let beside = k.boundary_id == key.boundary_id
            && k.herd_config_id == key.herd_config_id
            && k.calculation_date == key.calculation_date;
        let meant = if k.model_version == key.model_version {
            run.run.replaces.as_ref() == Some(&k.config_version)
        } else {
            other.superseded_by.is_none()
        };
        if beside && meant {
            let newest = by_version.entry(&k.model_version).or_insert(other);
            if other.entry > newest.entry {
                *newest = other;
            }
        }
    }
    by_version.into_values().collect()
}

fn rows<'r>(
    manifests: &Store,
    runs: impl Iterator<Item = &'r Run>,
) -> Result<Vec<Row>, GatherError> {
    let mut runs: Vec<&Run> = runs.collect();
    runs.sort_by_key(|r| r.run.key.run_id());
    runs.truncate(LOOKED_AT);
    runs.into_iter().map(|r| row(manifests, r)).collect()
}

fn row(manifests: &Store, run: &Run) -> Result<Row, GatherError> {
    let key = &run.run.key;
    let manifest = manifests
        .read(run.run.manifest_ref())
        .map_err(ComputeError::from)?;
    let files = manifest.sources.files.into_iter();
    Ok(Row {
        run_id: key.run_id().to_string(),
        model_version: key.model_version.clone(),
        config_version: key.config_version.to_string(),
        boundary_id: key.boundary_id.clone(),
        herd_config_id: key.herd_config_id.clone(),
        date: key.calculation_date,
        inputs: manifest.reproducible.inputs,
        outputs: manifest.reproducible.outputs,
        files: files.map(|f| (f.source, f.path)).collect(),
        guardrail_failed: run.run.guardrail != Guardrail::Ok,
        metrics: Vec::new(),
    })
}
