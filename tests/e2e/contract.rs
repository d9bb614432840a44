//! `verify`: the pinned components, their golden cases, and a change against the release contract.

use std::path::Path;
use std::process::Command;

use crate::kit::{Ran, Ranch};

/// A repository with a lock file, a component, sources, cases, the WIT and owners.
fn repository() -> Ranch {
    let ranch = Ranch::empty();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let copy = |path: &str| {
        let to = ranch.path(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from.join(path), to).unwrap();
    };
    for path in [
        "wit/logic.wit",
        ".github/CODEOWNERS",
        "logic-plugins/artifacts/provender.lock",
        "logic-plugins/artifacts/days_remaining-v1.wasm",
        "logic-plugins/artifacts/days_remaining-v2.wasm",
        "logic-plugins/artifacts/frost_days-v1.wasm",
        "logic-plugins/days-remaining-v2/src/lib.rs",
    ] {
        copy(path);
    }
    for logic in ["days_remaining", "frost_days"] {
        let cases = from.join("logic-plugins/cases").join(logic);
        for entry in std::fs::read_dir(cases).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            copy(&format!("logic-plugins/cases/{logic}/{name}"));
        }
    }
    git(&ranch, &["init", "-q", "-b", "main"]);
    commit(&ranch, "base");
    git(&ranch, &["branch", "base"]);
    ranch
}

fn git(ranch: &Ranch, args: &[&str]) {
    let said = Command::new("git")
        .current_dir(ranch.dir())
        .args([
            "-c",
            "user.name=Tester",
            "-c",
            "user.email=tester@example.org",
        ])
        .args(args)
        .output()
        .unwrap();
    assert!(said.status.success(), "git {args:?}: {said:?}");
}

fn commit(ranch: &Ranch, message: &str) {
    git(ranch, &["add", "-A"]);
    git(ranch, &["commit", "-q", "-m", message]);
}

fn verify(ranch: &Ranch, more: &[&str]) -> Ran {
    let lock = ["verify", "--lock", "logic-plugins/artifacts/provender.lock"];
    let args: Vec<_> = lock.iter().chain(more).copied().collect();
    ranch.run(&args)
}

/// The findings of a refused change, as rule, path and remedy.
fn broken(ranch: &Ranch, more: &[&str]) -> Vec<(String, String, String)> {
    let args: Vec<_> = ["--base", "base", "--json"]
        .iter()
        .chain(more)
        .copied()
        .collect();
    let json = verify(ranch, &args).exits(17).json();
    let text = |f: &serde_json::Value, part: &str| f[part].as_str().unwrap().to_owned();
    json["data"]["contract"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (text(f, "rule"), text(f, "path"), text(f, "remedy")))
        .collect()
}

fn only(findings: &[(String, String, String)], rule: &str, path: &str, remedy: &str) {
    let is = |f: &&(String, String, String)| f.0 == rule && f.1 == path;
    let found = findings.iter().find(is);
    let found = found.unwrap_or_else(|| panic!("{rule} of {path} is not in {findings:?}"));
    assert!(found.2.contains(remedy), "{}", found.2);
}

#[test]
fn pinned_components_pass_and_an_unchanged_tree_breaks_no_rule() {
    let ranch = repository();
    let data = verify(&ranch, &["--base", "base", "--json"])
        .exits(0)
        .json();
    let components = data["data"]["components"].as_array().unwrap();
    assert_eq!(components.len(), 3);
    for c in components {
        assert_eq!(c["status"], "ok");
        assert!(c["golden"].is_object(), "{c}");
    }
    assert_eq!(data["data"]["contract"], serde_json::json!([]));
    // The contract allows a new version beside the frozen ones.
    ranch.write("logic-plugins/days-remaining-v3/src/lib.rs", "// new");
    commit(&ranch, "v3");
    let _ = verify(&ranch, &["--base", "base"]).exits(0);
}

#[test]
fn every_change_of_something_frozen_is_refused_with_its_file_and_remedy() {
    let ranch = repository();
    let source = "logic-plugins/days-remaining-v2/src/lib.rs";
    ranch.edit(source, "Frozen once released.", "Frozen, or so.");
    let findings = broken(&ranch, &[]);
    only(&findings, "frozen_source", source, "new version");
    git(&ranch, &["checkout", "-q", "."]);

    ranch.edit(
        "wit/logic.wit",
        "enum severity { warn, crit }",
        "enum severity { warn, crit, page }",
    );
    let findings = broken(&ranch, &["--approved-by", "ds", "--approved-by", "mlops"]);
    only(&findings, "frozen_wit", "wit/logic.wit", "version");
    git(&ranch, &["checkout", "-q", "."]);

    // Bytes and pin change together, so that lock file and component agree with each other.
    let (lock, component) = (
        "logic-plugins/artifacts/provender.lock",
        "logic-plugins/artifacts/days_remaining-v2.wasm",
    );
    let old = std::fs::read(ranch.path(component)).unwrap();
    let mut new = old.clone();
    new.extend([0, 2, 1, b'x']);
    std::fs::write(ranch.path(component), &new).unwrap();
    let shown = ranch.data(&["plugin", "show", component], 0);
    let text = ranch.read(lock);
    let pinned = text.split("version = \"v2\"").nth(1).unwrap();
    let digest = pinned
        .split('"')
        .find(|p| p.starts_with("sha256:"))
        .unwrap()
        .to_owned();
    ranch.edit(lock, &digest, shown["sha256"].as_str().unwrap());
    ranch.edit(
        lock,
        &format!("size = {}", old.len()),
        &format!("size = {}", new.len()),
    );
    commit(&ranch, "other bytes\n\nApproved-by: ds\nApproved-by: mlops");
    let findings = broken(&ranch, &[]);
    only(&findings, "frozen_pin", lock, "git checkout");
    only(
        &findings,
        "frozen_bytes",
        component,
        "new version of days_remaining",
    );

    let annotated = verify(&ranch, &["--base", "base", "--github"])
        .exits(17)
        .stdout;
    assert!(
        annotated.contains(&format!("::error file={lock},line=")),
        "{annotated}"
    );
    let _ = verify(&ranch, &["--base", "base", "--junit", "report.xml"]).exits(17);
    let report = ranch.read("report.xml");
    assert!(
        report.starts_with("<?xml") && report.contains("<failure"),
        "{report}"
    );
}

