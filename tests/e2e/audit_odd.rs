//! `audit` of changes by somebody who knows its checks: every hash unchanged, misleading names, impossible
//! values, and pipes in place of files.

use crate::audit::{forge, kinds, open, reissued};
use crate::kit::Ranch;

/// A run may only replace one of its own place and logic; otherwise another run's answer would disappear.
#[test]
fn a_run_that_replaces_a_run_of_another_place_is_named() {
    let ranch = Ranch::ran();
    let _ = ranch
        .run(&["ingest", "--forage", "story/forage_revised.csv", "--accept"])
        .exits(0);
    assert!(reissued(&ranch) > 0);
    let _ = ranch.run(&["audit"]).exits(0);
    // The other place has the same configuration and number of reissues, so the leaf does not change.
    forge(
        &ranch,
        "UPDATE run SET replaces = (SELECT o.series_id FROM series o JOIN series s ON s.series_id = run.replaces
           WHERE o.config_id = s.config_id AND o.model_version = s.model_version AND o.boundary_id != s.boundary_id LIMIT 1)
         WHERE replaces IS NOT NULL",
    );
    let data = ranch.data(&["audit"], 11);
    assert!(kinds(&data).contains(&"run".to_owned()), "{data}");
    let text = data.to_string();
    assert!(text.contains("which has another place or logic"), "{text}");
}

/// SQLite lets anybody create objects whose names resemble those of its statistics tables.
#[test]
fn objects_named_like_statistics_tables_are_reported() {
    let ranch = Ranch::ran();
    open(&ranch).execute_batch("ANALYZE").unwrap();
    let _ = ranch.run(&["audit"]).exits(0);
    open(&ranch)
        .execute_batch(
            "CREATE TRIGGER sqlitexstat_evil BEFORE INSERT ON run BEGIN SELECT RAISE(IGNORE); END;
             CREATE TABLE sqliteXstat_t (a);",
        )
        .unwrap();
    let data = ranch.data(&["audit"], 11);
    for name in ["trigger sqlitexstat_evil", "table sqliteXstat_t"] {
        let named = data["bad"].as_array().unwrap();
        assert!(named.iter().any(|b| b["id"] == name), "{name}: {data}");
    }
}

/// A value that no row can have is damage, whichever verb reads it.
#[test]
fn an_impossible_value_is_damage_for_every_verb() {
    let ranch = Ranch::ran();
    forge(&ranch, "UPDATE run SET guardrail = 7");
    for args in [
        &["audit"][..],
        &["list"],
        &["replay", "--all"],
        &["replay", "--boundary", "creek"],
        &["replay", "--sample", "20"],
        &["explain", "--boundary", "creek", "--as-of", "2025-06-30"],
    ] {
        let _ = ranch.run(args).exits(11);
    }
}

/// The program must not open a pipe in place of a file: it would wait forever.
#[test]
#[cfg(target_os = "linux")]
fn a_pipe_in_place_of_a_manifest_or_component_is_named() {
    let ranch = Ranch::ran();
    let (manifest, _) = ranch.files("out/manifests").pop().unwrap();
    let component = ranch.path("components/days_remaining-v2.wasm");
    for file in [manifest, component] {
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&file).status();
        assert!(made.unwrap().success());
        let data = ranch.data(&["audit"], 11);
        assert!(
            data.to_string().contains("it is a pipe or a device"),
            "{data}"
        );
        for args in [&["replay", "--all"][..], &["backup", "copy"]] {
            let code = ranch.run(args).code;
            let _ = std::fs::remove_dir_all(ranch.path("copy"));
            let is_copied = args[0] == "backup" && file.starts_with(ranch.path("components"));
            assert_eq!(code == 0, is_copied, "{args:?}: {code}");
        }
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, bytes).unwrap();
    }
    let _ = ranch.run(&["audit"]).exits(0);
}
