//! Tests guard and idempotency against a simple model: after any sequence of ingesting, withdrawing, computing,
//! replacing and reopening, the ledger holds the same as a few maps.
//!
//! * `model` — the actions, and the maps
//! * `real` — the ledger and the manifests

mod model;
mod real;

use provender_domain::ids::{BoundaryId, HerdId};
use provender_ledger::EntryNumber;
use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use serde_json::json;

use model::{Act, COLUMNS, DAYS, Key, MOST, Model, PLACES, Said, acts, day, product};
use real::{Real, bounds, policy, stamp};

use super::bulk::{Done, Stretch};
use super::engine::{Engine, Target};
use super::outcome::{RunOutcomeKind, Summary};
use super::{Bound, Facts, reissue};
use provender_domain::canonical::to_text;
use provender_domain::manifest::{self, Computer, Platform, Program};
use provender_guests::how_many;
use provender_ledger::entries::Origin;
use provender_ledger::types::{Guardrail, NewFacts, NewObservation, NewStream, Run, RunFilter};

/// Program and machine as manifests of tests record them.
pub(crate) fn computer() -> Computer {
    Computer {
        engine: manifest::Engine {
            profile: "p".to_owned(),
            target: "t".to_owned(),
            wasmtime: "48".to_owned(),
        },
        environment: "dev".to_owned(),
        git_commit: None,
        platform: Platform {
            arch: "x86_64".to_owned(),
            os: "linux".to_owned(),
        },
        program: Program {
            name: "provender".to_owned(),
            version: "0.1.0".to_owned(),
        },
    }
}

/// Every place on every day of a range, in the model's and in the engine's terms.
fn targets(from: u8, to: u8) -> Vec<((usize, u8), Target)> {
    let all = (from..=to).flat_map(|d| (0..PLACES.len()).map(move |p| (p, d)));
    let target = |(p, d): (usize, u8)| Target {
        boundary_id: BoundaryId::unchecked(PLACES[p]),
        herd_config_id: HerdId::none(),
        day: day(d),
    };
    all.map(|at| (at, target(at))).collect()
}

fn say(
    real: &mut Real<'_>,
    model: &mut Model,
    (column, place, offset): (usize, usize, u8),
    value: u8,
) {
    let value = f64::from(value) * 3.0;
    let facts = NewFacts {
        streams: vec![NewStream {
            boundary_id: BoundaryId::unchecked(PLACES[place]),
            column: COLUMNS[column].to_owned(),
        }],
        observations: vec![NewObservation {
            stream: 0,
            date: Some(day(offset)),
            value: Some(value),
            row: 1,
        }],
        ..NewFacts::default()
    };
    let text = format!("{column} {place} {offset} {value}");
    model.said.push(Said {
        entry: real.take_in(&text, &facts),
        withdrawn: None,
        at: (column, place, offset),
        value,
    });
}

fn withdraw(real: &mut Real<'_>, model: &mut Model, which: u8) {
    let open: Vec<usize> = (0..model.said.len())
        .filter(|i| model.said[*i].withdrawn.is_none())
        .collect();
    if open.is_empty() {
        return;
    }
    let said = &mut model.said[open[usize::from(which) % open.len()]];
    let files = real.ledger.files().unwrap();
    let file = files.into_iter().find(|f| f.entry == said.entry).unwrap();
    said.withdrawn = Some(real.ledger.retract(&stamp(), &[file]).unwrap());
}

