//! Checks a guest's declaration and converts it to a [`Description`].
//!
//! Later code relies on these checks: names are plain and unique, sentences are printable and bounded, numbers
//! are finite, and references resolve. Whether the inputs exist in the host's catalogue is checked when the logic
//! is bound.

use std::collections::BTreeSet;

use provender_domain::catalogue::FeatureRef;
use provender_domain::day::Day;
use provender_domain::description::{
    Bound, Description, Direction, Field, Guardrail, Input, MonitorRule, Output, Parameter, Role,
    Scope, Severity,
};
use provender_domain::value::{DataType, Scalar, plain_zero};

use super::bindings::wit;
use super::failure::printable;

/// Most fields, rules or annotations of one kind. A wide model reads a few dozen columns.
const COUNT: usize = 256;
/// Most bytes of a name. Names appear in tables, file names and column headings.
const NAME: usize = 64;
/// Most characters of a unit, such as `kg/head/d`.
const UNIT: usize = 32;
/// Most characters of a sentence: a doc, a summary, a formula, an annotation.
const SENTENCE: usize = 2_000;

type Check<T> = Result<T, String>;

/// Checks and converts the result of `describe`. The error is a clause that names the offending item.
pub(super) fn description(raw: wit::Description) -> Check<Description> {
    name("the component's name", &raw.name)?;
    version(&raw.version)?;
    let inputs = list("inputs", raw.inputs, input)?;
    let parameters = list("parameters", raw.parameters, parameter)?;
    let outputs = list("outputs", raw.outputs, output)?;
    unique("input", inputs.iter().map(|i| &i.field.name))?;
    unique("parameter", parameters.iter().map(|p| &p.name))?;
    unique("output", outputs.iter().map(|o| &o.field.name))?;
    if !outputs.iter().any(|o| o.role == Role::Outcome) {
        return Err("no output has the role outcome".to_owned());
    }
    let guardrails = list("guardrails", raw.guardrails, |g| {
        guardrail(g, &outputs, &parameters)
    })?;
    let monitors = list("monitors", raw.monitors, |m| monitor(m, &inputs, &outputs))?;
    let annotations = list("annotations", raw.annotations, annotation)?;
    Ok(Description {
        summary: sentence("the summary", raw.summary)?,
        name: raw.name,
        version: raw.version,
        inputs,
        parameters,
        outputs,
        guardrails,
        monitors,
        annotations,
    })
}

/// Checks a name such as `days_remaining`: lower-case letters, digits and underscores, starting with a letter.
pub fn name(what: &str, text: &str) -> Check<()> {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    if text.is_empty() {
        return Err(format!("{what} is empty"));
    }
    if text.len() > NAME {
        return Err(format!(
            "{what} has {} bytes; at most {NAME} are allowed",
            text.len()
        ));
    }
    if !text.bytes().all(plain) || !text.as_bytes()[0].is_ascii_lowercase() {
        return Err(format!(
            "{what} is `{}`; a name consists of a-z, 0-9 and _ and starts with a letter",
            printable(text, NAME)
        ));
    }
    Ok(())
}

/// The number of a version, such as 12 for `v12`; `None` for any other text. Leading zeros are not allowed, so
/// that each version has one spelling.
#[must_use]
pub fn version_number(version: &str) -> Option<u32> {
    let digits = version.strip_prefix('v')?;
    let good = (1..=9).contains(&digits.len())
        && digits.bytes().all(|c| c.is_ascii_digit())
        && !digits.starts_with('0');
    good.then(|| digits.parse().ok())?
}

/// Checks that a version is `v1`, `v2`, and so on.
pub fn version(text: &str) -> Check<()> {
    version_number(text).map(drop).ok_or_else(|| {
        format!(
            "the version is `{}`; a version is v1, v2 and so on",
            printable(text, NAME)
        )
    })
}

fn list<A, B>(what: &str, raw: Vec<A>, convert: impl Fn(A) -> Check<B>) -> Check<Vec<B>> {
    if raw.len() > COUNT {
        return Err(format!(
            "{} {what} are declared; at most {COUNT} are allowed",
            raw.len()
        ));
    }
    raw.into_iter().map(convert).collect()
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Check<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("the {what} `{name}` is declared twice"));
        }
    }
    Ok(())
}

fn sentence(what: &str, text: String) -> Check<String> {
    let length = text.chars().count();
    if length > SENTENCE {
        return Err(format!(
            "{what} has {length} characters; at most {SENTENCE} are allowed"
        ));
    }
    if text != printable(&text, SENTENCE) {
        return Err(format!(
            "{what} contains control characters: `{}`",
            printable(&text, 80)
        ));
    }
    Ok(text)
}

fn unit(what: &str, text: Option<String>) -> Check<Option<String>> {
    let Some(text) = text else { return Ok(None) };
    let length = text.chars().count();
    if text.trim().is_empty() || text.trim() != text || length > UNIT {
        return Err(format!(
            "the unit of {what} is `{}`; a unit is 1 to {UNIT} characters without surrounding spaces, or absent",
            printable(&text, UNIT)
        ));
    }
    sentence(&format!("the unit of {what}"), text).map(Some)
}

