//! Numbers in their exact spellings, and how far apart two of them are.
//!
//! A decimal names a float64 exactly when it is read to the nearest one, so that most cases need no
//! other spelling. Where the bits are the point (a boundary of a rounding, a subnormal) the
//! hexadecimal form of C and IEEE 754 says them: `0x1.8p3` is 12.

/// A number: decimal, or hexadecimal `0x1.8p3`. `None` when the text is none, is not finite, or has
/// more hexadecimal digits than a float64 holds.
pub(super) fn parse(text: &str) -> Option<f64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = match rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        Some(hex) => hexadecimal(hex)?,
        // Rust's own reader takes `inf`, `nan` and a second sign.
        None if rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') => rest.parse().ok()?,
        None => return None,
    };
    let x: f64 = if negative { -magnitude } else { magnitude };
    x.is_finite().then_some(x)
}

/// `1.8p3`: hexadecimal digits with an optional point, then the power of two in decimal. Only what
/// is exact is taken: a digit that would be rounded away is a mistake of whoever wrote it.
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
    if power.starts_with('+') && power[1..].starts_with(['+', '-']) {
        return None;
    }
    let mut power: i32 = power.parse().ok()?;
    power = power.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    if mantissa == 0 {
        return Some(0.0);
    }
    // Trailing zeros carry nothing: what is left must fit the 53 bits.
    let zeros = mantissa.trailing_zeros();
    mantissa >>= zeros;
    power = power.checked_add(i32::try_from(zeros).ok()?)?;
    if mantissa >= 1 << 53 {
        return None;
    }
    exact(mantissa, power)
}

/// `mantissa · 2^power` where a float64 is exactly that; the mantissa is odd and below 2^53.
fn exact(mantissa: u64, power: i32) -> Option<f64> {
    let bits = i32::try_from(64 - mantissa.leading_zeros()).ok()?;
    let exponent = power.checked_add(bits - 1)?;
    if exponent > 1023 {
        return None;
    }
    if exponent >= -1022 {
        let shifted = mantissa << (53 - bits);
        let biased = u64::try_from(exponent + 1023).ok()?;
        return Some(f64::from_bits((biased << 52) | (shifted & ((1 << 52) - 1))));
    }
    // Subnormal: the unit is 2^-1074.
    let shift = u32::try_from(power.checked_add(1074)?).ok()?;
    Some(f64::from_bits(mantissa.checked_shl(shift)?))
}

/// How many float64 values lie from one number to the other (units in the last place): 1 for
/// neighbours. Both are finite.
#[must_use]
pub(super) fn ulps(a: f64, b: f64) -> u64 {
    // The bits of positive floats count upwards like integers; negative ones are mirrored.
    let rank = |x: f64| {
        let bits = x.to_bits();
        if bits >> 63 == 1 {
            -i128::from(bits & !(1 << 63))
        } else {
            i128::from(bits)
        }
    };
    u64::try_from((rank(a) - rank(b)).unsigned_abs()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The hexadecimal spelling of a finite number, written independently of the reader.
    fn hex(x: f64) -> String {
        let bits = x.to_bits();
        let sign = if bits >> 63 == 1 { "-" } else { "" };
        let (biased, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
        if biased == 0 {
            format!("{sign}0x0.{fraction:013x}p-1022")
        } else {
            format!("{sign}0x1.{fraction:013x}p{}", biased as i64 - 1023)
        }
    }

    #[test]
    fn both_spellings_are_read_and_others_refused() {
        for (text, x) in [
            ("12", 12.0),
            ("-0.5", -0.5),
            (".5", 0.5),
            ("1e-3", 0.001),
            ("0x1.8p3", 12.0),
            ("-0X.8P+1", -1.0),
            ("0xcp0", 12.0),
            ("0x0p0", 0.0),
            ("0x1p-1074", f64::from_bits(1)),
            ("0x1.fffffffffffffp1023", f64::MAX),
        ] {
            assert_eq!(parse(text), Some(x), "{text}");
        }
        for text in [
            "",
            "-",
            "inf",
            "nan",
            "--1",
            "+-1",
            "1e999",
            "0x1.8",
            "0x.p1",
            "0xp1",
            "0x1p",
            "0x1p1.5",
            "0x1p+-1",
            "0x1.00000000000001p0",
            "0x1p1024",
            "0x1p-1075",
            "0x1.8p-1074",
            "0x1p99999999999",
            "1,5",
            "12 kg",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn neighbours_are_one_apart_also_across_zero() {
        assert_eq!(ulps(1.0, 1.0), 0);
        assert_eq!(ulps(1.0, 1.0 + f64::EPSILON), 1);
        assert_eq!(ulps(-f64::from_bits(1), f64::from_bits(1)), 2);
        assert_eq!(ulps(0.0, -0.0), 0);
        assert!(ulps(f64::MAX, f64::MIN) > 1 << 62);
    }

    proptest! {
        #[test]
        fn every_finite_number_survives_its_hexadecimal_spelling(bits in any::<u64>()) {
            let x = f64::from_bits(bits);
            prop_assume!(x.is_finite());
            prop_assert_eq!(parse(&hex(x)).map(f64::to_bits), Some(x.to_bits()));
            prop_assert_eq!(parse(&format!("{x:?}")).map(f64::to_bits), Some(x.to_bits()));
        }
    }
}
