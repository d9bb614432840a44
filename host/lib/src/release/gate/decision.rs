//! Makes a decision from checks and policy.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::project::gate::{Action, CheckName, Policy};
use provender_domain::canonical::{CanonicalError, Digest, to_text};
use provender_domain::forms::Form;
use provender_domain::render::text::count;
use provender_ledger::entries::{GateCheck, GateDecision, GateOutcome, ReportKind};

use super::super::evidence::EvidenceFinding;
use super::super::state::Known;
use super::check::{Check, CheckVerdict};

/// `$type` of the report.
pub(super) const FORM: &str = Form::Gate.name();

/// A check, and the action that the policy prescribes for its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "WeighedCheck")]
pub struct Weighed {
    /// The result of the check.
    #[serde(flatten)]
    pub check: Check,
    /// The action; null if the check passes.
    pub action: Option<Action>,
}

/// The decision of a gate, with everything that led to it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GateReport {
    /// The form of the report.
    #[serde(rename = "$type")]
    #[schemars(extend("const" = FORM))]
    form: &'static str,
    /// Digest of the release.
    pub release: Digest,
    /// Number of the release.
    pub number: u32,
    /// The environment whose policy applied.
    pub environment: String,
    /// The release that was active; null if none was. The decision is valid only while it still is.
    pub against: Option<Digest>,
    /// Number of that release; null if none was active.
    pub against_number: Option<u32>,
    /// When (RFC 3339, UTC).
    pub at: String,
    /// By whom.
    pub by: String,
    /// Whether the release may become active.
    pub passes: bool,
    /// The outcome that determines the exit code.
    pub outcome: GateOutcome,
    /// The reasons, in words.
    pub why: String,
    /// Digest of the policy.
    pub policy_digest: Digest,
    /// The policy that applied.
    pub policy: Policy,
    /// Every check that was made.
    pub checks: Vec<Weighed>,
}

/// What a decision is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The release to decide on.
    pub release: &'a Known,
    /// The release that is active, if any.
    pub against: Option<&'a Known>,
    /// The environment.
    pub environment: &'a str,
    /// The policy of the environment.
    pub policy: &'a Policy,
    /// The policy's digest.
    pub policy_digest: Digest,
    /// When (RFC 3339, UTC).
    pub at: &'a str,
    /// Who asked for the decision.
    pub by: &'a str,
}

impl GateReport {
    /// Decides by the policy.
    #[must_use]
    pub fn decide(about: &About<'_>, checks: Vec<Check>) -> GateReport {
        let act = |check: Check| Weighed {
            action: action(about.policy, check.verdict),
            check,
        };
        let checks: Vec<Weighed> = checks.into_iter().map(act).collect();
        let outcome = checks
            .iter()
            .map(outcome)
            .max()
            .unwrap_or(GateOutcome::Blocked);
        GateReport {
            form: FORM,
            release: about.release.digest,
            number: about.release.document.number,
            environment: about.environment.to_owned(),
            against: about.against.map(|k| k.digest),
            against_number: about.against.map(|k| k.document.number),
            at: about.at.to_owned(),
            by: about.by.to_owned(),
            passes: outcome < GateOutcome::Blocked,
            outcome,
            why: why(&checks, outcome),
            policy_digest: about.policy_digest,
            policy: about.policy.clone(),
            checks,
        }
    }

