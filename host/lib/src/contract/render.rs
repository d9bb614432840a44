//! Findings as a JUnit suite and as annotations of a pull request.

use std::path::Path;

use provender_domain::render::escape::{workflow_message, workflow_property};
use provender_domain::render::junit::{CaseOutcome, Suite, TestCase};

use super::rule::{ContractFinding, Rule};

/// One test case per rule.
#[must_use]
pub fn suite(findings: &[ContractFinding]) -> Suite {
    let cases = Rule::ALL.into_iter().map(|rule| {
        let broken: Vec<_> = findings.iter().filter(|f| f.rule == rule).collect();
        TestCase {
            name: rule.text().to_owned(),
            place: broken.first().map(|f| (f.path.clone(), f.line)),
            outcome: match broken.first() {
                None => CaseOutcome::Passed,
                Some(first) => CaseOutcome::Failed {
                    kind: rule.name().to_owned(),
                    message: format!("{}: {}", first.path, first.message),
                    text: broken
                        .iter()
                        .map(|f| format!("{}:{}: {}. {}", f.path, f.line, f.message, f.remedy))
                        .collect::<Vec<_>>()
                        .join("\n"),
                },
            },
        }
    });
    Suite {
        name: "release contract".to_owned(),
        cases: cases.collect(),
    }
}

/// A file's path for annotations: relative to the top folder of its repository, wherever in it the program was
/// called; outside a repository unchanged.
#[must_use]
pub fn in_repository(file: &Path) -> String {
    let relative = || {
        let whole = file.canonicalize().ok()?;
        let top = whole.ancestors().find(|d| d.join(".git").exists())?;
        let parts = whole.strip_prefix(top).ok()?.components();
        let parts: Vec<_> = parts
            .map(|c| c.as_os_str().to_string_lossy().into_owned())
            .collect();
        Some(parts.join("/"))
    };
    relative().unwrap_or_else(|| file.display().to_string())
}

/// An annotation of GitHub Actions: `::error file=…,line=…,title=…::message`.
#[must_use]
pub fn annotation(path: &str, line: usize, title: &str, message: &str) -> String {
    format!(
        "::error file={},line={line},title={}::{}",
        workflow_property(path),
        workflow_property(title),
        workflow_message(message)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_break_out_of_an_annotation() {
        assert_eq!(
            annotation("a,b:c.rs", 3, "100 %", "one\n::error::two"),
            "::error file=a%2Cb%3Ac.rs,line=3,title=100 %25::one%0A::error::two"
        );
    }
}
