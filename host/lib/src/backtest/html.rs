//! The report as one self-contained page, with both distributions of each outcome drawn.

use provender_domain::canonical::{CanonicalError, to_text};
use provender_domain::render::html::{Head, Html, Tone, embedded_json, page, table};

use super::blocks::{Block, blocks, title};
use super::chart::chart;
use super::report::Report;

/// The page; its JSON is embedded in it.
///
/// # Errors
/// When the report has no canonical JSON to embed.
pub fn html(report: &Report) -> Result<String, CanonicalError> {
    let title = title(report);
    let mut body = Html::element("h1", "", &Html::text(&title));
    for block in blocks(report) {
        match block {
            Block::Heading(text) => body.push(&Html::element("h2", "", &Html::text(text))),
            Block::Line(None, text) => body.push(&Html::element("p", "", &Html::text(text))),
            Block::Line(Some(tone), text) => {
                let mut p = Html::badge(tone, word(tone));
                p.push(&Html::text(format!(" {text}")));
                body.push(&Html::element("p", "", &p))
            }
            Block::Table { heads, rows } => {
                let heads: Vec<Head<'_>> = heads.iter().map(|h| Head(h.0, h.1)).collect();
                let rows: Vec<Vec<Html>> = rows
                    .iter()
                    .map(|row| row.iter().map(Html::text).collect())
                    .collect();
                body.push(&table(None, &heads, &rows))
            }
            Block::Chart(n) => match report.outcomes.get(n) {
                Some(outcome) => body.push(&chart(outcome)),
                None => &mut body,
            },
        };
    }
    let json = to_text(&report.to_json()?)?;
    body.push(&embedded_json("provender-backtest", &json));
    Ok(page(&title, &body))
}

fn word(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "ok",
        Tone::Warn => "note",
        Tone::Bad => "crit",
        Tone::Unknown => "unknown",
        Tone::Quiet => "info",
    }
}
