//! Numbers as people spell them exactly.
//!
//! A decimal names a float64 exactly when it is read to the nearest one, so that most texts need no
//! other spelling. Where the bits are the point (a boundary of a rounding, a subnormal) the
//! hexadecimal form of C and IEEE 754 says them: `0x1.8p3` is 12.

/// A finite number; `None` when the text is none, or has digits that a float64 would round away.
#[must_use]
pub fn parse(text: &str) -> Option<f64> {
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

    /// An author's tests read the same spellings: the package for logics, which stands alone, has these very lines.
    #[test]
    fn the_package_for_logics_has_the_same_parser() {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../logic-plugins/sdk/src/testing/number.rs"
        );
        let parser = |text: String| {
            let from = text.find("/// A finite number").unwrap();
            let until = text.find("#[cfg(test)]").unwrap();
            text[from..until].replace("pub(super) fn", "#[must_use]\npub fn")
        };
        let [theirs, own] = [file, concat!(env!("CARGO_MANIFEST_DIR"), "/src/number.rs")]
            .map(|file| parser(std::fs::read_to_string(file).unwrap()));
        assert_eq!(theirs, own);
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
