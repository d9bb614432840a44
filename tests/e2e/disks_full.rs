//! Full disks at each place that a verb writes to: its exit code, no partial file, and the same command again
//! once there is room.

use crate::crash_kit::{copy_of, ingested};
use crate::disks::{NAMESPACE, below, error, may_mount};
use crate::kit::{Ranch, variant_of};

/// A folder on a full disk. `.` is the deployment's own folder, which contains the lock file.
pub(crate) struct Full<'a> {
    pub(crate) folder: &'a str,
    pub(crate) args: &'a [&'a str],
    pub(crate) code: &'a str,
}

/// Runs the verb on a full disk, then again with room, and audits after each.
const SCRIPT: &str = r#"
    folder=$1 then=$2; shift 2
    if [ "$folder" = . ]; then
      ranch=$PWD
      mount -t tmpfs -o size=16m none /mnt && cd "$ranch" || exit 99
      for name in *; do
        case $name in
          out|components) mkdir /mnt/$name && mount --bind "$ranch/$name" /mnt/$name || exit 99 ;;
          *) cp -r "$name" /mnt/ || exit 99 ;;
        esac
      done
      cd /mnt
    else
      mkdir -p "$folder" kept && cp -r "$folder"/. kept/ || exit 99
      mount -t tmpfs -o size=16m none "$folder" && cp -r kept/. "$folder"/ || exit 99
    fi
    dd if=/dev/zero of="$folder"/ballast bs=4k 2>/dev/null
    before=$(find "$folder" -type f | sort | sha256sum)
    "$0" "$@"; full=$?
    find . -name '*.tmp*' -not -path './out/cache/*' | grep . >&2 && exit 98
    find . -type f -size 0 -newer "$folder"/ballast -not -path './out/*' | grep . >&2 && exit 97
    if [ "$folder" = elsewhere ]; then
      [ "$before" = "$(find "$folder" -type f | sort | sha256sum)" ] || { find "$folder" >&2; exit 96; }
    fi
    rm "$folder"/ballast
    "$0" audit >again 2>&1 || { cat again >&2; exit 91; }
    "$0" "$@" >again 2>&1; [ $? = $then ] || { cat again >&2; exit 95; }
    "$0" audit >again 2>&1 || { cat again >&2; exit 94; }
    "$0" verify >again 2>&1 || { cat again >&2; exit 93; }
    find . -name '*.tmp*' -not -path './out/cache/*' | grep . >&2 && exit 92
    exit $full
"#;

