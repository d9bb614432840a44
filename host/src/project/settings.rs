//! `provender.toml`: where things lie, what is active, what fails the process. MLOps owns it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bounded::INPUT_BYTES;
use crate::logic::Limits;

use super::ProjectError;
use super::canary::CanarySettings;
use super::gate::{self, GateSettings, Policy};

/// Name of the file.
pub const FILE: &str = "provender.toml";

/// The whole file; every key has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Name of the environment: `staging`, `prod`.
    pub environment: String,
    /// `[ledger]`.
    pub ledger: LedgerSettings,
    /// `[manifests]`.
    pub manifests: ManifestsFolder,
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
            manifests: ManifestsFolder::default(),
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerSettings {
    /// `sqlite:PATH`, relative to the deployment's folder.
    pub url: String,
    /// Seconds that a writer waits for another one before it gives up with "busy" (exit 75).
    pub busy_seconds: u32,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        LedgerSettings {
            url: "sqlite:out/ledger.db".to_owned(),
            busy_seconds: 60,
        }
    }
}

macro_rules! folder_setting {
    ($name:ident, $default:literal) => {
        /// A folder of the program's own.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

folder_setting!(ManifestsFolder, "out/manifests");
folder_setting!(ReportsFolder, "out/reports");
folder_setting!(CacheFolder, "out/cache");

/// What a breached guardrail does to a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnGuardrail {
    /// It is recorded and answers, with a warning.
    #[default]
    Mark,
    /// It is recorded, never an answer, and the process exits with 16.
    Fail,
}

/// Which logic answers before the first promotion.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogicSettings {
    /// `name:version`, one version per name.
    pub active: Vec<String>,
    /// What a breached guardrail does.
    pub on_guardrail: OnGuardrail,
}

/// Ceilings of the sandbox; defaults are the sandbox room's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Memory of one instance, MiB.
    pub memory_mib: Option<u64>,
    /// Fuel of a call before any row.
    pub fuel_base: Option<u64>,
    /// Fuel for each row.
    pub fuel_per_row: Option<u64>,
    /// Largest component, MiB.
    pub component_mib: Option<u64>,
    /// Seconds that compiling one component may take.
    pub compile_seconds: Option<u64>,
    /// Memory that compiling one component may take, MiB; watched on Linux.
    pub compile_mib: Option<u64>,
    /// Largest input file, MiB.
    pub input_mib: Option<u64>,
    /// Rows of one call into the sandbox.
    pub batch_rows: Option<usize>,
    /// Worker threads; 0 is one per core.
    pub threads: Option<usize>,
}

/// What compiling one component may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Seconds.
    pub seconds: u64,
    /// Memory beside what the process held before, MiB.
    pub mib: u64,
}

impl Default for CompileLimits {
    fn default() -> CompileLimits {
        // Measured: CPython's 18 MB take 12 s of one core and 0.4 GB. Far more than that is no
        // component that someone means to run every day, also on a slow and busy machine.
        CompileLimits {
            seconds: 300,
            mib: 4_096,
        }
    }
}

impl LimitSettings {
    /// What compiling a component may take.
    #[must_use]
    pub fn compile(&self) -> CompileLimits {
        let default = CompileLimits::default();
        CompileLimits {
            seconds: self.compile_seconds.unwrap_or(default.seconds),
            mib: self.compile_mib.unwrap_or(default.mib).min(1 << 40),
        }
    }

    /// Bytes of an input file that are read at most.
    #[must_use]
    pub fn input_bytes(&self) -> u64 {
        self.input_mib
            .map_or(INPUT_BYTES, |mib| mib.saturating_mul(1 << 20))
    }

    /// The sandbox's limits with what is set here.
    #[must_use]
    pub fn resolve(&self) -> Limits {
        let mut limits = Limits::default();
        if let Some(x) = self.memory_mib {
            limits.memory_bytes = x.saturating_mul(1 << 20);
        }
        if let Some(x) = self.fuel_base {
            limits.fuel_base = x;
        }
        if let Some(x) = self.fuel_per_row {
            limits.fuel_per_row = x;
        }
        if let Some(x) = self.component_mib {
            limits.component_bytes = x.saturating_mul(1 << 20);
        }
        if let Some(x) = self.batch_rows {
            limits.batch_rows = x.max(1);
        }
        if let Some(x) = self.threads {
            limits.threads = x;
        }
        limits
    }
}

/// Which verdicts fail the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// Where releases are kept, and how many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseSettings {
    /// Folder of the release store, relative to the deployment's folder.
    pub path: String,
    /// The newest releases that `release prune` leaves alone.
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

