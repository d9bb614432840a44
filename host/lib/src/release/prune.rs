//! Removes files of the store that are no longer needed. The plan is shown first and applied by its digest.
//!
//! Only files of the release store are ever removed. The release itself stays in the ledger, and an import
//! brings its files back.

use provender_ledger::EntryNumber;
use std::collections::{BTreeMap, BTreeSet};

use provender_domain::canonical::Digest;
use provender_domain::failpoint;
use provender_domain::forms::Form;
use provender_ledger::entries::{Prune, PrunedRelease, RunsRecorded};
use provender_ledger::entry::{Kind, Stamp};
use provender_ledger::retry::unless_moved;
use provender_ledger::{LedgerError, Payload, Read, Write};

use super::ReleaseError;
use super::canary::running;
use super::canary::start::{CANARY, last};
use super::state::{DECIDING, KNOWING, ReleaseState};
use super::store::ReleaseStore;

/// Entries that make an incident refer to a release. One recorded between plan and removal invalidates the
/// plan.
const REFERRING: [Kind; 2] = [Kind::IncidentOpen, Kind::IncidentLink];

/// What would be removed, and why the rest would be kept.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Releases whose files would be removed: number and digest.
    pub releases: Vec<(u32, Digest)>,
    /// Components that would be removed, with their sizes in bytes.
    pub components: Vec<(Digest, u64)>,
    /// Releases that are kept, each with the first reason found.
    pub kept: Vec<(u32, Digest, String)>,
    /// Newest entry that the plan depends on.
    last: EntryNumber,
}

impl Plan {
    /// Whether there is nothing to remove.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.releases.is_empty() && self.components.is_empty()
    }

    /// Bytes that would be freed, not counting the release documents.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.components.iter().map(|(_, size)| size).sum()
    }

    /// The digest by which the plan is applied.
    ///
    /// # Errors
    /// None in practice: the plan holds only digests and numbers.
    pub fn digest(&self) -> Result<Digest, ReleaseError> {
        Ok(Form::ReleasePrune.digest(&self.payload(None))?)
    }

    fn payload(&self, plan: Option<Digest>) -> Prune {
        let releases = self.releases.iter().map(|(number, release)| PrunedRelease {
            number: *number,
            release: *release,
        });
        Prune {
            releases: releases.collect(),
            components: self.components.iter().map(|(d, _)| *d).collect(),
            plan,
        }
    }
}

/// The releases that runs were recorded under, and the components that ran.
fn recorded(ledger: &dyn Read) -> Result<(BTreeSet<Digest>, BTreeSet<Digest>), ReleaseError> {
    let mut releases: BTreeSet<Digest> = BTreeSet::new();
    let mut components: BTreeSet<Digest> = BTreeSet::new();
    for entry in ledger.entries_of_kinds(&[Kind::Runs, Kind::Reissue])? {
        let of = entry
            .read::<RunsRecorded>()
            .map_err(LedgerError::from)?
            .context;
        releases.extend(of.release);
        components.insert(of.component);
    }
    Ok((releases, components))
}

