//! Computes long ranges of days: records the same runs as [`super::engine`], but by columns instead of run by run.
//!
//! A stretch is one place and herd over consecutive days. The recorded runs of a stretch are looked up in one query and
//! compared by provenance only. The other days become the rows of a pack: columns go unchanged from the ledger through
//! the sandbox into the pack, and the digests of every manifest are computed from them. Everything else (drift, a
//! missing outline, a component that fails, too few runs for a pack) takes the slow path: the engine handles it run by
//! run, so that its outcome is decided in one place.

use provender_domain::ids::{BoundaryId, HerdId};
use std::sync::mpsc::{channel, sync_channel};

use provender_domain::canonical::{Digest, Recipe};
use provender_domain::column::Column;
use provender_domain::day::Day;
use provender_domain::failpoint;
use provender_domain::key::Place;
use provender_ledger::Write;
use provender_ledger::store::Series;
use provender_ledger::types::{Guardrail, LatestRun, NewRun, Recorded};
use provender_store::manifest::pack::{self, FULL, PART, Rows, Scratch, Template};

use super::ComputeError;
use super::binding::Bound;
use super::engine::{CHUNK, Engine, Target};
use super::facts::Facts;
use super::fits::fits;
use super::gather::Gatherer;
use super::guard::breached;
use super::outcome::{RunOutcome, RunOutcomeKind, Summary};
use super::record::Recorder;
use super::sheets;

/// Rows of a batch. Its columns, manifests and rows take some tens of megabytes, and many runs share one fsync barrier.
pub(crate) const BATCH: usize = 16_384;

/// One place and herd over a range of days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The boundary.
    pub boundary_id: BoundaryId,
    /// The herd, or `-`.
    pub herd_config_id: HerdId,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
}

impl Stretch {
    /// Number of days in the range.
    #[must_use]
    #[expect(clippy::expect_used, reason = "no stretch ends before it begins")]
    pub(crate) fn days(&self) -> usize {
        usize::try_from(self.to.since(self.from) + 1).expect("a stretch has days")
    }

    /// The runs of the range, one a day.
    pub(crate) fn targets(&self) -> impl Iterator<Item = Target> + '_ {
        self.from.through(self.to).map(|day| self.target(day))
    }

    fn target(&self, day: Day) -> Target {
        Target {
            boundary_id: self.boundary_id.clone(),
            herd_config_id: self.herd_config_id.clone(),
            day,
        }
    }
}

/// Cuts stretches into batches of about [`BATCH`] rows; the last batch can be larger or smaller.
#[must_use]
pub(crate) fn batches(stretches: &[Stretch]) -> Vec<Vec<Stretch>> {
    let mut all: Vec<Vec<Stretch>> = Vec::new();
    let (mut batch, mut rows) = (Vec::new(), 0);
    for stretch in stretches {
        let mut from = stretch.from;
        while from <= stretch.to {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_possible_wrap,
                reason = "a batch has a few thousand rows"
            )]
            let room = (BATCH - rows) as i32;
            let to = from.plus(room - 1).unwrap_or(Day::MAX).min(stretch.to);
            let part = Stretch {
                from,
                to,
                ..stretch.clone()
            };
            rows += part.days();
            batch.push(part);
            if rows >= BATCH {
                all.push(std::mem::take(&mut batch));
                rows = 0;
            }
            match to.plus(1) {
                Some(next) => from = next,
                None => break,
            }
        }
    }
    match all.last_mut() {
        // Too few remaining rows for a pack of their own.
        Some(last) if rows < BATCH / 8 => last.extend(batch),
        _ if batch.is_empty() => {}
        _ => all.push(batch),
    }
    all
}

/// The result of a batch.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Number of runs by outcome.
    pub summary: Summary,
    /// The runs with a problem.
    pub troubled: Vec<RunOutcome>,
}

