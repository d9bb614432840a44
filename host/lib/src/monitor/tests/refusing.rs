//! Rules, thresholds and input that are refused, and what `logic.toml` may change.

use super::*;
use provender_domain::ids::ModelVersion;

#[test]
fn a_rule_that_cannot_be_checked_is_refused_by_name() {
    let refusal = |rule: MonitorRule| {
        let mut logic = logic(vec![rule], vec![series(&EIGHT)]);
        logic
            .bounds
            .insert("forage_age".to_owned(), Bounds::default());
        judge(window(), &[logic]).unwrap_err().to_string()
    };
    let wants = [
        (
            rule("share_nul", Some("days"), None, None),
            "the nearest is `share_null`",
        ),
        (rule("mean", None, None, None), "needs a subject"),
        (
            rule("coverage", Some("days"), None, None),
            "looks at no column",
        ),
        (
            rule("mean", Some("dayz"), None, None),
            "the nearest is `days`",
        ),
        (
            rule("mean", Some("move_date"), None, None),
            "`move_date` is of type date",
        ),
        (
            rule("share_above_maximum", Some("forage_age"), None, None),
            "no guardrail of `forage_age`",
        ),
        (days(f64::NAN, 1.0, "mean"), "not a finite number"),
        (days(2.0, 1.0, "mean"), "crit before it is warn"),
        (days(1.0, 2.0, "min"), "crit before it is warn"),
    ];
    for (rule, want) in wants {
        let text = refusal(rule);
        assert!(
            text.contains(want) && text.contains("days_remaining:v1"),
            "{text}"
        );
    }
    let twice = logic(vec![days(1.0, 2.0, "mean"), days(3.0, 4.0, "mean")], vec![]);
    assert!(matches!(
        judge(window(), &[twice]),
        Err(MonitorError::TwiceRule { .. })
    ));
}

#[test]
fn input_other_than_what_was_requested_is_refused() {
    let refusal = |series: Vec<SeriesInput>| {
        judge(window(), &[logic(vec![days(1.0, 2.0, "mean")], series)])
            .unwrap_err()
            .to_string()
    };
    let with = |change: fn(&mut SeriesInput)| {
        let mut one = series(&EIGHT);
        change(&mut one);
        vec![one]
    };
    for (series, want) in [
        (
            with(|s| s.rows[0].date = june(31)),
            "2025-07-01 lies outside",
        ),
        (
            with(|s| {
                s.expected.insert(june(0));
            }),
            "2025-05-31 lies outside",
        ),
        (
            with(|s| s.rows[1].date = june(1)),
            "the answer of 2025-06-01 was given twice",
        ),
        (
            with(|s| {
                s.rows[0].values.remove("days");
            }),
            "was given without `days`",
        ),
        (vec![series(&[]), series(&[])], "north / h1 was given twice"),
    ] {
        let text = refusal(series);
        assert!(text.contains(want), "{text}");
    }
    let none = Window {
        end: june(1),
        days: 0,
    };
    assert!(matches!(judge(none, &[]), Err(MonitorError::Window { .. })));
    let long = Window {
        end: june(1),
        days: u32::MAX,
    };
    assert!(matches!(judge(long, &[]), Err(MonitorError::Window { .. })));
}

fn setting(metric: &str, warn: Setting, crit: Setting) -> Override {
    Override {
        metric: metric.to_owned(),
        subject: Some("days".to_owned()),
        scope: None,
        direction: None,
        warn,
        crit,
        min_rows: None,
    }
}

#[test]
fn overrides_take_the_place_of_declared_thresholds_and_change_their_digest() {
    let mut both = vec![days(150.0, 240.0, "p95"), days(150.0, 240.0, "p95")];
    both[1].scope = Scope::Series;
    let tight = setting("p95", Setting::Value(16.0), Setting::Off);
    let out = apply_overrides(
        &ModelVersion::unchecked("m:v1"),
        &both,
        std::slice::from_ref(&tight),
    )
    .unwrap();
    assert!(
        out.iter()
            .all(|r| (r.warn, r.crit, r.min_rows) == (Some(16.0), None, 1))
    );
    assert_ne!(thresholds_version(&out), thresholds_version(&both));
    let reversed: Vec<_> = both.iter().rev().cloned().collect();
    assert_eq!(thresholds_version(&reversed), thresholds_version(&both));

    let mut only_series = tight.clone();
    only_series.scope = Some(Scope::Series);
    only_series.min_rows = Some(9);
    let out = apply_overrides(
        &ModelVersion::unchecked("m:v1"),
        &both,
        std::slice::from_ref(&only_series),
    )
    .unwrap();
    assert_eq!(
        (out[0].warn, out[1].warn, out[1].min_rows),
        (Some(150.0), Some(16.0), 9)
    );

    let twice = apply_overrides(
        &ModelVersion::unchecked("m:v1"),
        &both,
        &[tight.clone(), only_series],
    );
    assert!(matches!(twice, Err(MonitorError::TwiceOverride { .. })));
    let stray = setting("p59", Setting::Off, Setting::Keep);
    let text = apply_overrides(&ModelVersion::unchecked("m:v1"), &both, &[stray])
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("`p59(days)`") && text.contains("the nearest is `p95(days) above, fleet`"),
        "{text}"
    );
    let text = apply_overrides(&ModelVersion::unchecked("m:v1"), &[], &[tight])
        .unwrap_err()
        .to_string();
    assert!(text.contains("declares no monitor rules"), "{text}");
}

#[test]
fn bounds_come_from_values_and_parameters_and_the_tighter_one_holds() {
    let guardrail = |minimum, maximum| Guardrail {
        output: "days".to_owned(),
        minimum,
        maximum,
        severity: Severity::Crit,
    };
    let description = Description {
        name: "m".to_owned(),
        version: "v1".to_owned(),
        summary: String::new(),
        inputs: vec![],
        parameters: vec![],
        outputs: vec![],
        guardrails: vec![
            guardrail(
                Some(Bound::Value(-5.0)),
                Some(Bound::Parameter("cap".to_owned())),
            ),
            guardrail(Some(Bound::Value(0.0)), Some(Bound::Value(400.0))),
        ],
        monitors: vec![],
        annotations: vec![],
    };
    let parameters = BTreeMap::from([("cap".to_owned(), Scalar::Int64(365))]);
    let bounds = bounds_of(&description, &parameters).unwrap();
    assert_eq!(
        bounds["days"],
        Bounds {
            minimum: Some(0.0),
            maximum: Some(365.0)
        }
    );
    let text = bounds_of(&description, &BTreeMap::new())
        .unwrap_err()
        .to_string();
    assert!(text.contains("the parameter `cap`"), "{text}");
}
