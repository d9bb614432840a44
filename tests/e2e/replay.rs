//! `replay`: the same bits from manifest and component alone, and what it reports if they differ.

use rusqlite::Connection;

use crate::hostile::components::{Code, guest};
use crate::kit::{Ranch, unpin};

/// How many runs the sample ranch records on its day.
const RUNS: i64 = 9;

fn count(ranch: &Ranch) -> i64 {
    let db = Connection::open(ranch.path("out/ledger.db")).unwrap();
    db.query_row("SELECT count(*) FROM run", [], |r| r.get(0))
        .unwrap()
}

/// Runs SQL without the triggers that refuse changes, as anybody with access to the file could.
fn forge(ranch: &Ranch, table: &str, sql: &str) {
    let db = Connection::open(ranch.path("out/ledger.db")).unwrap();
    db.execute_batch(&format!("DROP TRIGGER {table}_no_update; {sql}"))
        .unwrap();
}

#[test]
fn both_execution_engines_reproduce_the_recorded_bits() {
    let ranch = Ranch::ran();
    assert_eq!(count(&ranch), RUNS);
    for engine in ["native", "pulley"] {
        let data = ranch.data(&["replay", "--all", "--engine", engine], 0);
        assert_eq!(
            (
                &data["replayed"],
                &data["identical"],
                &data["engine"]["backend"]
            ),
            (&RUNS.into(), &RUNS.into(), &engine.into()),
            "{data}"
        );
        // The ledger has an entry for the replay.
        let db = Connection::open(ranch.path("out/ledger.db")).unwrap();
        let payload: String = db
            .query_row(
                "SELECT payload FROM entry WHERE seq = ? AND kind = 'replay'",
                [data["entry"].as_i64().unwrap()],
                |r| r.get(0),
            )
            .unwrap();
        let payload: serde_json::Value = serde_json::from_str(&payload).unwrap();
        assert_eq!(
            (&payload["count"], &payload["verdict"]),
            (&RUNS.into(), &"identical".into())
        );
    }
}

#[test]
fn a_replay_uses_no_current_data_pins_or_settings() {
    let ranch = Ranch::ran();
    let _ = ranch
        .run(&["ingest", "--forage", "story/forage_revised.csv"])
        .exits(0);
    unpin(&ranch, "v2");
    std::fs::rename(
        ranch.path("components/days_remaining-v2.wasm"),
        ranch.path("components/put-aside.wasm"),
    )
    .unwrap();
    ranch.write("logic.toml", "");
    assert_eq!(ranch.data(&["replay", "--all"], 0)["identical"], RUNS);
}

#[test]
fn a_sample_can_be_drawn_again_from_its_seed() {
    let ranch = Ranch::ran();
    let first = ranch.data(&["replay", "--sample", "4"], 0);
    assert_eq!(first["replayed"], 4);
    let seed = first["selection"]["seed"].as_str().unwrap().to_owned();
    let again = ranch.data(&["replay", "--sample", "4", "--seed", &seed], 0);
    let root = |entry: &serde_json::Value| -> String {
        let db = Connection::open(ranch.path("out/ledger.db")).unwrap();
        db.query_row(
            "SELECT payload ->> 'root' FROM entry WHERE seq = ?",
            [entry.as_i64().unwrap()],
            |r| r.get(0),
        )
        .unwrap()
    };
    assert_eq!(root(&first["entry"]), root(&again["entry"]));
    let other = ranch.data(&["replay", "--sample", "4", "--seed", "another"], 0);
    assert_ne!(root(&first["entry"]), root(&other["entry"]));
}

