//! The documentation is true: every command of every `console` block runs with the exit code the
//! page states and prints the lines the page shows, every relative link leads somewhere, and the
//! reference pages name what the code has.
//!
//! In a `console` block a line `$ COMMAND` runs, a line `# exit N` after it states its exit code
//! (else 0), and any other line must occur in the command's output; `…` stands for any text within
//! a line, alone on a line for any lines. The commands of one page run in order in one shell, in a
//! fresh folder, so that variables and `cd` carry over. A line `<!-- docs-test: skip REASON -->`
//! before a block skips it. `cargo …` commands are CI's and do not run here. A block that needs a tool
//! chain is skipped here with a REASON that names the test which runs it (`author.rs`, through
//! [`page`]).

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use provender_domain::catalogue::built_in;

/// A command of a page with what the page says of it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Step {
    line: usize,
    pub(crate) command: String,
    exit: i32,
    shown: Vec<String>,
}

/// A page's commands, and the blocks it skips with their reasons.
#[derive(Debug, Default, PartialEq)]
struct Session {
    steps: Vec<Step>,
    skipped: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The pages at the top, and every page under docs/, relative to the root, in order.
fn pages() -> Vec<PathBuf> {
    fn walk(folder: &Path, pages: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                walk(&path, pages);
            } else if path.extension().is_some_and(|e| e == "md") {
                pages.push(path);
            }
        }
    }
    let top = [
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "README.md",
        "SECURITY.md",
    ];
    let mut pages = top.map(PathBuf::from).to_vec();
    walk(Path::new("docs"), &mut pages);
    pages.sort();
    pages
}

fn session(text: &str) -> Session {
    let mut session = Session::default();
    let mut skip: Option<String> = None;
    let mut fence: Option<bool> = None;
    for (i, line) in text.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            fence = match fence {
                Some(_) => None,
                None => {
                    let console = info.trim() == "console";
                    let reason = skip.take().filter(|_| console);
                    if let Some(reason) = &reason {
                        session.skipped.push(format!("line {}: {reason}", i + 1));
                    }
                    Some(console && reason.is_none())
                }
            };
        } else if fence == Some(true) {
            take(&mut session.steps, i + 1, line);
        } else if fence.is_none() && !line.trim().is_empty() {
            let comment = line.trim().strip_prefix("<!-- docs-test: skip ");
            skip = comment
                .and_then(|c| c.strip_suffix("-->"))
                .map(|c| c.trim().to_owned());
        }
    }
    assert_eq!(fence, None, "a fence is not closed");
    session
}

fn take(steps: &mut Vec<Step>, line: usize, text: &str) {
    if let Some(command) = text.strip_prefix("$ ") {
        steps.push(Step {
            line,
            command: command.to_owned(),
            ..Step::default()
        });
        return;
    }
    let step = steps
        .last_mut()
        .unwrap_or_else(|| panic!("line {line}: output before any command"));
    match text.strip_prefix("# exit ") {
        Some(code) => step.exit = code.trim().parse().unwrap(),
        None if text.trim().is_empty() || text.trim() == "…" => {}
        None => step.shown.push(text.trim().to_owned()),
    }
}

/// Whether a line of the output contains the parts of the page's line in order.
fn occurs(shown: &str, output: &str) -> bool {
    output.lines().any(|line| {
        let mut rest = line;
        shown.split('…').all(|part| match rest.find(part.trim()) {
            Some(at) => {
                rest = &rest[at + part.trim().len()..];
                true
            }
            None => false,
        })
    })
}

/// The commands of a page, including blocks that are skipped for one of the `run` reasons.
pub(crate) fn page(path: &str, run: &[&str]) -> Vec<Step> {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let is_run = |line: &&str| {
        let reason = line.trim().strip_prefix("<!-- docs-test: skip ");
        reason.is_some_and(|r| run.iter().any(|run| r.contains(run)))
    };
    let kept: Vec<_> = text.lines().filter(|line| !is_run(line)).collect();
    session(&kept.join("\n")).steps
}

/// Runs a page's commands in one shell and returns what differs from the page.
fn run(page: &Path, steps: &[Step]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    run_in(page, steps, folder.path(), &[])
}

/// Like `run`, in an existing empty folder and with additional environment variables.
pub(crate) fn run_in(
    page: &Path,
    steps: &[Step],
    folder: &Path,
    variables: &[(&str, std::ffi::OsString)],
) -> Vec<String> {
    let at = |name: &str| {
        let path = folder.join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    let (bin, out, work) = (at("bin"), at("out"), at("work"));
    #[cfg(unix)]
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_provender"), bin.join("provender")).unwrap();
    let mut script = String::from("set -u -o pipefail\n");
    for (i, step) in steps.iter().enumerate() {
        let out = out.display();
        writeln!(
            script,
            "{{ {}\n}} >\"{out}/{i}\" 2>&1\necho $? >\"{out}/{i}.exit\"",
            step.command
        )
        .unwrap();
    }
    let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    )));
    let status = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&work)
        .env("PATH", path.unwrap())
        .env("HOME", &work)
        .env("NO_COLOR", "1")
        .env("PROVENDER_NOW", "2025-07-01T06:00:00Z")
        .env("PROVENDER_ACTOR", "docs")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(std::process::Stdio::null())
        .status()
        .unwrap();
    let mut wrong = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        let place = format!("{}:{}: {}", page.display(), step.line, step.command);
        let output = fs::read_to_string(out.join(i.to_string())).unwrap_or_default();
        let Ok(exit) = fs::read_to_string(out.join(format!("{i}.exit"))) else {
            wrong.push(format!(
                "{place}\n  did not end: the shell stopped with {status}\n{output}"
            ));
            break;
        };
        if exit.trim() != step.exit.to_string() {
            wrong.push(format!(
                "{place}\n  exits {}, the page says {}\n{output}",
                exit.trim(),
                step.exit
            ));
        }
        for shown in step.shown.iter().filter(|s| !occurs(s, &output)) {
            wrong.push(format!("{place}\n  does not print: {shown}\n{output}"));
        }
    }
    wrong
}

