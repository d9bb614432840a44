//! The model of a document: what it says, and nothing of how a medium shows it.

use super::html::Html;

/// How good or bad something is; each tone has its glyph, so that colour is never alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Not acceptable.
    Bad,
    /// Could not be judged.
    Unknown,
    /// Said for information.
    Quiet,
}

impl Tone {
    /// A glyph whose shape alone tells the tone.
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

    /// The word beside the glyph where nothing more exact is said.
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
    /// A status: glyph and word.
    Badge(Tone, String),
    /// Prose in the background.
    Dim(String),
    /// A file, by what leads to it from the page and by its name; media without links show the name.
    Link {
        /// The path that leads there.
        path: String,
        /// What is shown, as code.
        name: String,
    },
    /// A line break within a cell.
    Break,
}

/// A line of text: spans one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inline(Vec<Span>);

impl Inline {
    /// Nothing yet.
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

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Numbers, which stand to the right.
    Number,
    /// Names or dates that no medium breaks over two lines.
    Unbroken,
}

/// The head of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its title.
    pub title: String,
    /// What it holds.
    pub kind: Kind,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it shows, where no heading says so.
    pub caption: Option<String>,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows: a cell for each column.
    pub rows: Vec<Vec<Inline>>,
    /// The lines that stand for it on a terminal, where its columns would not fit side by side.
    pub narrow: Option<Vec<String>>,
}

impl Table {
    /// A table of these columns; [`Table::numbers`] and [`Table::unbroken`] say more of them.
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

    /// Says which columns hold numbers.
    #[must_use]
    pub fn numbers(self, titles: &[&str]) -> Table {
        self.kind(Kind::Number, titles)
    }

    /// Says which columns are never broken.
    #[must_use]
    pub fn unbroken(self, titles: &[&str]) -> Table {
        self.kind(Kind::Unbroken, titles)
    }

    /// Sets what it shows.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Table {
        self.caption = Some(caption.into());
        self
    }

    /// Sets the lines that stand for it on a terminal.
    #[must_use]
    pub fn narrow(mut self, lines: Vec<String>) -> Table {
        self.narrow = Some(lines);
        self
    }
}

/// A sentence, and how good or bad it is.
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
    /// A paragraph in the background.
    Background(Inline),
    /// A paragraph that the reader came for.
    Lead(Inline),
    /// Sentences that follow one another.
    Notes(Vec<Note>),
    /// A list.
    List(Vec<Inline>),
    /// Names and what they stand for.
    Facts(Vec<(String, Inline)>),
    /// A table.
    Table(Table),
    /// The verdict and what it rests on.
    Verdict {
        /// How good or bad.
        tone: Tone,
        /// The verdict.
        word: String,
        /// What it rests on.
        why: Vec<Inline>,
    },
    /// Something long under its own title, which a page can fold.
    Details {
        /// Its title.
        title: String,
        /// True where it is short enough to stand open.
        open: bool,
        /// What is in it.
        blocks: Vec<Block>,
    },
    /// What belongs together and is framed on a page.
    Section(Vec<Block>),
    /// A drawing, with its caption; for pages alone.
    Figure(Html),
    /// The data of the document as JSON, which programs can take out of a page again; for pages alone.
    Data {
        /// The id of the element.
        id: &'static str,
        /// The JSON text.
        json: String,
    },
    /// What one medium alone shows.
    Only(&'static [Medium], Vec<Block>),
}

/// A document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its title, as a browser shows it in a tab.
    pub title: String,
    /// What it says, its first heading included.
    pub blocks: Vec<Block>,
}

impl Document {
    /// A document without content.
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

    /// Appends a sentence to those before it.
    pub fn note(&mut self, tone: Option<Tone>, text: impl Into<Inline>) {
        let text = text.into();
        match self.blocks.last_mut() {
            Some(Block::Notes(notes)) => notes.push(Note { tone, text }),
            _ => self.push(Block::Notes(vec![Note { tone, text }])),
        }
    }

    /// Appends a list, if there is anything in it.
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
