//! RFC 8785 canonical JSON, and digests.
//!
//! A digest carries its recipe: `sha256:<hex>` is over raw bytes, `sha256-jcs-v1:<hex>` is over the canonical JSON of a
//! value. Every hashed object has a member `$type` with its kind (`provender.provenance.v1`), so that objects of two
//! kinds never share a digest.

use std::fmt;
use std::str::FromStr;

use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::value::MAX_JSON_INT;

/// How a digest is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Recipe {
    /// SHA-256 of raw bytes.
    Raw,
    /// SHA-256 of RFC 8785 canonical JSON, version 1.
    JcsV1,
}

impl Recipe {
    fn prefix(self) -> &'static str {
        match self {
            Recipe::Raw => "sha256:",
            Recipe::JcsV1 => "sha256-jcs-v1:",
        }
    }
}

/// A SHA-256 digest with its recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    recipe: Recipe,
    bytes: [u8; 32],
}

/// The text is not a digest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a digest of the form sha256:<64 hex digits> or sha256-jcs-v1:<64 hex digits>"
)]
pub struct NotADigest(pub String);

/// The value has no canonical form.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// JSON numbers hold integers exactly only up to 2^53; larger ones must be strings.
    #[error("the integer {0} is beyond 2^53 and must travel as a string")]
    Integer(String),
    /// The encoder refused the value.
    #[error("not canonical JSON: {0}")]
    Encoder(#[from] serde_json::Error),
}

impl Digest {
    /// SHA-256 of raw bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Digest {
        Digest {
            recipe: Recipe::Raw,
            bytes: Sha256::digest(bytes).into(),
        }
    }

    /// SHA-256 of the canonical JSON of `value`.
    ///
    /// # Errors
    /// If the value holds an integer beyond 2^53.
    pub fn of_json(value: &Json) -> Result<Digest, CanonicalError> {
        Ok(Self::of_canonical(&to_bytes(value)?))
    }

    /// SHA-256 of bytes that are already canonical JSON.
    #[must_use]
    pub fn of_canonical(bytes: &[u8]) -> Digest {
        Digest {
            recipe: Recipe::JcsV1,
            bytes: Sha256::digest(bytes).into(),
        }
    }

    /// A digest from its 32 bytes, as stored in the ledger.
    #[must_use]
    pub fn from_parts(recipe: Recipe, bytes: [u8; 32]) -> Digest {
        Digest { recipe, bytes }
    }

    /// The 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// How it was computed.
    #[must_use]
    pub fn recipe(&self) -> Recipe {
        self.recipe
    }

    /// The hex digits, without the recipe.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(&self.bytes)
    }

    /// Whether its hex digits begin with these.
    #[must_use]
    pub fn begins(&self, digits: &str) -> bool {
        let digit = |i: usize| {
            let byte = self.bytes[i / 2];
            let half = if i.is_multiple_of(2) {
                byte >> 4
            } else {
                byte & 15
            };
            char::from_digit(u32::from(half), 16)
        };
        digits.len() <= 64 && digits.chars().enumerate().all(|(i, c)| digit(i) == Some(c))
    }

    /// The first twelve hex digits, for tables.
    #[must_use]
    pub fn short(&self) -> String {
        hex(&self.bytes[..6])
    }
}

/// Lower-case hexadecimal.
#[must_use]
#[expect(clippy::expect_used, reason = "hexadecimal digits are ASCII")]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len() * 2);
    super::text::hex(bytes, &mut text);
    String::from_utf8(text).expect("hexadecimal digits are ASCII")
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.recipe.prefix())?;
        f.write_str(&self.hex())
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(s: &str) -> Result<Self, NotADigest> {
        let bad = || NotADigest(s.to_owned());
        for recipe in [Recipe::Raw, Recipe::JcsV1] {
            let Some(digits) = s.strip_prefix(recipe.prefix()) else {
                continue;
            };
            if digits.len() != 64
                || !digits
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            {
                return Err(bad());
            }
            let mut bytes = [0; 32];
            for (i, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).map_err(|_| bad())?;
            }
            return Ok(Digest { recipe, bytes });
        }
        Err(bad())
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The RFC 8785 bytes of a value.
///
/// # Errors
/// If the value contains an integer beyond 2^53: two different integers could have the same digest.
pub fn to_bytes(value: &Json) -> Result<Vec<u8>, CanonicalError> {
    check_integers(value)?;
    Ok(serde_json_canonicalizer::to_vec(value)?)
}

/// The RFC 8785 bytes of any serializable value.
///
/// # Errors
/// See [`to_bytes`].
pub fn bytes_of<T: serde::Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    to_bytes(&serde_json::to_value(value)?)
}

/// The JSON of a value as read back from its canonical text, where 185.0 is 185.
///
/// # Errors
/// See [`to_bytes`].
pub fn as_read<T: serde::Serialize + ?Sized>(value: &T) -> Result<Json, CanonicalError> {
    Ok(from_slice(&bytes_of(value)?)?)
}

