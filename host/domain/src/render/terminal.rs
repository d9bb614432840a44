//! Renders a document as lines for a terminal. Every text is escaped here. The command line adds colours: it paints
//! each piece by its [`Look`].

use super::document::{Block, Document, Inline, Kind, Medium, Span, Table, Tone};
use super::escape;

/// How a piece of text looks on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Normal text.
    Plain,
    /// Names and headings.
    Strong,
    /// Text in a weaker colour.
    Dim,
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Not acceptable.
    Bad,
}

impl From<Tone> for Look {
    fn from(tone: Tone) -> Look {
        match tone {
            Tone::Good => Look::Good,
            Tone::Warn | Tone::Unknown => Look::Warn,
            Tone::Bad => Look::Bad,
            Tone::Quiet => Look::Plain,
        }
    }
}

/// A line: pieces of text without control characters.
pub type Line = Vec<(Look, String)>;

/// The lines of a document.
#[must_use]
pub fn lines(document: &Document) -> Vec<Line> {
    let mut out = Vec::new();
    blocks(&mut out, &document.blocks);
    out
}

fn blocks(out: &mut Vec<Line>, all: &[Block]) {
    for one in all {
        block(out, one);
    }
}

fn block(out: &mut Vec<Line>, block: &Block) {
    let mut put = |look: Look, text: String| out.push(vec![(look, text)]);
    match block {
        Block::Heading(level, text) => {
            if *level > 1 {
                put(Look::Plain, String::new());
            }
            put(Look::Strong, line(text));
        }
        Block::Paragraph(text) => put(Look::Plain, line(text)),
        Block::Background(text) => put(Look::Dim, line(text)),
        Block::Lead(text) => put(Look::Strong, line(text)),
        Block::Notes(notes) => {
            for note in notes {
                put(note.tone.map_or(Look::Plain, Look::from), line(&note.text));
            }
        }
        Block::List(items) => {
            for item in items {
                put(Look::Plain, format!("  {}", line(item)));
            }
        }
        Block::Facts(facts) => {
            for (name, value) in facts {
                put(
                    Look::Plain,
                    format!("{}: {}", escape::terminal(name), line(value)),
                );
            }
        }
        Block::Table(one) => match &one.narrow {
            Some(narrow) => {
                for text in narrow {
                    put(Look::Plain, escape::terminal(text));
                }
            }
            None => out.extend(table(one)),
        },
        Block::Verdict { tone, word, why } => {
            put(
                Look::from(*tone),
                format!("{} {}", tone.glyph(), escape::terminal(word)),
            );
            for item in why {
                put(Look::Plain, format!("  {}", line(item)));
            }
        }
        Block::Details {
            title,
            blocks: inside,
            ..
        } => {
            put(Look::Plain, escape::terminal(title));
            blocks(out, inside);
        }
        Block::Section(inside) => blocks(out, inside),
        Block::Only(media, inside) if media.contains(&Medium::Terminal) => blocks(out, inside),
        Block::Only(..) | Block::Figure(_) | Block::Data { .. } => {}
    }
}

/// A line of text, kept on one line.
fn line(inline: &Inline) -> String {
    let mut out = String::new();
    for span in inline.spans() {
        match span {
            Span::Text(text)
            | Span::Code(text)
            | Span::Dim(text)
            | Span::Link { name: text, .. } => out.push_str(&escape::terminal(text)),
            Span::Badge(tone, word) => {
                out.push_str(&format!("{} {}", tone.glyph(), escape::terminal(word)));
            }
            Span::Break => out.push_str("; "),
        }
    }
    out
}

fn table(table: &Table) -> Vec<Line> {
    let cell = |inline: &Inline| {
        let badge = inline.spans().iter().find_map(|s| match s {
            Span::Badge(tone, _) => Some(Look::from(*tone)),
            _ => None,
        });
        (badge.unwrap_or(Look::Plain), line(inline))
    };
    let heads: Vec<(&str, bool)> = table
        .columns
        .iter()
        .map(|c| (c.title.as_str(), c.kind == Kind::Number))
        .collect();
    let rows: Vec<Line> = table
        .rows
        .iter()
        .map(|row| row.iter().map(cell).collect())
        .collect();
    columns(&heads, &rows)
}

/// Aligns cells in columns below their heads. The flag of a head marks a column of numbers, which is aligned to the
/// right.
#[must_use]
pub fn columns(heads: &[(&str, bool)], rows: &[Line]) -> Vec<Line> {
    let width = |text: &str| text.chars().count();
    let mut widths: Vec<usize> = heads.iter().map(|(title, _)| width(title)).collect();
    for row in rows {
        for (w, (_, cell)) in widths.iter_mut().zip(row) {
            *w = (*w).max(width(cell));
        }
    }
    let head = heads.iter().map(|(title, _)| (Look::Dim, *title));
    let mut out = vec![aligned(heads, &widths, head)];
    for row in rows {
        let cells = row.iter().map(|(look, cell)| (*look, cell.as_str()));
        out.push(aligned(heads, &widths, cells));
    }
    out
}

fn aligned<'a>(
    heads: &[(&str, bool)],
    widths: &[usize],
    cells: impl Iterator<Item = (Look, &'a str)>,
) -> Line {
    let mut line: Line = Vec::new();
    let mut gap = 0;
    for ((look, cell), ((_, number), width)) in cells.zip(heads.iter().zip(widths)) {
        let cell = escape::terminal(cell);
        let room = width.saturating_sub(cell.chars().count());
        let (before, after) = if *number { (room, 0) } else { (0, room) };
        if !cell.is_empty() {
            line.push((Look::Plain, " ".repeat(gap + before)));
            line.push((look, cell));
            gap = 0;
        } else {
            gap += before;
        }
        gap += after + 2;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: &[Line]) -> String {
        let line = |l: &Line| l.iter().map(|(_, t)| t.as_str()).collect::<String>();
        lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn columns_of_numbers_are_right_aligned_and_no_line_ends_with_spaces() {
        let table = Table::new(
            ["name", "n", "why"],
            [
                vec!["a", "7", ""],
                vec!["long name", "120", "b"],
                vec!["x", "", "c"],
            ],
        )
        .numbers(&["n"]);
        let mut document = Document::new("t");
        document.table(table);
        insta::assert_snapshot!(text(&lines(&document)), @r"
        name         n  why
        a            7
        long name  120  b
        x               c
        ");
    }
}
