//! Check `backtest`: how far the release is from the active one on the same recorded inputs.
//!
//! Runs one back-test for each active logic. Other checks use its rows and its monitors' verdict too.

use crate::backtest::BacktestError;
use crate::backtest::report::{BacktestReport, OutcomeReport, RailReport};
use crate::backtest::run::{Contender, Progress, Request, backtest};
use crate::project::gate::{BacktestSettings, CheckName};
use provender_domain::forms::Form;
use provender_domain::ids::ModelVersion;
use provender_domain::render::text::{count, number};
use provender_ledger::entries::ReportKind;
use serde_json::json;

use super::super::ReleaseError;
use super::check::{Check, CheckVerdict, Figure, above};
use super::scene::{GateContext, Side};

/// A logic of the release, compared with the active one.
pub(super) struct Compared {
    /// `name:version` in the release.
    pub logic: ModelVersion,
    /// `name:version` that is active; `None` if no version of the logic is active.
    pub against: Option<ModelVersion>,
    /// Whether both have the same component and the same configuration.
    pub same: bool,
    /// The back-test; `None` if nothing is recorded to compare on.
    pub report: Option<BacktestReport>,
}

impl Compared {
    /// The number of recorded answers in the back-test.
    #[must_use]
    pub(super) fn rows(&self) -> u64 {
        self.report.as_ref().map_or(0, |r| r.rows)
    }
}

/// Back-tests each active logic of the release. If no version of a logic is active, it is compared with itself:
/// the differences mean nothing then, but rows and monitors are available.
///
/// # Errors
/// If a release cannot be bound, or recorded data cannot be read.
pub(super) fn compare(
    scene: &GateContext<'_, '_>,
    candidates: &[Side],
    progress: &mut dyn Progress,
) -> Result<Vec<Compared>, ReleaseError> {
    let active = match scene.standing.active_release() {
        Some(known) => scene.sides(known)?,
        None => Vec::new(),
    };
    let mut out = Vec::new();
    for candidate in candidates {
        let name = &candidate.bound.description().name;
        let former = active.iter().find(|s| s.bound.description().name == *name);
        let against = former.unwrap_or(candidate);
        let request = Request {
            candidate: contender(candidate),
            against: contender(against),
            boundary: None,
            herd: None,
            from: Some(scene.from()),
            to: None,
            window_days: scene.window_days,
        };
        let report = match backtest(&scene.archive(), &request, progress) {
            Ok(report) => Some(report),
            Err(BacktestError::Nothing { .. }) => None,
            Err(e) => return Err(e.into()),
        };
        out.push(Compared {
            logic: candidate.bound.model_version.clone(),
            against: former.map(|s| s.bound.model_version.clone()),
            same: former.is_some_and(|s| {
                s.bound.component.digest() == candidate.bound.component.digest()
                    && s.bound.config.digest == candidate.bound.config.digest
            }),
            report,
        });
    }
    Ok(out)
}

fn contender(side: &Side) -> Contender<'_> {
    Contender {
        bound: &side.bound,
        settings: &side.settings,
        // A release always holds the complete settings.
        has_block: true,
        file: None,
    }
}

/// The verdict on the back-tests.
///
/// # Errors
/// If a report has no canonical form.
pub(super) fn check(
    compared: &[Compared],
    policy: &BacktestSettings,
    release: &str,
) -> Result<Check, ReleaseError> {
    let mut check = Check::new(CheckName::Backtest, CheckVerdict::Ok, 0, String::new());
    let mut sentences = Vec::new();
    let first = compared.iter().all(|c| c.against.is_none());
    for one in compared {
        match (&one.against, &one.report) {
            (None, _) if first => check.verdict = CheckVerdict::Unknown,
            // A logic that is new, while others are compared.
            (None, _) => {
                check.verdict = check.verdict.max(CheckVerdict::Warn);
                sentences.push(format!(
                    "{} is new: there is nothing to compare it with",
                    one.logic
                ));
            }
            (Some(against), None) => {
                check.verdict = CheckVerdict::Unknown;
                sentences.push(format!(
                    "no recorded answer to compare {} with {against} on",
                    one.logic
                ));
            }
            (Some(against), Some(report)) => {
                look(&mut check, &mut sentences, (one, against), report, policy);
            }
        }
    }
    if first {
        sentences.push("no release is active, so that there is nothing to compare with".to_owned());
        check = check.remedy(format!(
            "the first release of an environment: provender release promote {release} --reason TEXT --override \"the first release\""
        ));
    } else {
        check = check
            .remedy("provender backtest NAME:VERSION   # which rows move, how far, and why")
            .remedy("where the change is meant: the thresholds of [gate.ENVIRONMENT.backtest] in provender.toml, or --override at the promotion");
    }
    check.observed = sentences.join("; ");
    let asked: Vec<String> = policy
        .thresholds()
        .iter()
        .filter_map(|(name, warn, crit)| limits(name, *warn, *crit))
        .collect();
    let rows = count(u64::from(policy.min_rows), "compared row");
    let check = check.asks(format!("{rows}; {}", asked.join("; ")));
    let reports: Vec<_> = compared
        .iter()
        .filter_map(|c| Some(c.report.as_ref()?.to_json()))
        .collect::<Result<_, _>>()
        .map_err(provender_domain::canonical::CanonicalError::from)?;
    let body = Form::GateBacktest.text(&json!({"reports": reports}))?;
    Ok(check.found(ReportKind::Backtest, Some(body)))
}

