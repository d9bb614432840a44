//! `schema`: JSON Schemas of what people and scripts read and write.

use std::path::Path;

use clap::Args;
use schemars::{Schema, schema_for};
use serde_json::json;

use provender_host::project::{logic, settings, sources};

use super::envelope::Envelope;
use super::error::CliError;
use super::exit::Exit;
use super::ui::{Done, Text};

/// A schema's name, what it is of, and how it is made.
type Row = (&'static str, &'static str, fn() -> Schema);

/// Every schema. `docs/reference/schemas/` has them as files.
const ALL: [Row; 4] = [
    (
        "envelope",
        "what every verb prints with --json, around its data",
        || schema_for!(Envelope<'_>),
    ),
    (
        "logic.toml",
        "parameters and thresholds, by logic and version",
        logic::schema,
    ),
    (
        "provender.toml",
        "the settings of a deployment",
        settings::schema,
    ),
    (
        "sources.toml",
        "where input files come from",
        sources::schema,
    ),
];

/// Print the JSON Schema of a file or an answer, or list those that there are.
///
/// Example: provender schema provender.toml > provender.schema.json
#[derive(Args)]
pub(super) struct SchemaArgs {
    /// The schema's name; all are listed without one.
    name: Option<String>,
}

pub(super) fn run(args: &SchemaArgs) -> Result<Done, CliError> {
    let Some(name) = &args.name else {
        let mut text = Text::default();
        for (name, about, _) in ALL {
            text.line(format!("{name:<15}  {about}"));
        }
        let rows = ALL.map(|(name, about, _)| json!({"name": name, "about": about}));
        return Ok(Done::ok(json!({"schemas": rows}), text));
    };
    // A path to the file is what a person has at hand.
    let file = Path::new(name).file_name().and_then(|f| f.to_str());
    let Some((_, _, make)) = ALL.iter().find(|(known, ..)| file == Some(*known)) else {
        let known = ALL.map(|(name, ..)| name).join(", ");
        let message = format!("there is no schema `{name}`");
        let help = format!("schemas are {known}");
        return Err(CliError::new(Exit::NotFound, "schema_unknown", message).help(help));
    };
    let schema = make();
    let text = Text::verbatim(written(&schema));
    Ok(Done::ok(json!({"schema": schema}), text))
}

/// As it stands in a file.
fn written(schema: &Schema) -> String {
    format!("{:#}\n", json!(schema))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `BLESS=1 cargo test --bins schema` writes the files anew.
    #[test]
    fn the_files_are_what_the_types_say() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/schemas");
        let mut names = Vec::new();
        for (name, _, make) in ALL {
            let file = folder.join(format!("{name}.schema.json"));
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&file, written(&make())).unwrap();
            }
            let kept = std::fs::read_to_string(&file).unwrap();
            assert!(
                kept == written(&make()),
                "{name}: BLESS=1 cargo test --bins schema writes the files anew"
            );
            names.push(file.file_name().unwrap().to_owned());
        }
        let mut there: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        there.sort();
        assert_eq!(there, names, "files without a schema, or out of order");
    }

    #[test]
    fn every_setting_has_a_description() {
        fn undescribed(at: &str, schema: &serde_json::Value, found: &mut Vec<String>) {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                if !property["description"].is_string() && !property["$ref"].is_string() {
                    found.push(format!("{at}.{name}"));
                }
            }
        }
        let mut found = Vec::new();
        for (name, _, make) in ALL {
            let schema = json!(make());
            undescribed(name, &schema, &mut found);
            for (part, schema) in schema["$defs"].as_object().into_iter().flatten() {
                undescribed(&format!("{name}.{part}"), schema, &mut found);
            }
        }
        assert!(found.is_empty(), "{found:#?}");
    }
}
