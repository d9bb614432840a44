//! What 0.1.0 wrote and answered, unpacked, and the comparison with today's answers.
//!
//! An intended difference is entered in one of the tables below, with its reason. Nothing else may differ,
//! except members that an object has gained.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::kit::Ranch;

/// Values that must differ: the commands (by the end of their names), the place in the answer, the reason.
const VARIES: &[(&str, &str, &str)] = &[
    (
        "-after",
        "data.tree.root",
        "new entries name the program and the platform that recorded them",
    ),
    (
        "-after",
        "data.against.consistency",
        "the proof leads through the new entries",
    ),
    (
        "",
        "data.engine.target",
        "the platform on which a replay computes",
    ),
    (
        "",
        "data.engine.wasmtime",
        "the engine's version may move; the bits may not",
    ),
    (
        "",
        "data.checked.schema",
        "tables and guards of the schema are counted; schema 4 has one table and three guards more",
    ),
];

/// Arrays that may gain rows: the place, the member that names a row, the reason.
const GROWS: &[(&str, &str, &str)] = &[
    (
        "data.settings",
        "key",
        "a new setting is a new row of `config`",
    ),
    (
        "data.features",
        "name",
        "a new feature is a new row of `features`",
    ),
];

/// Texts of the program that were reworded: a part of the old text, the new one, the reason. Recorded texts
/// never change and must not be listed here.
const REWORDED: &[(&str, &str, &str)] = &[
    (
        "the reply holds no row: ",
        "the reply has no rows: ",
        "plain English",
    ),
    (
        "in logic.toml with what still holds, and run this again",
        "in logic.toml, keep what still applies, and run this again",
        "plain English",
    ),
    (
        "says that the defaults are meant",
        "confirms the defaults",
        "plain English",
    ),
    (
        "promotions are frozen since ",
        "promotions have been frozen since ",
        "plain English",
    ),
    (
        "1 run that the incident links recorded",
        "recorded 1 run that the incident links",
        "plain English",
    ),
    (
        ", no answer unless that is promoted",
        "; not an answer unless that release is promoted",
        "plain English",
    ),
    (
        " is active, and what is set here otherwise is not obeyed",
        " is active; settings here that differ from it are ignored",
        "plain English",
    ),
    (
        "lets promotions go on; `provender release rollback` works meanwhile",
        "allows promotions again; `provender release rollback` works while they are frozen",
        "plain English",
    ),
    (
        "what is to do stands above; `release promote ",
        "the steps are listed above; `release promote ",
        "plain English",
    ),
    (
        "promotes all the same and is recorded",
        "promotes anyway and records the reason",
        "plain English",
    ),
    (
        "note: who made ",
        "note: the signature of ",
        "plain English",
    ),
];

/// Warnings and notes that 0.1.0 did not print: the beginning of the command's name, a part of the text, and
/// what it means for somebody who upgrades.
const NEW_WARNINGS: &[(&str, &str, &str)] = &[];

/// The clock at which the answers were recorded.
const NOW: &str = "2025-07-04T06:00:00Z";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/v0.1.0")
}

fn read(inside: &str) -> String {
    std::fs::read_to_string(folder().join(inside)).unwrap()
}

/// A command of `commands.txt`.
pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) args: Vec<String>,
}

/// The commands whose names begin with this, in order.
pub(crate) fn asked(group: &str) -> Vec<Asked> {
    let text = read("commands.txt");
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    let words = lines.map(|l| l.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    words
        .filter_map(|line| {
            let (name, args) = line.split_first()?;
            name.starts_with(group).then(|| Asked {
                name: name.clone(),
                args: args.to_vec(),
            })
        })
        .collect()
}

/// The answer of a command: the object on stdout, and each `warning:` and `note:` on stderr.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) json: Json,
    pub(crate) warnings: Vec<String>,
}

/// The recorded answer of 0.1.0.
pub(crate) fn kept(name: &str) -> Answer {
    let mut kept: Json = serde_json::from_str(&read(&format!("answers/{name}.json"))).unwrap();
    Answer {
        json: kept["answer"].take(),
        warnings: serde_json::from_value(kept["warnings"].take()).unwrap(),
    }
}

/// Number of entries and root of a deployment's ledger, as 0.1.0 left it.
pub(crate) fn head(deployment: &str) -> Json {
    let heads: Json = serde_json::from_str(&read("heads.json")).unwrap();
    heads[deployment].clone()
}

/// The fixture's folders, unpacked.
pub(crate) struct Fixture {
    pub(crate) ranch: Ranch,
    /// Packs of manifests that 0.1.0 wrote. Their names are digests that depend on what recorded them.
    packs: BTreeSet<String>,
}