/// A batch with its inputs gathered and its recorded runs looked up.
struct Gathered {
    rows: Rows,
    template: Template,
    /// The inputs of the recorded runs, and the recorded runs.
    known: (Vec<Column>, Vec<(Target, LatestRun)>),
    /// Runs that take the slow path.
    slow_path: Vec<Target>,
}

/// Packs and their runs, ready to be recorded.
struct Packed {
    packs: Vec<Vec<u8>>,
    runs: Vec<NewRun>,
    outputs: Vec<Column>,
}

impl Engine<'_, '_> {
    /// Computes and records stretches batch by batch. `each` receives the result of a batch, or of a part of it. A
    /// separate thread records a batch through `recording`, a second handle of the same ledger, while the next batch is
    /// gathered and computed. Without `recording`, everything is computed run by run.
    ///
    /// # Errors
    /// See [`Engine::chunk`]. Whatever was recorded before the error stays recorded, and `each` has received it.
    pub(crate) fn stretches(
        &mut self,
        bound: &Bound,
        stretches: &[Stretch],
        recording: Option<&mut dyn Write>,
        each: &mut dyn FnMut(Done),
    ) -> Result<(), ComputeError> {
        let days: usize = stretches.iter().map(Stretch::days).sum();
        let by_columns = !self.policy.recheck && days >= self.policy.pack_from;
        let Some(recording) = recording.filter(|_| by_columns && self.ledger.is_some()) else {
            let targets = stretches.iter().flat_map(Stretch::targets);
            return self.slow_path(bound, targets, each);
        };
        let (facts, recorder) = (self.facts, self.recorder(bound));
        let (send, receive) = sync_channel::<Packed>(1);
        let (report, reports) = channel::<Result<Done, ComputeError>>();
        let interrupt = &self.policy.interrupt;
        let within = tracing::Span::current();
        let (slow_path, stopped) = std::thread::scope(|scope| {
            scope.spawn(move || {
                let _within = within.entered();
                for packed in receive {
                    let done = record(recording, recorder, packed);
                    let failed = done.is_err();
                    if report.send(done).is_err() || failed {
                        break;
                    }
                }
            });
            let (mut slow_path, mut stopped) = (Vec::new(), Ok(()));
            for batch in batches(stretches) {
                stopped = interrupt.check();
                if stopped.is_err() {
                    break;
                }
                let packed = compute(facts, recorder, &batch, &mut slow_path, each)?;
                failpoint::hit("compute.after-batch");
                // A recording thread that stopped has already reported why.
                if packed.is_some_and(|packed| send.send(packed).is_err()) {
                    break;
                }
                for done in reports.try_iter() {
                    each(done?);
                }
            }
            drop(send);
            for done in reports {
                each(done?);
            }
            Ok::<_, ComputeError>((slow_path, stopped))
        })?;
        stopped?;
        self.slow_path(bound, slow_path.into_iter(), each)
    }

    /// The slow path: computes targets run by run.
    fn slow_path(
        &mut self,
        bound: &Bound,
        mut targets: impl Iterator<Item = Target>,
        each: &mut dyn FnMut(Done),
    ) -> Result<(), ComputeError> {
        loop {
            let chunk: Vec<Target> = targets.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                return Ok(());
            }
            let mut done = Done::default();
            for outcome in self.chunk(bound, &chunk)? {
                done.summary.count(outcome.outcome);
                if outcome.problem.is_some() {
                    done.troubled.push(outcome);
                }
            }
            each(done);
        }
    }
}

/// Looks up and computes a batch. `each` receives the runs that are already recorded.
fn compute(
    facts: &Facts<'_>,
    recorder: Recorder<'_>,
    batch: &[Stretch],
    slow_path: &mut Vec<Target>,
    each: &mut dyn FnMut(Done),
) -> Result<Option<Packed>, ComputeError> {
    let runs = batch.iter().map(Stretch::days).sum();
    let span = Summary::span(&recorder.bound.model_version, runs).entered();
    let mut done = Done::default();
    let gathered = gather(facts, recorder, batch)?;
    let packed = pack(recorder, gathered, slow_path, &mut done)?;
    done.summary.note(&span);
    each(done);
    Ok(packed)
}

