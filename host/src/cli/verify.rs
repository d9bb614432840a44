//! `verify`: the lock file against the bytes, the bytes against what they declare and against their
//! golden cases, and the change against the release contract.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value as Json, json};

use crate::contract::render::annotation;
use crate::contract::{ContractError, Finding, Repository, rules};
use crate::golden::{CaseSet, Tested, junit, run};
use crate::logic::{Component, Limits, Lock, Pin, Sandbox};
use crate::render::junit::{Outcome, Suite, TestCase, document};
use crate::render::text::{count, printable};

use super::Global;
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::plugin::subject::cases_folder;
use super::plugin::test::{refusal, summary, write_junit};
use super::ui::{Done, Look, Text};

/// Check every pinned component: its bytes against provender.lock, what it declares against its
/// pin, its inputs against this deployment's catalogue, its golden cases; and with --base the change
/// against the release contract.
///
/// The contract (exit 17): a frozen version keeps its pin, its bytes, what it declares and its source;
/// a version of the WIT is not edited in place; and where a change touches what several owners of
/// .github/CODEOWNERS own, each has approved: a trailer `Approved-by: OWNER …` in a commit since the
/// base, or --approved-by. The change is the working tree against the newest commit shared with REV.
///
/// Example: provender verify
/// Example: provender verify --lock logic-plugins/artifacts/provender.lock --base origin/main --github
#[derive(Args)]
pub(super) struct VerifyArgs {
    /// Check this lock file and the components beside it, without a deployment.
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// The folder of golden cases, with a folder of each logic's name; else `cases` or
    /// `logic-plugins/cases` beside the lock file, or `cases` beside its folder.
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// Judge the change since this revision by the release contract.
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// An owner who has approved the change. May be repeated.
    #[arg(long, value_name = "OWNER", requires = "base")]
    approved_by: Vec<String>,
    /// Write the result as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print annotations of GitHub Actions, `::error file=…`.
    #[arg(long, conflicts_with = "json")]
    github: bool,
}

/// A lock file with its folder, in a deployment or alone.
struct Pinned {
    /// As messages name the lock file.
    file: String,
    folder: PathBuf,
    text: String,
    lock: Lock,
    sandbox: Sandbox,
    deployment: Option<Context>,
}

/// The same look at some pins of a deployment, for who goes on with them: troubles of each, the number
/// of golden cases that hold, and what the report says.
pub(super) struct Examined {
    pub(super) model: String,
    pub(super) troubles: Vec<CliError>,
    pub(super) cases: Option<usize>,
    pub(super) report: Json,
}

pub(super) fn examine(
    global: &Global,
    pins: &[&Pin],
    cases: Option<&Path>,
) -> Result<Vec<Examined>, CliError> {
    let pinned = Pinned::open(global, None)?;
    pins.iter()
        .map(|pin| {
            let checked = pinned.check(pin, cases)?;
            Ok(Examined {
                report: component_json(&checked),
                cases: checked.golden.as_ref().map(|(t, _)| t.cases.len()),
                model: checked.model,
                troubles: checked.troubles,
            })
        })
        .collect()
}

/// What was found of one component.
struct Checked {
    model: String,
    name: String,
    version: String,
    sha256: String,
    /// Line of its entry in the lock file.
    line: usize,
    troubles: Vec<CliError>,
    golden: Option<(Tested, String)>,
}

impl Pinned {
    fn open(global: &Global, lock: Option<&Path>) -> Result<Pinned, CliError> {
        let Some(file) = lock else {
            let context = Context::open(global)?;
            let text = context.project.dir.read_to_string(super::context::LOCK);
            return Ok(Pinned {
                lock: context.lock()?,
                file: super::context::LOCK.to_owned(),
                folder: context.project.root.clone(),
                text: text.unwrap_or_default(),
                sandbox: context.sandbox()?,
                deployment: Some(context),
            });
        };
        let text =
            std::fs::read_to_string(file).map_err(|e| unreadable(file, &e, "lock_unreadable"))?;
        Ok(Pinned {
            file: file.display().to_string(),
            folder: file.parent().unwrap_or(Path::new("")).to_path_buf(),
            lock: Lock::parse(&text)?,
            text,
            sandbox: Sandbox::new(Limits::default(), None)?,
            deployment: None,
        })
    }

    fn load(&self, pin: &Pin) -> Result<Component, CliError> {
        if let Some(context) = &self.deployment {
            return context.load(&self.sandbox, pin);
        }
        let path = self.folder.join(&pin.path);
        let file = path.display().to_string();
        let bytes =
            std::fs::read(&path).map_err(|e| unreadable(&path, &e, "component_unreadable"))?;
        pin.check_bytes(&file, &bytes)?;
        let component = self.sandbox.load_within(&file, &bytes, &pin.limits)?;
        pin.check_component(&component)?;
        Ok(component)
    }

