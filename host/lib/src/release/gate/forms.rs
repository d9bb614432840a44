//! The report as Markdown and as JUnit.

use crate::project::gate::Action;
use provender_domain::render::junit::{Outcome as Case, Suite, TestCase};
use provender_domain::render::text::{markdown_text, number};

use super::check::{Figure, Verdict};
use super::decision::{GateReport, Weighed};

/// What a verdict does, as a word.
#[must_use]
pub fn effect(result: &Weighed) -> &'static str {
    match result.action {
        None => "holds",
        Some(Action::Block) => "blocks",
        Some(Action::Alert) => "alerts",
        Some(Action::Ignore) => "is ignored",
    }
}

/// A figure in a line: `median_change of days (days_remaining:v2) is 0.3; warn above 0.25`.
#[must_use]
pub fn line(figure: &Figure) -> String {
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

/// What is behind a check that does not hold, line by line: figures beyond their thresholds first.
#[must_use]
pub fn behind(result: &Weighed) -> Vec<String> {
    let check = &result.check;
    let beyond = check.figures.iter().filter(|f| f.verdict != Verdict::Ok);
    beyond.map(line).chain(check.details.clone()).collect()
}

/// As Markdown, for a pull request or a step's summary.
#[must_use]
pub fn markdown(report: &GateReport) -> String {
    let glyph = if report.passes { "✓" } else { "✕" };
    let mut out = format!("# {glyph} {}\n\n", markdown_text(&report.title()));
    out.push_str(&format!("{}\n\n", markdown_text(&report.why)));
    let beside = report
        .against_number
        .map_or_else(|| "no active release".to_owned(), |n| format!("R{n}"));
    out.push_str(&format!(
        "Beside {beside}, {} by {}, policy {}\n\n",
        markdown_text(&report.at),
        markdown_text(&report.by),
        markdown_text(&report.policy_digest)
    ));
    out.push_str("| check | verdict | | observed | asked for | rows | evidence |\n|---|---|---|---|---|--:|---|\n");
    for result in &report.checks {
        let c = &result.check;
        out.push_str(&format!(
            "| {} | {} {} | {} | {} | {} | {} | {} |\n",
            c.name.name(),
            c.verdict.tone().glyph(),
            c.verdict.word(),
            effect(result),
            markdown_text(&c.observed),
            markdown_text(&c.threshold),
            c.rows,
            markdown_text(&c.evidence.join(", ")),
        ));
    }
    let open = report.checks.iter().filter(|r| r.action.is_some());
    for result in open {
        let c = &result.check;
        out.push_str(&format!("\n## {}\n\n", c.name.name()));
        for text in behind(result) {
            out.push_str(&format!("- {}\n", markdown_text(&text)));
        }
        for text in &c.remedy {
            out.push_str(&format!("- to do: {}\n", markdown_text(text)));
        }
    }
    out
}

/// As a suite: what blocks has failed, what could not be looked at is an error, and an alert is a
/// case that passed, since the release is let in.
#[must_use]
pub fn suite(report: &GateReport) -> Suite {
    let cases = report.checks.iter().map(|result| {
        let c = &result.check;
        let kind = format!("gate.{}", c.verdict.word());
        let message = c.observed.clone();
        let mut lines = vec![format!("asked for: {}", c.threshold)];
        lines.extend(behind(result));
        lines.extend(c.remedy.iter().map(|r| format!("to do: {r}")));
        let text = lines.join("\n");
        TestCase {
            name: c.name.name().to_owned(),
            place: None,
            outcome: match (result.action, c.verdict) {
                (Some(Action::Block), Verdict::Unknown) => Case::Errored {
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
    use provender_domain::render::junit::document;

    fn every() -> GateReport {
        use Verdict::{Crit, Ok, Unknown, Warn};
        report("prod", &GateSettings::default(), &[Ok, Warn, Crit, Unknown])
    }

    #[test]
    fn markdown_of_every_verdict() {
        insta::assert_snapshot!(markdown(&every()));
    }

    #[test]
    fn junit_of_every_verdict() {
        insta::assert_snapshot!(document(&[suite(&every())]));
    }
}