/// Looks up the recorded runs and gathers the inputs.
fn gather(
    facts: &Facts<'_>,
    recorder: Recorder<'_>,
    batch: &[Stretch],
) -> Result<Gathered, ComputeError> {
    let bound = recorder.bound;
    let mut gatherer = Gatherer::new(facts, bound);
    let (mut known, mut slow_path) = (Vec::new(), Vec::new());
    for stretch in batch {
        let place = (&stretch.boundary_id, &stretch.herd_config_id);
        let series = Series {
            boundary_id: place.0,
            herd_config_id: place.1,
            model_version: &bound.model_version,
            config: bound.config.digest,
        };
        let recorded = facts
            .ledger()
            .latest_runs(series, stretch.from, stretch.to)?;
        let mut recorded = recorded.into_iter().peekable();
        for day in stretch.from.through(stretch.to) {
            let standing = recorded.next_if(|s| s.day == day);
            match standing {
                _ if facts.boundary(place.0, day).is_none() => slow_path.push(stretch.target(day)),
                Some(standing) => {
                    gatherer.known(place, day)?;
                    known.push((stretch.target(day), standing));
                }
                None => gatherer.fresh(place, day)?,
            }
        }
    }
    let (rows, files, inputs) = gatherer.numbered();
    let header = sheets::header(facts, bound, recorder.policy, &files)?;
    Ok(Gathered {
        rows,
        template: Template::new(header).map_err(ComputeError::Sheet)?,
        known: (inputs, known),
        slow_path,
    })
}

