//! `provender.toml`: where files are, which logic is active, and what fails the process. MLOps owns it.
//!
//! * `limits`: ceilings of the sandbox and of input files
//! * `check`: refuses invalid values
//! * `origins`: every setting in force, with where it was set

mod check;
mod limits;
mod origins;

pub use limits::{CompileLimits, LimitSettings};
pub use origins::SetIn;

use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;
use std::path::Path;

use provender_ledger::Address;
use provender_ledger::address::DEFAULT_URL;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

use super::ProjectError;
use super::canary::CanarySettings;
use super::gate::{self, GateSettings, Policy};

/// Name of the file.
pub const FILE: &str = "provender.toml";

/// The whole file; every key has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Name of the environment: `staging`, `prod`.
    pub environment: String,
    /// `[ledger]`.
    pub ledger: LedgerSettings,
    /// `[manifests]`.
    pub manifests: ManifestSettings,
    /// `[reports]`.
    pub reports: ReportsFolder,
    /// `[cache]`.
    pub cache: CacheFolder,
    /// `[logic]`.
    pub logic: LogicSettings,
    /// `[limits]`.
    pub limits: LimitSettings,
    /// `[monitor]`.
    pub monitor: MonitorSettings,
    /// `[releases]`.
    pub releases: ReleaseSettings,
    /// `[canary]`.
    pub canary: CanarySettings,
    /// `[gate.ENVIRONMENT]`.
    pub gate: BTreeMap<String, GateSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            environment: "default".to_owned(),
            ledger: LedgerSettings::default(),
            manifests: ManifestSettings::default(),
            reports: ReportsFolder::default(),
            cache: CacheFolder::default(),
            logic: LogicSettings::default(),
            limits: LimitSettings::default(),
            monitor: MonitorSettings::default(),
            releases: ReleaseSettings::default(),
            canary: CanarySettings::default(),
            gate: BTreeMap::new(),
        }
    }
}

/// Where the ledger is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerSettings {
    /// `sqlite:PATH`, relative to the deployment's folder.
    pub url: String,
    /// Seconds that a writer waits for another writer before it fails with "busy" (exit 75).
    pub busy_seconds: u32,
}

impl LedgerSettings {
    /// Where the ledger of the deployment in the folder `root` is.
    ///
    /// # Errors
    /// If this program knows no store with such an address.
    pub(crate) fn address(&self, root: &Path) -> Result<Address, ProjectError> {
        Address::parse(&self.url, root).map_err(|unknown| ProjectError::Value {
            file: FILE.to_owned(),
            key: "ledger.url".to_owned(),
            value: self.url.clone(),
            problem: unknown.to_string(),
        })
    }
}

impl Default for LedgerSettings {
    fn default() -> Self {
        LedgerSettings {
            url: DEFAULT_URL.to_owned(),
            busy_seconds: 60,
        }
    }
}

macro_rules! folder_setting {
    ($name:ident, $default:literal) => {
        /// One of the program's own folders.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            /// Path relative to the deployment's folder.
            pub path: String,
        }

        impl Default for $name {
            fn default() -> Self {
                $name {
                    path: $default.to_owned(),
                }
            }
        }
    };
}

folder_setting!(ReportsFolder, "out/reports");
folder_setting!(CacheFolder, "out/cache");

/// Where manifests are stored, and from how many on they share a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ManifestSettings {
    /// Folder, relative to the deployment's.
    pub path: String,
    /// If at least this many runs are recorded at once, their manifests share a file (a pack).
    pub pack_from: u32,
}

impl Default for ManifestSettings {
    fn default() -> Self {
        ManifestSettings {
            path: "out/manifests".to_owned(),
            pack_from: 1_000,
        }
    }
}

impl ManifestSettings {
    /// How many runs in a chunk are needed for their manifests to be packed.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "so many runs as no memory holds are never there"
    )]
    pub(crate) fn pack_from(&self) -> usize {
        usize::try_from(self.pack_from).unwrap_or(usize::MAX)
    }
}

