//! The store of releases: export and import, pruning, and what a backup contains.

use provender_domain::canonical::Digest;
use provender_host::release::Archive;
use serde_json::{Value as Json, json};

use crate::kit::Ranch;
use crate::release::{COMPUTE, DAY, cut, promote, set, three, v1};

#[test]
fn a_release_is_imported_completely_or_not_at_all() {
    let staging = three();
    let _ = staging.run(&["release", "export", "R2", "R2.tar"]).exits(0);
    let bytes = std::fs::read(staging.path("R2.tar")).unwrap();
    let _ = staging
        .run(&["release", "export", "R2", "again.tar"])
        .exits(0);
    assert_eq!(std::fs::read(staging.path("again.tar")).unwrap(), bytes);

    let prod = Ranch::sample();
    prod.edit(
        "provender.toml",
        "environment = \"sample\"",
        // Another test covers the gate.
        "environment = \"prod\"\ngate.prod.required = false",
    );
    // Changes bytes throughout the archive, in headers, content and padding.
    let step = (bytes.len() / 150).max(1);
    for (n, at) in (0..bytes.len()).step_by(step).enumerate() {
        let mut other = bytes.clone();
        other[at] ^= 1 << (n % 8);
        assert!(Archive::unpack("x", &other).is_err(), "byte {at}");
        if n % 15 == 0 {
            std::fs::write(prod.path("bad.tar"), &other).unwrap();
            let _ = prod.run(&["release", "import", "bad.tar"]).exits(11);
        }
    }
    for length in [0, 512, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(prod.path("bad.tar"), &bytes[..length]).unwrap();
        let _ = prod.run(&["release", "import", "bad.tar"]).exits(11);
    }
    assert_eq!(prod.data(&["release", "list"], 0)["releases"], json!([]));

    std::fs::write(prod.path("R2.tar"), &bytes).unwrap();
    let _ = prod
        .run(&["release", "import", "R2.tar", "--digest", "0123456789"])
        .exits(11);
    let digest = staging.data(&["release", "show", "R2"], 0)["release"].clone();
    let file = Digest::of_bytes(&bytes).to_string();
    let args = ["release", "import", "R2.tar", "--digest", &file];
    let data = prod.data(&args, 0);
    assert_eq!(data["release"], digest);
    assert_eq!((&data["new"], &data["evidence"]), (&json!(true), &json!(2)));
    let args = [&args[..4], &[digest.as_str().unwrap()]].concat();
    let again = prod.data(&args, 0);
    assert_eq!(
        (&again["new"], &again["evidence"]),
        (&json!(false), &json!(0))
    );

    // It gives the same numbers, whatever prod's own files say.
    promote(&prod, "R2", "none");
    let _ = prod.run(&["run", "--as-of", DAY]).exits(0);
    promote(&staging, "R2", "R1");
    let _ = staging.run(&COMPUTE).exits(0);
    let (here, there) = (
        prod.answer("north", "h-heifers"),
        staging.answer("north", "h-heifers"),
    );
    assert_eq!(here.to_bits(), there.to_bits());
    let shown = prod.data(&["release", "show", "R2"], 0);
    assert_eq!(shown["evidence"][0]["environment"], "sample");
    assert_eq!(shown["imported"], true);

    // Another release already has this number.
    let other = v1();
    set(&other, "77.0");
    cut(&other, "days_remaining:v2", "a second number one");
    let _ = staging.run(&["release", "export", "R1", "R1.tar"]).exits(0);
    std::fs::copy(staging.path("R1.tar"), other.path("R1.tar")).unwrap();
    let refused = other.run(&["release", "import", "R1.tar"]).exits(11);
    assert!(
        refused.stderr.contains("but here R1 is"),
        "{}",
        refused.stderr
    );
}

#[test]
fn prune_shows_its_plan_and_keeps_what_history_needs() {
    let ranch = three();
    promote(&ranch, "R2", "R1");
    let _ = ranch.run(&COMPUTE).exits(0);
    promote(&ranch, "R1", "R2");
    let _ = ranch.run(&["release", "export", "R3", "R3.tar"]).exits(0);
    let all = ranch.data(&["release", "prune"], 0);
    assert_eq!(all["releases"], json!([]));
    let plan = ranch.data(&["release", "prune", "--keep", "0"], 0);
    assert_eq!(plan["applied"], false);
    let why: Vec<_> = plan["kept"]
        .as_array()
        .unwrap()
        .iter()
        .map(|k| (k["number"].clone(), k["why"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(why[0].1, "a rollback would go back to it");
    assert_eq!(why[1].1, "it is active");
    assert_eq!(plan["releases"].as_array().unwrap().len(), 1);
    // Its component is also that of R2, which stays.
    assert_eq!(plan["components"], json!([]));
    let before = ranch.files("out/manifests");
    let _ = ranch
        .run(&["release", "prune", "--keep", "0", "--apply", "0123456789"])
        .exits(17);
    let digest = plan["plan"].as_str().unwrap();
    let done = ranch.data(&["release", "prune", "--keep", "0", "--apply", digest], 0);
    assert_eq!(done["applied"], true);
    assert_eq!(ranch.files("out/manifests"), before);
    let listed = ranch.data(&["release", "list"], 0);
    assert!(listed["releases"][2]["pruned"].is_i64());
    let refused = ranch
        .run(&["release", "promote", "R3", "--reason", "x"])
        .exits(11);
    assert!(
        refused.stderr.contains("its files were pruned"),
        "{}",
        refused.stderr
    );
    let back = ranch.data(&["release", "import", "R3.tar"], 0);
    assert_eq!(back["new"], true);
    promote(&ranch, "R3", "R1");
    let _ = ranch.run(&COMPUTE).exits(0);
    let _ = ranch
        .run(&["explain", "--boundary", "north", "--as-of", DAY])
        .exits(0);
}

#[test]
fn an_empty_plan_removes_nothing_and_records_nothing() {
    let ranch = three();
    let plan = ranch.data(&["release", "prune", "--keep", "9"], 0);
    let digest = plan["plan"].as_str().unwrap();
    let before = ranch.files("out");
    let apply = ["release", "prune", "--keep", "9", "--apply", digest];
    let done = ranch.data(&apply, 0);
    assert_eq!(done["applied"], false);
    assert_eq!(done["entry"], Json::Null);
    assert!(ranch.files("out") == before);
}
