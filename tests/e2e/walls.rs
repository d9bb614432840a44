//! The walls between the host's crates, and the order of the rooms inside `host/lib`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

const WASMTIME: &[&str] = &["wasmtime", "cranelift"];
const DATABASE: &[&str] = &[
    "rusqlite",
    "libsqlite3",
    "postgres",
    "tokio-postgres",
    "sqlx",
    "diesel",
];
const CLAP: &[&str] = &["clap"];
const FILES: &[&str] = &["cap", "tempfile"];
const NETWORK: &[&str] = &[
    "tokio",
    "mio",
    "socket2",
    "hyper",
    "reqwest",
    "ureq",
    "curl",
    "rustls",
    "openssl",
    "native-tls",
    "object_store",
];

/// A crate of the host, the crates of this repository that it may depend on, and packages that must not be
/// among its dependencies.
struct Wall {
    package: &'static str,
    may_use: &'static [&'static str],
    keeps_out: &'static [&'static [&'static str]],
}

const WALLS: [Wall; 7] = [
    Wall {
        package: "provender-domain",
        may_use: &[],
        keeps_out: &[WASMTIME, DATABASE, CLAP, NETWORK],
    },
    Wall {
        package: "provender-proof",
        may_use: &["provender-domain"],
        keeps_out: &[WASMTIME, DATABASE, CLAP, FILES, NETWORK],
    },
    Wall {
        package: "provender-sandbox",
        may_use: &["provender-domain"],
        keeps_out: &[DATABASE, CLAP, NETWORK],
    },
    Wall {
        package: "provender-ledger",
        may_use: &["provender-domain"],
        keeps_out: &[WASMTIME, CLAP, NETWORK],
    },
    Wall {
        package: "provender-store",
        may_use: &["provender-domain"],
        keeps_out: &[WASMTIME, DATABASE, CLAP, NETWORK],
    },
    Wall {
        package: "provender-host",
        may_use: &[
            "provender-build",
            "provender-domain",
            "provender-ledger",
            "provender-proof",
            "provender-sandbox",
            "provender-store",
        ],
        keeps_out: &[CLAP, NETWORK],
    },
    Wall {
        package: "provender",
        may_use: &[
            "provender-build",
            "provender-domain",
            "provender-host",
            "provender-ledger",
            "provender-proof",
            "provender-sandbox",
            "provender-store",
        ],
        keeps_out: &[NETWORK],
    },
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cargo(args: &[&str]) -> String {
    let said = Command::new(env!("CARGO"))
        .args(args)
        .args(["--locked", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(said.status.success(), "cargo {args:?}: {said:?}");
    String::from_utf8(said.stdout).unwrap()
}

/// Names of the packages that are built for a crate, without those only for tests and build scripts.
fn below(package: &str) -> BTreeSet<String> {
    let args = [
        "tree", "-p", package, "-e", "normal", "--prefix", "none", "--format", "{p}",
    ];
    let tree = cargo(&args);
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    names
        .filter(|name| !name.is_empty() && *name != package)
        .map(str::to_owned)
        .collect()
}

/// Whether a package is one of these, or a part of one, such as `wasmtime-internal-fiber` or `clap_builder`.
fn is_of(package: &str, kept_out: &[&str]) -> bool {
    kept_out.iter().any(|name| {
        let rest = package.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
    })
}

#[test]
fn no_crate_depends_on_a_package_that_its_row_excludes() {
    for wall in WALLS {
        let below = below(wall.package);
        assert!(!below.is_empty(), "{}: no tree", wall.package);
        for package in &below {
            let kept_out = wall.keeps_out.iter().any(|names| is_of(package, names));
            assert!(!kept_out, "{} must not depend on {package}", wall.package);
            let ours = package.starts_with("provender");
            assert!(
                !ours || wall.may_use.contains(&package.as_str()),
                "{} must not depend on {package}",
                wall.package
            );
        }
    }
    // Checks that the excluded names are real: each is found in the crate that may have it.
    let found = |package: &str, names: &[&str]| below(package).iter().any(|p| is_of(p, names));
    assert!(found("provender-sandbox", WASMTIME));
    assert!(found("provender-ledger", DATABASE));
    assert!(found("provender", CLAP));
    assert!(found("provender-store", FILES));
}

#[test]
fn every_crate_of_the_host_has_a_row_and_nothing_depends_on_the_program() {
    let metadata: Json =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    let mut crates = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if package["manifest_path"]
            .as_str()
            .unwrap()
            .contains("/host/")
        {
            crates.insert(name.to_owned());
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            assert_ne!(
                dependency["name"], "provender",
                "{name} depends on the program"
            );
        }
    }
    let rows: BTreeSet<String> = WALLS.iter().map(|w| w.package.to_owned()).collect();
    assert_eq!(crates, rows, "a crate in host/ needs a row in this table");
}

/// The rooms in the order that the documentation of `host/lib/src/lib.rs` draws, each with its level. Rooms
/// of one level do not depend on each other.
fn rooms() -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(root().join("host/lib/src/lib.rs")).unwrap();
    let drawn = text.lines().find(|line| line.contains(" → ")).unwrap();
    let levels = drawn.trim_start_matches("//!").split('→').enumerate();
    levels
        .flat_map(|(level, rooms)| {
            let rooms = rooms.split(',').map(|room| room.trim().to_owned());
            rooms.map(move |room| (room, level))
        })
        .collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match path.is_dir() {
            true if name != "tests" => sources(&path, found),
            true => {}
            // Tests may use whatever they like.
            false if name == "tests.rs" || name.ends_with("_tests.rs") => {}
            false if name.ends_with(".rs") => found.push(path),
            false => {}
        }
    }
}