#[test]
fn annotations_give_paths_from_the_repository_root_and_the_remedy() {
    let ranch = Ranch::empty();
    let _ = ranch.run(&["init", "farms/north"]).exits(0);
    let component = ranch.path("farms/north/components/days_remaining-v1.wasm");
    std::fs::write(component, "other bytes").unwrap();
    let annotation = || {
        let args = ["verify", "--project", "farms/north", "--github"];
        let ran = ranch.run(&args).exits(11);
        let line = ran.stdout.lines().find(|l| l.starts_with("::"));
        line.unwrap().to_owned()
    };
    // Outside a repository, paths are relative to the current folder.
    assert!(annotation().contains("file=farms/north/provender.lock,line="));
    git(&ranch, &["init", "-q"]);
    let said = annotation();
    assert!(
        said.starts_with(
            "::error file=farms/north/provender.lock,line=5,title=days_remaining%3Av1::"
        ),
        "{said}"
    );
    assert!(said.contains("%0Aput the pinned file back"), "{said}");
    // Run inside the deployment, the annotation names the same file.
    let mut inside = ranch.command();
    inside
        .args(["verify", "--github"])
        .current_dir(ranch.path("farms/north"));
    let ran = ranch.finish(inside.output().unwrap()).exits(11);
    assert!(ran.stdout.contains(&said), "{}", ran.stdout);
}

#[test]
fn a_change_to_files_of_two_owners_needs_both_approvals() {
    let ranch = repository();
    ranch.write("logic-plugins/days-remaining-v3/src/lib.rs", "// new");
    ranch.write("host/src/main.rs", "// new");
    commit(&ranch, "both sides at once");
    let findings = broken(&ranch, &[]);
    assert!(findings.iter().all(|f| f.0 == "owners"), "{findings:?}");
    let findings = broken(&ranch, &["--approved-by", "ds"]);
    assert!(findings[0].2.contains("mlops"), "{findings:?}");
    let _ = verify(
        &ranch,
        &[
            "--base",
            "base",
            "--approved-by",
            "ds",
            "--approved-by",
            "mlops",
        ],
    )
    .exits(0);
    git(
        &ranch,
        &[
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "approved\n\nApproved-by: ds\nApproved-by: mlops",
        ],
    );
    let _ = verify(&ranch, &["--base", "base"]).exits(0);
}

#[test]
fn a_missing_base_does_not_pass() {
    let ranch = repository();
    let refused = verify(&ranch, &["--base", "nowhere"]).exits(66);
    insta::assert_snapshot!(refused.stderr, @r"
    error: the base `nowhere` is not in this repository
     help: name a commit, tag or branch of this repository, such as origin/main
    ");
    ranch.write("more", "more");
    commit(&ranch, "more");
    let shallow = Ranch::empty();
    let from = format!("file://{}", ranch.dir().display());
    let to = shallow.dir();
    std::fs::create_dir_all(&to).unwrap();
    let cloned = Command::new("git")
        .args(["clone", "-q", "--depth", "1", &from])
        .arg(&to)
        .status()
        .unwrap();
    assert!(cloned.success());
    let refused = verify(&shallow, &["--base", "origin/base"]).exits(66);
    insta::assert_snapshot!(refused.stderr, @r"
    error: the base `origin/base` is not in this clone, which is shallow
     help: fetch it: git fetch --depth=100 origin base:refs/remotes/origin/base; in GitHub Actions set fetch-depth: 0 for actions/checkout
    ");
}

#[test]
fn a_component_that_breaks_a_golden_case_is_refused() {
    let ranch = repository();
    ranch.edit(
        "logic-plugins/cases/days_remaining/v2.toml",
        "days_of_grazing_remaining = 20.0",
        "days_of_grazing_remaining = 21.0",
    );
    let refused = verify(&ranch, &[]).exits(17);
    assert!(
        refused.stderr.contains("days_remaining:v2"),
        "{}",
        refused.stderr
    );
}