fn compute(
    real: &mut Real<'_>,
    model: &mut Model,
    (config, behind): (usize, u8),
    (from, to): (u8, u8),
    (recheck, dry_run): (bool, bool),
) -> TestCaseResult {
    let (reader, store, bounds) = (real.reader(), real.store(), real.bounds);
    let head = reader.head().unwrap();
    // The boundaries came with the first entry.
    let known = EntryNumber::new((head.get() - i64::from(behind)).max(1));
    let facts = Facts::load(&*reader, known, Vec::new()).unwrap();
    let policy = policy(Origin::Answers, recheck);
    let mut engine = Engine {
        facts: &facts,
        ledger: (!dry_run).then_some(&*real.ledger),
        manifests: &store,
        policy: &policy,
    };
    let (names, asked): (Vec<_>, Vec<_>) = targets(from, to).into_iter().unzip();
    // Computing by columns or run by run must give the same ledger.
    let by_columns = u32::from(from) % 2 == 0;
    let (summary, mut outcomes) = if by_columns {
        let stretches: Vec<Stretch> = (0..PLACES.len())
            .map(|p| Stretch {
                boundary_id: BoundaryId::unchecked(PLACES[p]),
                herd_config_id: HerdId::unchecked("-"),
                from: day(from),
                to: day(to),
            })
            .collect();
        let (mut summary, mut troubled) = (Summary::default(), Vec::new());
        let each = &mut |done: Done| {
            summary.add(done.summary);
            troubled.extend(done.troubled);
        };
        let mut apart = real.reader();
        engine
            .stretches(&bounds[config], &stretches, Some(&mut *apart), each)
            .unwrap();
        (summary, troubled)
    } else {
        let outcomes = engine.chunk(&bounds[config], &asked).unwrap();
        prop_assert_eq!(outcomes.len(), asked.len());
        let mut summary = Summary::default();
        outcomes.iter().for_each(|o| summary.count(o.outcome));
        (summary, outcomes)
    };
    let (mut news, mut counted) = (0, Summary::default());
    for ((place, offset), asked) in names.into_iter().zip(&asked) {
        let own = outcomes.iter().position(|o| {
            o.key.boundary_id == asked.boundary_id && o.key.calculation_date == asked.day
        });
        let outcome = own.map(|i| outcomes.swap_remove(i));
        let inputs = model.inputs(place, offset, known);
        let key = (place, offset, config);
        let expected = match model.runs.get(&key).and_then(|runs| runs.last()) {
            None => RunOutcomeKind::Recorded,
            Some(last) if *last == inputs => RunOutcomeKind::Unchanged,
            Some(_) => RunOutcomeKind::Drift,
        };
        counted.count(expected);
        match &outcome {
            Some(o) => prop_assert_eq!(o.outcome, expected, "{:?} {:?}", key, &o.problem),
            None => prop_assert!(by_columns && expected != RunOutcomeKind::Drift, "{:?}", key),
        }
        model.saw(match expected {
            RunOutcomeKind::Recorded if dry_run => "tried",
            RunOutcomeKind::Recorded => "recorded",
            RunOutcomeKind::Unchanged if recheck => "rechecked",
            RunOutcomeKind::Unchanged => "unchanged",
            RunOutcomeKind::Drift if known < head => "stale",
            _ => "drift",
        });
        if expected == RunOutcomeKind::Recorded && !dry_run {
            model.runs.insert(key, vec![inputs]);
            news += 1;
        } else if expected == RunOutcomeKind::Drift {
            let last = model.runs[&key].last().unwrap();
            let differ: Vec<&str> = (0..2)
                .filter(|i| last[*i] != inputs[*i])
                .map(|i| ["a", "b"][i])
                .collect();
            let changes = outcome.map(|o| o.changes).unwrap_or_default();
            let named: Vec<&str> = changes.iter().map(|c| c.name.as_str()).collect();
            prop_assert_eq!(named, differ, "a drift names what changed and nothing else");
        }
    }
    prop_assert_eq!(summary, counted);
    // One entry for everything that is new; no entry if nothing is.
    prop_assert_eq!(
        real.ledger.head().unwrap(),
        head.get() + i64::from(news > 0)
    );
    Ok(())
}

fn replace(real: &mut Real<'_>, model: &mut Model, config: usize, dry_run: bool) -> TestCaseResult {
    let (reader, store, bounds) = (real.reader(), real.store(), real.bounds);
    let known = reader.head().unwrap();
    let facts = Facts::load(&*reader, known, Vec::new()).unwrap();
    let policy = policy(Origin::Reissue, false);
    let mut engine = Engine {
        facts: &facts,
        ledger: (!dry_run).then_some(&*real.ledger),
        manifests: &store,
        policy: &policy,
    };
    let (names, asked): (Vec<_>, Vec<_>) = targets(0, DAYS - 1).into_iter().unzip();
    let plan = reissue::plan(&mut engine, &bounds[config], &asked).unwrap();
    prop_assert!(plan.refused.is_empty());
    let mut planned = 0;
    let mut again = 0;
    for (place, offset) in names {
        let inputs = model.inputs(place, offset, known);
        if let Some(runs) = model.runs.get_mut(&(place, offset, config))
            && *runs.last().unwrap() != inputs
        {
            planned += 1;
            if !dry_run {
                again += u32::from(runs.contains(&inputs));
                runs.push(inputs);
            }
        }
    }
    if again > 0 {
        model.saw("values that came back");
    }
    if planned > 0 && !dry_run {
        model.saw("reissued");
    }
    prop_assert_eq!(plan.runs.len(), planned);
    let questions = plan.runs.into_iter().map(|p| (p.question, p.replaces));
    let outcomes = engine
        .reissue(&bounds[config], questions.collect())
        .unwrap();
    prop_assert!(
        outcomes
            .iter()
            .all(|o| o.outcome == RunOutcomeKind::Recorded)
    );
    let grown = i64::from(planned > 0 && !dry_run);
    prop_assert_eq!(real.ledger.head().unwrap(), known.get() + grown);
    Ok(())
}

