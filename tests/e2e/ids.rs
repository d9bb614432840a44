//! Ids that try to leave the manifests' folder, or to look like another: an escaped safe name, or a refusal.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use serde_json::json;

use crate::kit::Ranch;

const DAY: &str = "2025-06-30";

/// Whether a name is exactly one path component on any file system.
fn is_safe(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-%~".contains(&b);
    !name.starts_with('.')
        && !name.ends_with('.')
        && name.len() <= 120
        && name.bytes().all(plain)
        && Path::new(name)
            .components()
            .eq([Component::Normal(name.as_ref())])
}

/// Everything in the deployment's folder and in the one above, including the folder of manifests that the
/// first run creates.
fn around(ranch: &Ranch) -> BTreeSet<String> {
    let manifests = ranch.path("out/manifests").display().to_string();
    let mut names = BTreeSet::from([manifests]);
    for folder in [
        ranch.dir().parent().unwrap().to_owned(),
        ranch.dir(),
        ranch.path("out"),
    ] {
        for entry in std::fs::read_dir(folder).unwrap() {
            names.insert(entry.unwrap().path().display().to_string());
        }
    }
    names
}

/// A deployment with a place and a herd of these ids, and one forage value.
fn with_ids(boundary: &str, herd: &str) -> Ranch {
    let ranch = Ranch::new();
    let square = json!([[
        [10.0, 40.0],
        [10.1, 40.0],
        [10.1, 40.1],
        [10.0, 40.1],
        [10.0, 40.0]
    ]]);
    let place = json!({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"boundary_id": boundary}, "geometry": {"type": "Polygon", "coordinates": square}},
    ]});
    ranch.write("places.geojson", &place.to_string());
    let herds = json!([{"id": herd, "boundary_id": boundary, "effective_date": "2025-01-01", "animal_count": 40,
        "daily_intake_kg_per_head": 11.0, "average_weight_kg": 500, "utilization_target_pct": 50}]);
    ranch.write("herds.json", &herds.to_string());
    let quoted = boundary.replace('"', "\"\"");
    ranch.write(
        "forage.csv",
        &format!("boundary_id,date,kg_per_ha\n\"{quoted}\",{DAY},900\n"),
    );
    // Creates now what every command creates.
    let _ = ranch.run(&["list"]).exits(0);
    let _ = ranch
        .run(&[
            "compute",
            "--all",
            "--as-of",
            DAY,
            "--logic",
            "days_remaining:v1",
        ])
        .exits(0);
    ranch
}

const INGEST: [&str; 7] = [
    "ingest",
    "--boundaries",
    "places.geojson",
    "--herds",
    "herds.json",
    "--forage",
    "forage.csv",
];
const COMPUTE: [&str; 6] = [
    "compute",
    "--all",
    "--as-of",
    DAY,
    "--logic",
    "days_remaining:v1",
];

