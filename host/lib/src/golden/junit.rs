//! A run as a JUnit suite.

use provender_domain::render::junit::{CaseOutcome, Suite, TestCase};

use super::run::{Ran, Tested};

/// The suite of a version.
#[must_use]
pub fn suite(logic: &str, tested: &Tested) -> Suite {
    let mut cases: Vec<_> = tested.cases.iter().map(|ran| of(ran, tested)).collect();
    cases.extend(tested.skipped.iter().map(|s| TestCase {
        name: s.name.clone(),
        place: Some((s.place.file.clone(), s.place.line)),
        outcome: CaseOutcome::Skipped {
            reason: format!(
                "{}: {}",
                if s.superseded { "superseded" } else { "later" },
                s.reason
            ),
        },
    }));
    Suite {
        name: format!("golden cases of {logic}"),
        cases,
    }
}

/// The problems of a case, one per line, including rows that change with the rows around them.
#[must_use]
pub fn problems(ran: &Ran, tested: &Tested) -> Vec<String> {
    let mut lines = ran.verdict.lines();
    let apart = tested.disagreements.iter();
    lines.extend(
        apart
            .filter(|d| d.case == ran.case.name)
            .map(ToString::to_string),
    );
    lines
}

fn of(ran: &Ran, tested: &Tested) -> TestCase {
    let lines = problems(ran, tested);
    let (kind, message) = (
        if ran.verdict.trapped() {
            "component_failed"
        } else {
            "golden_failed"
        },
        lines.first().cloned().unwrap_or_default(),
    );
    let outcome = if lines.is_empty() {
        CaseOutcome::Passed
    } else {
        let mut text = lines.clone();
        text.extend(ran.notes.iter().map(|(o, t)| format!("{o}: {t}")));
        let (kind, text) = (kind.to_owned(), text.join("\n"));
        if ran.verdict.trapped() {
            CaseOutcome::Errored {
                kind,
                message,
                text,
            }
        } else {
            CaseOutcome::Failed {
                kind,
                message,
                text,
            }
        }
    };
    TestCase {
        name: ran.case.name.clone(),
        place: Some((ran.case.place.file.clone(), ran.case.place.line)),
        outcome,
    }
}
