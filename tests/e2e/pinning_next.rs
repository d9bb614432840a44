//! The next steps that `plugin add` and `plugin freeze` print work.

use crate::kit::{Ranch, unpin, variant_of};

const DAY: &str = "2025-06-30";

#[test]
fn adding_a_draft_suggests_what_to_compare_it_with() {
    let ranch = Ranch::ran();
    let next = |file: &str| {
        let added = ranch.run(&["plugin", "add", file]).exits(0);
        let at = added.stdout.find("next:").unwrap();
        added.stdout[at..].to_owned()
    };
    let file = variant_of(&ranch, "v1", "one");
    unpin(&ranch, "v1");
    let active = next(file.to_str().unwrap());

    // The suggested command works: it names a version to compare with, because none is active.
    ranch.edit("provender.toml", "\"days_remaining:v2\", ", "");
    let file = variant_of(&ranch, "v1", "two");
    let inactive = next(file.to_str().unwrap());
    let suggested = "backtest days_remaining:v1 --against days_remaining:v2";
    assert!(inactive.contains(suggested), "{inactive}");
    let args: Vec<_> = suggested.split(' ').collect();
    let _ = ranch.run(&args).exits(0);

    // The only version of its name.
    let pins = ranch.read("provender.lock");
    let (head, others) = pins.split_once("[[component]]").unwrap();
    let frost: Vec<_> = others
        .split("[[component]]")
        .filter(|pin| pin.contains("\"frost_days\""))
        .map(|pin| format!("[[component]]{pin}"))
        .collect();
    ranch.write("provender.lock", &format!("{head}{}", frost.concat()));
    let file = variant_of(&ranch, "v1", "three");
    let first = next(file.to_str().unwrap());
    let dry = ["compute", "--all", "--as-of", DAY, "--logic"];
    let dry = [&dry[..], &["days_remaining:v1", "--dry-run"]].concat();
    let _ = ranch.run(&dry).exits(0);
    insta::assert_snapshot!(
        "next_of_a_draft",
        format!("active:\n{active}\ninactive:\n{inactive}\nfirst:\n{first}")
    );
}

#[test]
fn freezing_says_whether_settings_or_a_release_make_the_version_active() {
    let ranch = Ranch::ran();
    let file = variant_of(&ranch, "v1", "one");
    unpin(&ranch, "v1");
    let _ = ranch
        .run(&["plugin", "add", file.to_str().unwrap()])
        .exits(0);
    let freeze = ["plugin", "freeze", "days_remaining:v1", "--reason", "ok"];
    let said = ranch.run(&freeze).exits(0).stdout;
    assert!(said.contains("`active` in provender.toml"), "{said}");

    // Once a release is active, settings can no longer activate a version.
    let ranch = Ranch::ran();
    let file = variant_of(&ranch, "v1", "one");
    // A cut freezes everything that is pinned.
    unpin(&ranch, "v1");
    let _ = ranch.run(&["release", "cut", "--reason", "first"]).exits(0);
    let promote = ["release", "promote", "R1", "--reason", "first"];
    let _ = ranch.run(&promote).exits(0);
    let added = ranch.run(&["plugin", "add", file.to_str().unwrap()]);
    assert_eq!(added.code, 0, "{}", added.stderr);
    let said = ranch.run(&freeze).exits(0).stdout;
    assert!(said.contains("provender release cut"), "{said}");
    assert!(!said.contains("provender.toml"), "{said}");
}
