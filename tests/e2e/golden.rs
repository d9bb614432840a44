//! Golden cases on the command line: shipped components pass, and failures are shown.

use std::fs;
use std::path::Path;

use crate::kit::{Ran, Ranch};

fn test(ranch: &Ranch, args: &[&str], code: i32) -> Ran {
    let mut all = vec!["plugin", "test"];
    all.extend_from_slice(args);
    ranch.run(&all).exits(code)
}

/// Everything that a person sees, without the component's digest.
fn seen(ran: &Ran) -> String {
    let digest = |line: &str| match line.split_once("  sha256:") {
        Some((logic, _)) => format!("{logic}  sha256:…"),
        None => line.to_owned(),
    };
    let out: Vec<_> = ran.stdout.lines().map(digest).collect();
    format!("{}\n{}", out.join("\n"), ran.stderr)
}

#[test]
fn a_new_deployment_gets_the_golden_cases_of_its_pins_and_keeps_existing_files() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../logic-plugins/cases");
    let ranch = Ranch::empty();
    ranch.write("cases/frost_days/own.csv", "case\n");
    let data = ranch.data(&["init"], 0);
    assert_eq!(data["golden_cases"], serde_json::json!(["days_remaining"]));
    let mut files = 0;
    for file in fs::read_dir(shipped.join("days_remaining")).unwrap() {
        let file = file.unwrap();
        let inside = format!("cases/days_remaining/{}", file.file_name().display());
        assert_eq!(
            ranch.read(&inside),
            fs::read_to_string(file.path()).unwrap()
        );
        files += 1;
    }
    assert_eq!(ranch.files("cases").len(), files + 1);
    assert_eq!(ranch.read("cases/frost_days/own.csv"), "case\n");

    // `init` writes no cases in a checkout, which has its own, nor for components of another folder, whose
    // cases are elsewhere.
    let checkout = Ranch::empty();
    checkout.write("logic-plugins/cases/README.md", "");
    let _ = checkout.run(&["init"]).exits(0);
    assert!(!checkout.path("cases").exists());
    let others = Ranch::empty();
    let components = ranch.path("components");
    let args = ["init", "--plugins", components.to_str().unwrap()];
    let _ = others.run(&args).exits(0);
    assert!(!others.path("cases").exists());
}

#[test]
fn every_shipped_component_passes_its_golden_cases() {
    let ranch = Ranch::new();
    for (logic, least) in [
        ("days_remaining:v1", 20),
        ("days_remaining:v2", 24),
        ("frost_days:v1", 9),
    ] {
        let data = ranch.data(&["plugin", "test", logic], 0);
        assert_eq!(data["summary"]["failed"], 0, "{data}");
        let passed = data["summary"]["passed"].as_u64().unwrap();
        assert!(passed >= least, "{logic}: {passed}");
    }
    let data = ranch.data(&["plugin", "test", "days_remaining:v2"], 0);
    assert_eq!(data["summary"]["superseded"], 6);
    let data = ranch.data(&["plugin", "test", "days_remaining:v1"], 0);
    assert_eq!(data["summary"]["superseded"], 0);
    assert!(data["summary"]["later"].as_u64().unwrap() >= 9);
}

#[test]
fn a_folder_of_the_logics_workspace_finds_its_component_and_its_cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let ranch = Ranch::empty();
    for folder in ["days-remaining-v1", "days-remaining-v2", "frost-days-v1"] {
        let output = ranch
            .command()
            .current_dir(&root)
            .args([
                "plugin",
                "test",
                &format!("logic-plugins/{folder}"),
                "--json",
            ])
            .output()
            .unwrap();
        let data = ranch.finish(output).exits(0).json()["data"].clone();
        assert!(
            data["folder"]
                .as_str()
                .unwrap()
                .starts_with("logic-plugins/cases/")
        );
    }
}

