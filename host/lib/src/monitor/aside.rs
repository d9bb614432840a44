//! Additional sections in a report's page and Markdown. They are not part of the report: its digest and verdict do
//! not depend on them.

use provender_domain::render::{Block, Inline, Table};

use super::report::Status;

/// A section beside the report, for example about a canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Its heading.
    pub(crate) title: String,
    /// Its status.
    pub(crate) status: Status,
    /// Sentences.
    pub(crate) lines: Vec<String>,
    /// Column heads of its table.
    pub(crate) heads: Vec<String>,
    /// Rows of its table; empty if there is no table.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Aside {
    /// Adds it to a document as a section.
    #[must_use]
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let heading = Inline::from(format!("{}: ", self.title));
        let heading = heading.badge(self.status.tone(), self.status.word());
        let mut out = vec![Block::Heading(2, heading)];
        if !self.lines.is_empty() {
            out.push(Block::List(self.lines.iter().map(Inline::from).collect()));
        }
        if !self.rows.is_empty() {
            out.push(Block::Table(Table::new(&self.heads, self.rows.clone())));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use provender_domain::render::Document;
    use provender_domain::render::html::page;
    use provender_domain::render::markdown::markdown;

    #[test]
    fn both_forms_hold_all_of_it_and_escape_what_they_hold() {
        let aside = Aside {
            title: "Canary of R2".into(),
            status: Status::Warn,
            lines: vec!["<b>70 rows</b>".into()],
            heads: vec!["logic".into(), "verdict".into()],
            rows: vec![vec!["a|b".into(), "warn".into()]],
        };
        let mut document = Document::new("t");
        document.blocks = aside.blocks();
        let html = page(&document);
        for part in ["Canary of R2", "warn", "&lt;b&gt;70 rows", "a|b"] {
            assert!(html.contains(part), "{html}");
        }
        let markdown = markdown(&document);
        assert!(
            markdown.contains("| logic | verdict |\n|---|---|\n"),
            "{markdown}"
        );
        assert!(markdown.contains("a\\|b"), "{markdown}");
        assert!(!markdown.contains("<b>"), "{markdown}");
    }
}
