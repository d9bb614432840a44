//! Promotion, rollback, freeze and unfreeze: each is one entry, appended only while what it was
//! decided by still stands.

use crate::project::gate::Policy;
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::failpoint;
use provender_ledger::entries::{NoPayload, Promotion, Rollback};
use provender_ledger::entry::Stamp;
use provender_ledger::{Payload, Read, Write};

use super::ReleaseError;
use super::canary::{Canary, running};
use super::evidence::{Evidence, Reported};
use super::gate::require::objection;
use super::meanwhile::{anew, append, whatever_happens};
use super::standing::{Known, Standing, gate_of};
use super::store::ReleaseStore;

/// What `promote` is asked for.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What a person calls the release.
    pub release: &'a str,
    /// What must be active now: a release, or `none`.
    pub expect: Option<&'a str>,
    /// Why a gate's refusal is not heeded.
    pub overriding: Option<&'a str>,
    /// The environment.
    pub environment: &'a str,
    /// The gate's policy there, and its digest.
    pub policy: (&'a Policy, Digest),
    /// Today.
    pub today: Day,
    /// First calculation date it answers for.
    pub from: Day,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The release that is active now.
    pub release: Known,
    /// What was active before.
    pub before: Option<Known>,
    /// The entry; `None` when nothing changed.
    pub entry: Option<i64>,
    /// The canary of the release that a promotion ended.
    pub canary: Option<EndedCanary>,
}

impl Moved {
    /// Nothing changed.
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
    /// What it came to, recorded as evidence; or why it could not be looked at.
    pub found: Result<Reported, String>,
}

/// What a promotion looks at besides entries and files.
pub trait Look {
    /// Whether the release can run in this environment.
    ///
    /// # Errors
    /// When it cannot.
    fn runs_here(&mut self, release: &Known) -> Result<(), ReleaseError>;

    /// What the canary of the release came to so far.
    ///
    /// # Errors
    /// When it cannot be looked at.
    fn canary(
        &mut self,
        ledger: &dyn Read,
        standing: &Standing,
        release: &Digest,
    ) -> Result<Option<Reported>, ReleaseError>;
}

/// Makes a release active. Where a gate, an approval, a canary or a prune lands meanwhile, it is decided
/// anew by what they say. A canary of the release ends; what it came to is evidence.
///
/// # Errors
/// When promotions are frozen, something else is active than was expected, a gate refuses, the
/// release cannot run here, or another process was faster.
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
    standing: &Standing,
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
    let canary = running(standing)?
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
        entries.push(evidence.says(release.document.number, None)?);
    }
    entries.push(Payload::Promotion(Promotion {
        change: change(&release, before.as_ref(), request.from),
        gate: decision.map(|d| d.entry),
        overridden: request.overriding.map(str::to_owned),
        // What was overridden, for whoever reads the entry later.
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

/// Makes a former release active again: the one asked for, or the one before. Also while promotions
/// are frozen, without any new analysis. One that is asked for by name is gone back to whatever another
/// process promoted meanwhile.
///
/// # Errors
/// When there is nothing to go back to, its files are gone, or, where none was named, another process
/// was faster.
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

/// What is active, and what is to be gone back to.
fn way_back(standing: &Standing, to: Option<&str>) -> Result<(Known, Known), ReleaseError> {
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

/// Stops promotions, or lets them go on. Two people who stop them at once mean the same thing, and
/// the second is told of the first. A stop holds whatever another process promotes meanwhile.
///
/// # Errors
/// When it is so already; when they are to go on and another process was faster.
pub fn hold(ledger: &dyn Write, stop: bool, stamp: &Stamp) -> Result<i64, ReleaseError> {
    match stop {
        true => whatever_happens(&mut || set_hold(ledger, stop, stamp)),
        false => set_hold(ledger, stop, stamp),
    }
}

fn set_hold(ledger: &dyn Write, stop: bool, stamp: &Stamp) -> Result<i64, ReleaseError> {
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

/// The files of a release are all there and are what they must be.
///
/// # Errors
/// Names what is missing.
pub fn whole(store: &ReleaseStore, release: &Known) -> Result<(), ReleaseError> {
    let problems = store.problems(&release.digest, &release.document);
    let problem = match (release.pruned, problems.first()) {
        (None, None) => return Ok(()),
        (None, Some(first)) => first.clone(),
        (Some(entry), Some(first)) => {
            format!("its files were pruned by entry {entry} ({first})")
        }
        // Whoever prunes removes what is recorded already.
        (Some(entry), None) => format!("its files are being pruned by entry {entry}"),
    };
    Err(ReleaseError::Missing {
        release: release.document.name(),
        problem,
    })
}

fn expect(standing: &Standing, expected: &str) -> Result<(), ReleaseError> {
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
        found: standing.told(),
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
