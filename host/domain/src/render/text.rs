//! Text for terminals and Markdown, and numbers for people.

/// Characters that can change what a terminal or a page shows around them: controls, and the marks
/// that turn the direction of writing.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// A text on one line without control characters: an id cannot move the cursor or forge a line.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if is_unsafe(c) { '\u{fffd}' } else { c })
        .collect()
}

/// A text of several lines without other control characters: for messages that quote what others wrote.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if is_unsafe(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// A text as a Markdown code span that stands in a table cell: the fence is longer than any run of
/// backticks inside, and pipes are escaped.
#[must_use]
pub fn markdown_code(text: &str) -> String {
    let text = printable(text).replace('|', "\\|");
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    if longest > 0 || text.is_empty() || text.starts_with(' ') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// A text as Markdown prose: what would be markup is escaped.
#[must_use]
pub fn markdown_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
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

/// `1 run`, `2 runs`.
#[must_use]
pub fn count(n: u64, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}

/// A number for people: whole numbers plain, others with at most four decimals; very small and very
/// large ones in full, so that a number which is not zero never reads as zero.
#[must_use]
pub fn number(x: f64) -> String {
    if x == 0.0 {
        return "0".to_owned();
    }
    if !(0.001..1e15).contains(&x.abs()) {
        return format!("{x:e}");
    }
    let text = format!("{x:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// As [`number`], but exact where rounding would make it read like `other`, which it is not.
#[must_use]
pub fn number_beside(x: f64, other: f64) -> String {
    let text = number(x);
    if text == number(other) && x.to_bits() != other.to_bits() {
        format!("{x}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_plainly_and_never_lie_beside_a_threshold() {
        for (x, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (365.0, "365"),
            (1200.0, "1200"),
            (0.125, "0.125"),
            (1.0 / 3.0, "0.3333"),
            (-2.5, "-2.5"),
            (1e-9, "1e-9"),
        ] {
            assert_eq!(number(x), text);
        }
        assert_eq!(number_beside(0.100_000_01, 0.1), "0.10000001");
        assert_eq!(number_beside(0.1, 0.1), "0.1");
    }

    #[test]
    fn an_id_cannot_break_out_of_a_cell_or_a_line() {
        assert_eq!(markdown_code("a|b"), "`a\\|b`");
        assert_eq!(markdown_code("a`b``c"), "``` a`b``c ```");
        assert_eq!(markdown_text("<i>_x_\n|"), "\\<i\\>\\_x\\_\u{fffd}\\|");
        assert_eq!(
            printable("\u{1b}[31mred\r\n"),
            "\u{fffd}[31mred\u{fffd}\u{fffd}"
        );
    }
}
