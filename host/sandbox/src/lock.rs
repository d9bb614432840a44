//! `provender.lock`: which bytes are which logic version.
//!
//! Pins are sorted by name and version, so that a review shows only real changes.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use provender_domain::canonical::{Digest, Recipe};
use provender_domain::files::bounded::COMPONENT_BYTES;

use super::component::Component;
use super::describe;
use super::error::LogicError;
use super::limits::PinLimits;

/// Version of the file format.
const FORM: u32 = 1;

/// The pinned components.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    components: Vec<Pin>,
}

/// Whether a pin can still be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PinState {
    /// May be replaced by other bytes. Serves tests, back-tests and dry runs, but records nothing.
    Draft,
    /// These bytes are this version for ever. Only a frozen pin records runs.
    Frozen,
}

impl PinState {
    /// As written in the lock file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PinState::Draft => "draft",
            PinState::Frozen => "frozen",
        }
    }
}

/// One pinned component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Name of the logic.
    pub name: String,
    /// Version, such as `v2`.
    pub version: String,
    /// Draft or frozen.
    pub state: PinState,
    /// Digest of the component's bytes.
    pub sha256: Digest,
    /// Size in bytes.
    pub size: u64,
    /// World the component is built for.
    pub world: String,
    /// Source language that the component states, such as `rust` or `python`.
    pub language: String,
    /// Path of the file relative to the lock file, with `/`.
    pub path: String,
    /// Limits that this pin sets for its component.
    #[serde(default, skip_serializing_if = "PinLimits::is_empty")]
    pub limits: PinLimits,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    component: Vec<Pin>,
}

fn lock_error(cause: impl Into<String>) -> LogicError {
    LogicError::Lock {
        cause: cause.into(),
    }
}

impl Lock {
    /// A set of pins, sorted.
    ///
    /// # Errors
    /// When two pins have the same `name:version`, or a pin has an invalid field.
    pub fn new(mut components: Vec<Pin>) -> Result<Lock, LogicError> {
        let mut seen = BTreeSet::new();
        for pin in &components {
            pin.check_fields()?;
            if !seen.insert(pin.model_version()) {
                return Err(lock_error(format!("it pins {} twice", pin.model_version())));
            }
        }
        components.sort_by_cached_key(Pin::order);
        Ok(Lock { components })
    }

    /// Parses a lock file.
    ///
    /// # Errors
    /// When the text is not valid TOML, has another format version, has unknown or missing fields, or pins the
    /// same `name:version` twice.
    pub fn parse(text: &str) -> Result<Lock, LogicError> {
        let file: File = toml::from_str(text).map_err(|e| lock_error(e.to_string().trim_end()))?;
        if file.version != FORM {
            return Err(lock_error(format!(
                "it has version {}, but this program reads version {FORM}",
                file.version
            )));
        }
        Lock::new(file.component)
    }

    /// The text of the lock file.
    ///
    /// # Errors
    /// When a pin's size exceeds what TOML can represent.
    pub fn render(&self) -> Result<String, LogicError> {
        let file = File {
            version: FORM,
            component: self.components.clone(),
        };
        toml::to_string(&file).map_err(|e| lock_error(e.to_string()))
    }

    /// The pins, sorted by name and version.
    #[must_use]
    pub fn components(&self) -> &[Pin] {
        &self.components
    }

    /// The pin of a logic version.
    #[must_use]
    pub fn find(&self, name: &str, version: &str) -> Option<&Pin> {
        self.components
            .iter()
            .find(|p| p.name == name && p.version == version)
    }

    /// A copy with `pin` added, or replacing the pin with the same name and version.
    ///
    /// # Errors
    /// When the pin has an invalid field.
    pub fn with_pin(&self, pin: Pin) -> Result<Lock, LogicError> {
        let mut components = self.components.clone();
        components.retain(|p| p.model_version() != pin.model_version());
        components.push(pin);
        Lock::new(components)
    }

    /// The newest pinned version of a logic.
    #[must_use]
    pub fn newest(&self, name: &str) -> Option<&Pin> {
        self.components.iter().rev().find(|p| p.name == name)
    }
}