    /// Whether it fits the catalogue matters for what is active here.
    fn check_binding(&self, model: &str) -> Result<(), CliError> {
        match &self.deployment {
            Some(context)
                if context
                    .project
                    .settings
                    .logic
                    .active
                    .iter()
                    .any(|a| a == model) =>
            {
                // What lies here is judged by what lies here, whatever release is in force.
                let pin = super::context::pin(&self.lock, model)?;
                let component = context.load(&self.sandbox, pin)?;
                context.bind_here(component, pin, &BTreeMap::new())?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Where cases are looked for when the command line does not say.
    fn case_folders(&self) -> Vec<PathBuf> {
        vec![
            self.folder.join("cases"),
            self.folder.join("logic-plugins/cases"),
            match self.folder.file_name() {
                Some(_) => self.folder.with_file_name("cases"),
                None => self.folder.join("../cases"),
            },
        ]
    }

    fn check(&self, pin: &Pin, cases: Option<&Path>) -> Result<Checked, CliError> {
        let model = pin.model_version();
        let mut checked = Checked {
            name: pin.name.clone(),
            version: pin.version.clone(),
            sha256: pin.sha256.to_string(),
            line: rules::line_of_pin(&self.text, pin),
            troubles: Vec::new(),
            golden: None,
            model,
        };
        let component = match self.load(pin) {
            Ok(component) => component,
            Err(e) => {
                checked.troubles.push(e);
                return Ok(checked);
            }
        };
        checked
            .troubles
            .extend(self.check_binding(&checked.model).err());
        let found = match cases {
            Some(folder) => cases_folder(&[folder.to_path_buf()], &pin.name),
            None => cases_folder(&self.case_folders(), &pin.name),
        };
        let Some(folder) = found else {
            if let Some(folder) = cases {
                let message = format!("{} has no golden cases of {}", folder.display(), pin.name);
                checked.troubles.push(
                    CliError::new(Exit::NotFound, "golden_missing", message)
                        .help("write some: docs/reference/golden-cases.md describes the format"),
                );
            }
            return Ok(checked);
        };
        match golden(&component, &folder) {
            Ok(tested) => {
                checked.troubles.extend(refusal(&checked.model, &tested));
                checked.golden = Some((tested, folder.display().to_string()));
            }
            Err(e) => checked.troubles.push(e),
        }
        Ok(checked)
    }
}

fn unreadable(path: &Path, e: &std::io::Error, code: &str) -> CliError {
    let exit = match e.kind() {
        std::io::ErrorKind::NotFound => Exit::NotFound,
        _ => Exit::Io,
    };
    CliError::new(exit, code, format!("{}: {e}", path.display()))
}

fn golden(component: &Component, folder: &Path) -> Result<Tested, CliError> {
    let set = CaseSet::read(folder, &folder.display().to_string())?;
    Ok(run::run(component, set.select(component.description())?)?)
}

pub(super) fn run(global: &Global, args: &VerifyArgs) -> Result<Done, CliError> {
    let pinned = Pinned::open(global, args.lock.as_deref())?;
    let mut checked = Vec::new();
    for pin in pinned.lock.components() {
        checked.push(pinned.check(pin, args.cases.as_deref())?);
    }
    let findings = match &args.base {
        None => None,
        Some(base) => {
            let repository = Repository::open(&pinned.folder_or_here(), base)?;
            Some(rules::judge(
                &repository,
                &pinned.sandbox,
                &args.approved_by,
            )?)
        }
    };
    if let Some(file) = &args.junit {
        write_junit(file, &document(&suites(&checked, findings.as_deref())))?;
    }
    let exit = Exit::worst(
        checked
            .iter()
            .flat_map(|c| &c.troubles)
            .map(|t| t.exit)
            .chain(findings.iter().flatten().map(|_| Exit::Check)),
    );
    let data = json!({
        "components": checked.iter().map(component_json).collect::<Vec<_>>(),
        "contract": findings.iter().flatten().map(finding_json).collect::<Vec<_>>(),
        "base": args.base,
    });
    let text = text(&pinned, &checked, findings.as_deref(), args.github);
    let broken = findings.as_deref().unwrap_or_default();
    let contract = (!broken.is_empty()).then(|| refused(broken));
    let troubles = checked.into_iter().flat_map(|c| c.troubles);
    let error = troubles.chain(contract).find(|t| t.exit == exit);
    Ok(Done {
        exit,
        data,
        text,
        error,
    })
}

impl Pinned {
    fn folder_or_here(&self) -> PathBuf {
        if self.folder.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            self.folder.clone()
        }
    }
}

fn refused(findings: &[Finding]) -> CliError {
    let first = &findings[0];
    let more = match findings.len() {
        1 => String::new(),
        n => format!(", and {} more", n - 1),
    };
    CliError::new(
        Exit::Check,
        "contract_broken",
        format!(
            "the change breaks the release contract: {}: {}{more}",
            first.path, first.message
        ),
    )
    .help(first.remedy.clone())
}

impl From<ContractError> for CliError {
    fn from(e: ContractError) -> CliError {
        let exit = match &e {
            ContractError::NoGit(_) => Exit::Unavailable,
            ContractError::NoRepository { .. }
            | ContractError::NoBase { .. }
            | ContractError::NoCommon { .. } => Exit::NotFound,
            ContractError::Git { .. } | ContractError::Io { .. } => Exit::Io,
            ContractError::AtBase { .. } => Exit::Data,
        };
        CliError {
            exit,
            code: e.code().to_owned(),
            message: e.to_string(),
            help: e.help(),
        }
    }
}

fn component_json(c: &Checked) -> Json {
    json!({
        "name": c.name,
        "version": c.version,
        "sha256": c.sha256,
        "status": if c.troubles.is_empty() { "ok" } else { "refused" },
        "problems": c.troubles.iter().map(|t| &t.message).collect::<Vec<_>>(),
        "golden": c.golden.as_ref().map(|(tested, _)| summary(tested)),
    })
}

fn finding_json(f: &Finding) -> Json {
    json!({"rule": f.rule.name(), "path": f.path, "line": f.line, "message": f.message, "remedy": f.remedy})
}

fn suites(checked: &[Checked], findings: Option<&[Finding]>) -> Vec<Suite> {
    let components = checked.iter().map(|c| TestCase {
        name: c.model.clone(),
        place: None,
        outcome: match c.troubles.first() {
            None => Outcome::Passed,
            Some(first) => Outcome::Failed {
                kind: first.code.clone(),
                message: first.message.clone(),
                text: c
                    .troubles
                    .iter()
                    .map(|t| t.message.as_str())
                    .collect::<Vec<_>>()
                    .join("\n"),
            },
        },
    });
    let mut suites = vec![Suite {
        name: "pinned components".to_owned(),
        cases: components.collect(),
    }];
    suites.extend(
        checked
            .iter()
            .filter_map(|c| Some(junit::suite(&c.model, &c.golden.as_ref()?.0))),
    );
    suites.extend(findings.map(crate::contract::render::suite));
    suites
}

fn text(pinned: &Pinned, checked: &[Checked], findings: Option<&[Finding]>, github: bool) -> Text {
    let mut text = Text::default();
    let rows: Vec<_> = checked
        .iter()
        .map(|c| {
            let (look, word) = match c.troubles.is_empty() {
                true => (Look::Good, "ok"),
                false => (Look::Bad, "refused"),
            };
            let golden = c.golden.as_ref().map_or_else(
                || "no cases".to_owned(),
                |(t, _)| format!("{} of {}", t.cases.len() - t.failed(), t.cases.len()),
            );
            let problems: Vec<_> = c.troubles.iter().map(|t| t.message.as_str()).collect();
            vec![
                (Look::Strong, c.model.clone()),
                (Look::Plain, c.sha256.clone()),
                (Look::Plain, golden),
                (look, word.to_owned()),
                (Look::Plain, problems.join("; ")),
            ]
        })
        .collect();
    text.table(
        &["logic", "component", "golden cases", "status", "problem"],
        &rows,
    );
    for c in checked {
        let Some((tested, _)) = &c.golden else {
            continue;
        };
        for ran in &tested.cases {
            for problem in junit::problems(ran, tested) {
                let (name, place) = (&ran.case.name, &ran.case.place);
                text.line(format!(
                    "  {}: {name} ({place}): {}",
                    c.model,
                    printable(&problem)
                ));
            }
        }
    }
    if let Some(findings) = findings {
        text.blank();
        match findings.len() {
            0 => text.look(Look::Good, "the release contract holds"),
            n => text.look(
                Look::Bad,
                format!(
                    "the release contract is broken in {}",
                    count(n as u64, "place")
                ),
            ),
        }
    }
    for f in findings.unwrap_or_default() {
        text.line(format!(
            "{}:{}: {}",
            printable(&f.path),
            f.line,
            printable(&f.message)
        ));
        text.look(Look::Dim, format!("  remedy: {}", printable(&f.remedy)));
    }
    if github {
        annotations(&mut text, pinned, checked, findings.unwrap_or_default());
    }
    text
}

fn annotations(text: &mut Text, pinned: &Pinned, checked: &[Checked], findings: &[Finding]) {
    for c in checked {
        let golden_failed = c.golden.as_ref().is_some_and(|(t, _)| !t.passed());
        for trouble in c
            .troubles
            .iter()
            .filter(|t| !(golden_failed && t.code.starts_with("golden")))
        {
            text.line(annotation(&pinned.file, c.line, &c.model, &trouble.message));
        }
        let Some((tested, _)) = &c.golden else {
            continue;
        };
        for ran in &tested.cases {
            let problems = junit::problems(ran, tested);
            if !problems.is_empty() {
                let message = format!("{}: {}", ran.case.name, problems.join("\n"));
                let place = &ran.case.place;
                text.line(annotation(
                    &place.file,
                    place.line,
                    &format!("golden case of {}", c.model),
                    &message,
                ));
            }
        }
    }
    for f in findings {
        let message = format!("{}\n{}", f.message, f.remedy);
        text.line(annotation(&f.path, f.line, f.rule.says(), &message));
    }
}
