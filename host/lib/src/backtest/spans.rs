//! Places are grouped into spans, which threads take one by one. Results are merged in the order of the places,
//! so they do not depend on the number or speed of threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use provender_domain::interrupt::Interrupt;
use provender_ledger::Inspect;
use provender_ledger::store::Extent;
use provender_sandbox::LogicError;

use crate::compute::ComputeError;

use super::error::BacktestError;
use super::found::PassResult;
use super::pass::{Pass, PassContext};
use super::run::{Archive, Progress};

/// Runs of a span. Enough that its sandbox calls share a store and merging costs little beside computing; few
/// enough that no core is idle for long at the end.
pub(super) const SPAN: u64 = 8_192;

/// Places that follow each other.
pub(super) struct Span {
    /// With what is recorded of them.
    pub places: Vec<Extent>,
    /// Runs of all of them.
    pub runs: u64,
}

/// Groups the places into spans of at least `runs` runs, except perhaps the last. A place is never split.
pub(super) fn spans(places: Vec<Extent>, runs: u64) -> Vec<Span> {
    let mut all: Vec<Span> = Vec::new();
    for place in places {
        match all.last_mut() {
            Some(span) if span.runs < runs => {
                span.runs += place.runs;
                span.places.push(place);
            }
            _ => all.push(Span {
                runs: place.runs,
                places: vec![place],
            }),
        }
    }
    all
}

/// What is found in all spans.
///
/// # Errors
/// Of the first span that has one, in their order.
pub(super) fn go<'a>(
    scene: &PassContext<'a>,
    archive: &Archive<'_>,
    spans: &[Span],
    threads: usize,
    progress: &mut dyn Progress,
) -> Result<PassResult<'a>, BacktestError> {
    let readers = match threads.min(spans.len()) {
        0 | 1 => Vec::new(),
        threads => archive.ledger.readers(threads)?,
    };
    if readers.is_empty() {
        alone(scene, archive, spans, progress)
    } else {
        together(scene, (readers, &archive.interrupt), spans, progress)
    }
}

fn alone<'a>(
    scene: &PassContext<'a>,
    archive: &Archive<'_>,
    spans: &[Span],
    progress: &mut dyn Progress,
) -> Result<PassResult<'a>, BacktestError> {
    let mut all = PassResult::new(scene.against, scene.candidate);
    let mut pass = Pass::new(scene, archive.ledger, true);
    for span in spans {
        archive.interrupt.check().map_err(ComputeError::from)?;
        all.join(pass.through(span)?);
        progress.advance(span.runs);
    }
    Ok(all)
}

fn together<'a>(
    scene: &PassContext<'a>,
    (readers, interrupt): (Vec<Box<dyn Inspect>>, &Interrupt),
    spans: &[Span],
    progress: &mut dyn Progress,
) -> Result<PassResult<'a>, BacktestError> {
    let mut all = PassResult::new(scene.against, scene.candidate);
    let (next, within) = (AtomicUsize::new(0), tracing::Span::current());
    let (tell, heard) = channel::<(usize, Result<PassResult<'a>, BacktestError>)>();
    std::thread::scope(|scope| {
        let mut refused = None;
        for reader in readers {
            let (tell, next, within) = (tell.clone(), &next, &within);
            let work = move || {
                let _within = within.enter();
                let mut pass = Pass::new(scene, &*reader, false);
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(span) = spans.get(n) else { break };
                    let asked = interrupt.check().map_err(ComputeError::from);
                    let found = asked.map_err(BacktestError::from);
                    let found = found.and_then(|()| pass.through(span));
                    let failed = found.is_err();
                    // The receiver is gone once an earlier span has failed.
                    if tell.send((n, found)).is_err() || failed {
                        break;
                    }
                }
            };
            let thread = std::thread::Builder::new().name("provender-backtest".to_owned());
            if let Err(e) = thread.spawn_scoped(scope, work) {
                refused = Some(e.to_string());
            }
        }
        drop(tell);
        let mut waiting = BTreeMap::new();
        let mut joined = 0;
        for (n, found) in heard {
            progress.advance(spans.get(n).map_or(0, |span| span.runs));
            waiting.insert(n, found);
            while let Some(found) = waiting.remove(&joined) {
                all.join(found?);
                joined += 1;
            }
        }
        // Any thread at all takes every span in the end.
        match refused {
            Some(cause) if joined < spans.len() => Err(LogicError::Thread { cause }.into()),
            _ => Ok(all),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use provender_domain::day::Day;
    use provender_domain::ids::{BoundaryId, HerdId};

    fn place(n: usize, runs: u64) -> Extent {
        Extent {
            boundary_id: BoundaryId::unchecked(format!("b{n}")),
            herd_config_id: HerdId::unchecked("-"),
            runs,
            first: Day::MIN,
            last: Day::MAX,
        }
    }

    #[test]
    fn spans_hold_every_place_once_in_order() {
        let counts = [1, 8_190, 1, 5, 20_000, 3, 8_192, 8_191, 2];
        let places: Vec<Extent> = counts
            .iter()
            .enumerate()
            .map(|(n, runs)| place(n, *runs))
            .collect();
        let all = spans(places.clone(), SPAN);
        let runs: Vec<u64> = all.iter().map(|s| s.runs).collect();
        assert_eq!(runs, [8_192, 20_005, 8_195, 8_193]);
        let again: Vec<Extent> = all.into_iter().flat_map(|s| s.places).collect();
        assert_eq!(again, places);
        assert!(spans(Vec::new(), SPAN).is_empty());
    }
}
