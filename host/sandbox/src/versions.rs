//! The contract versions that this host speaks, and the one that a component is built for.
//!
//! A version of `wit/logic.wit` is frozen when it is released, and a component's export names the version it was
//! built for. The host speaks all versions in the table side by side. It calls the interface of 1.0.0, which no
//! 1.x changes (see [`super::difference::breaking_changes`]), so a component keeps its bytes, its world and its
//! digest while the contract grows.

/// Name of the contract's package.
const PACKAGE: &str = "provender:logic";

/// A version of the contract's package as in its WIT, such as `1.0.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(&'static str);

/// The versions that this host speaks, oldest first. Append a new one with its frozen copy in `wit/frozen/`.
/// Never remove one within 1.x.
pub(super) const SPOKEN: &[Version] = &[Version("1.0.0")];

/// The world of the newest version, as in the lock file and the provenance.
pub const WORLD: &str = "provender:logic/logic-plugin@1.0.0";

impl Version {
    #[cfg(test)]
    pub(super) const fn for_test(number: &'static str) -> Version {
        Version(number)
    }

    /// The version number, such as `1.0.0`.
    #[must_use]
    pub fn number(self) -> &'static str {
        self.0
    }

    /// The interface that a component of this version exports, such as `provender:logic/logic@1.0.0`.
    #[must_use]
    pub fn interface(self) -> String {
        format!("{PACKAGE}/logic@{}", self.0)
    }

    /// The world that a component of this version is built for.
    #[must_use]
    pub fn world(self) -> String {
        format!("{PACKAGE}/logic-plugin@{}", self.0)
    }
}

/// Formats versions as a list for messages.
pub(super) fn listed(spoken: &[Version]) -> String {
    let numbers: Vec<_> = spoken.iter().map(|v| v.0).collect();
    numbers.join(", ")
}

/// The version in an export name of the contract's interface; `None` for other names.
pub(super) fn exported_version(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(PACKAGE)?.strip_prefix("/logic@")?;
    (!rest.is_empty()).then_some(rest)
}

/// Why a version is not spoken. The remedy depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsupportedVersion {
    /// Before 1.0.0, when the contract was a draft.
    Draft,
    /// Newer than this host.
    Newer,
    /// Any other unknown version.
    Unknown,
}

impl UnsupportedVersion {
    /// Classifies a version that is not in `spoken`.
    pub(super) fn classify(version: &str, spoken: &[Version]) -> UnsupportedVersion {
        let newest = spoken.last().and_then(|v| numbers(v.0));
        match (numbers(version), newest) {
            (Some([0, ..]), _) => UnsupportedVersion::Draft,
            (Some(found), Some(newest)) if found > newest => UnsupportedVersion::Newer,
            _ => UnsupportedVersion::Unknown,
        }
    }

    /// Describes the version, for the end of a sentence.
    pub(super) fn description(self) -> &'static str {
        match self {
            UnsupportedVersion::Draft => "a draft from before the contract was frozen",
            UnsupportedVersion::Newer => "newer than this program",
            UnsupportedVersion::Unknown => "a version that was never released",
        }
    }
}

/// Parses `1.2.3`; `None` if the text has another form.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let mut parts = version.split('.').map(|part| {
        let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u64>().ok()).flatten()
    });
    let all = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_name_of_the_export() {
        let version = SPOKEN[0];
        assert_eq!(exported_version(&version.interface()), Some("1.0.0"));
        assert_eq!(
            exported_version("provender:logic/logic@1.1.0"),
            Some("1.1.0")
        );
        for other in [
            "provender:logic/logic",
            "provender:logic/logic@",
            "provender:logic/logic-plugin@1.0.0",
            "provender:logical/logic@1.0.0",
            "logic@1.0.0",
        ] {
            assert_eq!(exported_version(other), None, "{other}");
        }
    }

    #[test]
    fn the_newest_world_is_the_last_of_the_table_and_the_table_ascends() {
        assert_eq!(SPOKEN.last().map(|v| v.world()).as_deref(), Some(WORLD));
        let all: Vec<_> = SPOKEN.iter().map(|v| numbers(v.0).unwrap()).collect();
        assert!(all.is_sorted() && all.windows(2).all(|w| w[0] != w[1]));
    }

    #[test]
    fn an_unsupported_version_is_a_draft_newer_or_unknown() {
        let spoken = [Version("1.0.0"), Version("1.2.0")];
        for (version, kind) in [
            ("0.1.0", UnsupportedVersion::Draft),
            ("1.2.1", UnsupportedVersion::Newer),
            ("1.10.0", UnsupportedVersion::Newer),
            ("2.0.0", UnsupportedVersion::Newer),
            ("1.1.0", UnsupportedVersion::Unknown),
            ("1.1", UnsupportedVersion::Unknown),
            ("1.3.0-rc.1", UnsupportedVersion::Unknown),
            ("99999999999999999999.0.0", UnsupportedVersion::Unknown),
            ("", UnsupportedVersion::Unknown),
        ] {
            assert_eq!(
                UnsupportedVersion::classify(version, &spoken),
                kind,
                "{version}"
            );
        }
    }
}
