//! A pack returns for every row the bytes of the single manifest, and invalid packs are refused.

use std::collections::BTreeMap;

use proptest::prelude::*;
use provender_domain::ids::{BoundaryId, HerdId};
use serde_json::{Map, Value as Json, json};

use super::header::Column as Named;
use super::*;
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::description::Severity;
use provender_domain::forms::{Config, GuardrailBounds, SnapshotForm};
use provender_domain::key::{ConfigVersion, RunKey};
use provender_domain::manifest::{
    Breach, Component, Engine, Environment, GuardrailStatus, Guardrails, InputSources, Manifest,
    Observed, Platform, Program, Reproducible, SetBy, SourceFile, Sources,
};
use provender_domain::value::{DataType, MAX_JSON_INT, Value, plain_zero};

const TYPES: [DataType; 6] = [
    DataType::Float64,
    DataType::Int64,
    DataType::Boolean,
    DataType::Date,
    DataType::Text,
    DataType::Series,
];

/// Everything in the manifest of one run.
#[derive(Clone, Debug)]
pub(super) struct Row {
    boundary_id: BoundaryId,
    herd_config_id: HerdId,
    day: Day,
    reissue: u32,
    replaces: Option<u32>,
    inputs: Vec<(Value, Option<i32>, Vec<SourceObservation>)>,
    outputs: Vec<Value>,
    breached: Vec<u32>,
}

fn day() -> impl Strategy<Value = Day> {
    (Day::MIN.days()..=Day::MAX.days()).prop_map(|d| Day::from_days(d).unwrap())
}

fn finite() -> impl Strategy<Value = f64> {
    prop::num::f64::ANY.prop_filter_map("finite", |x| x.is_finite().then(|| plain_zero(x)))
}

fn value(data_type: DataType) -> BoxedStrategy<Value> {
    let some = match data_type {
        DataType::Float64 => prop_oneof![
            finite(),
            Just(0.0),
            Just(-0.0),
            Just(f64::MAX),
            Just(5e-324),
            (-1e17..1e17_f64).prop_map(f64::round)
        ]
        .prop_map(Value::Float64)
        .boxed(),
        DataType::Int64 => prop_oneof![
            any::<i64>(),
            (-3_i64..3).prop_map(|i| MAX_JSON_INT + i),
            0..9_i64
        ]
        .prop_map(Value::Int64)
        .boxed(),
        DataType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        DataType::Date => day().prop_map(Value::Date).boxed(),
        DataType::Text => any::<String>().prop_map(Value::Text).boxed(),
        DataType::Series => prop::collection::vec((day(), finite()), 0..4)
            .prop_map(Value::Series)
            .boxed(),
    };
    prop_oneof![1 => Just(Value::Null), 3 => some].boxed()
}

fn seen() -> impl Strategy<Value = SourceObservation> {
    (
        0..4_u32,
        any::<u32>(),
        prop::option::of(day()),
        prop::option::of(finite()),
    )
        .prop_map(|(file, row, date, value)| SourceObservation {
            file,
            row,
            date,
            value,
        })
}

fn row() -> impl Strategy<Value = Row> {
    let input = |t| {
        (
            value(t),
            prop::option::of(any::<i32>()),
            prop::collection::vec(seen(), 0..4),
        )
    };
    let inputs: Vec<_> = TYPES.map(input).into();
    let outputs: Vec<_> = TYPES.map(value).into();
    (
        (any::<String>(), any::<String>(), day(), 0..3_u32),
        prop::option::of(0..3_u32),
        inputs,
        outputs,
        any::<bool>(),
    )
        .prop_map(|(key, replaces, inputs, outputs, breached)| {
            let is_number = outputs.first().is_some_and(|o| !o.is_null());
            Row {
                boundary_id: BoundaryId::unchecked(key.0),
                herd_config_id: HerdId::unchecked(key.1),
                day: key.2,
                reissue: key.3,
                replaces,
                inputs,
                breached: match breached && is_number {
                    true => vec![0, 1],
                    false => Vec::new(),
                },
                outputs,
            }
        })
}