/// Plans what to remove. The `keep` newest releases are kept, and everything that is referred to. `held` are
/// releases that others need, each with the reason.
///
/// # Errors
/// If the ledger cannot be read.
pub fn plan(
    ledger: &dyn Read,
    store: &ReleaseStore,
    keep: u32,
    held: &BTreeMap<Digest, String>,
) -> Result<Plan, ReleaseError> {
    let standing = ReleaseState::read(ledger, EntryNumber::LATEST)?;
    let (recorded_under, ran) = recorded(ledger)?;
    let mut order: Vec<_> = standing.releases.iter().collect();
    order.sort_by_key(|k| std::cmp::Reverse(k.document.number));
    let former = standing.former().map(|k| k.digest);
    let canary = running(&standing).map(|c| c.release);
    let active = standing.active().map(|c| c.release);
    let (mut kept, mut releases) = (Vec::new(), Vec::new());
    for (i, known) in order.iter().enumerate() {
        let digest = known.digest;
        let newest = usize::try_from(keep).is_ok_and(|keep| i < keep);
        let reason = if active == Some(digest) {
            Some("it is active".to_owned())
        } else if former == Some(digest) {
            Some("a rollback would go back to it".to_owned())
        } else if canary == Some(digest) {
            Some("its canary is running".to_owned())
        } else if recorded_under.contains(&digest) {
            Some("runs were recorded under it".to_owned())
        } else if let Some(reason) = held.get(&digest) {
            Some(reason.clone())
        } else {
            newest.then(|| format!("it is one of the newest {keep}"))
        };
        match reason {
            Some(reason) if known.pruned.is_none() => {
                kept.push((known.document.number, digest, reason));
            }
            Some(_) => {}
            // A process that was killed after recording its entry may have left files behind.
            None if known.pruned.is_none() || store.has_document(&digest) => {
                releases.push((known.document.number, digest));
            }
            None => {}
        }
    }
    releases.sort_unstable();
    let needed: BTreeSet<Digest> = order
        .iter()
        .filter(|k| kept.iter().any(|(_, d, _)| *d == k.digest))
        .flat_map(|k| k.document.components.iter().map(|c| c.sha256))
        .collect();
    let all: BTreeSet<Digest> = order
        .iter()
        .flat_map(|k| k.document.components.iter().map(|c| c.sha256))
        .collect();
    let components = all
        .into_iter()
        .filter(|d| !needed.contains(d) && !ran.contains(d) && store.has(d))
        .map(|d| (d, store.size(&d)))
        .collect();
    let newest_reference = ledger.entries_of_kinds(&REFERRING)?;
    let newest_reference = newest_reference.last().map_or(EntryNumber::NONE, |e| e.seq);
    Ok(Plan {
        releases,
        components,
        kept,
        last: standing
            .decided
            .max(standing.knew)
            .max(newest_reference)
            .max(last(&standing)),
    })
}

/// Entry of the newest prune; 0 if there was none. Files are removed after their entry. So if this number has
/// not changed while you looked at files, all of them were there.
///
/// # Errors
/// If the ledger cannot be read.
pub(crate) fn newest(ledger: &dyn Read) -> Result<EntryNumber, LedgerError> {
    let pruned = ledger.entries_of_kinds(&[Kind::Prune])?;
    Ok(pruned.last().map_or(EntryNumber::NONE, |e| e.seq))
}

/// Records and removes what the plan with this digest says. For an empty plan nothing is recorded.
///
/// # Errors
/// If the plan has changed, or if the file system fails.
pub fn apply(
    ledger: &dyn Write,
    store: &ReleaseStore,
    plan: &Plan,
    asked: &str,
    stamp: &Stamp,
) -> Result<Option<EntryNumber>, ReleaseError> {
    let digest = plan.digest()?;
    let changed = |now: String| ReleaseError::PlanChanged {
        asked: asked.to_owned(),
        now,
    };
    let named = asked == digest.to_string() || asked.len() >= 8 && digest.hex().starts_with(asked);
    if !named {
        return Err(changed(format!("the current plan is {digest}")));
    }
    if plan.is_empty() {
        return Ok(None);
    }
    let payload = Payload::Prune(plan.payload(Some(digest)));
    let watched: Vec<Kind> = [&KNOWING[..], &DECIDING, &REFERRING, &CANARY].concat();
    failpoint::hit("prune.before-ledger");
    let appended = ledger.append_expecting(stamp, &[payload], &watched, plan.last);
    let appended = unless_moved(appended)?
        .ok_or_else(|| changed("something was recorded in the meantime".to_owned()))?;
    let entry = appended.first().map_or(EntryNumber::NONE, |e| e.seq);
    failpoint::hit("prune.after-ledger");
    for (_, release) in &plan.releases {
        store.remove_document(release)?;
    }
    failpoint::hit("prune.after-documents");
    for (component, _) in &plan.components {
        store.remove_component(component)?;
    }
    Ok(Some(entry))
}
