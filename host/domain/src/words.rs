//! Enums that are written as words in entries, manifests, files and `--json`.

/// The word is not one of its enum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{word}`, expected one of {}", .known.join(", "))]
pub struct UnknownWord {
    /// What the word stands for, such as `verdict` or `role`.
    pub what: &'static str,
    /// The unknown word.
    pub word: String,
    /// The known words.
    pub known: Vec<&'static str>,
}

/// Declares an enum whose variants are words. An unknown word is an [`UnknownWord`] when text is parsed, and an error
/// with the same message when JSON or TOML is read. It never becomes a default.
///
/// ```
/// provender_domain::words! {
///     /// What a traffic light shows.
///     pub enum Light: "light" {
///         /// Wait.
///         Red = "red",
///         /// Go.
///         Green = "green",
///     }
/// }
/// assert_eq!(Light::Green.name(), "green");
/// let blue = "blue".parse::<Light>().unwrap_err();
/// assert_eq!(blue.to_string(), "unknown light `blue`, expected one of red, green");
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis enum $name:ident: $what:literal {
        $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?
    }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(::serde::Serialize, ::schemars::JsonSchema)]
        $(#[$meta])*
        $vis enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All variants, in order.
            $vis const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word for this variant.
            #[must_use]
            $vis fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;

            fn from_str(word: &str) -> Result<$name, Self::Err> {
                let found = $name::ALL.iter().find(|one| one.name() == word);
                found.copied().ok_or_else(|| $crate::words::UnknownWord {
                    what: $what,
                    word: word.to_owned(),
                    known: $name::ALL.iter().map(|one| one.name()).collect(),
                })
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                let word = <String as ::serde::Deserialize>::deserialize(from)?;
                word.parse().map_err(::serde::de::Error::custom)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    words! {
        enum Light: "light" {
            Red = "red",
            Green = "green",
        }
    }

    #[test]
    fn a_word_round_trips_and_an_unknown_one_is_named() {
        assert_eq!(serde_json::to_string(&Light::Red).unwrap(), "\"red\"");
        for light in Light::ALL {
            let json = serde_json::json!(light);
            assert_eq!(json, light.to_string());
            assert_eq!(serde_json::from_value::<Light>(json).unwrap(), *light);
        }
        let blue = serde_json::from_str::<Light>("\"blue\"").unwrap_err();
        let expected = "unknown light `blue`, expected one of red, green";
        assert!(blue.to_string().starts_with(expected), "{blue}");
    }
}
