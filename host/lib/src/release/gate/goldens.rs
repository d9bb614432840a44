//! Check `goldens`: runs the golden cases if they are available here; otherwise uses earlier evidence.

use provender_domain::ids::ModelVersion;
use provender_ledger::EntryNumber;
use std::collections::BTreeMap;

use crate::golden::{CaseSet, run};
use crate::project::gate::CheckName;
use provender_domain::render::text::count;
use provender_ledger::entries::ReportKind;
use provender_ledger::entry::Kind;

use super::super::ReleaseError;
use super::super::evidence::Evidence;
use super::super::reading;
use super::super::state::{Known, ReleaseState};
use super::check::{Check, CheckVerdict};
use super::scene::GateContext;

/// The result of the cases of one logic: how many ran, and which failed.
struct Ran {
    cases: u64,
    broken: Vec<String>,
}

/// Runs the cases of every active version, or uses the newest evidence about them.
///
/// # Errors
/// If a component is missing or differs from its digest.
pub(super) fn check(scene: &GateContext<'_, '_>) -> Result<Check, ReleaseError> {
    let document = &scene.release.document;
    let mut without = Vec::new();
    let mut cases = 0;
    let mut broken = Vec::new();
    for model in &document.active {
        match ran(scene, model)? {
            Some(ran) => {
                cases += ran.cases;
                broken.extend(ran.broken);
                if ran.cases == 0 {
                    without.push(model.clone());
                }
            }
            None => without.push(model.clone()),
        }
    }
    if !broken.is_empty() {
        let observed = format!("{} of {} do not hold", broken.len(), count(cases, "case"));
        let mut check = asked(Check::new(
            CheckName::Goldens,
            CheckVerdict::Crit,
            cases,
            observed,
        ));
        check.details = broken;
        return Ok(check
            .remedy("correct the logic, or let a new version supersede the case with a reason")
            .found(ReportKind::Goldens, None));
    }
    if without.is_empty() {
        let observed = format!("{} hold", count(cases, "golden case"));
        let check = Check::new(CheckName::Goldens, CheckVerdict::Ok, cases, observed);
        return Ok(asked(check).found(ReportKind::Goldens, None));
    }
    Ok(asked(relied(
        scene.standing,
        scene.release,
        &without,
        cases,
    )))
}

fn asked(check: Check) -> Check {
    check.asks("every golden case of each active version holds")
}

/// Without cases here, the newest evidence counts, such as that from cutting the release.
fn relied(standing: &ReleaseState, release: &Known, without: &[ModelVersion], cases: u64) -> Check {
    // Of each environment use the evidence recorded last; of several environments, the newest. Evidence that
    // was imported later may have been found earlier.
    let found = standing
        .notes_of(Kind::Evidence, &release.digest)
        .filter_map(|n| Some((n.entry, n.evidence()?)))
        .filter(|(_, e)| e.kind == ReportKind::Goldens);
    let last: BTreeMap<String, (EntryNumber, Evidence)> = found
        .map(|(entry, e)| (e.environment.clone(), (entry, e)))
        .collect();
    let newest = last.into_values().max_by(|(_, a), (_, b)| a.at.cmp(&b.at));
    let Some((entry, evidence)) = newest else {
        let observed = format!("no golden case of {}, and no evidence", without.join(", "));
        return remedied(Check::new(
            CheckName::Goldens,
            CheckVerdict::Unknown,
            cases,
            observed,
        ));
    };
    let verdict = match evidence.verdict {
        CheckVerdict::Ok if evidence.rows == 0 => CheckVerdict::Unknown,
        verdict => verdict,
    };
    let observed = format!("{} in {}", evidence.summary, evidence.environment);
    let mut check = Check::new(CheckName::Goldens, verdict, evidence.rows, observed);
    check.evidence.push(format!("entry {entry}"));
    if let Some(report) = evidence.report {
        check.evidence.push(format!("report {report}"));
    }
    check
        .relied
        .push(("the evidence on golden cases".to_owned(), evidence.at));
    remedied(check)
}

