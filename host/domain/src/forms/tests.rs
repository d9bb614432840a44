//! Known bytes of the forms written here, and the names of all forms.

use crate::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::canonical::{Recipe, to_text};
use crate::day::Day;
use crate::key::{ConfigVersion, RunKey};
use crate::place::{Boundary, Herd};

/// One line for each shape of each form, as hashed by version 0.1.0.
const KNOWN: &str = include_str!("../../../../tests/fixtures/forms-0.1.0.jsonl");

fn known(form: Form) -> Vec<&'static str> {
    let head = format!("{{\"$type\":\"{}\"", form.name());
    let lines: Vec<&str> = KNOWN.lines().filter(|l| l.starts_with(&head)).collect();
    assert!(!lines.is_empty(), "no known text of {form:?}");
    lines
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_form_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = Form::ALL.iter().map(|f| f.name()).collect();
    assert_eq!(names.len(), Form::ALL.len());
    assert!(names.iter().all(|n| n.starts_with("provender.")));
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The part of a file before its tests.
fn program(text: &str) -> &str {
    text.split("\n#[cfg(test)]").next().unwrap()
}

#[test]
fn no_other_file_writes_the_name_of_a_form() {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for part in std::fs::read_dir(host).unwrap() {
        let src = part.unwrap().path().join("src");
        if src.is_dir() {
            sources(&src, &mut files);
        }
    }
    assert!(files.len() > 100);
    for path in files {
        let own = path.to_str().unwrap();
        // Skips test files, and this module itself.
        let skipped = ["tests", "/proof/src/vectors.rs", "/domain/src/forms/"];
        if skipped.iter().any(|part| own.contains(part)) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (i, line) in program(&text).lines().enumerate() {
            let code = !line.trim_start().starts_with("//");
            let form = Form::ALL.iter().find(|f| code && line.contains(f.name()));
            assert!(form.is_none(), "{own}:{}: {line}", i + 1);
        }
    }
}

#[test]
fn every_known_text_has_a_known_form_and_round_trips() {
    for line in KNOWN.lines() {
        let mut object: Map<String, Json> =
            serde_json::from_value(canonical::from_slice(line.as_bytes()).unwrap()).unwrap();
        let named = object.remove("$type").unwrap();
        let form = Form::ALL.iter().find(|f| named == f.name());
        assert_eq!(form.unwrap().text(&object).unwrap(), line);
    }
}

#[test]
fn a_form_is_an_object() {
    assert!(Form::Verify.text(&[1]).is_err());
    assert!(Form::Verify.text("a").is_err());
}

#[test]
fn keys_of_version_0_1_0_are_written_to_the_same_bytes() {
    for line in known(Form::RunKey) {
        let key: RunKey = serde_json::from_str(line).unwrap();
        assert_eq!(key.run_id(), Digest::of_canonical(line.as_bytes()));
    }
}

#[test]
fn provenances_of_version_0_1_0_are_written_to_the_same_bytes() {
    for line in known(Form::Provenance) {
        let object = canonical::from_slice(line.as_bytes()).unwrap();
        let digest = |name: &str| object[name].as_str().unwrap().parse::<Digest>().unwrap();
        let world = object["world"].as_str().unwrap();
        let inputs = object["inputs"].as_object().unwrap().clone();
        let written = provenance(&digest("component"), world, &digest("config"), inputs);
        assert_eq!(written.unwrap(), Digest::of_canonical(line.as_bytes()));
    }
}

#[test]
fn configurations_of_version_0_1_0_round_trip() {
    for line in known(Form::Config) {
        assert_eq!(Config::read(line).unwrap().to_text().unwrap(), line);
        let other = line.replace("config.v1", "config.v2");
        assert!(matches!(Config::read(&other), Err(ConfigError::Form(_))));
    }
    assert!(matches!(Config::read("{}"), Err(ConfigError::Malformed(_))));
}

#[test]
fn entries_of_version_0_1_0_round_trip() {
    for line in known(Form::Entry) {
        let entry = ChainEntry::read(line).unwrap();
        assert_eq!(entry.to_text().unwrap(), line);
        assert_eq!(ChainEntry::read(&format!("{line} ")), None);
    }
}

#[test]
fn a_manifests_reproducible_part_begins_as_in_version_0_1_0() {
    for line in known(Form::Snapshot) {
        let object = canonical::from_slice(line.as_bytes()).unwrap();
        let part = |name: &str| to_text(&object[name]).unwrap();
        let mut head = Vec::new();
        snapshot_head(
            part("component").as_bytes(),
            part("config").as_bytes(),
            &mut head,
        );
        assert!(line.starts_with(&text(head)));
    }
}

#[test]
fn a_herds_derived_id_is_the_known_one() {
    let herd = Herd {
        herd_config_id: HerdId::default(),
        boundary_id: BoundaryId::unchecked("north"),
        name: Some("not in it".into()),
        effective_date: "2025-03-01".parse().unwrap(),
        end_date: None,
        animal_count: Some(120.0),
        daily_intake_kg_per_head: Some(11.5),
        average_weight_kg: None,
        utilization_target_pct: Some(50.0),
        animal_type: Some("cattle".into()),
        class: None,
    };
    assert_eq!(
        text(herd_id(&herd)),
        r#"{"$type":"provender.herd.v1","animal_count":120,"animal_type":"cattle","average_weight_kg":null,"boundary_id":"north","class":null,"daily_intake_kg_per_head":11.5,"effective_date":"2025-03-01","utilization_target_pct":50}"#
    );
    assert_eq!(herd.derived_id(), "herd-520663921fa39b1d");
}

