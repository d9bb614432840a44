//! Which versions of the contract's package this host speaks, and which one a component is built for.
//!
//! A version of `wit/logic.wit` is frozen when it is released, and a component names the version that
//! it was built for in its export. The host speaks every version of the table side by side: the
//! interface of 1.0.0 is what it calls, and no 1.x changes it (see [`super::difference::broken`]), so
//! that a component keeps its bytes, its world and its digest while the contract grows around it.

/// The package of the contract.
const PACKAGE: &str = "provender:logic";

/// A version of the contract's package, as its WIT writes it: `1.0.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(&'static str);

/// The versions that this host speaks, oldest first. A new one is added at the end, with its frozen
/// copy in `wit/frozen/`; none is ever taken out within 1.x.
pub(super) const SPOKEN: &[Version] = &[Version("1.0.0")];

/// The world of the newest version that this host speaks, as the lock file and the provenance name it.
pub const WORLD: &str = "provender:logic/logic-plugin@1.0.0";

impl Version {
    #[cfg(test)]
    pub(super) const fn of_test(number: &'static str) -> Version {
        Version(number)
    }

    /// `1.0.0`.
    #[must_use]
    pub fn number(self) -> &'static str {
        self.0
    }

    /// The interface that a component of this version exports: `provender:logic/logic@1.0.0`.
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

/// The versions of a table as a message lists them.
pub(super) fn listed(spoken: &[Version]) -> String {
    let numbers: Vec<_> = spoken.iter().map(|v| v.0).collect();
    numbers.join(", ")
}

/// The version in the name of an export that is the contract's interface; `None` for other names.
pub(super) fn of_export(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(PACKAGE)?.strip_prefix("/logic@")?;
    (!rest.is_empty()).then_some(rest)
}

/// Why a version is not spoken, which decides what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// Before 1.0.0: the contract was a draft.
    Draft,
    /// Newer than this host.
    Newer,
    /// Anything else.
    Unknown,
}

impl Stranger {
    /// Where a version that `spoken` lacks stands.
    pub(super) fn of(version: &str, spoken: &[Version]) -> Stranger {
        let newest = spoken.last().and_then(|v| numbers(v.0));
        match (numbers(version), newest) {
            (Some([0, ..]), _) => Stranger::Draft,
            (Some(found), Some(newest)) if found > newest => Stranger::Newer,
            _ => Stranger::Unknown,
        }
    }

    /// What is to be said of it, as the end of a sentence.
    pub(super) fn says(self) -> &'static str {
        match self {
            Stranger::Draft => "a draft from before the contract was frozen",
            Stranger::Newer => "newer than this program",
            Stranger::Unknown => "a version that was never released",
        }
    }
}

/// `1.2.3` as numbers; `None` for what is no such version.
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
        assert_eq!(of_export(&version.interface()), Some("1.0.0"));
        assert_eq!(of_export("provender:logic/logic@1.1.0"), Some("1.1.0"));
        for other in [
            "provender:logic/logic",
            "provender:logic/logic@",
            "provender:logic/logic-plugin@1.0.0",
            "provender:logical/logic@1.0.0",
            "logic@1.0.0",
        ] {
            assert_eq!(of_export(other), None, "{other}");
        }
    }

    #[test]
    fn the_newest_world_is_the_last_of_the_table_and_the_table_ascends() {
        assert_eq!(SPOKEN.last().map(|v| v.world()).as_deref(), Some(WORLD));
        let all: Vec<_> = SPOKEN.iter().map(|v| numbers(v.0).unwrap()).collect();
        assert!(all.is_sorted() && all.windows(2).all(|w| w[0] != w[1]));
    }

    #[test]
    fn a_strange_version_is_a_draft_newer_or_unknown() {
        let spoken = [Version("1.0.0"), Version("1.2.0")];
        for (version, stranger) in [
            ("0.1.0", Stranger::Draft),
            ("1.2.1", Stranger::Newer),
            ("1.10.0", Stranger::Newer),
            ("2.0.0", Stranger::Newer),
            ("1.1.0", Stranger::Unknown),
            ("1.1", Stranger::Unknown),
            ("1.3.0-rc.1", Stranger::Unknown),
            ("99999999999999999999.0.0", Stranger::Unknown),
            ("", Stranger::Unknown),
        ] {
            assert_eq!(Stranger::of(version, &spoken), stranger, "{version}");
        }
    }
}
