//! Writes the RFC 8785 text of values straight into a buffer. The result is the same as that of
//! [`super::canonical::to_bytes`] for [`Value::to_json`], without building a tree: a million runs have some thirty
//! million values.

use super::canonical::{Digest, Recipe};
use super::day::Day;
use super::value::{MAX_JSON_INT, Value};

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    // Branch-free and into one array, so that the compiler can vectorize it.
    let digit = |n: u8| n + if n < 10 { b'0' } else { b'a' - 10 };
    for part in bytes.chunks(32) {
        let mut digits = [[0_u8; 2]; 32];
        for (two, b) in digits.iter_mut().zip(part) {
            *two = [digit(b >> 4), digit(b & 15)];
        }
        out.extend_from_slice(&digits.as_flattened()[..2 * part.len()]);
    }
}

/// A digest with its recipe, in quotes.
pub fn digest(digest: &Digest, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(match digest.recipe() {
        Recipe::Raw => b"sha256:".as_slice(),
        Recipe::JcsV1 => b"sha256-jcs-v1:",
    });
    hex(digest.bytes(), out);
    out.push(b'"');
}

/// A day in quotes.
pub fn day(day: Day, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(&day.text());
    out.push(b'"');
}

/// An integer's digits.
pub fn integer(mut n: i64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let negative = n < 0;
    loop {
        at -= 1;
        // Works with negative numbers, because the smallest one has no positive counterpart.
        let digit = (n % 10).unsigned_abs();
        #[expect(clippy::cast_possible_truncation, reason = "a digit")]
        let digit = digit as u8;
        digits[at] = b'0' + digit;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    if negative {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// A finite number. A number that is not finite has no JSON text and becomes null, as in a tree.
pub fn number(x: f64, out: &mut Vec<u8>) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "whole and below 2^53"
    )]
    if x.fract() == 0.0 && x.abs() <= MAX_JSON_INT as f64 {
        integer(x as i64, out);
    } else if x.is_finite() {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(x).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

/// Caches the texts of recent numbers. Neighbouring runs share most numbers, and finding the shortest text of a number
/// is the most expensive part of writing it.
#[derive(Debug)]
pub struct Numbers {
    slots: Vec<(u64, usize, [u8; LONGEST])>,
}

/// The longest text of a number has 25 bytes.
const LONGEST: usize = 25;

impl Default for Numbers {
    fn default() -> Numbers {
        Numbers {
            // An empty text marks a free slot.
            slots: vec![(0, 0, [0; LONGEST]); 1 << Self::BITS],
        }
    }
}

impl Numbers {
    const BITS: u32 = 9;

    /// Like [`number`], with a cache.
    pub fn write(&mut self, x: f64, out: &mut Vec<u8>) {
        let bits = x.to_bits();
        // Fibonacci hashing: the highest bits of the product depend on all bits of the number.
        let place = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - Self::BITS);
        let (known, length, text) = &mut self.slots[place as usize];
        if *known != bits || *length == 0 {
            let from = out.len();
            number(x, out);
            let written = &out[from..];
            text[..written.len()].copy_from_slice(written);
            (*known, *length) = (bits, written.len());
            return;
        }
        out.extend_from_slice(&text[..*length]);
    }
}

/// A text in quotes, escaped as RFC 8785 requires.
pub fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let escaped = |b: u8| b < 0x20 || b == b'"' || b == b'\\';
    // Hardly any text needs escaping, so all bytes are checked at once first.
    if !text.bytes().fold(false, |any, b| any | escaped(b)) {
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    let mut plain = 0;
    for (i, b) in text.bytes().enumerate() {
        if !escaped(b) {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[plain..i]);
        plain = i + 1;
        match b {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            _ => {
                out.extend_from_slice(b"\\u00");
                hex(&[b], out);
            }
        }
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
    out.push(b'"');
}

/// An integer as JSON represents it: as a text beyond 2^53.
pub fn wide(i: i64, out: &mut Vec<u8>) {
    let plain = i.unsigned_abs() <= MAX_JSON_INT.unsigned_abs();
    if !plain {
        out.push(b'"');
    }
    integer(i, out);
    if !plain {
        out.push(b'"');
    }
}

/// A series as a list of `[day, value]`. `number` writes each value.
pub fn series(
    points: impl Iterator<Item = (Day, f64)>,
    mut number: impl FnMut(f64, &mut Vec<u8>),
    out: &mut Vec<u8>,
) {
    out.push(b'[');
    for (i, (date, x)) in points.enumerate() {
        out.extend_from_slice(if i == 0 { b"[".as_slice() } else { b",[" });
        day(date, out);
        out.push(b',');
        number(x, out);
        out.push(b']');
    }
    out.push(b']');
}

/// A value.
pub fn value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Float64(x) => number(*x, out),
        Value::Int64(i) => wide(*i, out),
        Value::Boolean(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Date(d) => day(*d, out),
        Value::Text(t) => string(t, out),
        Value::Series(points) => series(points.iter().copied(), number, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::to_bytes;
    use crate::value::plain_zero;
    use proptest::prelude::*;
    use serde_json::json;

    fn values() -> impl Strategy<Value = Value> {
        let finite = prop::num::f64::ANY
            .prop_filter_map("finite", |x| x.is_finite().then(|| plain_zero(x)))
            .boxed();
        let day = (Day::MIN.days()..=Day::MAX.days()).prop_map(|d| Day::from_days(d).unwrap());
        prop_oneof![
            Just(Value::Null),
            finite.clone().prop_map(Value::Float64),
            Just(Value::Float64(-0.0)),
            (-1e17..1e17_f64).prop_map(|x| Value::Float64(plain_zero(x.round()))),
            any::<i64>().prop_map(Value::Int64),
            (-3_i64..3).prop_map(|i| Value::Int64(MAX_JSON_INT + i)),
            any::<bool>().prop_map(Value::Boolean),
            day.clone().prop_map(Value::Date),
            any::<String>().prop_map(Value::Text),
            "[\\x00-\\x7f]{0,40}".prop_map(Value::Text),
            prop::collection::vec((day, finite), 0..4).prop_map(Value::Series),
        ]
    }

    proptest! {
        #[test]
        fn cached_numbers_are_written_like_new_ones(list in prop::collection::vec(prop_oneof![prop::num::f64::ANY, Just(0.5), Just(-0.0), Just(0.0), Just(-1.7976931348623157e308)], 0..600)) {
            let mut numbers = Numbers::default();
            let (mut short, mut plain) = (Vec::new(), Vec::new());
            for x in list.iter().chain(&list) {
                numbers.write(*x, &mut short);
                number(*x, &mut plain);
            }
            prop_assert_eq!(short, plain);
        }

        #[test]
        fn the_fast_path_writes_the_same_text_as_the_tree(v in values()) {
            let mut out = Vec::new();
            value(&v, &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), String::from_utf8(to_bytes(&v.to_json()).unwrap()).unwrap());
        }

        #[test]
        fn digests_days_and_integers_are_written_as_they_are_shown(bytes in any::<[u8; 32]>(), n in any::<i64>(), days in Day::MIN.days()..=Day::MAX.days()) {
            let mut out = Vec::new();
            let raw = Digest::from_parts(Recipe::Raw, bytes);
            let jcs = Digest::from_parts(Recipe::JcsV1, bytes);
            let date = Day::from_days(days).unwrap();
            digest(&raw, &mut out);
            digest(&jcs, &mut out);
            day(date, &mut out);
            integer(n, &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("{}{}{}{n}", json!(raw), json!(jcs), json!(date.to_string())));
        }
    }
}
