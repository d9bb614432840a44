//! What a promotion requires of the ledger: a recent decision that lets the release in, made under the policy
//! in force and beside the release that is still active.

use crate::project::gate::Policy;
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::render::text::count;

use super::super::state::{Decision, Known, ReleaseState, gate_of};
use super::age::{days_since, is_older};

/// The reason why a promotion is refused; `None` if nothing is in the way.
///
/// Even if the policy of the environment requires no decision, a refusal counts.
#[must_use]
pub(crate) fn objection(
    standing: &ReleaseState,
    release: &Known,
    environment: &str,
    (policy, digest): (&Policy, Digest),
    today: Day,
) -> Option<String> {
    let decision = gate_of(standing, &release.digest, environment);
    let Some(decision) = decision else {
        return policy.required.then(|| {
            format!("the policy of {environment} asks for a gate's decision, and there is none")
        });
    };
    if !decision.passes {
        return Some(decision.why);
    }
    policy
        .required
        .then(|| outdated(standing, &decision, policy, digest, today))
        .flatten()
}

/// Why a decision that let the release in is no longer valid.
fn outdated(
    standing: &ReleaseState,
    decision: &Decision,
    policy: &Policy,
    digest: Digest,
    today: Day,
) -> Option<String> {
    let entry = decision.entry;
    if decision.policy != digest {
        return Some(format!(
            "the decision of entry {entry} was made under another policy than the one in force"
        ));
    }
    let active = standing.active().map(|c| c.release);
    if decision.against != active {
        return Some(format!(
            "the decision of entry {entry} was made beside another release than the one that is active now"
        ));
    }
    is_older(days_since(&decision.at, today), policy.max_age_days).then(|| {
        format!(
            "the decision of entry {entry} is of {}, and the policy relies on none older than {}",
            decision.at.get(..10).unwrap_or(&decision.at),
            count(u64::from(policy.max_age_days), "day")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::decision::tests::known;
    use super::*;
    use crate::project::gate::GateSettings;
    use crate::release::state::Note;
    use provender_ledger::Payload;
    use provender_ledger::entries::{GateDecision, GateOutcome};
    use provender_ledger::entry::{EntryNumber, Stamp};
    use serde_json::Value as Json;

    fn standing(decision: Option<GateDecision>) -> ReleaseState {
        let mut standing = ReleaseState::default();
        if let Some(decision) = decision {
            standing.notes.push(Note {
                entry: EntryNumber::new(9),
                stamp: Stamp {
                    at: "2025-07-01T06:00:00.000000Z".into(),
                    actor: "ops".into(),
                    reason: None,
                },
                release: decision.release,
                payload: Payload::GateDecision(decision),
            });
        }
        standing
    }

    fn decision(passes: bool, why: &str, policy: Digest) -> GateDecision {
        GateDecision {
            release: known(2).digest,
            number: 2,
            environment: "prod".into(),
            against: None,
            passes,
            outcome: GateOutcome::Clean,
            why: why.into(),
            policy,
            max_age_days: 7,
            checks: Vec::new(),
            report: Digest::of_bytes(b"r"),
        }
    }

    #[test]
    fn a_decision_is_good_while_policy_active_release_and_date_are_its_own() {
        let policy = Policy::of("prod", None);
        let digest = policy.digest("prod", &Json::Null).unwrap();
        let other = Digest::of_bytes(b"x");
        let good = decision(true, "", digest);
        let beside = GateDecision {
            against: Some(other),
            ..good.clone()
        };
        for (payload, day, part) in [
            (None, "2025-07-01", Some("there is none")),
            (Some(good.clone()), "2025-07-08", None),
            (
                Some(good.clone()),
                "2025-07-09",
                Some("none older than 7 days"),
            ),
            (Some(decision(false, "", digest)), "2025-07-01", Some("")),
            (
                Some(decision(true, "", other)),
                "2025-07-01",
                Some("another policy"),
            ),
            (Some(beside), "2025-07-01", Some("another release")),
        ] {
            let today = day.parse().unwrap();
            let standing = standing(payload);
            let found = objection(&standing, &known(2), "prod", (&policy, digest), today);
            match part {
                None => assert_eq!(found, None),
                Some(part) => assert!(found.as_ref().unwrap().contains(part), "{found:?}"),
            }
        }
    }

    #[test]
    fn a_refusal_counts_even_if_no_gate_is_required() {
        let set = GateSettings {
            required: Some(false),
            ..GateSettings::default()
        };
        let policy = Policy::of("prod", Some(&set));
        let digest = policy.digest("prod", &Json::Null).unwrap();
        let today = "2026-07-01".parse().unwrap();
        let of = |payload| {
            objection(
                &standing(payload),
                &known(2),
                "prod",
                (&policy, digest),
                today,
            )
        };
        assert_eq!(of(None), None);
        assert_eq!(of(Some(decision(true, "", digest))), None);
        let refused = of(Some(decision(false, "goldens is crit", digest)));
        assert_eq!(refused.as_deref(), Some("goldens is crit"));
    }
}
