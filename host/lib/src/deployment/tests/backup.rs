//! Backups: reading one on its own, and refusing a target.

use std::collections::BTreeMap;

use super::*;

/// Every file below a folder, by its path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = PathBuf::from(path.file_name().unwrap());
        match path.is_dir() {
            true => found.extend(files(&path).into_iter().map(|(p, b)| (name.join(p), b))),
            false => drop(found.insert(name, fs::read(&path).unwrap())),
        }
    }
    found
}

#[test]
fn a_backup_is_complete_readable_by_itself_and_never_overwritten() {
    let folder = ranch();
    let deployment = open(folder.path());
    deployment.run_day(day("2025-06-30"), &mut ()).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("a/copy");
    let backed_up = deployment.back_up(&copy, &mut ()).unwrap();
    assert_eq!(backed_up.ledger, copy.join("ledger.db"));
    assert!(backed_up.manifests > 0);
    assert_eq!(backed_up.release_files, 0);
    let own = deployment.project.settings.manifests.path.clone();
    let mut own = files(&folder.path().join(own));
    own.retain(|path, _| !path.starts_with(".writing"));
    assert_eq!(own.len() as u64, backed_up.manifests);
    let before = files(&copy);
    assert!(before.len() as u64 == backed_up.manifests + 1, "{before:?}");
    assert!(files(&copy.join("manifests")) == own);

    let mut options = Options::new(folder.path(), NOW, "ada");
    options.ledger = Some(Address::from_path(&backed_up.ledger));
    let other = Deployment::open(&options).unwrap();
    let head = |deployment: &Deployment| deployment.reader().unwrap().head().unwrap();
    assert_eq!(head(&other), head(&deployment));

    let refused = |to: &Path| deployment.back_up(to, &mut ()).unwrap_err();
    let (again, unfinished) = (refused(&copy), elsewhere.path().join("unfinished"));
    assert!(matches!(&again, BackupError::NotEmpty(taken) if *taken == copy));
    assert_eq!(again.code(), "backup_exists");
    assert!(files(&copy) == before, "nothing was changed");
    fs::create_dir_all(unfinished.join("manifests")).unwrap();
    assert!(matches!(refused(&unfinished), BackupError::Unfinished(_)));
    let inside = folder.path().join("out/manifests/copy");
    assert!(matches!(refused(&inside), BackupError::Inside { .. }));
    let file = folder.path().join("provender.toml");
    assert!(matches!(refused(&file), BackupError::NotAFolder(_)));

    // If interrupted, it leaves no folder that it created.
    options.ledger = None;
    options.interrupt.ask();
    let stopped = elsewhere.path().join("b/stopped");
    let refused = Deployment::open(&options)
        .unwrap()
        .back_up(&stopped, &mut ());
    assert!(matches!(refused, Err(BackupError::Interrupted(_))));
    assert!(!elsewhere.path().join("b").exists());
}
