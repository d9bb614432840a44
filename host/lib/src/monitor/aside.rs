//! What stands in a report's page and Markdown beside the report itself, and is no part of it: its
//! digest and its verdict do not change by it.

use provender_domain::render::html::{Head, Html, table};
use provender_domain::render::text::{markdown_code, markdown_text};

use super::report::Status;

/// A section beside the report: of a canary, say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Its heading.
    pub title: String,
    /// What it comes to.
    pub status: Status,
    /// Sentences.
    pub lines: Vec<String>,
    /// Heads of its table.
    pub heads: Vec<String>,
    /// Rows of its table; none where there is no table.
    pub rows: Vec<Vec<String>>,
}

impl Aside {
    /// As a section of the page.
    #[must_use]
    pub fn html(&self) -> Html {
        let mut heading = Html::text(format!("{}: ", self.title));
        heading.push(&Html::badge(self.status.tone(), self.status.word()));
        let mut out = Html::element("h2", "", &heading);
        let mut list = Html::new();
        for line in &self.lines {
            list.push(&Html::element("li", "", &Html::text(line)));
        }
        if !self.lines.is_empty() {
            out.push(&Html::element("ul", "", &list));
        }
        if !self.rows.is_empty() {
            let heads: Vec<Head<'_>> = self.heads.iter().map(|h| Head(h, false)).collect();
            let cells = |row: &Vec<String>| row.iter().map(Html::text).collect();
            let rows: Vec<Vec<Html>> = self.rows.iter().map(cells).collect();
            out.push(&table(None, &heads, &rows));
        }
        out
    }

    /// As Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!(
            "\n## {}: {} {}\n\n",
            markdown_text(&self.title),
            self.status.tone().glyph(),
            self.status.word()
        );
        for line in &self.lines {
            out.push_str(&format!("- {}\n", markdown_text(line)));
        }
        if !self.rows.is_empty() {
            out.push_str(&format!("\n| {} |\n", self.heads.join(" | ")));
            out.push_str(&format!("|{}\n", "---|".repeat(self.heads.len())));
            for row in &self.rows {
                let cells: Vec<String> = row.iter().map(|c| markdown_code(c)).collect();
                out.push_str(&format!("| {} |\n", cells.join(" | ")));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_hold_all_of_it_and_escape_what_they_hold() {
        let aside = Aside {
            title: "Canary of R2".into(),
            status: Status::Warn,
            lines: vec!["<b>70 rows</b>".into()],
            heads: vec!["logic".into(), "verdict".into()],
            rows: vec![vec!["a|b".into(), "warn".into()]],
        };
        let html = aside.html();
        for part in ["Canary of R2", "warn", "&lt;b&gt;70 rows", "a|b"] {
            assert!(html.as_str().contains(part), "{}", html.as_str());
        }
        let markdown = aside.markdown();
        assert!(
            markdown.contains("| logic | verdict |\n|---|---|\n"),
            "{markdown}"
        );
        assert!(markdown.contains("a\\|b"), "{markdown}");
        assert!(!markdown.contains("<b>"), "{markdown}");
    }
}
