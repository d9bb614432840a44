//! `plugin check`: reports everything that the host would refuse about a component.

use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_domain::catalogue::{Feature, built_in};
use provender_host::check::{self, CheckFinding, CheckRefusal, CheckReport, Conformance, Status};
use provender_sandbox::{Component, PinLimits};

use super::found::{Bytes, LimitArgs, own_limits};

/// The result of checking a component.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PluginCheckAnswer<'a> {
    /// The file, or the pinned `name:version`.
    file: &'a str,
    /// Digest of its bytes.
    sha256: Digest,
    /// Size in bytes.
    size: u64,
    /// Name of the logic; null if the component could not be loaded.
    name: Option<&'a str>,
    /// Its version; null if the component could not be loaded.
    version: Option<&'a str>,
    /// The language that it is written in, as the component states it; null if it could not be loaded.
    language: Option<&'a str>,
    /// Exports that the host never calls; null if it could not be loaded.
    extra_exports: Option<&'a [String]>,
    /// Its own limits.
    limits: &'a PinLimits,
    /// Whether the host accepts it.
    accepted: bool,
    /// Why it is refused.
    findings: &'a [CheckFinding],
    /// The parts of the conformance run; empty if it is refused.
    conformance: &'a [Conformance],
}

pub(super) fn check(global: &Global, what: &str, limits: &LimitArgs) -> Result<Done, CliError> {
    let found = Bytes::read(global, what, limits)?;
    let report = check::check(
        &found.sandbox,
        &found.file,
        &found.bytes,
        &found.limits,
        &catalogue(&found),
    )?;
    Ok(done(&report, &found))
}

/// The deployment's catalogue, or the built-in one.
pub(super) fn catalogue(found: &Bytes) -> Vec<Feature> {
    match &found.context {
        Some(context) => context.project.sources.catalogue(),
        None => built_in(),
    }
}

fn done(report: &CheckReport, found: &Bytes) -> Done {
    let error = report.refusal().map(CliError::from);
    let exit = error.as_ref().map_or(Exit::Ok, |e| e.exit);
    let component = report.component.as_ref();
    let answer = PluginCheckAnswer {
        file: &report.file,
        sha256: report.digest,
        size: report.size,
        name: component.map(|c| c.description().name.as_str()),
        version: component.map(|c| c.description().version.as_str()),
        language: component.map(Component::language),
        extra_exports: component.map(Component::extra_exports),
        limits: &found.limits,
        accepted: report.accepted(),
        findings: &report.findings,
        conformance: &report.conformance,
    };
    Done::ended(exit, &answer, text(report, found), error)
}

impl From<CheckRefusal> for CliError {
    fn from(e: CheckRefusal) -> CliError {
        let error = |exit| CliError::new(exit, e.code(), e.to_string());
        match &e {
            CheckRefusal::Finding { first, .. } => error(Exit::Rejected).help(first.fix.clone()),
            CheckRefusal::Conformance { .. } => error(Exit::Check).help(
                "a row's answer may depend only on its own inputs and the parameters, and every row needs one: if there is no number, answer null with a reason or a declared failure",
            ),
        }
    }
}

fn text(report: &CheckReport, found: &Bytes) -> Text {
    let mut text = Text::default();
    text.look(Look::Strong, format!("{}  {}", report.file, report.digest));
    match &report.component {
        Some(component) => {
            text.line(format!(
                "{}, {} bytes, written in {}, no imports",
                component.description().model_version(),
                report.size,
                component.language()
            ));
            if !component.extra_exports().is_empty() {
                text.line(format!(
                    "exports that the host never calls: {}",
                    component.extra_exports().join(", ")
                ));
            }
        }
        None => text.line(format!("{} bytes", report.size)),
    }
    for (name, value) in own_limits(&found.limits) {
        text.line(format!("own limit: {name} {value}"));
    }
    for finding in &report.findings {
        text.blank();
        text.look(Look::Bad, format!("refused: {}", finding.message));
        text.line(format!("  fix: {}", finding.fix));
    }
    if !report.conformance.is_empty() {
        text.blank();
        let rows: Vec<_> = report
            .conformance
            .iter()
            .map(|c| {
                let (look, word) = match c.status {
                    Status::Ok => (Look::Good, "ok"),
                    Status::Failed => (Look::Bad, "failed"),
                };
                vec![
                    (Look::Plain, c.name.to_owned()),
                    (look, word.to_owned()),
                    (Look::Plain, c.detail.clone()),
                ]
            })
            .collect();
        text.table(&["conformance", "", ""], &rows);
    }
    if report.accepted() && report.conforms() {
        text.blank();
        text.look(Look::Good, "accepted");
        if found.pin.is_none() {
            text.line(format!("next: provender plugin add {}", report.file));
        }
    }
    text
}
