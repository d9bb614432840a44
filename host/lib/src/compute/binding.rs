//! Binds a component's declaration to the catalogue and to DS's settings.
//!
//! The result is the configuration: parameters in force, guardrail bounds, and feature definitions with their versions.
//! Its digest is the `config_version` of every run computed with it.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;

use crate::project::logic::{LogicOverrides, season_day};
use provender_domain::canonical::Digest;
use provender_domain::catalogue::{Aggregate, Feature, FeatureRef, Origin, Window};
use provender_domain::column::Column;
use provender_domain::description::{Bound as DeclaredBound, Description, Severity};
use provender_domain::forms::{self, FeatureDefinition, GuardrailBounds};
use provender_domain::manifest::SetBy;
use provender_domain::value::{DataType, Scalar};
use provender_ledger::types::Config;
use provender_sandbox::{Component, Computed, LogicError};

use super::ComputeError;

/// An input with the feature that it reads.
#[derive(Clone, Debug)]
pub struct BoundInput {
    /// The reference.
    pub(crate) reference: FeatureRef,
    /// The catalogue's column.
    pub(crate) feature: Feature,
}

/// A guardrail with its bounds resolved to numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Rail {
    /// Index of the output, in declared order.
    pub(crate) output: usize,
    /// Smallest acceptable value.
    pub(crate) minimum: Option<f64>,
    /// Largest acceptable value.
    pub(crate) maximum: Option<f64>,
    /// What a breach means.
    pub(crate) severity: Severity,
}

impl Rail {
    /// Whether a value is outside the bounds.
    #[must_use]
    pub(crate) fn is_breached(&self, value: f64) -> bool {
        self.minimum.is_some_and(|low| value < low) || self.maximum.is_some_and(|high| value > high)
    }
}

/// A component bound and ready to compute.
pub struct Bound {
    /// The component.
    pub component: Component,
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Parameter values in declared order, with where each was set.
    pub parameters: Vec<(Scalar, SetBy)>,
    /// Inputs in declared order.
    pub inputs: Vec<BoundInput>,
    /// Guardrails with their bounds resolved to numbers.
    pub rails: Vec<Rail>,
    /// Month and day of the season's start.
    pub season_start: (i8, i8),
    /// The configuration.
    pub config: Config,
    /// Whether any input reads a feature of a herd.
    pub reads_herd: bool,
    /// Whether a `--param` changed a parameter for this command only.
    pub one_off: bool,
}

impl Bound {
    /// The component's declaration.
    #[must_use]
    pub fn description(&self) -> &Description {
        self.component.description()
    }

    /// Values of the parameters in declared order.
    #[must_use]
    pub(crate) fn parameter_values(&self) -> Vec<Scalar> {
        self.parameters.iter().map(|(v, _)| v.clone()).collect()
    }

    /// Runs the component over rows.
    ///
    /// # Errors
    /// See [`Component::compute`].
    pub(super) fn compute(&self, inputs: &[Column], rows: usize) -> Result<Computed, LogicError> {
        let _span = tracing::debug_span!(target: "provender::compute", "component", rows).entered();
        self.component
            .compute(&self.parameter_values(), inputs, rows)
    }
}

/// Binds a component. `one_off` holds the `--param` values of this command.
///
/// # Errors
/// If an input does not fit the catalogue, or a setting does not fit the component.
pub fn bind(
    component: Component,
    catalogue: &[Feature],
    overrides: &LogicOverrides,
    one_off: &BTreeMap<String, String>,
) -> Result<Bound, ComputeError> {
    let description = component.description();
    let logic = description.model_version();
    let inputs = description
        .inputs
        .iter()
        .map(|input| bind_input(&logic, input, catalogue))
        .collect::<Result<Vec<_>, _>>()?;
    let parameters = bind_parameters(&logic, description, overrides, one_off)?;
    let rails = bind_rails(&logic, description, &parameters, overrides)?;
    let season_start = bind_season(&logic, overrides)?;
    let canonical = config_of(description, &parameters, &rails, &inputs, season_start).to_text()?;
    let config = Config {
        digest: Digest::of_canonical(canonical.as_bytes()),
        canonical,
    };
    let reads_herd = inputs
        .iter()
        .any(|i| matches!(i.feature.origin, Origin::Herd(_)));
    let changed = parameters.iter().any(|(_, by)| *by == SetBy::CommandLine);
    Ok(Bound {
        model_version: logic,
        parameters,
        inputs,
        rails,
        season_start,
        config,
        reads_herd,
        one_off: changed,
        component,
    })
}

/// Lists every input of a declaration that is not in the catalogue, or differs from it.
#[must_use]
pub(crate) fn input_problems(
    description: &Description,
    catalogue: &[Feature],
) -> Vec<ComputeError> {
    let logic = description.model_version();
    description
        .inputs
        .iter()
        .filter_map(|input| bind_input(&logic, input, catalogue).err())
        .collect()
}

