//! Properties: shares stay between 0 and 1, and the order of the input never affects the report.

use proptest::prelude::*;
use provender_domain::ids::HerdId;

use super::*;

fn all_rules() -> Vec<MonitorRule> {
    let mut out = Vec::new();
    for metric in metrics::Metric::ALL {
        let subject = (metric.needs() != metrics::Needs::Rows).then_some("days");
        for scope in [Scope::Fleet, Scope::Series] {
            let mut rule = rule(metric.name(), subject, Some(0.3), Some(0.3));
            rule.scope = scope;
            out.push(rule);
        }
    }
    out
}

fn any_value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(0.0)),
        1 => Just(Some(365.0)),
        3 => (-50.0..500.0).prop_map(Some),
        1 => prop::num::f64::NORMAL.prop_map(Some),
    ]
}

proptest! {
    #[test]
    fn shares_stay_in_their_range_and_order_never_reaches_the_report(
        values in prop::collection::vec(any_value(), 0..30),
        expected in prop::collection::btree_set(1..=30, 0..30),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut a = series(&values);
        a.expected = expected.into_iter().map(june).collect();
        let mut b = series(&values[..values.len() / 2]);
        b.herd_config_id = HerdId::unchecked("h0");
        let forward = logic(all_rules(), vec![a, b]);
        let report = judge(window(), std::slice::from_ref(&forward)).unwrap();
        for group in report.fleet.iter().chain(&report.series) {
            for m in group.metrics.iter().filter(|m| m.name.starts_with("share") || m.name == "coverage") {
                prop_assert!(m.value.is_none_or(|x| (0.0..=1.0).contains(&x)), "{m:?}");
            }
            for m in &group.metrics {
                prop_assert!(m.value.is_some() || m.status != Status::Ok, "{m:?}");
            }
        }

        let mut backward = forward;
        backward.series.reverse();
        backward.rules.reverse();
        for s in &mut backward.series {
            s.rows.reverse();
            if !s.rows.is_empty() {
                let middle = seed.index(s.rows.len());
                s.rows.rotate_left(middle);
            }
        }
        let again = judge(window(), &[backward]).unwrap();
        prop_assert_eq!(report.report, again.report);
        prop_assert_eq!(report.to_canonical().unwrap(), again.to_canonical().unwrap());
        let page = |r: &MonitorReport| provender_domain::render::html::page(&document(r, &whole()).unwrap());
        prop_assert_eq!(page(&report), page(&again));
    }
}
