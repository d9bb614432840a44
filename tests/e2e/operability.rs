//! What a command tells of itself: how long it took.

use crate::kit::Ranch;

#[test]
fn the_envelope_says_how_long_the_command_and_its_phases_took() {
    let ranch = Ranch::sample();
    let run = ranch
        .run(&["run", "--as-of", "2025-06-30", "--json"])
        .exits(0);
    let data = run.json()["data"].clone();
    for name in ["duration_ms", "phases"] {
        assert!(data.get(name).is_none(), "{name} stands in data");
    }
    let took = run.took.unwrap();
    let names: Vec<&str> = took.phases.keys().map(String::as_str).collect();
    assert_eq!(names, ["compute", "ingest", "monitor", "report", "status"]);
    assert!(took.phases.values().all(|ms| *ms > 0.0));
    assert!(took.phases.values().sum::<f64>() <= took.duration_ms);

    let phases = |args: &[&str], code| {
        let took = ranch.run(args).exits(code).took.unwrap();
        assert!(took.duration_ms > 0.0, "{args:?}");
        took.phases.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(phases(&["replay", "--all", "--json"], 0), ["replay"]);
    assert_eq!(phases(&["audit", "--json"], 0), ["audit"]);
    // An error has an envelope too, and wrong usage as well.
    assert!(phases(&["compute", "--all", "--as-of", "never", "--json"], 64).is_empty());
    assert!(phases(&["grow", "--json"], 64).is_empty());
}