impl Settings {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When it is not TOML, has an unknown key, or a value makes no sense.
    pub fn parse(text: &str) -> Result<Settings, ProjectError> {
        let table: toml::Table = toml::from_str(text).unwrap_or_default();
        if let Some((key, value, problem)) = gate::unknown(&table) {
            let file = FILE.to_owned();
            return Err(ProjectError::Value {
                file,
                key,
                value,
                problem,
            });
        }
        let settings: Settings = toml::from_str(text).map_err(|e| ProjectError::Parse {
            file: FILE.to_owned(),
            cause: e.to_string(),
        })?;
        let refuse = |key: &str, value: String, problem: &str| {
            Err(ProjectError::Value {
                file: FILE.to_owned(),
                key: key.to_owned(),
                value,
                problem: problem.to_owned(),
            })
        };
        if !settings.ledger.url.starts_with("sqlite:")
            || settings.ledger.url.len() == "sqlite:".len()
        {
            return refuse(
                "ledger.url",
                settings.ledger.url,
                "only sqlite:PATH is known, such as sqlite:out/ledger.db",
            );
        }
        if settings.monitor.window_days == 0 || settings.monitor.window_days > 3660 {
            let n = settings.monitor.window_days.to_string();
            return refuse("monitor.window_days", n, "a window is 1 to 3660 days");
        }
        for (key, path) in [
            ("manifests.path", &settings.manifests.path),
            ("reports.path", &settings.reports.path),
            ("cache.path", &settings.cache.path),
        ] {
            if path.is_empty()
                || path.starts_with('/')
                || path.contains(['\\', ':', '\0'])
                || path.split('/').any(|part| part == "..")
            {
                let problem = "write a path below the deployment's folder, with / and without .., such as out/manifests; to keep it on another disk, mount that there";
                return refuse(key, path.clone(), problem);
            }
        }
        if let Some((key, value, problem)) = settings.canary.problem() {
            return refuse(&format!("canary.{key}"), value, problem);
        }
        if let Some((key, value, problem)) = gate::problem(&settings.gate) {
            return refuse(&key, value, &problem);
        }
        // Pins of a release name files below it, and a pin's path has one plain spelling.
        let parts = settings.releases.path.split('/');
        if settings.releases.path.contains(['\\', ':'])
            || parts.clone().any(|p| matches!(p, "" | "." | ".."))
        {
            let problem = "write a path below the deployment's folder, with / and without . or .., such as out/releases";
            return refuse("releases.path", settings.releases.path, problem);
        }
        let mut names = std::collections::BTreeSet::new();
        for active in &settings.logic.active {
            let Some((name, version)) = active
                .split_once(':')
                .filter(|(n, v)| !n.is_empty() && !v.is_empty())
            else {
                return refuse(
                    "logic.active",
                    active.clone(),
                    "write name:version, such as days_remaining:v1",
                );
            };
            if !names.insert(name.to_owned()) {
                let problem = format!(
                    "two versions of {name} are active; one answers, the other can be computed with --logic {name}:{version}"
                );
                return refuse("logic.active", active.clone(), &problem);
            }
        }
        Ok(settings)
    }

    /// The gate's policy of an environment.
    #[must_use]
    pub fn policy(&self, environment: &str) -> Policy {
        Policy::of(environment, self.gate.get(environment))
    }

    /// Every setting in force as (dotted key, value, where it was set).
    #[must_use]
    pub fn origins(&self, text: &str) -> Vec<(String, String, String)> {
        let set: toml::Table = toml::from_str(text).unwrap_or_default();
        let mut all = serde_json::to_value(self).unwrap_or_default();
        // Of the gates what is in force: of this environment's, and of those that are set.
        for environment in self.gate.keys().chain([&self.environment]) {
            all["gate"][environment] = self.policy(environment).to_json();
        }
        let mut rows = Vec::new();
        flatten(&mut rows, "", &all, Some(&toml::Value::Table(set)));
        rows
    }
}

fn flatten(
    rows: &mut Vec<(String, String, String)>,
    key: &str,
    value: &serde_json::Value,
    set: Option<&toml::Value>,
) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, member) in members {
                let key = if key.is_empty() {
                    name.clone()
                } else {
                    format!("{key}.{name}")
                };
                flatten(rows, &key, member, set.and_then(|s| s.get(name)));
            }
        }
        serde_json::Value::Null => rows.push((
            key.to_owned(),
            "(built in)".to_owned(),
            "default".to_owned(),
        )),
        other => {
            let origin = if set.is_some() { FILE } else { "default" };
            rows.push((key.to_owned(), other.to_string(), origin.to_owned()));
        }
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
                .origins("")
                .iter()
                .all(|(_, _, origin)| origin == "default")
        );
        let text = "[monitor]\nwindow_days = 7\n";
        let rows = Settings::parse(text).unwrap().origins(text);
        assert!(rows.contains(&("monitor.window_days".into(), "7".into(), FILE.into())));
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
            ("[canary]\npsi_warn = -1.0", "canary.psi_warn"),
        ] {
            let message = Settings::parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
