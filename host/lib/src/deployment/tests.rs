//! Deployments in temporary folders, with the sample ranch and its components.

mod backup;
mod named;

use provender_domain::ids::{BoundaryId, ModelVersion};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use provender_domain::day::Day;
use provender_ledger::entries::NoPayload;
use provender_ledger::{LedgerError, Payload};
use provender_sandbox::PinState;
use tempfile::TempDir;

use crate::compute::outcome::RunOutcomeKind;
use crate::compute::select::Selection;
use crate::explain::find::Wanted;
use crate::project::{ProjectError, settings};

use super::*;

const NOW: &str = "2025-07-01T06:00:00.000000Z";

/// Creates the sample ranch in a folder of its own.
fn ranch() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let contents = Contents {
        sample: true,
        ..Contents::default()
    };
    create(folder.path(), &contents).unwrap();
    folder
}

fn open(folder: &Path) -> Deployment {
    Deployment::open(&Options::new(folder, NOW, "ada")).unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn rewrite(folder: &Path, file: &str, change: impl FnOnce(String) -> String) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, change(text)).unwrap();
}

#[test]
fn a_day_is_run_once_explained_and_complete() {
    let folder = ranch();
    let deployment = open(folder.path());
    let as_of = day("2025-06-30");
    let before = deployment.day_status(as_of).unwrap();
    // Nothing is ingested yet, so nothing is due.
    assert_eq!((before.expected, before.is_complete()), (0, false));

    let first = deployment.run_day(as_of, &mut ()).unwrap();
    assert!(first.files.iter().all(|f| f.error.is_none()));
    assert!(first.status.is_complete());
    assert_eq!(first.computed.troubles().count(), 0);
    assert_eq!(
        first.computed.summary.recorded,
        first.status.expected as u64
    );
    assert!(folder.path().join(&first.published.html).is_file());
    assert!(!first.published.known);
    assert!(first.canary.is_none());

    // Running the same day again changes nothing.
    let again = deployment.run_day(as_of, &mut ()).unwrap();
    assert_eq!(
        again.computed.summary.unchanged,
        first.computed.summary.recorded
    );
    assert_eq!(again.report.report, first.report.report);
    assert!(again.published.known);

    let explanation = deployment
        .explain(&Wanted::Answer {
            boundary_id: BoundaryId::unchecked("north"),
            date: as_of,
            herd_config_id: None,
            logic: None,
            config_version: None,
        })
        .unwrap();
    assert!(!explanation.inputs.is_empty());
}

#[test]
fn a_day_that_was_not_run_says_what_is_missing_and_records_nothing() {
    let folder = ranch();
    let deployment = open(folder.path());
    deployment.run_day(day("2025-06-30"), &mut ()).unwrap();
    let head = deployment.reader().unwrap().head().unwrap();

    let status = deployment.day_status(day("2025-06-29")).unwrap();
    assert!(!status.is_complete());
    assert_eq!(status.recorded, 0);
    assert_eq!(status.count(Lack::Missing), status.expected);
    assert!(status.unanswered[0].cause.contains("not computed yet"));
    let dry = Request {
        selection: Selection {
            boundary: Some(BoundaryId::unchecked("north")),
            herd: None,
            from: day("2025-06-28"),
            to: day("2025-06-29"),
        },
        logics: Vec::new(),
        one_off: std::collections::BTreeMap::new(),
        known_at: None,
        dry_run: true,
        recheck: false,
        list_all: false,
    };
    let computed = deployment.compute(&dry, &mut ()).unwrap();
    let runs = &computed.logics[0].1;
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|r| r.outcome == RunOutcomeKind::Recorded));
    assert_eq!(deployment.reader().unwrap().head().unwrap(), head);
}

#[test]
fn progress_follows_the_phases_of_a_day() {
    #[derive(Default)]
    struct Seen(Vec<(Phase, u64, u64)>);
    impl Progress for Seen {
        fn begin(&mut self, phase: Phase, total: u64) {
            self.0.push((phase, total, 0));
        }
        fn advance(&mut self, steps: u64) {
            self.0.last_mut().unwrap().2 += steps;
        }
    }
    let folder = ranch();
    let mut seen = Seen::default();
    open(folder.path())
        .run_day(day("2025-06-30"), &mut seen)
        .unwrap();
    let phases: Vec<Phase> = seen.0.iter().map(|(phase, ..)| *phase).collect();
    assert_eq!(phases, [Phase::Ingest, Phase::Compute]);
    assert!(
        seen.0
            .iter()
            .all(|(_, total, done)| total == done && *done > 0)
    );
}

