//! The ids of places, herds and logic versions. Each has a type of its own, so that they cannot be confused.
//!
//! Each is written and hashed as plain text.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What all kinds of ids share: they compare, hash, print and serialize as text.
macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// An id that is already recorded, or that the user asks for. It is not checked: earlier versions may have
            /// recorded ids that are refused today, and these must still be found.
            #[must_use]
            pub fn unchecked(text: impl Into<String>) -> $name {
                $name(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<$name> for str {
            fn eq(&self, other: &$name) -> bool {
                *self == other.0
            }
        }

        impl PartialEq<$name> for &str {
            fn eq(&self, other: &$name) -> bool {
                **self == other.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

text_ids! {
    /// The id of a boundary: a pasture, an allotment, a paddock.
    BoundaryId;

    /// The id of a herd, or [`HerdId::none`].
    HerdId;

    /// `name:version` of a logic: `days_remaining:v3`.
    ModelVersion;
}

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnId {
    /// It is empty.
    #[error("is empty")]
    Empty,
    /// It contains a control character, which would change what a terminal shows.
    #[error("contains a control character, which is not allowed in an id")]
    Control,
    /// It is longer than [`NotAnId::LONGEST`].
    #[error("is longer than {} bytes, the limit for an id", NotAnId::LONGEST)]
    TooLong,
}

impl NotAnId {
    /// Largest length of an id in bytes.
    pub const LONGEST: usize = 256;

    /// Checks an id from an ingested file.
    fn check(id: &str) -> Result<String, NotAnId> {
        if id.is_empty() {
            Err(NotAnId::Empty)
        } else if id.chars().any(char::is_control) {
            Err(NotAnId::Control)
        } else if id.len() > NotAnId::LONGEST {
            Err(NotAnId::TooLong)
        } else {
            Ok(id.to_owned())
        }
    }
}

impl FromStr for BoundaryId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<BoundaryId, NotAnId> {
        NotAnId::check(text).map(BoundaryId)
    }
}

impl FromStr for HerdId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<HerdId, NotAnId> {
        NotAnId::check(text).map(HerdId)
    }
}

impl HerdId {
    /// The text of [`HerdId::none`].
    pub const NONE: &str = "-";

    /// The herd of a run whose logic reads no herd.
    #[must_use]
    pub fn none() -> HerdId {
        HerdId(HerdId::NONE.to_owned())
    }

    /// Whether this is [`HerdId::none`].
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0 == HerdId::NONE
    }
}

/// The text is not `name:version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write name:version, such as days_remaining:v1")]
pub struct NotAModelVersion;

impl FromStr for ModelVersion {
    type Err = NotAModelVersion;

    fn from_str(text: &str) -> Result<ModelVersion, NotAModelVersion> {
        let model = ModelVersion(text.to_owned());
        match model.parts() {
            Some((name, version)) if !name.is_empty() && !version.is_empty() => Ok(model),
            _ => Err(NotAModelVersion),
        }
    }
}

impl ModelVersion {
    /// From a name and a version that a component declared and the sandbox has checked.
    #[must_use]
    pub fn of(name: &str, version: &str) -> ModelVersion {
        ModelVersion(format!("{name}:{version}"))
    }

    /// Name and version; `None` if there is no `:` between them.
    #[must_use]
    pub fn parts(&self) -> Option<(&str, &str)> {
        self.0.split_once(':')
    }

    /// `days_remaining` for `days_remaining:v2`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.parts().map_or(&self.0, |(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn an_id_is_written_as_its_bare_text() {
        let id: BoundaryId = "north".parse().unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""north""#);
        assert_eq!(
            serde_json::from_str::<BoundaryId>(r#""north""#).unwrap(),
            id
        );
        assert_eq!(format!("{id}|{id:>7}|{id:?}"), "north|  north|\"north\"");
        assert_eq!(BTreeMap::from([(id, 1)]).get("north"), Some(&1));
    }

    #[test]
    fn new_ids_are_checked_and_recorded_ones_are_not() {
        let refused = |text: &str| text.parse::<BoundaryId>().unwrap_err();
        assert_eq!(refused(""), NotAnId::Empty);
        assert_eq!(refused("a\u{0}"), NotAnId::Control);
        assert_eq!(refused(&"x".repeat(257)), NotAnId::TooLong);
        assert_eq!("a\t".parse::<HerdId>(), Err(NotAnId::Control));
        assert_eq!(BoundaryId::unchecked("a\t"), "a\t");
        let read: BoundaryId = serde_json::from_str(r#""a\t""#).unwrap();
        assert_eq!(read, "a\t");
    }

    #[test]
    fn a_model_version_has_a_name_and_a_version() {
        let model: ModelVersion = "days_remaining:v3".parse().unwrap();
        assert_eq!(model.parts(), Some(("days_remaining", "v3")));
        assert_eq!(model, ModelVersion::of("days_remaining", "v3"));
        for text in ["", "days_remaining", ":v1", "days_remaining:"] {
            assert_eq!(text.parse::<ModelVersion>(), Err(NotAModelVersion));
        }
        let old = ModelVersion::unchecked("days_remaining");
        assert_eq!((old.name(), old.parts()), ("days_remaining", None));
    }

    #[test]
    fn no_herd_is_a_dash() {
        assert!(HerdId::none().is_none());
        assert_eq!(serde_json::to_string(&HerdId::none()).unwrap(), r#""-""#);
        assert!(!HerdId::unchecked("h1").is_none());
    }
}
