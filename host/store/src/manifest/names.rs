//! Boundary ids as folder names that stay inside the store, whatever an id contains.

use provender_domain::canonical::hex;
use sha2::{Digest as _, Sha256};

/// Longest name that is kept; file systems allow 255 bytes.
const MAX: usize = 120;

/// Letters, digits, `_`, `-` and `.` stay; other bytes become `%XX`. A leading dot, names reserved by some
/// systems, and long names are escaped too; a long name ends in a digest of the whole id. Different ids have
/// different names.
#[must_use]
pub fn folder_name(id: &str) -> String {
    use std::fmt::Write as _;
    let reserved = is_reserved(id);
    let mut name = String::with_capacity(id.len());
    for (i, b) in id.bytes().enumerate() {
        let plain = b.is_ascii_alphanumeric()
            || matches!(b, b'_' | b'-')
            || (b == b'.' && i > 0 && i + 1 < id.len());
        if plain && !(reserved && i == 0) {
            name.push(char::from(b));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(name, "%{b:02X}");
        }
    }
    if name.len() <= MAX {
        return if name.is_empty() {
            "%".to_owned()
        } else {
            name
        };
    }
    let digest = hex(&Sha256::digest(id.as_bytes()));
    format!("{}%~{}", &name[..80], &digest[..32])
}

fn is_reserved(id: &str) -> bool {
    let stem = id
        .split('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || (stem.len() == 4
            && (stem.starts_with("com") || stem.starts_with("lpt"))
            && stem.ends_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_ids_stay_inside_the_store() {
        for (id, name) in [
            ("north", "north"),
            ("00062", "00062"),
            ("a.b", "a.b"),
            ("..", "%2E%2E"),
            ("../x", "%2E.%2Fx"),
            ("/etc/passwd", "%2Fetc%2Fpasswd"),
            ("nul", "%6Eul"),
            ("a\0b", "a%00b"),
            ("Wiese Süd", "Wiese%20S%C3%BCd"),
            (".writing", "%2Ewriting"),
            ("", "%"),
        ] {
            assert_eq!(folder_name(id), name);
        }
        assert!(folder_name(&"x".repeat(10_000)).len() <= MAX);
    }

    proptest! {
        #[test]
        fn a_name_is_one_plain_path_component_and_unique(a in any::<String>(), b in any::<String>()) {
            let name = folder_name(&a);
            prop_assert!(!name.contains(['/', '\\', '\0']) && name != "." && name != ".." && !name.starts_with('.'));
            prop_assert_eq!(a == b, name == folder_name(&b));
        }
    }
}
