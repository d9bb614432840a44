//! Renders a document as an HTML page: one file that loads nothing and works from `file://` and as a CI artefact.

use std::fmt;

use super::document::{Block, Document, Inline, Kind, Medium, Note, Span, Table, Tone};
use super::escape;
use super::style::CSS;

/// Markup. Its type ensures that a text enters a page only escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Escaped text.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Html {
        Html(escape::html(text.as_ref()))
    }

    /// Markup written by this program. Never pass it text from outside.
    #[must_use]
    pub fn trusted(markup: impl Into<String>) -> Html {
        Html(markup.into())
    }

    /// An element around `content`. `name` and `class` must come from this program.
    #[must_use]
    pub fn element(name: &str, class: &str, content: &Html) -> Html {
        let class = if class.is_empty() {
            String::new()
        } else {
            format!(" class=\"{}\"", escape::html(class))
        };
        Html(format!("<{name}{class}>{content}</{name}>"))
    }

    /// A drawing with the caption below it.
    #[must_use]
    pub fn figure(svg: String, caption: &str) -> Html {
        let mut figure = Html(svg);
        figure.push(&Html::element("figcaption", "", &Html::text(caption)));
        Html::element("figure", "", &figure)
    }

    fn push(&mut self, more: &Html) -> &mut Html {
        self.0.push_str(&more.0);
        self
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Tone {
    /// The CSS class in the page's style sheet.
    fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
            Tone::Unknown => "unknown",
            Tone::Quiet => "quiet",
        }
    }
}

/// The whole page.
#[must_use]
pub fn page(document: &Document) -> String {
    let body = blocks(&document.blocks);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape::html(&document.title)
    )
}

fn blocks(blocks: &[Block]) -> Html {
    let mut out = Html::default();
    for one in blocks {
        out.push(&block(one));
    }
    out
}

fn block(block: &Block) -> Html {
    let line = |name: &str, class: &str, text: &Inline| {
        let mut line = Html::element(name, class, &inline(text));
        line.0.push('\n');
        line
    };
    match block {
        Block::Heading(level, text) => line(&format!("h{level}"), "", text),
        Block::Paragraph(text) => line("p", "", text),
        Block::Background(text) => line("p", "dim", text),
        Block::Lead(text) => Html(format!("<p><strong>{}</strong></p>\n", inline(text))),
        Block::Notes(notes) => Html(notes.iter().map(|n| note(n).0).collect()),
        Block::List(items) => list(items),
        Block::Facts(facts) => terms(facts),
        Block::Table(one) => table(one),
        Block::Verdict { tone, word, why } => {
            let mut inner = Html::element("p", "", &badge(*tone, word));
            inner.push(&list(why));
            let mut box_of = Html::element("div", &format!("verdict {}", tone.class()), &inner);
            box_of.0.push('\n');
            box_of
        }
        Block::Details {
            title,
            open,
            blocks: inside,
        } => {
            let open = if *open { " open" } else { "" };
            Html(format!(
                "<details{open}><summary>{}</summary>{}</details>\n",
                escape::html(title),
                blocks(inside)
            ))
        }
        Block::Section(inside) => Html(format!(
            "<section class=\"item\">{}</section>\n",
            blocks(inside)
        )),
        Block::Figure(figure) => figure.clone(),
        Block::Data { id, json } => Html(format!(
            "<script type=\"application/json\" id=\"{}\">{}</script>\n",
            escape::html(id),
            escape::json_in_html(json)
        )),
        Block::Only(media, inside) if media.contains(&Medium::Page) => blocks(inside),
        Block::Only(..) => Html::default(),
    }
}

fn inline(line: &Inline) -> Html {
    let mut out = Html::default();
    for span in line.spans() {
        out.push(&match span {
            Span::Text(text) => Html::text(text),
            Span::Code(text) => code(text),
            Span::Badge(tone, word) => badge(*tone, word),
            Span::Dim(text) => Html::element("span", "dim", &Html::text(text)),
            Span::Link { path, name } => Html(format!(
                "<a href=\"{}\">{}</a>",
                escape::href(path),
                code(name)
            )),
            Span::Break => Html::trusted("<br>"),
        });
    }
    out
}

fn code(text: &str) -> Html {
    match text {
        "" => Html::default(),
        text => Html::element("code", "", &Html::text(text)),
    }
}

fn badge(tone: Tone, word: &str) -> Html {
    let content = format!("{} {word}", tone.glyph());
    let class = format!("badge {}", tone.class());
    Html::element("span", &class, &Html::text(content))
}

fn note(note: &Note) -> Html {
    let badge = note
        .tone
        .map_or_else(String::new, |t| format!("{} ", badge(t, t.word())));
    Html(format!("<p>{badge}{}</p>\n", inline(&note.text)))
}

fn list(items: &[Inline]) -> Html {
    if items.is_empty() {
        return Html::default();
    }
    let items: String = items
        .iter()
        .map(|i| Html::element("li", "", &inline(i)).0)
        .collect();
    Html(format!("<ul>{items}</ul>\n"))
}

fn terms(facts: &[(String, Inline)]) -> Html {
    let facts: String = facts
        .iter()
        .map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>", escape::html(name), inline(value)))
        .collect();
    Html(format!("<dl>{facts}</dl>\n"))
}

/// A table in a box of its own, so that a wide table scrolls without moving the page.
fn table(table: &Table) -> Html {
    let class = |kind: Option<Kind>| match kind {
        Some(Kind::Number) => "num",
        Some(Kind::Unbroken) => "nowrap",
        Some(Kind::Text) | None => "",
    };
    let mut out = String::from("<div class=\"scroll\"><table>");
    if let Some(caption) = &table.caption {
        out.push_str(&Html::element("caption", "", &Html::text(caption)).0);
    }
    out.push_str("<thead><tr>");
    for column in &table.columns {
        let title = Html::text(&column.title);
        out.push_str(&Html::element("th", class(Some(column.kind)), &title).0);
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (i, cell) in row.iter().enumerate() {
            let kind = table.columns.get(i).map(|c| c.kind);
            out.push_str(&Html::element("td", class(kind), &inline(cell)).0);
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    Html(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_loads_nothing_from_elsewhere() {
        let mut document = Document::new("T <x>");
        document.paragraph("body");
        let page = page(&document);
        assert!(page.contains("<title>T &lt;x&gt;</title>"));
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