#[test]
fn a_wrong_expectation_is_shown_with_both_values_and_the_difference() {
    let ranch = Ranch::new();
    ranch.edit(
        "cases/days_remaining/v1.toml",
        "expect = { days_of_grazing_remaining = 33.333333333333336,",
        "expect = { days_of_grazing_remaining = 33.33333333333333,",
    );
    ranch.edit(
        "cases/days_remaining/v1.toml",
        "reason = \"the standing forage is negative\"",
        "reason = \"no forage\", forage_age_days = 13",
    );
    insta::assert_snapshot!(seen(&test(&ranch, &["days_remaining:v1"], 17)), @r#"
    days_remaining:v1  sha256:…
    failed  40 ha of 1,000 kg feed 100 head of 12 kg for 33 days and a third (RANCH/cases/days_remaining/v1.toml:35)
      days_of_grazing_remaining: expected 33.33333333333333, got 33.333333333333336, off by 7.105427357601002e-15 (1 ulp)
    failed  negative forage is null with its reason (RANCH/cases/days_remaining/v1.toml:64)
      reason: expected "no forage", got "the standing forage is negative"
      forage_age_days: expected 13, got 12, off by 1.0
      the row's reason: the standing forage is negative
    20 golden cases of RANCH/cases/days_remaining: 18 passed, 2 failed, 10 of later versions
    error: 2 of 20 golden cases of days_remaining:v1 do not hold
     help: correct the logic. If the new numbers are intended, make a new version that supersedes the case with a reason; --bless writes its outputs
    "#);
    // v2 has superseded both cases.
    let _ = test(&ranch, &["days_remaining:v2"], 0);
    let data = ranch.data(&["plugin", "test", "days_remaining:v1"], 17);
    assert_eq!(data["summary"]["failed"], 2);
    let case = data["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["status"] == "failed")
        .unwrap();
    assert_eq!(case["differences"][0]["ulps"], 1);
}

#[test]
fn a_parameter_outside_its_bounds_is_refused_with_productions_message() {
    let ranch = Ranch::new();
    ranch.edit(
        "cases/days_remaining/both.toml",
        "fails = \"parameter `max_days_remaining`\"",
        "expect = { days_of_grazing_remaining = 1.0 }",
    );
    let output = seen(&test(&ranch, &["days_remaining:v2"], 17));
    let words =
        "parameter `max_days_remaining` (golden case): -1 is below the smallest allowed value 0";
    assert!(output.contains(words), "{output}");
    let compute = [
        "compute",
        "--all",
        "--as-of",
        "2025-06-30",
        "--logic",
        "days_remaining:v2",
        "--param",
        "max_days_remaining=-1",
    ];
    let production = ranch.run(&compute).exits(64).stderr;
    assert!(
        production.contains(&words.replace("golden case", "--param")),
        "{production}"
    );
}

#[test]
fn blessing_writes_the_actual_values_and_the_cases_pass_again() {
    let ranch = Ranch::new();
    let before = ranch.read("cases/days_remaining/v1.toml");
    ranch.edit(
        "cases/days_remaining/v1.toml",
        "days_of_grazing_remaining = 33.333333333333336,",
        "days_of_grazing_remaining = 1.0,",
    );
    let output = seen(&test(&ranch, &["days_remaining:v1", "--bless"], 0));
    assert!(
        output.contains("days_of_grazing_remaining: 1.0 is now 33.333333333333336"),
        "{output}"
    );
    assert_eq!(ranch.read("cases/days_remaining/v1.toml"), before);
}

#[test]
fn a_component_that_traps_is_15_and_never_blessed() {
    let ranch = Ranch::new();
    let before = ranch.files("cases");
    let ran = test(
        &ranch,
        &["days_remaining:v1", "--returned-bytes", "8", "--bless"],
        15,
    );
    assert!(
        ran.stderr
            .contains("golden cases of days_remaining:v1 do not hold"),
        "{}",
        ran.stderr
    );
    assert_eq!(ranch.files("cases"), before);
}

#[test]
fn a_set_without_cases_is_66() {
    let ranch = Ranch::new();
    fs::remove_dir_all(ranch.path("cases")).unwrap();
    for (args, part) in [
        (
            &["days_remaining:v1"][..],
            "there are no golden cases of days_remaining: looked for RANCH/logic-plugins/cases/days_remaining, RANCH/cases/days_remaining, ",
        ),
        (
            &["days_remaining:v1", "--cases", "empty"],
            "there are no golden cases of days_remaining: looked for empty/days_remaining",
        ),
        (
            &["days_remaining:v1", "--cases", "bare"],
            "bare/days_remaining holds no golden case for days_remaining:v1",
        ),
        (&["nowhere.wasm"], "nowhere.wasm"),
        (&["days_remaining:v9"], "days_remaining:v9 is not pinned"),
    ] {
        fs::create_dir_all(ranch.path("empty")).unwrap();
        ranch.write("bare/days_remaining/README.md", "nothing yet");
        let output = seen(&test(&ranch, args, 66));
        assert!(output.contains(part), "{args:?}: {output}");
    }
}

#[test]
fn a_case_that_leaves_a_version_out_says_why_or_fails() {
    let ranch = Ranch::new();
    let file = "cases/frost_days/all.toml";
    ranch.edit(
        file,
        "name = \"no weather is no answer\"",
        "name = \"no weather is no answer\"\nversions = [\"v2\"]",
    );
    insta::assert_snapshot!(seen(&test(&ranch, &["frost_days:v1"], 17)), @r#"

    error: RANCH/cases/frost_days/all.toml:48: the case `no weather is no answer` is not run for frost_days:v1, and nothing says why: add v1 to its `versions`, or a [[supersede]] with version = "v1", case = "no weather is no answer" and a reason
    "#);
    let entry = "[[supersede]]\nversion = \"v1\"\ncase = \"no weather is no answer\"\nreason = \"a trial\"\n";
    ranch.write(file, &format!("{}{entry}", ranch.read(file)));
    let output = seen(&test(&ranch, &["frost_days:v1"], 0));
    assert!(output.contains("superseded  1 case: a trial"), "{output}");
}

#[test]
fn a_folder_of_an_author_names_its_component_and_its_cases() {
    let ranch = Ranch::new();
    let lock = ranch.read("provender.lock");
    let path = lock
        .lines()
        .find_map(|l| l.strip_prefix("path = \""))
        .unwrap()
        .trim_end_matches('"')
        .to_owned();
    fs::create_dir_all(ranch.path("mine/build")).unwrap();
    fs::copy(ranch.path(&path), ranch.path("mine/build/it.wasm")).unwrap();
    let manifest = |version: &str| {
        format!(
            "name = \"days_remaining\"\nversion = \"{version}\"\nlanguage = \"rust\"\ncomponent = \"build/it.wasm\"\ncases = \"../cases\"\n"
        )
    };
    ranch.write("mine/provender-plugin.toml", &manifest("v1"));
    let _ = test(&ranch, &["mine"], 0);
    ranch.write("mine/provender-plugin.toml", &manifest("v3"));
    let output = test(&ranch, &["mine"], 78).stderr;
    assert!(
        output.contains(
            "declares days_remaining:v1, but mine/provender-plugin.toml says days_remaining:v3"
        ),
        "{output}"
    );
    let unknown = format!("{}[tool]\nown = true\n", manifest("v1"));
    for unusable in ["name = 1\n", &unknown] {
        ranch.write("mine/provender-plugin.toml", unusable);
        let _ = test(&ranch, &["mine"], 78);
    }
    fs::remove_file(ranch.path("mine/provender-plugin.toml")).unwrap();
    let _ = test(&ranch, &["mine"], 66);
}

#[test]
fn junit_has_every_case_once() {
    let ranch = Ranch::new();
    ranch.edit(
        "cases/frost_days/all.toml",
        "frost_days = 3, last",
        "frost_days = 4, last",
    );
    let _ = test(&ranch, &["frost_days:v1", "--junit", "golden.xml"], 17);
    let xml = ranch.read("golden.xml");
    let elements = elements(&xml);
    let named = |tag: &str| {
        elements
            .iter()
            .filter(|e| e.split(' ').next() == Some(tag))
            .count()
    };
    let data = ranch.data(&["plugin", "test", "frost_days:v1"], 17);
    let cases = data["cases"].as_array().unwrap().len();
    assert_eq!(
        (named("testcase"), named("failure"), named("testsuite")),
        (cases, 1, 1)
    );
    assert!(
        elements[0].contains(&format!("tests=\"{cases}\" failures=\"1\"")),
        "{}",
        elements[0]
    );
    assert!(xml.contains("frost_days: expected 4, got 3"), "{xml}");
}

/// The elements of an XML document as `tag attributes`; asserts that the tags are balanced.
pub(crate) fn elements(xml: &str) -> Vec<String> {
    let body = xml
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        .unwrap();
    let mut open: Vec<String> = Vec::new();
    let mut all = Vec::new();
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        assert!(!text.contains('>') && !text.contains(|c: char| c.is_control() && c != '\n'));
        assert!(tag.matches('"').count().is_multiple_of(2), "{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap().to_owned();
        if !tag.ends_with('/') {
            open.push(name);
        }
        all.push(tag.trim_end_matches('/').to_owned());
    }
    assert!(open.is_empty(), "{open:?}");
    all
}

#[test]
fn cases_of_earlier_versions_are_superseded_with_a_reason_and_never_rewritten() {
    let ranch = Ranch::new();
    let file = "cases/days_remaining/both.toml";
    ranch.edit(
        file,
        "{ days_of_grazing_remaining = 0.0, available_forage_kg = 0.0 }",
        "{ days_of_grazing_remaining = 3.0, available_forage_kg = 0.0 }",
    );
    let before = ranch.read(file);
    let bless = ["days_remaining:v2", "--bless"];
    insta::assert_snapshot!("inherited", seen(&test(&ranch, &bless, 64)));
    assert_eq!(ranch.read(file), before);

    let reason = [&bless[..], &["--reason", "no forage is no day"]].concat();
    insta::assert_snapshot!("inherited_blessed", seen(&test(&ranch, &reason, 0)));
    let after = ranch.read(file);
    insta::assert_snapshot!("inherited_written", after.strip_prefix(&before).unwrap());
    // The earlier version must still meet its own expectations.
    let data = ranch.data(&["plugin", "test", "days_remaining:v1"], 17);
    assert_eq!(data["summary"]["failed"], 1);

    // Cases that belong to the version itself are rewritten in place.
    ranch.edit(file, "is no day\"", "is no day at all\"");
    let own = "name = \"negative zero forage is zero days with one set of bits (v2)\"";
    let text = ranch.read(file);
    let (head, tail) = text.split_once(own).unwrap();
    let tail = tail.replacen("remaining = 0.0", "remaining = 4.0", 1);
    ranch.write(file, &format!("{head}{own}{tail}"));
    let output = seen(&test(&ranch, &bless, 0));
    assert!(output.contains("4.0 is now 0.0"), "{output}");
    let _ = test(&ranch, &["days_remaining:v2", "--reason", "x"], 64);
}