    /// `R3`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("R{}", self.number)
    }

    /// One line: which gate lets in or refuses which release.
    #[must_use]
    pub fn title(&self) -> String {
        let does = if self.passes { "lets in" } else { "refuses" };
        format!("the gate of {} {does} {}", self.environment, self.name())
    }

    /// The reasons without the observations, for a page that shows those anyway: the names of the blocking
    /// checks or, if none blocks, the full text.
    #[must_use]
    pub fn short(&self) -> String {
        let blocking: Vec<String> = self
            .checks
            .iter()
            .filter(|r| r.action == Some(Action::Block))
            .map(|r| format!("{} is {}", r.check.name.name(), r.check.verdict.name()))
            .collect();
        match blocking.is_empty() {
            true => self.why.clone(),
            false => blocking.join(", "),
        }
    }

    /// As JSON.
    #[must_use]
    pub(crate) fn to_json(&self) -> Json {
        // Cannot fail: its parts are numbers, texts and lists of them.
        json!(self)
    }

    /// The report as it is recorded: its digest and canonical JSON.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub fn body(&self) -> Result<(Digest, String), CanonicalError> {
        let body = to_text(&self.to_json())?;
        Ok((Digest::of_canonical(body.as_bytes()), body))
    }

    /// The payload of the decision's entry.
    #[must_use]
    pub(crate) fn payload(&self, report: Digest) -> GateDecision {
        let checks = self.checks.iter().map(|r| GateCheck {
            name: r.check.name.name().to_owned(),
            verdict: r.check.verdict,
            action: r.action,
            observed: r.check.observed.clone(),
            threshold: r.check.threshold.clone(),
            rows: r.check.rows,
        });
        GateDecision {
            release: self.release,
            number: self.number,
            environment: self.environment.clone(),
            against: self.against,
            passes: self.passes,
            outcome: self.outcome,
            why: self.why.clone(),
            policy: self.policy_digest,
            max_age_days: self.policy.max_age_days,
            checks: checks.collect(),
            report,
        }
    }

    /// The decision as evidence that travels with the release.
    #[must_use]
    pub(crate) fn finding(&self, report: Digest) -> EvidenceFinding {
        let verdict = match self.outcome {
            GateOutcome::Clean => CheckVerdict::Ok,
            GateOutcome::Warn | GateOutcome::Crit => CheckVerdict::Warn,
            GateOutcome::Blocked => CheckVerdict::Crit,
        };
        EvidenceFinding {
            kind: ReportKind::Gate,
            verdict,
            rows: self.checks.len() as u64,
            report: Some(report),
            summary: format!("{}: {}", self.title(), self.why),
        }
    }
}

/// The action for a verdict. An unknown verdict always blocks.
fn action(policy: &Policy, verdict: CheckVerdict) -> Option<Action> {
    match verdict {
        CheckVerdict::Ok => None,
        CheckVerdict::Warn => Some(policy.on_warn),
        CheckVerdict::Crit => Some(policy.on_crit),
        CheckVerdict::Unknown => Some(Action::Block),
    }
}

fn outcome(result: &Weighed) -> GateOutcome {
    match (result.action, result.check.verdict) {
        (Some(Action::Block), _) => GateOutcome::Blocked,
        (Some(Action::Alert), CheckVerdict::Warn) => GateOutcome::Warn,
        (Some(Action::Alert), _) => GateOutcome::Crit,
        (Some(Action::Ignore) | None, _) => GateOutcome::Clean,
    }
}

