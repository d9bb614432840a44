//! Promotion, rollback, freeze and unfreeze. Each is one entry, appended only if what it was decided on has not
//! changed.

use crate::project::gate::Policy;
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::failpoint;
use provender_ledger::EntryNumber;
use provender_ledger::entries::{NoPayload, Promotion, Rollback};
use provender_ledger::entry::Stamp;
use provender_ledger::{Payload, Read, Write};

use super::ReleaseError;
use super::canary::{Canary, running};
use super::evidence::{Evidence, Reported};
use super::gate::require::objection;
use super::meanwhile::{anew, append, whatever_happens};
use super::state::{Known, ReleaseState, gate_of};
use super::store::ReleaseStore;

/// What the user asked `promote` to do.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The release, as typed.
    pub release: &'a str,
    /// What must be active now: a release or `none`. Otherwise the promotion is refused.
    pub expect: Option<&'a str>,
    /// The reason to override a gate's refusal.
    pub overriding: Option<&'a str>,
    /// The environment to promote in.
    pub environment: &'a str,
    /// The gate's policy of the environment, and its digest.
    pub policy: (&'a Policy, Digest),
    /// The current day.
    pub today: Day,
    /// First calculation date that the release answers for.
    pub from: Day,
}

/// The result of a promotion or rollback.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The release that is active now.
    pub release: Known,
    /// The release that was active before, if any.
    pub before: Option<Known>,
    /// The entry; `None` if the release was already active.
    pub entry: Option<EntryNumber>,
    /// The release's canary, if the promotion ended one.
    pub canary: Option<EndedCanary>,
}

impl Moved {
    /// The release was already active, so nothing changed.
    fn none(release: Known, before: Option<Known>) -> Moved {
        Moved {
            release,
            before,
            entry: None,
            canary: None,
        }
    }
}

/// A canary that a promotion ended.
#[derive(Clone, Debug)]
pub struct EndedCanary {
    /// The canary.
    pub canary: Canary,
    /// Its result, recorded as evidence, or why it could not be computed.
    pub found: Result<Reported, String>,
}

/// What a promotion looks at apart from entries and files.
pub trait Look {
    /// Checks that the release can run in this environment.
    ///
    /// # Errors
    /// If it cannot.
    fn runs_here(&mut self, release: &Known) -> Result<(), ReleaseError>;

    /// The result so far of the release's canary.
    ///
    /// # Errors
    /// If it cannot be computed.
    fn canary(
        &mut self,
        ledger: &dyn Read,
        standing: &ReleaseState,
        release: &Digest,
    ) -> Result<Option<Reported>, ReleaseError>;
}

/// Makes a release active. If a gate decision, an approval, a canary or a prune is recorded in the meantime, it
/// decides again from the new state. A running canary of the release ends, and its result is recorded as
/// evidence.
///
/// # Errors
/// If promotions are frozen, another release is active than expected, a gate refuses, the release cannot run
/// here, or another process was faster.
pub fn promote(
    ledger: &dyn Write,
    store: &ReleaseStore,
    request: &Request<'_>,
    stamp: &Stamp,
    look: &mut dyn Look,
) -> Result<Moved, ReleaseError> {
    anew(ledger, &mut |ledger, standing| {
        put_in(ledger, standing, store, request, stamp, look)
    })
}

fn put_in(
    ledger: &dyn Write,
    standing: &ReleaseState,
    store: &ReleaseStore,
    request: &Request<'_>,
    stamp: &Stamp,
    look: &mut dyn Look,
) -> Result<Option<Moved>, ReleaseError> {
    if let Some(expected) = request.expect {
        expect(standing, expected)?;
    }
    let release = standing.find(request.release)?.clone();
    let before = standing.active_release().cloned();
    if before.as_ref().is_some_and(|b| b.digest == release.digest) {
        return Ok(Some(Moved::none(release, before)));
    }
    if let Some(hold) = &standing.hold {
        return Err(ReleaseError::Held {
            at: hold.stamp.at.clone(),
            by: hold.stamp.actor.clone(),
            reason: hold.stamp.reason.clone().unwrap_or_default(),
        });
    }
    let decision = gate_of(standing, &release.digest, request.environment);
    let objection = objection(
        standing,
        &release,
        request.environment,
        request.policy,
        request.today,
    );
    if let Some(why) = &objection
        && request.overriding.is_none()
    {
        return Err(ReleaseError::Gate {
            release: release.document.name(),
            environment: request.environment.to_owned(),
            why: why.clone(),
        });
    }
    whole(store, &release)?;
    look.runs_here(&release)?;
    let canary = running(standing)
        .filter(|c| c.release == release.digest)
        .map(|canary| {
            let found = match look.canary(&*ledger, standing, &release.digest) {
                Ok(Some(found)) => Ok(found),
                Ok(None) => Err("nothing is recorded for it".to_owned()),
                Err(e) => Err(e.to_string()),
            };
            EndedCanary { canary, found }
        });
    let mut entries = Vec::new();
    if let Some(Ok(found)) = canary.as_ref().map(|c| &c.found) {
        found.record(ledger, stamp)?;
        let finding = found.finding().clone();
        let evidence = Evidence::new(release.digest, finding, request.environment, stamp);
        entries.push(evidence.payload(release.document.number, None)?);
    }
    entries.push(Payload::Promotion(Promotion {
        change: change(&release, before.as_ref(), request.from),
        gate: decision.map(|d| d.entry),
        overridden: request.overriding.map(str::to_owned),
        // For readers of the entry: what was overridden.
        objection,
    }));
    failpoint::hit("promote.before-ledger");
    let entry = append(ledger, standing, stamp, &entries)?;
    failpoint::hit("promote.after-ledger");
    Ok(entry.map(|entry| Moved {
        release,
        before,
        entry: Some(entry),
        canary,
    }))
}

