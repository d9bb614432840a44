//! Workflows contain no logic of their own: every step runs a verb of the program, or a script that `.ci/run`
//! runs too, so that every check of the forge can be run anywhere. No step lets names from a pull request
//! become code. An action is pinned to a whole commit, since a tag can be moved; a job has a time limit, and
//! a workflow may only read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::kit::Ranch;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What the steps of a workflow run, line by line, including block scalars.
fn run_lines(workflow: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = workflow.lines().peekable();
    while let Some(line) = lines.next() {
        let start = line.trim_start();
        let bare = start.strip_prefix("- ").unwrap_or(start);
        let Some(command) = bare.strip_prefix("run:") else {
            continue;
        };
        let command = command.trim();
        if !matches!(command, "|" | ">" | "|-" | ">-" | "|+" | ">+") {
            found.push(command.to_owned());
            continue;
        }
        let indent = line.len() - start.len();
        let deeper = |l: &&str| l.trim().is_empty() || l.len() - l.trim_start().len() > indent;
        while let Some(inside) = lines.next_if(deeper) {
            if !inside.trim().is_empty() {
                found.push(inside.trim().to_owned());
            }
        }
    }
    found
}

/// `.ci/run` and every script that it runs, directly or through another.
fn ci_scripts() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let mut open = vec![".ci/run".to_owned()];
    while let Some(script) = open.pop() {
        let text = fs::read_to_string(root().join(&script)).unwrap();
        let code = text.lines().filter(|l| !l.trim_start().starts_with('#'));
        for word in code.flat_map(str::split_whitespace) {
            let word = word.trim_matches(|c: char| "\"';(){}".contains(c));
            if word.starts_with(".ci/") && !known.contains(word) {
                open.push(word.to_owned());
            }
        }
        known.insert(script);
    }
    known
}

/// Why a line is not allowed in a workflow; `None` if it is.
fn problem(line: &str, scripts: &BTreeSet<String>) -> Option<String> {
    if line.contains("${{") {
        return Some(
            "an expression in a script is code: give it through the environment".to_owned(),
        );
    }
    if line.contains(['|', ';', '&', '`', '<', '>']) {
        return Some(
            "more than one command, or a redirection: that belongs into a script".to_owned(),
        );
    }
    let mut words = line.split_whitespace();
    match words.next() {
        Some("provender") => None,
        Some(script) if scripts.contains(script) => None,
        Some(other) => Some(format!(
            "{other} is neither a verb of the program nor a script of .ci/run"
        )),
        None => Some("an empty command".to_owned()),
    }
}

#[test]
fn workflows_run_only_verbs_and_scripts_of_the_pipeline() {
    let scripts = ci_scripts();
    assert!(scripts.contains(".ci/verify"), "{scripts:?}");
    let ranch = Ranch::empty();
    let verify = ranch.run(&["verify", "--help"]).exits(0).stdout;
    let mut lines = 0;
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for line in run_lines(&text) {
            lines += 1;
            let place = format!("{}: {line}", path.display());
            assert_eq!(problem(&line, &scripts), None, "{place}");
            let words: Vec<&str> = line.split_whitespace().collect();
            // The options belong to `provender verify`, or to the verb that is named.
            let help = match words[0] {
                "provender" => ranch.run(&[words[1], "--help"]).exits(0).stdout,
                _ => verify.clone(),
            };
            for option in words.iter().filter(|w| w.starts_with("--")) {
                let name = option.split('=').next().unwrap();
                assert!(help.contains(name), "{place}: there is no {name}");
            }
        }
    }
    assert!(lines >= 4, "the workflows' steps are not read: {lines}");
}

/// What is wrong with a workflow apart from its scripts.
fn violations(workflow: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let code = || {
        workflow
            .lines()
            .filter(|l| !l.trim_start().starts_with('#'))
    };
    for line in code() {
        let bare = line.trim_start().trim_start_matches("- ");
        let Some(action) = bare.strip_prefix("uses:") else {
            continue;
        };
        let (name, version) = action.split_once(" # v").unwrap_or((action, ""));
        let commit = name.split_once('@').map_or("", |(_, commit)| commit.trim());
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if commit.len() != 40 || !commit.chars().all(hex) || version.is_empty() {
            wrong.push(format!(
                "{bare}: not a whole commit with its version behind it"
            ));
        }
    }
    let times = |text: &str| code().filter(|l| l.trim_start().starts_with(text)).count();
    let (jobs, limits) = (times("runs-on:"), times("timeout-minutes:"));
    if jobs == 0 || jobs != limits {
        wrong.push(format!(
            "{jobs} jobs, of which {limits} have timeout-minutes"
        ));
    }
    if !workflow.contains("\npermissions:\n  contents: read\n") || workflow.contains(": write") {
        wrong.push("a workflow may only read".to_owned());
    }
    if !workflow.contains("\nconcurrency:\n") {
        wrong.push("a newer run does not end an older one".to_owned());
    }
    wrong
}

#[test]
fn actions_are_pinned_jobs_have_timeouts_and_workflows_only_read() {
    let mut seen = 0;
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let wrong = violations(&fs::read_to_string(&path).unwrap());
        assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
        seen += 1;
    }
    assert!(seen >= 3, "the workflows are not read: {seen}");
}

#[test]
fn every_push_and_every_pull_request_is_checked() {
    let ci = fs::read_to_string(root().join(".github/workflows/ci.yml")).unwrap();
    assert!(ci.contains("\n  push:\n") && ci.contains("\n  pull_request:\n"));
    assert!(
        !ci.contains("paths"),
        "a change of other paths is not checked"
    );
}

#[test]
fn a_workflow_that_breaks_a_rule_is_found() {
    let good = "on: push\npermissions:\n  contents: read\nconcurrency:\n  group: a\njobs:\n  a:\n    runs-on: x\n    timeout-minutes: 5\n    steps:\n      - uses: a/b@0123456789abcdef0123456789abcdef01234567 # v1.2.3\n";
    assert_eq!(violations(good), Vec::<String>::new());
    for (from, to) in [
        ("0123456789abcdef0123456789abcdef01234567", "v1"),
        (" # v1.2.3", ""),
        ("    timeout-minutes: 5\n", ""),
        ("contents: read", "contents: write"),
        ("concurrency:", "env:"),
    ] {
        assert_eq!(violations(&good.replace(from, to)).len(), 1, "{from}");
    }
}

#[test]
fn a_step_of_another_kind_is_found() {
    let workflow = "jobs:\n  a:\n    steps:\n      - run: cargo test\n      - name: two\n        run: |\n          .ci/run\n\n          curl x | sh\n      - run: .ci/verify --base \"${{ github.base_ref }}\"\n      - run: provender verify\n";
    let lines = run_lines(workflow);
    assert_eq!(lines.len(), 5, "{lines:?}");
    let scripts = ci_scripts();
    let bad: Vec<bool> = lines
        .iter()
        .map(|l| problem(l, &scripts).is_some())
        .collect();
    assert_eq!(bad, [true, false, true, true, false], "{lines:?}");
}