impl Pin {
    /// The pin of a loaded component whose file is at `path`.
    #[must_use]
    pub fn for_component(
        component: &Component,
        path: &str,
        state: PinState,
        limits: PinLimits,
    ) -> Pin {
        Pin {
            name: component.description().name.clone(),
            version: component.description().version.clone(),
            state,
            sha256: component.digest(),
            size: component.size(),
            world: component.world().to_owned(),
            language: component.language().to_owned(),
            path: path.to_owned(),
            limits,
        }
    }

    /// `name:version`.
    #[must_use]
    pub fn model_version(&self) -> ModelVersion {
        ModelVersion::of(&self.name, &self.version)
    }

    /// Checks that `bytes`, read from `file`, are the pinned ones.
    ///
    /// # Errors
    /// [`LogicError::Digest`] when they are not.
    pub fn check_bytes(&self, file: &str, bytes: &[u8]) -> Result<(), LogicError> {
        let (found, found_size) = (Digest::of_bytes(bytes), bytes.len() as u64);
        if found == self.sha256 && found_size == self.size {
            return Ok(());
        }
        Err(LogicError::Digest {
            file: file.to_owned(),
            component: self.model_version(),
            pinned: Box::new(self.sha256),
            pinned_size: self.size,
            found: Box::new(found),
            found_size,
        })
    }

    /// Checks that a component loaded from the pinned bytes declares the pinned name and version.
    ///
    /// # Errors
    /// [`LogicError::Identity`] when it does not, [`LogicError::Lock`] when it has another world.
    pub fn check_component(&self, component: &Component) -> Result<(), LogicError> {
        if component.world() != self.world {
            return Err(lock_error(format!(
                "{} is pinned with the world {}, but its component has {}",
                self.model_version(),
                self.world,
                component.world()
            )));
        }
        let declared = component.description().model_version();
        if declared == self.model_version() {
            return Ok(());
        }
        Err(LogicError::Identity {
            file: component.file().to_owned(),
            pinned: self.model_version(),
            declared,
        })
    }

    /// Sorts versions by number: v2 before v10.
    fn order(&self) -> (String, Option<u32>, String) {
        let number = describe::version_number(&self.version);
        (self.name.clone(), number, self.version.clone())
    }