#[test]
#[cfg(unix)]
fn every_command_of_the_pages_does_what_the_page_says() {
    let mut wrong = Vec::new();
    let mut ran = 0;
    for page in pages() {
        let mut session = session(&fs::read_to_string(root().join(&page)).unwrap());
        for skipped in &session.skipped {
            println!("skipped: {}, {skipped}", page.display());
        }
        session.steps.retain(|s| !s.command.starts_with("cargo "));
        if !session.steps.is_empty() {
            ran += session.steps.len();
            wrong.extend(run(&page, &session.steps));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {ran} commands are not as the pages say:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        ran > 20,
        "only {ran} commands were found: are the blocks still marked as console?"
    );
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(root().join(&page)).unwrap();
        let folder = root().join(page.parent().unwrap());
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !elsewhere && !file.is_empty() && !folder.join(file).exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "links that lead nowhere:\n{}",
        broken.join("\n")
    );
}

/// Paths from the root, such as `host/cli/src/ui.rs`. One with a capital letter is a placeholder:
/// `tests/e2e/NAME.rs`.
#[test]
fn every_path_named_in_the_pages_for_contributors_exists() {
    let tops = [
        "host/",
        "tests/",
        "docs/",
        "logic-plugins/",
        "wit/",
        ".ci/",
        ".github/",
    ];
    let (mut missing, mut seen) = (Vec::new(), 0);
    for page in pages() {
        let is_for_contributors =
            page.starts_with("docs/contributing") || page == Path::new("CONTRIBUTING.md");
        let text = fs::read_to_string(root().join(&page)).unwrap();
        for path in text.split('`').filter(|_| is_for_contributors) {
            let is_path = tops.iter().any(|top| path.starts_with(top))
                && !path.contains(|c: char| c.is_whitespace() || c == '*' || c.is_uppercase());
            seen += u32::from(is_path);
            if is_path && !root().join(path).exists() {
                missing.push(format!("{}: {path}", page.display()));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "these are not there:\n{}",
        missing.join("\n")
    );
    assert!(seen > 50, "only {seen} paths were found");
}

#[test]
fn the_reference_has_every_feature_with_its_unit_and_meaning() {
    let page = fs::read_to_string(root().join("docs/reference/features.md")).unwrap();
    for f in built_in() {
        let unit = f
            .unit
            .as_ref()
            .map_or_else(|| "–".to_owned(), |u| format!("`{u}`"));
        let row = format!("| `{}` | {} | {unit} |", f.name, f.data_type.name());
        let found = page
            .lines()
            .any(|l| l.starts_with(&row) && l.contains(&f.doc));
        assert!(
            found,
            "docs/reference/features.md lacks a row `{row} … {}`",
            f.doc
        );
    }
}

/// The table's commands are in CI in a shorter form, and tests read the variables from the environment.
#[test]
fn the_table_of_long_tests_agrees_with_ci_and_the_tests() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (page, ci) = (read("docs/design/testing.md"), read(".ci/run"));
    let tests = [
        "tests/e2e/crash.rs",
        "tests/e2e/flips.rs",
        "tests/fuzz/mod.rs",
    ];
    let tests = tests.map(read).concat() + &read("tests/guests/src/lib.rs");
    let rows = page.lines().filter(|l| l.contains(" cargo test "));
    let (mut shorter, mut longer) = (0, 0);
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let (in_ci, long) = (cells[3].trim_matches('`'), cells[4].trim_matches('`'));
        assert!(ci.contains(in_ci), ".ci/run does not say {in_ci}");
        shorter += u32::from(!in_ci.is_empty());
        let (name, _) = long.split_once('=').unwrap();
        assert!(
            tests.contains(&format!("\"{name}\"")),
            "no test reads {name}"
        );
        let mut named = cells[5].split('`').filter(|s| s.starts_with("PROVENDER"));
        let read = |s: &str| tests.contains(&format!("\"{s}\""));
        assert!(named.all(read), "no test reads all of {}", cells[5]);
        longer += 1;
    }
    assert_eq!((shorter, longer), (4, 5), "is the table still one?");
}

#[test]
fn a_page_is_parsed_as_the_header_of_this_file_says() {
    let text = "```text\n$ no\n```\n<!-- docs-test: skip later -->\n\n```console\n$ no\n```\n```console\n$ a b\nx … y\n…\n$ c\n# exit 10\n```\n";
    let step = |line, command: &str, exit, shown: &[&str]| Step {
        line,
        command: command.to_owned(),
        exit,
        shown: shown.iter().map(|s| (*s).to_owned()).collect(),
    };
    let expected = Session {
        steps: vec![step(10, "a b", 0, &["x … y"]), step(13, "c", 10, &[])],
        skipped: vec!["line 6: later".to_owned()],
    };
    assert_eq!(session(text), expected);
    assert!(occurs("x … y", "a\nx 1 2 y z\n"));
    assert!(!occurs("x … y", "y x\n"));
}