fn why(checks: &[Weighed], outcome: GateOutcome) -> String {
    let named = |wanted: Action| -> Vec<String> {
        checks
            .iter()
            .filter(|r| r.action == Some(wanted))
            .map(|r| {
                let c = &r.check;
                format!(
                    "{} is {} ({})",
                    CheckName::name(c.name),
                    c.verdict.name(),
                    c.observed
                )
            })
            .collect()
    };
    let n = checks.len() as u64;
    match outcome {
        GateOutcome::Blocked if checks.is_empty() => "no check was made".to_owned(),
        GateOutcome::Blocked => named(Action::Block).join("; "),
        GateOutcome::Warn | GateOutcome::Crit => {
            format!(
                "{} made; alert: {}",
                count(n, "check"),
                named(Action::Alert).join("; ")
            )
        }
        GateOutcome::Clean => match named(Action::Ignore) {
            ignored if ignored.is_empty() => match n {
                1 => "its one check holds".to_owned(),
                _ => format!("all {n} checks hold"),
            },
            ignored => format!(
                "{} made; ignored: {}",
                count(n, "check"),
                ignored.join("; ")
            ),
        },
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::super::document::tests::release;
    use super::super::super::evidence::Evidence;
    use super::super::super::state::Note;
    use super::*;
    use crate::project::gate::GateSettings;
    use provender_ledger::entry::{EntryNumber, Stamp};

    /// A release that the environment knows.
    pub(crate) fn known(number: u32) -> Known {
        let document = release(number, b"a", &format!("r{number}"));
        Known {
            digest: document.digest().unwrap(),
            document,
            entry: EntryNumber::new(1),
            stamp: Stamp {
                at: "2025-07-01T06:00:00.000000Z".into(),
                actor: "ds".into(),
                reason: None,
            },
            imported: false,
            pruned: None,
        }
    }

    /// Evidence about a release as a note: its kind, verdict, rows and environment.
    pub(crate) fn found(
        release: &Known,
        entry: i64,
        (kind, verdict, rows): (ReportKind, CheckVerdict, u64),
        environment: &str,
    ) -> Note {
        let finding = EvidenceFinding {
            kind,
            verdict,
            rows,
            report: None,
            summary: format!("{kind} is {verdict}"),
        };
        let evidence = Evidence::new(release.digest, finding, environment, &release.stamp);
        Note {
            entry: EntryNumber::new(entry),
            stamp: release.stamp.clone(),
            release: release.digest,
            payload: evidence.payload(release.document.number, None).unwrap(),
        }
    }

    /// A report with checks of these verdicts under a policy.
    pub(crate) fn report(
        environment: &str,
        set: &GateSettings,
        verdicts: &[CheckVerdict],
    ) -> GateReport {
        let policy = Policy::of(environment, Some(set));
        let release = known(2);
        let about = About {
            release: &release,
            against: None,
            environment,
            policy: &policy,
            policy_digest: policy.digest(environment, &Json::Null).unwrap(),
            at: "2025-07-01T06:00:00.000000Z",
            by: "ops",
        };
        let names = CheckName::ALL.into_iter().zip(verdicts);
        let checks = names
            .map(|(name, v)| {
                Check::new(name, *v, 3, format!("seen <{}>", v.name()))
                    .asks("what is asked | for")
                    .remedy("provender do something")
            })
            .collect();
        GateReport::decide(&about, checks)
    }

    #[test]
    fn the_policy_decides_on_warn_and_crit_and_unknown_always_blocks() {
        use CheckVerdict::{Crit, Ok, Unknown, Warn};
        use GateOutcome::{Blocked, Clean, Crit as AlertCrit, Warn as AlertWarn};
        let none = GateSettings::default();
        let alert = GateSettings {
            on_warn: Some(Action::Ignore),
            on_crit: Some(Action::Alert),
            ..GateSettings::default()
        };
        for (environment, set, verdicts, expected) in [
            ("staging", &none, &[Ok, Ok][..], Clean),
            ("staging", &none, &[Ok, Warn], Blocked),
            ("prod", &none, &[Ok, Warn], AlertWarn),
            ("prod", &none, &[Warn, Crit], Blocked),
            ("prod", &none, &[Ok, Unknown], Blocked),
            ("prod", &alert, &[Ok, Warn], Clean),
            ("prod", &alert, &[Warn, Crit], AlertCrit),
            ("prod", &alert, &[Ok, Unknown], Blocked),
            ("sample", &none, &[Ok, Warn], AlertWarn),
            // A gate without checks lets nothing in.
            ("prod", &none, &[], Blocked),
        ] {
            let report = report(environment, set, verdicts);
            assert_eq!(report.outcome, expected, "{environment} {verdicts:?}");
            assert_eq!(report.passes, expected != Blocked);
        }
    }

    #[test]
    fn the_entry_names_every_check_and_the_report() {
        let report = report(
            "prod",
            &GateSettings::default(),
            &[CheckVerdict::Ok, CheckVerdict::Unknown],
        );
        let (digest, body) = report.body().unwrap();
        assert_eq!(report.short(), "goldens is unknown");
        let payload = report.payload(digest);
        assert!(!payload.passes);
        assert_eq!(payload.number, 2);
        assert_eq!(payload.why, "goldens is unknown (seen <unknown>)");
        assert_eq!(payload.outcome, report.outcome);
        assert_eq!(payload.checks[1].action, Some(Action::Block));
        assert_eq!(payload.checks[1].name, "goldens");
        assert_eq!(payload.report, digest);
        assert!(body.contains("provender.gate.v1"));
        assert_eq!(report.finding(digest).verdict, CheckVerdict::Crit);
    }
}