fn named(prefix: &str) -> Vec<Named> {
    // Names that sort differently by bytes, by UTF-16 and by declaration.
    let names = ["z", "\u{fb33}", "\u{1f600}", "a\"\\\n", "\u{20ac}", "b"];
    let column = |(name, data_type): (&str, DataType)| Named {
        name: format!("{prefix}{name}"),
        data_type,
    };
    names.into_iter().zip(TYPES).map(column).collect()
}

fn header() -> Header {
    let rail = |maximum| GuardrailBounds {
        output: "oz".to_owned(),
        minimum: Some(-1.5),
        maximum,
        severity: Severity::Crit,
    };
    let parameters = [("p", json!(1.5)), ("a", json!("x"))];
    let parameters = || parameters.iter().map(|(n, v)| ((*n).to_owned(), v.clone()));
    let rails = vec![rail(None), rail(Some(3.0))];
    let config = Config::new(
        "a \"name\":v1".to_owned(),
        parameters().collect(),
        rails,
        BTreeMap::new(),
    );
    let text = |text: &str| text.to_owned();
    Header {
        format: FORMAT.to_owned(),
        component: Component {
            name: "a \"name\"".to_owned(),
            sha256: Digest::of_bytes(b"c"),
            version: "v1".to_owned(),
            world: "w".to_owned(),
        },
        config_version: config.digest().unwrap(),
        parameters: parameters().collect(),
        config,
        environment: Environment {
            actor: text("m\u{e9}"),
            component_size: 7,
            component_toolchain: vec![(text("rustc"), text("1.95.0"))],
            engine: Engine {
                profile: text("p"),
                target: text("t"),
                wasmtime: text("48"),
            },
            environment: text("dev"),
            git_commit: None,
            parameters_set_by: BTreeMap::from([(text("p"), SetBy::Component)]),
            platform: Platform {
                arch: text("x86_64"),
                os: text("linux"),
            },
            program: Program {
                name: text("provender"),
                version: text("0.1.0"),
            },
            reason: None,
            recorded_at: text("2025"),
            replaces: None,
        },
        files: (0..4)
            .map(|i| SourceFile {
                format: text("rap"),
                ingested_by: i,
                path: format!("f\u{fc}r-{i}"),
                sha256: Digest::of_bytes(b"f"),
                source: text("s"),
            })
            .collect(),
        inputs: named("i"),
        known: 7,
        outputs: named("o"),
        reason: Some("a wrong \"file\"".to_owned()),
    }
}

fn version(header: &Header, reissue: u32) -> ConfigVersion {
    ConfigVersion {
        config: header.config_version,
        reissue,
    }
}

/// The sources of a row's inputs.
fn sources(header: &Header, row: &Row) -> Sources {
    let mut files: Vec<u32> = row
        .inputs
        .iter()
        .flat_map(|i| i.2.iter().map(|s| s.file))
        .collect();
    files.sort_unstable();
    files.dedup();
    let from = |seen: &[SourceObservation]| -> Vec<Observed> {
        let one = |s: &SourceObservation| Observed {
            date: s.date,
            file: u32::try_from(files.binary_search(&s.file).unwrap()).unwrap(),
            row: s.row,
            value: s.value,
        };
        seen.iter().map(one).collect()
    };
    let behind = row.inputs.iter().map(|i| InputSources {
        age_days: i.1.map(i64::from),
        from: from(&i.2),
    });
    let names = header.inputs.iter().map(|n| n.name.clone());
    Sources {
        inputs: names.zip(behind).collect(),
        files: files
            .iter()
            .map(|f| header.files[*f as usize].clone())
            .collect(),
        known: header.known,
    }
}

