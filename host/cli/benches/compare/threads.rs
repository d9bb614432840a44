//! Two threads beside one: the kernel of a back-test over ten million rows, and the whole back-test of the
//! recorded answers of a deployment, as processes.

use super::Scale;
use super::columns;
use super::deploy::Deployment;
use super::kernel::{component, defaults};
use super::measure::{in_turns, time};
use super::questions::filled;
use super::table::{Figure, Row, Target};

/// Two threads and one.
type Measured = Result<(Figure, Figure), String>;

/// The rows of the table about threads.
pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let target = Target::AtLeast(1.8);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let row = |id: &str, what: &str, unit, size, measure: fn(&Scale) -> Measured| {
        let measured = match cores {
            0 | 1 => Err("this machine has one core".to_owned()),
            _ => measure(scale),
        };
        match measured {
            Ok((two, one)) => Row {
                id: id.to_owned(),
                what: what.to_owned(),
                unit,
                size,
                measured: Ok(two),
                beside: Some(one),
                target,
            },
            Err(reason) => Row::not_run(id, what, target, reason),
        }
    };
    vec![
        row(
            "threads",
            "two threads: the kernel of a back-test, `days_remaining:v2`",
            "ns a row",
            10 * scale.rows,
            kernel,
        ),
        row(
            "threads-backtest",
            "two threads: the whole `backtest` of recorded answers, `days_remaining:v1` against `v2`",
            "µs a run",
            scale.plan(false).runs(),
            backtest,
        ),
    ]
}

/// Deployments whose sandboxes have two threads, and one.
fn backtest(scale: &Scale) -> Measured {
    let deployment = filled(&scale.kept("backtest")?, scale.plan(false))?;
    let settings = deployment.folder.join("provender.toml");
    let io = |e: std::io::Error| format!("{}: {e}", settings.display());
    let text = std::fs::read_to_string(&settings).map_err(io)?;
    // An interrupted comparison may have left its number there.
    let lines = text.lines().filter(|line| !line.starts_with("threads"));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let in_threads = |threads: usize| {
        // `[limits]` is the last table of the file.
        std::fs::write(&settings, format!("{text}threads = {threads}\n")).map_err(io)?;
        against(&deployment)
    };
    let timed = in_turns(
        scale.whole_rounds,
        [&mut || in_threads(2), &mut || in_threads(1)],
    );
    std::fs::write(&settings, &text).map_err(io)?;
    let [two, one] = timed?;
    let per = 1e-6 * deployment.plan.runs() as f64;
    Ok((
        Figure::of_times("two threads", &two, per),
        Figure::of_times("one thread", &one, per),
    ))
}

fn against(deployment: &Deployment) -> Result<f64, String> {
    deployment.run(&[
        "backtest",
        "days_remaining:v1",
        "--against",
        "days_remaining:v2",
    ])
}

fn kernel(scale: &Scale) -> Measured {
    let inputs = columns::v2(scale.rows);
    let [one, two] = [1, 2].map(|threads| component("v2", threads));
    let (one, two) = (one?, two?);
    let parameters = defaults(&one);
    let ten_times = |component: &provender_sandbox::Component| {
        let mut seconds = 0.0;
        for _ in 0..10 {
            let (computed, took) = time(|| component.compute(&parameters, &inputs, scale.rows));
            computed.map_err(|e| e.to_string())?;
            seconds += took;
        }
        Ok(seconds)
    };
    let [two, one] = in_turns(
        scale.whole_rounds,
        [&mut || ten_times(&two), &mut || ten_times(&one)],
    )?;
    let per = 1e-9 * 10.0 * scale.rows as f64;
    Ok((
        Figure::of_times("two threads", &two, per),
        Figure::of_times("one thread", &one, per),
    ))
}
