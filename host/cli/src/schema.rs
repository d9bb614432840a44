//! `schema`: JSON Schemas of configuration files, manifests and answers.

use std::path::Path;

use clap::{Args, Command};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::json;

use provender_domain::manifest;
use provender_host::project;
use provender_store::manifest::pack;

use super::envelope::Envelope;
use super::error::CliError;
use super::exit::Exit;
use super::interrupted::Interrupted;
use super::monitor::baseline;
use super::ui::{Done, Text};
use super::{
    audit, backtest, backup, completions, compute, config, diff, doctor, explain, features,
    incident, ingest, init, list, man, monitor, plugin, reissue, release, replay, run as daily,
    status, verify,
};

/// Generates a schema.
type Make = fn() -> Schema;

/// Schemas that are not a verb's answer: name, description and generator.
const FILES: [(&str, &str, Make); 7] = [
    (
        "envelope",
        "what every verb prints with --json, around its data",
        answer::<Envelope<'_>>,
    ),
    (
        "interrupted",
        "data of `ingest`, `run`, `compute` and `reissue` where error.code is `interrupted`",
        answer::<Interrupted<'_>>,
    ),
    (
        "logic.toml",
        "parameters and thresholds, by logic and version",
        project::logic_schema,
    ),
    (
        "manifest",
        "a run's manifest: a file of its own, or what a row of a pack stands for",
        answer::<manifest::Document<'_>>,
    ),
    (
        "manifest-pack",
        "what all manifests of a pack share: the metadata of its Arrow schema",
        answer::<pack::Header>,
    ),
    (
        "provender.toml",
        "the settings of a deployment",
        project::settings_schema,
    ),
    (
        "sources.toml",
        "where input files come from",
        project::sources_schema,
    ),
];

