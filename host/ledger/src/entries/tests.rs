//! Every kind has a struct, and recorded payloads round-trip to the same bytes.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use super::*;
use crate::entry::Stamp;

/// One line for each form of each kind, as recorded by version 0.1.0.
const KNOWN: &str = include_str!("../../../../tests/fixtures/entries-0.1.0.jsonl");

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(name)
}

fn entry(kind: &str, payload: &str) -> Entry {
    Entry {
        seq: EntryNumber::new(7),
        kind: kind.to_owned(),
        stamp: Stamp {
            at: "2025-07-01T06:00:00.000000Z".into(),
            actor: "ops".into(),
            reason: None,
        },
        payload: payload.to_owned(),
        prev: [0; 32],
        hash: [0; 32],
    }
}

/// Round-trips a payload, and returns its kind.
fn round_trips(kind: &str, payload: &str) -> Kind {
    let entry = entry(kind, payload);
    let parsed = entry.parse().unwrap_or_else(|e| panic!("{e}: {payload}"));
    assert_eq!(parsed.to_text().unwrap(), payload, "{kind}");
    assert_eq!(parsed.kind().name(), kind);
    parsed.kind()
}

#[test]
fn every_kind_of_version_0_1_0_round_trips() {
    let mut seen = BTreeSet::new();
    for line in KNOWN.lines() {
        let known = from_slice(line.as_bytes()).unwrap();
        let kind = known["kind"].as_str().unwrap();
        seen.insert(round_trips(kind, &to_text(&known["payload"]).unwrap()).name());
    }
    let all: BTreeSet<&str> = Kind::ALL.iter().map(|k| k.name()).collect();
    assert_eq!(all.len(), Kind::ALL.len());
    assert_eq!(seen, all);
}

fn database(path: &Path) -> usize {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let uri = format!("file:{}?immutable=1", path.display());
    let db = Connection::open_with_flags(uri, flags).unwrap();
    let mut select = db.prepare("SELECT kind, payload FROM entry").unwrap();
    let rows = select.query_map([], |r| Ok((r.get(0)?, r.get(1)?)));
    let rows: Vec<(String, String)> = rows.unwrap().collect::<Result<_, _>>().unwrap();
    for (kind, payload) in &rows {
        round_trips(kind, payload);
    }
    rows.len()
}

#[test]
fn entries_of_older_ledgers_round_trip() {
    assert_eq!(database(&fixture("ledger-schema-1.db")), 6);
    for name in [
        "deployment-schema-1.tar",
        "deployment-schema-2.tar",
        "deployment-schema-3.tar",
    ] {
        let file = std::fs::File::open(fixture(name)).unwrap();
        let mut archive = tar::Archive::new(file);
        let mut ledgers = 0;
        for member in archive.entries().unwrap() {
            let mut member = member.unwrap();
            if !member.path().unwrap().ends_with("ledger.db") {
                continue;
            }
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).unwrap();
            let temp = tempfile::tempdir().unwrap();
            let path = temp.path().join("ledger.db");
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(database(&path), 12, "{name}");
            ledgers += 1;
        }
        assert_eq!(ledgers, 1, "{name}");
    }
}

#[test]
fn a_missing_or_mistyped_member_is_an_error_that_names_the_entry() {
    let good = r#"{"incident":1,"note":"hm"}"#;
    assert!(entry("incident-note", good).parse().is_ok());
    for (kind, payload, expected) in [
        ("incident-note", r#"{"incident":1}"#, "missing field `note`"),
        ("incident-note", r#"{"incident":1,"note":null}"#, "null"),
        ("incident-note", r#"{"incident":-1,"note":"hm"}"#, "-1"),
        ("incident-note", "null", "null"),
        ("incident-note", "{", "EOF"),
        ("rain", good, "of the kind `rain`, which this program"),
    ] {
        let error = entry(kind, payload).parse().unwrap_err().to_string();
        assert!(error.starts_with("entry 7 "), "{error}");
        assert!(error.contains(expected), "{error}");
    }
    let other = entry("incident-note", good).read::<Ack>().unwrap_err();
    assert_eq!(
        other.to_string(),
        "entry 7 is of the kind `incident-note`, not `ack`"
    );
}

#[test]
fn an_unknown_word_is_an_error_that_names_member_and_word() {
    let digest = Digest::of_bytes(b"a").to_string();
    let approval =
        json!({"release": digest, "number": 1, "role": "boss", "environment": "prod"}).to_string();
    let report = json!({"kind": "rain", "report": digest}).to_string();
    for (kind, payload, expected) in [
        (
            "approval",
            approval,
            "unknown role `boss`, expected one of ds, mlops",
        ),
        ("report", report, "unknown kind of report `rain`"),
    ] {
        let error = entry(kind, &payload).parse().unwrap_err().to_string();
        assert!(error.starts_with(&format!("entry 7 ({kind})")), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn members_of_a_later_version_are_ignored() {
    let parsed = entry("incident-note", r#"{"incident":1,"later":2,"note":"hm"}"#).parse();
    let expected = Payload::from_json(Kind::IncidentNote, json!({"incident": 1, "note": "hm"}));
    assert_eq!(parsed.unwrap(), expected.unwrap());
}
