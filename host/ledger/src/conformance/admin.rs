//! A ledger as a whole.

use std::time::Duration;

use super::{Promise, TestStore, filled};
use crate::admin::{Backup, newest_schema};
use crate::types::RunFilter;
use crate::{Address, LedgerError, Opening, open, open_reader};

pub(super) const ALL: &[Promise] = &[
    looking_for_a_ledger_makes_none,
    a_ledger_has_an_id_that_its_copies_share_and_no_other_has,
    a_ledger_of_the_newest_schema_is_migrated_to_itself,
    a_copy_holds_what_was_recorded_and_is_never_overwritten,
    a_lock_is_held_by_one_at_a_time,
];

const PATIENCE: Duration = Duration::from_secs(60);

fn looking_for_a_ledger_makes_none(store: &dyn TestStore) {
    let admin = store.address().admin();
    assert!(!admin.exists().unwrap());
    assert!(open_reader(&store.address()).is_err());
    let gone = open(&store.address(), Opening::Existing, PATIENCE);
    assert!(matches!(gone.err(), Some(LedgerError::Gone { .. })));
    assert!(!admin.exists().unwrap());
    admin.prepare().unwrap();
    assert!(!admin.exists().unwrap());
    drop(store.open());
    assert!(admin.exists().unwrap());
    assert!(open(&store.address(), Opening::Existing, PATIENCE).is_ok());
    assert_eq!(admin.unfinished(), 0);
}

fn a_ledger_has_an_id_that_its_copies_share_and_no_other_has(store: &dyn TestStore) {
    let ledger = store.open();
    let id = ledger.id().unwrap().unwrap();
    super::fill(&*ledger);
    assert_eq!(ledger.id().unwrap(), Some(id));
    assert_eq!(store.open().id().unwrap(), Some(id));
    assert_eq!(store.reader().id().unwrap(), Some(id));
    let text = id.to_string();
    assert_eq!((text.len(), text.parse()), (4 + 32, Ok(id)), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let backup = store.address().admin().back_up(folder.path()).unwrap();
    backup.publish().unwrap();
    let at = |name: &str| Address::from_path(&folder.path().join(name));
    let copy = open_reader(&at(Backup::NAME)).unwrap();
    assert_eq!(copy.id().unwrap(), Some(id));
    let other = open(&at("other.db"), Opening::Create, PATIENCE).unwrap();
    assert_ne!(other.id().unwrap().unwrap(), id);
}

fn a_ledger_of_the_newest_schema_is_migrated_to_itself(store: &dyn TestStore) {
    let head = filled(store).head().unwrap();
    let admin = store.address().admin();
    let described = admin.describe().unwrap();
    assert_eq!((described.schema, described.head), (newest_schema(), head));
    assert_eq!(described.address, store.address());
    assert_eq!(
        admin.migrate(PATIENCE).unwrap(),
        (described.clone(), described)
    );
}

fn a_copy_holds_what_was_recorded_and_is_never_overwritten(store: &dyn TestStore) {
    let ledger = filled(store);
    let admin = store.address().admin();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join(Backup::NAME);
    // Dropped before it has its name, a copy leaves nothing.
    drop(admin.back_up(folder.path()).unwrap());
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    let backup = admin.back_up(folder.path()).unwrap();
    assert!(!at.exists());
    backup.publish().unwrap();
    let copy = open_reader(&Address::from_path(&at)).unwrap();
    let all = RunFilter::default();
    assert_eq!(copy.entries(None).unwrap(), ledger.entries(None).unwrap());
    assert_eq!(copy.runs(&all).unwrap(), ledger.runs(&all).unwrap());
    let again = admin
        .back_up(folder.path())
        .and_then(|b| b.publish().map_err(|e| LedgerError::Io(e.to_string())));
    assert!(again.is_err());
}

fn a_lock_is_held_by_one_at_a_time(store: &dyn TestStore) {
    drop(store.open());
    let address = store.address();
    let held = address.admin().lock("turn").unwrap();
    let (sender, got) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let lock = address.admin().lock("turn").unwrap();
            sender.send(()).unwrap();
            drop(lock);
        });
        // Another name is another lock, and nobody who reads or appends waits for either.
        drop(address.admin().lock("other").unwrap());
        drop(filled(store));
        assert!(got.try_recv().is_err(), "two hold one lock");
        drop(held);
        waiting.join().unwrap();
    });
    got.recv().unwrap();
}
