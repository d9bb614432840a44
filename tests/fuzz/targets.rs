//! Who reads, and what must hold of it whatever it is given: no panic, an end, and what was read comes
//! back the same.

use std::sync::OnceLock;

use provender::domain::column::Column;
use provender::domain::value::{DataType, Scalar, Value};
use provender::ingest::parsed::{Kind, ReadOptions};
use provender::ingest::readers;
use provender::logic::{Component, Limits, Lock, Sandbox};
use provender::manifest::Manifest;
use provender::project::logic::LogicFile;
use provender::project::settings::Settings;
use provender::project::sources::Sources;
use provender::release::Document;

use crate::hostile::components::declaration::Declaration;
use crate::hostile::components::{Code, guest};

pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Beside the files of its corpus.
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// Words of its format.
    pub(crate) words: &'static [&'static str],
    /// Whether an input must be as long as its seed.
    pub(crate) keep_length: bool,
    /// Inputs in the normal suite.
    pub(crate) quick: u64,
    pub(crate) run: fn(&[u8]),
}

pub(crate) const FORMATS: [&str; 12] = [
    "geojson",
    "herds_json",
    "herds_csv",
    "rap",
    "forage_csv",
    "open_meteo",
    "daymet",
    "gridmet",
    "weather_csv",
    "sda",
    "soil_csv",
    "series_csv",
];

pub(crate) const FILES: [&str; 6] = [
    "provender_toml",
    "logic_toml",
    "sources_toml",
    "lock",
    "manifest",
    "release",
];

