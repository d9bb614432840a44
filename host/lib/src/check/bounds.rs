//! Runs each parameter at each of its bounds. No value that `logic.toml` may set must make a component trap, or make
//! a row depend on other rows: such settings are made long after the component was checked.

use provender_domain::value::Scalar;
use provender_sandbox::LogicError;

use super::conformance::{Conformance, Run, Status, failed, held};

/// Runs all rows with each parameter in turn at its smallest and at its largest allowed value, the others at their
/// defaults.
///
/// # Errors
/// When the host itself fails.
pub(super) fn run(run: &Run<'_>) -> Result<Conformance, LogicError> {
    let name = "parameters at their bounds";
    let mut tried = 0;
    for (n, parameter) in run.component.description().parameters.iter().enumerate() {
        for bound in [&parameter.minimum, &parameter.maximum]
            .into_iter()
            .flatten()
        {
            // The default has been run already.
            if *bound == parameter.default {
                continue;
            }
            tried += 1;
            if let Some(detail) = problem(run, n, bound)? {
                let value = bound.to_json();
                return Ok(failed(
                    name,
                    format!("{} = {value}: {detail}", parameter.name),
                ));
            }
        }
    }
    Ok(held(
        name,
        match tried {
            0 => "no parameter has a bound other than its default".to_owned(),
            n => format!("{n} tried, {} rows each", run.rows.len()),
        },
    ))
}

/// What fails with one parameter set to `value`; `None` if nothing does.
fn problem(run: &Run<'_>, parameter: usize, value: &Scalar) -> Result<Option<String>, LogicError> {
    let mut parameters = run.parameters.clone();
    if let Some(place) = parameters.get_mut(parameter) {
        place.clone_from(value);
    }
    let set = Run { parameters, ..*run };
    let whole = set.compute(&set.few())?;
    let answers = set.answers(&whole);
    if answers.status == Status::Failed {
        return Ok(Some(answers.detail));
    }
    let other = set.compute(&set.many())?;
    let same = set.compare("", &whole, &other, |row| row);
    Ok((same.status == Status::Failed).then(|| format!("in other batches {}", same.detail)))
}
