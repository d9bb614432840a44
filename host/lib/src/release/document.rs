//! The release itself: canonical JSON. Its digest identifies it wherever it travels.
//!
//! It holds what determines results and nothing specific to a place: no paths, no limits of an environment, no
//! sources, no policy. Its number is assigned where it is cut; what identifies it is the digest.

use provender_domain::ids::ModelVersion;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::monitor::thresholds_version;
use crate::project::logic::LogicOverrides;
use crate::project::settings::OnGuardrail;
use provender_domain::canonical::{Digest, from_slice, to_text};
use provender_domain::catalogue::{Feature, Origin, built_in};
use provender_domain::description::MonitorRule;
use provender_domain::forms::{Config, Form};
use provender_domain::value::DataType;
use provender_ledger::entries::ReleaseLogic;
use provender_sandbox::{Lock, Pin, PinLimits, PinState};

use super::ReleaseError;

/// `$type` of the document.
pub(super) const FORM: &str = Form::Release.name();

/// A release: pinned components, active versions, their configurations and settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Release")]
pub struct Document {
    /// The form of the document.
    #[serde(rename = "$type")]
    #[schemars(extend("const" = FORM))]
    form: String,
    /// 1, 2, 3, … in the environment where it was cut; shown as `R3`.
    pub number: u32,
    /// Every pinned component.
    pub components: Vec<Component>,
    /// The active versions, one for each name.
    pub active: Vec<ModelVersion>,
    /// Configuration and thresholds of each active version.
    pub logics: Vec<Logic>,
    /// Settings from where it was cut.
    pub settings: InForce,
    /// By whom, when and why it was cut.
    pub cut: Cut,
}

/// A pinned component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReleaseComponent")]
pub struct Component {
    /// Name of its logic.
    pub name: String,
    /// Version of its logic, such as `v3`.
    pub version: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// Number of bytes.
    pub size: u64,
    /// The WIT world it is built for.
    pub world: String,
    /// The programming language it is written in.
    pub language: String,
    /// Its own resource limits, where the pin sets some.
    #[serde(default, skip_serializing_if = "PinLimits::is_empty")]
    pub limits: PinLimits,
}

/// The configuration and thresholds of an active version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReleasedLogic")]
pub struct Logic {
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Digest of the component's bytes.
    pub component: Digest,
    /// Digest of the configuration.
    pub config_version: Digest,
    /// The configuration itself: parameters, guardrail bounds, feature definitions.
    #[schemars(with = "Config")]
    pub config: Json,
    /// Digest of the monitor rules.
    pub thresholds_version: Digest,
    /// The monitor rules themselves.
    pub thresholds: Vec<MonitorRule>,
}

/// Settings of the place where the release was cut. They apply wherever it is active.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReleaseSettings")]
pub struct InForce {
    /// DS's settings from `logic.toml`, for every pinned version that has some.
    pub logic: BTreeMap<ModelVersion, LogicOverrides>,
    /// The definitions of `[[series]]` columns that active versions read.
    pub series: Vec<SeriesDefinition>,
    /// What happens when a guardrail is breached.
    pub on_guardrail: OnGuardrail,
}

/// The meaning of a column that is not built in. Where its data comes from is up to each environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesDefinition {
    /// Name in the catalogue of columns.
    pub name: String,
    /// Its unit; null if it has none.
    pub unit: Option<String>,
    /// Its description, in one sentence.
    pub doc: String,
}

/// By whom, when, where and why a release was cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReleaseCut")]
pub struct Cut {
    /// Who cut it.
    pub by: String,
    /// When (RFC 3339, UTC).
    pub at: String,
    /// The reason given.
    pub reason: String,
    /// Environment it was cut in.
    pub environment: String,
    /// The version of Provender that cut it.
    pub program: String,
}

/// A release without its number and without how it was cut: two cuts of the same content are one release.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// Every pinned component.
    pub(crate) components: Vec<Component>,
    /// The active versions.
    pub(crate) active: Vec<ModelVersion>,
    /// Configuration and thresholds of each active version.
    pub(crate) logics: Vec<Logic>,
    /// Settings from where it is cut.
    pub(crate) settings: InForce,
}

impl Component {
    /// The component that a pin names.
    #[must_use]
    pub(crate) fn of(pin: &Pin) -> Component {
        Component {
            name: pin.name.clone(),
            version: pin.version.clone(),
            sha256: pin.sha256,
            size: pin.size,
            world: pin.world.clone(),
            language: pin.language.clone(),
            limits: pin.limits.clone(),
        }
    }

