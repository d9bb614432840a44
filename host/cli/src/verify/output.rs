//! The result in four forms: a table, JSON, JUnit, and annotations of a pull request.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::CliError;
use crate::plugin::test::{GoldenCounts, summary};
use crate::ui::{Look, Text};
use provender_domain::render::escape;
use provender_domain::render::junit::{CaseOutcome, Suite, TestCase};
use provender_domain::render::text::count;
use provender_host::contract::render::{annotation, in_repository};
use provender_host::contract::{ContractFinding, ContractVerdict};
use provender_host::golden::junit;

use super::pinned::{Checked, Pinned};

/// The checks of the pinned components and of the release contract.
#[derive(Serialize, JsonSchema)]
pub(crate) struct VerifyAnswer<'a> {
    /// Each pinned component.
    pub(super) components: Vec<VerifiedComponent<'a>>,
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

/// The checks of a pinned component.
#[derive(Serialize, JsonSchema)]
pub(super) struct VerifiedComponent<'a> {
    /// Name of the logic.
    name: &'a str,
    /// Its version.
    version: &'a str,
    /// Its pinned digest.
    sha256: &'a str,
    /// Whether its checks passed.
    status: Verified,
    /// What is wrong, in sentences.
    problems: Vec<&'a str>,
    /// Number of golden cases by result; null if there are none or none could be computed.
    golden: Option<GoldenCounts>,
}

/// Whether a pinned component's checks passed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verified {
    /// Bytes, declaration, binding and golden cases hold.
    Ok,
    /// Something is wrong.
    Refused,
}

impl Checked {
    pub(super) fn answer(&self) -> VerifiedComponent<'_> {
        VerifiedComponent {
            name: &self.name,
            version: &self.version,
            sha256: &self.sha256,
            status: match self.troubles.is_empty() {
                true => Verified::Ok,
                false => Verified::Refused,
            },
            problems: self.troubles.iter().map(|t| t.message.as_str()).collect(),
            golden: self.golden.as_ref().map(|(tested, _)| summary(tested)),
        }
    }
}

pub(super) fn suites(checked: &[Checked], findings: Option<&[ContractFinding]>) -> Vec<Suite> {
    let components = checked.iter().map(|c| TestCase {
        name: c.model.to_string(),
        place: None,
        outcome: match c.troubles.first() {
            None => CaseOutcome::Passed,
            Some(first) => CaseOutcome::Failed {
                kind: first.code.clone(),
                message: first.message.clone(),
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
            .filter_map(|c| Some(junit::suite(&c.model, &c.golden.as_ref()?.0))),
    );
    suites.extend(findings.map(provender_host::contract::render::suite));
    suites
}

pub(super) fn text(
    pinned: &Pinned,
    checked: &[Checked],
    verdict: Option<&ContractVerdict>,
    github: bool,
) -> Text {
    let mut text = Text::default();
    let rows: Vec<_> = checked
        .iter()
        .map(|c| {
            let (look, word) = match c.troubles.is_empty() {
                true => (Look::Good, "ok"),
                false => (Look::Bad, "refused"),
            };
            let golden = c.golden.as_ref().map_or_else(
                || "no cases".to_owned(),
                |(t, _)| format!("{} of {}", t.cases.len() - t.failed(), t.cases.len()),
            );
            let problems: Vec<_> = c.troubles.iter().map(|t| t.message.as_str()).collect();
            vec![
                (Look::Strong, c.model.to_string()),
                (Look::Plain, c.sha256.clone()),
                (Look::Plain, golden),
                (look, word.to_owned()),
                (Look::Plain, problems.join("; ")),
            ]
        })
        .collect();
    match &pinned.missing {
        Some(missing) => text.look(Look::Bad, missing.message.clone()),
        None => text.table(
            &["logic", "component", "golden cases", "status", "problem"],
            &rows,
        ),
    }
    for c in checked {
        let Some((tested, _)) = &c.golden else {
            continue;
        };
        for ran in &tested.cases {
            for problem in junit::problems(ran, tested) {
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
    if github {
        annotations(&mut text, pinned, checked, findings);
    }
    text
}

/// The message, followed by the next step on its own line.
fn with_remedy(trouble: &CliError) -> String {
    match &trouble.help {
        Some(help) => format!("{}\n{help}", trouble.message),
        None => trouble.message.clone(),
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

fn annotations(
    text: &mut Text,
    pinned: &Pinned,
    checked: &[Checked],
    findings: &[ContractFinding],
) {
    let lock = in_repository(&pinned.lock_file());
    for c in checked {
        let golden_failed = c.golden.as_ref().is_some_and(|(t, _)| !t.passed());
        for trouble in c
            .troubles
            .iter()
            .filter(|t| !(golden_failed && t.code.starts_with("golden")))
        {
            text.line(annotation(&lock, c.line, &c.model, &with_remedy(trouble)));
        }
        let Some((tested, _)) = &c.golden else {
            continue;
        };
        for ran in &tested.cases {
            let problems = junit::problems(ran, tested);
            if !problems.is_empty() {
                let message = format!("{}: {}", ran.case.name, problems.join("\n"));
                let place = &ran.case.place;
                text.line(annotation(
                    &in_repository(Path::new(&place.file)),
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