    fn check_fields(&self) -> Result<(), LogicError> {
        let of = |cause: String| {
            lock_error(format!("in the entry of {}: {cause}", self.model_version()))
        };
        describe::name("the name", &self.name).map_err(of)?;
        describe::version(&self.version).map_err(of)?;
        if Digest::from_parts(Recipe::Raw, *self.sha256.bytes()) != self.sha256 {
            return Err(of(
                "the digest of a file must be sha256:<64 hex digits>".to_owned()
            ));
        }
        if self.size > COMPONENT_BYTES {
            let size = self.size;
            return Err(of(format!(
                "the size is {size}; a component may have at most {COMPONENT_BYTES} bytes"
            )));
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+#._ -".contains(c);
        if self.language.is_empty() || self.language.len() > 40 || !self.language.chars().all(plain)
        {
            return Err(of(format!(
                "the language is `{}`; write rust, python, c or another plain name",
                super::failure::printable(&self.language, 80)
            )));
        }
        // The path is opened below the lock file's folder and must not lead out of it.
        let inside = !self.path.is_empty()
            && !self.path.contains(['\\', '\0', ':'])
            && self
                .path
                .split('/')
                .all(|part| !matches!(part, "" | "." | ".."));
        if !inside {
            return Err(of(format!(
                "the path is `{}`; a path must be relative to the lock file, with / and without ..",
                super::failure::printable(&self.path, 200)
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(name: &str, version: &str) -> Pin {
        Pin {
            name: name.into(),
            version: version.into(),
            state: PinState::Frozen,
            sha256: Digest::of_bytes(version.as_bytes()),
            size: version.len() as u64,
            world: super::super::WORLD.into(),
            language: "rust".into(),
            limits: PinLimits::default(),
            path: format!("{name}-{version}.wasm"),
        }
    }

    #[test]
    fn the_text_does_not_depend_on_the_order_of_pins() {
        let pins = [pin("frost", "v1"), pin("days", "v10"), pin("days", "v2")];
        let mut other = pins.to_vec();
        other.reverse();
        let text = Lock::new(pins.to_vec()).unwrap().render().unwrap();
        assert_eq!(Lock::new(other).unwrap().render().unwrap(), text);
        let back = Lock::parse(&text).unwrap();
        assert_eq!(back.render().unwrap(), text);
        assert_eq!(back.newest("days").unwrap().version, "v10");
        insta::assert_snapshot!(text, @r#"
        version = 1

        [[component]]
        name = "days"
        version = "v2"
        state = "frozen"
        sha256 = "sha256:fb04dcb6970e4c3d1873de51fd5a50d7bb46b3383113602665c350ec40b5f990"
        size = 2
        world = "provender:logic/logic-plugin@1.0.0"
        language = "rust"
        path = "days-v2.wasm"

        [[component]]
        name = "days"
        version = "v10"
        state = "frozen"
        sha256 = "sha256:ce9ad9e64710577437be7e6c3a5aba1737bd69d314cdabcd078e5356c64daf81"
        size = 3
        world = "provender:logic/logic-plugin@1.0.0"
        language = "rust"
        path = "days-v10.wasm"

        [[component]]
        name = "frost"
        version = "v1"
        state = "frozen"
        sha256 = "sha256:3bfc269594ef649228e9a74bab00f042efc91d5acc6fbee31a382e80d42388fe"
        size = 2
        world = "provender:logic/logic-plugin@1.0.0"
        language = "rust"
        path = "frost-v1.wasm"
        "#);
    }

    #[test]
    fn a_lock_with_anything_unexpected_is_refused() {
        let text = Lock::new(vec![pin("days", "v1")])
            .unwrap()
            .render()
            .unwrap();
        let twice = format!("{text}\n{}", text.replace("version = 1\n", ""));
        let cases = [
            (twice.as_str(), "it pins days:v1 twice"),
            (&text.replace("version = 1\n", "version = 2\n"), "version 2"),
            (
                &text.replace("size =", "length ="),
                "unknown field `length`",
            ),
            (&text.replace("size = 2\n", ""), "missing field `size`"),
            (&text.replace("sha256:", "md5:"), "is not a digest"),
            (&text.replace("sha256:", "sha256-jcs-v1:"), "sha256:<64 hex"),
            (
                &text.replace("\"frozen\"", "\"fixed\""),
                "expected `draft` or `frozen`",
            ),
            (&text.replace("\"rust\"", "\"Rust!\""), "the language is"),
            (&text.replace("\"days-v1", "\"../days-v1"), "the path is"),
            (&text.replace("\"days-v1", "\"/days-v1"), "the path is"),
            (&text.replace("\"v1\"", "\"1\""), "the version is `1`"),
            ("", "missing field `version`"),
        ];
        for (text, expected) in cases {
            let error = Lock::parse(text).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.exit_code_kind().code(), 78);
        }
    }

    #[test]
    fn a_pin_larger_than_any_component_is_refused() {
        let sized = |size| Pin {
            size,
            ..pin("days", "v1")
        };
        assert!(Lock::new(vec![sized(COMPONENT_BYTES)]).is_ok());
        let error = Lock::new(vec![sized(COMPONENT_BYTES + 1)]).unwrap_err();
        assert!(
            error.to_string().contains("the size is 268435457"),
            "{error}"
        );
    }

    #[test]
    fn other_bytes_than_the_pinned_ones_are_an_integrity_error() {
        let pin = pin("days", "v1");
        assert!(pin.check_bytes("days-v1.wasm", b"v1").is_ok());
        let error = pin.check_bytes("days-v1.wasm", b"v2").unwrap_err();
        assert_eq!(error.exit_code_kind().code(), 11);
        assert!(
            error
                .to_string()
                .contains("days-v1.wasm is not the pinned days:v1")
        );
    }
}