#[test]
fn filters_narrow_the_selection_and_an_empty_one_is_reported() {
    let ranch = Ranch::ran();
    let north = ranch.data(&["replay", "--boundary", "north"], 0);
    assert!(north["replayed"].as_i64().unwrap() < RUNS);
    assert_eq!(
        ranch.data(&["replay", "--since", "2025-07-01"], 0)["replayed"],
        RUNS
    );
    let none = ranch.run(&["replay", "--since", "2025-07-02"]).exits(0);
    insta::assert_snapshot!(none.stdout, @"no run is selected: nothing was replayed");
    let which = ranch.run(&["replay"]).exits(64);
    insta::assert_snapshot!(which.stderr, @"
    error: which runs? give their ids, --all, --sample N, or a filter such as --since DATE
     help: provender list --all-versions shows the runs with their ids
    ");
}

#[test]
fn a_changed_output_is_named_with_both_values() {
    let ranch = Ranch::ran();
    let run = ranch.data(&["list", "--boundary", "north"], 0)["answers"][0]["run"].clone();
    let id = run["run_id"].as_str().unwrap();
    let snapshot = run["snapshot_id"]
        .as_str()
        .unwrap()
        .replace("sha256-jcs-v1:", "");
    forge(
        &ranch,
        "run",
        &format!(
            "UPDATE run SET outputs = json_set(outputs, '$[0]', 4711) WHERE hex(snapshot) = upper('{snapshot}')"
        ),
    );
    let data = ranch.data(&["replay", id], 13);
    assert_eq!(data["identical"], 0);
    let different = data["different"].as_array().unwrap();
    assert_eq!(different.len(), 1, "{data}");
    assert_eq!(
        (&different[0]["run_id"], &different[0]["recorded"]),
        (&run["run_id"], &4711.into())
    );
    assert_ne!(different[0]["replayed"], 4711);
    let said = ranch.run(&["replay", id]).exits(13);
    assert!(
        said.stderr.contains("1 of 1 runs gave other outputs"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_missing_component_and_a_changed_manifest_are_distinguished() {
    let ranch = Ranch::ran();
    let of = ["list", "--boundary", "north", "--logic", "days_remaining"];
    let manifest = ranch.data(&of, 0)["answers"][0]["run"].clone();
    let (day, snapshot) = (
        &manifest["key"]["calculation_date"],
        &manifest["snapshot_id"],
    );
    let path = format!("out/manifests/north/{day}_{snapshot}.json").replace('"', "");
    let path = path.as_str();
    let text = ranch.read(path);
    ranch.write(path, &text.replace("recorded_at", "recorded_bt"));
    let id = manifest["run_id"].as_str().unwrap();
    let damaged = ranch.run(&["replay", id]).exits(11);
    assert!(damaged.stderr.contains(path), "{}", damaged.stderr);
    std::fs::remove_file(ranch.path(path)).unwrap();
    let gone = ranch.run(&["replay", id, "--json"]).exits(11).json();
    assert_eq!(gone["error"]["code"], "manifest_missing");
    ranch.write(path, &text);
    let _ = ranch.run(&["replay", id]).exits(0);

    for version in ["v1", "v2"] {
        std::fs::remove_file(ranch.path(&format!("components/days_remaining-{version}.wasm")))
            .unwrap();
    }
    let missing = ranch.run(&["replay", id, "--json"]).exits(66).json();
    assert_eq!(missing["error"]["code"], "component_missing");
    assert!(
        missing["error"]["help"]
            .as_str()
            .unwrap()
            .contains("found by its digest")
    );
}

/// Subtracts one unit in the last place from a row's answer for each row before it in its call.
const ORDER_DEPENDENT: Code<'static> = Code {
    top: "(global $calls (mut i64) (i64.const 0))",
    row: "(local.set $x (f64.reinterpret_i64 (i64.sub (i64.reinterpret_f64 (local.get $x)) (global.get $calls)))) \
          (global.set $calls (i64.add (global.get $calls) (i64.const 1)))",
    describe: "",
    end: "",
    always: "",
};

/// No check tries such rows, so the component is accepted and records. Replayed alone, each row gives the
/// answer of a first row.
#[test]
fn a_component_that_answers_differently_is_named_with_the_bits_of_both_answers() {
    const ANSWER: f64 = 1001.0;
    for packs in [false, true] {
        let ranch = crate::hostile::ranch();
        if packs {
            let setting = "path = \"out/manifests\"\npack_from = 1";
            ranch.edit("provender.toml", "path = \"out/manifests\"", setting);
        }
        std::fs::write(ranch.path("moody.wasm"), guest("moody", ORDER_DEPENDENT)).unwrap();
        let _ = ranch.run(&["plugin", "add", "moody.wasm"]).exits(0);
        let _ = ranch.run(&["plugin", "freeze", "moody:v1"]).exits(0);
        let range = ["--from", "2025-06-01", "--to", "2025-06-03"];
        let compute = ["compute", "--boundary", "bad", "--logic", "moody:v1"];
        let data = ranch.data(&[compute.as_slice(), &range].concat(), 0);
        let runs = data["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 3);
        for (place, run) in runs.iter().enumerate() {
            let recorded = f64::from_bits(ANSWER.to_bits() - place as u64);
            assert_eq!(run["outputs"]["product"].as_f64(), Some(recorded), "{run}");
            let id = run["run_id"].as_str().unwrap();
            for engine in ["native", "pulley"] {
                let replay = ["replay", id, "--engine", engine];
                if place == 0 {
                    assert_eq!(ranch.data(&replay, 0)["identical"], 1);
                    continue;
                }
                let data = ranch.data(&replay, 13);
                assert_eq!(
                    (&data["replayed"], &data["identical"]),
                    (&1.into(), &0.into())
                );
                let [different] = data["different"].as_array().unwrap().as_slice() else {
                    panic!("{data}")
                };
                assert_eq!(different["run_id"], run["run_id"]);
                assert_eq!(different["output"], "product");
                let bits = |of: &str| different[of].as_f64().unwrap().to_bits();
                assert_eq!(bits("recorded"), recorded.to_bits(), "{engine}: {data}");
                assert_eq!(bits("replayed"), ANSWER.to_bits(), "{engine}: {data}");
                let said = ranch.run(&replay).exits(13);
                for part in ["product", &format!(" {recorded} "), " 1001", "0 identical"] {
                    assert!(said.stdout.contains(part), "{part}: {}", said.stdout);
                }
                // The entry in the ledger says which run it was.
                let db = Connection::open(ranch.path("out/ledger.db")).unwrap();
                let payload: String = db
                    .query_row(
                        "SELECT payload FROM entry WHERE seq = ? AND kind = 'replay'",
                        [data["entry"].as_i64().unwrap()],
                        |r| r.get(0),
                    )
                    .unwrap();
                let payload: serde_json::Value = serde_json::from_str(&payload).unwrap();
                assert_eq!(payload["verdict"], "different");
                assert_eq!(payload["different"], serde_json::json!([id]));
                assert_eq!(payload["engine"]["backend"], engine);
            }
        }
    }
}

/// A selection that is empty by mistake does not pass.
#[test]
fn a_selection_that_must_be_a_mistake_is_refused() {
    let ranch = Ranch::ran();
    for (args, exit) in [
        (&["--boundary", "nort"][..], 66),
        (&["--logic", "days_remaining:v9"], 66),
        (&["--sample", "0"], 64),
        (&["--sample", "9007199254740993"], 64),
        (&["--all", "--seed", "x"], 64),
    ] {
        let _ = ranch.run(&[&["replay"], args].concat()).exits(exit);
    }
    let said = ranch.run(&["replay", "--boundary", "nort"]).stderr;
    insta::assert_snapshot!(said, @r"
    error: no run of `nort` is recorded
     help: provender list --all-versions shows what is recorded
    ");
}
