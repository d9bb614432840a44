//! Hostile components against the real program. What passes the check and misbehaves only in `compute` is
//! contained with a stable code, the ledger is unchanged, and other logic runs as usual.

#[path = "../hostile/mod.rs"]
pub(crate) mod components;

use std::fmt::Write as _;
use std::time::Duration;

use components::{Code, dwarf, guest, passing, passing_at_start, sleepers};
use provender_domain::canonical::Digest;
use rusqlite::Connection;
use serde_json::Value as Json;

use crate::kit::{Ran, Ranch};
use crate::measured::{Usage, measured};
use crate::prepared::prepared;

/// The guest misbehaves in `bad` on the first three days, whose forage is 1001.
const DAY: &str = "2025-06-01";
/// Processor time that a run of any of these guests may take.
const MAX_PROCESSOR_TIME: Duration = Duration::from_secs(60);
/// Resident memory of the program: two guests of 128 MiB, the compiler, and the program itself.
const MAX_RESIDENT_BYTES: u64 = 700 << 20;

pub(crate) fn ranch() -> Ranch {
    prepared("hostile", make_ranch)
}

fn make_ranch() -> Ranch {
    let ranch = Ranch::new();
    let square = |id: &str, x: u32| {
        format!(
            r#"{{"type":"Feature","properties":{{"boundary_id":"{id}"}},"geometry":{{"type":"Polygon","coordinates":[[[{x},40],[{x}.01,40],[{x}.01,40.01],[{x},40.01],[{x},40]]]}}}}"#
        )
    };
    let places = format!(
        r#"{{"type":"FeatureCollection","features":[{},{}]}}"#,
        square("good", 10),
        square("bad", 11)
    );
    ranch.write("places.geojson", &places);
    let mut forage = String::from("boundary_id,date,kg_per_ha\n");
    for day in 1..=30 {
        let bad = if day <= 3 { 1001 } else { 10 };
        let _ = writeln!(
            forage,
            "good,2025-06-{day:02},10\nbad,2025-06-{day:02},{bad}"
        );
    }
    ranch.write("forage.csv", &forage);
    let _ = ranch
        .run(&[
            "ingest",
            "--boundaries",
            "places.geojson",
            "--forage",
            "forage.csv",
        ])
        .exits(0);
    let _ = pin(&ranch, &guest("control", Code::default()), "control").exits(0);
    ranch
}

/// Adds and freezes a component that the check accepts.
fn pin(ranch: &Ranch, bytes: &[u8], name: &str) -> Ran {
    let file = format!("{name}.wasm");
    std::fs::write(ranch.path(&file), bytes).unwrap();
    let _ = ranch.run(&["plugin", "add", &file]).exits(0);
    ranch.run(&["plugin", "freeze", &format!("{name}:v1")])
}

/// Pins any bytes, like somebody who edits the lock file.
fn pin_by_hand(ranch: &Ranch, bytes: &[u8], name: &str, version: &str) {
    let path = format!("components/{name}-{version}.wasm");
    std::fs::write(ranch.path(&path), bytes).unwrap();
    let mut lock = ranch.read("provender.lock");
    let _ = write!(
        lock,
        "\n[[component]]\nname = \"{name}\"\nversion = \"{version}\"\nstate = \"frozen\"\nsha256 = \"{}\"\nsize = {}\nworld = \"provender:logic/logic-plugin@1.0.0\"\nlanguage = \"unknown\"\npath = \"{path}\"\n",
        Digest::of_bytes(bytes),
        bytes.len()
    );
    ranch.write("provender.lock", &lock);
}

/// Runs the program and asserts that it stays within the limits of processor time and memory.
pub(crate) fn bounded(ranch: &Ranch, args: &[&str]) -> Ran {
    let (ran, Usage { peak_bytes, cpu }) = measured(ranch, args);
    assert!(cpu < MAX_PROCESSOR_TIME, "{args:?} took {cpu:.1?}");
    assert!(
        peak_bytes < MAX_RESIDENT_BYTES,
        "{args:?} took {peak_bytes} bytes"
    );
    println!("{args:?}: {cpu:.1?}, {} MiB", peak_bytes >> 20);
    if cfg!(target_os = "linux") {
        assert!(peak_bytes > 0, "{args:?}: the system reported no memory");
    }
    ran
}