/// The `data` of each verb with `--json`, by the verb's words.
const ANSWERS: &[(&str, Make)] = &[
    ("audit", answer::<audit::AuditAnswer<'_>>),
    ("audit checkpoint", answer::<audit::AuditCheckpointAnswer>),
    ("audit key", answer::<audit::AuditKeyAnswer<'_>>),
    ("audit prove", answer::<audit::AuditProveAnswer>),
    ("backtest", answer::<backtest::BacktestAnswer<'_>>),
    ("backup", answer::<backup::BackupAnswer>),
    ("completions", answer::<completions::CompletionsAnswer<'_>>),
    ("compute", answer::<compute::ComputeAnswer<'_>>),
    ("config", answer::<config::ConfigAnswer>),
    ("diff", answer::<diff::DiffAnswer>),
    ("doctor", answer::<doctor::DoctorAnswer>),
    ("explain", answer::<explain::ExplainVerbAnswer<'_>>),
    ("features", answer::<features::FeaturesAnswer>),
    (
        "incident close",
        answer::<incident::IncidentCloseAnswer<'_>>,
    ),
    (
        "incident export",
        answer::<incident::IncidentExportAnswer<'_>>,
    ),
    ("incident link", answer::<incident::IncidentLinkAnswer>),
    ("incident list", answer::<incident::IncidentListAnswer<'_>>),
    ("incident note", answer::<incident::IncidentNoteAnswer<'_>>),
    ("incident open", answer::<incident::IncidentOpenAnswer<'_>>),
    (
        "incident regression",
        answer::<incident::IncidentRegressionAnswer>,
    ),
    ("incident show", answer::<incident::IncidentShowAnswer<'_>>),
    ("ingest", answer::<ingest::IngestAnswer<'_>>),
    ("ingest retract", answer::<ingest::retract::RetractAnswer>),
    ("init", answer::<init::InitAnswer>),
    ("list", answer::<list::ListAnswer<'_>>),
    ("man", answer::<man::ManAnswer<'_>>),
    (
        "manifest export",
        answer::<crate::manifest::ManifestExportAnswer>,
    ),
    (
        "manifest show",
        answer::<crate::manifest::ManifestShowAnswer>,
    ),
    ("monitor", answer::<monitor::MonitorAnswer<'_>>),
    ("monitor ack", answer::<monitor::ack::AckAnswer<'_>>),
    ("monitor acks", answer::<monitor::ack::AcksAnswer>),
    (
        "monitor baseline create",
        answer::<baseline::BaselineCreateAnswer<'_>>,
    ),
    (
        "monitor baseline list",
        answer::<baseline::BaselineListAnswer<'_>>,
    ),
    (
        "monitor baseline show",
        answer::<baseline::BaselineShowAnswer<'_>>,
    ),
    (
        "monitor report",
        answer::<monitor::report::MonitorReportAnswer<'_>>,
    ),
    ("monitor triage", answer::<monitor::triage::TriageAnswer>),
    ("plugin add", answer::<plugin::PluginPinAnswer>),
    ("plugin build", answer::<plugin::PluginBuildAnswer<'_>>),
    ("plugin check", answer::<plugin::PluginCheckAnswer<'_>>),
    ("plugin diff", answer::<plugin::PluginDiffAnswer>),
    ("plugin freeze", answer::<plugin::PluginPinAnswer>),
    ("plugin list", answer::<plugin::PluginListAnswer>),
    ("plugin new", answer::<plugin::PluginNewAnswer<'_>>),
    ("plugin show", answer::<plugin::PluginShowAnswer<'_>>),
    ("plugin test", answer::<plugin::PluginTestAnswer<'_>>),
    ("reissue", answer::<reissue::ReissueAnswer<'_>>),
    ("release approve", answer::<release::ReleaseApproveAnswer>),
    ("release canary", answer::<release::ReleaseCanaryAnswer<'_>>),
    (
        "release canary stop",
        answer::<release::ReleaseCanaryStopAnswer<'_>>,
    ),
    ("release cut", answer::<release::ReleaseCutAnswer<'_>>),
    (
        "release evidence",
        answer::<release::ReleaseEvidenceAnswer<'_>>,
    ),
    ("release export", answer::<release::ReleaseExportAnswer<'_>>),
    ("release freeze", answer::<release::ReleaseHoldAnswer<'_>>),
    ("release gate", answer::<release::ReleaseGateAnswer<'_>>),
    (
        "release history",
        answer::<release::ReleaseHistoryAnswer<'_>>,
    ),
    ("release import", answer::<release::ReleaseImportAnswer<'_>>),
    ("release list", answer::<release::ReleaseListAnswer<'_>>),
    (
        "release promote",
        answer::<release::ReleasePromoteAnswer<'_>>,
    ),
    ("release prune", answer::<release::ReleasePruneAnswer<'_>>),
    (
        "release rollback",
        answer::<release::ReleasePromoteAnswer<'_>>,
    ),
    ("release show", answer::<release::ReleaseShowAnswer<'_>>),
    ("release status", answer::<release::ReleaseStatusAnswer<'_>>),
    ("release unfreeze", answer::<release::ReleaseHoldAnswer<'_>>),
    ("replay", answer::<replay::ReplayAnswer<'_>>),
    ("run", answer::<daily::DayAnswer<'_>>),
    ("schema", answer::<SchemaAnswer>),
    ("status", answer::<status::StatusVerbAnswer<'_>>),
    ("verify", answer::<verify::VerifyAnswer<'_>>),
];

/// The schema for serialization: fields that are always written are required.
fn answer<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>()
}

/// The schema of a verb's `data`.
#[cfg(test)]
pub(super) fn of_answer(verb: &str) -> Option<Schema> {
    let row = ANSWERS.iter().find(|(known, _)| *known == verb);
    row.map(|(_, make)| make())
}

/// The schema of what an interrupted command finished.
#[cfg(test)]
pub(super) fn of_interrupted() -> Schema {
    answer::<Interrupted<'_>>()
}

/// A schema with its name, its description and its generator.
struct Row {
    name: String,
    about: String,
    make: Make,
}

/// Every schema, by name. `docs/reference/schemas/` has them as files.
fn all(cli: &Command) -> Vec<Row> {
    let files = FILES.map(|(name, about, make)| Row {
        name: name.to_owned(),
        about: about.to_owned(),
        make,
    });
    let answers = ANSWERS.iter().map(|(verb, make)| Row {
        name: verb.replace(' ', "-"),
        about: about(cli, verb),
        make: *make,
    });
    let mut all: Vec<Row> = files.into_iter().chain(answers).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// What a verb does, from its help.
fn about(cli: &Command, verb: &str) -> String {
    let found = verb
        .split(' ')
        .try_fold(cli, |at, word| at.find_subcommand(word));
    let about = found.and_then(Command::get_about);
    format!("data of `{verb}`: {}", about.unwrap_or(&"".into()))
}

/// Print the JSON Schema of a file or an answer, or list all schemas.
///
/// Example: provender schema provender.toml > provender.schema.json
///
/// Example: provender schema release-cut
#[derive(Args)]
pub(super) struct SchemaArgs {
    /// The schema's name. Without one, all schemas are listed.
    name: Option<String>,
}

/// All schemas, or the one that was named.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum SchemaAnswer {
    /// Without a name.
    List {
        /// All schemas, by name.
        schemas: Vec<Listed>,
    },
    /// With a name.
    One {
        /// The JSON Schema.
        schema: Schema,
    },
}

/// A schema of the list.
#[derive(Serialize, JsonSchema)]
struct Listed {
    /// What `provender schema` calls it.
    name: String,
    /// What it describes.
    about: String,
}

pub(super) fn run(args: &SchemaArgs, cli: &Command) -> Result<Done, CliError> {
    let all = all(cli);
    let Some(name) = &args.name else {
        let width = all.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let mut text = Text::default();
        for row in &all {
            text.line(format!("{:<width$}  {}", row.name, row.about));
        }
        let listed = |row: Row| Listed {
            name: row.name,
            about: row.about,
        };
        let schemas = all.into_iter().map(listed).collect();
        return Ok(Done::ok(&SchemaAnswer::List { schemas }, text));
    };
    // Accept a path such as config/provender.toml.
    let file = Path::new(name).file_name().and_then(|f| f.to_str());
    let Some(row) = all.iter().find(|row| file == Some(&row.name)) else {
        let known: Vec<_> = all.iter().map(|row| row.name.as_str()).collect();
        let message = format!("there is no schema `{name}`");
        let help = format!("the schemas are {}", known.join(", "));
        return Err(CliError::new(Exit::NotFound, "schema_unknown", message).help(help));
    };
    let schema = (row.make)();
    let text = Text::verbatim(written(&schema));
    Ok(Done::ok(&SchemaAnswer::One { schema }, text))
}

/// The text of the schema's file.
fn written(schema: &Schema) -> String {
    format!("{:#}\n", json!(schema))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::CommandFactory as _;
    use serde_json::Value as Json;

    use super::*;
    use crate::{Cli, Verb};

    fn schemas() -> Vec<Row> {
        all(&Cli::<Verb>::command())
    }

    /// `BLESS=1 cargo test --bins schema` rewrites the files.
    #[test]
    fn the_files_are_what_the_types_say() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/schemas");
        let mut names = Vec::new();
        for Row { name, make, .. } in schemas() {
            let file = folder.join(format!("{name}.schema.json"));
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&file, written(&make())).unwrap();
            }
            let kept = std::fs::read_to_string(&file).ok();
            assert!(
                kept == Some(written(&make())),
                "{name}: BLESS=1 cargo test --bins schema rewrites the files"
            );
            names.push(file.file_name().unwrap().to_owned());
        }
        names.sort();
        let mut there: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        there.sort();
        assert_eq!(there, names, "files without a schema");
    }

    /// Collects the verbs that do something themselves, leaving out mere groups.
    fn verbs(words: &str, command: &Command, found: &mut Vec<String>) {
        if !command.is_subcommand_required_set() {
            found.push(words.trim().to_owned());
        }
        for below in command.get_subcommands() {
            verbs(&format!("{words} {}", below.get_name()), below, found);
        }
    }

    #[test]
    fn every_verb_has_a_schema_of_its_answer() {
        let mut found = Vec::new();
        for verb in Cli::<Verb>::command().get_subcommands() {
            verbs(verb.get_name(), verb, &mut found);
        }
        assert!(found.contains(&"monitor baseline create".to_owned()));
        assert!(!found.contains(&"plugin".to_owned()));
        let known = ANSWERS.iter().map(|(verb, _)| *verb);
        let mut known: Vec<&str> = known.collect();
        found.sort();
        known.sort_unstable();
        assert_eq!(known, found, "ANSWERS has the data of each verb once");
    }

    /// All schemas and the definitions in them: name of the schema, name of the definition (empty for
    /// the schema itself), schema.
    fn parts() -> Vec<(String, String, Json)> {
        let mut parts = Vec::new();
        for Row { name, make, .. } in schemas() {
            let mut schema = json!(make());
            for (part, schema) in schema["$defs"].take().as_object().into_iter().flatten() {
                parts.push((name.clone(), part.clone(), schema.clone()));
            }
            parts.push((name, String::new(), schema));
        }
        parts
    }

    #[test]
    fn every_field_has_a_description() {
        fn undescribed(at: &str, schema: &Json, found: &mut Vec<String>) {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                if !property["description"].is_string() && !property["$ref"].is_string() {
                    found.push(format!("{at}.{name}"));
                }
                undescribed(&format!("{at}.{name}"), property, found);
            }
            for several in ["anyOf", "oneOf", "allOf"] {
                for one in schema[several].as_array().into_iter().flatten() {
                    undescribed(at, one, found);
                }
            }
        }
        let mut found = Vec::new();
        for (name, part, schema) in parts() {
            undescribed(&format!("{name}.{part}"), &schema, &mut found);
        }
        assert!(found.is_empty(), "{found:#?}");
    }

    /// The reference describes a part of several answers only once, so it must be the same in each.
    #[test]
    fn parts_of_answers_with_the_same_name_are_the_same() {
        let mut seen: BTreeMap<String, Json> = BTreeMap::new();
        for (name, part, schema) in parts() {
            if part.is_empty() || FILES.iter().any(|(file, ..)| *file == name) {
                continue;
            }
            let before = seen.entry(part.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*before, schema, "{part} of {name} and of another answer");
        }
    }
}
