//! One row to compute: its key, inputs and provenance.

use provender_domain::ids::{BoundaryId, HerdId};
use serde_json::{Map, Value as Json};

use provender_domain::canonical::{CanonicalError, Digest};
use provender_domain::day::Day;
use provender_domain::forms;
use provender_domain::key::{ConfigVersion, RunKey};
use provender_ledger::LedgerError;

use super::binding::Bound;
use super::facts::{Cell, Facts};

/// A run that is asked for, with the values that its component will see.
#[derive(Clone, Debug)]
pub struct Question {
    /// Its key, without a reissue number.
    pub key: RunKey,
    /// One cell for each declared input.
    pub cells: Vec<Cell>,
    /// Digest of everything that determines the number.
    pub provenance: Digest,
}

/// Why a question cannot be assembled.
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
/// If the ledger cannot be read.
pub(super) fn ask(
    facts: &Facts<'_>,
    bound: &Bound,
    (boundary_id, herd_config_id): (&BoundaryId, &HerdId),
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
    let provenance = forms::provenance(
        &bound.component.digest(),
        bound.component.world(),
        &bound.config.digest,
        inputs_json(bound, &cells),
    )?;
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

/// The inputs by name.
#[must_use]
pub(super) fn inputs_json(bound: &Bound, cells: &[Cell]) -> Map<String, Json> {
    let names = bound
        .description()
        .inputs
        .iter()
        .map(|i| i.field.name.clone());
    names.zip(cells.iter().map(|c| c.value.to_json())).collect()
}
