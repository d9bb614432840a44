//! The report as Markdown, for a pull request.

use provender_domain::render::text::markdown_text;

use super::blocks::{Block, blocks, title};
use super::report::Report;

/// The report as Markdown.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = format!("# {}\n", markdown_text(&title(report)));
    // Sentences that follow one another stand in one list.
    let mut in_list = false;
    for block in blocks(report) {
        let line = matches!(block, Block::Line(..));
        if !(line && in_list) {
            out.push('\n');
        }
        in_list = line;
        match block {
            Block::Heading(text) => out.push_str(&format!("## {}\n", markdown_text(&text))),
            Block::Line(tone, text) => {
                let glyph = tone.map(|t| format!("{} ", t.glyph())).unwrap_or_default();
                out.push_str(&format!("- {glyph}{}\n", markdown_text(&text)));
            }
            Block::Table { heads, rows } => {
                let cells: Vec<&str> = heads.iter().map(|h| h.0).collect();
                let rule: Vec<&str> = heads
                    .iter()
                    .map(|h| if h.1 { "--:" } else { "---" })
                    .collect();
                out.push_str(&format!(
                    "| {} |\n|{}|\n",
                    cells.join(" | "),
                    rule.join("|")
                ));
                for row in rows {
                    let cells: Vec<String> = row.iter().map(|c| markdown_text(c)).collect();
                    out.push_str(&format!("| {} |\n", cells.join(" | ")));
                }
            }
            Block::Chart(_) => in_list = true,
        }
    }
    out
}