const fn text(name: &'static str, words: &'static [&'static str], run: fn(&[u8])) -> Target {
    Target {
        name,
        seeds: Vec::new,
        words,
        keep_length: false,
        quick: 300,
        run,
    }
}

pub(crate) const ALL: &[Target] = &[
    Target {
        name: "component",
        seeds: component_seeds,
        words: &[],
        keep_length: false,
        quick: 60,
        run: component,
    },
    Target {
        name: "description",
        seeds: description_seeds,
        words: &[],
        keep_length: true,
        quick: 100,
        run: description,
    },
    Target {
        name: "returned",
        seeds: returned_seeds,
        words: &[],
        keep_length: true,
        quick: 150,
        run: returned,
    },
    text(
        "geojson",
        &[
            "\"coordinates\":",
            "\"Polygon\"",
            "\"MultiPolygon\"",
            "[180,90]",
            "[-180,-90]",
            "\"properties\":null",
        ],
        |b| read(b, Kind::Boundaries),
    ),
    text(
        "herds_json",
        &[
            "\"animal_count\":",
            "\"effective_date\":",
            "\"herd\":",
            "\"id\":\"\"",
        ],
        |b| read(b, Kind::Herds),
    ),
    text(
        "herds_csv",
        &["animal_count", ",,", "\"\n\"", "2025-13-01"],
        |b| read(b, Kind::Herds),
    ),
    text(
        "rap",
        &["\"mask\":", "-99", "\"year\"", "[[", "\"production16day\""],
        |b| read(b, Kind::Forage),
    ),
    text(
        "forage_csv",
        &["kg_per_ha", "lb_per_acre", "series", "increment"],
        |b| read(b, Kind::Forage),
    ),
    text(
        "open_meteo",
        &["\"daily\":", "\"time\":", "\"inch\"", "\"daily_units\":"],
        |b| read(b, Kind::Weather),
    ),
    text("daymet", &["year,yday", "366", "prcp (mm/day)"], |b| {
        read(b, Kind::Weather)
    }),
    text("gridmet", &["Tmax_C", "pr", "Date", "mm"], |b| {
        read(b, Kind::Weather)
    }),
    text(
        "weather_csv",
        &["precipitation_mm", "temp_max_c", "boundary_id"],
        |b| read(b, Kind::Weather),
    ),
    text("sda", &["\"Table\":", "[[\"mukey\"", "null"], |b| {
        read(b, Kind::Soil)
    }),
    text("soil_csv", &["boundary_id", "soil"], |b| {
        read(b, Kind::Soil)
    }),
    text("series_csv", &["moisture", "date"], |b| {
        read(b, Kind::Series)
    }),
    text(
        "provender_toml",
        &[
            "[limits]\n",
            "[ledger]\n",
            "url = ",
            "active = [",
            "memory_mib = ",
        ],
        |b| {
            with_text(b, |t| {
                if let Ok(settings) = Settings::parse(t) {
                    let _ = (
                        settings.limits.resolve(),
                        settings.limits.compile(),
                        settings.origins(t),
                    );
                }
            });
        },
    ),
    text(
        "logic_toml",
        &[
            "[days_remaining.v1]\n",
            "parameters",
            "[[days_remaining.v1.monitors]]\n",
            "add = true\n",
        ],
        |b| with_text(b, |t| drop(LogicFile::parse(t))),
    ),
    text(
        "sources_toml",
        &[
            "[[source]]\n",
            "path = ",
            "{boundary}",
            "*",
            "[[series]]\n",
            "max_age = ",
        ],
        |b| {
            with_text(b, |t| {
                if let Ok(sources) = Sources::parse(t) {
                    let _ = (sources.catalogue(), sources.precedence());
                }
            });
        },
    ),
    text(
        "lock",
        &[
            "[[component]]\n",
            "path = ",
            "sha256:",
            "size = ",
            "[component.limits]\n",
        ],
        |b| {
            with_text(b, |t| {
                if let Ok(lock) = Lock::parse(t) {
                    assert_eq!(Lock::parse(&lock.render().unwrap()).unwrap(), lock);
                }
            });
        },
    ),
    text(
        "manifest",
        &["\"reproducible\":", "\"snapshot_id\":", "\"outputs\":"],
        |b| {
            let again = |manifest: &Manifest| {
                let bytes = manifest.to_bytes().unwrap();
                let read = Manifest::parse(&bytes).unwrap();
                assert_eq!(read.to_bytes().unwrap(), bytes);
            };
            if let Ok(manifest) = Manifest::parse(b) {
                again(&manifest);
            }
            // Without the digest nothing but the original gets past it: the part behind it, too.
            if let Ok(document) = provender::domain::canonical::from_slice(b) {
                let part = |name: &str| document.get(name).cloned().unwrap_or_default();
                let manifest = Manifest {
                    reproducible: part("reproducible"),
                    sources: part("sources"),
                    environment: part("environment"),
                };
                if let Ok(bytes) = manifest.to_bytes() {
                    let _ = Manifest::parse(&bytes).unwrap().object("outputs");
                }
            }
        },
    ),
    text(
        "release",
        &[
            "\"components\":",
            "\"active\":",
            "\"number\":",
            "\"settings\":",
        ],
        |b| {
            if let Ok(document) = Document::parse(b) {
                let text = document.to_text().unwrap();
                assert_eq!(Document::parse(text.as_bytes()).unwrap(), document);
            }
            let _ = provender::release::archive::Archive::unpack("x.tar", b);
        },
    ),
];

fn with_text(bytes: &[u8], run: impl Fn(&str)) {
    run(&String::from_utf8_lossy(bytes));
}

fn read(bytes: &[u8], kind: Kind) {
    for (kind, skip_bad_rows) in [(Some(kind), false), (Some(kind), true), (None, false)] {
        let options = ReadOptions {
            file_name: "x.json".to_owned(),
            kind,
            boundary: Some("north".to_owned()),
            skip_bad_rows,
            series: vec![("soil_moisture".to_owned(), "soil_moisture".to_owned())],
            ..ReadOptions::default()
        };
        if let Err(error) = readers::read(bytes, &options) {
            // What it quotes is made harmless where it is printed.
            assert!(!error.to_string().is_empty());
        }
    }
}

/// A sandbox in which nothing takes long.
fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| {
        let limits = Limits {
            memory_bytes: 8 << 20,
            fuel_base: 2_000_000,
            fuel_per_row: 10_000,
            threads: 1,
            ..Limits::default()
        };
        Sandbox::new(limits, None).unwrap()
    })
}

fn load(bytes: &[u8]) -> Option<Component> {
    match sandbox().load("x.wasm", bytes) {
        Ok(component) => Some(component),
        Err(error) => {
            let text = error.to_string();
            assert!(
                text.contains("x.wasm") && !text.contains('\u{1b}'),
                "{text:?}"
            );
            None
        }
    }
}

fn component_seeds() -> Vec<Vec<u8>> {
    vec![
        guest("fuzzed", Code::default()),
        crate::hostile::components::bombs::nested(20),
    ]
}

