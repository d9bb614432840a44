//! Kills at every write of every verb that writes, and at random instants of a busy range. Only whole runs
//! are left, and the same command then gives the result of an undisturbed run.

use std::process::Stdio;
use std::time::{Duration, Instant};

#[cfg(debug_assertions)]
use crate::crash_kit::passages;
use crate::crash_kit::{DeploymentContent, copy_of, database, ingested, sound, tidy};
use crate::kit::{Dice, Ranch, number, variant_of};

/// Kills the verb at each passage of each fail point, each time on a fresh copy, and then runs the same
/// command again.
#[cfg(debug_assertions)]
pub(crate) fn killed_everywhere(prepared: &Ranch, args: &[&str], exit: i32, least: usize) {
    killed_and_going_on(prepared, args, exit, least, |ranch| {
        let _ = ranch.run(args).exits(exit);
    });
}

/// Like [`killed_everywhere`], for verbs that are continued with another command.
#[cfg(debug_assertions)]
pub(crate) fn killed_and_going_on(
    prepared: &Ranch,
    args: &[&str],
    exit: i32,
    least: usize,
    go_on: impl Fn(&Ranch),
) {
    let undisturbed = copy_of(prepared);
    let passages = passages(&undisturbed, args, exit);
    let reference = DeploymentContent::of(&undisturbed);
    let mut kills = 0;
    for point in passages {
        let written = ["ledger.", "file.", "pack.", "pin.", "copy."];
        if !written.iter().any(|kind| point.starts_with(kind)) {
            continue;
        }
        let ranch = copy_of(prepared);
        ranch.killed_at(&point, args);
        kills += 1;
        let when = format!("{args:?} killed at {point}");
        sound(&ranch, &when);
        go_on(&ranch);
        sound(&ranch, &when);
        DeploymentContent::of(&ranch).must_equal(&reference, &when);
        tidy(&ranch, &when);
    }
    println!("{args:?}: {kills} kills");
    assert!(kills >= least, "{args:?} was killed at {kills} places only");
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_at_any_write_of_ingest_leaves_whole_files_or_nothing() {
    let ranch = Ranch::sample();
    // Another test kills the creation of the ledger, which happens at the first write.
    let _ = ranch
        .run(&["ingest", "--boundaries", "inputs/pastures.geojson"])
        .exits(0);
    killed_everywhere(&ranch, &["ingest"], 0, 8);
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_while_the_ledger_is_created_leaves_a_whole_one_or_none() {
    let args = ["ingest", "--boundaries", "inputs/pastures.geojson"];
    killed_everywhere(&Ranch::sample(), &args, 0, 4);
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_at_any_write_of_compute_leaves_whole_runs_or_nothing() {
    let args = ["compute", "--boundary", "home", "--as-of", "2025-06-30"];
    killed_everywhere(&ingested(), &args, 0, 12);
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_at_any_write_of_a_pin_leaves_the_old_pins_or_the_new_ones() {
    let ranch = ingested();
    let before = ranch.read("provender.lock");
    let file = variant_of(&ranch, "v2", "other");
    crate::kit::unpin(&ranch, "v2");
    std::fs::remove_file(ranch.path("components/days_remaining-v2.wasm")).unwrap();
    assert_ne!(before, ranch.read("provender.lock"));
    let file = file.file_name().unwrap().to_str().unwrap().to_owned();
    killed_everywhere(&ranch, &["plugin", "add", &file], 0, 8);
    let _ = ranch.run(&["plugin", "add", &file]).exits(0);
    killed_everywhere(&ranch, &["plugin", "freeze", "days_remaining:v2"], 0, 5);
}

/// Either the old draft with its file or the new one with its own, never a digest of one with the bytes of
/// the other.
#[test]
#[cfg(debug_assertions)]
fn a_kill_while_a_draft_is_replaced_leaves_a_valid_pin() {
    let ranch = ingested();
    let [one, two] =
        ["one", "two"].map(|name| variant_of(&ranch, "v2", name).display().to_string());
    crate::kit::unpin(&ranch, "v2");
    std::fs::remove_file(ranch.path("components/days_remaining-v2.wasm")).unwrap();
    let digest = |file: &str| ranch.data(&["plugin", "show", file], 0)["sha256"].clone();
    let drafts = [digest(&one), digest(&two)];
    let _ = ranch.run(&["plugin", "add", &one]).exits(0);
    let two = two.rsplit('/').next().unwrap();
    let mut seen = Vec::new();
    for point in passages(&copy_of(&ranch), &["plugin", "add", two], 0) {
        let killed = copy_of(&ranch);
        killed.killed_at(&point, &["plugin", "add", two]);
        let verified = killed.run(&["verify"]);
        assert_eq!(verified.code, 0, "{point}: {}", verified.stderr);
        let pinned = killed.data(&["plugin", "show", "days_remaining:v2"], 0);
        let which = drafts.iter().position(|d| *d == pinned["sha256"]);
        seen.push(which.unwrap_or_else(|| panic!("{point}: {pinned}")));
    }
    assert!(seen.contains(&0) && seen.contains(&1), "{seen:?}");
    killed_everywhere(&ranch, &["plugin", "add", two], 0, 9);
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_at_any_write_of_monitor_leaves_whole_reports_or_none() {
    let ranch = ingested();
    let _ = ranch
        .run(&["compute", "--all", "--as-of", "2025-06-30"])
        .exits(0);
    let args = [
        "monitor",
        "--all",
        "--end",
        "2025-06-30",
        "--fail-on",
        "never",
    ];
    killed_everywhere(&ranch, &args, 0, 11);
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_at_any_write_of_a_withdrawal_leaves_the_file_or_withdraws_it() {
    let ranch = ingested();
    let file = "story/forage_revised.csv";
    let _ = ranch
        .run(&["ingest", "--forage", file, "--accept"])
        .exits(0);
    let args = ["ingest", "retract", file, "--reason", "a wrong file"];
    let counts = |ranch: &Ranch| {
        let sql = "SELECT count(*) FROM file f WHERE path = ? AND NOT EXISTS \
                   (SELECT 1 FROM retraction x WHERE x.file_id = f.file_id)";
        let counts: i64 = database(ranch)
            .query_row(sql, [file], |r| r.get(0))
            .unwrap();
        counts > 0
    };
    assert!(counts(&ranch));
    killed_and_going_on(&ranch, &args, 0, 2, |ranch| {
        // A file that was withdrawn cannot be withdrawn again.
        let exit = if counts(ranch) { 0 } else { 66 };
        let _ = ranch.run(&args).exits(exit);
    });
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_at_any_write_of_a_baseline_leaves_whole_ones_or_none() {
    let ranch = ingested();
    let range = ["--from", "2025-06-26", "--to", "2025-06-30"];
    let _ = ranch
        .run(&[["compute", "--all"].as_slice(), &range].concat())
        .exits(0);
    let create = ["monitor", "baseline", "create", "--reason", "a quiet week"];
    // One baseline for each of two logics.
    killed_everywhere(&ranch, &[create.as_slice(), &range].concat(), 0, 4);
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_at_any_write_of_a_reissue_leaves_whole_runs_and_a_new_plan_continues() {
    let revised = |packs: bool| {
        let ranch = ingested();
        if packs {
            let setting = "path = \"out/manifests\"\npack_from = 1";
            ranch.edit("provender.toml", "path = \"out/manifests\"", setting);
        }
        for day in ["2025-06-29", "2025-06-30"] {
            let _ = ranch.run(&["compute", "--all", "--as-of", day]).exits(0);
        }
        let file = "story/forage_revised.csv";
        let _ = ranch
            .run(&["ingest", "--forage", file, "--accept"])
            .exits(0);
        ranch
    };
    let range = ["--from", "2025-06-29", "--to", "2025-06-30"];
    let plan = [["reissue", "--reason", "revised"].as_slice(), &range].concat();
    let planned = |ranch: &Ranch| {
        let data = ranch.data(&plan, 0);
        (
            data["plan"].as_str().unwrap().to_owned(),
            data["runs"].as_u64().unwrap(),
        )
    };
    for (packs, least) in [(false, 8), (true, 7)] {
        let ranch = revised(packs);
        let (digest, runs) = planned(&ranch);
        assert_eq!(runs, 2);
        let apply = [plan.as_slice(), &["--apply", &digest]].concat();
        killed_and_going_on(&ranch, &apply, 0, least, |ranch| {
            let (rest, runs) = planned(ranch);
            if runs > 0 {
                let apply = [plan.as_slice(), &["--apply", &rest]].concat();
                let _ = ranch.run(&apply).exits(0);
            }
        });
    }
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_at_any_write_of_a_replay_leaves_it_recorded_or_not() {
    let ranch = Ranch::ran();
    killed_everywhere(&ranch, &["replay", "--all"], 0, 2);
}

#[test]
#[cfg(debug_assertions)]
fn a_killed_backup_leaves_nothing_that_is_accepted_as_a_backup() {
    let ranch = Ranch::ran();
    ranch.killed_at("backup.before-name", &["backup", "copy"]);
    assert!(ranch.path("copy/manifests").is_dir());
    assert!(!ranch.path("copy/ledger.db").exists());
    let again = ranch.run(&["backup", "copy", "--json"]).exits(74).json();
    assert_eq!(again["error"]["code"], "backup_exists");
    std::fs::remove_dir_all(ranch.path("copy")).unwrap();
    let _ = ranch.run(&["backup", "copy"]).exits(0);
    let _ = ranch.run(&["audit", "--ledger", "copy/ledger.db"]).exits(0);
    let names = std::fs::read_dir(ranch.path("copy")).unwrap();
    let mut names: Vec<_> = names.map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["ledger.db", "manifests"]);
    sound(&ranch, "after a backup was killed");
}

/// Otherwise a kill could lose a row of a table that no test compares.
#[test]
fn the_comparison_after_a_kill_sees_any_row_that_differs() {
    let ranch = Ranch::ran();
    let file = "story/forage_revised.csv";
    let _ = ranch
        .run(&["ingest", "--forage", file, "--accept"])
        .exits(0);
    let retract = ["ingest", "retract", file, "--reason", "x"];
    let _ = ranch.run(&retract).exits(0);
    let _ = ranch.run(&["replay", "--all"]).exits(0);
    let reference = DeploymentContent::of(&ranch);
    DeploymentContent::of(&copy_of(&ranch)).must_equal(&reference, "a copy");
    for sql in [
        "UPDATE observation SET value = value + 1 WHERE value IS NOT NULL",
        "UPDATE observation SET row = row + 1 WHERE date = (SELECT max(date) FROM observation)",
        "UPDATE boundary SET area_ha = area_ha + 1 WHERE boundary_id = 'home'",
        "DELETE FROM boundary WHERE boundary_id = 'home'",
        "UPDATE herd SET animal_count = animal_count + 1 WHERE herd_config_id = 'h-bulls'",
        "DELETE FROM herd WHERE herd_config_id = 'h-bulls'",
        "UPDATE file SET rows = rows + 1 WHERE file_id = 1",
        "DELETE FROM retraction",
        "UPDATE report SET body = '{}'",
        "DELETE FROM entry WHERE kind = 'replay'",
        "UPDATE run SET outputs = '[]'",
    ] {
        let other = copy_of(&ranch);
        crate::audit::forge(&other, sql);
        assert!(DeploymentContent::of(&other) != reference, "{sql}");
    }
}

/// The range of the random kills: 1,100 runs in several transactions.
const RANGE: [&str; 6] = [
    "compute",
    "--all",
    "--from",
    "2025-03-01",
    "--to",
    "2025-06-30",
];

/// `PROVENDER_CRASH_KILLS=500` is the long form; `PROVENDER_CRASH_SEED` repeats a failure.
#[test]
fn kills_at_random_instants_of_a_busy_range_do_not_change_its_result() {
    let kills = number("PROVENDER_CRASH_KILLS", 12);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let seed = number("PROVENDER_CRASH_SEED", now) | 1;
    println!("PROVENDER_CRASH_SEED={seed}");
    let mut dice = Dice(seed);
    let prepared = ingested();
    let undisturbed = copy_of(&prepared);
    let started = Instant::now();
    let _ = undisturbed.run(&RANGE).exits(0);
    let lasts = started.elapsed();
    let reference = DeploymentContent::of(&undisturbed);
    let (mut killed, mut ended) = (0, 0);
    while killed < kills {
        let ranch = copy_of(&prepared);
        // Kills the command again and again, each time on what the last kill left, until it finishes.
        loop {
            let mut child = ranch
                .command()
                .args(RANGE)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let micros = u64::try_from(lasts.as_micros()).unwrap() * 5 / 4;
            std::thread::sleep(Duration::from_micros(dice.below(micros)));
            // SIGKILL.
            child.kill().unwrap();
            let status = child.wait().unwrap();
            if status.code().is_some() {
                assert!(status.success(), "seed {seed}: {status}");
                break;
            }
            killed += 1;
            sound(&ranch, &format!("seed {seed}, kill {killed}"));
            if killed >= kills {
                break;
            }
        }
        let when = format!("seed {seed}, after kill {killed}");
        let _ = ranch.run(&RANGE).exits(0);
        DeploymentContent::of(&ranch).must_equal(&reference, &when);
        tidy(&ranch, &when);
        ended += 1;
    }
    println!(
        "{killed} kills, {ended} ends, a range of {} runs in {lasts:.1?}",
        reference.runs.len()
    );
}