fn field(kind: &str, raw: wit::Field) -> Check<Field> {
    name(&format!("the name of an {kind}"), &raw.name)?;
    let what = format!("the {kind} `{}`", raw.name);
    Ok(Field {
        data_type: data_type(raw.data_type),
        unit: unit(&what, raw.unit)?,
        nullable: raw.nullable,
        doc: sentence(&format!("the doc of {what}"), raw.doc)?,
        name: raw.name,
    })
}

pub(super) fn data_type(raw: wit::DataType) -> DataType {
    match raw {
        wit::DataType::Float64 => DataType::Float64,
        wit::DataType::Int64 => DataType::Int64,
        wit::DataType::Boolean => DataType::Boolean,
        wit::DataType::Date => DataType::Date,
        wit::DataType::Text => DataType::Text,
        wit::DataType::Series => DataType::Series,
    }
}

fn input(raw: wit::Input) -> Check<Input> {
    let field = field("input", raw.field)?;
    if raw.feature.len() > SENTENCE {
        return Err(format!(
            "the feature of the input `{}` has {} bytes",
            field.name,
            raw.feature.len()
        ));
    }
    let reference: FeatureRef = raw.feature.parse().map_err(|_| {
        format!(
            "the input `{}` asks for the feature `{}`; a feature is NAME, NAME:AGGREGATE or NAME:AGGREGATE:WINDOW, such as precipitation_mm:sum:30d",
            field.name,
            printable(&raw.feature, 200)
        )
    })?;
    name(
        &format!("the feature name of the input `{}`", field.name),
        &reference.name,
    )?;
    Ok(Input {
        field,
        feature: raw.feature,
    })
}

fn output(raw: wit::Output) -> Check<Output> {
    let field = field("output", raw.field)?;
    let role = match raw.role {
        wit::Role::Outcome => Role::Outcome,
        wit::Role::Term => Role::Term,
        wit::Role::Reason => Role::Reason,
    };
    if field.data_type == DataType::Series {
        return Err(format!(
            "the output `{}` is a series; an output must be one value per row",
            field.name
        ));
    }
    if role == Role::Reason && field.data_type != DataType::Text {
        return Err(format!(
            "the output `{}` is a reason of type {}; a reason must be a text",
            field.name,
            field.data_type.name()
        ));
    }
    let formula = raw
        .formula
        .map(|f| sentence(&format!("the formula of the output `{}`", field.name), f))
        .transpose()?;
    Ok(Output {
        field,
        role,
        formula,
    })
}

fn scalar(what: &str, raw: wit::ScalarResult) -> Check<Scalar> {
    Ok(match raw {
        wit::ScalarResult::Float64(x) if x.is_finite() => Scalar::Float64(plain_zero(x)),
        wit::ScalarResult::Float64(_) => return Err(format!("{what} is not a finite number")),
        wit::ScalarResult::Int64(x) => Scalar::Int64(x),
        wit::ScalarResult::Boolean(x) => Scalar::Boolean(x),
        wit::ScalarResult::Date(x) => Scalar::Date(
            Day::from_days(x)
                .ok_or_else(|| format!("{what} is day {x}, outside the years 1 to 9999"))?,
        ),
        wit::ScalarResult::Text(x) => Scalar::Text(sentence(what, x)?),
    })
}

fn parameter(raw: wit::Parameter) -> Check<Parameter> {
    name("the name of a parameter", &raw.name)?;
    let what = format!("the parameter `{}`", raw.name);
    let default = scalar(&format!("the default of {what}"), raw.default)?;
    let minimum = bound_of(&what, "minimum", raw.minimum, &default)?;
    let maximum = bound_of(&what, "maximum", raw.maximum, &default)?;
    let below = |a: &Scalar, b: &Scalar| match (a, b) {
        (Scalar::Float64(a), Scalar::Float64(b)) => a < b,
        (Scalar::Int64(a), Scalar::Int64(b)) => a < b,
        (Scalar::Date(a), Scalar::Date(b)) => a < b,
        _ => false,
    };
    let crossed = match (&minimum, &maximum) {
        (Some(low), Some(high)) => below(high, low),
        _ => false,
    };
    if crossed {
        return Err(format!("the minimum of {what} is above its maximum"));
    }
    if minimum.as_ref().is_some_and(|m| below(&default, m)) {
        return Err(format!("the default of {what} is below its minimum"));
    }
    if maximum.as_ref().is_some_and(|m| below(m, &default)) {
        return Err(format!("the default of {what} is above its maximum"));
    }
    Ok(Parameter {
        unit: unit(&what, raw.unit)?,
        doc: sentence(&format!("the doc of {what}"), raw.doc)?,
        name: raw.name,
        default,
        minimum,
        maximum,
    })
}

