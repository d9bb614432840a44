//! `plugin test`: runs golden cases in the sandbox that production uses.

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::Global;
use crate::context::Context;
use crate::error::{CliError, DISK};
use crate::exit::Exit;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_domain::files::outfile;
use provender_domain::render::junit::document;
use provender_domain::render::text::count;
use provender_host::golden::{
    self, BULK_ROWS, Blessing, CaseFuel, CaseSet, CaseVerdict, Difference, Disagreement,
    FailedCases, FileRewrite, GoldenCounts, Profile, Ran, SkippedCase, SourceLine, Tested,
};
use provender_sandbox::Component;

use super::found::{Found, LimitArgs};
use super::subject::Subject;

/// Number of profiled cases shown in the text; JSON has all of them.
const PROFILED: usize = 5;

#[derive(Args)]
pub(super) struct TestArgs {
    /// The folder of a logic version, a .wasm file, or a pinned name:version. Default: the current
    /// folder.
    #[arg(default_value = ".", hide_default_value = true)]
    what: String,
    /// Test this component instead of the folder's own.
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// The folder of golden cases, or a folder that has one named after the logic.
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// Write the new outputs into the TOML files of the cases that differ, for you to review. A failure is
    /// never written. A case that also holds for earlier versions is left unchanged and superseded, which
    /// needs --reason.
    #[arg(long)]
    bless: bool,
    /// Why this version gives other numbers than earlier ones. It is written into the files.
    #[arg(long, value_name = "TEXT", requires = "bless")]
    reason: Option<String>,
    /// Write the result as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Show where the fuel is used.
    #[arg(long)]
    profile: bool,
    #[command(flatten)]
    limits: LimitArgs,
}

/// A run of the cases, with the changes of `--bless` and the profile.
struct Report<'r> {
    component: &'r Component,
    folder: &'r str,
    newer: Option<&'r str>,
    tested: &'r Tested,
    changes: &'r [FileRewrite],
    profile: Option<&'r Profile>,
}

pub(super) fn test(global: &Global, args: &TestArgs) -> Result<Done, CliError> {
    let root = Context::open_if_any(global)?.map(|c| c.project.root.clone());
    let subject = Subject::find(
        &args.what,
        args.component.as_deref(),
        args.cases.as_deref(),
        root.as_deref(),
    )?;
    let Found { component, .. } = Found::open(global, &subject.component, &args.limits)?;
    let d = component.description();
    subject.check(&d.model_version())?;
    if let Some(file) = &subject.newer {
        global.ui().note(&format!(
            "{file} was changed after {} was built, so the test runs an old build; `provender plugin build` builds it again",
            subject.component
        ));
    }
    let folder = subject.cases(&d.name)?;
    let shown = folder.display().to_string();
    let shown = shown.trim_end_matches('/').to_owned();
    let again = || -> Result<(CaseSet, Tested), CliError> {
        let set = CaseSet::read(&folder, &shown)?;
        let selected = set.select(d)?;
        Ok((set, golden::run(&component, selected)?))
    };
    let (set, mut tested) = again()?;
    let mut changes = Vec::new();
    if args.bless {
        let blessing = Blessing {
            version: &d.version,
            shared: !folder.starts_with(&args.what),
            reason: args
                .reason
                .as_deref()
                .map(str::trim)
                .filter(|r| !r.is_empty()),
        };
        changes = golden::bless(&tested, &set, &folder, &blessing)?;
        if changes.iter().any(|c| c.written) {
            // Read back what was written: it must hold now.
            (_, tested) = again()?;
        }
    }
    if let Some(file) = &args.junit {
        let suite = golden::junit_suite(&d.model_version(), &tested);
        write_junit(file, &document(&[suite]))?;
    }
    let profile = args
        .profile
        .then(|| golden::profile(&component, &tested))
        .transpose()?;
    let report = Report {
        component: &component,
        folder: &shown,
        newer: subject.newer.as_deref(),
        tested: &tested,
        changes: &changes,
        profile: profile.as_ref(),
    };
    let error = tested.failed_cases(&d.model_version()).map(CliError::from);
    let exit = error.as_ref().map_or(Exit::Ok, |e| e.exit);
    Ok(Done::ended(exit, &report.answer(), report.text(), error))
}

/// Writes a JUnit file.
pub(crate) fn write_junit(file: &Path, text: &str) -> Result<(), CliError> {
    outfile::write(file, text.as_bytes()).map_err(|e| {
        CliError::new(
            Exit::Io,
            "junit_unwritable",
            format!("{} cannot be written: {e}", file.display()),
        )
        .help(DISK)
    })
}

impl From<FailedCases> for CliError {
    fn from(e: FailedCases) -> CliError {
        let error = |exit| CliError::new(exit, e.code(), e.to_string());
        match e.trapped {
            true => error(Exit::Failed)
                .help("the component failed on a case that expects an answer, which is a defect of the logic; its own message is above"),
            false => error(Exit::Check)
                .help("correct the logic. If the new numbers are intended, make a new version that supersedes the case with a reason; --bless writes its outputs"),
        }
    }
}