#[test]
fn a_folder_that_is_not_a_deployment_is_distinguished_from_an_unusable_one() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(folder.path(), NOW, "ada");
    let refused = Deployment::open(&options).err().unwrap();
    assert!(matches!(
        refused,
        DeploymentError::Project(ProjectError::NotFound(_))
    ));
    fs::write(folder.path().join(settings::FILE), "[ledger]\nurl = 3\n").unwrap();
    let refused = Deployment::open(&options).err().unwrap();
    assert!(matches!(
        refused,
        DeploymentError::Project(ProjectError::Parse { .. })
    ));
    let above = Options {
        location: Location::Above(folder.path().join("a/b")),
        ..options
    };
    let refused = Deployment::open(&above).err().unwrap();
    assert!(matches!(
        refused,
        DeploymentError::Project(ProjectError::Parse { .. })
    ));
}

#[test]
fn files_that_people_write_do_not_keep_the_record_from_being_read() {
    let folder = ranch();
    rewrite(folder.path(), "logic.toml", |_| {
        "[days_remaining".to_owned()
    });
    let options = Options::new(folder.path(), NOW, "ada");
    assert!(Deployment::open(&options).is_err());
    let deployment = Deployment::open_record(&options).unwrap();
    assert!(deployment.ledger_if_any().unwrap().is_none());
    assert!(matches!(
        deployment.recorded().err().unwrap(),
        DeploymentError::NothingRecorded(_)
    ));
}

#[test]
fn an_invalid_instant_is_refused() {
    let folder = ranch();
    let refused = Deployment::open(&Options::new(folder.path(), "yesterday", "ada"));
    assert!(matches!(refused.err().unwrap(), DeploymentError::Clock));
}

