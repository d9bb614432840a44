//! The result in four forms: a table, JSON, JUnit, and annotations of a pull request.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::CliError;
use crate::ui::{Look, Text};
use provender_domain::render::escape;
use provender_domain::render::junit::{CaseOutcome, Suite, TestCase};
use provender_domain::render::text::count;
use provender_host::contract::{ContractFinding, ContractVerdict, annotation, path_in_repository};
use provender_host::deployment::{PinTrouble, VerifiedComponent, VerifiedPin, VerifyError};
use provender_host::golden::{self, Tested};

/// The checks of the pinned components and of the release contract.
#[derive(Serialize, JsonSchema)]
pub(crate) struct VerifyAnswer<'a> {
    /// Each pinned component.
    pub(super) components: Vec<VerifiedComponent>,
    /// Each place where the change breaks the release contract; empty without `--base`.
    pub(super) contract: &'a [ContractFinding],
    /// The revision given with `--base`; null without it.
    pub(super) base: Option<&'a str>,
    /// The commit that the change is compared with; null without `--base`.
    pub(super) commit: Option<&'a str>,
    /// Number of versions that were frozen there; null without `--base`.
    pub(super) frozen: Option<usize>,
    /// Number of frozen versions in the ledger; null without a ledger.
    pub(super) ledger_frozen: Option<usize>,
}

/// A pinned component with its problems as people read them.
pub(super) struct Shown {
    model: String,
    sha256: String,
    line: usize,
    pub(super) troubles: Vec<ShownTrouble>,
    golden: Option<Tested>,
}

/// A problem as people read it.
pub(super) struct ShownTrouble {
    pub(super) error: CliError,
    /// It consists of failed golden cases, each of which has an annotation of its own.
    in_cases: bool,
}

impl From<VerifiedPin> for Shown {
    fn from(pin: VerifiedPin) -> Shown {
        let shown = |trouble| ShownTrouble {
            in_cases: matches!(&trouble, PinTrouble::Cases(failed) if !failed.trapped),
            error: trouble.into(),
        };
        Shown {
            model: pin.model.to_string(),
            sha256: pin.sha256,
            line: pin.line,
            troubles: pin.troubles.into_iter().map(shown).collect(),
            golden: pin.golden,
        }
    }
}

pub(super) fn suites(checked: &[Shown], findings: Option<&[ContractFinding]>) -> Vec<Suite> {
    let components = checked.iter().map(|c| TestCase {
        name: c.model.clone(),
        place: None,
        outcome: match c.troubles.first() {
            None => CaseOutcome::Passed,
            Some(first) => CaseOutcome::Failed {
                kind: first.error.code.clone(),
                message: first.error.message.clone(),
                text: c
                    .troubles
                    .iter()
                    .map(with_remedy)
                    .collect::<Vec<_>>()
                    .join("\n"),
            },
        },
    });
    let mut suites = vec![Suite {
        name: "pinned components".to_owned(),
        cases: components.collect(),
    }];
    suites.extend(
        checked
            .iter()
            .filter_map(|c| Some(golden::junit_suite(&c.model, c.golden.as_ref()?))),
    );
    suites.extend(findings.map(provender_host::contract::junit_suite));
    suites
}

/// The table of components.
pub(super) fn table(checked: &[Shown]) -> Text {
    let row = |c: &Shown| {
        let (look, word) = match c.troubles.is_empty() {
            true => (Look::Good, "ok"),
            false => (Look::Bad, "refused"),
        };
        let golden = c.golden.as_ref().map_or_else(
            || "no cases".to_owned(),
            |t| format!("{} of {}", t.cases.len() - t.failed(), t.cases.len()),
        );
        let problems: Vec<_> = c
            .troubles
            .iter()
            .map(|t| t.error.message.as_str())
            .collect();
        vec![
            (Look::Strong, c.model.clone()),
            (Look::Plain, c.sha256.clone()),
            (Look::Plain, golden),
            (look, word.to_owned()),
            (Look::Plain, problems.join("; ")),
        ]
    };
    let rows: Vec<_> = checked.iter().map(row).collect();
    let mut text = Text::default();
    text.table(
        &["logic", "component", "golden cases", "status", "problem"],
        &rows,
    );
    text
}

/// Why there is no table.
pub(super) fn missing(missing: &VerifyError) -> Text {
    let mut text = Text::default();
    text.look(Look::Bad, missing.to_string());
    text
}

/// Appends what follows the table. `github` is the lock file if annotations are wanted.
pub(super) fn text(
    mut text: Text,
    checked: &[Shown],
    verdict: Option<&ContractVerdict>,
    github: Option<&Path>,
) -> Text {
    for c in checked {
        let Some(tested) = &c.golden else {
            continue;
        };
        for ran in &tested.cases {
            for problem in golden::case_problems(ran, tested) {
                let (name, place) = (&ran.case.name, &ran.case.place);
                text.line(format!(
                    "  {}: {name} ({place}): {}",
                    c.model,
                    escape::terminal(&problem)
                ));
            }
        }
    }
    if let Some(verdict) = verdict {
        text.blank();
        summary_of(&mut text, verdict);
    }
    let findings = verdict.map_or(&[][..], |v| &v.findings);
    for f in findings {
        text.line(format!(
            "{}:{}: {}",
            escape::terminal(&f.path),
            f.line,
            escape::terminal(&f.message)
        ));
        text.look(
            Look::Dim,
            format!("  remedy: {}", escape::terminal(&f.remedy)),
        );
    }
    if let Some(lock) = github {
        annotations(&mut text, lock, checked, findings);
    }
    text
}

/// The message, followed by the next step on its own line.
fn with_remedy(trouble: &ShownTrouble) -> String {
    let error = &trouble.error;
    match &error.help {
        Some(help) => format!("{}\n{help}", error.message),
        None => error.message.clone(),
    }
}

/// Appends the verdict. It mentions if nothing was frozen, because most rules then had nothing to
/// check.
fn summary_of(text: &mut Text, verdict: &ContractVerdict) {
    match (verdict.findings.len(), verdict.frozen) {
        (0, 0) => text.look(
            Look::Warn,
            "the release contract holds; no version was frozen at the base, so there was none to protect",
        ),
        (0, n) => text.look(
            Look::Good,
            format!("the release contract holds for {}", count(n as u64, "frozen version")),
        ),
        (n, _) => text.look(
            Look::Bad,
            format!("the release contract is broken in {}", count(n as u64, "place")),
        ),
    }
}

fn annotations(text: &mut Text, lock: &Path, checked: &[Shown], findings: &[ContractFinding]) {
    let lock = path_in_repository(lock);
    for c in checked {
        for trouble in c.troubles.iter().filter(|t| !t.in_cases) {
            text.line(annotation(&lock, c.line, &c.model, &with_remedy(trouble)));
        }
        let Some(tested) = &c.golden else {
            continue;
        };
        for ran in &tested.cases {
            let problems = golden::case_problems(ran, tested);
            if !problems.is_empty() {
                let message = format!("{}: {}", ran.case.name, problems.join("\n"));
                let place = &ran.case.place;
                text.line(annotation(
                    &path_in_repository(Path::new(&place.file)),
                    place.line,
                    &format!("golden case of {}", c.model),
                    &message,
                ));
            }
        }
    }
    for f in findings {
        let message = format!("{}\n{}", f.message, f.remedy);
        text.line(annotation(&f.path, f.line, f.rule.text(), &message));
    }
}