    /// `name:version`.
    #[must_use]
    pub fn model_version(&self) -> ModelVersion {
        ModelVersion::of(&self.name, &self.version)
    }

    /// A frozen pin of this component, with its file at `path`.
    #[must_use]
    pub(crate) fn pin(&self, path: String) -> Pin {
        Pin {
            name: self.name.clone(),
            version: self.version.clone(),
            state: PinState::Frozen,
            sha256: self.sha256,
            size: self.size,
            world: self.world.clone(),
            language: self.language.clone(),
            path,
            limits: self.limits.clone(),
        }
    }
}

impl Document {
    /// A release with this content.
    #[must_use]
    pub(crate) fn new(number: u32, content: Content, cut: Cut) -> Document {
        Document {
            form: FORM.to_owned(),
            number,
            components: content.components,
            active: content.active,
            logics: content.logics,
            settings: content.settings,
            cut,
        }
    }

    /// Parses the canonical text of a release and checks that it is consistent.
    ///
    /// # Errors
    /// What is wrong with it, as a clause.
    pub fn parse(bytes: &[u8]) -> Result<Document, String> {
        let value = from_slice(bytes).map_err(|e| format!("it is not JSON: {e}"))?;
        let document: Document =
            serde_json::from_value(value).map_err(|e| format!("it is not a release: {e}"))?;
        let text = document.to_text().map_err(|e| e.to_string())?;
        if text.as_bytes() != bytes {
            return Err("it is not in canonical form".to_owned());
        }
        document.check()?;
        Ok(document)
    }

    /// The release as canonical JSON text.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub fn to_text(&self) -> Result<String, ReleaseError> {
        Ok(to_text(&self.to_json()?)?)
    }

    /// The release as a JSON value.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub(crate) fn to_json(&self) -> Result<Json, ReleaseError> {
        Ok(
            serde_json::to_value(self)
                .map_err(provender_domain::canonical::CanonicalError::from)?,
        )
    }

    /// The digest of the canonical text, which identifies the release.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub fn digest(&self) -> Result<Digest, ReleaseError> {
        Ok(Digest::of_canonical(self.to_text()?.as_bytes()))
    }

    /// Its name: `R3`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("R{}", self.number)
    }

    /// The release without its number and without how it was cut.
    #[must_use]
    pub(crate) fn content(&self) -> Content {
        Content {
            components: self.components.clone(),
            active: self.active.clone(),
            logics: self.logics.clone(),
            settings: self.settings.clone(),
        }
    }

    /// The active logics as entries record them, so that activations follow from entries alone.
    #[must_use]
    pub(crate) fn active_logics(&self) -> Vec<ReleaseLogic> {
        let of = |l: &Logic| ReleaseLogic {
            model_version: l.model_version.clone(),
            config_version: l.config_version,
            component: l.component,
        };
        self.logics.iter().map(of).collect()
    }

    /// Configuration and thresholds of an active version.
    #[must_use]
    pub(crate) fn logic(&self, model_version: &ModelVersion) -> Option<&Logic> {
        self.logics
            .iter()
            .find(|l| l.model_version == *model_version)
    }

    /// The component of a version.
    #[must_use]
    pub(crate) fn component(&self, model_version: &ModelVersion) -> Option<&Component> {
        self.components
            .iter()
            .find(|c| c.model_version() == *model_version)
    }

    /// DS's settings of a version.
    #[must_use]
    pub(crate) fn overrides(&self, model_version: &ModelVersion) -> LogicOverrides {
        self.settings
            .logic
            .get(model_version)
            .cloned()
            .unwrap_or_default()
    }

    /// The columns that the release binds to: the built-in ones and its own series.
    #[must_use]
    pub(crate) fn catalogue(&self) -> Vec<Feature> {
        let mut all = built_in();
        all.extend(self.settings.series.iter().map(|s| Feature {
            name: s.name.clone(),
            data_type: DataType::Float64,
            unit: s.unit.clone(),
            origin: Origin::Observation,
            version: 1,
            doc: s.doc.clone(),
        }));
        all
    }

    /// Checks that the release does not contradict itself.
    fn check(&self) -> Result<(), String> {
        if self.form != FORM {
            return Err(format!(
                "its $type is {}, but this program reads {FORM}",
                self.form
            ));
        }
        if self.number == 0 {
            return Err("its number is 0".to_owned());
        }
        // The pinned set obeys the rules of the lock file.
        let pins = self.components.iter().map(|c| c.pin(file_of(&c.sha256)));
        Lock::new(pins.collect()).map_err(|e| e.to_string())?;
        let mut names = BTreeSet::new();
        for active in &self.active {
            let name = active.name();
            if !names.insert(name) {
                return Err(format!("two versions of {name} are active"));
            }
        }
        let described: Vec<&ModelVersion> = self.logics.iter().map(|l| &l.model_version).collect();
        if described != self.active.iter().collect::<Vec<_>>() {
            return Err("the active versions and the described logics differ".to_owned());
        }
        for logic in &self.logics {
            let of = &logic.model_version;
            let Some(component) = self.component(of) else {
                return Err(format!("{of} is active but has no component"));
            };
            if component.sha256 != logic.component {
                return Err(format!("{of} has two different component digests"));
            }
            let config = to_text(&logic.config).map_err(|e| e.to_string())?;
            if Digest::of_canonical(config.as_bytes()) != logic.config_version {
                return Err(format!(
                    "the configuration of {of} does not match its digest"
                ));
            }
            if thresholds_version(&logic.thresholds) != logic.thresholds_version {
                return Err(format!("the thresholds of {of} do not match their digest"));
            }
        }
        Ok(())
    }
}

