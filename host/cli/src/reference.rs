//! Generates the command line's reference as Markdown from the definitions that parse it. A test
//! compares it with `docs/reference/cli.md`.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use super::{Cli, Verb};
use answers::Answers;

mod answers;

/// The reference: one section per verb, with its purpose, examples, options and the fields of its
/// answer.
#[must_use]
pub(crate) fn reference() -> String {
    let mut command = Cli::<Verb>::command();
    command.build();
    let mut out = String::new();
    section(
        &mut out,
        "Options of every verb",
        None,
        command.get_arguments().filter(|a| a.is_global_set()),
    );
    let mut sections = Vec::new();
    for verb in command.get_subcommands().filter(|c| c.get_name() != "help") {
        with_actions(&mut sections, verb.get_name(), verb);
    }
    let answers = Answers::of(sections.iter().map(|(name, _)| name.as_str()));
    for (name, section) in &sections {
        out.push_str(section);
        out.push_str(&answers.table(name));
    }
    out.push_str(&answers.parts());
    out
}

/// A verb's section, then those of its subcommands: `monitor`, `monitor baseline`, `monitor baseline
/// create`.
fn with_actions(out: &mut Vec<(String, String)>, name: &str, command: &Command) {
    out.push((name.to_owned(), verb_section(name, command)));
    for action in command.get_subcommands().filter(|c| c.get_name() != "help") {
        with_actions(out, &format!("{name} {}", action.get_name()), action);
    }
}

fn verb_section(name: &str, command: &Command) -> String {
    let about = command
        .get_long_about()
        .or(command.get_about())
        .map(ToString::to_string);
    let own = command
        .get_arguments()
        .filter(|a| !a.is_global_set() && a.get_id() != "help" && a.get_id() != "version");
    let mut out = String::new();
    section(&mut out, &format!("`{name}`"), about.as_deref(), own);
    out
}

fn section<'a>(
    out: &mut String,
    name: &str,
    about: Option<&str>,
    arguments: impl Iterator<Item = &'a Arg>,
) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(out, "## {name}\n");
    for paragraph in about
        .unwrap_or_default()
        .split("\n\n")
        .filter(|p| !p.trim().is_empty())
    {
        let mut text = Vec::new();
        for line in paragraph.lines() {
            for part in line.split("Example: ").enumerate() {
                match part {
                    (0, plain) if !plain.trim().is_empty() => text.push(plain.trim().to_owned()),
                    (0, _) => {}
                    (_, example) => text.push(format!("Example: `{}`", example.trim())),
                }
            }
        }
        let _ = writeln!(out, "{}\n", text.join("\n"));
    }
    let rows: Vec<String> = arguments.map(row).collect();
    if !rows.is_empty() {
        let _ = writeln!(
            out,
            "| option | meaning |\n|---|---|\n{}\n",
            rows.join("\n")
        );
    }
}

fn row(a: &Arg) -> String {
    let values = a.get_value_names().map(|v| {
        v.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    });
    let takes = a.get_action().takes_values();
    let name = match (a.get_long(), a.get_short()) {
        (Some(long), Some(short)) => format!("-{short}, --{long}"),
        (Some(long), None) => format!("--{long}"),
        _ => String::new(),
    };
    let spelled = match (name.is_empty(), takes, values) {
        (true, _, Some(v)) => v,
        (false, true, Some(v)) => format!("{name} {v}"),
        (_, _, _) => name,
    };
    let help = a
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default()
        .replace('|', "\\|")
        .replace('<', "\\<");
    let choices: Vec<String> = a
        .get_possible_values()
        .iter()
        .map(|p| format!("`{}`", p.get_name()))
        .collect();
    let choices = if takes && !choices.is_empty() {
        format!(" ({})", choices.join(", "))
    } else {
        String::new()
    };
    format!("| `{spelled}` | {help}{choices} |")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// `BLESS=1 cargo test --bins reference` rewrites the page.
    #[test]
    fn the_page_is_what_the_program_parses() {
        const START: &str = "<!-- from here on written by the program -->\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let (head, rest) = page.split_once(START).unwrap();
        let generated = format!("\n{}", super::reference());
        if std::env::var_os("BLESS").is_some() {
            let page = format!("{head}{START}{}\n", generated.trim_end());
            std::fs::write(&path, page).unwrap();
            return;
        }
        let (page, program) = (rest.trim_end().lines(), generated.trim_end().lines());
        if let Some((page, program)) = page.clone().zip(program.clone()).find(|(a, b)| a != b) {
            panic!(
                "BLESS=1 cargo test --bins reference rewrites the page\n   page: {page}\nprogram: {program}"
            );
        }
        assert_eq!(
            page.count(),
            program.count(),
            "lines of the page and of the program"
        );
    }
}
