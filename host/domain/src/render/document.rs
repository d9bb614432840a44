//! A model of documents: their content, independent of the medium.

use super::html::Html;

/// How good or bad something is. Each tone has a glyph, so that colour is never the only sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Not acceptable.
    Bad,
    /// Could not be evaluated.
    Unknown,
    /// For information.
    Quiet,
}

impl Tone {
    /// A glyph that shows the tone by its shape alone.
    #[must_use]
    pub fn glyph(self) -> &'static str {
        match self {
            Tone::Good => "✓",
            Tone::Warn => "▲",
            Tone::Bad => "✕",
            Tone::Unknown => "?",
            Tone::Quiet => "·",
        }
    }

    /// The word next to the glyph if there is no more specific one.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Tone::Good => "ok",
            Tone::Warn => "note",
            Tone::Bad => "crit",
            Tone::Unknown => "unknown",
            Tone::Quiet => "info",
        }
    }
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// Prose.
    Text(String),
    /// An id, a digest, a path, a command.
    Code(String),
    /// A status: a glyph and a word.
    Badge(Tone, String),
    /// Prose in a weaker colour.
    Dim(String),
    /// A link to a file, with its name. Media without links show only the name.
    Link {
        /// The path to the file, relative to the page.
        path: String,
        /// The name to show, as code.
        name: String,
    },
    /// A line break within a cell.
    Break,
}

/// A line of text: a sequence of spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inline(Vec<Span>);

impl Inline {
    /// An empty line.
    #[must_use]
    pub fn new() -> Inline {
        Inline::default()
    }

    /// A line that is one code span.
    #[must_use]
    pub fn of_code(text: impl Into<String>) -> Inline {
        Inline::new().code(text)
    }

    /// Appends prose.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Inline {
        self.with(Span::Text(text.into()))
    }

    /// Appends code.
    #[must_use]
    pub fn code(self, text: impl Into<String>) -> Inline {
        self.with(Span::Code(text.into()))
    }

    /// Appends a status.
    #[must_use]
    pub fn badge(self, tone: Tone, word: impl Into<String>) -> Inline {
        self.with(Span::Badge(tone, word.into()))
    }

    /// Appends a span.
    #[must_use]
    pub fn with(mut self, span: Span) -> Inline {
        self.0.push(span);
        self
    }

    /// The spans.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Inline {
    fn from(text: T) -> Inline {
        Inline::new().text(text)
    }
}

/// The kind of values in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Numbers, aligned to the right.
    Number,
    /// Names or dates that are never broken across two lines.
    Unbroken,
}

/// The head of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its title.
    pub title: String,
    /// The kind of its values.
    pub kind: Kind,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it shows, if no heading says so.
    pub caption: Option<String>,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, with a cell for each column.
    pub rows: Vec<Vec<Inline>>,
    /// The lines that replace it on a terminal that is too narrow for its columns.
    pub narrow: Option<Vec<String>>,
}

impl Table {
    /// A table with these columns. [`Table::numbers`] and [`Table::unbroken`] set their kinds.
    #[must_use]
    pub fn new<T: Into<String>, C: Into<Inline>>(
        titles: impl IntoIterator<Item = T>,
        rows: impl IntoIterator<Item = Vec<C>>,
    ) -> Table {
        let column = |title: T| Column {
            title: title.into(),
            kind: Kind::Text,
        };
        let cells = |row: Vec<C>| row.into_iter().map(Into::into).collect();
        Table {
            caption: None,
            columns: titles.into_iter().map(column).collect(),
            rows: rows.into_iter().map(cells).collect(),
            narrow: None,
        }
    }

    fn kind(mut self, kind: Kind, titles: &[&str]) -> Table {
        for column in &mut self.columns {
            if titles.contains(&column.title.as_str()) {
                column.kind = kind;
            }
        }
        self
    }

    /// Marks columns of numbers.
    #[must_use]
    pub fn numbers(self, titles: &[&str]) -> Table {
        self.kind(Kind::Number, titles)
    }

    /// Marks columns that are never broken.
    #[must_use]
    pub fn unbroken(self, titles: &[&str]) -> Table {
        self.kind(Kind::Unbroken, titles)
    }

    /// Sets the caption.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Table {
        self.caption = Some(caption.into());
        self
    }

    /// Sets the lines that replace it on a narrow terminal.
    #[must_use]
    pub fn narrow(mut self, lines: Vec<String>) -> Table {
        self.narrow = Some(lines);
        self
    }
}

/// A sentence with a tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// How good or bad.
    pub tone: Option<Tone>,
    /// The sentence.
    pub text: Inline,
}

/// A medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// A terminal.
    Terminal,
    /// Markdown.
    Markdown,
    /// A page.
    Page,
}

/// A piece of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading of level 1 to 6.
    Heading(u8, Inline),
    /// A paragraph.
    Paragraph(Inline),
    /// A paragraph in a weaker colour.
    Background(Inline),
    /// The paragraph with the main message.
    Lead(Inline),
    /// A sequence of sentences.
    Notes(Vec<Note>),
    /// A list.
    List(Vec<Inline>),
    /// Pairs of a name and a value.
    Facts(Vec<(String, Inline)>),
    /// A table.
    Table(Table),
    /// A verdict with its reasons.
    Verdict {
        /// How good or bad.
        tone: Tone,
        /// The verdict.
        word: String,
        /// The reasons.
        why: Vec<Inline>,
    },
    /// Long content under a title, which a page can fold.
    Details {
        /// Its title.
        title: String,
        /// True if it is short enough to be shown unfolded.
        open: bool,
        /// Its content.
        blocks: Vec<Block>,
    },
    /// Related blocks, framed on a page.
    Section(Vec<Block>),
    /// A drawing with its caption; only on pages.
    Figure(Html),
    /// The document's data as JSON, which programs can extract from a page; only on pages.
    Data {
        /// The id of the element.
        id: &'static str,
        /// The JSON text.
        json: String,
    },
    /// Content for certain media only.
    Only(&'static [Medium], Vec<Block>),
}

/// A document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its title, shown in the browser's tab.
    pub title: String,
    /// Its content, including the first heading.
    pub blocks: Vec<Block>,
}

impl Document {
    /// An empty document.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Document {
        Document {
            title: title.into(),
            blocks: Vec::new(),
        }
    }

    /// Appends a block.
    pub fn push(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// Appends a heading.
    pub fn heading(&mut self, level: u8, text: impl Into<Inline>) {
        self.push(Block::Heading(level, text.into()));
    }

    /// Appends a paragraph.
    pub fn paragraph(&mut self, text: impl Into<Inline>) {
        self.push(Block::Paragraph(text.into()));
    }

    /// Appends a sentence to the preceding ones.
    pub fn note(&mut self, tone: Option<Tone>, text: impl Into<Inline>) {
        let text = text.into();
        match self.blocks.last_mut() {
            Some(Block::Notes(notes)) => notes.push(Note { tone, text }),
            _ => self.push(Block::Notes(vec![Note { tone, text }])),
        }
    }

    /// Appends a list, unless it is empty.
    pub fn list(&mut self, items: Vec<Inline>) {
        if !items.is_empty() {
            self.push(Block::List(items));
        }
    }

    /// Appends a table.
    pub fn table(&mut self, table: Table) {
        self.push(Block::Table(table));
    }
}
