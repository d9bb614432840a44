//! The readers, and what must hold whatever they get: no panic, they end, and what was read round-trips.

use provender_domain::canonical::Digest;
use provender_host::audit::Bundle;
use provender_host::ingest::{Format, Kind};
use provender_host::project::{LogicFile, Settings, Sources};
use provender_host::release::Document;
use provender_proof::{Checkpoint, InclusionStep, PROOF_FORM, Proof, Signer, Verifier};
use provender_sandbox::Lock;
use provender_sandbox::PinLimits;
use provender_store::manifest::Manifest;
use provender_store::manifest::pack::Pack;

use super::guests;
use super::readings::read;

pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Seeds in addition to the files of its corpus.
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// Words of its format.
    pub(crate) words: &'static [&'static str],
    /// Whether an input must be as long as its seed.
    pub(crate) keep_length: bool,
    /// Inputs in the normal suite.
    pub(crate) quick: u64,
    pub(crate) run: fn(&[u8]),
}

/// The targets that read files of observations: one for each format that the readers know.
pub(crate) fn formats() -> Vec<String> {
    let names = Format::all().map(Format::name);
    names.map(|name| name.replace('-', "_")).collect()
}

pub(crate) const FILES: [&str; 7] = [
    "provender_toml",
    "logic_toml",
    "sources_toml",
    "lock",
    "manifest",
    "pack",
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
        seeds: guests::component_seeds,
        words: &[],
        keep_length: false,
        quick: 60,
        run: guests::component,
    },
    Target {
        name: "description",
        seeds: guests::description_seeds,
        words: &[],
        keep_length: true,
        quick: 100,
        run: guests::description,
    },
    Target {
        name: "returned",
        seeds: guests::returned_seeds,
        words: &[],
        keep_length: true,
        quick: 150,
        run: guests::returned,
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
                commented(t, |t| Settings::parse(t).ok());
                if let Ok(settings) = Settings::parse(t) {
                    let _ = (
                        settings.limits.resolve(),
                        settings.limits.compile(),
                        settings.origins(&provender_host::project::parse_settings(t).unwrap()),
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
        |b| with_text(b, |t| commented(t, |t| LogicFile::parse(t).ok())),
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
                commented(t, |t| Sources::parse(t).ok());
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
            // Recomputes the digest, because otherwise only the original would reach the code behind its
            // check.
            if let Ok(mut document) = provender_domain::canonical::from_slice(b) {
                let digest = document.get("reproducible").map(Digest::of_json);
                if let Some(Ok(digest)) = digest {
                    document["snapshot_id"] = digest.to_string().into();
                }
                if let Ok(bytes) = provender_domain::canonical::to_bytes(&document)
                    && let Ok(manifest) = Manifest::parse(&bytes)
                {
                    again(&manifest);
                }
            }
        },
    ),
    Target {
        name: "pack",
        seeds: || vec![include_bytes!("../fixtures/pack-2.arrow").to_vec()],
        words: &["ARROW1", "provender.pack", "\"inputs\":", "\"config\":"],
        keep_length: false,
        quick: 300,
        run: pack,
    },
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
            let _ = provender_host::release::Archive::unpack("x.tar", b);
        },
    ),
    Target {
        name: "audit",
        seeds: audit_seeds,
        words: &[
            "PRIVATE+KEY+",
            "— ",
            "\"index\":18446744073709551615",
            "\"path\":",
            "\n\n",
        ],
        keep_length: false,
        quick: 300,
        run: audited,
    },
];

/// Reads a pack or refuses it. A pack that is read gives documents or names the row that it cannot write, and
/// can be written again.
fn pack(bytes: &[u8]) {
    if let Ok(pack) = Pack::parse(bytes) {
        for row in 0..=u32::try_from(pack.rows.len()).unwrap() {
            let _ = pack.document(row);
        }
        let again = provender_store::manifest::pack::to_bytes(pack.header(), &pack.rows).unwrap();
        assert_eq!(Pack::parse(&again).unwrap().rows, pack.rows);
    }
}

/// A bundle, its proof, a signed checkpoint and both keys.
fn audit_seeds() -> Vec<Vec<u8>> {
    let signer = Signer::new("ranch.example/grazing", &[7; 32]).unwrap();
    let checkpoint = Checkpoint {
        origin: "ranch.example/grazing".to_owned(),
        size: 1,
        root: [1; 32],
    };
    let step = InclusionStep {
        text: "{\"seq\":1}".to_owned(),
        index: 0,
        size: 1,
        path: vec!["00".repeat(32)],
    };
    let proof = Proof {
        form: PROOF_FORM.to_owned(),
        run: step.clone(),
        payload: "{\"count\":1,\"root\":\"sha256:00\"}".to_owned(),
        entry: step,
        checkpoint: signer.sign(&checkpoint.to_text()),
    };
    let bundle = Bundle {
        component: b"component".to_vec(),
        limits: PinLimits::for_language("python"),
        manifest: b"{}".to_vec(),
        proof: proof.clone(),
    };
    vec![
        bundle.pack().unwrap(),
        proof.to_text().unwrap().into_bytes(),
        proof.checkpoint.into_bytes(),
        signer.to_text().into_bytes(),
        signer.verifier().to_text().into_bytes(),
    ]
}

fn audited(bytes: &[u8]) {
    if let Ok(bundle) = Bundle::unpack("x.tar", bytes) {
        assert_eq!(bundle.pack().unwrap(), bytes);
        // The owner of this key signed nothing here.
        let key = Signer::new("another", &[8; 32]).unwrap().verifier();
        assert!(bundle.check(Some(&key)).is_err());
    }
    if let Ok(proof) = Proof::parse(bytes) {
        let _ = proof.verify(None);
    }
    with_text(bytes, |text| {
        if let Ok(checkpoint) = Checkpoint::parse("x", text, None) {
            assert!(text.starts_with(&checkpoint.to_text()));
        }
        if let Ok(key) = Verifier::parse("x", text) {
            assert_eq!(Verifier::parse("x", &key.to_text()).unwrap(), key);
        }
        if let Ok(key) = Signer::parse("x", text) {
            assert_eq!(
                Signer::parse("x", &key.to_text()).unwrap().to_text(),
                key.to_text()
            );
        }
    });
}

fn with_text(bytes: &[u8], run: impl Fn(&str)) {
    run(&String::from_utf8_lossy(bytes));
}

/// A comment at the end does not change the meaning of a file of the deployment.
fn commented<T: std::fmt::Debug>(text: &str, parse: impl Fn(&str) -> Option<T>) {
    if let Some(read) = parse(text) {
        let again = parse(&format!("{text}\n# a comment\n"));
        assert_eq!(format!("{again:?}"), format!("{:?}", Some(read)));
    }
}
