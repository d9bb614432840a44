//! One row to compute: its key, its inputs, its provenance.

use serde_json::{Map, Value as Json, json};

use provender_domain::canonical::{CanonicalError, Digest};
use provender_domain::day::Day;
use provender_domain::key::{ConfigVersion, RunKey};
use provender_ledger::LedgerError;

use super::binding::Bound;
use super::facts::{Cell, Facts};

/// A run that is asked for, with the values its component will see.
#[derive(Clone, Debug)]
pub struct Question {
    /// Its key, without any reissue.
    pub key: RunKey,
    /// One cell for each declared input.
    pub cells: Vec<Cell>,
    /// Digest of what makes the number.
    pub provenance: Digest,
}

/// Why a question could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A value has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

impl From<QuestionError> for super::ComputeError {
    fn from(e: QuestionError) -> Self {
        match e {
            QuestionError::Ledger(e) => e.into(),
            QuestionError::Canonical(e) => e.into(),
        }
    }
}

/// Gathers the inputs of one run.
///
/// # Errors
/// When the ledger cannot be read.
pub fn ask(
    facts: &Facts<'_>,
    bound: &Bound,
    (boundary_id, herd_config_id): (&str, &str),
    day: Day,
) -> Result<Question, QuestionError> {
    let cells = bound
        .inputs
        .iter()
        .map(|i| {
            facts.cell(
                &i.reference,
                i.feature.origin,
                (boundary_id, herd_config_id),
                day,
                bound.season_start,
            )
        })
        .collect::<Result<Vec<_>, _>>()?;
    let provenance = Digest::of_json(&provenance_json(bound, &cells))?;
    let key = RunKey {
        boundary_id: boundary_id.to_owned(),
        herd_config_id: herd_config_id.to_owned(),
        calculation_date: day,
        model_version: bound.model_version.clone(),
        config_version: ConfigVersion::first(bound.config.digest),
    };
    Ok(Question {
        key,
        cells,
        provenance,
    })
}

/// The object whose digest is the provenance: the bytes that run, the world, the configuration and
/// the values of exactly the declared inputs. Its form is part of the contract with every recorded
/// run: a change of it needs a new `$type`.
#[must_use]
pub fn provenance_json(bound: &Bound, cells: &[Cell]) -> Json {
    provenance_of(
        &bound.component.digest(),
        bound.component.world(),
        &bound.config.digest,
        inputs_json(bound, cells),
    )
}

/// The same object from its parts.
#[must_use]
pub fn provenance_of(
    component: &Digest,
    world: &str,
    config: &Digest,
    inputs: Map<String, Json>,
) -> Json {
    json!({
        "$type": "provender.provenance.v1",
        "component": component.to_string(),
        "world": world,
        "config": config.to_string(),
        "inputs": inputs,
    })
}

/// The inputs by name.
#[must_use]
pub fn inputs_json(bound: &Bound, cells: &[Cell]) -> Map<String, Json> {
    let names = bound
        .description()
        .inputs
        .iter()
        .map(|i| i.field.name.clone());
    names.zip(cells.iter().map(|c| c.value.to_json())).collect()
}
