//! Checks `min_rows` and `baseline`: whether there is anything to judge by.

use crate::monitor::frozen::baselines;
use crate::project::gate::{CheckName, RowSettings};
use crate::render::text::count;

use super::super::ReleaseError;
use super::backtest::Compared;
use super::check::{Check, Figure, Verdict};
use super::scene::Scene;

/// Recorded answers of each logic, within the days that are looked back.
#[must_use]
pub fn rows(compared: &[Compared], asked: &RowSettings, days: u32) -> Check {
    let wanted = u64::from(asked.rows);
    let mut check = Check::new(CheckName::MinRows, Verdict::Ok, 0, String::new());
    let mut told = Vec::new();
    for one in compared {
        let rows = one.rows();
        let verdict = if rows >= wanted {
            Verdict::Ok
        } else {
            Verdict::Unknown
        };
        check.verdict = check.verdict.max(verdict);
        check.rows += rows;
        let said = count(rows, "recorded answer");
        told.push(match rows {
            0 => format!("{} has none", one.logic),
            _ if verdict == Verdict::Ok => format!("{said} of {}", one.logic),
            _ => format!("{said} of {}, too few", one.logic),
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
    check.observed = told.join("; ");
    check
        .asks(format!(
            "{} of each logic within {}",
            count(wanted, "recorded answer"),
            count(u64::from(days), "day")
        ))
        .remedy("provender run --as-of DATE   # records more answers")
        .remedy("provender compute --all --from DATE --to DATE   # a back-fill of the days before")
}

/// A frozen reference of each logic: of the version itself, or of the one it takes the place of.
///
/// # Errors
/// When the ledger cannot be read.
pub fn baseline(scene: &Scene<'_, '_>) -> Result<Check, ReleaseError> {
    let frozen = baselines(scene.ledger)?;
    let mut check = Check::new(CheckName::Baseline, Verdict::Ok, 0, String::new());
    let mut told = Vec::new();
    let before = scene.standing.active_release();
    for model in &scene.release.document.active {
        let name = model.split(':').next().unwrap_or(model);
        let of_name = |m: &&String| m.split(':').next() == Some(name);
        let former = before.and_then(|k| k.document.active.iter().find(of_name));
        let candidates = [Some(model), former].into_iter().flatten();
        let found = candidates
            .filter_map(|m| frozen.iter().find(|f| f.in_force && f.model_version == *m))
            .next();
        if let Some(f) = found {
            check.rows += f.rows;
            check.evidence.push(format!("entry {}", f.entry));
            told.push(format!(
                "{model}: {} of {}, {} to {}",
                count(f.rows, "answer"),
                f.model_version,
                f.from,
                f.to
            ));
        } else {
            check.verdict = Verdict::Unknown;
            told.push(format!("{model} has no baseline"));
            let of = former.unwrap_or(model);
            check.remedy.push(format!("provender monitor baseline create --logic {of} --to DATE --window-days N --reason TEXT"));
        }
    }
    check.observed = told.join("; ");
    Ok(check.asks("a frozen reference of each logic"))
}
