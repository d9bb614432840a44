//! Starts and stops canaries. Each action is one entry, appended only if what it was decided on has not
//! changed.

use provender_domain::day::Day;
use provender_domain::failpoint;
use provender_ledger::EntryNumber;
use provender_ledger::entries::{CanaryStart, CanaryStop};
use provender_ledger::entry::{Kind, Stamp};
use provender_ledger::retry::unless_moved;
use provender_ledger::{Payload, Write};

use super::super::ReleaseError;
use super::super::evidence::{Evidence, Reported};
use super::super::promote::whole;
use super::super::state::{DECIDING, KNOWING, Known, ReleaseState};
use super::super::store::ReleaseStore;
use super::state::{Canary, running};

/// The kinds of entry that decide whether a canary runs.
pub(crate) const CANARY: [Kind; 2] = [Kind::CanaryStart, Kind::CanaryStop];

/// What the user asked for.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The release, as typed.
    pub release: &'a str,
    /// Days of the back-fill. `None` means the default or, for a running canary, the value it was started with.
    pub window_days: Option<u32>,
    /// Share of the boundaries in percent. `None` means 100 or, for a running canary, the value it was started
    /// with.
    pub share: Option<u32>,
    /// Days of the back-fill if `window_days` is `None`.
    pub default_days: u32,
    /// Last day of the back-fill.
    pub as_of: Day,
}

/// A running canary.
#[derive(Clone, Debug)]
pub struct Started {
    /// The canary.
    pub canary: Canary,
    /// The candidate.
    pub release: Known,
    /// The release that it is compared with.
    pub against: Known,
    /// False if it was already running.
    pub new: bool,
}

/// Starts the canary of a release. If it is already running, the same command continues an interrupted
/// back-fill. `runs_here` checks that both releases can run in this environment.
///
/// # Errors
/// If the release is unknown, is active or cannot run here; if no release is active; if another canary is
/// running; or if another process was faster.
pub fn start(
    ledger: &dyn Write,
    store: &ReleaseStore,
    request: &Request<'_>,
    stamp: &Stamp,
    runs_here: &mut dyn FnMut(&Known, &Known) -> Result<(), ReleaseError>,
) -> Result<Started, ReleaseError> {
    let standing = ReleaseState::read(ledger, EntryNumber::LATEST)?;
    let release = standing.find(request.release)?.clone();
    let name = release.document.name();
    let Some(against) = standing.active_release().cloned() else {
        return Err(ReleaseError::Canary {
            what: format!("{name} cannot run as a canary: no release is active to compare it with"),
            next: "make the first release active with `provender release promote`; a canary is for later ones",
        });
    };
    if against.digest == release.digest {
        return Err(ReleaseError::Canary {
            what: format!("{name} is the active release, so there is nothing to compare it with"),
            next: "`provender release list` shows the candidates",
        });
    }
    whole(store, &release)?;
    if let Some(canary) = running(&standing) {
        same(&canary, &release, request)?;
        runs_here(&release, &against)?;
        return Ok(Started {
            canary,
            release,
            against,
            new: false,
        });
    }
    runs_here(&release, &against)?;
    let days = request.window_days.unwrap_or(request.default_days).max(1);
    let from = i32::try_from(days - 1)
        .ok()
        .and_then(|n| request.as_of.plus(-n))
        .ok_or_else(|| ReleaseError::Canary {
            what: format!(
                "a window of {days} days up to {} begins before the first date that can be written",
                request.as_of
            ),
            next: "ask for fewer days with --window-days",
        })?;
    let payload = Payload::CanaryStart(CanaryStart {
        release: release.digest,
        number: release.document.number,
        against: against.digest,
        against_number: against.document.number,
        share: request.share.unwrap_or(100),
        from,
        as_of: request.as_of,
    });
    failpoint::hit("canary.before-ledger");
    append(ledger, &standing, vec![payload], stamp)?;
    failpoint::hit("canary.after-ledger");
    let now = ReleaseState::read(ledger, EntryNumber::LATEST)?;
    let canary = running(&now).filter(|c| c.release == release.digest);
    Ok(Started {
        canary: canary.ok_or_else(|| overtaken(&now))?,
        release,
        against,
        new: true,
    })
}

