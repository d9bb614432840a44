//! Numbers in decimal, and in hexadecimal where the bits are the point: `0x1.8p3` is 12.

/// A finite number; `None` when the text is none, or has digits that a float64 would round away.
pub(super) fn parse(text: &str) -> Option<f64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude: f64 = match rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        Some(hex) => hexadecimal(hex)?,
        None if rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') => rest.parse().ok()?,
        None => return None,
    };
    let x = if negative { -magnitude } else { magnitude };
    x.is_finite().then_some(x)
}

fn hexadecimal(text: &str) -> Option<f64> {
    let (digits, power) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut mantissa: u64 = 0;
    for c in whole.chars().chain(fraction.chars()) {
        let digit = u64::from(c.to_digit(16)?);
        mantissa = mantissa.checked_mul(16)?.checked_add(digit)?;
    }
    let power: i32 = power.parse().ok()?;
    let mut power = power.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    if mantissa == 0 {
        return Some(0.0);
    }
    let zeros = mantissa.trailing_zeros();
    mantissa >>= zeros;
    power = power.checked_add(zeros as i32)?;
    if mantissa >= 1 << 53 || power < -1074 {
        return None;
    }
    // Two exact steps: a power of two that no float64 holds (2^-1074 · 2^1000) is taken in halves.
    let half = power / 2;
    let x = mantissa as f64 * 2_f64.powi(half) * 2_f64.powi(power - half);
    x.is_finite().then_some(x)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn both_spellings_are_read_and_others_refused() {
        for (text, x) in [
            ("12", 12.0),
            ("-0.5", -0.5),
            ("0x1.8p3", 12.0),
            ("-0X.8P+1", -1.0),
            ("0x1p-1074", f64::from_bits(1)),
            ("0x1.8p-1073", f64::from_bits(3)),
            ("0x1.fffffffffffffp1023", f64::MAX),
        ] {
            assert_eq!(parse(text), Some(x), "{text}");
        }
        for text in [
            "",
            "inf",
            "--1",
            "0x1.8",
            "0xp1",
            "0x1.00000000000001p0",
            "0x1p1024",
            "0x1p-1075",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
