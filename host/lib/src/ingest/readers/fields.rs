//! Parses numbers, dates and texts as files spell them. Every error is the end of a sentence that begins with
//! the field and its value.

use provender_domain::ids::BoundaryId;
use std::borrow::Cow;

use serde_json::Value as Json;

use provender_domain::day::Day;
use provender_domain::value::plain_zero;

/// Spellings of "no data" in any CSV file; case does not matter.
const NODATA: [&str; 5] = ["", "NA", "N/A", "NaN", "null"];

/// True for a spelling of "no data".
pub(super) fn is_nodata(text: &str) -> bool {
    let text = text.trim();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    NODATA.iter().any(|n| n.eq_ignore_ascii_case(text))
}

/// Parses a finite number. Commas are accepted only as thousands separators, between groups of three digits;
/// −0 becomes 0.
///
/// # Errors
/// What is wrong, as the end of a sentence.
pub(super) fn number(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Rust's parser also accepts `inf`, `nan` and `infinity`.
    let shape = |c: u8| c.is_ascii_digit() || matches!(c, b'.' | b',' | b'e' | b'E' | b'+' | b'-');
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !text.bytes().all(shape) {
        return Err("is not a number".to_owned());
    }
    let plain = if text.contains(',') {
        if !has_thousands(unsigned) {
            return Err(
                "is not a number: commas separate thousands, decimals need a point".to_owned(),
            );
        }
        Cow::Owned(text.replace(',', ""))
    } else {
        Cow::Borrowed(text)
    };
    match plain.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(plain_zero(x)),
        Ok(_) => Err("is too large for a 64-bit number".to_owned()),
        Err(_) => Err("is not a number".to_owned()),
    }
}

/// `1,234,567.8`: one to three digits, then groups of three, then perhaps decimals.
fn has_thousands(unsigned: &str) -> bool {
    let whole = unsigned.split('.').next().unwrap_or_default();
    let rest = unsigned.get(whole.len()..).unwrap_or_default();
    let mut groups = whole.split(',');
    let digits = |g: &str| g.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len())
        && digits(first)
        && groups.all(|g| g.len() == 3 && digits(g))
        && !rest.contains(',')
}

/// A number, or `None` for no data: a spelling of it, or one of the format's own `codes`.
///
/// # Errors
/// As [`number`].
pub(super) fn optional_number(text: &str, codes: &[f64]) -> Result<Option<f64>, String> {
    if is_nodata(text) {
        return Ok(None);
    }
    let x = number(text)?;
    Ok((!is_code(x, codes)).then_some(x))
}

/// Whether `x` is exactly one of the nodata codes.
fn is_code(x: f64, codes: &[f64]) -> bool {
    codes.contains(&x)
}

/// A JSON number, or one in a string; `None` for null and no data.
///
/// # Errors
/// As [`number`].
pub(super) fn json_number(value: &Json, codes: &[f64]) -> Result<Option<f64>, String> {
    match value {
        Json::Null => Ok(None),
        Json::String(text) => optional_number(text, codes),
        Json::Number(n) => match n.as_f64().filter(|x| x.is_finite()) {
            Some(x) => Ok((!is_code(x, codes)).then_some(plain_zero(x))),
            None => Err("is too large for a 64-bit number".to_owned()),
        },
        Json::Bool(_) | Json::Array(_) | Json::Object(_) => Err("is not a number".to_owned()),
    }
}

/// A day written `YYYY-MM-DD`.
///
/// # Errors
/// What is wrong and how to write it. Dates with slashes are refused, because day and month could be swapped.
pub(super) fn day(text: &str) -> Result<Day, String> {
    let text = text.trim();
    text.parse::<Day>().map_err(|_| {
        let parts: Vec<&str> = text.split(['/', '.']).collect();
        let digits = |p: &&str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit());
        if parts.len() == 3 && parts.iter().all(digits) {
            "is ambiguous: it could be day or month first; write YYYY-MM-DD".to_owned()
        } else {
            "is not a date; write YYYY-MM-DD".to_owned()
        }
    })
}

/// `x` as an integer, if it is whole.
pub(super) fn whole(x: f64) -> Option<i32> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be whole and in the range of i32"
    )]
    (x.fract() == 0.0 && x.abs() <= f64::from(i32::MAX)).then_some(x as i32)
}