/// The head entry, the rows of every table, and the manifests.
pub(crate) fn recorded(ranch: &Ranch) -> Vec<String> {
    let db = Connection::open(ranch.path("out/ledger.db")).unwrap();
    let mut tables = db
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .unwrap();
    let names: Vec<String> = tables
        .query_map([], |r| r.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut all: Vec<String> = names
        .iter()
        .map(|name| {
            let count = db.query_row(&format!("SELECT count(*) FROM {name}"), [], |r| {
                r.get::<_, i64>(0)
            });
            format!("{name} {}", count.unwrap())
        })
        .collect();
    let head = "SELECT hex(hash) FROM entry ORDER BY seq DESC LIMIT 1";
    all.push(db.query_row(head, [], |r| r.get(0)).unwrap());
    if ranch.path("out/manifests").is_dir() {
        all.extend(
            ranch
                .files("out/manifests")
                .iter()
                .map(|(p, _)| p.display().to_string()),
        );
    }
    all
}

/// Asserts that `compute` for `bad` ends with this exit and error code, and records nothing. Returns the
/// message.
fn contained(ranch: &Ranch, logic: &str, exit: i32, code: &str) -> String {
    let before = recorded(ranch);
    let args = [
        "compute",
        "--boundary",
        "bad",
        "--as-of",
        DAY,
        "--logic",
        logic,
        "--json",
    ];
    let json = bounded(ranch, &args).exits(exit).json();
    assert_eq!(json["error"]["code"], code, "{logic}: {json}");
    assert_eq!(recorded(ranch), before, "{logic}");
    json["error"]["message"].as_str().unwrap().to_owned()
}

/// Asserts that another logic computes as usual.
pub(crate) fn others_run(ranch: &Ranch, day: &str) {
    let args = [
        "compute",
        "--boundary",
        "good",
        "--as-of",
        day,
        "--logic",
        "control:v1",
    ];
    assert_eq!(ranch.data(&args, 0)["runs"][0]["outputs"]["product"], 10);
}

fn misbehaves_only_in_compute(part: usize) {
    let ranch = ranch();
    for (n, (name, code, error, words)) in sleepers().into_iter().enumerate() {
        if n % 3 != part {
            continue;
        }
        let _ = pin(&ranch, &guest(name, code), name).exits(0);
        let logic = format!("{name}:v1");
        let message = contained(&ranch, &logic, 15, error);
        assert!(message.contains(&logic), "{message}");
        assert!(message.contains(words), "{name}: {message}");
        // The other place still gets its number from the same component.
        let all = ["compute", "--all", "--as-of", DAY, "--logic", &logic];
        let summary = ranch.data(&all, 15)["summary"].clone();
        assert_eq!(
            (&summary["recorded"], &summary["failed"]),
            (&1.into(), &1.into()),
            "{name}"
        );
        others_run(&ranch, &format!("2025-06-{:02}", 4 + n));
    }
}

#[test]
fn components_that_misbehave_only_in_compute_are_contained_one() {
    misbehaves_only_in_compute(0);
}

#[test]
fn components_that_misbehave_only_in_compute_are_contained_two() {
    misbehaves_only_in_compute(1);
}

#[test]
fn components_that_misbehave_only_in_compute_are_contained_three() {
    misbehaves_only_in_compute(2);
}

#[test]
fn a_component_just_within_a_limit_is_accepted() {
    let ranch = ranch();
    // Compiling a hundred thousand functions takes long on a busy machine.
    ranch.edit(
        "provender.toml",
        "[monitor]",
        "[limits]\ncompile_seconds = 36000\n\n[monitor]",
    );
    let row = |row| Code {
        row,
        ..Code::default()
    };
    for (name, code) in [
        (
            "all_memory",
            row("(drop (memory.grow (i32.sub (i32.const 2048) (memory.size))))"),
        ),
        (
            "all_tables",
            Code {
                top: "(table $t 1 funcref)",
                row: "(drop (table.grow $t (ref.null func) (i32.const 99999)))",
                ..Code::default()
            },
        ),
    ] {
        let _ = pin(&ranch, &guest(name, code), name).exits(0);
        let args = [
            "compute",
            "--boundary",
            "bad",
            "--as-of",
            DAY,
            "--logic",
            &format!("{name}:v1"),
        ];
        assert_eq!(ranch.data(&args, 0)["summary"]["recorded"], 1, "{name}");
    }
    for (name, top) in [
        ("all_globals", "(global i32 (i32.const 0))".repeat(49_998)),
        ("all_functions", "(func)".repeat(99_900)),
    ] {
        std::fs::write(
            ranch.path("x.wasm"),
            guest(
                name,
                Code {
                    top: &top,
                    ..Code::default()
                },
            ),
        )
        .unwrap();
        let _ = bounded(&ranch, &["plugin", "check", "x.wasm"]).exits(0);
    }
}

#[test]
fn a_file_that_declares_another_version_than_its_pin_is_an_integrity_error() {
    let ranch = ranch();
    let bytes = guest("somebody", Code::default());
    pin_by_hand(&ranch, &bytes, "somebody", "v2");
    let message = contained(&ranch, "somebody:v2", 11, "component_identity");
    assert!(
        message.contains("somebody:v1") && message.contains("somebody:v2"),
        "{message}"
    );
    std::fs::write(ranch.path("components/somebody-v2.wasm"), &bytes[..99]).unwrap();
    let _ = contained(&ranch, "somebody:v2", 11, "component_digest");
    others_run(&ranch, DAY);
}

#[test]
fn answers_that_depend_on_batch_order_or_memory_do_not_pass() {
    let ranch = ranch();
    let other_sum = "(if (i32.gt_u (local.get $rows) (i32.const 1000)) (then (f64.store (local.get $out) (f64.const 7))))";
    let squared = "(local.set $i (i32.const 0)) (block $e (loop $l (br_if $e (i32.gt_u (local.get $i) (i32.mul (local.get $rows) (i32.mul (local.get $rows) (i32.const 20))))) (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l)))";
    for (name, always) in [("large_batches", other_sum), ("squared_fuel", squared)] {
        std::fs::write(
            ranch.path("x.wasm"),
            guest(
                name,
                Code {
                    always,
                    ..Code::default()
                },
            ),
        )
        .unwrap();
        let json = bounded(&ranch, &["plugin", "check", "x.wasm", "--json"])
            .exits(17)
            .json();
        let message = json["error"]["message"].as_str().unwrap();
        assert!(message.contains("a full batch"), "{name}: {message}");
    }
}

/// A guest's memory is discarded after its batch, so days computed one by one have the same answer. Within a
/// batch, state can affect the recorded number if no check tried such rows. A replay reverses the rows, and
/// names each run whose number then differs.
#[test]
fn replaying_all_runs_finds_a_guest_that_counts_its_calls() {
    let counter = Code {
        top: "(global $calls (mut f64) (f64.const 0))",
        row: "(global.set $calls (f64.add (global.get $calls) (f64.const 1))) (local.set $x (global.get $calls))",
        ..Code::default()
    };
    let compute = ["compute", "--boundary", "bad", "--logic", "counter:v1"];
    let products = |data: &Json| -> Vec<Json> {
        let runs = data["runs"].as_array().unwrap().iter();
        runs.map(|run| run["outputs"]["product"].clone()).collect()
    };
    let range = ["--from", "2025-06-01", "--to", "2025-06-03"];
    for pack_from in ["1000", "1"] {
        let ranch = ranch();
        let setting = format!("path = \"out/manifests\"\npack_from = {pack_from}");
        ranch.edit("provender.toml", "path = \"out/manifests\"", &setting);
        let _ = pin(&ranch, &guest("counter", counter), "counter").exits(0);
        let alone = [&compute[..], &["--as-of", "2025-06-02", "--dry-run"]].concat();
        assert_eq!(products(&ranch.data(&alone, 0)), [1]);
        let data = ranch.data(&[&compute[..], &range].concat(), 0);
        assert_eq!(products(&data), [1, 2, 3]);
        for engine in ["native", "pulley"] {
            let data = ranch.data(&["replay", "--all", "--engine", engine], 13);
            // The middle row has one row before it in either order.
            assert_eq!(
                (&data["replayed"], &data["identical"]),
                (&3.into(), &1.into()),
                "{data}"
            );
            let different = data["different"].as_array().unwrap();
            let found = different.iter().map(|d| (&d["recorded"], &d["replayed"]));
            assert_eq!(
                found.collect::<Vec<_>>(),
                [(&1.into(), &3.into()), (&3.into(), &1.into())],
                "{data}"
            );
        }
        others_run(&ranch, DAY);
        let _ = ranch.run(&["audit"]).exits(0);
    }
}

/// One command computes ten thousand runs; the component traps in three of them, in the middle.
#[test]
fn a_trap_among_ten_thousand_runs_fails_only_the_trapped_ones() {
    let ranch = ranch();
    let trap = Code {
        row: "(unreachable)",
        ..Code::default()
    };
    let _ = pin(&ranch, &guest("traps", trap), "traps").exits(0);
    let mut forage = String::from("boundary_id,date,kg_per_ha\n");
    for (day, kg) in [("2030-01-01", 1001), ("2030-01-04", 10)] {
        let _ = writeln!(forage, "bad,{day},{kg}");
    }
    ranch.write("later.csv", &forage);
    let _ = ranch.run(&["ingest", "--forage", "later.csv"]).exits(0);
    // 5,000 days of two places.
    let range = [
        "--from",
        "2025-06-04",
        "--to",
        "2039-02-10",
        "--logic",
        "traps:v1",
    ];
    let compute = [["compute", "--all"].as_slice(), &range].concat();
    let ran = bounded(&ranch, &[compute.as_slice(), &["--json"]].concat()).exits(15);
    let json = ran.json();
    let summary = &json["data"]["summary"];
    assert_eq!(
        (&summary["recorded"], &summary["failed"]),
        (&9_997.into(), &3.into()),
        "{summary}"
    );
    let message = json["error"]["message"].as_str().unwrap();
    for words in ["traps:v1", "bad", "2030-01-02", "unreachable"] {
        assert!(message.contains(words), "{words}: {message}");
    }
    let _ = ranch.run(&["audit"]).exits(0);
    // The next command computes only what is missing, which is what trapped.
    let again = ranch.data(&compute, 15)["summary"].clone();
    assert_eq!(
        (&again["unchanged"], &again["failed"]),
        (&9_997.into(), &3.into()),
        "{again}"
    );
    others_run(&ranch, DAY);
}

/// The limits in force when a number was recorded are not part of it. They affect neither a replay in the
/// deployment nor one elsewhere.
#[test]
fn a_number_computed_under_raised_ceilings_is_replayed_without_them() {
    let ranch = ranch();
    let settings = ranch.read("provender.toml");
    ranch.write(
        "provender.toml",
        &format!("{settings}\n[limits]\nmemory_mib = 512\n"),
    );
    let greedy = Code {
        row: "(drop (memory.grow (i32.sub (i32.const 3000) (memory.size))))",
        ..Code::default()
    };
    let _ = pin(&ranch, &guest("greedy", greedy), "greedy").exits(0);
    let logic = ["--logic", "greedy:v1", "--as-of", DAY];
    let compute = [["compute", "--all"].as_slice(), &logic].concat();
    assert_eq!(ranch.data(&compute, 0)["summary"]["recorded"], 2);
    ranch.write("provender.toml", &settings);
    // Today's limits would not allow it.
    let tomorrow = [
        "compute",
        "--all",
        "--as-of",
        "2025-06-02",
        "--logic",
        "greedy:v1",
    ];
    let _ = ranch.run(&tomorrow).exits(15);
    let list = ranch.data(&["list", "--boundary", "bad", "--all-versions"], 0);
    let id = list["answers"][0]["run"]["run_id"].as_str().unwrap();
    for engine in ["native", "pulley"] {
        let _ = ranch.run(&["replay", "--all", "--engine", engine]).exits(0);
    }
    let _ = ranch.run(&["explain", id, "--bundle", "run.tar"]).exits(0);
    let elsewhere = Ranch::empty();
    std::fs::create_dir_all(elsewhere.dir()).unwrap();
    std::fs::copy(ranch.path("run.tar"), elsewhere.path("run.tar")).unwrap();
    let _ = elsewhere.run(&["replay", "--bundle", "run.tar"]).exits(0);
}

#[test]
fn passing_strings_between_parts_of_a_component_ends_at_a_deadline_in_every_stage() {
    let ranch = ranch();
    ranch.edit(
        "provender.toml",
        "[monitor]",
        "[limits]\ndeadline_seconds = 1\n\n[monitor]",
    );
    let before = recorded(&ranch);
    let describe = Code {
        describe: "(call $pass)",
        ..Code::default()
    };
    for (bytes, stage) in [
        (passing_at_start("start"), "start-up"),
        (passing("describe", describe), "describe"),
    ] {
        std::fs::write(ranch.path("passes.wasm"), bytes).unwrap();
        let json = bounded(&ranch, &["plugin", "check", "passes.wasm", "--json"])
            .exits(14)
            .json();
        assert_eq!(json["error"]["code"], "deadline", "{json}");
        let message = json["error"]["message"].as_str().unwrap();
        let words = format!("failed in {stage} (deadline): it used up its 2 s of processor time");
        assert!(message.contains(&words), "{message}");
        assert!(message.contains("passes.wasm"), "{message}");
    }
    assert_eq!(recorded(&ranch), before);

    let compute = Code {
        row: "(call $pass)",
        ..Code::default()
    };
    let after = Code {
        top: "(func (export \"cabi_post_provender:logic/logic@1.0.0#compute\") (param i32) (if (global.get $armed) (then (call $pass))))",
        ..Code::default()
    };
    // After it has returned an answer, a part of a component must not call another one.
    for (n, (name, code, error, words)) in [
        ("passes", compute, "deadline", "of processor time"),
        (
            "passes_after",
            after,
            "trap",
            "cannot leave component instance",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let _ = pin(&ranch, &passing(name, code), name).exits(0);
        let logic = format!("{name}:v1");
        let message = contained(&ranch, &logic, 15, error);
        assert!(message.contains(&logic), "{message}");
        assert!(message.contains(words), "{message}");
        let all = ["compute", "--all", "--as-of", DAY, "--logic", &logic];
        let summary = ranch.data(&all, 15)["summary"].clone();
        assert_eq!(
            (&summary["recorded"], &summary["failed"]),
            (&1.into(), &1.into()),
            "{name}"
        );
        others_run(&ranch, &format!("2025-06-{:02}", 25 + n));
    }
}

/// The backtrace in an answer.
fn detail(answer: &Json) -> Option<&str> {
    match answer {
        Json::Object(members) => match members.get("detail") {
            Some(Json::String(text)) if !text.is_empty() => Some(text),
            _ => members.values().find_map(detail),
        },
        Json::Array(all) => all.iter().find_map(detail),
        _ => None,
    }
}

/// A mangled C++ name of about 400 bytes that expands exponentially: every template contains the one before
/// it twice.
fn exploding_name() -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut name = String::from("_Z1fI1AIiiE");
    for before in DIGITS[1..34].iter().map(|d| char::from(*d)) {
        let _ = write!(name, "S0_IS{before}_S{before}_E");
    }
    name + "Evv"
}

#[test]
fn a_name_in_a_backtrace_is_shown_unchanged_and_truncated() {
    let ranch = ranch();
    let name = exploding_name();
    let long = "n".repeat(60_000);
    let code = |function: &str| {
        (
            format!("(func ${function} unreachable)"),
            format!("(call ${function})"),
        )
    };
    for (n, function) in [name.as_str(), long.as_str()].into_iter().enumerate() {
        let (top, call) = code(function);
        let describe = Code {
            top: &top,
            describe: &call,
            ..Code::default()
        };
        std::fs::write(ranch.path("named.wasm"), guest("named", describe)).unwrap();
        let json = bounded(&ranch, &["plugin", "check", "named.wasm", "--json"])
            .exits(14)
            .json();
        assert_eq!(json["error"]["code"], "trap", "{json}");
        let row = Code {
            top: &top,
            row: &call,
            ..Code::default()
        };
        let logic = format!("named_{n}");
        let _ = pin(&ranch, &guest(&logic, row), &logic).exits(0);
        let logic = format!("{logic}:v1");
        let _ = contained(&ranch, &logic, 15, "trap");
        let compute = [
            "compute",
            "--boundary",
            "bad",
            "--as-of",
            DAY,
            "--logic",
            &logic,
        ];
        let detail = detail(&ranch.data(&compute, 15)).unwrap().to_owned();
        let shown: String = function.chars().take(300).collect();
        assert!(detail.contains(&format!("!{shown}…\n")), "{detail}");
        assert!(detail.len() < 5_000, "{detail}");
    }
    // A name too long to be copied for every frame.
    let (top, call) = code(&"n".repeat(70_000));
    let endless = Code {
        top: &top,
        describe: &call,
        ..Code::default()
    };
    std::fs::write(ranch.path("named.wasm"), guest("named", endless)).unwrap();
    let json = bounded(&ranch, &["plugin", "check", "named.wasm", "--json"])
        .exits(14)
        .json();
    assert_eq!(json["error"]["code"], "component_too_complex", "{json}");
    let message = json["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("70000 bytes in one name; a component may have at most 65536"),
        "{message}"
    );
}

#[test]
fn debug_information_is_not_read_in_the_process_that_records() {
    let ranch = ranch();
    for (name, sections) in [
        ("honest", dwarf::honest()),
        ("deep", dwarf::deep()),
        ("long", dwarf::long()),
    ] {
        let code = Code {
            top: &sections,
            row: "(call $panic)",
            ..Code::default()
        };
        let _ = pin(&ranch, &guest(name, code), name).exits(0);
        let logic = format!("{name}:v1");
        let message = contained(&ranch, &logic, 15, "trap");
        assert!(message.contains("the herd is  [31mgone"), "{message}");
        // The other row of the batch is recorded.
        let all = ["compute", "--all", "--as-of", DAY, "--logic", &logic];
        let answer = ranch.data(&all, 15);
        assert_eq!(answer["summary"]["recorded"], 1, "{answer}");
        let detail = detail(&answer).unwrap();
        assert!(detail.contains("!panic\n"), "{detail}");
        // With the other debug information the helper process may fail.
        let line = "\n                    at herd.rs:12\n";
        assert!(name != "honest" || detail.contains(line), "{detail}");
    }
}
