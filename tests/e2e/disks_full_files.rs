//! Full disks and files that the user names: reports, cases, new folders.

use crate::disks::{NAMESPACE, below, may_mount};
use crate::disks_full::{Full, is_74, is_74_and_then};
use crate::kit::Ranch;

/// Files for people and other programs.
#[test]
fn every_report_is_complete_or_absent() {
    if !may_mount() {
        return;
    }
    let ranch = crate::release::three();
    let list = ranch.data(&["list", "--boundary", "north"], 0);
    let id = list["answers"][0]["run"]["run_id"].as_str().unwrap();
    let open = ["incident", "open", "--title", "t", "--run", id];
    let _ = ranch.run(&open).exits(0);
    let elsewhere = |args, code| Full {
        folder: "elsewhere",
        args,
        code,
    };
    is_74(
        &ranch,
        &[
            elsewhere(
                &["incident", "export", "I1", "--html", "elsewhere/I1.html"],
                "page_unwritable",
            ),
            elsewhere(
                &["incident", "export", "I1", "--markdown", "elsewhere/I1.md"],
                "page_unwritable",
            ),
            elsewhere(
                &[
                    "backtest",
                    "days_remaining:v2",
                    "--html",
                    "elsewhere/b.html",
                ],
                "report_unwritable",
            ),
            elsewhere(
                &[
                    "backtest",
                    "days_remaining:v2",
                    "--markdown",
                    "elsewhere/b.md",
                ],
                "report_unwritable",
            ),
            elsewhere(
                &["verify", "--junit", "elsewhere/v.xml"],
                "junit_unwritable",
            ),
            elsewhere(
                &[
                    "plugin",
                    "test",
                    "days_remaining:v2",
                    "--junit",
                    "elsewhere/t.xml",
                ],
                "junit_unwritable",
            ),
            elsewhere(
                &["manifest", "export", "--all", "--dir", "elsewhere/m"],
                "manifest_io",
            ),
            elsewhere(&["init", "elsewhere/ranch"], "folder_unwritable"),
            elsewhere(
                &[
                    "plugin",
                    "new",
                    "days_remaining:v3",
                    "--from",
                    "v2",
                    "--dir",
                    "elsewhere/new",
                ],
                "author_io",
            ),
        ],
    );
    let gate = [
        "release",
        "gate",
        "R2",
        "--dry-run",
        "--out",
        "elsewhere/gate.md",
    ];
    is_74_and_then(&ranch, &[elsewhere(&gate, "report_unwritable")], "12");
}

/// Cases that DS has to complete, and cases that are overwritten.
#[test]
fn golden_cases_are_written_completely_or_left_unchanged() {
    if !may_mount() {
        return;
    }
    let ranch = crate::release::v1();
    let list = ranch.data(&["list", "--boundary", "north"], 0);
    let id = list["answers"][0]["run"]["run_id"].as_str().unwrap();
    let open = ["incident", "open", "--title", "t", "--run", id];
    let _ = ranch.run(&open).exits(0);
    let regression = ["incident", "regression", "I1", "--cases", "elsewhere"];
    let cases = [Full {
        folder: "elsewhere",
        args: &regression,
        code: "incident_io",
    }];
    is_74(&ranch, &cases);
    let bless = [
        "plugin",
        "test",
        "days_remaining:v2",
        "--cases",
        "cases",
        "--bless",
    ];
    let expected = "days_of_grazing_remaining = 20.0";
    let other = "days_of_grazing_remaining = 1.5";
    ranch.edit("cases/days_remaining/v2.toml", expected, other);
    let cases = [Full {
        folder: "cases",
        args: &bless,
        code: "golden_io",
    }];
    is_74(&ranch, &cases);
}

/// If a new deployment fails, existing files of the user stay unchanged.
#[test]
fn a_file_to_be_overwritten_stays_if_the_disk_is_full() {
    if !may_mount() {
        return;
    }
    let ranch = Ranch::empty();
    let mine = [
        ("components/days_remaining-v1.wasm", "mine"),
        ("logic.toml", "# mine"),
        ("sources.toml", "# mine"),
    ];
    for (file, text) in mine {
        ranch.write(&format!("p/{file}"), text);
    }
    std::os::unix::fs::symlink("/nowhere", ranch.path("p/cases")).unwrap();
    let script = r#"
        mkdir kept && cp -a p/. kept/ && mount -t tmpfs -o size=$1 none p && cp -a kept/. p/ || exit 99; shift
        "$0" "$@"; full=$?
        diff -r --no-dereference kept p >&2 || exit 98
        rm p/cases; mount -o remount,size=64m p
        "$0" init p >&2 || exit 97
        "$0" verify --project p >&2 || exit 96
        exit $full
    "#;
    // From no room for the first file to no room for the last.
    for size in ["16k", "64k", "256k", "400k", "440k"] {
        let _ = std::fs::remove_dir_all(ranch.path("kept"));
        let ran = below(&ranch, &NAMESPACE, script, &[size, "init", "p", "--json"]);
        assert_eq!(ran.code, 74, "{size}: {}{}", ran.stdout, ran.stderr);
    }
}
