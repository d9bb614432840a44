use super::*;
use crate::project::settings::Settings;

#[test]
fn staging_blocks_on_warn_prod_alerts_and_others_require_nothing() {
    let of = |name| Policy::of(name, None);
    let actions = |p: &Policy| (p.required, p.on_warn, p.on_crit);
    assert_eq!(
        actions(&of("staging")),
        (true, Action::Block, Action::Block)
    );
    assert_eq!(actions(&of("prod")), (true, Action::Alert, Action::Block));
    assert_eq!(
        actions(&of("sample")),
        (false, Action::Alert, Action::Block)
    );
    assert!(of("prod").checks.contains(&CheckName::Canary));
    assert!(!of("staging").checks.contains(&CheckName::Canary));
}

#[test]
fn what_is_set_overrides_what_is_built_in() {
    let text = "[gate.prod]\nchecks = ['age', 'verify', 'age']\non_warn = 'block'\n\
                [gate.prod.backtest]\ndays = 7\n";
    let settings = Settings::parse(text).unwrap();
    let policy = settings.policy("prod");
    assert_eq!(policy.checks, [CheckName::Verify, CheckName::Age]);
    assert_eq!(
        (policy.on_warn, policy.on_crit),
        (Action::Block, Action::Block)
    );
    assert_eq!(policy.backtest.days, 7);
    assert_eq!(policy.backtest.median_change_crit, Some(1.0));
    assert!(policy.required);
    assert_ne!(
        policy.digest("prod", &Json::Null).unwrap(),
        Settings::default()
            .policy("prod")
            .digest("prod", &Json::Null)
            .unwrap()
    );
}

#[test]
fn mistakes_name_the_key_and_what_is_nearest() {
    for (text, part) in [
        (
            "[gate]\non_warn = 'block'",
            "gate.on_warn = \"block\": write a table for each environment",
        ),
        (
            "[gate.prod]\non_wran = 'block'",
            "gate.prod.on_wran = \"block\": unknown key (did you mean `on_warn`?)",
        ),
        (
            "[gate.prod.backtest]\nday = 3",
            "gate.prod.backtest.day = 3: unknown key (did you mean `days`?)",
        ),
        (
            "[gate.prod]\nchecks = ['golden']",
            "unknown check (did you mean `goldens`?)",
        ),
        ("[gate.prod]\nchecks = []", "lets everything in"),
        ("[gate.prod]\non_warn = 'explode'", "explode"),
        (
            "[gate.prod.replay]\nsample = 5",
            "must not be more than replay.sample",
        ),
        (
            "[gate.prod.ownership]\nroles = []",
            "name ds, mlops or both",
        ),
        (
            "[gate.prod.passed]\nenvironments = []",
            "name an environment",
        ),
        ("[gate.prod.backtest]\nnull_rate_warn = -0.1", "0 or more"),
        (
            "[gate.prod.backtest]\nnull_rate_warn = 0.5",
            "warn is beyond crit",
        ),
        ("[gate.prod]\nmax_age_days = 0", "from 1 to"),
    ] {
        let message = Settings::parse(text).unwrap_err().to_string();
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn config_shows_the_policy_in_force_and_where_it_was_set() {
    let text = "environment = 'prod'\n[gate.prod]\non_warn = 'block'\n";
    let set = crate::project::settings::set(text).unwrap();
    let rows = Settings::parse(text).unwrap().origins(&set);
    let origin = |key: &str| {
        let found = rows.iter().find(|(k, _, _)| k == key);
        found.map(|(_, v, by)| (v.as_str(), by.name()))
    };
    assert_eq!(
        origin("gate.prod.on_warn"),
        Some(("\"block\"", "provender.toml"))
    );
    assert_eq!(origin("gate.prod.on_crit"), Some(("\"block\"", "default")));
    assert_eq!(origin("gate.prod.replay.sample"), Some(("50", "default")));
}

#[test]
fn the_example_policies_are_what_they_say() {
    let staging = include_str!("../../../../../docs/operations/policy-staging.toml");
    let prod = include_str!("../../../../../docs/operations/policy-prod.toml");
    let read = |text: &str| {
        let settings = Settings::parse(text).unwrap();
        settings.policy(&settings.environment)
    };
    let (staging, prod) = (read(staging), read(prod));
    assert!(staging.required && prod.required);
    assert_eq!(
        (staging.on_warn, staging.on_crit),
        (Action::Block, Action::Block)
    );
    assert_eq!((prod.on_warn, prod.on_crit), (Action::Alert, Action::Block));
    assert_eq!(prod.checks, CheckName::ALL);
    assert_eq!(staging.backtest.min_rows, 200);
    assert_eq!(staging.checks, Policy::of("staging", None).checks);
}
