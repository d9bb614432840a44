//! The report as one self-contained page.

use provender_domain::canonical::CanonicalError;
use provender_domain::render::html::{Head, Html, Tone, embedded_json, page, table, terms};

use super::decision::GateReport;
use super::forms::{behind, effect, line};

/// The page; its JSON is embedded in it.
///
/// # Errors
/// When the report has no canonical JSON to embed.
pub fn html(report: &GateReport) -> Result<String, CanonicalError> {
    let title = report.title();
    let mut body = Html::element("h1", "", &Html::text(&title));
    let tone = if report.passes { Tone::Good } else { Tone::Bad };
    let word = if report.passes { "let in" } else { "refused" };
    let mut verdict = Html::badge(tone, word);
    verdict.push(&Html::text(format!(" {}", report.why)));
    body.push(&Html::element("p", "", &verdict));
    let beside = report
        .against_number
        .map_or_else(|| "no active release".to_owned(), |n| format!("R{n}"));
    body.push(&terms(&[
        ("release", Html::code(&report.release)),
        ("beside", Html::text(beside)),
        (
            "decided",
            Html::text(format!("{} by {}", report.at, report.by)),
        ),
        ("policy", Html::code(&report.policy_digest)),
    ]));
    let heads = [
        Head("check", false),
        Head("verdict", false),
        Head("", false),
        Head("observed", false),
        Head("asked for", false),
        Head("rows", true),
        Head("evidence", false),
    ];
    let rows: Vec<Vec<Html>> = report
        .checks
        .iter()
        .map(|r| {
            let c = &r.check;
            vec![
                Html::text(c.name.name()),
                Html::badge(c.verdict.tone(), c.verdict.word()),
                Html::text(effect(r)),
                Html::text(&c.observed),
                Html::text(&c.threshold),
                Html::text(c.rows.to_string()),
                Html::code(c.evidence.join(", ")),
            ]
        })
        .collect();
    body.push(&table(Some("Checks"), &heads, &rows));
    for result in &report.checks {
        let c = &result.check;
        let lines = match result.action {
            Some(_) => behind(result),
            None => c.figures.iter().map(line).collect(),
        };
        if lines.is_empty() && c.remedy.is_empty() {
            continue;
        }
        body.push(&Html::element("h2", "", &Html::text(c.name.name())));
        let mut list = Html::new();
        for text in &lines {
            list.push(&Html::element("li", "", &Html::text(text)));
        }
        for text in &c.remedy {
            let mut item = Html::text("to do: ");
            item.push(&Html::code(text));
            list.push(&Html::element("li", "", &item));
        }
        body.push(&Html::element("ul", "", &list));
    }
    body.push(&embedded_json("provender-gate", &report.body()?.1));
    Ok(page(&title, &body))
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::super::decision::tests::report;
    use super::*;
    use crate::project::gate::GateSettings;

    #[test]
    fn the_page_of_every_verdict() {
        use Verdict::{Crit, Ok, Unknown, Warn};
        let report = report("prod", &GateSettings::default(), &[Ok, Warn, Crit, Unknown]);
        let page = html(&report).unwrap();
        // The style sheet is every page's own.
        let body = page.split_once("<body>").unwrap().1;
        insta::assert_snapshot!(body);
    }
}
