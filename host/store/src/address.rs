//! Addresses of object stores.

use std::fmt;
use std::str::FromStr;

/// The address of an object store, such as `file:out/manifests`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreAddress {
    /// A folder: its path, relative to the deployment's folder unless it starts with `/`.
    File(String),
}

/// A text that is not the address of a store that this build can open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreAddressError {
    /// This build has no driver for the scheme.
    #[error("`{text}`: this build cannot open `{scheme}:`; use file:FOLDER")]
    Scheme {
        /// The address.
        text: String,
        /// Its scheme.
        scheme: String,
    },
    /// The address names no folder.
    #[error("`{0}` names no folder; use file:FOLDER")]
    Empty(String),
}

impl StoreAddress {
    /// The address of a folder.
    #[must_use]
    pub fn file(path: &str) -> StoreAddress {
        StoreAddress::File(path.trim_end_matches('/').to_owned())
    }

    /// Name of the store in messages, pins and paths of objects: for a folder, its path.
    #[must_use]
    pub fn shown(&self) -> &str {
        match self {
            StoreAddress::File(path) => path,
        }
    }

    /// Name of an object in messages and answers.
    #[must_use]
    pub fn object(&self, name: &str) -> String {
        format!("{}/{name}", self.shown())
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreAddress::File(path) => write!(f, "file:{path}"),
        }
    }
}

impl FromStr for StoreAddress {
    type Err = StoreAddressError;

    fn from_str(text: &str) -> Result<StoreAddress, StoreAddressError> {
        let scheme = text.split_once(':').filter(|(scheme, _)| {
            // A single letter is a Windows drive.
            scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        let path = match scheme {
            None => text,
            Some(("file", path)) => path,
            Some((scheme, _)) => {
                return Err(StoreAddressError::Scheme {
                    text: text.to_owned(),
                    scheme: scheme.to_owned(),
                });
            }
        };
        match path {
            "" => Err(StoreAddressError::Empty(text.to_owned())),
            path => Ok(StoreAddress::file(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_canonical_form() {
        for (text, written, shown) in [
            ("file:out/manifests", "file:out/manifests", "out/manifests"),
            ("out/manifests/", "file:out/manifests", "out/manifests"),
            ("/srv/ranch", "file:/srv/ranch", "/srv/ranch"),
            ("D:/ranch", "file:D:/ranch", "D:/ranch"),
        ] {
            let address: StoreAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), written);
            assert_eq!(address.shown(), shown);
            assert_eq!(address.to_string().parse(), Ok(address));
        }
        let error = |text: &str| text.parse::<StoreAddress>().unwrap_err().to_string();
        assert!(error("s3://bucket/x").contains("cannot open `s3:`"));
        assert!(error("file:").contains("names no folder"));
        assert!(error("").contains("names no folder"));
    }
}
