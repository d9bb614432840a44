//! A backtest in many threads and spans gives the same bytes as one pass.

use provender_domain::ids::{BoundaryId, HerdId};
use provender_ledger::EntryNumber;
use std::collections::BTreeMap;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::backtest::run::dealt;
use crate::backtest::spans::SPAN;
use crate::backtest::{Archive, BacktestError, BacktestReport, Contender, Progress, Request};
use crate::compute::activation::activate;
use crate::compute::engine::{Engine, Policy, Target};
use crate::compute::test_ledger;
use crate::compute::{Bound, Facts, binding};
use crate::project::logic::LogicOverrides;
use crate::project::settings::OnGuardrail;
use crate::testing::Load as _;
use provender_domain::canonical::Digest;
use provender_domain::catalogue;
use provender_domain::day::Day;
use provender_domain::interrupt::Interrupt;
use provender_domain::place::Boundary;
use provender_guests::declaration::Limit;
use provender_guests::{magic, recipe::Recipe};
use provender_ledger::Write;
use provender_ledger::entries::{IngestNotes, Origin};
use provender_ledger::entry::Stamp;
use provender_ledger::types::{File, NewFacts, NewObservation, NewStream};
use provender_store::manifest::Store;

const PLACES: usize = 23;
const DAYS: usize = 8;

fn day(offset: usize) -> Day {
    Day::from_days(20_000 + i32::try_from(offset).unwrap()).unwrap()
}

fn place(n: usize) -> BoundaryId {
    BoundaryId::unchecked(format!("b{n:02}"))
}

fn stamp() -> Stamp {
    Stamp {
        at: "2025-07-01T00:00:00Z".into(),
        actor: "tester".into(),
        reason: None,
    }
}

/// The product of a column and the rain of two days.
fn bound(version: &'static str, column: &'static str, unit: &'static str) -> Bound {
    let mut recipe = Recipe::default();
    recipe.declare.version = version;
    recipe.declare.inputs[0].0.unit = Some(unit);
    recipe.declare.inputs[0].1 = column;
    recipe.declare.inputs[1].0.unit = Some("mm");
    recipe.declare.inputs[1].1 = "precipitation_mm:sum:2d";
    recipe.declare.guardrails = vec![("product", None, Some(Limit::Value(40.0)))];
    recipe.declare.monitors = vec![("share_null", Some("product"), Some(0.1), Some(0.5))];
    let nothing = LogicOverrides::default();
    let component = recipe.load().unwrap();
    binding::bind(
        component,
        &catalogue::built_in(),
        &nothing,
        &BTreeMap::new(),
    )
    .unwrap()
}

/// Recorded answers of many places. The inputs of some are proved, those of others come from manifests. In
/// some rows the candidate traps; others have no input.
struct Recorded {
    dir: tempfile::TempDir,
    ledger: Box<dyn Write>,
    before: Bound,
    after: Bound,
}

