//! The actor and the time of a command.

use crate::Global;
use crate::error::CliError;
use provender_domain::day::Day;
use provender_domain::ids::ModelVersion;

/// The logic versions given with `--logic`; whether they exist is checked later.
pub(crate) fn models(named: &[String]) -> Vec<ModelVersion> {
    named.iter().map(ModelVersion::unchecked).collect()
}

/// Now as RFC 3339 with a fixed number of digits, so that instants sort as text.
/// `PROVENDER_NOW` replaces the clock in tests and examples.
pub(super) fn now() -> Result<String, CliError> {
    match std::env::var("PROVENDER_NOW") {
        Ok(text) if !text.is_empty() => instant(&text),
        _ => Ok(format!("{:.6}", jiff::Timestamp::now())),
    }
}

/// An instant in the ledger's format. A day means its end.
pub(crate) fn instant(text: &str) -> Result<String, CliError> {
    if text.parse::<Day>().is_ok() {
        return Ok(format!("{text}T23:59:59.999999Z"));
    }
    let timestamp: jiff::Timestamp = text.parse().map_err(|_| {
        CliError::usage(format!("`{text}` is neither a day nor an instant: write YYYY-MM-DD, or an RFC 3339 time such as 2025-07-01T06:00:00Z"))
    })?;
    Ok(format!("{timestamp:.6}"))
}

pub(super) fn actor(global: &Global) -> String {
    let names = ["PROVENDER_ACTOR", "USER", "LOGNAME", "USERNAME"];
    let from_environment = || {
        names
            .iter()
            .find_map(|n| std::env::var(n).ok().filter(|v| !v.trim().is_empty()))
    };
    global
        .actor
        .clone()
        .or_else(from_environment)
        .unwrap_or_else(|| "unknown".to_owned())
}
