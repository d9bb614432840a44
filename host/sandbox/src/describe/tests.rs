//! A valid declaration is accepted; each broken rule is named in the error.

use super::*;

fn good() -> wit::Description {
    let field = |name: &str, data_type| wit::Field {
        name: name.into(),
        data_type,
        unit: Some("kg/ha".into()),
        nullable: true,
        doc: "a sentence".into(),
    };
    wit::Description {
        name: "demo".into(),
        version: "v2".into(),
        summary: "shows".into(),
        inputs: vec![wit::Input {
            field: field("rain", wit::DataType::Float64),
            feature: "precipitation_mm:sum:30d".into(),
        }],
        parameters: vec![wit::Parameter {
            name: "low".into(),
            unit: None,
            default: wit::ScalarResult::Float64(-0.0),
            minimum: Some(wit::ScalarResult::Float64(0.0)),
            maximum: Some(wit::ScalarResult::Float64(9.0)),
            doc: String::new(),
        }],
        outputs: vec![wit::Output {
            field: field("days", wit::DataType::Float64),
            role: wit::Role::Outcome,
            formula: None,
        }],
        guardrails: vec![wit::Guardrail {
            output: "days".into(),
            minimum: Some(wit::Bound::Parameter("low".into())),
            maximum: None,
            severity: wit::Severity::Crit,
        }],
        monitors: vec![wit::MonitorRule {
            metric: "null_share".into(),
            subject: Some("days".into()),
            scope: wit::Scope::Fleet,
            direction: wit::Direction::Above,
            warn: Some(0.1),
            crit: Some(0.2),
            min_rows: 5,
        }],
        annotations: vec![("not-accounted-for".into(), "drift".into())],
    }
}