/// Compares the recorded runs and computes the other rows. Rows that cannot form a pack take the slow path.
fn pack(
    recorder: Recorder<'_>,
    gathered: Gathered,
    slow_path: &mut Vec<Target>,
    done: &mut Done,
) -> Result<Option<Packed>, ComputeError> {
    let (bound, policy) = (recorder.bound, recorder.policy);
    let Gathered {
        mut rows,
        template,
        known: (inputs, known),
        slow_path: own,
    } = gathered;
    slow_path.extend(own);
    let mut scratch = Scratch::default();
    for (i, (target, standing)) in known.into_iter().enumerate() {
        let is_plain = standing.guardrail != Guardrail::Refused
            && standing.provenance == template.provenance(&inputs, i, &mut scratch)
            && fits(&bound.description().outputs, &standing.outputs);
        match is_plain {
            true => done.summary.count(RunOutcomeKind::Unchanged),
            false => slow_path.push(target),
        }
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let few = rows.len() < policy.pack_from || rows.size() > FULL;
    let computed = match few {
        true => None,
        false => Some(bound.compute(&rows.inputs, rows.len())?),
    };
    let Some(computed) = computed.filter(|c| c.failed.is_empty()) else {
        slow_path.extend((0..rows.len()).map(|i| Target {
            boundary_id: BoundaryId::unchecked(rows.boundary_id(i)),
            herd_config_id: HerdId::unchecked(rows.herd_config_id(i)),
            day: rows.day(i),
        }));
        return Ok(None);
    };
    rows.outputs = computed.outputs;
    for i in 0..rows.len() {
        let provenance = template.provenance(&rows.inputs, i, &mut scratch);
        rows.push_provenance(*provenance.bytes());
        let breached = breached(bound, |o| rows.outputs.get(o)?.number(i));
        rows.push_breached(breached.into_iter());
    }
    packed(rows, &template, recorder, &mut scratch).map(Some)
}

/// Builds the packs, and the runs that refer to them.
fn packed(
    rows: Rows,
    template: &Template,
    recorder: Recorder<'_>,
    scratch: &mut Scratch,
) -> Result<Packed, ComputeError> {
    let mut packs = Vec::new();
    let mut places = Vec::with_capacity(rows.len());
    for part in rows.parts(PART) {
        let bytes = pack::to_bytes(&template.header, &part).map_err(ComputeError::Sheet)?;
        let pack = Digest::of_bytes(&bytes);
        let own = (0..).take(part.len()).map(|row| Place { pack, row });
        places.extend(own);
        packs.push(bytes);
    }
    let runs = places.into_iter().enumerate().map(|(i, place)| {
        let sealed = template.seal(&rows, i, scratch)?;
        let mut outputs = Vec::with_capacity(128);
        pack::list(&rows.outputs, i, scratch, &mut outputs);
        Ok(NewRun {
            key: rows.key(&template.header, i),
            provenance: Digest::from_parts(Recipe::JcsV1, rows.provenance(i)),
            snapshot: sealed.snapshot,
            manifest: sealed.sha256,
            place: Some(place),
            guardrail: recorder.policy.guardrail(!rows.breached(i).is_empty()),
            replaces: None,
            outputs: String::from_utf8(outputs).map_err(|e| e.to_string())?,
        })
    });
    Ok(Packed {
        runs: runs
            .collect::<Result<_, String>>()
            .map_err(ComputeError::Sheet)?,
        packs,
        outputs: rows.outputs,
    })
}

/// Writes packs and then records their runs: a pack is durable before any ledger row refers to it.
fn record(
    ledger: &dyn Write,
    recorder: Recorder<'_>,
    packed: Packed,
) -> Result<Done, ComputeError> {
    let span = tracing::info_span!(
        target: "provender::compute",
        "record",
        logic = recorder.bound.model_version.as_str(),
        runs = packed.runs.len(),
        packs = packed.packs.len(),
        recorded = tracing::field::Empty,
    )
    .entered();
    recorder.manifests.write_packs(&packed.packs)?;
    let batch = recorder.batch(packed.runs);
    let recorded = ledger.record_runs(&batch)?;
    let mut done = Done::default();
    for (i, (run, recorded)) in batch.runs.into_iter().zip(recorded).enumerate() {
        if run.guardrail != Guardrail::Refused && recorded == Recorded::New {
            done.summary.count(RunOutcomeKind::Recorded);
            continue;
        }
        let outputs = packed.outputs.iter().map(|c| c.get(i)).collect();
        let outcome = recorder.outcome_of(&run, outputs, recorded);
        done.summary.count(outcome.outcome);
        if outcome.problem.is_some() {
            done.troubled.push(outcome);
        }
    }
    span.record("recorded", done.summary.recorded);
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(id: &str, from: i32, to: i32) -> Stretch {
        Stretch {
            boundary_id: BoundaryId::unchecked(id),
            herd_config_id: HerdId::unchecked("-"),
            from: Day::from_days(from).unwrap(),
            to: Day::from_days(to).unwrap(),
        }
    }

    #[test]
    fn batches_hold_every_day_once_and_are_full() {
        let most = i32::try_from(BATCH).unwrap();
        let list = [
            stretch("a", 0, 9),
            stretch("b", 5, 5 + 2 * most),
            stretch("c", 1, 1),
            stretch("d", 3, 2),
            stretch("e", Day::MAX.days() - 1, Day::MAX.days()),
        ];
        let parts = batches(&list);
        let days = |batch: &[Stretch]| batch.iter().map(Stretch::days).sum::<usize>();
        assert_eq!(parts.len(), 2);
        assert_eq!(days(&parts[0]), BATCH);
        assert_eq!(days(&parts[1]), BATCH + 14);
        let few = [stretch("a", 0, most), stretch("b", 0, most / 2)];
        assert_eq!(batches(&few).len(), 2);
        assert_eq!(batches(&list[..1]).len(), 1);
        let targets = |list: &[Stretch]| {
            list.iter()
                .flat_map(|s| s.targets().collect::<Vec<_>>())
                .collect::<Vec<_>>()
        };
        assert_eq!(targets(&parts.concat()), targets(&list));
        assert!(batches(&[]).is_empty());
    }
}