fn bind_input(
    logic: &str,
    input: &provender_domain::description::Input,
    catalogue: &[Feature],
) -> Result<BoundInput, ComputeError> {
    let reference: FeatureRef = input
        .feature
        .parse()
        .map_err(|cause| ComputeError::Reference {
            logic: logic.to_owned(),
            input: input.field.name.clone(),
            cause,
        })?;
    let Some(feature) = catalogue.iter().find(|f| f.name == reference.name) else {
        let nearest = catalogue
            .iter()
            .map(|f| {
                (
                    strsim::damerau_levenshtein(&f.name, &reference.name),
                    &f.name,
                )
            })
            .min()
            .filter(|(distance, _)| *distance <= reference.name.len() / 2)
            .map(|(_, name)| format!(" (did you mean `{name}`?)"));
        return Err(ComputeError::UnknownFeature {
            logic: logic.to_owned(),
            input: input.field.name.clone(),
            feature: reference.name,
            nearest: nearest.unwrap_or_default(),
        });
    };
    let mismatch = |problem: String| ComputeError::Mismatch {
        logic: logic.to_owned(),
        input: input.field.name.clone(),
        feature: input.feature.clone(),
        problem,
    };
    let plain = reference.aggregate == Aggregate::Latest && reference.window == Window::All;
    if !plain && !feature.is_dated() {
        return Err(mismatch(format!(
            "{} has no dates, so it takes no aggregate and no window",
            feature.name
        )));
    }
    let (data_type, unit) = feature.yields(reference.aggregate);
    if input.field.data_type != data_type {
        return Err(mismatch(format!(
            "the component declares {}, the catalogue gives {}",
            input.field.data_type.name(),
            data_type.name()
        )));
    }
    if input.field.unit.as_deref() != unit {
        let show =
            |u: Option<&str>| u.map_or_else(|| "no unit".to_owned(), |u| format!("the unit {u}"));
        return Err(mismatch(format!(
            "the component declares {}, the catalogue gives {}",
            show(input.field.unit.as_deref()),
            show(unit)
        )));
    }
    if !input.field.nullable && can_be_null(feature, reference.aggregate) {
        return Err(mismatch(
            "the value can be missing, so the component must declare it nullable".to_owned(),
        ));
    }
    Ok(BoundInput {
        reference,
        feature: feature.clone(),
    })
}

fn can_be_null(feature: &Feature, aggregate: Aggregate) -> bool {
    let always = [
        "calculation_date",
        "boundary_id",
        "area_ha",
        "herd_config_id",
        "herd_effective_date",
    ];
    !(always.contains(&feature.name.as_str()) || aggregate == Aggregate::Count)
}

