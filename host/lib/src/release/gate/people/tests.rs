use super::super::decision::tests::{found, known};
use super::*;
use crate::project::gate::Policy;
use provender_ledger::Payload;
use provender_ledger::entries::Approval;
use provender_ledger::entry::{EntryNumber, Stamp};

/// A state in which these people approved in this order. The release was cut by `ds`, see `release` in the
/// tests.
fn approved(by: &[(&str, Role)]) -> ReleaseState {
    let notes = by.iter().zip(5..).map(|((who, role), entry)| Note {
        entry: EntryNumber::new(entry),
        stamp: Stamp {
            at: "2025-07-01T06:00:00.000000Z".into(),
            actor: (*who).into(),
            reason: None,
        },
        release: known(2).digest,
        payload: Payload::Approval(Approval {
            release: known(2).digest,
            number: 2,
            role: *role,
            environment: "prod".into(),
        }),
    });
    ReleaseState {
        notes: notes.collect(),
        ..ReleaseState::default()
    }
}

#[test]
fn ownership_requires_each_role_and_somebody_who_did_not_cut_the_release() {
    let release = known(2);
    let cutter = release.document.cut.by.clone();
    let asked = Policy::of("prod", None).ownership;
    for (by, expected) in [
        (&[][..], CheckVerdict::Unknown),
        (&[("dora", Role::Ds)], CheckVerdict::Unknown),
        (
            &[("dora", Role::Ds), ("omar", Role::Mlops)],
            CheckVerdict::Ok,
        ),
        (
            &[(cutter.as_str(), Role::Ds), ("omar", Role::Mlops)],
            CheckVerdict::Ok,
        ),
        (
            &[(cutter.as_str(), Role::Ds), (cutter.as_str(), Role::Mlops)],
            CheckVerdict::Crit,
        ),
    ] {
        let check = ownership(&approved(by), &release, &asked);
        assert_eq!(check.verdict, expected, "{by:?}");
        assert_eq!(check.rows, by.len() as u64);
        assert_eq!(check.evidence.len(), by.len());
        assert_eq!(
            check.remedy.is_empty(),
            expected == CheckVerdict::Ok,
            "{by:?}"
        );
    }
    // An approval of another release does not count for this one.
    let by = [("dora", Role::Ds), ("omar", Role::Mlops)];
    let other = ownership(&approved(&by), &known(3), &asked);
    assert_eq!(other.verdict, CheckVerdict::Unknown);
    let mut alone = asked;
    alone.independent = false;
    let by = [(cutter.as_str(), Role::Ds), (cutter.as_str(), Role::Mlops)];
    assert_eq!(
        ownership(&approved(&by), &release, &alone).verdict,
        CheckVerdict::Ok
    );
}

#[test]
fn approvals_count_people_not_how_often_they_approve() {
    let asked = Policy::of("prod", None).approvals;
    assert_eq!(asked.people, 2);
    for (by, n, expected) in [
        (&[][..], 0, CheckVerdict::Unknown),
        (
            &[("dora", Role::Ds), ("dora", Role::Mlops)],
            1,
            CheckVerdict::Unknown,
        ),
        (
            &[("dora", Role::Ds), ("omar", Role::Ds)],
            2,
            CheckVerdict::Ok,
        ),
    ] {
        let check = people(&approved(by), &known(2), &asked);
        assert_eq!((check.verdict, check.rows), (expected, n), "{by:?}");
    }
}

#[test]
fn passed_goes_by_the_newest_decision_of_each_environment() {
    let release = known(2);
    let asked = PassedSettings {
        environments: vec!["dev".into(), "staging".into()],
    };
    for (decisions, expected) in [
        (&[][..], CheckVerdict::Unknown),
        // One of two required decisions is not enough.
        (&[(CheckVerdict::Ok, "staging")], CheckVerdict::Unknown),
        (
            &[(CheckVerdict::Ok, "staging"), (CheckVerdict::Warn, "dev")],
            CheckVerdict::Ok,
        ),
        (
            &[
                (CheckVerdict::Ok, "staging"),
                (CheckVerdict::Ok, "dev"),
                (CheckVerdict::Crit, "dev"),
            ],
            CheckVerdict::Crit,
        ),
        (
            &[
                (CheckVerdict::Crit, "staging"),
                (CheckVerdict::Ok, "dev"),
                (CheckVerdict::Ok, "staging"),
            ],
            CheckVerdict::Ok,
        ),
        (
            &[
                (CheckVerdict::Unknown, "staging"),
                (CheckVerdict::Ok, "dev"),
            ],
            CheckVerdict::Crit,
        ),
    ] {
        let notes = decisions
            .iter()
            .zip(5..)
            .map(|((verdict, environment), entry)| {
                found(
                    &release,
                    entry,
                    (ReportKind::Gate, *verdict, 8),
                    environment,
                )
            });
        // Evidence of another kind is not a decision.
        let other = found(
            &release,
            4,
            (ReportKind::Backtest, CheckVerdict::Ok, 8),
            "dev",
        );
        let standing = ReleaseState {
            notes: std::iter::once(other).chain(notes).collect(),
            ..ReleaseState::default()
        };
        let check = passed(&standing, &release, &asked);
        assert_eq!(check.verdict, expected, "{decisions:?}");
        assert_eq!(
            check.remedy.is_empty(),
            expected == CheckVerdict::Ok,
            "{decisions:?}"
        );
    }
}