#[test]
fn an_infinity_is_not_a_missing_value() {
    let stream = Stream::new(&BoundaryId::unchecked("a"), "b", "c");
    let of = |value| stream.observation(None, value, 1);
    assert_ne!(of(Some(f64::INFINITY)), of(None));
    assert_ne!(of(Some(f64::INFINITY)), of(Some(f64::NEG_INFINITY)));
}

fn number() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(prop::num::f64::NORMAL | prop::num::f64::ZERO)
}

fn word() -> impl Strategy<Value = Option<String>> {
    prop::option::of(any::<String>())
}

fn day() -> impl Strategy<Value = Day> {
    (Day::MIN.days()..=Day::MAX.days()).prop_map(|d| Day::from_days(d).unwrap())
}

proptest! {
    #[test]
    fn an_observation_written_by_parts_is_the_documented_object(boundary in any::<String>(), column in any::<String>(), source in any::<String>(), value in number(), date in prop::option::of(day()), row in any::<u32>()) {
        let parts = Stream::new(&BoundaryId::unchecked(&boundary), &column, &source).observation(date, value, row);
        let whole = json!({
            "$type": "provender.observation.v1", "boundary_id": boundary, "column": column, "source": source,
            "date": date, "value": value, "row": row,
        });
        prop_assert_eq!(text(parts), to_text(&whole).unwrap());
    }

    #[test]
    fn a_boundary_written_by_parts_is_the_documented_object(id in any::<String>(), name in word(), geometry in any::<String>(), area in number(), declared in number(), effective in day(), row in any::<u32>()) {
        let area = area.unwrap_or(0.5);
        let object = json!({
            "$type": "provender.boundary.v1", "boundary_id": id, "effective_date": effective, "name": name,
            "geometry": geometry, "area_ha": area, "declared_area_ha": declared, "row": row,
        });
        let b = Boundary { boundary_id: BoundaryId::unchecked(id), name, geometry, area_ha: area, declared_area_ha: declared, effective_date: None };
        prop_assert_eq!(text(boundary(row, effective, &b)), to_text(&object).unwrap());
    }

    #[test]
    fn a_herd_written_by_parts_is_the_documented_object(texts in prop::collection::vec(any::<String>(), 2), words in prop::collection::vec(word(), 3), numbers in prop::collection::vec(number(), 4), effective in day(), end in prop::option::of(day()), row in any::<u32>()) {
        let h = Herd {
            herd_config_id: HerdId::unchecked(&texts[0]), boundary_id: BoundaryId::unchecked(&texts[1]), name: words[0].clone(),
            effective_date: effective, end_date: end, animal_count: numbers[0], daily_intake_kg_per_head: numbers[1],
            average_weight_kg: numbers[2], utilization_target_pct: numbers[3], animal_type: words[1].clone(), class: words[2].clone(),
        };
        let shared = json!({
            "boundary_id": texts[1], "effective_date": effective, "animal_count": numbers[0],
            "daily_intake_kg_per_head": numbers[1], "average_weight_kg": numbers[2],
            "utilization_target_pct": numbers[3], "animal_type": words[1], "class": words[2],
        });
        let with = |form: &str, more: Json| {
            let mut object = shared.as_object().unwrap().clone();
            object.insert("$type".into(), json!(form));
            object.extend(more.as_object().unwrap().clone());
            to_text(&Json::Object(object)).unwrap()
        };
        let row_of = json!({"herd_config_id": texts[0], "end_date": end, "name": words[0], "row": row});
        prop_assert_eq!(text(herd(row, &h)), with("provender.herd-row.v1", row_of));
        prop_assert_eq!(text(herd_id(&h)), with("provender.herd.v1", json!({})));
    }

    #[test]
    fn a_run_written_by_parts_is_the_documented_object_and_is_read_back(texts in prop::collection::vec(any::<String>(), 4), hashes in prop::collection::vec(any::<[u8; 32]>(), 4), date in day(), guardrail in 0..3_i64, reissue in 0..3_u32) {
        let jcs = |i: usize| Digest::from_parts(Recipe::JcsV1, hashes[i]);
        let version = |reissue| ConfigVersion { config: jcs(0), reissue };
        let key = RunKey {
            boundary_id: BoundaryId::unchecked(&texts[0]),
            herd_config_id: HerdId::unchecked(&texts[1]),
            calculation_date: date,
            model_version: ModelVersion::unchecked(&texts[2]),
            config_version: version(reissue),
        };
        let replaces = (reissue > 0).then(|| version(reissue - 1));
        let (provenance, snapshot) = (jcs(1), jcs(2));
        let manifest = Digest::from_parts(Recipe::Raw, hashes[3]);
        let object = json!({
            "$type": "provender.run.v2", "boundary_id": key.boundary_id, "herd_config_id": key.herd_config_id,
            "calculation_date": date, "model_version": key.model_version,
            "config_version": key.config_version.to_string(), "provenance": provenance,
            "snapshot_id": snapshot, "manifest_sha256": manifest, "guardrail": guardrail,
            "replaces": replaces.as_ref().map(ToString::to_string), "outputs": texts[3],
        });
        let mut out = Vec::new();
        RunText { key: &key, guardrail, manifest: &manifest, outputs: &texts[3], provenance: &provenance, replaces: replaces.as_ref(), snapshot: &snapshot }.write(&mut out);
        let written = text(out);
        prop_assert_eq!(&written, &to_text(&object).unwrap());
        let row = RunRow::read(&written).unwrap();
        prop_assert_eq!((row.key, row.replaces, row.outputs), (key, replaces, texts[3].clone()));
        prop_assert_eq!(RunRow::read(&written.replace("run.v2", "run.v3")), None);
    }
}
