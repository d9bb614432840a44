//! Files that a person names: which source each joins, and how it is read.

use std::path::PathBuf;

use crate::ingest::parsed::Kind;
use crate::ingest::report::{FileOutcome, FileReport, IngestError};
use crate::ingest::take::Policy;

use super::*;

fn take(deployment: &Deployment, named: &NamedFiles) -> Result<Vec<FileReport>, DeploymentError> {
    let policy = Policy {
        accept: false,
        dry_run: false,
        today: deployment.today,
    };
    let ledger = deployment.writer().unwrap();
    deployment.ingest_named(&*ledger, &policy, named, &mut ())
}

/// A file outside of the deployment with the forage of one place, of which no source knows.
fn forage(folder: &Path, name: &str, kg_per_ha: u32) -> PathBuf {
    let path = folder.join(name);
    let text = format!("boundary_id,date,kg_per_ha\nnorth,2025-06-01,{kg_per_ha}\n");
    fs::write(&path, text).unwrap();
    path
}

fn named(path: PathBuf) -> NamedFiles {
    NamedFiles {
        files: vec![(Kind::Forage, path)],
        ..NamedFiles::default()
    }
}

#[test]
fn a_corrected_copy_joins_the_one_source_that_gave_such_files_before() {
    let (folder, other) = (ranch(), tempfile::tempdir().unwrap());
    let deployment = open(folder.path());
    let mut first = named(forage(other.path(), "a.csv", 900));
    first.source = Some("field-notes".to_owned());
    let report = take(&deployment, &first).unwrap().remove(0);
    assert_eq!(report.outcome, FileOutcome::Taken, "{:?}", report.error);
    let copy = named(forage(other.path(), "b.csv", 910));
    let report = take(&deployment, &copy).unwrap().remove(0);
    assert_eq!(report.source, "field-notes", "{:?}", report.error);

    // With a second such source nobody knows which one a third file belongs to.
    let mut second = named(forage(other.path(), "c.csv", 700));
    second.source = Some("drone".to_owned());
    take(&deployment, &second).unwrap();
    let third = named(forage(other.path(), "d.csv", 800));
    let Err(DeploymentError::ManySources { sources, .. }) = take(&deployment, &third) else {
        panic!("a file of several sources was taken in");
    };
    assert_eq!(sources, ["drone", "field-notes"]);
}

#[test]
fn a_file_that_cannot_be_read_is_in_its_report_and_others_are_taken() {
    let (folder, other) = (ranch(), tempfile::tempdir().unwrap());
    let deployment = open(folder.path());
    let mut files = named(other.path().join("gone.csv"));
    let there = forage(other.path(), "a.csv", 900);
    files.files.push((Kind::Forage, there));
    let reports = take(&deployment, &files).unwrap();
    assert!(matches!(reports[0].error, Some(IngestError::Io { .. })));
    assert_eq!(reports[1].outcome, FileOutcome::Taken);
}

#[test]
fn a_file_in_the_deployment_is_recorded_by_its_path_in_it() {
    let folder = ranch();
    let deployment = open(folder.path());
    let inside = folder.path().join("sources.toml");
    assert_eq!(deployment.shown_path(&inside), "sources.toml");
    let gone = folder.path().join("gone.csv");
    assert_eq!(deployment.shown_path(&gone), gone.display().to_string());
}
