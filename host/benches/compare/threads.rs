//! Two threads beside one: the kernel of a back-test over ten million rows, in its chunks.

use super::Scale;
use super::columns;
use super::kernel::{component, defaults};
use super::measure::{in_turns, time};
use super::table::{Figure, Row, Target};

/// The rows of the table about threads.
pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let what = "two threads: the kernel of a back-test, `days_remaining:v2`";
    let target = Target::AtLeast(1.8);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores < 2 {
        let reason = "this machine has one core".to_owned();
        return vec![Row::not_run("threads", what, target, reason)];
    }
    vec![match measured(scale) {
        Ok((two, one)) => Row {
            id: "threads".to_owned(),
            what: what.to_owned(),
            unit: "ns a row",
            size: 10 * scale.rows,
            measured: Ok(two),
            beside: Some(one),
            target,
        },
        Err(reason) => Row::not_run("threads", what, target, reason),
    }]
}

fn measured(scale: &Scale) -> Result<(Figure, Figure), String> {
    let inputs = columns::v2(scale.rows);
    let [one, two] = [1, 2].map(|threads| component("v2", threads));
    let (one, two) = (one?, two?);
    let parameters = defaults(&one);
    let ten_times = |component: &provender::logic::Component| {
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