impl Fixture {
    pub(crate) fn unpack() -> Fixture {
        let packed = std::fs::File::open(folder().join("deployments.tar.lz4")).unwrap();
        let tar = lz4_flex::frame::FrameDecoder::new(packed);
        let mut ranch = Ranch::empty();
        NOW.clone_into(&mut ranch.now);
        "ann".clone_into(&mut ranch.actor);
        let root = ranch.dir().parent().unwrap().to_owned();
        tar::Archive::new(tar).unpack(&root).unwrap();
        let packs = ranch.files("out/manifests/packs").into_iter();
        let packs = packs
            .map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        Fixture { ranch, packs }
    }

    /// The folder that holds the deployments.
    pub(crate) fn root(&self) -> PathBuf {
        self.ranch.dir().parent().unwrap().to_owned()
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.root().join(inside)
    }

    /// Runs a command with the program of today.
    pub(crate) fn ask(&self, args: &[String]) -> Answer {
        let mut command = self.ranch.command();
        command.current_dir(self.root()).args(args).arg("--json");
        let output = command.output().unwrap();
        let root = self.root().display().to_string();
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(&root, "FIXTURE");
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        let json: Json = serde_json::from_str(&stdout)
            .unwrap_or_else(|e| panic!("{args:?}: {e}:\n{stdout}\n{stderr}"));
        assert_eq!(
            json["exit_code"],
            output.status.code().unwrap_or(-1),
            "{args:?}"
        );
        let warns = |l: &&str| l.starts_with("warning: ") || l.starts_with("note: ");
        Answer {
            json,
            warnings: stderr.lines().filter(warns).map(str::to_owned).collect(),
        }
    }

    /// The differences, each with its place.
    pub(crate) fn differences(&self, name: &str, old: &Answer, new: &Answer) -> Vec<String> {
        let mut found = Vec::new();
        self.compare(name, "", &old.json, &new.json, &mut found);
        let mut old: Vec<&String> = old.warnings.iter().collect();
        for warning in &new.warnings {
            let known = old.iter().position(|o| self.same_text(o, warning));
            let meant =
                |(of, part, _): &(&str, &str, &str)| name.starts_with(of) && warning.contains(part);
            if let Some(at) = known {
                let _ = old.remove(at);
            } else if !NEW_WARNINGS.iter().any(meant) {
                found.push(format!("{name}: a new one: {warning}"));
            }
        }
        found.extend(old.iter().map(|o| format!("{name}: no longer said: {o}")));
        found
    }

    fn compare(&self, name: &str, at: &str, old: &Json, new: &Json, found: &mut Vec<String>) {
        let varies = |(of, place, _): &&(&str, &str, &str)| name.ends_with(of) && *place == at;
        if VARIES.iter().any(|v| varies(&v)) {
            return;
        }
        match (old, new) {
            (Json::Object(old), Json::Object(new)) => {
                for (member, was) in old {
                    let at = if at.is_empty() {
                        member.clone()
                    } else {
                        format!("{at}.{member}")
                    };
                    match new.get(member) {
                        Some(is) => self.compare(name, &at, was, is, found),
                        None => found.push(format!("{name}: {at}: is gone; it was {was}")),
                    }
                }
            }
            (Json::Array(old), Json::Array(new)) => {
                let key = GROWS.iter().find(|(place, _, _)| *place == at);
                let rows: Vec<&Json> = match key {
                    Some((_, key, _)) => {
                        let known = |row: &&Json| old.iter().any(|o| o[*key] == row[*key]);
                        new.iter().filter(known).collect()
                    }
                    None => new.iter().collect(),
                };
                if old.len() != rows.len() {
                    let (was, is) = (old.len(), rows.len());
                    found.push(format!("{name}: {at}: {was} rows are {is} now"));
                }
                for (was, is) in old.iter().zip(rows) {
                    self.compare(name, at, was, is, found);
                }
            }
            (Json::String(old), Json::String(new)) if self.same_text(old, new) => {}
            _ if old == new => {}
            _ => found.push(format!("{name}: {at}: {old} is {new} now")),
        }
    }

    fn same_text(&self, old: &str, new: &str) -> bool {
        if old == new || self.without_new_packs(old) == self.without_new_packs(new) {
            return true;
        }
        let reworded = REWORDED
            .iter()
            .fold(old.to_owned(), |text, (from, to, _)| text.replace(from, to));
        reworded == new
    }

    /// The name of a pack that 0.1.0 did not leave is a digest that depends on what recorded it.
    fn without_new_packs(&self, text: &str) -> String {
        match text.split_once("/packs/") {
            Some((before, rest)) => match rest.split_once('#') {
                Some((pack, row)) if !self.packs.contains(pack) => {
                    format!("{before}/packs/NEW#{row}")
                }
                _ => text.to_owned(),
            },
            None => text.to_owned(),
        }
    }
}
