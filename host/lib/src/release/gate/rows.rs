//! Checks `min_rows` and `baseline`: there is enough recorded data to judge by.

use crate::monitor::frozen::{Frozen, baselines};
use crate::project::gate::{CheckName, RowSettings};
use provender_domain::ids::ModelVersion;
use provender_domain::render::text::count;

use super::super::ReleaseError;
use super::backtest::Compared;
use super::check::{Check, CheckVerdict, Figure};
use super::scene::GateContext;

/// Enough answers of each logic are recorded in the last `days` days.
#[must_use]
pub(super) fn rows(compared: &[Compared], asked: &RowSettings, days: u32) -> Check {
    let wanted = u64::from(asked.rows);
    let mut check = Check::new(CheckName::MinRows, CheckVerdict::Ok, 0, String::new());
    let mut sentences = Vec::new();
    for one in compared {
        let rows = one.rows();
        let verdict = if rows >= wanted {
            CheckVerdict::Ok
        } else {
            CheckVerdict::Unknown
        };
        check.verdict = check.verdict.max(verdict);
        check.rows += rows;
        let recorded_answers = count(rows, "recorded answer");
        sentences.push(match rows {
            0 => format!("{} has none", one.logic),
            _ if verdict == CheckVerdict::Ok => format!("{recorded_answers} of {}", one.logic),
            _ => format!("{recorded_answers} of {}, too few", one.logic),
        });
        check.figures.push(Figure {
            logic: one.logic.clone(),
            subject: None,
            name: "rows".to_owned(),
            #[expect(
                clippy::cast_precision_loss,
                reason = "counts of rows are far below 2^53"
            )]
            value: Some(rows as f64),
            warn: None,
            crit: None,
            rows,
            verdict,
        });
    }
    check.observed = sentences.join("; ");
    check
        .asks(format!(
            "{} of each logic within {}",
            count(wanted, "recorded answer"),
            count(u64::from(days), "day")
        ))
        .remedy("provender run --as-of DATE   # records more answers")
        .remedy("provender compute --all --from DATE --to DATE   # a back-fill of the days before")
}

/// Each logic has a frozen baseline, of the version itself or of the active version that it replaces.
///
/// # Errors
/// If the ledger cannot be read.
pub(super) fn baseline(scene: &GateContext<'_, '_>) -> Result<Check, ReleaseError> {
    let before = scene.standing.active_release();
    let before = before.map_or(&[][..], |k| &k.document.active);
    let frozen = baselines(scene.ledger)?;
    Ok(reference(&scene.release.document.active, before, &frozen))
}

/// The baselines in force for the versions of a release, or else for the versions that are active before it.
fn reference(active: &[ModelVersion], before: &[ModelVersion], frozen: &[Frozen]) -> Check {
    let mut check = Check::new(CheckName::Baseline, CheckVerdict::Ok, 0, String::new());
    let mut sentences = Vec::new();
    for model in active {
        let former = before.iter().find(|m| m.name() == model.name());
        let candidates = [Some(model), former].into_iter().flatten();
        let found = candidates
            .filter_map(|m| frozen.iter().find(|f| f.in_force && f.model_version == *m))
            .next();
        if let Some(f) = found {
            check.rows += f.rows;
            check.evidence.push(format!("entry {}", f.entry));
            sentences.push(format!(
                "{model}: {} of {}, {} to {}",
                count(f.rows, "answer"),
                f.model_version,
                f.from,
                f.to
            ));
        } else {
            check.verdict = CheckVerdict::Unknown;
            sentences.push(format!("{model} has no baseline"));
            let of = former.unwrap_or(model);
            check.remedy.push(format!("provender monitor baseline create --logic {of} --to DATE --window-days N --reason TEXT"));
        }
    }
    check.observed = sentences.join("; ");
    check.asks("a frozen reference of each logic")
}

#[cfg(test)]
mod tests {
    use super::*;
    use provender_domain::canonical::Digest;
    use provender_ledger::entry::{EntryNumber, Stamp};

    fn frozen(entry: i64, model_version: &str, in_force: bool) -> Frozen {
        Frozen {
            entry: EntryNumber::new(entry),
            stamp: Stamp {
                at: "2025-07-01T06:00:00.000000Z".into(),
                actor: "ds".into(),
                reason: None,
            },
            baseline: Digest::of_bytes(b"baseline"),
            model_version: ModelVersion::unchecked(model_version),
            from: "2025-06-01".parse().unwrap(),
            to: "2025-06-30".parse().unwrap(),
            rows: 60,
            in_force,
        }
    }

    fn of(active: &[&str], before: &[&str], frozen: &[Frozen]) -> Check {
        let owned = |names: &[&str]| -> Vec<ModelVersion> {
            names.iter().copied().map(ModelVersion::unchecked).collect()
        };
        reference(&owned(active), &owned(before), frozen)
    }

    #[test]
    fn a_baseline_of_the_version_or_of_the_one_before_it_holds_and_no_other() {
        let own = of(
            &["days:v2"],
            &["days:v1"],
            &[frozen(4, "days:v1", true), frozen(5, "days:v2", true)],
        );
        assert_eq!((own.verdict, own.rows), (CheckVerdict::Ok, 60));
        assert_eq!(own.evidence, ["entry 5"]);
        let former = of(&["days:v2"], &["days:v1"], &[frozen(4, "days:v1", true)]);
        assert_eq!(former.verdict, CheckVerdict::Ok);
        assert_eq!(
            former.observed,
            "days:v2: 60 answers of days:v1, 2025-06-01 to 2025-06-30"
        );
        for (before, there) in [
            (&["days:v1"][..], vec![]),
            // A replaced baseline; one of a version that is not the active one; one of another logic.
            (&["days:v1"], vec![frozen(4, "days:v1", false)]),
            (&["days:v1"], vec![frozen(4, "days:v0", true)]),
            (&["frost:v1"], vec![frozen(4, "frost:v1", true)]),
            (&[], vec![frozen(4, "days:v1", true)]),
        ] {
            let check = of(&["days:v2"], before, &there);
            assert_eq!((check.verdict, check.rows), (CheckVerdict::Unknown, 0));
            assert_eq!(check.observed, "days:v2 has no baseline");
            assert!(check.remedy[0].contains("baseline create --logic days:v"));
        }
    }

    #[test]
    fn one_logic_without_a_baseline_prevents_a_pass() {
        let there = [frozen(4, "days:v2", true)];
        let check = of(&["days:v2", "frost:v1"], &[], &there);
        assert_eq!(check.verdict, CheckVerdict::Unknown);
        assert!(check.observed.ends_with("frost:v1 has no baseline"));
    }
}