/// What a breached guardrail does to a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnGuardrail {
    /// It is recorded and is an answer, with a warning.
    #[default]
    Mark,
    /// It is recorded but is never an answer, and the process exits with 16.
    Fail,
}

/// Which logic is active before the first promotion.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogicSettings {
    /// `name:version`, one version per name.
    pub active: Vec<ModelVersion>,
    /// What a breached guardrail does.
    pub on_guardrail: OnGuardrail,
}

/// Which verdicts fail the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// warn and crit.
    #[default]
    Warn,
    /// crit only.
    Crit,
    /// Neither.
    Never,
}

/// The monitor's window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MonitorSettings {
    /// Days of the rolling window.
    pub window_days: u32,
    /// Which verdicts fail the process.
    pub fail_on: FailOn,
}

impl Default for MonitorSettings {
    fn default() -> Self {
        MonitorSettings {
            window_days: 30,
            fail_on: FailOn::Warn,
        }
    }
}

/// Where releases are stored, and how many are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseSettings {
    /// Folder of the release store, relative to the deployment's folder.
    pub path: String,
    /// How many of the newest releases `release prune` keeps.
    pub keep: u32,
}

impl Default for ReleaseSettings {
    fn default() -> Self {
        ReleaseSettings {
            path: "out/releases".to_owned(),
            keep: 10,
        }
    }
}

fn refused(e: toml::de::Error) -> ProjectError {
    ProjectError::Parse {
        file: FILE.to_owned(),
        cause: e.to_string(),
    }
}

/// The keys and values that the file sets.
///
/// # Errors
/// If it is not TOML.
pub fn set(text: &str) -> Result<toml::Table, ProjectError> {
    toml::from_str(text).map_err(refused)
}

/// The JSON Schema of the file.
#[must_use]
pub fn schema() -> Schema {
    schema_for!(Settings)
}

impl Settings {
    /// Reads the file's text.
    ///
    /// # Errors
    /// If it is not TOML, has an unknown key, or a value is invalid.
    pub fn parse(text: &str) -> Result<Settings, ProjectError> {
        if let Some((key, value, problem)) = gate::unknown(&set(text)?) {
            let file = FILE.to_owned();
            return Err(ProjectError::Value {
                file,
                key,
                value,
                problem,
            });
        }
        let settings: Settings = toml::from_str(text).map_err(refused)?;
        check::check(&settings)?;
        Ok(settings)
    }

    /// The gate policy of an environment.
    #[must_use]
    pub fn policy(&self, environment: &str) -> Policy {
        Policy::of(environment, self.gate.get(environment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_all_defaults_and_says_so() {
        let settings = Settings::parse("").unwrap();
        assert_eq!(settings, Settings::default());
        assert_eq!(settings.manifests.path, "out/manifests");
        assert!(
            settings
                .origins(&toml::Table::new())
                .iter()
                .all(|(_, _, origin)| *origin == SetIn::Default)
        );
        let text = "[monitor]\nwindow_days = 7\n";
        let rows = Settings::parse(text).unwrap().origins(&set(text).unwrap());
        assert!(rows.contains(&("monitor.window_days".into(), "7".into(), SetIn::File)));
    }

    #[test]
    fn mistakes_name_the_key_and_what_would_be_right() {
        for (text, part) in [
            ("[ledger]\nurl = 'postgres://x'", "only sqlite:PATH"),
            ("[logic]\nactive = ['days_remaining']", "name:version"),
            ("[logic]\nactive = ['a:v1', 'a:v2']", "two versions of a"),
            ("[logc]\n", "unknown field `logc`"),
            ("[monitor]\nwindow_days = 0", "1 to 3660"),
            ("[logic]\non_guardrail = 'explode'", "explode"),
            (
                "[manifests]\npath = '/srv/manifests'",
                "below the deployment",
            ),
            (
                "[reports]\npath = 'out/../../reports'",
                "below the deployment",
            ),
            ("[cache]\npath = ''", "below the deployment"),
            ("[releases]\npath = 'out/../r'", "below the deployment"),
            ("[canary]\npsi_warn = -1.0", "canary.psi_warn"),
        ] {
            let message = Settings::parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
