//! Formats numbers for people.

/// Formats a count with its noun: `1 run`, `2 runs`.
#[must_use]
pub fn count(n: u64, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}

/// Formats a number: whole numbers without decimals, others with at most four. Very small and very large numbers are
/// written in full, so that a number other than zero never reads as zero.
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

/// Like [`number`], but exact if rounding would make it look the same as `other` although they differ.
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
    fn numbers_are_short_but_exact_next_to_a_threshold() {
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
}