fn remedied(check: Check) -> Check {
    check.remedy("put the cases of each logic into cases/NAME, or name their folder with --cases DIR, and ask the gate again")
}

fn ran(scene: &GateContext<'_, '_>, model: &ModelVersion) -> Result<Option<Ran>, ReleaseError> {
    let name = model.name();
    let Some(folder) = (scene.cases)(name) else {
        return Ok(None);
    };
    let bound = reading::bind(scene.sandbox, scene.store, &scene.release.document, model)?;
    let tested = CaseSet::read(&folder, &folder.display().to_string())
        .and_then(|set| set.select(bound.description()))
        .and_then(|selected| run::run(&bound.component, selected));
    Ok(Some(match tested {
        // A folder that cannot be read counts as a failing case.
        Err(e) => Ran {
            cases: 1,
            broken: vec![format!("{model}: {e}")],
        },
        Ok(tested) => Ran {
            cases: tested.cases.len() as u64,
            broken: tested
                .cases
                .iter()
                .filter(|c| !c.verdict.passed())
                .map(|c| format!("{model}: {} does not hold", c.case.name))
                .chain(
                    tested
                        .disagreements
                        .iter()
                        .map(|d| format!("{model}: {}: {d}", d.case)),
                )
                .collect(),
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::super::decision::tests::{found, known};
    use super::*;

    #[test]
    fn without_cases_here_the_newest_evidence_counts_and_missing_evidence_does_not_pass() {
        let release = known(2);
        let without = [ModelVersion::unchecked("days:v1")];
        let of = |evidence: &[(CheckVerdict, u64)]| {
            let notes = evidence.iter().zip(5..).map(|((verdict, rows), entry)| {
                found(
                    &release,
                    entry,
                    (ReportKind::Goldens, *verdict, *rows),
                    "staging",
                )
            });
            let standing = ReleaseState {
                notes: notes.collect(),
                ..ReleaseState::default()
            };
            relied(&standing, &release, &without, 0)
        };
        for (evidence, expected) in [
            (&[][..], CheckVerdict::Unknown),
            (&[(CheckVerdict::Ok, 20)], CheckVerdict::Ok),
            // Evidence based on no cases does not pass.
            (&[(CheckVerdict::Ok, 0)], CheckVerdict::Unknown),
            (&[(CheckVerdict::Unknown, 20)], CheckVerdict::Unknown),
            (&[(CheckVerdict::Warn, 20)], CheckVerdict::Warn),
            (
                &[(CheckVerdict::Ok, 20), (CheckVerdict::Crit, 20)],
                CheckVerdict::Crit,
            ),
            (
                &[(CheckVerdict::Crit, 20), (CheckVerdict::Ok, 20)],
                CheckVerdict::Ok,
            ),
        ] {
            let check = of(evidence);
            assert_eq!(check.verdict, expected, "{evidence:?}");
            assert_eq!(check.remedy.is_empty(), expected == CheckVerdict::Ok);
            assert_eq!(check.relied.len(), usize::from(!evidence.is_empty()));
        }
        assert_eq!(
            of(&[(CheckVerdict::Ok, 9), (CheckVerdict::Ok, 20)]).evidence,
            ["entry 6"]
        );
    }

    #[test]
    fn evidence_found_earlier_and_imported_later_does_not_count() {
        let release = known(2);
        let mut here = known(2);
        here.stamp.at = "2025-07-02T06:00:00.000000Z".into();
        assert!(release.stamp.at < here.stamp.at);
        let standing = ReleaseState {
            notes: vec![
                found(
                    &here,
                    5,
                    (ReportKind::Goldens, CheckVerdict::Crit, 20),
                    "prod",
                ),
                found(
                    &release,
                    6,
                    (ReportKind::Goldens, CheckVerdict::Ok, 20),
                    "staging",
                ),
            ],
            ..ReleaseState::default()
        };
        let check = relied(
            &standing,
            &release,
            &[ModelVersion::unchecked("days:v1")],
            0,
        );
        assert_eq!(check.verdict, CheckVerdict::Crit);
        assert_eq!(check.evidence, ["entry 5"]);
    }
}
