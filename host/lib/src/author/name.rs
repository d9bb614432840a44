//! `NAME:VERSION`, and the names of folders and files derived from it.

use std::fmt;
use std::str::FromStr;

use provender_sandbox::{check_name, check_version};

use super::error::AuthorError;

/// A logic version as written on the command line: `days_remaining:v3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogicName {
    /// Name of the logic: `days_remaining`.
    pub name: String,
    /// Its version: `v3`.
    pub version: String,
}

impl LogicName {
    /// A name and a version, checked by the rules that a component's declaration has to meet.
    ///
    /// # Errors
    /// If either is not allowed; the message says what would be.
    pub fn new(name: &str, version: &str) -> Result<LogicName, String> {
        check_name("the name", name)?;
        check_version(version)?;
        Ok(LogicName {
            name: name.to_owned(),
            version: version.to_owned(),
        })
    }

    /// Name of the folder and of a cargo package: `days-remaining-v3`.
    #[must_use]
    pub(crate) fn package(&self) -> String {
        format!("{}-{}", self.name.replace('_', "-"), self.version)
    }

    /// Name of the component's file: `days_remaining-v3.wasm`.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}-{}.wasm", self.name, self.version)
    }
}

impl fmt::Display for LogicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.version)
    }
}

impl FromStr for LogicName {
    type Err = AuthorError;

    fn from_str(text: &str) -> Result<LogicName, AuthorError> {
        let parts = text.split_once(':');
        let parts = parts.ok_or_else(|| "it has no `:` between name and version".to_owned());
        parts
            .and_then(|(name, version)| LogicName::new(name, version))
            .map_err(|cause| AuthorError::Name {
                given: text.to_owned(),
                cause,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_its_folder_and_its_file() {
        let name: LogicName = "days_remaining:v12".parse().unwrap();
        assert_eq!(name.package(), "days-remaining-v12");
        assert_eq!(name.file(), "days_remaining-v12.wasm");
        assert_eq!(name.to_string(), "days_remaining:v12");
    }

    #[test]
    fn a_name_that_is_invalid_for_a_component_is_invalid_for_a_folder() {
        let problem = |text: &str| text.parse::<LogicName>().unwrap_err().to_string();
        insta::assert_snapshot!(problem("days_remaining"), @"`days_remaining` is not a logic version: it has no `:` between name and version");
        insta::assert_snapshot!(problem("Days:v1"), @"`Days:v1` is not a logic version: the name is `Days`; a name consists of a-z, 0-9 and _ and starts with a letter");
        insta::assert_snapshot!(problem("days:v01"), @"`days:v01` is not a logic version: the version is `v01`; a version is v1, v2 and so on");
        insta::assert_snapshot!(problem("../up:v1"), @"`../up:v1` is not a logic version: the name is `../up`; a name consists of a-z, 0-9 and _ and starts with a letter");
        insta::assert_snapshot!(problem(":v1"), @"`:v1` is not a logic version: the name is empty");
    }
}
