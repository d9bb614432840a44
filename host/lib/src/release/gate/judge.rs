//! Runs every check that the policy asks for, in order.

use crate::backtest::run::Progress;
use crate::project::gate::CheckName;

use super::super::ReleaseError;
use super::backtest::{Compared, compare};
use super::check::{Check, CheckVerdict};
use super::scene::{GateContext, Side};
use super::{age, backtest, canary, goldens, monitors, people, replay, rows, verify};

/// Runs the checks.
///
/// # Errors
/// If recorded data cannot be read. A defect of the release is a verdict, not an error.
pub fn judge(
    scene: &GateContext<'_, '_>,
    progress: &mut dyn Progress,
) -> Result<Vec<Check>, ReleaseError> {
    let policy = scene.policy;
    // Runs whatever the policy says, because a component that cannot be bound cannot be computed with either.
    let verified = verify::check(scene);
    let usable = verified.verdict == CheckVerdict::Ok;
    let mut both: Option<(Vec<Side>, Vec<Compared>)> = None;
    let mut checks: Vec<Check> = Vec::new();
    for name in &policy.checks {
        let runs = !matches!(
            name,
            CheckName::Verify
                | CheckName::Ownership
                | CheckName::Approvals
                | CheckName::Passed
                | CheckName::Replay
                | CheckName::Baseline
                | CheckName::Age
        );
        if runs && !usable {
            checks.push(impossible(*name));
            continue;
        }
        if matches!(
            name,
            CheckName::MinRows | CheckName::Backtest | CheckName::Monitors
        ) && both.is_none()
        {
            let sides = scene.sides(scene.release)?;
            let compared = compare(scene, &sides, progress)?;
            both = Some((sides, compared));
        }
        let (sides, compared) = both
            .as_ref()
            .map_or((&[][..], &[][..]), |(s, c)| (&s[..], &c[..]));
        checks.push(match name {
            CheckName::Verify => verified.clone(),
            CheckName::Goldens => goldens::check(scene)?,
            CheckName::Ownership => {
                people::ownership(scene.standing, scene.release, &policy.ownership)
            }
            CheckName::Approvals => {
                people::people(scene.standing, scene.release, &policy.approvals)
            }
            CheckName::Passed => people::passed(scene.standing, scene.release, &policy.passed),
            CheckName::MinRows => rows::rows(compared, &policy.min_rows, policy.backtest.days),
            CheckName::Replay => replay::check(scene)?,
            CheckName::Backtest => backtest::check(compared, &policy.backtest, &scene.name())?,
            CheckName::Monitors => monitors::check(scene, sides, compared)?,
            CheckName::Baseline => rows::baseline(scene)?,
            CheckName::Canary => canary::check(scene)?,
            CheckName::Age => age::check(&checks, policy.max_age_days, scene.today),
        });
    }
    Ok(checks)
}

fn impossible(name: CheckName) -> Check {
    let observed = "not looked at: a component of the release cannot be used here";
    Check::new(name, CheckVerdict::Unknown, 0, observed)
        .asks("components that can be used")
        .remedy("put right what verify names first")
}
