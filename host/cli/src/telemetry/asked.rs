//! What to log, from `--log-format` and `PROVENDER_LOG`.

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::error::CliError;

/// The environment variable that selects what is logged.
pub(super) const VARIABLE: &str = "PROVENDER_LOG";

/// Format of the log's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One line of text per event, for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The levels, from the quietest to the most detailed.
const LEVELS: [(&str, LevelFilter); 6] = [
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

/// The targets of the program's spans and events. `provender` means all of them.
const TARGETS: [&str; 11] = [
    "provender",
    "provender::audit",
    "provender::backtest",
    "provender::cli",
    "provender::compute",
    "provender::ingest",
    "provender::ledger",
    "provender::monitor",
    "provender::phase",
    "provender::replay",
    "provender::store",
];

/// What to log and in which format. `None` if no log was requested.
pub(super) fn asked(
    format: Option<LogFormat>,
    set: Option<&str>,
) -> Result<Option<(LogFormat, Targets)>, CliError> {
    let targets = match (set.map(str::trim).filter(|text| !text.is_empty()), format) {
        (Some(text), _) => parse(text)?,
        // Giving a format requests a log.
        (None, Some(_)) => Targets::new().with_default(LevelFilter::INFO),
        (None, None) => return Ok(None),
    };
    Ok(Some((format.unwrap_or(LogFormat::Text), targets)))
}

/// `info`, or `provender::ledger=debug,provender::replay=trace`, or both.
fn parse(text: &str) -> Result<Targets, CliError> {
    let mut targets = Targets::new();
    for part in text.split(',').map(str::trim) {
        let (target, level) = match part.split_once('=') {
            Some((target, level)) => (Some(target.trim()), level.trim()),
            None => (None, part),
        };
        let found = LEVELS.iter().find(|(name, _)| *name == level);
        let (_, level) = found.ok_or_else(|| wrong(&format!("`{level}` is not a level")))?;
        targets = match target {
            None => targets.with_default(*level),
            Some(target) if TARGETS.contains(&target) => targets.with_target(target, *level),
            Some(target) => return Err(wrong(&format!("`{target}` is not a target"))),
        };
    }
    Ok(targets)
}

fn wrong(problem: &str) -> CliError {
    let levels = LEVELS.map(|(name, _)| name).join(", ");
    let targets = TARGETS.join(", ");
    CliError::usage(format!("{VARIABLE}: {problem}")).help(format!(
        "give a level ({levels}), or a list such as provender::ledger=debug,provender::compute=info; targets are {targets}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn a_log_is_requested_by_its_format_or_by_what_is_in_it() {
        assert!(asked(None, None).unwrap().is_none());
        assert!(asked(None, Some(" ")).unwrap().is_none());
        let (format, targets) = asked(Some(LogFormat::Json), None).unwrap().unwrap();
        assert_eq!(format, LogFormat::Json);
        assert!(targets.would_enable("provender::replay", &Level::INFO));
        assert!(!targets.would_enable("provender::replay", &Level::DEBUG));
        let set = "warn, provender::ledger=debug,provender::replay=off";
        let (format, targets) = asked(None, Some(set)).unwrap().unwrap();
        assert_eq!(format, LogFormat::Text);
        let enabled = |target, level| targets.would_enable(target, &level);
        assert!(enabled("provender::ledger", Level::DEBUG));
        assert!(enabled("provender::compute", Level::WARN));
        assert!(!enabled("provender::compute", Level::INFO));
        assert!(!enabled("provender::replay", Level::ERROR));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        for (set, named) in [
            ("loud", "`loud` is not a level"),
            ("provender::ledger=", "`` is not a level"),
            ("ledger=info", "`ledger` is not a target"),
            ("info,,debug", "`` is not a level"),
        ] {
            let error = asked(None, Some(set)).unwrap_err();
            assert_eq!(error.exit, crate::exit::Exit::Usage);
            assert!(error.message.contains(named), "{}", error.message);
            let help = error.help.unwrap();
            assert!(help.contains("trace") && help.contains("provender::replay"));
        }
    }

    fn sources(folder: &std::path::Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, text);
            } else if path.extension().is_some_and(|e| e == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn the_list_holds_the_targets_of_the_source_and_no_other() {
        let mut text = String::new();
        let host = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        sources(&host, &mut text);
        // Split in two, so that the search does not find this line.
        let mark = concat!("target: \"", "provender::");
        let names = text.split(mark).skip(1);
        let mut found: Vec<_> = names
            .filter_map(|rest| rest.split('"').next())
            .map(|name| format!("provender::{name}"))
            .collect();
        found.push("provender".to_owned());
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, TARGETS);
    }
}