fn bound_of(
    what: &str,
    side: &str,
    raw: Option<wit::ScalarResult>,
    default: &Scalar,
) -> Check<Option<Scalar>> {
    let Some(raw) = raw else { return Ok(None) };
    let bound = scalar(&format!("the {side} of {what}"), raw)?;
    if bound.data_type() != default.data_type() {
        return Err(format!(
            "the {side} of {what} has type {}, but the default has type {}",
            bound.data_type().name(),
            default.data_type().name()
        ));
    }
    if matches!(bound, Scalar::Text(_) | Scalar::Boolean(_)) {
        return Err(format!(
            "{what} of type {} has a {side}; only numbers and dates have bounds",
            bound.data_type().name()
        ));
    }
    Ok(Some(bound))
}

fn is_number(data_type: DataType) -> bool {
    matches!(data_type, DataType::Float64 | DataType::Int64)
}

fn guardrail(
    raw: wit::Guardrail,
    outputs: &[Output],
    parameters: &[Parameter],
) -> Check<Guardrail> {
    let shown = printable(&raw.output, NAME);
    let Some(output) = outputs.iter().find(|o| o.field.name == raw.output) else {
        return Err(format!(
            "a guardrail looks at the output `{shown}`, which is not declared"
        ));
    };
    if !is_number(output.field.data_type) {
        return Err(format!(
            "a guardrail looks at the output `{shown}` of type {}; only numbers have bounds",
            output.field.data_type.name()
        ));
    }
    let bound = |raw: Option<wit::Bound>| -> Check<Option<Bound>> {
        Ok(match raw {
            None => None,
            Some(wit::Bound::Value(x)) if x.is_finite() => Some(Bound::Value(plain_zero(x))),
            Some(wit::Bound::Value(_)) => {
                return Err(format!(
                    "a bound of the guardrail on `{shown}` is not a finite number"
                ));
            }
            Some(wit::Bound::Parameter(p)) => {
                let known = parameters
                    .iter()
                    .any(|q| q.name == p && is_number(q.default.data_type()));
                if !known {
                    return Err(format!(
                        "the guardrail on `{shown}` takes its bound from `{}`, which is not a declared numeric parameter",
                        printable(&p, NAME)
                    ));
                }
                Some(Bound::Parameter(p))
            }
        })
    };
    let (minimum, maximum) = (bound(raw.minimum)?, bound(raw.maximum)?);
    match (&minimum, &maximum) {
        (None, None) => return Err(format!("the guardrail on `{shown}` has no bound")),
        (Some(Bound::Value(low)), Some(Bound::Value(high))) if low > high => {
            return Err(format!(
                "the guardrail on `{shown}` has a minimum of {low}, which is above its maximum of {high}"
            ));
        }
        _ => {}
    }
    Ok(Guardrail {
        output: raw.output,
        minimum,
        maximum,
        severity: match raw.severity {
            wit::Severity::Warn => Severity::Warn,
            wit::Severity::Crit => Severity::Crit,
        },
    })
}

fn monitor(raw: wit::MonitorRule, inputs: &[Input], outputs: &[Output]) -> Check<MonitorRule> {
    name("the metric of a monitor", &raw.metric)?;
    let what = format!("the monitor `{}`", raw.metric);
    if let Some(subject) = &raw.subject {
        let known = outputs.iter().any(|o| &o.field.name == subject)
            || inputs.iter().any(|i| &i.field.name == subject);
        if !known {
            return Err(format!(
                "{what} looks at `{}`, which is neither an input nor an output",
                printable(subject, NAME)
            ));
        }
    }
    if raw.warn.into_iter().chain(raw.crit).any(|x| !x.is_finite()) {
        return Err(format!("a threshold of {what} is not a finite number"));
    }
    let direction = match raw.direction {
        wit::Direction::Above => Direction::Above,
        wit::Direction::Below => Direction::Below,
    };
    match (raw.warn, raw.crit) {
        (None, None) => return Err(format!("{what} has no threshold")),
        (Some(warn), Some(crit)) => {
            let crossed = match direction {
                Direction::Above => warn > crit,
                Direction::Below => warn < crit,
            };
            if crossed {
                return Err(format!(
                    "{what} turns critical at {crit} before it warns at {warn}"
                ));
            }
        }
        _ => {}
    }
    Ok(MonitorRule {
        metric: raw.metric,
        subject: raw.subject,
        scope: match raw.scope {
            wit::Scope::Series => Scope::Series,
            wit::Scope::Fleet => Scope::Fleet,
        },
        direction,
        warn: raw.warn.map(plain_zero),
        crit: raw.crit.map(plain_zero),
        min_rows: raw.min_rows,
    })
}

fn annotation((key, value): (String, String)) -> Check<(String, String)> {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-');
    if key.is_empty() || key.len() > NAME || !key.bytes().all(plain) {
        return Err(format!(
            "an annotation has the key `{}`; a key is 1 to {NAME} characters of a-z, 0-9, _ and -",
            printable(&key, NAME)
        ));
    }
    let value = sentence(&format!("the annotation `{key}`"), value)?;
    Ok((key, value))
}

#[cfg(test)]
mod tests;
