//! Checks `ownership`, `approvals` and `passed`: who approved the release, and which gates let it in.

use provender_ledger::EntryNumber;
use std::collections::BTreeSet;

use crate::project::gate::{ApprovalSettings, CheckName, OwnershipSettings, PassedSettings, Role};
use provender_domain::render::text::count;
use provender_ledger::entries::ReportKind;
use provender_ledger::entry::Kind;

use super::super::evidence::Evidence;
use super::super::state::{Known, Note, ReleaseState};
use super::check::{Check, CheckVerdict};

fn approvals<'a>(standing: &'a ReleaseState, release: &'a Known) -> Vec<&'a Note> {
    standing.notes_of(Kind::Approval, &release.digest).collect()
}

fn links(check: &mut Check, notes: &[&Note]) {
    for note in notes {
        check.evidence.push(format!("entry {}", note.entry));
        let who = &note.stamp.actor;
        check
            .relied
            .push((format!("the approval by {who}"), note.stamp.at.clone()));
    }
}

/// The role in which a person approved.
fn role_of(note: &Note) -> Option<Role> {
    note.approval().map(|a| a.role)
}

/// Every required role approved here and, if the policy asks for it, not only the person who cut the release.
#[must_use]
pub(super) fn ownership(
    standing: &ReleaseState,
    release: &Known,
    asked: &OwnershipSettings,
) -> Check {
    let role = |n: &&&Note| role_of(n).is_some_and(|role| asked.roles.contains(&role));
    let all = approvals(standing, release);
    let given: Vec<&Note> = all.iter().filter(role).copied().collect();
    let lacking: Vec<&str> = asked
        .roles
        .iter()
        .filter(|r| given.iter().all(|n| role_of(n) != Some(**r)))
        .map(|r| r.name())
        .collect();
    let cutter = &release.document.cut.by;
    let alone = asked.independent && given.iter().all(|n| n.stamp.actor == *cutter);
    let sentences: Vec<String> = given
        .iter()
        .filter_map(|n| Some(format!("{} as {}", n.stamp.actor, role_of(n)?)))
        .collect();
    let approved = match sentences.is_empty() {
        true => "nobody has approved".to_owned(),
        false => format!("approved by {}", sentences.join(", ")),
    };
    let (verdict, observed) = match (lacking.is_empty(), alone) {
        (true, false) => (CheckVerdict::Ok, approved),
        (true, true) => (
            CheckVerdict::Crit,
            format!("{approved}, who cut it; nobody else has"),
        ),
        (false, _) => {
            let observed = format!("{approved}; not yet as {}", lacking.join(" and "));
            (CheckVerdict::Unknown, observed)
        }
    };
    let roles: Vec<&str> = asked.roles.iter().map(|r| r.name()).collect();
    let mut threshold = format!("approved as {}", roles.join(" and as "));
    if asked.independent {
        threshold.push_str(&format!(", not by {cutter} alone, who cut it"));
    }
    let mut check =
        Check::new(CheckName::Ownership, verdict, given.len() as u64, observed).asks(threshold);
    links(&mut check, &given);
    let name = release.document.name();
    for role in &lacking {
        check = check.remedy(format!(
            "provender release approve {name} --as {role} --reason TEXT"
        ));
    }
    if lacking.is_empty() {
        check = check.remedy(format!(
            "somebody else than {cutter}: provender release approve {name} --as {} --reason TEXT",
            roles.first().unwrap_or(&"ds")
        ));
    }
    check
}

/// Enough different people approved here.
#[must_use]
pub(super) fn people(standing: &ReleaseState, release: &Known, asked: &ApprovalSettings) -> Check {
    let given = approvals(standing, release);
    let names: BTreeSet<&str> = given.iter().map(|n| n.stamp.actor.as_str()).collect();
    let n = names.len() as u64;
    let wanted = u64::from(asked.people);
    let verdict = if n >= wanted {
        CheckVerdict::Ok
    } else {
        CheckVerdict::Unknown
    };
    let observed = match names.is_empty() {
        true => "nobody has approved".to_owned(),
        false => format!(
            "approved by {}",
            names.into_iter().collect::<Vec<_>>().join(", ")
        ),
    };
    let people = if wanted == 1 { "person" } else { "people" };
    let mut check = Check::new(CheckName::Approvals, verdict, n, observed)
        .asks(format!("approved by {wanted} {people}"))
        .remedy(format!(
            "{} more: provender release approve {} --as ds|mlops --reason TEXT",
            wanted.saturating_sub(n),
            release.document.name()
        ));
    links(&mut check, &given);
    check
}

/// The gates of other environments let the release in, according to the evidence that came with it.
#[must_use]
pub(super) fn passed(standing: &ReleaseState, release: &Known, asked: &PassedSettings) -> Check {
    let found: Vec<(EntryNumber, Evidence)> = standing
        .notes_of(Kind::Evidence, &release.digest)
        .filter_map(|n| Some((n.entry, n.evidence()?)))
        .filter(|(_, e)| e.kind == ReportKind::Gate)
        .collect();
    let mut check = Check::new(CheckName::Passed, CheckVerdict::Ok, 0, String::new());
    let name = release.document.name();
    let mut sentences = Vec::new();
    for environment in &asked.environments {
        let newest = found.iter().rfind(|(_, e)| e.environment == *environment);
        let Some((entry, evidence)) = newest else {
            check.verdict = check.verdict.max(CheckVerdict::Unknown);
            sentences.push(format!("no decision of the gate of {environment}"));
            check.remedy.push(format!("in {environment}: provender release gate {name} && provender release export {name} FILE; then import FILE here"));
            continue;
        };
        check.rows += 1;
        check.evidence.push(format!("entry {entry}"));
        let what = format!("the decision of the gate of {environment}");
        check.relied.push((what, evidence.at.clone()));
        sentences.push(format!("{environment}: {}", evidence.summary));
        match evidence.verdict {
            CheckVerdict::Ok | CheckVerdict::Warn => {}
            CheckVerdict::Crit | CheckVerdict::Unknown => {
                check.verdict = check.verdict.max(CheckVerdict::Crit);
                check.remedy.push(format!(
                    "put right what the gate of {environment} names: provender release show {name}"
                ));
            }
        }
    }
    check.observed = sentences.join("; ");
    check.asks(format!(
        "let in by the gate of {}: {}",
        asked.environments.join(" and of "),
        count(asked.environments.len() as u64, "decision")
    ))
}

#[cfg(test)]
mod tests;