/// Makes a former release active again: the one named, or the previous one. It needs no new analysis and also
/// works while promotions are frozen. If a release is named, a promotion by another process in the meantime
/// does not stop it.
///
/// # Errors
/// If there is nothing to roll back to, if files of the release are missing, or, if no release was named,
/// another process was faster.
pub fn rollback(
    ledger: &dyn Write,
    store: &ReleaseStore,
    to: Option<&str>,
    from: Day,
    stamp: &Stamp,
) -> Result<Moved, ReleaseError> {
    match to {
        Some(_) => whatever_happens(&mut || roll_back(ledger, store, to, from, stamp)),
        None => roll_back(ledger, store, to, from, stamp),
    }
}

fn roll_back(
    ledger: &dyn Write,
    store: &ReleaseStore,
    to: Option<&str>,
    from: Day,
    stamp: &Stamp,
) -> Result<Moved, ReleaseError> {
    anew(ledger, &mut |ledger, standing| {
        let (before, release) = way_back(standing, to)?;
        if release.digest == before.digest {
            return Ok(Some(Moved::none(release, Some(before))));
        }
        whole(store, &release)?;
        let payload = Payload::Rollback(change(&release, Some(&before), from));
        failpoint::hit("rollback.before-ledger");
        let entry = append(ledger, standing, stamp, &[payload])?;
        failpoint::hit("rollback.after-ledger");
        Ok(entry.map(|entry| Moved {
            entry: Some(entry),
            ..Moved::none(release, Some(before))
        }))
    })
}

/// The active release, and the release to roll back to.
fn way_back(standing: &ReleaseState, to: Option<&str>) -> Result<(Known, Known), ReleaseError> {
    let Some(before) = standing.active_release().cloned() else {
        return Err(ReleaseError::NoWayBack(
            "no release is active, so there is nothing to roll back".to_owned(),
        ));
    };
    let release = match to {
        Some(asked) => standing.find(asked)?.clone(),
        None => standing.former().cloned().ok_or_else(|| {
            ReleaseError::NoWayBack(format!(
                "no release was active before {}; name one with --to",
                before.document.name()
            ))
        })?,
    };
    let was_active = standing.changes.iter().any(|c| c.release == release.digest);
    if release.digest != before.digest && !was_active {
        return Err(ReleaseError::NoWayBack(format!(
            "{} was never active here, so it cannot be rolled back to; promote it instead",
            release.document.name()
        )));
    }
    Ok((before, release))
}

/// Freezes or unfreezes promotions. Of two people who freeze at the same time, the second gets an error that
/// names the first. A freeze is recorded even if another process promotes in the meantime.
///
/// # Errors
/// If promotions are already in that state, or if another process was faster than an unfreeze.
pub fn hold(ledger: &dyn Write, stop: bool, stamp: &Stamp) -> Result<EntryNumber, ReleaseError> {
    match stop {
        true => whatever_happens(&mut || set_hold(ledger, stop, stamp)),
        false => set_hold(ledger, stop, stamp),
    }
}

fn set_hold(ledger: &dyn Write, stop: bool, stamp: &Stamp) -> Result<EntryNumber, ReleaseError> {
    anew(
        ledger,
        &mut |ledger, standing| match (&standing.hold, stop) {
            (Some(hold), true) => Err(ReleaseError::Hold(format!(
                "promotions are already frozen, since {} by {}: {}",
                hold.stamp.at,
                hold.stamp.actor,
                hold.stamp.reason.as_deref().unwrap_or_default()
            ))),
            (None, false) => Err(ReleaseError::Hold("promotions are not frozen".to_owned())),
            _ => {
                let payload = match stop {
                    true => Payload::Hold(NoPayload {}),
                    false => Payload::Unhold(NoPayload {}),
                };
                append(ledger, standing, stamp, &[payload])
            }
        },
    )
}

/// Checks that all files of a release are present and match their digests.
///
/// # Errors
/// [`ReleaseError::Missing`] names the first file that is missing or differs.
pub(super) fn whole(store: &ReleaseStore, release: &Known) -> Result<(), ReleaseError> {
    let problems = store.problems(&release.digest, &release.document);
    let problem = match (release.pruned, problems.first()) {
        (None, None) => return Ok(()),
        (None, Some(first)) => first.clone(),
        (Some(entry), Some(first)) => {
            format!("its files were pruned by entry {entry} ({first})")
        }
        // A prune removes files after its entry is recorded, so they may still be there.
        (Some(entry), None) => format!("its files are being pruned by entry {entry}"),
    };
    Err(ReleaseError::Missing {
        release: release.document.name(),
        problem,
    })
}

fn expect(standing: &ReleaseState, expected: &str) -> Result<(), ReleaseError> {
    let active = standing.active().map(|c| c.release);
    let wanted: Option<Digest> = match expected {
        "none" => None,
        asked => Some(standing.find(asked)?.digest),
    };
    if active == wanted {
        return Ok(());
    }
    Err(ReleaseError::Expected {
        expected: match expected {
            "none" => "no release".to_owned(),
            asked => asked.to_owned(),
        },
        found: standing.text(),
    })
}

fn change(release: &Known, before: Option<&Known>, from: Day) -> Rollback {
    Rollback {
        release: release.digest,
        number: release.document.number,
        previous: before.map(|b| b.digest),
        previous_number: before.map(|b| b.document.number),
        from,
        logics: release.document.active_logics(),
    }
}

#[cfg(test)]
mod tests;