fn limits(name: &str, warn: Option<f64>, crit: Option<f64>) -> Option<String> {
    let part = |word: &str, x: Option<f64>| x.map(|x| format!("{word} above {}", number(x)));
    let parts: Vec<String> = [part("warn", warn), part("crit", crit)]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| format!("{name} {}", parts.join(", ")))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of rows are far below 2^53"
)]
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn look(
    check: &mut Check,
    sentences: &mut Vec<String>,
    (one, against): (&Compared, &str),
    report: &BacktestReport,
    policy: &BacktestSettings,
) {
    check.rows += report.compared;
    let figures = figures(report, policy);
    let mut verdict = CheckVerdict::Ok;
    let beside = match (one.same, against == one.logic) {
        (true, _) => format!("{} as it is active", one.logic),
        (_, true) => format!("{} beside its active configuration", one.logic),
        (_, false) => format!("{} beside {against}", one.logic),
    };
    let worst = figures.iter().max_by_key(|f| f.verdict);
    if let Some(worst) = worst {
        verdict = worst.verdict;
    }
    let mut sentence = format!("{beside}: {} compared", count(report.compared, "row"));
    if let Some(worst) = worst.filter(|f| f.verdict != CheckVerdict::Ok) {
        let of = worst
            .subject
            .as_ref()
            .map_or_else(String::new, |s| format!(" of {s}"));
        let value = worst.value.map_or_else(|| "–".to_owned(), number);
        sentence.push_str(&format!(", {}{of} is {value}", worst.name));
    }
    if report.failed_rows > 0 {
        verdict = verdict.max(CheckVerdict::Crit);
        sentence.push_str(&format!(", {} failed", count(report.failed_rows, "row")));
    }
    if report.compared < u64::from(policy.min_rows) {
        verdict = CheckVerdict::Unknown;
        sentence.push_str(", too few");
    }
    sentences.push(sentence);
    check.details.extend(report.failed.iter().map(|f| {
        let at = format!(
            "{} / {} / {}",
            f.boundary_id, f.herd_config_id, f.calculation_date
        );
        format!("{}: {at}: {}", one.logic, f.message)
    }));
    check.details.extend(
        report
            .not_compared
            .iter()
            .map(|n| format!("{}: {} is not compared: {}", one.logic, n.name, n.why)),
    );
    check.figures.extend(figures);
    check.verdict = check.verdict.max(verdict);
}

/// The figures of one logic with their thresholds.
fn figures(report: &BacktestReport, policy: &BacktestSettings) -> Vec<Figure> {
    let logic = &report.candidate.model_version;
    let mut out = Vec::new();
    let mut put = |subject: Option<&str>, name: &str, value: Option<f64>, rows: u64| {
        let set = policy.thresholds().into_iter().find(|(n, ..)| *n == name);
        let (warn, crit) = set.map_or((None, None), |(_, w, c)| (w, c));
        out.push(Figure {
            logic: logic.clone(),
            subject: subject.map(str::to_owned),
            name: name.to_owned(),
            value,
            warn,
            crit,
            rows,
            // If no row changed, the size of the change is unknown and counts as zero.
            verdict: above(value.unwrap_or(0.0), warn, crit),
        });
    };
    for outcome in &report.outcomes {
        let name = Some(outcome.name.as_str());
        let (size, rows) = median(outcome);
        put(name, "median_change", size, rows);
        let share = ratio(outcome.changed, report.compared);
        put(name, "share_changed", share, report.compared);
        let nulls = outcome.became_null.saturating_sub(outcome.ceased_null);
        put(
            name,
            "null_rate",
            ratio(nulls, report.compared),
            report.compared,
        );
    }
    for lost in &report.not_compared {
        // An outcome that no longer exists is null on every row.
        put(Some(&lost.name), "null_rate", Some(1.0), report.compared);
    }
    for rail in &report.guardrails {
        let breaches = |r: Option<RailReport>| r.map_or(0, |r| r.breaches);
        let more = breaches(rail.after).saturating_sub(breaches(rail.before));
        let rate = ratio(more, report.compared);
        put(Some(&rail.output), "guardrail_rate", rate, report.compared);
    }
    out
}

fn median(outcome: &OutcomeReport) -> (Option<f64>, u64) {
    let size = outcome.figures.as_ref().and_then(|f| f.relative);
    (size.map(|s| s.median), size.map_or(0, |s| s.rows as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(against: Option<&str>) -> Compared {
        Compared {
            logic: ModelVersion::unchecked("days:v2"),
            against: against.map(ModelVersion::unchecked),
            same: false,
            report: None,
        }
    }

    #[test]
    fn nothing_to_compare_with_or_on_is_unknown_and_says_which() {
        let of =
            |compared: &[Compared]| check(compared, &BacktestSettings::default(), "R2").unwrap();
        let first = of(&[alone(None)]);
        assert_eq!(first.verdict, CheckVerdict::Unknown);
        assert!(first.observed.contains("no release is active"));
        assert!(first.remedy[0].contains("promote R2"), "{:?}", first.remedy);
        let empty = of(&[alone(Some("days:v1"))]);
        assert_eq!(empty.verdict, CheckVerdict::Unknown);
        assert!(
            empty
                .observed
                .contains("no recorded answer to compare days:v2 with days:v1")
        );
        // A new logic does not hide that another has no rows.
        let both = of(&[alone(Some("days:v1")), alone(None)]);
        assert_eq!(both.verdict, CheckVerdict::Unknown);
    }

    #[test]
    fn too_few_rows_are_unknown_whatever_they_say() {
        let rows = super::super::rows::rows(
            &[alone(Some("days:v1"))],
            &crate::project::gate::RowSettings::default(),
            90,
        );
        assert_eq!(rows.verdict, CheckVerdict::Unknown);
        assert_eq!(rows.observed, "days:v2 has none");
    }
}