impl Recorded {
    fn new() -> Recorded {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("manifests")).unwrap();
        let ledger = test_ledger(dir.path());
        let mut all = Recorded {
            dir,
            ledger,
            before: bound("v1", "temp_max_c", "degC"),
            after: bound("v2", "forage_kg_per_ha", "kg/ha"),
        };
        let boundaries = (0..PLACES).map(|n| {
            let boundary = Boundary {
                boundary_id: place(n),
                name: None,
                geometry: String::new(),
                area_ha: 1.0,
                declared_area_ha: None,
                effective_date: None,
            };
            (1, day(0), boundary)
        });
        let facts = NewFacts {
            boundaries: boundaries.collect(),
            ..NewFacts::default()
        };
        all.take_in("boundaries", &facts);
        all.say("temp_max_c", |n, d| Some((n * d % 11) as f64 - 2.0));
        all.say("precipitation_mm", |n, d| Some((n + d) as f64 / 3.0));
        all.say("forage_kg_per_ha", |n, d| match (n, d) {
            (3 | 9 | 17, 4..) => Some(magic::PANIC),
            (n, _) if n % 3 == 2 => None,
            _ => Some((n * 7 + d) as f64 / 8.0),
        });
        activate(&*all.ledger, &all.before, day(0), &stamp()).unwrap();
        let known = all.ledger.head().unwrap();
        all.record(known, 0..5);
        // What was known for these runs differs from what was there when they were recorded.
        all.say("temp_max_c", |n, d| (d > 5).then_some((n + d) as f64));
        all.record(known, 5..DAYS);
        all
    }

    fn take_in(&mut self, text: &str, facts: &NewFacts) {
        let file = File {
            file_id: 0,
            entry: EntryNumber::NONE,
            source: "s".into(),
            kind: if facts.boundaries.is_empty() {
                "forage"
            } else {
                "boundaries"
            }
            .into(),
            format: "forage-csv".into(),
            path: "f.csv".into(),
            sha256: Digest::of_bytes(text.as_bytes()),
            rows: 1,
            retracted: None,
        };
        let taken = self.ledger.record_file(
            &stamp(),
            &file,
            facts,
            &IngestNotes::default(),
            EntryNumber::LATEST,
        );
        taken.unwrap();
    }

    /// Adds a file with a value for every place and day.
    fn say(&mut self, column: &str, value: impl Fn(usize, usize) -> Option<f64>) {
        let streams = (0..PLACES).map(|n| NewStream {
            boundary_id: place(n),
            column: column.to_owned(),
        });
        let cells = (0..PLACES).flat_map(|n| (0..DAYS).map(move |d| (n, d)));
        let observations = cells.filter_map(|(n, d)| {
            Some(NewObservation {
                stream: n,
                date: Some(day(d)),
                value: Some(value(n, d)?),
                row: 1,
            })
        });
        let facts = NewFacts {
            streams: streams.collect(),
            observations: observations.collect(),
            ..NewFacts::default()
        };
        self.take_in(column, &facts);
    }

    fn record(&mut self, known: EntryNumber, days: std::ops::Range<usize>) {
        let reader = test_ledger(self.dir.path());
        let store = self.store();
        let facts = Facts::load(&*reader, known, Vec::new()).unwrap();
        let policy = Policy {
            on_guardrail: OnGuardrail::Mark,
            recheck: false,
            release: None,
            origin: Origin::Answers,
            stamp: stamp(),
            computer: crate::compute::tests::computer(),
            pack_from: usize::MAX,
            interrupt: Interrupt::default(),
        };
        let mut engine = Engine {
            facts: &facts,
            ledger: Some(&*self.ledger),
            manifests: &store,
            policy: &policy,
        };
        let target = |n, d| Target {
            boundary_id: place(n),
            herd_config_id: HerdId::none(),
            day: day(d),
        };
        let runs = days.flat_map(|d| (0..PLACES).map(move |n| target(n, d)));
        let outcomes = engine
            .chunk(&self.before, &runs.collect::<Vec<_>>())
            .unwrap();
        assert!(outcomes.iter().all(|o| o.problem.is_none()));
    }

    fn store(&self) -> Store {
        let path = self.dir.path().join("manifests");
        let dir = Dir::open_ambient_dir(path, ambient_authority()).unwrap();
        Store::new(dir, "manifests")
    }

    fn backtest(
        &self,
        narrow: impl Fn(&mut Request<'_>),
        dealing: (u64, usize),
    ) -> Result<BacktestReport, BacktestError> {
        let settings = LogicOverrides::default();
        let side = |bound| Contender {
            bound,
            settings: &settings,
            has_block: true,
            file: None,
        };
        let mut request = Request {
            candidate: side(&self.after),
            against: side(&self.before),
            boundary: None,
            herd: None,
            from: None,
            to: None,
            window_days: 4,
        };
        narrow(&mut request);
        let catalogue = catalogue::built_in();
        let archive = Archive {
            ledger: &*self.ledger,
            manifests: &self.store(),
            catalogue: &catalogue,
            precedence: Vec::new(),
            interrupt: Interrupt::default(),
        };
        let mut counted = Counted::default();
        let report = dealt(&archive, &request, &mut counted, dealing)?;
        assert_eq!(counted.advanced, counted.total);
        Ok(report)
    }
}

#[derive(Default)]
struct Counted {
    total: u64,
    advanced: u64,
}

impl Progress for Counted {
    fn total(&mut self, runs: u64) {
        self.total += runs;
    }

    fn advance(&mut self, runs: u64) {
        self.advanced += runs;
    }
}

/// The number of runs in a span, and of threads.
const DEALINGS: [(u64, usize); 7] = [(SPAN, 5), (1, 1), (1, 2), (1, 5), (20, 2), (20, 5), (70, 2)];

#[test]
fn the_report_is_the_same_to_the_byte_however_places_are_distributed() {
    let recorded = Recorded::new();
    let narrowings: [fn(&mut Request<'_>); 5] = [
        |_| {},
        |r| r.from = Some(day(2)),
        |r| (r.from, r.to) = (Some(day(1)), Some(day(5))),
        |r| r.boundary = Some(place(3)),
        |r| r.herd = Some(HerdId::none()),
    ];
    for narrow in narrowings {
        let alone = recorded.backtest(narrow, (SPAN, 1)).unwrap();
        let text = serde_json::to_string(&alone.to_json().unwrap()).unwrap();
        for dealing in DEALINGS {
            let report = recorded.backtest(narrow, dealing).unwrap();
            let json = report.to_json().unwrap();
            assert_eq!(serde_json::to_string(&json).unwrap(), text, "{dealing:?}");
        }
    }
    // The report contains everything whose order could vary.
    let all = recorded.backtest(|_| {}, (SPAN, 1)).unwrap();
    assert_eq!(all.rows, 184);
    assert_eq!((all.failed_rows, all.failed.len()), (12, 10));
    assert!(all.provenance.proved > 0 && all.provenance.from_manifests > 0);
    assert_eq!(all.outcomes[0].null_changes.len(), 5);
    assert_eq!(all.affected.len(), 10);
    assert_eq!(all.beyond, ["a"]);
    assert!(all.guardrails[0].after.is_some_and(|g| g.breaches > 0));
    assert_ne!(all.verdict.before, all.verdict.after);
}

#[test]
fn the_first_error_in_the_order_of_the_places_is_reported() {
    let recorded = Recorded::new();
    // The manifest of every run whose inputs are not proved is missing.
    std::fs::remove_dir_all(recorded.dir.path().join("manifests")).unwrap();
    std::fs::create_dir(recorded.dir.path().join("manifests")).unwrap();
    let first_error = |dealing| {
        let error = recorded.backtest(|_| {}, dealing).err().unwrap();
        (error.code(), error.to_string())
    };
    let alone = first_error((SPAN, 1));
    assert!(alone.1.contains("b00"), "{alone:?}");
    for dealing in DEALINGS {
        for _ in 0..4 {
            assert_eq!(first_error(dealing), alone, "{dealing:?}");
        }
    }
}
