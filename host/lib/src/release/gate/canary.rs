//! Check `canary`: the result of the newest canary of the release.

use crate::monitor::report::Status;
use crate::project::gate::{CanaryGate, CheckName};
use provender_domain::render::text::count;
use provender_ledger::entries::ReportKind;

use super::super::ReleaseError;
use super::super::canary::{self, Observed};
use super::check::{Check, CheckVerdict, Figure};
use super::scene::GateContext;

/// Judges the newest canary. Without one the verdict is unknown.
///
/// # Errors
/// If the ledger, a manifest or a component cannot be read.
pub(super) fn check(scene: &GateContext<'_, '_>) -> Result<Check, ReleaseError> {
    let of = canary::CanaryContext {
        ledger: scene.ledger,
        manifests: scene.manifests,
        sandbox: scene.sandbox,
        store: scene.store,
        standing: scene.standing,
        policy: scene.canary,
    };
    let found = canary::observed(of, &scene.release.digest, None)?;
    let active = scene.standing.active_release();
    let asked = &scene.policy.canary;
    let check = match &found {
        None => missing(&scene.name(), active.map(|k| k.digest == scene.release.digest)),
        Some(observed) => judged(observed, asked, active.map(|k| k.digest.to_string()))
            .remedy(start(&scene.name()))
            .remedy("where the change is meant: the thresholds of [canary] in provender.toml, or --override at the promotion"),
    };
    let check = check.asks(format!(
        "a canary beside the active release within the thresholds of [canary], over at least {}",
        count(u64::from(asked.min_days), "day")
    ));
    Ok(match &found {
        None => check,
        Some(observed) => check.found(ReportKind::Canary, Some(observed.body()?)),
    })
}

fn start(release: &str) -> String {
    format!(
        "provender release canary {release} --window-days 14 --reason TEXT, then ask the gate again"
    )
}

/// The check if no canary ran. `itself` says whether the release is the active one; `None` if no release is
/// active.
fn missing(release: &str, itself: Option<bool>) -> Check {
    let (observed, remedy) = match itself {
        None => (
            "no release is active, so that there is nothing to run beside",
            format!(
                "the first release of an environment: provender release promote {release} --reason TEXT --override \"the first release\""
            ),
        ),
        Some(true) => (
            "no canary, and it is active itself",
            "nothing: there is nothing to let in".to_owned(),
        ),
        Some(false) => ("no canary", start(release)),
    };
    Check::new(CheckName::Canary, CheckVerdict::Unknown, 0, observed).remedy(remedy)
}

fn verdict_of(status: Status) -> CheckVerdict {
    match status {
        Status::Ok | Status::Info | Status::NotApplicable => CheckVerdict::Ok,
        Status::Unknown => CheckVerdict::Unknown,
        Status::Warn => CheckVerdict::Warn,
        Status::Crit => CheckVerdict::Crit,
    }
}

fn judged(observed: &Observed, asked: &CanaryGate, active: Option<String>) -> Check {
    let figures: Vec<Figure> = observed
        .figures
        .iter()
        .map(|f| Figure {
            logic: f.logic.clone(),
            subject: f.subject.clone(),
            name: f.name.to_owned(),
            value: f.value,
            warn: f.warn,
            crit: f.crit,
            rows: f.rows as u64,
            verdict: verdict_of(f.status),
        })
        .collect();
    // An unknown figure keeps the check from passing, whatever the other figures are.
    let worst = figures.iter().map(|f| f.verdict).max();
    let mut verdict = verdict_of(observed.status).max(worst.unwrap_or(CheckVerdict::Ok));
    let mut sentence = observed.summary();
    let compared = !observed.figures.is_empty();
    if compared && observed.days < asked.min_days as usize {
        verdict = CheckVerdict::Unknown;
        sentence.push_str(&format!(
            "; {} compared, too few",
            count(observed.days as u64, "day")
        ));
    }
    if Some(observed.against.to_string()) != active {
        verdict = CheckVerdict::Unknown;
        sentence.push_str(&format!(
            "; R{} is not active any more",
            observed.against_number
        ));
    }
    let mut check = Check::new(CheckName::Canary, verdict, observed.rows as u64, sentence);
    check.figures = figures;
    check.details.extend(observed.notes.iter().cloned());
    check
        .details
        .extend(observed.unpaired.examples.iter().cloned());
    check.relied.push((
        "the newest day of the canary".to_owned(),
        observed.to.to_string(),
    ));
    check
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::canary::{Figure as Seen, observed::Unpaired};
    use provender_domain::canonical::Digest;
    use provender_domain::ids::ModelVersion;

    fn seen(status: Status) -> Seen {
        Seen {
            logic: ModelVersion::unchecked("days:v2"),
            subject: None,
            name: "null_rate",
            value: Some(0.5),
            active: None,
            candidate: None,
            warn: Some(0.01),
            crit: Some(0.1),
            rows: 30,
            min_rows: 20,
            status,
            why: "half of them".into(),
        }
    }

    fn observed(days: usize, all: &[Status]) -> Observed {
        let day = "2025-06-30".parse().unwrap();
        Observed {
            release: Digest::of_bytes(b"2"),
            number: 2,
            against: Digest::of_bytes(b"1"),
            against_number: 1,
            since: "2025-07-01T06:00:00.000000Z".into(),
            by: "ops".into(),
            running: true,
            ended: None,
            from: day,
            to: day,
            days,
            share: 100,
            rows: 30,
            status: all.iter().copied().max().unwrap(),
            figures: all.iter().map(|s| seen(*s)).collect(),
            by_day: Vec::new(),
            unchanged: Vec::new(),
            added: Vec::new(),
            dropped: Vec::new(),
            unpaired: Unpaired::default(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn too_few_days_another_active_release_and_an_unknown_figure_do_not_pass() {
        let asked = CanaryGate { min_days: 7 };
        let active = || Some(Digest::of_bytes(b"1").to_string());
        let of =
            |days, all: &[Status], active| judged(&observed(days, all), &asked, active).verdict;
        assert_eq!(of(7, &[Status::Ok], active()), CheckVerdict::Ok);
        assert_eq!(
            of(7, &[Status::Warn, Status::Ok], active()),
            CheckVerdict::Warn
        );
        assert_eq!(of(7, &[Status::Crit], active()), CheckVerdict::Crit);
        assert_eq!(
            of(7, &[Status::Warn, Status::Unknown], active()),
            CheckVerdict::Unknown
        );
        assert_eq!(of(6, &[Status::Ok], active()), CheckVerdict::Unknown);
        assert_eq!(of(7, &[Status::Ok], None), CheckVerdict::Unknown);
    }

    #[test]
    fn without_a_canary_nothing_is_known_and_the_remedy_is_one_that_works() {
        for (itself, sentence, remedy) in [
            (None, "nothing to run beside", "--override \"the first"),
            (Some(true), "active itself", "nothing"),
            (Some(false), "no canary", "release canary R2"),
        ] {
            let check = missing("R2", itself);
            assert_eq!(check.verdict, CheckVerdict::Unknown);
            assert!(check.observed.contains(sentence), "{}", check.observed);
            assert!(check.remedy[0].contains(remedy), "{:?}", check.remedy);
        }
    }
}
