//! Renders a document as Markdown, for a pull request, a step's summary or a ticket.

use super::document::{Block, Document, Inline, Kind, Medium, Span, Table};
use super::escape;

/// The document as Markdown, with a blank line between blocks.
#[must_use]
pub fn markdown(document: &Document) -> String {
    let mut out = Written::default();
    out.blocks(&document.blocks);
    out.text
}

#[derive(Default)]
struct Written {
    text: String,
    /// The last block was a list of notes, so further notes continue the list.
    in_notes: bool,
}

impl Written {
    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(level, text) => {
                self.put(&format!(
                    "{} {}",
                    "#".repeat(usize::from(*level)),
                    line(text)
                ));
            }
            Block::Paragraph(text) | Block::Background(text) | Block::Lead(text) => {
                self.put(&line(text))
            }
            Block::Notes(notes) => {
                let notes = notes.iter().map(|n| {
                    let glyph = n.tone.map_or("", super::Tone::glyph);
                    let space = if n.tone.is_some() { " " } else { "" };
                    format!("- {glyph}{space}{}", line(&n.text))
                });
                let notes = notes.collect::<Vec<_>>().join("\n");
                if self.in_notes {
                    self.text.push_str(&format!("{notes}\n"));
                } else {
                    self.put(&notes);
                }
                self.in_notes = true;
            }
            Block::List(items) => self.list(items),
            Block::Facts(facts) => {
                let fact = |(name, value): &(String, Inline)| {
                    format!("- {}: {}", escape::markdown(name), line(value))
                };
                self.put(&facts.iter().map(fact).collect::<Vec<_>>().join("\n"));
            }
            Block::Table(table) => {
                if let Some(caption) = &table.caption {
                    self.put(&escape::markdown(caption));
                }
                self.put(&rows(table));
            }
            Block::Verdict { tone, word, why } => {
                self.put(&format!("{} {}", tone.glyph(), escape::markdown(word)));
                self.list(why);
            }
            Block::Details { title, blocks, .. } => {
                self.put(&format!("**{}**", escape::markdown(title)));
                self.blocks(blocks);
            }
            Block::Section(blocks) => self.blocks(blocks),
            Block::Only(media, blocks) if media.contains(&Medium::Markdown) => self.blocks(blocks),
            Block::Only(..) | Block::Figure(_) | Block::Data { .. } => {}
        }
    }

    fn list(&mut self, items: &[Inline]) {
        if !items.is_empty() {
            let items = items.iter().map(|i| format!("- {}", line(i)));
            self.put(&items.collect::<Vec<_>>().join("\n"));
        }
    }

    fn put(&mut self, block: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(block);
        self.text.push('\n');
        self.in_notes = false;
    }
}

fn line(inline: &Inline) -> String {
    spans(inline, false)
}

fn spans(inline: &Inline, in_cell: bool) -> String {
    let mut out = String::new();
    for span in inline.spans() {
        match span {
            Span::Text(text) | Span::Dim(text) => out.push_str(&escape::markdown(text)),
            Span::Code(text) | Span::Link { name: text, .. } if text.is_empty() => {}
            Span::Code(text) | Span::Link { name: text, .. } => {
                out.push_str(&escape::markdown_code(text, in_cell));
            }
            Span::Badge(tone, word) => {
                out.push_str(&format!("{} {}", tone.glyph(), escape::markdown(word)));
            }
            Span::Break => out.push_str("<br>"),
        }
    }
    out
}

fn rows(table: &Table) -> String {
    let titles: Vec<String> = table
        .columns
        .iter()
        .map(|c| escape::markdown(&c.title))
        .collect();
    let rule: Vec<&str> = table
        .columns
        .iter()
        .map(|c| match c.kind {
            Kind::Number => "--:",
            Kind::Text | Kind::Unbroken => "---",
        })
        .collect();
    let mut out = format!("| {} |\n|{}|", titles.join(" | "), rule.join("|"));
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|c| spans(c, true)).collect();
        out.push_str(&format!("\n| {} |", cells.join(" | ")));
    }
    out
}