pub(crate) fn is_74(prepared: &Ranch, cases: &[Full<'_>]) {
    is_74_and_then(prepared, cases, "0");
}

/// Like [`is_74`], for verbs that end with another code once there is room.
pub(crate) fn is_74_and_then(prepared: &Ranch, cases: &[Full<'_>], then: &str) {
    for Full { folder, args, code } in cases {
        let ranch = copy_of(prepared);
        let all = [&[*folder, then], *args, &["--json"]].concat();
        let ran = below(&ranch, &NAMESPACE, SCRIPT, &all);
        let when = format!("{args:?} without room in {folder}");
        assert_eq!(ran.code, 74, "{when}: {}{}", ran.stdout, ran.stderr);
        let (found, message) = error(&ran);
        assert_eq!(found, *code, "{when}: {message}");
        let help = ran.json()["error"]["help"].clone();
        let says = help.as_str().is_some_and(|h| h.contains("space"));
        assert!(says, "{when}: {help}");
    }
}

#[test]
fn a_pin_ends_with_74_wherever_the_disk_is_full() {
    if !may_mount() {
        return;
    }
    let ranch = ingested();
    let _ = variant_of(&ranch, "v2", "other");
    crate::kit::unpin(&ranch, "v2");
    std::fs::remove_file(ranch.path("components/days_remaining-v2.wasm")).unwrap();
    let add = ["plugin", "add", "other.wasm"];
    is_74(
        &ranch,
        &[
            Full {
                folder: "out",
                args: &add,
                code: "ledger_io",
            },
            Full {
                folder: "components",
                args: &add,
                code: "pin_unwritable",
            },
            Full {
                folder: ".",
                args: &add,
                code: "pin_unwritable",
            },
        ],
    );
    let _ = ranch.run(&add).exits(0);
    let freeze = ["plugin", "freeze", "days_remaining:v2", "--reason", "x"];
    is_74(
        &ranch,
        &[
            Full {
                folder: "out",
                args: &freeze,
                code: "ledger_io",
            },
            Full {
                folder: ".",
                args: &freeze,
                code: "pin_unwritable",
            },
        ],
    );
}

#[test]
fn a_release_ends_with_74_wherever_the_disk_is_full() {
    if !may_mount() {
        return;
    }
    let ranch = crate::release::v1();
    let cut = |active| ["release", "cut", "--active", active, "--reason", "x"];
    let cases = [
        Full {
            folder: "out",
            args: &cut("days_remaining:v1"),
            code: "ledger_io",
        },
        Full {
            folder: "out/releases",
            args: &cut("days_remaining:v1"),
            code: "release_io",
        },
    ];
    is_74(&ranch, &cases);
    let other = copy_of(&ranch);
    for version in ["days_remaining:v1", "days_remaining:v2"] {
        let _ = ranch.run(&cut(version)).exits(0);
    }
    let export = ["release", "export", "R1", "elsewhere/R1.tar"];
    let promote = ["release", "promote", "R1", "--reason", "x"];
    let freeze = ["release", "freeze", "--reason", "x"];
    let approve = ["release", "approve", "R1", "--as", "ds", "--reason", "x"];
    let gate = ["release", "gate", "R1"];
    is_74(
        &ranch,
        &[
            Full {
                folder: "elsewhere",
                args: &export,
                code: "release_io",
            },
            Full {
                folder: "out",
                args: &promote,
                code: "ledger_io",
            },
            Full {
                folder: "out",
                args: &freeze,
                code: "ledger_io",
            },
            Full {
                folder: "out",
                args: &approve,
                code: "ledger_io",
            },
        ],
    );
    // The gate requires more runs.
    let cases = [Full {
        folder: "out",
        args: &gate,
        code: "ledger_io",
    }];
    is_74_and_then(&ranch, &cases, "12");
    let _ = ranch.run(&promote).exits(0);
    let canary = [
        "release",
        "canary",
        "R2",
        "--as-of",
        crate::release::DAY,
        "--window-days",
        "2",
    ];
    is_74(
        &ranch,
        &[
            Full {
                folder: "out",
                args: &canary,
                code: "ledger_io",
            },
            Full {
                folder: "out/manifests",
                args: &canary,
                code: "manifest_io",
            },
        ],
    );
    let _ = ranch
        .run(&["release", "promote", "R2", "--reason", "x"])
        .exits(0);
    let rollback = ["release", "rollback", "--reason", "x"];
    is_74(
        &ranch,
        &[Full {
            folder: "out",
            args: &rollback,
            code: "ledger_io",
        }],
    );
    let _ = ranch.run(&["release", "export", "R2", "R2.tar"]).exits(0);
    std::fs::copy(ranch.path("R2.tar"), other.path("R2.tar")).unwrap();
    let import = ["release", "import", "R2.tar"];
    is_74(
        &other,
        &[
            Full {
                folder: "out",
                args: &import,
                code: "ledger_io",
            },
            Full {
                folder: "out/releases",
                args: &import,
                code: "release_io",
            },
        ],
    );
}

/// The cut freezes a draft in the ledger first and in the lock file second. If the second fails, the next
/// attempt does it.
#[test]
fn a_release_of_a_draft_ends_with_74_without_room_for_the_lock_file() {
    if !may_mount() {
        return;
    }
    let ranch = ingested();
    let _ = variant_of(&ranch, "v2", "other");
    crate::kit::unpin(&ranch, "v2");
    std::fs::remove_file(ranch.path("components/days_remaining-v2.wasm")).unwrap();
    let _ = ranch.run(&["plugin", "add", "other.wasm"]).exits(0);
    let cut = [
        "release",
        "cut",
        "--active",
        "days_remaining:v2",
        "--reason",
        "x",
    ];
    let cases = [Full {
        folder: ".",
        args: &cut,
        code: "pin_unwritable",
    }];
    is_74(&ranch, &cases);
}

#[test]
fn files_for_an_auditor_are_complete_or_absent() {
    if !may_mount() {
        return;
    }
    let ranch = Ranch::ran();
    let list = ranch.data(&["list", "--boundary", "north"], 0);
    let id = list["answers"][0]["run"]["run_id"].as_str().unwrap();
    let _ = ranch
        .run(&["audit", "key", "ledger.key", "--name", "ranch.example"])
        .exits(0);
    let bundle = ["explain", id, "--bundle", "elsewhere/run.tar"];
    let page = ["explain", id, "--html", "elsewhere/run.html"];
    let key = ["--key", "ledger.key", "--out", "elsewhere/given"];
    let checkpoint = [["audit", "checkpoint"].as_slice(), &key].concat();
    let prove = [["audit", "prove", id].as_slice(), &key].concat();
    let backup = ["backup", "elsewhere/copy"];
    let pair = ["audit", "key", "elsewhere/a.key", "--name", "ranch.example"];
    let cases = [
        (&bundle[..], "file_unwritable"),
        (&page, "page_unwritable"),
        (&checkpoint, "file_unwritable"),
        (&prove, "file_unwritable"),
        (&backup, "ledger_io"),
        (&pair, "file_unwritable"),
    ];
    let cases = cases.map(|(args, code)| Full {
        folder: "elsewhere",
        args,
        code,
    });
    is_74(&ranch, &cases);
}

/// The disk becomes full in the middle of the copy.
#[test]
fn a_partial_backup_is_removed() {
    if !may_mount() {
        return;
    }
    let ranch = Ranch::ran();
    let days = ["--from", "2025-06-26", "--to", "2025-06-30"];
    let _ = ranch
        .run(&[["compute", "--all"].as_slice(), &days].concat())
        .exits(0);
    let script = r#"
        mkdir elsewhere && mount -t tmpfs -o size=$1 none elsewhere || exit 99; shift
        "$0" "$@"; full=$?
        [ -e elsewhere/a ] && { find elsewhere >&2; exit 98; }
        mount -o remount,size=64m elsewhere
        "$0" backup elsewhere/a/copy --quiet || exit 97
        "$0" audit --ledger elsewhere/a/copy/ledger.db --quiet || exit 96
        exit $full
    "#;
    // There is room for the ledger and some of the manifests.
    let ledger = std::fs::metadata(ranch.path("out/ledger.db"))
        .unwrap()
        .len();
    let size = format!("{}k", (ledger >> 10) + 128);
    let args = [size.as_str(), "backup", "elsewhere/a/copy", "--json"];
    let ran = below(&ranch, &NAMESPACE, script, &args);
    assert_eq!(ran.code, 74, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(error(&ran).0, "backup");
}

#[test]
fn every_other_verb_that_records_ends_with_74() {
    if !may_mount() {
        return;
    }
    let ranch = Ranch::ran();
    let list = ranch.data(&["list", "--boundary", "north"], 0);
    let id = list["answers"][0]["run"]["run_id"].as_str().unwrap();
    let replay = ["replay", "--all"];
    let one = ["replay", id];
    let baseline = [
        "monitor",
        "baseline",
        "create",
        "--to",
        "2025-06-30",
        "--window-days",
        "5",
        "--reason",
        "x",
    ];
    let incident = ["incident", "open", "--title", "t", "--run", id];
    let cases = [&replay[..], &one, &baseline, &incident].map(|args| Full {
        folder: "out",
        args,
        code: "ledger_io",
    });
    is_74(&ranch, &cases);
    let file = "story/forage_revised.csv";
    let _ = ranch
        .run(&["ingest", "--forage", file, "--accept"])
        .exits(0);
    let retract = ["ingest", "retract", file, "--reason", "x"];
    let plan = ["reissue", "--as-of", "2025-06-30", "--reason", "x"];
    let digest = ranch.data(&plan, 0)["plan"].as_str().unwrap().to_owned();
    let apply = [plan.as_slice(), &["--apply", &digest]].concat();
    is_74(
        &ranch,
        &[
            Full {
                folder: "out",
                args: &apply,
                code: "ledger_io",
            },
            Full {
                folder: "out/manifests",
                args: &apply,
                code: "manifest_io",
            },
            Full {
                folder: "out",
                args: &retract,
                code: "ledger_io",
            },
        ],
    );
}

/// Entries that no number depends on.
#[test]
fn every_verb_that_records_entries_without_numbers_ends_with_74() {
    if !may_mount() {
        return;
    }
    let ranch = crate::release::three();
    let list = ranch.data(&["list", "--boundary", "north"], 0);
    let id = list["answers"][0]["run"]["run_id"].as_str().unwrap();
    let open = ["incident", "open", "--title", "t", "--run", id];
    let _ = ranch.run(&open).exits(0);
    let _ = ranch.run(&open).exits(0);
    let freeze = ["release", "freeze", "--reason", "x"];
    let _ = ranch.run(&freeze).exits(0);
    let plan = ["release", "prune", "--keep", "1"];
    let digest = ranch.data(&plan, 0)["plan"].as_str().unwrap().to_owned();
    let prune = [plan.as_slice(), &["--apply", &digest]].concat();
    let cases = [Full {
        folder: "out",
        args: &prune,
        code: "ledger_io",
    }];
    // Once the prune is done, there is nothing left to remove.
    is_74(&ranch, &cases);
    let canary = ["release", "canary", "R2", "--as-of", crate::release::DAY];
    let _ = ranch
        .run(&[canary.as_slice(), &["--window-days", "1"]].concat())
        .exits(0);
    let ack = [
        "monitor",
        "ack",
        "mesa/h-sheep/days_remaining",
        "--until",
        "2025-07-31",
        "--reason",
        "x",
    ];
    let waive = [
        "incident",
        "close",
        "I2",
        "--resolution",
        "x",
        "--waive-regression",
        "x",
    ];
    let cases = [
        &["release", "unfreeze", "--reason", "x"][..],
        &["release", "canary", "stop", "--reason", "x"],
        &ack,
        &waive,
        &["incident", "note", "I1", "what was found"],
        &["incident", "link", "I1", "--release", "R1"],
        &["run", "--as-of", "2025-06-29", "--fail-on", "never"],
    ];
    let cases = cases.map(|args| Full {
        folder: "out",
        args,
        code: "ledger_io",
    });
    is_74(&ranch, &cases);
}
