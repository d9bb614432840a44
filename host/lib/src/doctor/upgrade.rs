//! What a newer program needs from a deployment that an older one wrote.

use crate::project::Project;
use crate::project::settings::SetIn;

use super::DoctorFinding;

/// A setting whose meaning has changed.
#[derive(Debug)]
pub struct UpgradeChange {
    /// The first version with the new meaning.
    pub(crate) since: &'static str,
    /// The key in `provender.toml`, with dots.
    pub(crate) setting: &'static str,
    /// What is different.
    pub(crate) what: &'static str,
    /// What to do about it.
    pub(crate) next: &'static str,
}

/// Every change since 0.1.0. If you change what a setting means, add a row.
pub(super) const CHANGES: &[UpgradeChange] = &[];

/// A finding if the ledger's schema is older than this program's.
pub(super) fn schema(found: Option<i64>) -> Option<DoctorFinding> {
    let newest = provender_ledger::admin::newest_schema();
    found
        .filter(|found| *found < newest)
        .map(|found| DoctorFinding::OlderSchema { found, newest })
}

/// The changes to settings in this deployment's `provender.toml`. A setting that is not set has the current program's
/// default.
#[must_use]
pub(super) fn settings(project: &Project, changes: &'static [UpgradeChange]) -> Vec<DoctorFinding> {
    let settings = project.settings.origins(&project.settings_set);
    let is_set = |change: &&UpgradeChange| {
        let mut rows = settings.iter();
        rows.any(|(key, _, set_by)| key == change.setting && *set_by != SetIn::Default)
    };
    changes
        .iter()
        .filter(is_set)
        .map(DoctorFinding::Changed)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE_UP: &[UpgradeChange] = &[
        UpgradeChange {
            since: "9.0.0",
            setting: "monitor.window_days",
            what: "the last day is no longer counted",
            next: "add 1",
        },
        UpgradeChange {
            since: "9.0.0",
            setting: "manifests.pack_from",
            what: "it is a size",
            next: "give bytes",
        },
    ];

    #[test]
    fn a_change_is_reported_to_those_who_set_the_setting() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("provender.toml");
        std::fs::write(file, "[monitor]\nwindow_days = 30\n").unwrap();
        let project = Project::open(temp.path()).unwrap();
        let found = settings(&project, MADE_UP);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(finding.code(), "setting_changed");
        assert_eq!(
            finding.what(),
            "`monitor.window_days` has a different meaning since 9.0.0: the last day is no longer counted"
        );
        assert_eq!(finding.next(), "add 1");
    }

    #[test]
    fn only_an_older_schema_is_a_finding() {
        let newest = provender_ledger::admin::newest_schema();
        assert!(schema(None).is_none());
        assert!(schema(Some(newest)).is_none());
        let found = schema(Some(1)).unwrap();
        assert!(found.what().contains("schema 1"), "{}", found.what());
    }
}