/// Checks that the ledger holds exactly the model's runs and that each has its manifest.
fn same(real: &Real<'_>, model: &Model) -> TestCaseResult {
    let store = real.store();
    let recorded = real.ledger.runs(&RunFilter::default()).unwrap();
    let count: usize = model.runs.values().map(Vec::len).sum();
    prop_assert_eq!(recorded.len(), count);
    let find = |key: &Key, reissue: usize| -> Option<&Run> {
        recorded.iter().find(|r| {
            r.run.key.boundary_id == PLACES[key.0]
                && r.run.key.calculation_date == day(key.1)
                && r.run.key.config_version.config == real.bounds[key.2].config.digest
                && usize::try_from(r.run.key.config_version.reissue) == Ok(reissue)
        })
    };
    for (key, runs) in &model.runs {
        for (n, inputs) in runs.iter().enumerate() {
            let Some(found) = find(key, n) else {
                return Err(TestCaseError::fail(format!(
                    "{key:?}: reissue {n} is not there"
                )));
            };
            let product = product(inputs);
            let outputs = to_text(&json!([product, "ok"])).unwrap();
            prop_assert_eq!(&found.run.outputs, &outputs, "{:?}", key);
            let breached = product.is_some_and(|p| p > MOST);
            let guardrail = [Guardrail::Ok, Guardrail::Marked][usize::from(breached)];
            prop_assert_eq!(found.run.guardrail, guardrail);
            prop_assert_eq!(found.superseded_by.is_some(), n + 1 < runs.len());
            prop_assert_eq!(found.run.replaces.is_some(), n > 0);
            let manifest = store.read(found.run.manifest_ref());
            prop_assert!(manifest.is_ok(), "{:?}: {:?}", key, manifest);
        }
    }
    Ok(())
}

/// Performs the actions and compares after each. Returns how often each thing happened.
fn play(bounds: &[Bound; 2], acts: Vec<Act>) -> Result<BTreeMap<&'static str, u32>, TestCaseError> {
    let (mut real, mut model) = (Real::new(bounds), Model::default());
    for act in acts {
        match act {
            Act::Say {
                column,
                place,
                day,
                value,
            } => say(&mut real, &mut model, (column, place, day), value),
            Act::Withdraw(which) => withdraw(&mut real, &mut model, which),
            Act::Compute {
                config,
                from,
                to,
                behind,
                recheck,
                dry_run,
            } => compute(
                &mut real,
                &mut model,
                (config, behind),
                (from, to),
                (recheck, dry_run),
            )?,
            Act::Reissue { config, dry_run } => {
                replace(&mut real, &mut model, config, dry_run)?;
            }
            Act::Reopen => real.ledger = real.reader(),
        }
        same(&real, &model)?;
    }
    Ok(model.seen)
}

#[test]
fn the_ledger_holds_what_a_plain_model_holds() {
    let bounds = bounds();
    let mut runner = TestRunner::new(Config {
        cases: how_many(48),
        source_file: Some(file!()),
        ..Config::default()
    });
    let seen = RefCell::new(BTreeMap::<&str, u32>::new());
    let result = runner.run(&acts(), |acts| {
        for (what, times) in play(&bounds, acts)? {
            *seen.borrow_mut().entry(what).or_default() += times;
        }
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
    let seen = seen.into_inner();
    println!("{seen:?}");
    let all = [
        "recorded",
        "tried",
        "unchanged",
        "rechecked",
        "drift",
        "stale",
        "reissued",
    ];
    for what in all {
        assert!(seen.contains_key(what), "{what} never happened: {seen:?}");
    }
}

/// A file is revised, its runs are replaced, the revision is withdrawn: the original values are recorded a third time,
/// not recognised as the first recording.
#[test]
fn values_that_return_are_recorded_again() {
    let say = |column, value| Act::Say {
        column,
        place: 0,
        day: 0,
        value,
    };
    let compute = Act::Compute {
        config: 0,
        from: 0,
        to: 0,
        behind: 0,
        recheck: false,
        dry_run: false,
    };
    let reissue = Act::Reissue {
        config: 0,
        dry_run: false,
    };
    let acts = vec![
        say(0, 1),
        say(1, 1),
        compute.clone(),
        say(0, 2),
        compute.clone(),
        reissue.clone(),
        Act::Withdraw(2),
        compute.clone(),
        reissue,
        compute,
    ];
    let seen = play(&bounds(), acts).unwrap();
    assert_eq!(seen["values that came back"], 1, "{seen:?}");
    assert_eq!((seen["drift"], seen["reissued"]), (2, 2), "{seen:?}");
}
