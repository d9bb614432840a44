//! Tests untrusted text in every writer and in every place of a document.

use super::document::{Block, Document, Inline, Medium, Span, Table, Tone};
use super::escape::{is_unsafe, workflow_message, workflow_property};
use super::html::{Html, page};
use super::junit::{self, CaseOutcome, Suite, TestCase};
use super::markdown::markdown;
use super::terminal::lines;

/// What a file or guest could use as a name, all in one text; it starts with `</script>`.
const EVIL: &str = "</script><script>alert('x')</script>]]>--><!-- | `` ``` \" & \\ [x](y) ![z](w)\n# no heading\n- no item\r\n| a | b |\u{1b}[31m\u{1b}]8;;x\u{7}\u{202e}\u{2066}\u{2028}\u{0}\u{9b}\u{fffe}";

fn everywhere() -> Document {
    let every = Inline::new()
        .text(EVIL)
        .code(EVIL)
        .badge(Tone::Bad, EVIL)
        .with(Span::Dim(EVIL.into()))
        .with(Span::Break)
        .with(Span::Link {
            path: EVIL.into(),
            name: EVIL.into(),
        });
    let table = Table::new([EVIL, "n"], [vec![every.clone(), every.clone()]])
        .numbers(&["n"])
        .caption(EVIL);
    let mut document = Document::new(EVIL);
    document.heading(1, every.clone());
    document.paragraph(every.clone());
    document.push(Block::Background(every.clone()));
    document.push(Block::Lead(every.clone()));
    document.note(Some(Tone::Warn), every.clone());
    document.note(None, every.clone());
    document.list(vec![every.clone()]);
    document.push(Block::Facts(vec![(EVIL.into(), every.clone())]));
    document.table(table.clone());
    document.table(table.clone().narrow(vec![EVIL.into()]));
    document.push(Block::Verdict {
        tone: Tone::Unknown,
        word: EVIL.into(),
        why: vec![every.clone()],
    });
    document.push(Block::Details {
        title: EVIL.into(),
        open: false,
        blocks: vec![Block::Section(vec![Block::Table(table)])],
    });
    document.push(Block::Figure(Html::figure(String::new(), EVIL)));
    document.push(Block::Data {
        id: "data",
        json: serde_json::json!({ EVIL: EVIL }).to_string(),
    });
    document.push(Block::Only(
        &[Medium::Terminal, Medium::Markdown, Medium::Page],
        vec![Block::Paragraph(every)],
    ));
    document
}

fn shows_nothing_unsafe(text: &str) {
    let bad = text.chars().find(|c| *c != '\n' && is_unsafe(*c));
    assert_eq!(bad, None, "{text}");
}

#[test]
fn a_page_holds_no_element_of_theirs() {
    let page = page(&everywhere());
    shows_nothing_unsafe(&page);
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(!page.contains("<!--") && !page.contains("]]>"));
    // Every element is one that the writer uses, and each attribute is quoted and known.
    let ours = [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "h1",
        "p",
        "code",
        "span",
        "br",
        "a",
        "strong",
        "ul",
        "li",
        "dl",
        "dt",
        "dd",
        "div",
        "table",
        "caption",
        "thead",
        "tr",
        "th",
        "tbody",
        "td",
        "details",
        "summary",
        "section",
        "figure",
        "figcaption",
        "script",
    ];
    for tag in page.split('<').skip(2) {
        let name = tag.trim_start_matches('/');
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap();
        assert!(ours.contains(&&name[..end]), "<{tag}");
    }
    let data = page.split("id=\"data\">").nth(1).unwrap();
    let data = data.split("</script>").next().unwrap();
    let back: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(back[EVIL], EVIL);
}

#[test]
fn markdown_gets_no_line_row_or_markup_of_theirs() {
    let text = markdown(&everywhere());
    shows_nothing_unsafe(&text);
    assert_eq!(text.lines().filter(|l| l.starts_with('#')).count(), 1);
    for line in text.lines() {
        let prose = without_code(line);
        assert!(!prose.replace("<br>", "").contains("\u{0}"), "{line}");
        for markup in ["<", "[", "`", "&"] {
            let bare = prose
                .replace("<br>", "")
                .match_indices(markup)
                .any(|(at, _)| !escaped(&prose.replace("<br>", ""), at));
            assert!(!bare, "{markup} in {line}");
        }
        if line.starts_with('|') {
            let bars = line
                .match_indices('|')
                .filter(|(at, _)| !escaped(line, *at));
            assert_eq!(bars.count(), 3, "{line}");
        }
    }
}

/// Whether an odd number of backslashes precedes the character at `at`.
fn escaped(line: &str, at: usize) -> bool {
    let before = line[..at].bytes().rev().take_while(|b| *b == b'\\').count();
    before % 2 == 1
}

/// A line of Markdown without its code spans, removed as a Markdown parser would.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if escaped(rest, at) {
            out.push('`');
            rest = &from[1..];
            continue;
        }
        let fence = from.bytes().take_while(|b| *b == b'`').count();
        let inside = &from[fence..];
        let end = (0..inside.len())
            .filter(|i| inside.is_char_boundary(*i))
            .find(|i| {
                inside[*i..].bytes().take_while(|b| *b == b'`').count() == fence
                    && !inside[..*i].ends_with('`')
            });
        rest = &inside[end.expect("a code span ends") + fence..];
    }
    out.push_str(rest);
    out
}

#[test]
fn a_terminal_gets_no_escape_and_no_line_of_theirs() {
    for line in lines(&everywhere()) {
        for (_, text) in line {
            assert!(!text.contains(is_unsafe), "{text:?}");
        }
    }
}

#[test]
fn junit_stays_well_formed_and_workflow_commands_stay_one_line() {
    let texts = || (EVIL.to_owned(), EVIL.to_owned(), EVIL.to_owned());
    let (kind, message, text) = texts();
    let failed = CaseOutcome::Failed {
        kind,
        message,
        text,
    };
    let (kind, message, text) = texts();
    let errored = CaseOutcome::Errored {
        kind,
        message,
        text,
    };
    let skipped = CaseOutcome::Skipped {
        reason: EVIL.into(),
    };
    let cases = [failed, errored, skipped, CaseOutcome::Passed].map(|outcome| TestCase {
        name: EVIL.into(),
        place: Some((EVIL.into(), 1)),
        outcome,
    });
    let xml = junit::document(&[Suite {
        name: EVIL.into(),
        cases: cases.into(),
    }]);
    shows_nothing_unsafe(&xml);
    assert!(!xml.contains("]]>") && !xml.contains("<script") && !xml.contains('\u{fffe}'));
    let ours = [
        "?xml",
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "error",
        "skipped",
    ];
    for tag in xml.split('<').skip(1) {
        let name = tag.trim_start_matches('/');
        let end = name.find([' ', '>', '/']).unwrap();
        assert!(ours.contains(&&name[..end]), "<{tag}");
    }
    for text in [workflow_message(EVIL), workflow_property(EVIL)] {
        assert!(!text.contains(['\n', '\r']), "{text}");
    }
}