fn hostile() -> Vec<String> {
    // An id has at most 256 bytes.
    let (longest, long) = ("x".repeat(256), "x".repeat(257));
    [
        "..",
        "../../outside",
        "/tmp/outside",
        "a/../../../outside",
        "C:\\outside",
        "..\\..\\outside",
        "\\\\server\\share",
        ".hidden",
        ".writing",
        "nul",
        "CON.json",
        "com1",
        "trailing.",
        "per%cent",
        "%2E%2E",
        "n\u{43e}rth",
        "u\u{308}ber",
        "\u{fc}ber",
        "\u{202e}htron",
        "a\u{0}b",
        "a\nb",
        "a\u{1b}[31mb",
        "~",
        "$(touch outside)",
        "x'; DROP TABLE run; --",
        &longest,
        &long,
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn a_boundary_id_never_leads_out_of_the_manifests_folder() {
    let mut folders = BTreeSet::new();
    let mut taken = 0;
    for id in hostile() {
        let ranch = with_ids(&id, "h-1");
        let before = around(&ranch);
        let ingested = ranch.run(&INGEST);
        let shown: String = id.chars().take(40).collect();
        assert!(
            !ingested.stdout.contains('\u{1b}') && !ingested.stderr.contains('\u{1b}'),
            "{shown:?}"
        );
        if ingested.code != 0 {
            assert_eq!(ingested.code, 65, "{shown:?}: {}", ingested.stderr);
            println!(
                "{shown:?}: {}",
                ingested.stderr.lines().next().unwrap_or_default()
            );
            assert!(!ingested.stderr.is_empty());
            continue;
        }
        taken += 1;
        assert!(id.len() <= 256);
        let data = ranch.data(&COMPUTE, 0);
        assert_eq!(data["summary"]["recorded"], 1, "{shown:?}: {data}");
        let entries = std::fs::read_dir(ranch.path("out/manifests")).unwrap();
        let names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter(|n| n != ".writing")
            .collect();
        assert_eq!(names.len(), 1, "{shown:?}: {names:?}");
        assert!(is_safe(&names[0]), "{shown:?} became {:?}", names[0]);
        let lower = names[0].to_lowercase();
        assert!(
            folders.insert(lower),
            "{shown:?} shares its folder {:?}",
            names[0]
        );
        assert_eq!(around(&ranch), before, "{shown:?}");
        // The run is found by its id, and its manifest is read.
        let explained = ranch.run(&[
            "explain",
            "--boundary",
            &id.replace('\0', ""),
            "--as-of",
            DAY,
        ]);
        if !id.contains('\0') {
            let explained = explained.exits(0);
            assert!(!explained.stdout.contains('\u{1b}'), "{shown:?}");
        }
    }
    assert!(taken >= 20, "only {taken} ids were taken");
}

#[test]
fn a_herd_id_is_data_and_names_no_file() {
    // An id with control characters or with too many bytes is refused, with the name of the field.
    let (longest, long) = ("y".repeat(256), "y".repeat(257));
    for (id, taken) in [
        ("../../outside", true),
        ("/tmp/outside", true),
        ("C:\\outside", true),
        ("..", true),
        (".", true),
        ("CON", true),
        ("nul.json", true),
        ("-", true),
        ("h\u{435}rd", true),
        ("u\u{308}ber", true),
        ("\u{202e}sdoof", true),
        (longest.as_str(), true),
        (long.as_str(), false),
        ("a\u{0}b", false),
        ("a\nb", false),
        ("a\u{1b}[2Jb", false),
    ] {
        let ranch = with_ids("north", id);
        let before = around(&ranch);
        let shown: String = id.chars().take(40).collect();
        let ingested = ranch.run(&INGEST);
        assert_eq!(ingested.code == 0, taken, "{shown:?}: {}", ingested.stderr);
        if !taken {
            assert_eq!(ingested.code, 65, "{shown:?}: {}", ingested.stderr);
            let first = ingested.stderr.lines().next().unwrap_or_default();
            assert!(first.contains("herds.json: row 1: "), "{shown:?}: {first}");
            assert!(!first.contains('\u{1b}'), "{shown:?}: {first:?}");
            continue;
        }
        let computed = ranch.run(&COMPUTE).exits(0);
        assert!(
            !computed.stdout.contains('\u{1b}'),
            "{shown:?}: {:?}",
            computed.stdout
        );
        assert_eq!(around(&ranch), before, "{shown:?}");
        assert!(ranch.path("out/manifests/north").is_dir(), "{shown:?}");
    }
}

#[test]
fn a_logic_without_a_plain_name_is_refused_wherever_it_appears() {
    let ranch = Ranch::ran();
    let long = format!("{}:v1", "x".repeat(5_000));
    for name in [
        "../x:v1",
        "..:v1",
        ".:v1",
        "/etc/passwd:v1",
        "C:\\x:v1",
        "days_remaining:../v1",
        "CON:v1",
        "nul.wasm:v1",
        "d\u{430}ys_remaining:v1",
        "x\u{1b}[31m:v1",
        &long,
    ] {
        let args = ["compute", "--all", "--as-of", DAY, "--logic", name];
        let ran = ranch.run(&args).exits(66);
        assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
    }
    let lock = ranch.read("provender.lock");
    let (name, version, path) = (
        "name = \"days_remaining\"",
        "version = \"v1\"",
        "path = \"components/",
    );
    let longest = format!("name = \"{}\"", "x".repeat(65));
    for (from, to) in [
        (name, "name = \"../days\""),
        (name, "name = \"..\""),
        (name, "name = \"/days\""),
        (name, "name = \"CON\""),
        (name, "name = \"d\u{430}ys_remaining\""),
        (name, "name = \"days\\u0000remaining\""),
        (name, longest.as_str()),
        (version, "version = \"v1/../..\""),
        (version, "version = \"v1\\u0000\""),
        (version, "version = \"v\u{661}\""),
        (path, "path = \"../components/"),
        (path, "path = \"/components/"),
        (path, "path = \"components/\\u0000"),
        (path, "path = \"components/x/../../../"),
    ] {
        assert!(lock.contains(from));
        ranch.write("provender.lock", &lock.replacen(from, to, 1));
        let ran = ranch.run(&["compute", "--all", "--as-of", DAY]).exits(78);
        assert!(
            ran.stderr.contains("provender.lock cannot be used"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn text_from_a_file_cannot_move_the_cursor() {
    let ranch = Ranch::sample();
    for (file, text) in [
        ("a.csv", "hepd\u{1b}[2Jconfig_id,bounda\u{202e}ry\n1,2\n"),
        (
            "b.csv",
            "boundary_id,date,kg_per_ha\nnorth,2025-06-\u{1b}[1A\u{9b}30,1\n",
        ),
        ("c.json", "{\"a\": \u{1b}}"),
    ] {
        ranch.write(file, text);
        for json in [&[][..], &["--json"]] {
            let ran = ranch
                .run(&[&["ingest", "--forage", file], json].concat())
                .exits(65);
            for said in [&ran.stdout, &ran.stderr] {
                assert!(!said.contains('\u{1b}'), "{said:?}");
            }
            assert!(
                !ran.stderr.contains(['\u{9b}', '\u{202e}']),
                "{:?}",
                ran.stderr
            );
        }
    }
    ranch.edit("provender.toml", "[monitor]", "\u{1b}[2J[monitor]");
    let ran = ranch.run(&["list"]).exits(78);
    assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
}

#[test]
#[cfg(unix)]
fn a_link_out_of_the_folder_is_not_followed() {
    let ranch = Ranch::sample();
    let outside = ranch.dir().parent().unwrap().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let secret = outside.join("forage.csv");
    std::fs::write(&secret, "boundary_id,date,kg_per_ha\nnorth,2025-06-30,1\n").unwrap();
    std::fs::remove_file(ranch.path("inputs/forage_standing.csv")).unwrap();
    std::os::unix::fs::symlink(&secret, ranch.path("inputs/forage_standing.csv")).unwrap();
    let ran = ranch.run(&["ingest"]).exits(74);
    assert!(
        ran.stderr.contains("inputs/forage_standing.csv"),
        "{}",
        ran.stderr
    );

    let ranch = Ranch::sample();
    let _ = ranch.run(&["ingest"]).exits(0);
    std::fs::create_dir_all(ranch.path("out/manifests")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), ranch.path("out/manifests/north")).unwrap();
    let ran = ranch
        .run(&["compute", "--boundary", "north", "--as-of", DAY])
        .exits(74);
    assert!(ran.stderr.contains("out/manifests/north"), "{}", ran.stderr);
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}
