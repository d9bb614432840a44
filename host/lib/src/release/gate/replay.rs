//! Check `replay`: computes a sample of recorded runs again, from manifests and components alone.

use crate::project::gate::CheckName;
use crate::replay::compute::Manifests;
use crate::replay::verdict::Cause;
use crate::replay::{ReplayResults, Replayer, Subject, select};
use provender_domain::interrupt::Interrupt;
use provender_domain::render::text::count;
use provender_ledger::entries::ReportKind;
use provender_ledger::types::RunFilter;

use super::super::ReleaseError;
use super::check::{Check, CheckVerdict};
use super::scene::GateContext;

/// Samples runs of the release's logics within the window of the policy, and computes them again.
///
/// # Errors
/// If the ledger cannot be read.
pub(super) fn check(scene: &GateContext<'_, '_>) -> Result<Check, ReleaseError> {
    let mut runs = Vec::new();
    for model in &scene.release.document.active {
        let name = model.split(':').next().unwrap_or(model);
        runs.extend(scene.ledger.runs(&RunFilter {
            logic: Some(name.to_owned()),
            from: Some(scene.from()),
            ..RunFilter::default()
        })?);
    }
    let of = runs.len();
    // The seed is the hash of the newest entry, so nobody who recorded the runs could predict the sample.
    let newest = scene.ledger.entry(scene.ledger.head()?)?;
    let seed = newest.map(|e| e.digest().to_string()).unwrap_or_default();
    let asked = &scene.policy.replay;
    let runs = select::sample(runs, asked.sample as usize, &seed);
    let subjects: Vec<Subject> = runs.iter().map(|r| Subject::of(&r.run)).collect();
    let verdict = Replayer {
        sandbox: scene.sandbox,
        search_path: scene.search_path,
        manifests: Manifests::Store(scene.manifests),
        ceilings: select::ceilings(scene.ledger)?,
        interrupt: Interrupt::default(),
    }
    .replay(&subjects, &|_| ());
    let mut check = judged(&verdict, of, u64::from(asked.min_rows));
    check.details.push(format!("seed of the sample: {seed}"));
    Ok(check
        .asks(format!(
            "every run of a sample of {} gives the same bits; at least {}",
            asked.sample,
            count(u64::from(asked.min_rows), "run")
        ))
        .found(ReportKind::Replay, None))
}

/// The verdict on a replay. `of` is the number of runs that the sample was drawn from.
fn judged(replayed: &ReplayResults, of: usize, min_rows: u64) -> Check {
    let rows = replayed.replayed.len() as u64;
    let lost = |c: Cause| matches!(c, Cause::ComponentMissing | Cause::Host);
    let verdict = if !replayed.different.is_empty() {
        CheckVerdict::Crit
    } else if let Some(worst) = replayed
        .failed
        .iter()
        .find(|f| !lost(f.cause))
        .or(replayed.failed.first())
    {
        match lost(worst.cause) {
            true => CheckVerdict::Unknown,
            false => CheckVerdict::Crit,
        }
    } else if rows < min_rows {
        CheckVerdict::Unknown
    } else {
        CheckVerdict::Ok
    };
    let runs = count(rows, "run");
    let mut observed = match (of, rows < min_rows) {
        (0, _) => "no run is recorded".to_owned(),
        (_, true) => format!("{} of {runs} identical, too few", replayed.identical),
        (_, false) => format!(
            "{} of {runs} identical, drawn from {of}",
            replayed.identical
        ),
    };
    if !replayed.failed.is_empty() {
        let n = replayed.failed.len() as u64;
        observed.push_str(&format!(
            "; {} could not be computed again",
            count(n, "run")
        ));
    }
    let mut check = Check::new(CheckName::Replay, verdict, rows, observed);
    check
        .details
        .extend(replayed.different.iter().take(5).map(|d| {
            format!(
                "{}: {} was {} and is {}",
                d.key, d.output, d.recorded, d.replayed
            )
        }));
    check.details.extend(
        replayed
            .failed
            .iter()
            .take(5)
            .map(|f| format!("{}: {}", f.key, f.message)),
    );
    if replayed.is_clean() {
        check.remedy("provender run --as-of DATE, or compute --all --from DATE --to DATE   # records more runs")
    } else {
        check.remedy("provender replay --all   # which runs differ; then provender audit")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::verdict::{Difference, Failure};
    use provender_domain::canonical::Digest;

    fn runs(n: u8) -> ReplayResults {
        ReplayResults {
            replayed: (0..n).map(|i| Digest::of_bytes(&[i])).collect(),
            identical: n.into(),
            ..ReplayResults::default()
        }
    }

    fn failed(cause: Cause) -> ReplayResults {
        let mut replayed = runs(20);
        replayed.failed.push(Failure {
            run_id: Digest::of_bytes(b"x"),
            key: "k".into(),
            cause,
            code: "c".into(),
            message: "gone".into(),
        });
        replayed
    }

    #[test]
    fn no_runs_and_too_few_are_unknown_and_a_difference_is_crit() {
        let of = |r: &ReplayResults, of| {
            let check = judged(r, of, 10);
            (check.verdict, check.observed)
        };
        assert_eq!(
            of(&runs(0), 0),
            (CheckVerdict::Unknown, "no run is recorded".into())
        );
        assert_eq!(
            of(&runs(9), 9),
            (
                CheckVerdict::Unknown,
                "9 of 9 runs identical, too few".into()
            )
        );
        assert_eq!(of(&runs(10), 500).0, CheckVerdict::Ok);
        assert_eq!(
            of(&failed(Cause::ComponentMissing), 21).0,
            CheckVerdict::Unknown
        );
        assert_eq!(of(&failed(Cause::Integrity), 21).0, CheckVerdict::Crit);
        let mut one = runs(3);
        one.different.push(Difference {
            run_id: Digest::of_bytes(b"x"),
            key: "k".into(),
            output: "o".into(),
            recorded: 1.into(),
            replayed: 2.into(),
        });
        assert_eq!(of(&one, 3).0, CheckVerdict::Crit);
    }
}
