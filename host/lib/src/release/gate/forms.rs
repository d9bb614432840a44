//! The gate's report as a document and as JUnit XML.

use crate::project::gate::Action;
use provender_domain::canonical::CanonicalError;
use provender_domain::render::junit::{CaseOutcome as Case, Suite, TestCase};
use provender_domain::render::text::number;
use provender_domain::render::{Block, Document, Inline, Table, Tone};

use super::check::{CheckVerdict, Figure};
use super::decision::{GateReport, Weighed};

/// The effect of a verdict, as a verb.
#[must_use]
pub fn effect(result: &Weighed) -> &'static str {
    match result.action {
        None => "holds",
        Some(Action::Block) => "blocks",
        Some(Action::Alert) => "alerts",
        Some(Action::Ignore) => "is ignored",
    }
}

/// One figure as a line: `median_change of days (days_remaining:v2) is 0.3; warn above 0.25`.
#[must_use]
pub(super) fn line(figure: &Figure) -> String {
    let of = figure
        .subject
        .as_ref()
        .map_or_else(String::new, |s| format!(" of {s}"));
    let value = figure.value.map_or_else(|| "–".to_owned(), number);
    let bound = |word: &str, x: Option<f64>| {
        x.map_or_else(String::new, |x| format!("; {word} above {}", number(x)))
    };
    format!(
        "{}{of} ({}) is {value}{}{}",
        figure.name,
        figure.logic,
        bound("warn", figure.warn),
        bound("crit", figure.crit)
    )
}

/// The reasons why a check does not pass, one per line; figures above their thresholds come first.
#[must_use]
pub fn behind(result: &Weighed) -> Vec<String> {
    let check = &result.check;
    let beyond = check
        .figures
        .iter()
        .filter(|f| f.verdict != CheckVerdict::Ok);
    beyond.map(line).chain(check.details.clone()).collect()
}

/// The report as a document that embeds its JSON, for a pull request, a job summary or a page.
///
/// # Errors
/// If the report has no canonical JSON.
pub fn document(report: &GateReport) -> Result<Document, CanonicalError> {
    let title = report.title();
    let mut out = Document::new(&title);
    out.heading(1, title);
    let (tone, word) = match report.passes {
        true => (Tone::Good, "let in"),
        false => (Tone::Bad, "refused"),
    };
    out.push(Block::Verdict {
        tone,
        word: word.to_owned(),
        why: vec![Inline::from(&report.why)],
    });
    let beside = report
        .against_number
        .map_or_else(|| "no active release".to_owned(), |n| format!("R{n}"));
    let decided = format!("{} by {}", report.at, report.by);
    out.push(Block::Facts(vec![
        (
            "release".to_owned(),
            Inline::of_code(report.release.to_string()),
        ),
        ("beside".to_owned(), beside.into()),
        ("decided".to_owned(), decided.into()),
        (
            "policy".to_owned(),
            Inline::of_code(report.policy_digest.to_string()),
        ),
    ]));
    let heads = [
        "check",
        "verdict",
        "",
        "observed",
        "asked for",
        "rows",
        "evidence",
    ];
    let rows = report.checks.iter().map(row);
    out.table(Table::new(heads, rows).numbers(&["rows"]));
    for result in &report.checks {
        let check = &result.check;
        let lines = match result.action {
            Some(_) => behind(result),
            None => check.figures.iter().map(line).collect(),
        };
        let mut items: Vec<Inline> = lines.into_iter().map(Inline::from).collect();
        let to_do = |text: &String| Inline::from("to do: ").code(text);
        items.extend(check.remedy.iter().map(to_do));
        if !items.is_empty() {
            out.heading(2, check.name.name());
            out.list(items);
        }
    }
    let json = report.body()?.1;
    out.push(Block::Data {
        id: "provender-gate",
        json,
    });
    Ok(out)
}

fn row(result: &Weighed) -> Vec<Inline> {
    let c = &result.check;
    vec![
        c.name.name().into(),
        Inline::new().badge(c.verdict.tone(), c.verdict.name()),
        effect(result).into(),
        Inline::from(&c.observed),
        Inline::from(&c.threshold),
        c.rows.to_string().into(),
        Inline::of_code(c.evidence.join(", ")),
    ]
}

/// The report as a JUnit suite. A blocking check is a failure, or an error if its verdict is unknown. An alert
/// passes, because the release is let in.
#[must_use]
pub fn suite(report: &GateReport) -> Suite {
    let cases = report.checks.iter().map(|result| {
        let c = &result.check;
        let kind = format!("gate.{}", c.verdict.name());
        let message = c.observed.clone();
        let mut lines = vec![format!("required: {}", c.threshold)];
        lines.extend(behind(result));
        lines.extend(c.remedy.iter().map(|r| format!("to do: {r}")));
        let text = lines.join("\n");
        TestCase {
            name: c.name.name().to_owned(),
            place: None,
            outcome: match (result.action, c.verdict) {
                (Some(Action::Block), CheckVerdict::Unknown) => Case::Errored {
                    kind,
                    message,
                    text,
                },
                (Some(Action::Block), _) => Case::Failed {
                    kind,
                    message,
                    text,
                },
                _ => Case::Passed,
            },
        }
    });
    Suite {
        name: format!("gate of {}: {}", report.environment, report.name()),
        cases: cases.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::decision::tests::report;
    use super::*;
    use crate::project::gate::GateSettings;
    use provender_domain::render::html::page;
    use provender_domain::render::junit;
    use provender_domain::render::markdown::markdown;

    fn every() -> GateReport {
        use CheckVerdict::{Crit, Ok, Unknown, Warn};
        report("prod", &GateSettings::default(), &[Ok, Warn, Crit, Unknown])
    }

    #[test]
    fn markdown_of_every_verdict() {
        insta::assert_snapshot!(markdown(&document(&every()).unwrap()));
    }

    #[test]
    fn the_page_of_every_verdict() {
        let page = page(&document(&every()).unwrap());
        // The style sheet is the same on every page.
        let body = page.split_once("<body>").unwrap().1;
        insta::assert_snapshot!(body);
    }

    #[test]
    fn junit_of_every_verdict() {
        insta::assert_snapshot!(junit::document(&[suite(&every())]));
    }
}
