//! Markup as a type of its own, so that a text can only enter a page escaped.
//!
//! [`Html::text`] escapes; [`Html::trusted`] takes markup that our own code wrote. The page of
//! [`page`] is one file: it loads nothing, and works from `file://` and as a CI artefact.

use std::fmt;

use super::style::CSS;

/// A piece of markup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

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
    /// The CSS class of the page's style sheet.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
            Tone::Unknown => "unknown",
            Tone::Quiet => "quiet",
        }
    }

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
}

impl Html {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Html {
        Html::default()
    }

    /// A text, escaped.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Html {
        Html(escape(text.as_ref()))
    }

    /// Markup that our own code wrote; never pass a text from outside.
    #[must_use]
    pub fn trusted(markup: impl Into<String>) -> Html {
        Html(markup.into())
    }

    /// An element around `content`; `name` and `class` are our own words.
    #[must_use]
    pub fn element(name: &str, class: &str, content: &Html) -> Html {
        let class = if class.is_empty() {
            String::new()
        } else {
            format!(" class=\"{}\"", escape(class))
        };
        Html(format!("<{name}{class}>{content}</{name}>"))
    }

    /// A text in a monospaced element: ids, digests, paths.
    #[must_use]
    pub fn code(text: impl AsRef<str>) -> Html {
        Html::element("code", "", &Html::text(text))
    }

    /// A link to a relative path. Every character but those of plain paths is percent-encoded,
    /// the colon too, so that no text from outside becomes a scheme.
    #[must_use]
    pub fn link(path: &str, content: &Html) -> Html {
        Html(format!("<a href=\"{}\">{content}</a>", relative(path)))
    }

    /// A status: glyph and word, with the colour of its tone.
    #[must_use]
    pub fn badge(tone: Tone, word: &str) -> Html {
        let content = format!("{} {}", tone.glyph(), word);
        Html::element(
            "span",
            &format!("badge {}", tone.class()),
            &Html::text(content),
        )
    }

    /// Appends.
    pub fn push(&mut self, more: &Html) -> &mut Html {
        self.0.push_str(&more.0);
        self
    }

    /// The markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text made safe for element content and for quoted attributes. Characters that no HTML page may
/// hold (controls) become U+FFFD.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if super::text::is_unsafe(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn relative(path: &str) -> String {
    use fmt::Write as _;
    let mut out = String::with_capacity(path.len());
    for b in path.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-' | b'~') {
            out.push(char::from(b));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{b:02X}");
        }
    }
    // `//host/path` would leave the folder for another host.
    while out.starts_with("//") {
        out.remove(0);
    }
    out
}

/// A column's heading and whether it holds numbers.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a>(pub &'a str, pub bool);

/// A table in a box of its own, so that a wide one scrolls without moving the page.
#[must_use]
pub fn table(caption: Option<&str>, heads: &[Head<'_>], rows: &[Vec<Html>]) -> Html {
    let class = |number: bool| if number { "num" } else { "" };
    let mut out = String::from("<div class=\"scroll\"><table>");
    if let Some(caption) = caption {
        out.push_str(Html::element("caption", "", &Html::text(caption)).as_str());
    }
    out.push_str("<thead><tr>");
    for Head(title, number) in heads {
        out.push_str(Html::element("th", class(*number), &Html::text(title)).as_str());
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (i, cell) in row.iter().enumerate() {
            let number = heads.get(i).is_some_and(|h| h.1);
            out.push_str(Html::element("td", class(number), cell).as_str());
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    Html(out)
}

/// A list of terms and what they stand for.
#[must_use]
pub fn terms(pairs: &[(&str, Html)]) -> Html {
    let mut out = String::from("<dl>");
    for (term, value) in pairs {
        out.push_str(Html::element("dt", "", &Html::text(term)).as_str());
        out.push_str(Html::element("dd", "", value).as_str());
    }
    out.push_str("</dl>\n");
    Html(out)
}

/// JSON text as a data block that scripts and people can take out of the page again. `<`, `>` and
/// `&` stand only inside JSON strings, so their `\u` escapes mean the same JSON, and no text in it
/// can end the element or open a comment.
#[must_use]
pub fn embedded_json(id: &str, json: &str) -> Html {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            c => safe.push(c),
        }
    }
    Html(format!(
        "<script type=\"application/json\" id=\"{}\">{safe}</script>\n",
        escape(id)
    ))
}

/// The whole page.
#[must_use]
pub fn page(title: &str, body: &Html) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(title)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_from_outside_stays_text() {
        assert_eq!(
            Html::text("<b onclick='x'>&\"\u{1b}\u{202e}").as_str(),
            "&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn a_link_never_gets_a_scheme_or_a_host() {
        let href = |p: &str| Html::link(p, &Html::text("x")).to_string();
        assert_eq!(
            href("javascript:alert(1)"),
            "<a href=\"javascript%3Aalert%281%29\">x</a>"
        );
        assert_eq!(
            href("//evil.example/x"),
            "<a href=\"/evil.example/x\">x</a>"
        );
        assert_eq!(
            href("../m/a b\"/1.json"),
            "<a href=\"../m/a%20b%22/1.json\">x</a>"
        );
    }

    #[test]
    fn a_page_loads_nothing_from_elsewhere() {
        let page = page("T <x>", &Html::text("body"));
        assert!(page.contains("<title>T &lt;x&gt;</title>"));
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    proptest! {
        #[test]
        fn embedded_json_says_the_same_and_cannot_end_its_element(key in any::<String>(), tail in any::<String>()) {
            let value = serde_json::json!({ key: format!("</script><!--{tail}") });
            let block = embedded_json("data", &value.to_string()).to_string();
            let inner = block
                .strip_prefix("<script type=\"application/json\" id=\"data\">").unwrap()
                .strip_suffix("</script>\n").unwrap();
            prop_assert!(!inner.contains('<'));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(inner).unwrap(), value);
        }

        #[test]
        fn escaped_text_holds_no_markup(text in any::<String>()) {
            let safe = escape(&text);
            let has_markup = safe.contains(['<', '>', '"', '\'']);
            prop_assert!(!has_markup);
        }
    }
}