#[test]
fn a_valid_declaration_is_accepted() {
    let d = description(good()).unwrap();
    assert_eq!(d.model_version(), "demo:v2");
    let Scalar::Float64(x) = d.parameters[0].default else {
        panic!()
    };
    assert!(x.is_sign_positive(), "-0.0 becomes 0.0");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of broken descriptions")]
fn each_broken_rule_is_named() {
    type Break = fn(&mut wit::Description);
    let cases: &[(Break, &str)] = &[
        (|d| d.name = String::new(), "the component's name is empty"),
        (|d| d.name = "Days".into(), "is `Days`; a name"),
        (|d| d.name = "../x".into(), "a name consists of"),
        (|d| d.name = "a".repeat(65), "65 bytes; at most 64"),
        (|d| d.version = "2".into(), "the version is `2`"),
        (|d| d.version = "v02".into(), "the version is `v02`"),
        (|d| d.version = "v".into(), "the version is `v`"),
        (
            |d| d.inputs.push(d.inputs[0].clone()),
            "the input `rain` is declared twice",
        ),
        (
            |d| d.outputs.push(d.outputs[0].clone()),
            "the output `days` is declared twice",
        ),
        (
            |d| d.parameters.push(d.parameters[0].clone()),
            "the parameter `low` is declared twice",
        ),
        (
            |d| d.inputs = vec![d.inputs[0].clone(); 257],
            "257 inputs are declared",
        ),
        (
            |d| d.inputs[0].feature = "Rain".into(),
            "asks for the feature `Rain`",
        ),
        (
            |d| d.inputs[0].field.unit = Some(" kg".into()),
            "the unit of the input `rain`",
        ),
        (
            |d| d.outputs[0].field.data_type = wit::DataType::Series,
            "is a series",
        ),
        (
            |d| d.outputs[0].role = wit::Role::Reason,
            "a reason must be a text",
        ),
        (
            |d| d.outputs[0].role = wit::Role::Term,
            "no output has the role outcome",
        ),
        (|d| d.outputs.clear(), "no output has the role outcome"),
        (
            |d| d.parameters[0].default = wit::ScalarResult::Float64(f64::NAN),
            "not a finite",
        ),
        (
            |d| d.parameters[0].default = wit::ScalarResult::Float64(9.5),
            "above its maximum",
        ),
        (
            |d| d.parameters[0].default = wit::ScalarResult::Float64(-1.0),
            "below its minimum",
        ),
        (
            |d| d.parameters[0].default = wit::ScalarResult::Int64(1),
            "has type float64, but the default has type int64",
        ),
        (
            |d| d.parameters[0].maximum = Some(wit::ScalarResult::Float64(-1.0)),
            "above its maximum",
        ),
        (
            |d| d.guardrails[0].output = "x".into(),
            "which is not declared",
        ),
        (|d| d.guardrails[0].minimum = None, "has no bound"),
        (
            |d| d.guardrails[0].minimum = Some(wit::Bound::Parameter("x".into())),
            "takes its bound from `x`",
        ),
        (
            |d| d.guardrails[0].minimum = Some(wit::Bound::Value(f64::INFINITY)),
            "not a finite",
        ),
        (
            |d| d.monitors[0].subject = Some("x".into()),
            "neither an input nor an output",
        ),
        (
            |d| d.monitors[0].warn = Some(0.3),
            "critical at 0.2 before it warns at 0.3",
        ),
        (
            |d| (d.monitors[0].warn, d.monitors[0].crit) = (None, None),
            "has no threshold",
        ),
        (
            |d| d.monitors[0].metric = "a b".into(),
            "the metric of a monitor",
        ),
        (
            |d| d.summary = "\u{1b}[2J".into(),
            "the summary contains control characters",
        ),
        (|d| d.summary = "é".repeat(2_001), "2001 characters"),
        (|d| d.annotations[0].0 = "A".into(), "has the key `A`"),
    ];
    for (change, expected) in cases {
        let mut raw = good();
        change(&mut raw);
        let error = description(raw).unwrap_err();
        assert!(
            error.contains(expected),
            "{error:?} should contain {expected:?}"
        );
    }
}

#[test]
fn values_at_the_limit_are_accepted() {
    let mut raw = good();
    raw.name = "a".repeat(64);
    raw.summary = "é".repeat(2_000);
    raw.version = "v999999999".into();
    assert!(description(raw).is_ok());
}

/// Makes a declaration with N valid items of one kind.
type Many = fn(&mut wit::Description, usize);

#[test]
fn each_kind_is_counted_to_256() {
    let kinds: [(&str, Many); 6] = [
        ("inputs", |d, n| {
            let one = d.inputs[0].clone();
            d.inputs = many(n, |i, name| {
                let mut input = one.clone();
                input.field.name = format!("{name}{i}");
                input
            });
        }),
        ("parameters", |d, n| {
            let one = d.parameters[0].clone();
            // The guardrail's own parameter is one of them.
            d.parameters.extend(many(n - 1, |i, name| {
                let mut parameter = one.clone();
                parameter.name = format!("{name}{i}");
                parameter
            }));
        }),
        ("outputs", |d, n| {
            let one = d.outputs[0].clone();
            d.outputs.extend(many(n - 1, |i, name| {
                let mut output = one.clone();
                output.field.name = format!("{name}{i}");
                output
            }));
        }),
        ("guardrails", |d, n| {
            let one = d.guardrails[0].clone();
            d.guardrails = vec![one; n];
        }),
        ("monitors", |d, n| {
            let one = d.monitors[0].clone();
            d.monitors = vec![one; n];
        }),
        ("annotations", |d, n| {
            d.annotations = many(n, |i, name| (format!("{name}{i}"), String::new()));
        }),
    ];
    for (what, fill) in kinds {
        let mut raw = good();
        fill(&mut raw, 256);
        let read = description(raw).unwrap_or_else(|e| panic!("256 {what}: {e}"));
        let lengths = [
            read.inputs.len(),
            read.parameters.len(),
            read.outputs.len(),
            read.guardrails.len(),
            read.monitors.len(),
            read.annotations.len(),
        ];
        assert!(lengths.contains(&256), "{what}: {lengths:?}");
        let mut raw = good();
        fill(&mut raw, 257);
        let error = description(raw).unwrap_err();
        let expected = format!("257 {what} are declared; at most 256 are allowed");
        assert_eq!(error, expected);
    }
}

fn many<T>(n: usize, of: impl Fn(usize, &str) -> T) -> Vec<T> {
    (0..n).map(|i| of(i, "one_")).collect()
}

#[test]
fn texts_are_limited_to_the_exact_character() {
    type Fill = fn(&mut wit::Description, usize);
    let words: [(&str, usize, Fill); 9] = [
        ("name", 64, |d, n| d.name = "a".repeat(n)),
        ("input's name", 64, |d, n| {
            d.inputs[0].field.name = "a".repeat(n)
        }),
        ("parameter's name", 64, |d, n| {
            d.parameters[0].name = "a".repeat(n);
            d.guardrails.clear();
        }),
        ("key", 64, |d, n| d.annotations[0].0 = "a".repeat(n)),
        ("unit", 32, |d, n| {
            d.inputs[0].field.unit = Some("é".repeat(n))
        }),
        ("doc", 2_000, |d, n| d.parameters[0].doc = "é".repeat(n)),
        ("formula", 2_000, |d, n| {
            d.outputs[0].formula = Some("é".repeat(n))
        }),
        ("summary", 2_000, |d, n| d.summary = "é".repeat(n)),
        ("annotation", 2_000, |d, n| {
            d.annotations[0].1 = "é".repeat(n)
        }),
    ];
    for (what, most, fill) in words {
        let mut raw = good();
        fill(&mut raw, most);
        assert!(description(raw).is_ok(), "{what} of {most}");
        let mut raw = good();
        fill(&mut raw, most + 1);
        assert!(description(raw).is_err(), "{what} of {}", most + 1);
    }
}