/// Checks that the running canary is the one asked for.
fn same(canary: &Canary, release: &Known, request: &Request<'_>) -> Result<(), ReleaseError> {
    let started = format!(
        "the canary of R{} has been running since {}, started by {}",
        canary.number, canary.stamp.at, canary.stamp.actor
    );
    let next = "stop it first: `provender release canary stop --reason …`";
    if canary.release != release.digest {
        return Err(ReleaseError::Canary {
            what: format!("{started}; only one can run at a time"),
            next,
        });
    }
    let (share, days) = (canary.share, canary.window_days());
    let differs = request.share.is_some_and(|s| s != share)
        || request
            .window_days
            .is_some_and(|d| i64::from(d) != i64::from(days));
    if differs {
        return Err(ReleaseError::Canary {
            what: format!(
                "{started}, with a share of {share} % and {days} days, which cannot change while it runs"
            ),
            next,
        });
    }
    Ok(())
}

/// Stops the running canary. `found` is its result, recorded as evidence that travels with the release.
///
/// # Errors
/// If no canary is running, or if another process was faster.
pub fn stop(
    ledger: &dyn Write,
    found: Option<&Reported>,
    environment: &str,
    stamp: &Stamp,
) -> Result<(Canary, EntryNumber), ReleaseError> {
    let standing = ReleaseState::read(ledger, EntryNumber::LATEST)?;
    let Some(canary) = running(&standing) else {
        return Err(ReleaseError::Canary {
            what: "no canary is running".to_owned(),
            next: "`provender release canary R3` starts one",
        });
    };
    let payload = Payload::CanaryStop(CanaryStop {
        release: canary.release,
        number: canary.number,
        canary: canary.entry,
    });
    let mut entries = vec![payload];
    if let Some(found) = found {
        found.record(ledger, stamp)?;
        let finding = found.finding().clone();
        let evidence = Evidence::new(canary.release, finding, environment, stamp);
        entries.push(evidence.payload(canary.number, None)?);
    }
    failpoint::hit("canary-stop.before-ledger");
    let entry = append(ledger, &standing, entries, stamp)?;
    failpoint::hit("canary-stop.after-ledger");
    Ok((canary, entry))
}

/// The newest entry that decides whether a canary runs.
#[must_use]
pub(crate) fn last(standing: &ReleaseState) -> EntryNumber {
    let of_canaries = standing
        .notes
        .iter()
        .filter(|n| CANARY.contains(&n.payload.kind()));
    of_canaries
        .map(|n| n.entry)
        .max()
        .unwrap_or(EntryNumber::NONE)
}

fn append(
    ledger: &dyn Write,
    standing: &ReleaseState,
    entries: Vec<Payload>,
    stamp: &Stamp,
) -> Result<EntryNumber, ReleaseError> {
    let watched: Vec<Kind> = [&CANARY[..], &DECIDING[..], &KNOWING[..]].concat();
    let newest = last(standing).max(standing.decided).max(standing.knew);
    match unless_moved(ledger.append_expecting(stamp, &entries, &watched, newest))? {
        Some(entries) => Ok(entries.first().map_or(EntryNumber::NONE, |e| e.seq)),
        None => Err(overtaken(&ReleaseState::read(ledger, EntryNumber::LATEST)?)),
    }
}

fn overtaken(now: &ReleaseState) -> ReleaseError {
    let canary = match running(now) {
        Some(c) => format!(
            "the canary of R{} is running, started by {} at {}",
            c.number, c.stamp.actor, c.stamp.at
        ),
        None => "no canary is running".to_owned(),
    };
    ReleaseError::Canary {
        what: format!(
            "another process was faster: {canary}; {}; nothing was done",
            now.text()
        ),
        next: "look at `provender release status`, then decide again",
    }
}