/// The rooms that a file names: `crate::ROOM`, one in `crate::{…}`, or one after enough `super::` to leave
/// its own room.
fn named(inside: &Path, text: &str) -> Vec<String> {
    // The depth of a module's path: `release/gate/judge.rs` is three deep.
    let depth = inside.components().count() - usize::from(inside.ends_with("mod.rs"));
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code: Vec<&str> = code
        .lines()
        .filter(|l| !l.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let identifier = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let out = "super::".repeat(depth);
    let mut found = Vec::new();
    for after in code
        .split("crate::")
        .skip(1)
        .chain(code.split(&out).skip(1))
    {
        match after.strip_prefix('{') {
            None => found.push(identifier(after)),
            Some(group) => {
                let group = group.split(';').next().unwrap();
                let names = group.split([',', '{', '}', ' ', '\n']);
                found.extend(names.map(identifier));
            }
        }
    }
    found
}

#[test]
fn rooms_of_the_library_depend_downwards_only() {
    let (rooms, folder) = (rooms(), root().join("host/lib/src"));
    let mut files = Vec::new();
    sources(&folder, &mut files);
    let (mut seen, mut used) = (BTreeSet::new(), BTreeSet::new());
    for file in files {
        let inside = file.strip_prefix(&folder).unwrap();
        let room = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap();
        let room = room.trim_end_matches(".rs");
        if ["lib", "testing"].contains(&room) {
            continue;
        }
        let level = *rooms
            .get(room)
            .unwrap_or_else(|| panic!("the order has no room {room}"));
        seen.insert(room.to_owned());
        for other in named(inside, &std::fs::read_to_string(&file).unwrap()) {
            let Some(below) = rooms.get(&other).filter(|_| other != room) else {
                continue;
            };
            assert!(
                *below > level,
                "{}: {room} must not use {other}, which does not stand below it",
                inside.display()
            );
            used.insert((room.to_owned(), other));
        }
    }
    let drawn: BTreeSet<String> = rooms.into_keys().collect();
    assert_eq!(seen, drawn, "the order names the rooms that there are");
    assert!(used.len() > 15, "uses are found: {used:?}");
}

#[test]
fn a_use_of_another_room_is_found_however_it_is_written() {
    let found = |inside: &str, text: &str| named(Path::new(inside), text);
    assert_eq!(
        found("release/cut.rs", "use crate::monitor::Report;"),
        ["monitor"]
    );
    assert_eq!(
        found("release/cut.rs", "let x = crate::audit::all::audit();"),
        ["audit"]
    );
    assert_eq!(
        found("release/cut.rs", "use super::super::audit::Bad;"),
        ["audit"]
    );
    assert_eq!(
        found("release/gate/mod.rs", "use super::super::audit::Bad;"),
        ["audit"]
    );
    let group = found(
        "release/cut.rs",
        "use crate::{\n    audit::Bad,\n    monitor::{self, Report},\n};",
    );
    assert!(group.contains(&"audit".to_owned()) && group.contains(&"monitor".to_owned()));
    assert!(found("release/cut.rs", "// crate::audit\nuse super::audit::Bad;").is_empty());
    let test = "#[cfg(test)]\nmod tests {\n    use crate::audit::Bad;\n}";
    assert!(found("release/cut.rs", test).is_empty());
}
