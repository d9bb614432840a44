//! Bytes to text. A byte order mark decides. Without one, valid UTF-8 is UTF-8, and anything else is
//! Windows-1252, the superset of Latin-1 in which agencies still export.

use std::borrow::Cow;

use encoding_rs::{Encoding, WINDOWS_1252};

/// A file's text.
pub(super) struct Decoded<'b> {
    /// The text without a byte order mark; borrowed from the bytes if they are UTF-8.
    pub(super) text: Cow<'b, str>,
    /// A warning for the user if the file was not UTF-8.
    pub(super) note: Option<String>,
}

/// The text of `bytes`; `None` if they are binary (contain a NUL).
pub(super) fn decode(bytes: &[u8]) -> Option<Decoded<'_>> {
    let decoded = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => {
            let (text, broken) = encoding.decode_without_bom_handling(bytes.get(mark..)?);
            Decoded {
                text,
                note: broken.then(|| {
                    format!(
                        "the file is marked as {} but has bytes that are invalid in it; they were replaced",
                        encoding.name()
                    )
                }),
            }
        }
        None => match std::str::from_utf8(bytes) {
            Ok(text) => Decoded {
                text: Cow::Borrowed(text),
                note: None,
            },
            Err(_) => Decoded {
                text: WINDOWS_1252.decode_without_bom_handling(bytes).0,
                note: Some("the file is not UTF-8 and was read as Windows-1252".to_owned()),
            },
        },
    };
    (!decoded.text.contains('\0')).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_needs_no_note_and_loses_its_mark() {
        let d = decode("\u{feff}Cañada".as_bytes()).unwrap();
        assert_eq!((&*d.text, d.note), ("Cañada", None));
    }

    #[test]
    fn latin_1_is_read_with_a_note() {
        let d = decode(b"Ca\xf1ada \x93x\x94").unwrap();
        assert_eq!(d.text, "Cañada “x”");
        assert!(d.note.unwrap().contains("Windows-1252"));
    }

    #[test]
    fn utf16_is_read_by_its_mark() {
        let d = decode(b"\xff\xfea\0,\0b\0").unwrap();
        assert_eq!(d.text, "a,b");
    }

    #[test]
    fn bytes_with_a_nul_are_not_text() {
        assert!(decode(b"PK\x03\x04\0\0").is_none());
    }
}
