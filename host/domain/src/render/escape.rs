//! One function per medium that makes untrusted text safe in it.
//!
//! Each replaces the characters that could change the text around them ([`is_unsafe`]) with U+FFFD, and escapes the
//! medium's markup.

use std::fmt::Write as _;

/// Characters that can change what a terminal or a page shows around them: control characters, and marks that change
/// the direction of writing.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

fn safe(c: char) -> char {
    if is_unsafe(c) { '\u{fffd}' } else { c }
}

/// For one line of a terminal: the text can neither move the cursor nor forge a line.
#[must_use]
pub fn terminal(text: &str) -> String {
    text.chars().map(safe).collect()
}

/// For several lines of a terminal: keeps line breaks and tabs, for messages that quote others.
#[must_use]
pub fn terminal_lines(text: &str) -> String {
    text.chars()
        .map(|c| if matches!(c, '\n' | '\t') { c } else { safe(c) })
        .collect()
}

/// For Markdown prose and table cells.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().map(safe) {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '&' | '#' | '~'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// As a Markdown code span: the fence is longer than any run of backticks inside. A pipe is escaped, because in a table
/// it ends the cell even within a span.
#[must_use]
pub fn markdown_code(text: &str, in_cell: bool) -> String {
    let mut text = terminal(text);
    if in_cell {
        text = text.replace('|', "\\|");
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest > 0 || text.is_empty() || text.starts_with(' ') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// For HTML: element content and quoted attributes.
#[must_use]
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c => out.push(safe(c)),
        }
    }
    out
}

/// For the target of a link, which is a relative path. Every character that is unusual in a path is percent-encoded,
/// including the colon, so that the text can name neither a scheme nor a host.
#[must_use]
pub fn href(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for b in path.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-' | b'~') {
            out.push(char::from(b));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{b:02X}");
        }
    }
    // `//host/path` would lead to another host.
    while out.starts_with("//") {
        out.remove(0);
    }
    out
}

/// For JSON text inside an HTML script element. The characters to escape appear only inside JSON strings, so the `\u`
/// escapes mean the same JSON. No text can end the element or open a comment.
#[must_use]
pub fn json_in_html(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if matches!(c, '<' | '>' | '&') || (is_unsafe(c) && !c.is_ascii_control()) {
            // Writing to a String cannot fail; everything unsafe is below U+FFFF.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// For XML content and attributes. Line breaks are written as references, because in an attribute they would be read as
/// spaces.
#[must_use]
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(safe(c)),
        }
    }
    out
}

/// For the message of a workflow command (`::error file=…::message`).
#[must_use]
pub fn workflow_message(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// For a property of a workflow command, which also ends at a comma or colon.
#[must_use]
pub fn workflow_property(text: &str) -> String {
    workflow_message(text)
        .replace(':', "%3A")
        .replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_cannot_break_out_of_a_cell_or_a_line() {
        assert_eq!(markdown_code("a|b", true), "`a\\|b`");
        assert_eq!(markdown_code("a|b", false), "`a|b`");
        assert_eq!(markdown_code("a`b``c", true), "``` a`b``c ```");
        assert_eq!(markdown("<i>_x_\n|"), "\\<i\\>\\_x\\_\u{fffd}\\|");
        assert_eq!(
            terminal("\u{1b}[31mred\r\n"),
            "\u{fffd}[31mred\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn a_text_from_outside_stays_text() {
        assert_eq!(
            html("<b onclick='x'>&\"\u{1b}\u{202e}"),
            "&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn a_link_never_gets_a_scheme_or_a_host() {
        assert_eq!(href("javascript:alert(1)"), "javascript%3Aalert%281%29");
        assert_eq!(href("//evil.example/x"), "/evil.example/x");
        assert_eq!(href("../m/a b\"/1.json"), "../m/a%20b%22/1.json");
    }

    proptest! {
        #[test]
        fn embedded_json_says_the_same_and_cannot_end_its_element(key in any::<String>(), tail in any::<String>()) {
            let value = serde_json::json!({ key: format!("</script><!--{tail}") });
            let safe = json_in_html(&value.to_string());
            prop_assert!(!safe.contains('<'));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        }

        #[test]
        fn escaped_text_holds_no_markup(text in any::<String>()) {
            prop_assert!(!html(&text).contains(['<', '>', '"', '\'']));
            prop_assert!(!xml(&text).contains(['<', '>', '"']));
            prop_assert!(!terminal(&text).contains(is_unsafe));
        }
    }
}
