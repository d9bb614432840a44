//! The cost of single questions in a small ledger and in a large one.

use provender_domain::ids::{BoundaryId, HerdId};
use std::path::Path;

use provender_ledger::types::RunFilter;
use provender_ledger::{Address, open_reader};

use super::Scale;
use super::deploy::Deployment;
use super::measure::in_turns;
use super::synthetic::{Plan, day};
use super::table::{Figure, Row, Target};
use super::whole::row;

/// The place and the herd of every question.
const PLACE: &str = "p00000";
const HERD: &str = "h00000";

/// A question.
#[derive(Clone, Copy, Debug)]
enum Question {
    Explain,
    ExplainById,
    Compute,
    Window,
    Prove,
    Sample,
}

use Question::{Compute, Explain, ExplainById, Prove, Sample, Window};

/// A proof and a sample have no target, because in the large ledger they have more to read however it is found. A
/// proof reads a batch of 16,384 runs, three times that of the small ledger; a sample reads one pack per chosen run,
/// where the small ledger has a single pack.
const QUESTIONS: [(&str, &str, Question, Target); 6] = [
    (
        "explain",
        "`explain` of one run, by place and day",
        Explain,
        Target::AtMost(1.3),
    ),
    (
        "explain-id",
        "`explain` of one run, by its id",
        ExplainById,
        Target::AtMost(1.3),
    ),
    (
        "one-compute",
        "one `compute` of one run",
        Compute,
        Target::AtMost(1.3),
    ),
    (
        "window",
        "one `monitor` window of one boundary",
        Window,
        Target::AtMost(1.3),
    ),
    ("prove", "`audit prove` of one run", Prove, Target::Shown),
    ("sample", "`replay --sample 100`", Sample, Target::Shown),
];

/// Single questions in a ledger of five million runs, beside one of five thousand.
pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let large = scale.rows * 5;
    let refuse = |reason: String| {
        let rows = QUESTIONS.iter();
        rows.map(|(id, what, _, target)| Row::not_run(id, what, *target, reason.clone()))
            .collect()
    };
    if scale.small {
        return refuse("the small form does not create a ledger of five million runs".to_owned());
    }
    let kept = |name: &str, boundaries: usize, days: usize| {
        let plan = Plan {
            boundaries,
            days,
            weather: false,
        };
        filled(&scale.kept(name)?, plan)
    };
    // The same number of days in both, so that a question itself reads equally much.
    let days = 5_000;
    let (few, many) = match (kept("few", 1, days), kept("many", large / days, days)) {
        (Ok(few), Ok(many)) => (few, many),
        (Err(reason), _) | (_, Err(reason)) => return refuse(reason),
    };
    QUESTIONS
        .iter()
        .map(|(id, what, question, target)| {
            let asked = |deployment: &Deployment, round: usize| asked(deployment, *question, round);
            let (mut of_many, mut of_few) = (0.., 0..);
            let timed = in_turns(
                scale.cold_rounds,
                [
                    &mut || asked(&many, of_many.next().unwrap_or_default()),
                    &mut || asked(&few, of_few.next().unwrap_or_default()),
                ],
            );
            let measured = timed.map(|[many, few]| {
                let of = |name: &str, sample| Figure::of_times(name, sample, 1e-3);
                (
                    of("of five million", &many),
                    Some(of("of five thousand", &few)),
                )
            });
            row(id, what, "ms", large, *target, measured)
        })
        .collect()
}

/// Asks one question: seconds.
fn asked(deployment: &Deployment, question: Question, round: usize) -> Result<f64, String> {
    let last = day(deployment.plan.days - 1 - round % 1_000);
    let date = last.to_string();
    let place = ["--boundary", PLACE, "--herd", HERD, "--as-of", &date];
    let with = |verb: &[&'static str], rest: &[&str]| {
        let arguments: Vec<&str> = verb.iter().chain(rest).copied().collect();
        deployment.run(&arguments)
    };
    match question {
        Explain => with(&["explain"], &place),
        ExplainById => with(&["explain"], &[&id_of(deployment, last)?]),
        Compute => {
            // Another parameter each time, because a recorded run would not be computed again.
            let param = format!("residual_kg_per_ha={}", 101 + round + deployment.asked());
            with(&["compute"], &[&place[..], &["--param", &param]].concat())
        }
        Window => {
            let rest = ["--boundary", PLACE, "--end", &date, "--fail-on", "never"];
            with(&["monitor"], &rest)
        }
        Prove => with(&["audit", "prove"], &[&id_of(deployment, last)?]),
        Sample => with(&["replay", "--sample", "100"], &["--seed", &date]),
    }
}

/// The id of the place's run on a day.
fn id_of(deployment: &Deployment, date: provender_domain::day::Day) -> Result<String, String> {
    let ledger =
        open_reader(&Address::from_path(&deployment.ledger())).map_err(|e| e.to_string())?;
    let filter = RunFilter {
        boundary_id: Some(BoundaryId::unchecked(PLACE)),
        herd_config_id: Some(HerdId::unchecked(HERD)),
        from: Some(date),
        to: Some(date),
        ..RunFilter::default()
    };
    let runs = ledger.runs(&filter).map_err(|e| e.to_string())?;
    let run = runs.first().ok_or_else(|| format!("no run on {date}"))?;
    Ok(run.run.key.run_id().to_string())
}

/// A deployment with all its runs recorded, kept from one comparison to the next: the mark is written
/// when it is whole.
pub(crate) fn filled(folder: &Path, plan: Plan) -> Result<Deployment, String> {
    let mark = folder.join("filled");
    let says = format!("{plan:?} {}", env!("CARGO_PKG_VERSION"));
    if std::fs::read_to_string(&mark).is_ok_and(|found| found == says) {
        let folder = folder.to_owned();
        return Ok(Deployment { folder, plan });
    }
    let deployment = Deployment::make(folder, plan)?;
    deployment.run(&["ingest"])?;
    deployment.compute(plan.days)?;
    std::fs::write(&mark, says).map_err(|e| format!("{}: {e}", mark.display()))?;
    Ok(deployment)
}