#[test]
fn a_lost_ledger_is_not_created_again() {
    let folder = ranch();
    let deployment = open(folder.path());
    deployment.run_day(day("2025-06-30"), &mut ()).unwrap();
    drop(deployment);
    let ledger = folder.path().join("out/ledger.db");
    assert!(ledger.exists());
    for entry in fs::read_dir(folder.path().join("out")).unwrap() {
        let entry = entry.unwrap();
        let is_of_ledger = entry.file_name().to_string_lossy().starts_with("ledger.db");
        if is_of_ledger {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let deployment = Deployment::open_record(&Options::new(folder.path(), NOW, "ada")).unwrap();
    for refused in [
        deployment.has_ledger().err().unwrap(),
        deployment.reader().err().unwrap(),
        deployment.writer().err().unwrap(),
        deployment.standing().err().unwrap(),
    ] {
        let gone = matches!(refused, DeploymentError::Ledger(LedgerError::Gone { .. }));
        assert!(gone, "{refused:?}");
    }
    assert!(!ledger.exists());
}

#[test]
fn another_ledger_is_read_and_never_written() {
    let folder = ranch();
    open(folder.path())
        .run_day(day("2025-06-30"), &mut ())
        .unwrap();
    let options = Options {
        ledger: Some(open(folder.path()).ledger().clone()),
        ..Options::new(folder.path(), NOW, "ada")
    };
    let deployment = Deployment::open(&options).unwrap();
    assert!(deployment.reader().unwrap().head().unwrap() > EntryNumber::NONE);
    assert!(matches!(
        deployment.writer().err().unwrap(),
        DeploymentError::ReadOnly(_)
    ));
}

#[test]
fn a_missing_lock_file_pins_nothing_and_a_broken_one_is_an_error() {
    let folder = ranch();
    let deployment = open(folder.path());
    fs::remove_file(folder.path().join(LOCK)).unwrap();
    assert!(deployment.lock_if_any().unwrap().is_none());
    assert!(matches!(
        deployment.lock().err().unwrap(),
        DeploymentError::LockMissing(_)
    ));
    fs::write(folder.path().join(LOCK), "components = 3").unwrap();
    assert!(matches!(
        deployment.lock_if_any().err().unwrap(),
        DeploymentError::Logic(_)
    ));
}

#[test]
fn bytes_that_are_not_the_pinned_ones_are_never_loaded() {
    let folder = ranch();
    let deployment = open(folder.path());
    let lock = deployment.lock().unwrap();
    let pinned = pin(&lock, &ModelVersion::unchecked("days_remaining:v1")).unwrap();
    let file = folder.path().join(&pinned.path);
    let mut bytes = fs::read(&file).unwrap();
    bytes.push(0);
    fs::write(&file, &bytes).unwrap();
    assert!(matches!(
        deployment.pinned_bytes(pinned).err().unwrap(),
        DeploymentError::ComponentLonger { .. }
    ));
    bytes.pop();
    bytes[100] ^= 1;
    fs::write(&file, &bytes).unwrap();
    assert!(matches!(
        deployment.pinned_bytes(pinned).err().unwrap(),
        DeploymentError::Logic(_)
    ));
    fs::remove_file(&file).unwrap();
    assert!(matches!(
        deployment.pinned_bytes(pinned).err().unwrap(),
        DeploymentError::ComponentUnreadable { .. }
    ));
    assert!(matches!(
        pin(&lock, &ModelVersion::unchecked("days_remaining:v99"))
            .err()
            .unwrap(),
        DeploymentError::NotPinned { .. }
    ));
    assert!(matches!(
        pin(&lock, &ModelVersion::unchecked("days_remaining"))
            .err()
            .unwrap(),
        DeploymentError::NotALogic { .. }
    ));
}

#[test]
fn no_active_logic_is_an_error_only_while_none_is_named() {
    let folder = ranch();
    rewrite(folder.path(), settings::FILE, |text| {
        text.lines()
            .map(|l| match l.starts_with("active") {
                true => "active = []\n".to_owned(),
                false => format!("{l}\n"),
            })
            .collect()
    });
    let deployment = open(folder.path());
    assert!(matches!(
        deployment.logics(&[]).err().unwrap(),
        DeploymentError::NoActiveLogic
    ));
    let named = [ModelVersion::unchecked("days_remaining:v1")];
    assert_eq!(deployment.logics(&named).unwrap(), named);
}

#[test]
fn a_clock_that_is_behind_is_reported_once() {
    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);
    impl Observer for Heard {
        fn warn(&self, warning: &Warning<'_>) {
            self.0.lock().unwrap().push(warning.to_string());
        }
    }
    let folder = ranch();
    let ledger = open(folder.path()).writer().unwrap();
    let stamp = open(folder.path()).stamp(None);
    ledger
        .append(&stamp, &Payload::Unhold(NoPayload {}))
        .unwrap();
    drop(ledger);
    let heard = Arc::new(Heard::default());
    let options = Options {
        observer: Arc::clone(&heard) as Arc<dyn Observer>,
        ..Options::new(folder.path(), "2025-06-01T00:00:00.000000Z", "ada")
    };
    let deployment = Deployment::open_record(&options).unwrap();
    let writers = [deployment.writer().unwrap(), deployment.writer().unwrap()];
    drop(writers);
    let heard = heard.0.lock().unwrap();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(heard[0].contains("2025-06-01") && heard[0].contains("2025-07-01"));
}

#[test]
fn a_folder_becomes_a_deployment_once() {
    let folder = ranch();
    let refused = create(folder.path(), &Contents::default()).err().unwrap();
    assert!(matches!(refused, CreateError::Already(_)));
    let other = tempfile::tempdir().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let contents = Contents {
        plugins: Some(empty.path().to_path_buf()),
        ..Contents::default()
    };
    let refused = create(other.path(), &contents).err().unwrap();
    assert!(matches!(refused, CreateError::NoComponents(_)));
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
}

#[test]
fn a_draft_is_pinned_replaced_frozen_and_held_to_its_bytes() {
    let folder = ranch();
    let deployment = open(folder.path());
    let sandbox = deployment.sandbox().unwrap();
    let lock = deployment.lock().unwrap();
    let shipped = pin(&lock, &ModelVersion::unchecked("days_remaining:v1"))
        .unwrap()
        .clone();
    let bytes = deployment.pinned_bytes(&shipped).unwrap();
    let component = sandbox.load("v1.wasm", &bytes).unwrap();
    // Pinning the same bytes again changes nothing; if the file is missing, it is restored.
    let again = deployment.pin_draft(&component, &bytes, &shipped.limits);
    assert_eq!(again.unwrap(), PinOutcome::Unchanged(shipped.clone()));
    fs::remove_file(folder.path().join(&shipped.path)).unwrap();
    let again = deployment.pin_draft(&component, &bytes, &shipped.limits);
    assert_eq!(again.unwrap(), PinOutcome::Restored(shipped.clone()));
    assert_eq!(deployment.pinned_bytes(&shipped).unwrap(), bytes);

    // Without its pin it is a draft again, which can be frozen once.
    fs::remove_file(folder.path().join(LOCK)).unwrap();
    let pinned = deployment.pin_draft(&component, &bytes, &shipped.limits);
    let PinOutcome::Pinned { pin, replaced } = pinned.unwrap() else {
        panic!("it was not pinned")
    };
    assert_eq!((pin.state, replaced), (PinState::Draft, None));
    let frozen = deployment.freeze_pin(
        &ModelVersion::unchecked("days_remaining:v1"),
        Some("reviewed"),
    );
    let FreezeOutcome::Frozen(frozen) = frozen.unwrap() else {
        panic!("it was not frozen")
    };
    assert_eq!(frozen.state, PinState::Frozen);
    let again = deployment.freeze_pin(&ModelVersion::unchecked("days_remaining:v1"), None);
    assert_eq!(again.unwrap(), FreezeOutcome::Unchanged(frozen.clone()));
    // Removed from the lock file, it comes back as frozen.
    fs::remove_file(folder.path().join(LOCK)).unwrap();
    let back = deployment.pin_draft(&component, &bytes, &shipped.limits);
    assert!(matches!(back.unwrap(), PinOutcome::Pinned { pin, .. } if pin == frozen));
}