fn bind_parameters(
    logic: &str,
    description: &Description,
    overrides: &LogicOverrides,
    one_off: &BTreeMap<String, String>,
) -> Result<Vec<(Scalar, SetBy)>, ComputeError> {
    let refuse = |parameter: &str, set_by: &SetBy, problem: String| ComputeError::Parameter {
        logic: logic.to_owned(),
        parameter: parameter.to_owned(),
        set_by: *set_by,
        problem,
    };
    let known = || {
        description
            .parameters
            .iter()
            .map(|p| p.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let names = overrides.parameters.keys().map(|n| (n, SetBy::LogicToml));
    for (name, set_by) in names.chain(one_off.keys().map(|n| (n, SetBy::CommandLine))) {
        if !description.parameters.iter().any(|p| p.name == *name) {
            let problem = match description.parameters.is_empty() {
                true => "this component has no parameters".to_owned(),
                false => format!("this component has no such parameter; it has {}", known()),
            };
            return Err(refuse(name, &set_by, problem));
        }
    }
    description
        .parameters
        .iter()
        .map(|p| {
            let data_type = p.default.data_type();
            let (value, set_by, shown) = if let Some(text) = one_off.get(&p.name) {
                (
                    Scalar::parse(data_type, text),
                    SetBy::CommandLine,
                    text.clone(),
                )
            } else if let Some(value) = overrides.parameters.get(&p.name) {
                (
                    from_toml(data_type, value),
                    SetBy::LogicToml,
                    value.to_string(),
                )
            } else {
                (Some(p.default.clone()), SetBy::Component, String::new())
            };
            let value = value.ok_or_else(|| {
                refuse(
                    &p.name,
                    &set_by,
                    format!("{shown} is not of type {}", data_type.name()),
                )
            })?;
            p.admits(&value)
                .map_err(|problem| refuse(&p.name, &set_by, problem))?;
            Ok((value, set_by))
        })
        .collect()
}

fn from_toml(data_type: DataType, value: &toml::Value) -> Option<Scalar> {
    match (data_type, value) {
        #[expect(clippy::cast_precision_loss, reason = "the user wrote 50 for 50.0")]
        (DataType::Float64, toml::Value::Integer(i)) => Some(Scalar::Float64(*i as f64)),
        (DataType::Float64, toml::Value::Float(x)) => x
            .is_finite()
            .then_some(Scalar::Float64(provender_domain::value::plain_zero(*x))),
        (DataType::Int64, toml::Value::Integer(i)) => Some(Scalar::Int64(*i)),
        (DataType::Boolean, toml::Value::Boolean(b)) => Some(Scalar::Boolean(*b)),
        (DataType::Date, toml::Value::String(s)) => s.parse().ok().map(Scalar::Date),
        (DataType::Date, toml::Value::Datetime(d)) => d.to_string().parse().ok().map(Scalar::Date),
        (DataType::Text, toml::Value::String(s)) => Some(Scalar::Text(s.clone())),
        _ => None,
    }
}

/// Where a season begins: on 1 January unless it is set.
fn bind_season(
    logic: &dyn std::fmt::Display,
    overrides: &LogicOverrides,
) -> Result<(i8, i8), ComputeError> {
    let Some(start) = overrides.season_start.as_deref() else {
        return Ok((1, 1));
    };
    season_day(start).ok_or_else(|| ComputeError::Season {
        logic: logic.to_string(),
        start: start.to_owned(),
    })
}

fn bind_rails(
    logic: &str,
    description: &Description,
    parameters: &[(Scalar, SetBy)],
    overrides: &LogicOverrides,
) -> Result<Vec<Rail>, ComputeError> {
    let refuse = |output: &str, problem: &str| ComputeError::Guardrail {
        logic: logic.to_owned(),
        output: output.to_owned(),
        problem: problem.to_owned(),
    };
    if let Some(name) = overrides
        .guardrails
        .keys()
        .find(|n| !description.guardrails.iter().any(|g| g.output == **n))
    {
        return Err(refuse(
            name,
            "but the component does not declare a guardrail for it",
        ));
    }
    let number = |bound: &Option<DeclaredBound>| match bound {
        None => None,
        Some(DeclaredBound::Value(x)) => Some(*x),
        Some(DeclaredBound::Parameter(name)) => {
            let i = description
                .parameters
                .iter()
                .position(|p| p.name == *name)?;
            parameters.get(i)?.0.as_f64()
        }
    };
    let mut rails = Vec::with_capacity(description.guardrails.len());
    for g in &description.guardrails {
        let set = overrides.guardrails.get(&g.output);
        let mut outputs = description.outputs.iter();
        let output = outputs
            .position(|o| o.field.name == g.output)
            .ok_or_else(|| refuse(&g.output, "which is not an output of the component"))?;
        let rail = Rail {
            output,
            minimum: set.and_then(|s| s.minimum).or_else(|| number(&g.minimum)),
            maximum: set.and_then(|s| s.maximum).or_else(|| number(&g.maximum)),
            severity: g.severity,
        };
        if rail
            .minimum
            .zip(rail.maximum)
            .is_some_and(|(low, high)| low > high)
        {
            return Err(refuse(&g.output, "whose minimum is then above its maximum"));
        }
        rails.push(rail);
    }
    Ok(rails)
}

/// The configuration that the component computes with.
fn config_of(
    description: &Description,
    parameters: &[(Scalar, SetBy)],
    rails: &[Rail],
    inputs: &[BoundInput],
    season_start: (i8, i8),
) -> forms::Config {
    let parameters = description
        .parameters
        .iter()
        .zip(parameters)
        .map(|(p, (value, _))| (p.name.clone(), value.to_json()))
        .collect();
    let guardrails = rails
        .iter()
        .zip(&description.guardrails)
        .map(|(r, g)| GuardrailBounds {
            output: g.output.clone(),
            minimum: r.minimum,
            maximum: r.maximum,
            severity: g.severity,
        })
        .collect();
    let features = description
        .inputs
        .iter()
        .zip(inputs)
        .map(|(input, bound)| {
            let (feature, of) = (&bound.feature, &bound.reference);
            let definition = FeatureDefinition {
                feature: feature.name.clone(),
                version: feature.version,
                aggregate: of.aggregate.name().to_owned(),
                aggregate_version: of.aggregate.version(),
                window: of.window.to_string(),
                season_start: (of.window == Window::Season)
                    .then(|| format!("{:02}-{:02}", season_start.0, season_start.1)),
            };
            (input.field.name.clone(), definition)
        })
        .collect();
    forms::Config::new(
        description.model_version().into(),
        parameters,
        guardrails,
        features,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_that_begins_on_no_day_is_not_one_of_the_calendar_year() {
        let of = |start: Option<&str>| {
            let season_start = start.map(str::to_owned);
            let overrides = LogicOverrides {
                season_start,
                ..LogicOverrides::default()
            };
            bind_season(&"grazing:v1", &overrides)
        };
        assert_eq!(of(None).unwrap(), (1, 1));
        assert_eq!(of(Some("03-01")).unwrap(), (3, 1));
        for start in ["13-45", "02-29", ""] {
            let refused = of(Some(start)).unwrap_err();
            assert_eq!(refused.code(), "season_start", "{refused}");
        }
    }
}
