//! The system under test: a ledger and its manifests in a folder.

use provender_domain::ids::BoundaryId;
use provender_ledger::EntryNumber;
use std::collections::BTreeMap;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::model::{MOST, PLACES, day};
use crate::compute::engine::Policy;
use crate::compute::test_ledger;
use crate::compute::{Bound, binding};
use crate::project::logic::LogicOverrides;
use crate::project::settings::OnGuardrail;
use crate::testing::Load as _;
use provender_domain::canonical::Digest;
use provender_domain::catalogue;
use provender_domain::interrupt::Interrupt;
use provender_domain::place::Boundary;
use provender_guests::declaration::Limit;
use provender_guests::recipe::Recipe;
use provender_ledger::Write;
use provender_ledger::entries::{IngestNotes, Origin};
use provender_ledger::entry::Stamp;
use provender_ledger::types::{File, NewFacts};
use provender_store::manifest::Store;

/// A ledger and its manifests in a folder, and the same logic under two configurations.
pub(super) struct Real<'b> {
    pub(super) dir: tempfile::TempDir,
    pub(super) ledger: Box<dyn Write>,
    pub(super) bounds: &'b [Bound; 2],
}

pub(super) fn stamp() -> Stamp {
    Stamp {
        at: "2025-07-01T00:00:00Z".into(),
        actor: "tester".into(),
        reason: None,
    }
}

pub(super) fn bounds() -> [Bound; 2] {
    let mut recipe = Recipe::default();
    recipe.declare.inputs[1].0.unit = Some("mm");
    recipe.declare.inputs[1].1 = "precipitation_mm:sum:2d";
    recipe.declare.guardrails = vec![("product", None, Some(Limit::Value(MOST)))];
    [2.0, 3.0].map(|factor| {
        let overrides = LogicOverrides {
            parameters: BTreeMap::from([("factor".to_owned(), toml::Value::Float(factor))]),
            ..LogicOverrides::default()
        };
        let component = recipe.load().unwrap();
        binding::bind(
            component,
            &catalogue::built_in(),
            &overrides,
            &BTreeMap::new(),
        )
        .unwrap()
    })
}

impl Real<'_> {
    pub(super) fn new(bounds: &[Bound; 2]) -> Real<'_> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("manifests")).unwrap();
        let ledger = test_ledger(dir.path());
        let mut real = Real {
            dir,
            ledger,
            bounds,
        };
        let boundaries = PLACES.iter().map(|id| {
            let boundary = Boundary {
                boundary_id: BoundaryId::unchecked(*id),
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
        real.take_in("boundaries", &facts);
        real
    }

    pub(super) fn take_in(&mut self, text: &str, facts: &NewFacts) -> EntryNumber {
        let file = File {
            file_id: 0,
            entry: EntryNumber::NONE,
            source: "s".into(),
            kind: "forage".into(),
            format: "forage-csv".into(),
            path: "f.csv".into(),
            sha256: Digest::of_bytes(text.as_bytes()),
            rows: 1,
            retracted: None,
        };
        self.ledger
            .record_file(
                &stamp(),
                &file,
                facts,
                &IngestNotes::default(),
                EntryNumber::LATEST,
            )
            .unwrap()
    }

    pub(super) fn store(&self) -> Store {
        let path = self.dir.path().join("manifests");
        Store::new(
            Dir::open_ambient_dir(path, ambient_authority()).unwrap(),
            "manifests",
        )
    }

    /// A second connection, which reads while the first one writes.
    pub(super) fn reader(&self) -> Box<dyn Write> {
        test_ledger(self.dir.path())
    }
}

pub(super) fn policy(origin: Origin, recheck: bool) -> Policy {
    Policy {
        on_guardrail: OnGuardrail::Mark,
        recheck,
        release: None,
        origin,
        stamp: stamp(),
        computer: crate::compute::tests::computer(),
        // Small enough that some manifests have a file of their own and some share a pack.
        pack_from: 3,
        interrupt: Interrupt::default(),
    }
}