/// The manifest of a row as JSON: the content of a single file.
fn manifest(header: &Header, row: &Row, provenance: &Digest) -> Manifest {
    let object = |names: &[Named], values: &mut dyn Iterator<Item = Json>| -> Map<String, Json> {
        names.iter().map(|n| n.name.clone()).zip(values).collect()
    };
    let key = RunKey {
        boundary_id: row.boundary_id.clone(),
        herd_config_id: row.herd_config_id.clone(),
        calculation_date: row.day,
        model_version: header.model_version(),
        config_version: version(header, row.reissue),
    };
    let breach = |n: &u32| {
        let rail = header.config.guardrails[*n as usize].clone();
        Breach {
            output: rail.output,
            value: row.outputs[0].as_f64().unwrap(),
            minimum: rail.minimum,
            maximum: rail.maximum,
            severity: rail.severity,
        }
    };
    let breached: Vec<Breach> = row.breached.iter().map(breach).collect();
    let mut environment = header.environment.clone();
    if let Some(replaces) = row.replaces {
        environment.replaces = Some(version(header, replaces));
        environment.reason = Some(header.reason.clone());
    }
    Manifest {
        reproducible: Reproducible {
            form: SnapshotForm::V1,
            run_id: key.run_id(),
            key,
            component: header.component.clone(),
            config: header.config.clone(),
            parameters: header.parameters.clone(),
            inputs: object(
                &header.inputs,
                &mut row.inputs.iter().map(|i| i.0.to_json()),
            ),
            outputs: object(&header.outputs, &mut row.outputs.iter().map(Value::to_json)),
            guardrails: Guardrails {
                status: GuardrailStatus::of(&breached),
                breached,
            },
            provenance: *provenance,
        },
        sources: sources(header, row),
        environment,
    }
}

fn packed(header: &Header, list: &[Row]) -> Rows {
    let template = Template::new(header.clone()).unwrap();
    let mut rows = Rows::new(&header.inputs, &header.outputs);
    for (i, row) in list.iter().enumerate() {
        let replaces = row.replaces.map(|n| version(header, n));
        let place = (&row.boundary_id, &row.herd_config_id, row.day);
        rows.push_key(place, row.reissue, replaces.as_ref());
        for (c, (value, age, seen)) in row.inputs.iter().enumerate() {
            rows.inputs[c].push(value);
            rows.sources[c].push(*age, seen.iter().copied());
        }
        for (c, value) in row.outputs.iter().enumerate() {
            rows.outputs[c].push(value);
        }
        rows.push_breached(row.breached.iter().copied());
        let provenance = template.provenance(&rows.inputs, i, &mut Scratch::default());
        rows.push_provenance(*provenance.bytes());
    }
    rows
}

fn sample() -> (Header, Vec<Row>) {
    let row = |n: i32| Row {
        boundary_id: BoundaryId::unchecked(format!("north-{n}")),
        herd_config_id: HerdId::none(),
        day: Day::from_days(20_000 + n).unwrap(),
        reissue: 0,
        replaces: None,
        inputs: TYPES.map(|_| (Value::Null, None, Vec::new())).into(),
        outputs: TYPES.map(|_| Value::Null).into(),
        breached: Vec::new(),
    };
    (header(), (0..20).map(row).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(provender_guests::how_many(64)))]
    #[test]
    fn a_row_gives_the_bytes_of_a_single_manifest(list in prop::collection::vec(row(), 1..6)) {
        let header = header();
        let rows = packed(&header, &list);
        let bytes = to_bytes(&header, &rows).unwrap();
        let pack = Pack::parse(&bytes).unwrap();
        prop_assert_eq!(&pack.rows, &rows);
        let mut scratch = Scratch::default();
        for (i, row) in list.iter().enumerate() {
            let template = &pack.template;
            let provenance = template.provenance(&rows.inputs, i, &mut scratch);
            let single = manifest(&header, row, &provenance);
            let document = pack.document(u32::try_from(i).unwrap()).unwrap();
            let expected = single.to_bytes().unwrap();
            prop_assert_eq!(String::from_utf8(document.clone()).unwrap(), String::from_utf8(expected.clone()).unwrap());
            let sealed = template.seal(&rows, i, &mut scratch).unwrap();
            prop_assert_eq!(sealed.snapshot, single.snapshot_id().unwrap());
            prop_assert_eq!(sealed.sha256, Digest::of_bytes(&expected));
            prop_assert_eq!(sealed.run_id, rows.key(&header, i).run_id());
            prop_assert_eq!(template.seal_with_provenance(&rows, i, &mut scratch).unwrap(), (sealed, provenance));
            prop_assert_eq!(template.seal_with_snapshot(&rows, i, sealed.snapshot, &mut scratch).unwrap(), sealed);
            let other = Digest::of_canonical(b"another");
            prop_assert!(template.seal_with_snapshot(&rows, i, other, &mut scratch).unwrap().sha256 != sealed.sha256);
            prop_assert!(Manifest::parse(&document).is_ok());
        }
    }

    #[test]
    fn parts_equal_packs_of_their_rows(list in prop::collection::vec(row(), 1..9), most in 1_usize..10) {
        let header = header();
        let parts = packed(&header, &list).parts(most);
        prop_assert!(parts.iter().all(|p| !p.is_empty() && p.len() <= most));
        let mut left = list.as_slice();
        for part in parts {
            let (own, rest) = left.split_at(part.len());
            prop_assert_eq!(part, packed(&header, own));
            left = rest;
        }
        prop_assert!(left.is_empty());
    }

    #[test]
    fn a_changed_pack_is_refused_or_read_without_harm(flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..4), cut in prop::option::of(any::<prop::sample::Index>())) {
        let (header, list) = sample();
        let mut bytes = to_bytes(&header, &packed(&header, &list)).unwrap();
        for (at, with) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= with;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(pack) = Pack::parse(&bytes) {
            for row in 0..21 {
                let _ = pack.document(row);
            }
        }
    }
}