/// The result of a component's golden cases.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PluginTestAnswer<'a> {
    /// Name of the logic.
    name: &'a str,
    /// Its version: `v3`.
    version: &'a str,
    /// The component's file.
    component: &'a str,
    /// Digest of its bytes.
    sha256: Digest,
    /// The folder of the cases.
    folder: &'a str,
    /// A file of the source that was changed after the component was built; null if there is none.
    changed_since_built: Option<&'a str>,
    /// Number of cases by result.
    summary: GoldenCounts,
    /// Each case that was run.
    cases: Vec<CaseAnswer<'a>>,
    /// Each case that was not run, and why.
    skipped: &'a [SkippedCase],
    /// Rows whose answer depends on the other rows of the call.
    together: &'a [Disagreement],
    /// With `--bless`: what was expected, and what is expected now.
    changes: &'a [FileRewrite],
    /// With `--profile`: where the fuel is used; null without it.
    profile: Option<ProfileAnswer<'a>>,
}

/// A case that was run.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GoldenCase")]
struct CaseAnswer<'a> {
    /// Its name.
    case: &'a str,
    #[serde(flatten)]
    place: &'a SourceLine,
    /// How it ended.
    status: CaseStatus,
    /// What does not hold, as text.
    problems: Vec<String>,
    /// The code of the row's failure; null if the component gave an answer.
    code: Option<&'static str>,
    /// The outputs that are not as expected.
    differences: Vec<DifferenceAnswer<'a>>,
    /// The texts of the row's reason columns.
    notes: Vec<Note<'a>>,
}

/// How a case ended.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum CaseStatus {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
}

/// An output that is not as a case expects.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GoldenDifference")]
struct DifferenceAnswer<'a> {
    /// The output.
    output: &'a str,
    /// What it should be.
    expected: Json,
    /// What it is.
    got: Json,
    /// How far apart two numbers are, in the output's unit; null if they are not numbers.
    absolute: Option<f64>,
    /// How many float64 values lie between them, as a text beyond 2^53; null if they are not numbers.
    #[schemars(with = "Option<Ulps>")]
    ulps: Option<Json>,
    /// How far apart they may be; null if bits are compared.
    tolerance: Option<f64>,
}

/// A count that may be beyond 2^53.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "it stands for two types of JSON in the schema")]
enum Ulps {
    /// Up to 2^53.
    Number(u64),
    /// Beyond.
    Text(String),
}

/// The text of a reason column.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GoldenNote")]
struct Note<'a> {
    /// The output.
    output: &'a str,
    /// The text.
    note: &'a str,
}

/// Where the fuel is used. Fuel counts executed WebAssembly operations.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FuelProfile")]
struct ProfileAnswer<'a> {
    /// Fuel to create an instance, which every call does.
    start_up: u64,
    /// Fuel of `describe`, once per load.
    describe: u64,
    /// Fuel of a call without rows.
    call_without_rows: u64,
    /// Share of start-up and call in the fuel of a call with one row, for the case that uses most, 0 to 1.
    base_share: f64,
    /// Rows of the call that measures `per_row`.
    bulk_rows: usize,
    /// The limits.
    limit: FuelLimit,
    /// Each case; the row that uses most fuel comes first.
    cases: &'a [CaseFuel],
}

/// Limits of fuel.
#[derive(Serialize, JsonSchema)]
struct FuelLimit {
    /// Fuel of a call, without its rows.
    base: u64,
    /// Fuel of a call per row.
    per_row: u64,
}