/// The RFC 8785 text of a value.
///
/// # Errors
/// See [`to_bytes`].
pub fn to_text(value: &Json) -> Result<String, CanonicalError> {
    check_integers(value)?;
    Ok(serde_json_canonicalizer::to_string(value)?)
}

/// Reads canonical JSON. Integers beyond 2^53 in it were floating-point numbers, since [`to_bytes`] refuses such
/// integers, and are read as such.
///
/// # Errors
/// If the bytes are not JSON.
pub fn from_slice(bytes: &[u8]) -> Result<Json, serde_json::Error> {
    let mut value = serde_json::from_slice(bytes)?;
    restore_floats(&mut value);
    Ok(value)
}

/// Like [`from_slice`], for a struct member that keeps canonical JSON unchanged: `#[serde(deserialize_with =
/// "as_written")]`.
///
/// # Errors
/// If the member is not JSON.
pub fn as_written<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Json, D::Error> {
    let mut value = serde::Deserialize::deserialize(d)?;
    restore_floats(&mut value);
    Ok(value)
}

/// For a struct member that is either absent or has a value, never null: `#[serde(default, skip_serializing_if =
/// "Option::is_none", deserialize_with = "there")]`.
///
/// # Errors
/// If the member is not a value.
pub(crate) fn there<'de, T: serde::Deserialize<'de>, D: serde::Deserializer<'de>>(
    d: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(d).map(Some)
}

fn restore_floats(value: &mut Json) {
    match value {
        Json::Number(n) if !n.is_f64() => {
            let small = n
                .as_i64()
                .is_some_and(|i| i.unsigned_abs() <= MAX_JSON_INT.unsigned_abs());
            if let (false, Some(x)) = (small, n.as_f64()) {
                *value = Json::from(x);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(restore_floats),
        Json::Object(members) => members.values_mut().for_each(restore_floats),
        Json::Number(_) | Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}

fn check_integers(value: &Json) -> Result<(), CanonicalError> {
    match value {
        Json::Number(n) => {
            let exact = match (n.as_i64(), n.as_u64()) {
                (Some(i), _) => i.unsigned_abs() <= MAX_JSON_INT.unsigned_abs(),
                (None, Some(_)) => false,
                (None, None) => true,
            };
            if exact {
                Ok(())
            } else {
                Err(CanonicalError::Integer(n.to_string()))
            }
        }
        Json::Array(items) => items.iter().try_for_each(check_integers),
        Json::Object(members) => members.values().try_for_each(check_integers),
        Json::Null | Json::Bool(_) | Json::String(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn numbers_follow_appendix_b_of_the_rfc() {
        // RFC 8785 appendix B: IEEE 754 bits and the expected text.
        let vectors: [(u64, &str); 15] = [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
        ];
        for (bits, text) in vectors {
            assert_eq!(
                to_text(&json!(f64::from_bits(bits))).unwrap(),
                text,
                "{bits:016x}"
            );
        }
    }

    #[test]
    fn keys_sort_by_utf16_code_units() {
        let value = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        let text = to_text(&value).unwrap();
        assert_eq!(
            text,
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn integers_beyond_two_to_53_are_refused() {
        assert!(to_bytes(&json!(MAX_JSON_INT)).is_ok());
        for value in [
            json!(MAX_JSON_INT + 1),
            json!({"a": [u64::MAX]}),
            json!(i64::MIN),
        ] {
            assert!(
                matches!(to_bytes(&value), Err(CanonicalError::Integer(_))),
                "{value}"
            );
        }
    }

    #[test]
    fn a_digest_is_the_same_after_writing_and_reading() {
        let raw = Digest::of_bytes(b"");
        assert_eq!(
            raw.to_string(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(raw.to_string().parse(), Ok(raw));
        let jcs = Digest::of_json(&json!({})).unwrap();
        assert_eq!(jcs.to_string().parse(), Ok(jcs));
        for n in 0..=64 {
            assert!(raw.begins(&raw.hex()[..n]));
        }
        for other in ["f", "e3b1", &format!("{}0", raw.hex())] {
            assert!(!raw.begins(other), "{other}");
        }
        for bad in ["", "sha256:", "sha256:E3", "md5:00", "sha256-jcs-v1:zz"] {
            assert!(bad.parse::<Digest>().is_err());
        }
    }

    #[test]
    fn a_large_whole_float_is_the_same_after_writing_and_reading() {
        let once = to_bytes(&json!([9_007_199_254_740_994.0_f64, -1e18, 1.8e19])).unwrap();
        assert_eq!(to_bytes(&from_slice(&once).unwrap()).unwrap(), once);
    }

    proptest! {
        #[test]
        fn canonical_json_is_a_fixed_point_and_keeps_every_bit(x in prop::num::f64::NORMAL, key in any::<String>()) {
            let value = json!({ key: [x, "\u{1f980}", null, true] });
            let once = to_bytes(&value).unwrap();
            let parsed = from_slice(&once).unwrap();
            prop_assert_eq!(to_bytes(&parsed).unwrap(), once);
            let back = parsed.as_object().unwrap().values().next().unwrap()[0].as_f64().unwrap();
            prop_assert_eq!(back.to_bits(), x.to_bits());
        }
    }
}
