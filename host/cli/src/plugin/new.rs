//! `plugin new`: a folder for a new logic version.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_host::author::{
    self, AuthorError, Language, LogicName, Origin, Scaffold, ScaffoldRequest,
};
use provender_host::deployment::LOCK;

/// The folder that was created.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PluginNewAnswer<'a> {
    /// Where it is.
    folder: String,
    /// Name of the logic.
    name: &'a str,
    /// The new version: `v3`.
    version: &'a str,
    /// The language that it is written in.
    language: Language,
    /// The `name:version` that it starts from; null without `--from`.
    from: Option<String>,
    /// Where `plugin build` will write the component, relative to the folder.
    component: &'a str,
    /// Where the golden cases are, relative to the folder.
    cases: &'a str,
    /// Every file in it, relative to the folder.
    files: Vec<&'a str>,
    /// Files beside the folder that were changed.
    changed: Vec<String>,
}

#[derive(Args)]
pub(super) struct NewArgs {
    /// The new version, such as days_remaining:v3. A name has lower-case letters, digits and _.
    #[arg(value_name = "NAME:VERSION")]
    what: String,
    /// The language. Default with --from: the language of that version.
    #[arg(long, value_enum)]
    lang: Option<Lang>,
    /// Start from this version and its golden cases: from its folder beside the new one, else from the copy
    /// in the program. NAME:VERSION starts from another logic.
    #[arg(long, value_name = "VERSION")]
    from: Option<String>,
    /// The folder to create. Default: named after the version, such as days-remaining-v3.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Lang {
    Rust,
    Python,
}

pub(super) fn new(global: &Global, args: &NewArgs) -> Result<Done, CliError> {
    let logic: LogicName = args.what.parse()?;
    let from = args.from.as_deref();
    let from = from.map(|text| source(&logic, text)).transpose()?;
    if from.is_none() && args.lang.is_none() {
        return Err(CliError::usage(format!(
            "which language? provender plugin new {logic} --lang rust or --lang python; or --from VERSION for the language of that version"
        )));
    }
    let context = Context::open_if_any(global)?;
    let lock = match &context {
        Some(context) if context.project.dir.exists(LOCK) => Some(context.lock()?),
        _ => None,
    };
    let made = author::plan_scaffold(&ScaffoldRequest {
        logic,
        language: args.lang.map(|lang| match lang {
            Lang::Rust => Language::Rust,
            Lang::Python => Language::Python,
        }),
        from,
        folder: args.dir.clone(),
        lock: lock.as_ref(),
    })?;
    made.write()?;
    let answer = PluginNewAnswer {
        folder: made.folder.display().to_string(),
        name: &made.manifest.logic.name,
        version: &made.manifest.logic.version,
        language: made.manifest.language,
        from: args.from.as_ref().map(|_| made.from.to_string()),
        component: &made.manifest.component,
        cases: &made.manifest.cases,
        files: made.files().collect(),
        changed: made.changed().map(|p| p.display().to_string()).collect(),
    };
    Ok(Done::ok(&answer, text(&made)))
}

/// `v2` of the same logic, or `name:v2`.
fn source(logic: &LogicName, from: &str) -> Result<LogicName, CliError> {
    let found = if from.contains(':') {
        from.parse()
    } else {
        LogicName::new(&logic.name, from).map_err(|cause| AuthorError::Name {
            given: from.to_owned(),
            cause,
        })
    };
    found.map_err(|e| {
        let name = &logic.name;
        CliError::from(e).help(format!(
            "--from v2 starts from {name}:v2, --from NAME:v2 from another logic"
        ))
    })
}

fn text(made: &Scaffold) -> Text {
    let manifest = &made.manifest;
    let start = match &made.origin {
        Origin::Example => "from an example".to_owned(),
        Origin::Shipped => format!("from {}, which is part of this program", made.from),
        Origin::Folder(folder) => format!("from {} in {}", made.from, folder.display()),
    };
    let mut text = Text::default();
    text.look(
        Look::Strong,
        format!("made {} in {}", manifest.logic, made.folder.display()),
    );
    text.line(format!("written in {}, {start}", manifest.language));
    text.blank();
    for (name, files) in by_folder(made) {
        match files {
            1 => text.line(format!("  {name}")),
            n => text.line(format!("  {name} ({n} files)")),
        }
    }
    for path in made.changed() {
        text.line(format!("  changed: {}", path.display()));
    }
    text.blank();
    let test = match manifest.language {
        Language::Rust => "cargo test",
        Language::Python => "python3 -m unittest",
    };
    text.line(format!("next: cd {}", made.folder.display()));
    text.line(format!("      {test}"));
    text.line("      provender plugin build");
    text
}

/// Lists the copies of the SDK and of the Python layer as one line each.
fn by_folder(made: &Scaffold) -> Vec<(String, usize)> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for file in made.files() {
        let copied = ["sdk/", "provender_logic/"]
            .into_iter()
            .find(|folder| file.starts_with(folder));
        let name = copied.unwrap_or(file).to_owned();
        match lines.last_mut() {
            Some((last, count)) if *last == name => *count += 1,
            _ => lines.push((name, 1)),
        }
    }
    lines
}