impl Report<'_> {
    fn answer(&self) -> PluginTestAnswer<'_> {
        let d = self.component.description();
        let cases = self.tested.cases.iter();
        PluginTestAnswer {
            name: &d.name,
            version: &d.version,
            component: self.component.file(),
            sha256: self.component.digest(),
            folder: self.folder,
            changed_since_built: self.newer,
            summary: self.tested.counts(),
            cases: cases.map(|c| case_answer(c, self.tested)).collect(),
            skipped: &self.tested.skipped,
            together: &self.tested.disagreements,
            changes: self.changes,
            profile: self.profile.map(profile_answer),
        }
    }

    fn text(&self) -> Text {
        let mut text = Text::default();
        let d = self.component.description();
        text.look(
            Look::Strong,
            format!("{}  {}", d.model_version(), self.component.digest()),
        );
        for ran in &self.tested.cases {
            case_text(&mut text, ran, self.tested);
        }
        if !self.changes.is_empty() {
            text.blank();
            text.look(Look::Warn, "written for review; read each one:");
        }
        for c in self.changes {
            let hand = if c.written {
                ""
            } else {
                " (edit the CSV file yourself)"
            };
            text.line(format!(
                "  {}: {}: {}: {} is now {}{hand}",
                c.place, c.case, c.output, c.from, c.to
            ));
        }
        let (superseded, later): (Vec<_>, Vec<_>) =
            self.tested.skipped.iter().partition(|s| s.superseded);
        let mut reasons: Vec<(&str, u64)> = Vec::new();
        for s in &superseded {
            match reasons.iter_mut().find(|(reason, _)| *reason == s.reason) {
                Some((_, n)) => *n += 1,
                None => reasons.push((&s.reason, 1)),
            }
        }
        for (reason, n) in reasons {
            let reason = provender_domain::render::escape::terminal(reason);
            text.look(
                Look::Dim,
                format!("superseded  {}: {reason}", count(n, "case")),
            );
        }
        let cases = &self.tested.cases;
        let mut parts = vec![format!("{} passed", cases.len() - self.tested.failed())];
        if self.tested.failed() > 0 {
            parts.push(format!("{} failed", self.tested.failed()));
        }
        if !superseded.is_empty() {
            parts.push(format!("{} superseded", superseded.len()));
        }
        if !later.is_empty() {
            parts.push(format!("{} of later versions", later.len()));
        }
        text.line(format!(
            "{} of {}: {}",
            count(cases.len() as u64, "golden case"),
            self.folder,
            parts.join(", ")
        ));
        if let Some(profile) = self.profile {
            text.blank();
            profile_text(&mut text, profile);
        }
        text
    }
}

fn case_text(text: &mut Text, ran: &Ran, tested: &Tested) {
    let lines = golden::case_problems(ran, tested);
    if lines.is_empty() {
        return;
    }
    text.look(
        Look::Bad,
        format!("failed  {} ({})", ran.case.name, ran.case.place),
    );
    for line in lines {
        text.line(format!("  {line}"));
    }
    for (output, note) in &ran.notes {
        let note = provender_domain::render::escape::terminal(note);
        text.look(Look::Dim, format!("  the row's {output}: {note}"));
    }
}

fn case_answer<'a>(ran: &'a Ran, tested: &Tested) -> CaseAnswer<'a> {
    let problems = golden::case_problems(ran, tested);
    let notes = ran.notes.iter();
    CaseAnswer {
        case: &ran.case.name,
        place: &ran.case.place,
        status: match problems.is_empty() {
            true => CaseStatus::Passed,
            false => CaseStatus::Failed,
        },
        problems,
        code: match &ran.verdict {
            CaseVerdict::Failed { code, .. } => Some(code.code()),
            _ => None,
        },
        differences: match &ran.verdict {
            CaseVerdict::Differs(all) => all.iter().map(difference_answer).collect(),
            _ => Vec::new(),
        },
        notes: notes.map(|(output, note)| Note { output, note }).collect(),
    }
}

fn difference_answer(d: &Difference) -> DifferenceAnswer<'_> {
    DifferenceAnswer {
        output: &d.output,
        expected: d.expected.to_json(),
        got: d.got.to_json(),
        absolute: d.absolute,
        ulps: d.ulps.map(|n| match n > 1 << 53 {
            true => json!(n.to_string()),
            false => json!(n),
        }),
        tolerance: d.tolerance,
    }
}

fn profile_answer(p: &Profile) -> ProfileAnswer<'_> {
    ProfileAnswer {
        start_up: p.start_up,
        describe: p.describe,
        call_without_rows: p.no_rows,
        base_share: p.base_share(),
        bulk_rows: BULK_ROWS,
        limit: FuelLimit {
            base: p.limit_base,
            per_row: p.limit_per_row,
        },
        cases: &p.cases,
    }
}

fn profile_text(text: &mut Text, p: &Profile) {
    let plain = |s: String| (Look::Plain, s);
    let row = |what: &str, fuel: u64, limit: String| {
        vec![
            plain(what.to_owned()),
            plain(fuel.to_string()),
            plain(limit),
        ]
    };
    let mut rows = vec![
        row("start-up, each call", p.start_up, String::new()),
        row(
            "a call without rows",
            p.no_rows,
            format!("of {} for both", p.limit_base),
        ),
        row(
            "describe, once a load",
            p.describe,
            format!("of {}", p.limit_base),
        ),
    ];
    for c in p.cases.iter().take(PROFILED) {
        rows.push(row(
            &format!("a row of: {}", c.case),
            c.per_row,
            format!("of {}", p.limit_per_row),
        ));
    }
    text.table(&["where", "fuel", "limit"], &rows);
    text.look(
        Look::Dim,
        format!(
            "a row: one of {BULK_ROWS} copies of a case in one call, for the {} of {} that use most fuel; in a call with that row alone, {:.0} % of the fuel goes to start-up and the call",
            p.cases.len().min(PROFILED),
            count(p.cases.len() as u64, "case"),
            100.0 * p.base_share(),
        ),
    );
}
