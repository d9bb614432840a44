//! A deployment's folder: its three hand-written files, and where everything else is.
//!
//! * `folder` — finding the folder, opening its parts
//! * `settings` — `provender.toml` (MLOps)
//! * `canary` — `[canary]` of `provender.toml`
//! * `gate` — `[gate.ENVIRONMENT]`: the checks before a release becomes active
//! * `logic` — `logic.toml` (DS)
//! * `sources` — `sources.toml` (MLOps): files, formats, precedence, `[[series]]`
//! * `find` — the files of the sources
//! * `error` — configuration errors, by file and key

pub(crate) mod canary;
mod error;
pub(crate) mod find;
mod folder;
pub(crate) mod gate;
pub(crate) mod logic;
pub(crate) mod settings;
pub(crate) mod sources;

pub use canary::CanarySettings;
pub use error::ProjectError;
pub use folder::Project;
pub use gate::{
    ApprovalSettings, BacktestSettings, CanaryGate, CheckName, GateSettings, OwnershipSettings,
    PassedSettings, Policy as GatePolicy, ReplaySettings, RowSettings,
};
pub use logic::{
    GuardrailOverride, LogicFile, LogicOverrides, MonitorOverride, schema as logic_schema,
};
pub use settings::{
    CacheFolder, CompileLimits, FILE as SETTINGS_FILE, FailOn, LedgerSettings, LimitSettings,
    LogicSettings, ManifestSettings, MonitorSettings, OnGuardrail, ReleaseSettings, ReportsFolder,
    SetIn, Settings, schema as settings_schema, set as parse_settings,
};
pub use sources::{Series, Source, Sources, schema as sources_schema};