fn component(bytes: &[u8]) {
    if let Some(component) = load(bytes) {
        rows(&component);
    }
}

/// Computes eight rows and looks at what came back.
fn rows(component: &Component) {
    let numbers: Vec<_> = (0..8).map(|n| Value::Float64(f64::from(n))).collect();
    let column = || Column::from_values(DataType::Float64, &numbers);
    let Ok(computed) = component.compute(&[Scalar::Float64(2.0)], &[column(), column()], 8) else {
        return;
    };
    for output in &computed.outputs {
        assert_eq!(output.rows(), 8);
        for row in 0..8 {
            if let Value::Float64(x) = output.get(row) {
                assert!(x.is_finite() && !(x == 0.0 && x.is_sign_negative()), "{x}");
            }
        }
    }
    for failure in &computed.failed {
        assert!(
            failure.row < 8 && !failure.message.contains('\u{1b}'),
            "{}",
            failure.message
        );
    }
}

/// Where bytes lie in a component's data, and the component.
struct Patch {
    component: Vec<u8>,
    at: usize,
}

impl Patch {
    fn find(component: Vec<u8>, image: &[u8]) -> Patch {
        let at = component
            .windows(image.len())
            .position(|w| w == image)
            .unwrap();
        Patch { component, at }
    }

    fn with(&self, image: &[u8]) -> Vec<u8> {
        let mut component = self.component.clone();
        component[self.at..self.at + image.len()].copy_from_slice(image);
        component
    }
}

fn declared() -> Vec<u8> {
    let mut declare = Declaration::default();
    "fuzzed".clone_into(&mut declare.name);
    declare.guardrails = vec![(
        "product",
        Some(crate::hostile::components::declaration::Limit::Value(0.0)),
        None,
    )];
    declare.monitors = vec![("share_null", Some("product"), Some(0.1), Some(0.2))];
    declare.image(4_096)
}

fn description_seeds() -> Vec<Vec<u8>> {
    vec![declared()]
}

/// The declaration as it lies in the guest's memory, byte for byte.
fn description(image: &[u8]) {
    static PATCH: OnceLock<Patch> = OnceLock::new();
    let patch = PATCH.get_or_init(|| {
        Patch::find(
            crate::hostile::components::declaring(&declared()),
            &declared(),
        )
    });
    if let Some(component) = load(&patch.with(image)) {
        let d = component.description();
        assert!(d.inputs.len() <= 256 && d.outputs.len() <= 256 && d.name.len() <= 64);
        rows(&component);
    }
}

/// The answer of eight rows as it lies in the guest's memory: 448 bytes from 1088 on.
fn answer() -> Vec<u8> {
    let mut image = vec![0; 448];
    let mut word =
        |at: usize, value: u32| image[at - 1_088..at - 1_084].copy_from_slice(&value.to_le_bytes());
    // ok(list of two columns)
    word(1_092, 1_288);
    word(1_096, 2);
    // float64, valid
    word(1_292, 1_400);
    word(1_296, 8);
    word(1_316, 1);
    word(1_320, 1_468);
    word(1_324, 1);
    word(1_468, 0xff);
    // text, no nulls
    word(1_328, 4);
    word(1_332, 1_472);
    word(1_336, 9);
    word(1_340, 1_512);
    word(1_344, 16);
    for n in 0..9 {
        word(1_472 + 4 * usize::try_from(n).unwrap(), 2 * n);
    }
    for n in 0..4 {
        word(1_512 + 4 * n, 0x6b6f_6b6f);
    }
    image
}

fn returned_seeds() -> Vec<Vec<u8>> {
    vec![answer()]
}

fn returned(image: &[u8]) {
    static PATCH: OnceLock<Patch> = OnceLock::new();
    let patch = PATCH.get_or_init(|| {
        let hex: String = answer().iter().map(|b| format!("\\{b:02x}")).collect();
        let code = Code {
            top: &format!("(data (i32.const 3000) \"{hex}\")"),
            always: "(memory.copy (i32.const 1088) (i32.const 3000) (i32.const 448))",
            ..Code::default()
        };
        Patch::find(guest("fuzzed", code), &answer())
    });
    let component = load(&patch.with(image)).unwrap();
    rows(&component);
}
