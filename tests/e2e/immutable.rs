//! History does not change, and inputs that have not changed cause no new runs.

use std::process::Command;

use rusqlite::Connection;

use crate::kit::Ranch;

const COMPUTE: &[&str] = &["compute", "--all", "--as-of", "2025-06-30"];

#[test]
fn the_database_refuses_changes_that_the_program_never_makes() {
    let ranch = Ranch::sample();
    // Fills every table, including a withdrawn file and a manifest in a pack.
    let setting = "path = \"out/manifests\"\npack_from = 1";
    ranch.edit("provender.toml", "path = \"out/manifests\"", setting);
    let _ = ranch.run(&["run", "--as-of", "2025-06-30"]).exits(0);
    let file = "story/forage_revised.csv";
    let _ = ranch
        .run(&["ingest", "--forage", file, "--accept"])
        .exits(0);
    let _ = ranch
        .run(&["ingest", "retract", file, "--reason", "a wrong file"])
        .exits(0);
    // A connection with default pragmas, like that of a shell.
    let db = Connection::open(ranch.path("out/ledger.db")).unwrap();
    let tables: Vec<String> = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap()
        .query_map([], |r| r.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        tables.join(" "),
        "boundary config entry file herd identity locator observation pack report retraction run series stream"
    );
    for table in tables {
        let count: i64 = db
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0))
            .unwrap();
        assert!(count > 0, "{table}: no trigger looks at what is not there");
        let column: String = db
            .query_row(
                "SELECT name FROM pragma_table_info(?) LIMIT 1",
                [&table],
                |r| r.get(0),
            )
            .unwrap();
        for sql in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"),
        ] {
            let message = db.execute(&sql, []).unwrap_err().to_string();
            assert!(message.contains("IMMUTABLE"), "{sql}: {message}");
        }
    }
    let other = "INSERT INTO run SELECT series_id, date, entry, zeroblob(32), snapshot, manifest, guardrail, replaces, outputs, pack, place FROM run LIMIT 1";
    assert!(
        db.execute(other, [])
            .unwrap_err()
            .to_string()
            .contains("DRIFT")
    );
    assert_eq!(ranch.data(COMPUTE, 0)["summary"]["unchanged"], 9);
}

#[test]
fn the_sqlite_shell_is_refused_too() {
    let ranch = Ranch::ran();
    let shell = Command::new("sqlite3")
        .arg(ranch.path("out/ledger.db"))
        .arg("DELETE FROM run")
        .output();
    match shell {
        Ok(output) => assert!(String::from_utf8_lossy(&output.stderr).contains("IMMUTABLE")),
        Err(_) => println!("skipped: the sqlite3 shell is not installed"),
    }
}

#[test]
fn runs_with_unchanged_inputs_are_unchanged() {
    let mut ranch = Ranch::ran();
    let manifests = ranch.files("out/manifests");
    let unchanged = |ranch: &Ranch, why: &str| {
        assert_eq!(ranch.data(COMPUTE, 0)["summary"]["unchanged"], 9, "{why}");
        assert_eq!(ranch.files("out/manifests"), manifests, "{why}");
    };
    let files = ranch.data(&["ingest"], 0);
    assert!(
        files["files"]
            .as_array()
            .unwrap()
            .iter()
            .all(|f| f["outcome"] == "unchanged"),
        "{files}"
    );
    unchanged(&ranch, "identical files");

    ranch.actor = "somebody else".into();
    ranch.now = "2031-01-01T00:00:00Z".into();
    unchanged(&ranch, "another user at another time");

    let _ = Command::new("git")
        .args(["init", "-q"])
        .current_dir(ranch.dir())
        .status();
    ranch.write(".git/HEAD", "0123456789012345678901234567890123456789\n");
    unchanged(&ranch, "a git commit");

    // The whole folder is moved, and the command is run from another folder.
    let other = Ranch::empty();
    std::fs::create_dir_all(other.dir()).unwrap();
    assert!(
        Command::new("cp")
            .arg("-r")
            .arg(ranch.dir())
            .arg(other.path("moved"))
            .status()
            .unwrap()
            .success()
    );
    let moved = [
        "--project",
        "moved",
        "compute",
        "--all",
        "--as-of",
        "2025-06-30",
    ];
    assert_eq!(other.data(&moved, 0)["summary"]["unchanged"], 9);

    // The period has an end and the herd another name, but on this day the herd is unchanged.
    let herds = ranch.read("inputs/herds.json");
    let mut list: serde_json::Value = serde_json::from_str(&herds).unwrap();
    for herd in list.as_array_mut().unwrap() {
        if herd["end_date"].is_null() {
            herd["end_date"] = "2025-12-31".into();
            herd["name"] = "renamed".into();
        }
    }
    ranch.write("inputs/herds.json", &list.to_string());
    let files = ranch.data(&["ingest"], 0);
    assert!(
        files["files"]
            .as_array()
            .unwrap()
            .iter()
            .any(|f| f["kind"] == "herds" && f["revised"].as_u64() > Some(0))
    );
    unchanged(&ranch, "an ended period");

    // No active logic reads rain.
    let weather = ranch.read("inputs/weather/home.csv");
    let mut lines: Vec<String> = weather.lines().map(str::to_owned).collect();
    let rain = lines[0]
        .split(',')
        .position(|c| c == "Prcp" || c == "pr")
        .unwrap();
    let mut cells: Vec<String> = lines[180].split(',').map(str::to_owned).collect();
    cells[rain] = "12.5".into();
    lines[180] = cells.join(",");
    ranch.write("inputs/weather/home.csv", &(lines.join("\n") + "\n"));
    let files = ranch.data(&["ingest"], 0);
    assert!(
        files["files"]
            .as_array()
            .unwrap()
            .iter()
            .any(|f| f["path"] == "inputs/weather/home.csv" && f["revised"] == 1),
        "{files}"
    );
    unchanged(&ranch, "a revised column that no logic reads");
}

#[test]
fn an_older_file_restores_old_values_only_if_accepted() {
    let ranch = Ranch::ran();
    let older = ranch
        .run(&["ingest", "--weather", "inputs/weather/north.json"])
        .exits(65)
        .stderr;
    assert!(
        older.contains("restore the old values") && older.contains("--accept"),
        "{older}"
    );
    assert_eq!(
        ranch.data(
            &[
                "ingest",
                "--weather",
                "inputs/weather/north.json",
                "--accept"
            ],
            0
        )["files"][0]["revised"],
        1
    );
}