/// Path of a component inside a release store or an archive.
#[must_use]
pub(super) fn file_of(sha256: &Digest) -> String {
    format!("components/{}.wasm", sha256.hex())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    /// A release of one logic whose component is `bytes`.
    pub(crate) fn release(number: u32, bytes: &[u8], reason: &str) -> Document {
        let config = json!({"parameters": {"x": 1.5}});
        let component = Component {
            name: "days".into(),
            version: "v1".into(),
            sha256: Digest::of_bytes(bytes),
            size: bytes.len() as u64,
            world: provender_sandbox::WORLD.into(),
            language: "rust".into(),
            limits: PinLimits::default(),
        };
        let logic = Logic {
            model_version: ModelVersion::unchecked("days:v1"),
            component: component.sha256,
            config_version: Digest::of_json(&config).unwrap(),
            config,
            thresholds_version: thresholds_version(&[]),
            thresholds: Vec::new(),
        };
        let content = Content {
            components: vec![component],
            active: vec![ModelVersion::unchecked("days:v1")],
            logics: vec![logic],
            settings: InForce::default(),
        };
        let cut = Cut {
            by: "ds".into(),
            at: "2025-07-01T06:00:00.000000Z".into(),
            reason: reason.into(),
            environment: "staging".into(),
            program: "0".into(),
        };
        Document::new(number, content, cut)
    }

    #[test]
    fn a_release_is_its_text() {
        let one = release(1, b"a", "first");
        let text = one.to_text().unwrap();
        assert_eq!(Document::parse(text.as_bytes()).unwrap(), one);
        assert_ne!(
            release(1, b"a", "other").digest().unwrap(),
            one.digest().unwrap()
        );
        assert_eq!(release(2, b"a", "other").content(), one.content());
        assert!(Document::parse(format!("{text} ").as_bytes()).is_err());
    }

    #[test]
    fn a_release_that_contradicts_itself_is_refused() {
        let good = release(1, b"a", "first");
        let cases: [(fn(&mut Document), &str); 7] = [
            (|d| d.form = "provender.release.v2".into(), "its $type is"),
            (|d| d.number = 0, "its number is 0"),
            (|d| d.components.clear(), "has no component"),
            (
                |d| d.components[0].sha256 = Digest::of_bytes(b"b"),
                "two different",
            ),
            (
                |d| d.active.push(ModelVersion::unchecked("days:v2")),
                "two versions of days",
            ),
            (
                |d| d.logics[0].config["parameters"]["x"] = json!(2),
                "the configuration of days:v1",
            ),
            (
                |d| d.logics[0].thresholds_version = Digest::of_bytes(b"x"),
                "the thresholds of days:v1",
            ),
        ];
        for (change, expected) in cases {
            let mut bad = good.clone();
            change(&mut bad);
            let text = bad.to_text().unwrap();
            let problem = Document::parse(text.as_bytes()).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