#[test]
fn the_frame_has_one_encoding() {
    let (header, list) = sample();
    let bytes = to_bytes(&header, &packed(&header, &list)).unwrap();
    let unchecked = ipc::split_file(&bytes).unwrap();
    let body =
        bytes.len() - unchecked.rest.len()..bytes.len() - unchecked.rest.len() + unchecked.body;
    for i in (0..bytes.len()).filter(|i| !body.contains(i)) {
        let mut other = bytes.clone();
        other[i] ^= 1;
        assert!(Pack::parse(&other).is_err(), "byte {i}");
    }
    assert!(Pack::parse(&[bytes.as_slice(), b"x"].concat()).is_err());
}

#[test]
fn a_pack_has_at_least_one_row_and_not_too_many() {
    let (header, list) = sample();
    let none = Rows::new(&header.inputs, &header.outputs);
    assert!(to_bytes(&header, &none).is_err());
    let pack = Pack::parse(&to_bytes(&header, &packed(&header, &list)).unwrap()).unwrap();
    assert_eq!(pack.document(20).unwrap_err(), "it has no row 20");
}

#[test]
fn a_newer_format_is_named() {
    let (mut header, list) = sample();
    header.format = "provender.pack.v2".to_owned();
    let bytes = to_bytes(&header, &packed(&header, &list)).unwrap();
    assert_eq!(
        Pack::parse(&bytes).unwrap_err(),
        "its format is provender.pack.v2, but this program reads provender.pack.v1"
    );
}

/// The format must not change by accident: existing files stay readable for ever.
#[test]
fn the_bytes_of_a_pack_have_not_changed_since_its_first_version() {
    let (header, list) = sample();
    let bytes = to_bytes(&header, &packed(&header, &list)).unwrap();
    if std::env::var_os("PROVENDER_WRITE_PACK").is_some() {
        std::fs::write(std::env::temp_dir().join("sample.arrow"), &bytes).unwrap();
    }
    let kept = include_bytes!("../../../../../tests/fixtures/pack-2.arrow").as_slice();
    let pack = Pack::parse(kept).unwrap();
    assert_eq!(pack.rows, packed(&header, &list));
    assert_eq!(pack.header(), &header);
}

/// The header of `pack-1.arrow` was made for a test, with half of its members: no program wrote one like it.
#[test]
fn a_header_without_a_member_is_refused_by_its_name() {
    let kept = include_bytes!("../../../../../tests/fixtures/pack-1.arrow").as_slice();
    assert_eq!(
        Pack::parse(kept).unwrap_err(),
        "its header: missing field `logic`"
    );
}
