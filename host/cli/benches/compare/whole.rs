//! The whole path of many runs: recorded, found unchanged, replayed, audited; and their size on disk and in
//! memory.

use super::Scale;
use super::deploy::{Deployment, bytes_on_disk};
use super::floor;
use super::measure::Sample;
use super::synthetic::Plan;
use super::table::{Figure, Row, Target};

/// The rows of the table about whole paths.
pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let mut table = recorded(scale);
    table.extend(memory(scale));
    table
}

/// A row of the table, or that it could not be measured.
pub(crate) fn row(
    id: &str,
    what: &str,
    unit: &'static str,
    size: usize,
    target: Target,
    measured: Result<(Figure, Option<Figure>), String>,
) -> Row {
    match measured {
        Ok((measured, beside)) => Row {
            id: id.to_owned(),
            what: what.to_owned(),
            unit,
            size,
            measured: Ok(measured),
            beside,
            target,
        },
        Err(reason) => Row::not_run(id, what, target, reason),
    }
}

/// The steps that one deployment goes through, round by round.
#[derive(Default)]
struct Rounds {
    recorded: Sample,
    floor: Sample,
    unchanged: Sample,
    replayed: Sample,
    replay_floor: Sample,
    audited: Sample,
    audit_floor: Sample,
    bytes: f64,
}

fn recorded(scale: &Scale) -> Vec<Row> {
    let plan = scale.plan(false);
    let runs = plan.runs();
    let rounds =
        (0..scale.whole_rounds).try_fold(Rounds::default(), |rounds, _| once(scale, plan, rounds));
    let per = 1e-6 * runs as f64;
    let pair =
        |of: &str, ours: fn(&Rounds) -> &Sample, beside: &str, theirs: fn(&Rounds) -> &Sample| {
            let rounds = rounds.as_ref().map_err(Clone::clone)?;
            let ours = Figure::of_times(of, ours(rounds), per);
            Ok((ours, Some(Figure::of_times(beside, theirs(rounds), per))))
        };
    let unit = "µs a run";
    let bytes = rounds.as_ref().map_err(Clone::clone).map(|r| {
        let figure = Figure::single("ledger and manifests", r.bytes / runs as f64);
        (figure, None)
    });
    vec![
        row(
            "whole",
            "whole path: `compute --all`, recorded and durable",
            unit,
            runs,
            Target::AtMost(1.5),
            pair(
                "compute",
                |r| &r.recorded,
                "the hand-written floor",
                |r| &r.floor,
            ),
        ),
        row(
            "unchanged",
            "the same again, all unchanged",
            unit,
            runs,
            Target::AtMost(0.3),
            pair(
                "compute again",
                |r| &r.unchanged,
                "recording them",
                |r| &r.recorded,
            ),
        ),
        row(
            "replay",
            "`replay --all`",
            unit,
            runs,
            Target::AtMost(1.5),
            pair(
                "replay",
                |r| &r.replayed,
                "packs read, decoded and hashed, and the kernel",
                |r| &r.replay_floor,
            ),
        ),
        row(
            "audit",
            "`audit`",
            unit,
            runs,
            Target::AtMost(1.5),
            pair(
                "audit",
                |r| &r.audited,
                "packs and rows read, decoded and hashed",
                |r| &r.audit_floor,
            ),
        ),
        row(
            "disk",
            "size on disk, ledger and manifests together",
            "bytes a run",
            runs,
            Target::Value(400.0),
            bytes,
        ),
    ]
}

fn once(scale: &Scale, plan: Plan, mut rounds: Rounds) -> Result<Rounds, String> {
    let deployment = Deployment::make(&scale.folder("whole")?, plan)?;
    deployment.run(&["ingest"])?;
    let before = scale.folder("whole-floor")?;
    floor::keep(&deployment, &before)?;
    let empty = bytes_on_disk(&deployment.folder.join("out"));
    rounds.recorded.push(deployment.compute(plan.days)?);
    rounds.bytes = (bytes_on_disk(&deployment.folder.join("out")) - empty) as f64;
    rounds.floor.push(floor::record(&deployment, &before)?);
    rounds.unchanged.push(deployment.compute(plan.days)?);
    let (replay, audit) = floor::read(&deployment)?;
    rounds.replay_floor.push(replay);
    rounds.audit_floor.push(audit);
    rounds.replayed.push(deployment.run(&["replay", "--all"])?);
    rounds.audited.push(deployment.run(&["audit"])?);
    Ok(rounds)
}

/// Peak memory of the million-run compute, and whether it grows with the number of runs.
fn memory(scale: &Scale) -> Vec<Row> {
    let plan = scale.plan(false);
    let peak = |times: usize| -> Result<f64, String> {
        let plan = Plan {
            days: plan.days * times,
            ..plan
        };
        let deployment = Deployment::make(&scale.folder("memory")?, plan)?;
        deployment.run(&["ingest"])?;
        deployment.peak_of_compute(plan.days)
    };
    let one = peak(1);
    let itself = one
        .clone()
        .map(|mib| (Figure::single("compute", mib), None));
    let flat = if scale.small {
        Err("the small form does not compute five times as many runs".to_owned())
    } else {
        one.and_then(|one| {
            let five = Figure::single("five times as many", peak(5)?);
            Ok((five, Some(Figure::single("once", one))))
        })
    };
    vec![
        row(
            "memory",
            "peak memory of `compute --all`",
            "MiB",
            plan.runs(),
            Target::Value(256.0),
            itself,
        ),
        row(
            "memory-flat",
            "the same with five times as many runs",
            "MiB",
            5 * plan.runs(),
            Target::AtMost(1.1),
            flat,
        ),
    ]
}
