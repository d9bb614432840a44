//! Decides from when a version and configuration answers. This is an entry of the ledger, never a mutable cell.

use provender_domain::ids::ModelVersion;
use provender_ledger::EntryNumber;
use std::collections::BTreeSet;

use provender_domain::canonical::from_slice;
use provender_domain::day::Day;
use provender_ledger::entries::{self, Origin, RunsRecorded};
use provender_ledger::entry::{Kind, Stamp};
use provender_ledger::types::{Activation, Run};
use provender_ledger::{LedgerError, Payload, Read, Write};

use super::binding::Bound;

/// Records that a bound logic answers, unless it is already the last activation of its name. `from` is the first
/// calculation date asked for. Returns true if an entry was written.
///
/// # Errors
/// If the ledger cannot be written.
pub(crate) fn activate(
    ledger: &dyn Write,
    bound: &Bound,
    from: Day,
    stamp: &Stamp,
) -> Result<bool, LedgerError> {
    let name = bound.description().name.clone();
    let current = ledger
        .activations()?
        .into_iter()
        .rfind(|a| a.model_version.name() == name);
    if current
        .is_some_and(|a| a.model_version == bound.model_version && a.config == bound.config.digest)
    {
        return Ok(false);
    }
    let config = from_slice(bound.config.canonical.as_bytes())
        .map_err(|e| LedgerError::Damaged(format!("the configuration in force: {e}")))?;
    let payload = Payload::Activation(entries::Activation {
        model_version: bound.model_version.clone(),
        config_version: bound.config.digest,
        config,
        component: bound.component.digest(),
        from,
    });
    ledger.append(stamp, &payload)?;
    Ok(true)
}

/// Returns `days_remaining` for `days_remaining:v2` and for `days_remaining`: a filter may give either.
#[must_use]
pub(crate) fn logic_name(logic: &str) -> &str {
    logic.split_once(':').map_or(logic, |(name, _)| name)
}

/// The activations of every logic, which decide what answers and in which order runs rank.
#[derive(Clone, Debug, Default)]
pub struct Activations {
    all: Vec<Activation>,
    /// Entries that recorded runs in shadow.
    shadows: BTreeSet<EntryNumber>,
}

impl Activations {
    /// Reads all activations and the batches recorded in shadow.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn load(ledger: &dyn Read) -> Result<Activations, LedgerError> {
        Ok(Activations {
            all: ledger.activations()?,
            shadows: shadows(ledger)?,
        })
    }

    /// Returns the number of the newest entry that made a run's version and configuration answer, or `None` if there is
    /// no such entry. A run recorded in shadow answers only through an activation after it, even if its version
    /// answered before.
    #[must_use]
    pub(crate) fn rank(&self, run: &Run) -> Option<EntryNumber> {
        let key = &run.run.key;
        self.all
            .iter()
            .rev()
            .find(|a| a.model_version == key.model_version && a.config == key.config_version.config)
            .map(|a| a.entry)
            .filter(|entry| *entry > run.entry || !self.shadows.contains(&run.entry))
    }

    /// Whether a canary recorded the run.
    #[must_use]
    pub fn in_shadow(&self, run: &Run) -> bool {
        self.shadows.contains(&run.entry)
    }

    /// Whether the newest activation that covers a day names a different version of the logic.
    #[must_use]
    pub(crate) fn another_on(&self, model_version: &ModelVersion, day: Day) -> bool {
        let name = model_version.name();
        self.all
            .iter()
            .rfind(|a| a.model_version.name() == name && a.from <= day)
            .is_some_and(|a| a.model_version != *model_version)
    }

    /// The first day for which a version was activated, under any configuration.
    #[must_use]
    pub(crate) fn first_day(&self, model_version: &ModelVersion) -> Option<Day> {
        self.all
            .iter()
            .filter(|a| a.model_version == *model_version)
            .map(|a| a.from)
            .min()
    }
}

/// The batches that a canary recorded.
fn shadows(ledger: &dyn Read) -> Result<BTreeSet<EntryNumber>, LedgerError> {
    // Reading every batch of several years is slow, and without a canary there are no shadow runs.
    let starts = ledger.entries(Some(Kind::CanaryStart))?;
    let Some(first) = starts.first().map(|e| e.seq) else {
        return Ok(BTreeSet::new());
    };
    let batches = ledger.entries(Some(Kind::Runs))?;
    let mut shadows = BTreeSet::new();
    for entry in batches.iter().filter(|e| e.seq > first) {
        if entry.read::<RunsRecorded>()?.context.origin == Origin::Canary {
            let _ = shadows.insert(entry.seq);
        }
    }
    Ok(shadows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use provender_domain::canonical::Digest;

    #[test]
    fn a_day_belongs_to_the_version_activated_for_it() {
        let all = [
            (5, "days:v1", 1),
            (6, "frost:v1", 1),
            (7, "days:v2", 10),
            (9, "days:v1", 20),
        ];
        let day = |n: i32| "2025-06-01".parse::<Day>().unwrap().plus(n - 1).unwrap();
        let activations = Activations {
            all: all
                .map(|(entry, version, from)| Activation {
                    entry: EntryNumber::new(entry),
                    model_version: ModelVersion::unchecked(version),
                    config: Digest::of_bytes(b"c"),
                    from: day(from),
                })
                .to_vec(),
            shadows: BTreeSet::new(),
        };
        let another = |version| {
            let version = ModelVersion::unchecked(version);
            [0, 1, 9, 10, 19, 20, 30].map(|n| activations.another_on(&version, day(n)))
        };
        assert_eq!(
            another("days:v1"),
            [false, false, false, true, true, false, false]
        );
        assert_eq!(
            another("days:v2"),
            [false, true, true, false, false, true, true]
        );
        assert_eq!(another("frost:v1"), [false; 7]);
    }
}
