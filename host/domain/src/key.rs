//! The key of a run: two computations with the same key answer the same question.

use super::canonical::Digest;
use super::day::Day;
use super::forms::KeyText;
use super::ids::{BoundaryId, HerdId, ModelVersion};
use super::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The idempotency key of a run.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct RunKey {
    /// The pasture or other place.
    pub boundary_id: BoundaryId,
    /// The herd, or `-` for a logic that reads no herd.
    pub herd_config_id: HerdId,
    /// The day for which the number is computed.
    pub calculation_date: Day,
    /// `name:version` of the logic.
    pub model_version: ModelVersion,
    /// Digest of the configuration, with `+rN` for the N-th reissue.
    pub config_version: ConfigVersion,
}

/// The place of a manifest that shares a file with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// SHA-256 of the pack's bytes.
    pub pack: Digest,
    /// Its row in the pack, counted from 0.
    pub row: u32,
}

/// Identifies a run's manifest, as recorded in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManifestRef<'a> {
    /// The run.
    pub key: &'a RunKey,
    /// Digest of its reproducible part.
    pub snapshot: &'a Digest,
    /// SHA-256 of its bytes.
    pub sha256: &'a Digest,
    /// Its pack and row, if it has no file of its own.
    pub place: Option<Place>,
}

/// A configuration's digest and the number of the reissue (0 for the first recording).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConfigVersion {
    /// Digest of parameters, guardrail bounds and feature definitions.
    pub config: Digest,
    /// The N of `+rN`; 0 for the first recording.
    pub reissue: u32,
}

impl ConfigVersion {
    /// The version of a first recording.
    #[must_use]
    pub fn first(config: Digest) -> ConfigVersion {
        ConfigVersion { config, reissue: 0 }
    }

    /// The digest's first twelve hex digits, with the reissue, for tables.
    #[must_use]
    pub fn short(&self) -> String {
        match self.reissue {
            0 => self.config.short(),
            n => format!("{}+r{n}", self.config.short()),
        }
    }
}

impl std::fmt::Display for ConfigVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.reissue {
            0 => write!(f, "{}", self.config),
            n => write!(f, "{}+r{n}", self.config),
        }
    }
}

impl std::str::FromStr for ConfigVersion {
    type Err = super::canonical::NotADigest;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s.split_once("+r") {
            None => Ok(ConfigVersion {
                config: s.parse()?,
                reissue: 0,
            }),
            Some((digest, n)) => {
                let bad = || super::canonical::NotADigest(s.to_owned());
                let reissue = n.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?;
                Ok(ConfigVersion {
                    config: digest.parse()?,
                    reissue,
                })
            }
        }
    }
}

impl Serialize for ConfigVersion {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ConfigVersion {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl RunKey {
    /// The run's id: the digest of its key.
    #[must_use]
    pub fn run_id(&self) -> Digest {
        RunIds::of(self).on(self.calculation_date)
    }
}

/// The ids of runs that differ only in their day. What they share is written once.
#[derive(Debug)]
pub struct RunIds {
    text: Vec<u8>,
    day: std::ops::Range<usize>,
}

impl RunIds {
    /// The ids of the runs with this key on any day.
    #[must_use]
    pub fn of(key: &RunKey) -> RunIds {
        let mut model_version = Vec::with_capacity(64);
        text::string(&key.model_version, &mut model_version);
        let mut out = Vec::with_capacity(320);
        let day = KeyText {
            boundary_id: &key.boundary_id,
            day: key.calculation_date,
            config: key.config_version.config.to_string().as_bytes(),
            reissue: key.config_version.reissue,
            herd_config_id: &key.herd_config_id,
            model_version: &model_version,
        }
        .write_hashed(&mut out);
        RunIds { text: out, day }
    }

    /// The id of the run on a day.
    #[must_use]
    pub fn on(&mut self, day: Day) -> Digest {
        // The text of every day has ten bytes.
        if let Some(place) = self.text.get_mut(self.day.clone()) {
            place.copy_from_slice(&day.text());
        }
        Digest::of_canonical(&self.text)
    }
}

impl std::fmt::Display for RunKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} / {} / {} / {} / {}",
            self.boundary_id,
            self.herd_config_id,
            self.calculation_date,
            self.model_version,
            self.config_version.short()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_run_id_is_the_digest_of_the_documented_object() {
        let config = Digest::of_json(&json!({})).unwrap();
        let key = RunKey {
            boundary_id: BoundaryId::unchecked("north"),
            herd_config_id: HerdId::unchecked("h1"),
            calculation_date: "2025-06-30".parse().unwrap(),
            model_version: ModelVersion::unchecked("days_remaining:v1"),
            config_version: ConfigVersion { config, reissue: 2 },
        };
        let text = format!(
            r#"{{"$type":"provender.run-key.v1","boundary_id":"north","calculation_date":"2025-06-30","config_version":"{config}+r2","herd_config_id":"h1","model_version":"days_remaining:v1"}}"#
        );
        assert_eq!(key.run_id(), Digest::of_canonical(text.as_bytes()));
    }

    #[test]
    fn runs_of_a_series_have_the_ids_of_their_own_keys() {
        let config = Digest::of_json(&json!({})).unwrap();
        let mut key = RunKey {
            boundary_id: BoundaryId::unchecked("2025-06-30 \"north\""),
            herd_config_id: HerdId::none(),
            calculation_date: "2025-06-30".parse().unwrap(),
            model_version: ModelVersion::unchecked("frost_days:v1"),
            config_version: ConfigVersion::first(config),
        };
        let mut ids = RunIds::of(&key);
        for day in ["0001-01-01", "1969-12-31", "2025-06-30", "9999-12-31"] {
            key.calculation_date = day.parse().unwrap();
            assert_eq!(ids.on(key.calculation_date), key.run_id(), "{day}");
        }
    }

    #[test]
    fn a_config_version_is_the_same_after_writing_and_reading() {
        let config = Digest::of_json(&json!({})).unwrap();
        for reissue in [0, 1, 27] {
            let v = ConfigVersion { config, reissue };
            assert_eq!(v.to_string().parse(), Ok(v));
        }
        assert!(format!("{config}+r0").parse::<ConfigVersion>().is_err());
    }
}