/// A trimmed text; `None` if it is empty. Numbers become text, because ids are often written as numbers.
pub(super) fn json_text(value: &Json) -> Option<String> {
    match value {
        Json::String(s) => {
            let s = s.trim();
            (!s.is_empty()).then(|| s.to_owned())
        }
        Json::Number(n) => match (n.as_f64().and_then(whole), n.is_f64()) {
            // 12.0 and 12 are the same id.
            (Some(i), true) => Some(i.to_string()),
            _ => Some(n.to_string()),
        },
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A JSON value as an error message shows it.
pub(super) fn shown(value: &Json) -> String {
    match value {
        Json::String(s) => s.clone(),
        other => other.to_string(),
    }
}

/// Why a text is not a valid id; `None` if it is valid.
pub(super) fn id_problem(id: &str) -> Option<String> {
    id.parse::<BoundaryId>().err().map(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn numbers_in_text_parse() {
        for (text, x) in [
            ("63,510", 63510.0),
            ("1,234,567.25", 1_234_567.25),
            (" 797 ", 797.0),
            ("-3.5e2", -350.0),
            ("+4", 4.0),
            (".5", 0.5),
            ("2000.0", 2000.0),
        ] {
            assert_eq!(number(text), Ok(x), "{text}");
        }
        assert_eq!(number("-0.0").unwrap().to_bits(), 0.0f64.to_bits());
    }

    #[test]
    fn text_that_is_not_a_number_is_refused() {
        for text in [
            "1,5",
            "12,34",
            "1.234,5",
            "1,2345",
            ",500",
            "inf",
            "-inf",
            "nan",
            "0x10",
            "1e999",
            "12 head",
            "--3",
            "63 510",
            "1,000e3,000",
        ] {
            assert!(number(text).is_err(), "{text}");
        }
        assert!(number("1,5").unwrap_err().contains("point"));
    }

    #[test]
    fn no_data_is_null_and_codes_are_the_format_s_own() {
        for text in ["", " ", "NA", "nan", "NULL", "n/a", "-99"] {
            assert_eq!(optional_number(text, &[-99.0]), Ok(None), "{text}");
        }
        assert_eq!(optional_number("-99", &[]), Ok(Some(-99.0)));
        assert_eq!(json_number(&json!(-99), &[-99.0]), Ok(None));
        assert_eq!(json_number(&json!("2,500"), &[]), Ok(Some(2500.0)));
        assert!(json_number(&json!(true), &[]).is_err());
    }

    #[test]
    fn a_slashed_date_is_not_guessed_at() {
        assert!(day("3/5/2014").unwrap_err().contains("write YYYY-MM-DD"));
        assert!(day("soon").unwrap_err().contains("write YYYY-MM-DD"));
        assert_eq!(day(" 2014-03-05 ").unwrap().to_string(), "2014-03-05");
    }

    #[test]
    fn numeric_ids_become_text() {
        assert_eq!(json_text(&json!(12)).as_deref(), Some("12"));
        assert_eq!(json_text(&json!(12.0)).as_deref(), Some("12"));
        assert_eq!(json_text(&json!("  00012 ")).as_deref(), Some("00012"));
        assert_eq!(json_text(&json!(" ")), None);
        assert_eq!(json_text(&json!(null)), None);
    }

    proptest! {
        #[test]
        fn separators_change_nothing(n in 0u64..1_000_000_000_000, negative: bool, cents in 0u32..100) {
            let digits = n.to_string();
            let mut with = String::new();
            for (i, c) in digits.chars().enumerate() {
                if i > 0 && (digits.len() - i) % 3 == 0 {
                    with.push(',');
                }
                with.push(c);
            }
            let sign = if negative { "-" } else { "" };
            let plain = format!("{sign}{digits}.{cents:02}");
            let separated = format!("{sign}{with}.{cents:02}");
            prop_assert_eq!(number(&separated), number(&plain));
            prop_assert!(number(&plain).is_ok());
        }

        #[test]
        fn a_number_is_finite_or_refused(text in "\\PC{0,24}") {
            if let Ok(x) = number(&text) {
                prop_assert!(x.is_finite());
            }
        }
    }
}
