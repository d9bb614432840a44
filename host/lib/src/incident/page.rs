//! An incident as one self-contained page for auditors, in Markdown or HTML. Every digest is given in full, so
//! that each statement can be looked up in the ledger.

use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use provender_domain::canonical::{CanonicalError, Digest, to_text};
use provender_domain::render::{Block, Document, Inline, Table, Tone};
use provender_domain::words::UnknownWord;
use provender_ledger::{LedgerError, Read};

use crate::monitor::report::Status;

use super::IncidentError;
use super::link::{Link, LinkKind, read_document};
use super::state::{Event, ExportedCases, Incident, IncidentState, RegressionCase, What};
use super::timeline::{Step, steps};

/// A linked report, in short.
#[derive(Clone, Debug, PartialEq)]
struct Reported {
    id: String,
    status: String,
    /// Metrics that fired: logic, metric, reason.
    fired: Vec<(String, String, String)>,
}

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct Dossier {
    incident: Incident,
    environment: String,
    steps: Vec<Step>,
    reports: Vec<Reported>,
    head: Option<(EntryNumber, String)>,
}

/// An incident, whole.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IncidentPage<'a> {
    /// `I3`.
    incident: String,
    /// What went wrong, in a line.
    title: &'a str,
    /// Whether people still look into it.
    state: IncidentState,
    /// The deployment's environment.
    environment: &'a str,
    /// Who opened it, and when.
    opened: IncidentMoment,
    /// Who closed it, and when; null while it is open.
    closed: Option<IncidentMoment>,
    /// How it was resolved; null while it is open.
    resolution: Option<&'a str>,
    /// Why it was closed without a regression case; null where it was not.
    waived: Option<&'a str>,
    /// What it is about, each thing once, in the order of linking.
    links: &'a [Link],
    /// Its own entries, with those of what it links and what was decided about releases meanwhile.
    timeline: &'a [Step],
    /// The files of regression cases as they were written, the newest export of each.
    exported: Vec<&'a ExportedCases>,
    /// The regression cases as they held when it was closed; empty before.
    regression: &'a [RegressionCase],
    /// The newest entry of the ledger when this was gathered; null where there is none.
    ledger: Option<IncidentHead<'a>>,
}

/// Who did something to an incident, and when.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct IncidentMoment {
    /// When: RFC 3339, UTC.
    at: String,
    /// Who.
    by: String,
}

/// An entry of the ledger.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct IncidentHead<'a> {
    /// Its number.
    entry: EntryNumber,
    /// Its hash.
    hash: &'a str,
}

impl Dossier {
    /// Collects what the page of an incident shows.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn gather(
        ledger: &dyn Read,
        incident: &Incident,
        environment: &str,
    ) -> Result<Dossier, IncidentError> {
        let reports = incident.links.iter().filter(|l| l.what == LinkKind::Report);
        let reports = reports
            .map(|l| reported(ledger, l))
            .collect::<Result<Vec<_>, _>>()?;
        let head = ledger.entry(ledger.head()?)?;
        Ok(Dossier {
            incident: incident.clone(),
            environment: environment.to_owned(),
            steps: steps(ledger, incident)?,
            reports,
            head: head.map(|e| (e.seq, e.digest().to_string())),
        })
    }

    fn closing(&self) -> (Option<&str>, Option<&str>, &[RegressionCase]) {
        match self.incident.closed().map(|e| &e.what) {
            Some(What::Closed {
                resolution,
                waived,
                cases,
            }) => (Some(resolution), waived.as_deref(), cases),
            _ => (None, None, &[]),
        }
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let opened = self.incident.opened();
        let (resolution, waived, _) = self.closing();
        let mut facts = vec![
            ("state", self.incident.state().to_string()),
            ("environment", self.environment.clone()),
            (
                "opened",
                format!("{} by {}", opened.stamp.at, opened.stamp.actor),
            ),
        ];
        if let Some(closed) = self.incident.closed() {
            facts.push((
                "closed",
                format!("{} by {}", closed.stamp.at, closed.stamp.actor),
            ));
        }
        if let Some(text) = resolution {
            facts.push(("resolution", text.to_owned()));
        }
        if let Some(why) = waived {
            facts.push(("no regression case", why.to_owned()));
        }
        if let Some((seq, hash)) = &self.head {
            facts.push(("ledger", format!("as of entry {seq}, {hash}")));
        }
        facts
    }

    fn title(&self) -> String {
        format!("Incident {}: {}", self.incident.name(), self.incident.title)
    }

    /// The JSON of `--json`, which the HTML page embeds.
    #[must_use]
    pub fn page(&self) -> IncidentPage<'_> {
        let (resolution, waived, cases) = self.closing();
        let moment = |e: &Event| IncidentMoment {
            at: e.stamp.at.clone(),
            by: e.stamp.actor.clone(),
        };
        let head = self.head.as_ref();
        IncidentPage {
            incident: self.incident.name(),
            title: &self.incident.title,
            state: self.incident.state(),
            environment: &self.environment,
            opened: moment(self.incident.opened()),
            closed: self.incident.closed().map(moment),
            resolution,
            waived,
            links: &self.incident.links,
            timeline: &self.steps,
            exported: self.incident.exported(),
            regression: cases,
            ledger: head.map(|(entry, hash)| IncidentHead {
                entry: *entry,
                hash,
            }),
        }
    }

    /// The page as a document that embeds its JSON.
    ///
    /// # Errors
    /// If the data has no canonical JSON.
    pub fn document(&self) -> Result<Document, CanonicalError> {
        let mut out = Document::new(self.title());
        out.heading(1, self.title());
        let (tone, state) = match self.incident.closed() {
            None => (Tone::Warn, "open"),
            Some(_) => (Tone::Good, "closed"),
        };
        out.paragraph(Inline::new().badge(tone, state));
        let facts = self.facts().into_iter();
        let facts = facts.map(|(name, value)| (name.to_owned(), value.into()));
        out.push(Block::Facts(facts.collect()));
        out.heading(2, "Timeline");
        let heads = ["entry", "when (UTC)", "who", "what", "entry's hash"];
        let steps = self.steps.iter().map(step_row);
        out.table(Table::new(heads, steps).numbers(&["entry"]));
        out.heading(2, "What it is about");
        let heads = ["what", "which", "digest or number", "manifest"];
        let links = self.incident.links.iter().map(link_row);
        out.table(Table::new(heads, links));
        for r in &self.reports {
            let heading = Inline::from("Report ").code(&r.id);
            out.heading(2, heading.text(format!(": {}", r.status)));
            let fired = r.fired.iter().map(|(logic, metric, why)| {
                let what = Inline::of_code(logic).text(" ").code(metric);
                what.text(format!(": {why}"))
            });
            out.list(fired.collect());
        }
        out.heading(2, "Regression cases");
        let rows = self.case_rows();
        if rows.is_empty() {
            out.paragraph("None.");
        } else {
            let row = |[case, file, sha256, checked]: [String; 4]| {
                let (file, sha256) = (Inline::of_code(file), Inline::of_code(sha256));
                vec![case.into(), file, sha256, checked.into()]
            };
            let heads = ["case", "file", "SHA-256 of the file", "checked"];
            out.table(Table::new(heads, rows.into_iter().map(row)));
        }
        out.push(Block::Data {
            id: "provender-incident",
            json: to_text(&serde_json::to_value(self.page())?)?,
        });
        Ok(out)
    }

    /// The cases as checked when the incident was closed; before that, as they were written.
    fn case_rows(&self) -> Vec<[String; 4]> {
        let (.., cases) = self.closing();
        if !cases.is_empty() {
            let row = |h: &RegressionCase| {
                [
                    h.case.clone(),
                    h.file.clone(),
                    h.sha256.clone(),
                    h.checked.clone(),
                ]
            };
            return cases.iter().map(row).collect();
        }
        let exported = self.incident.exported();
        exported
            .iter()
            .flat_map(|e| {
                e.cases.iter().map(|case| {
                    [
                        case.clone(),
                        e.file.clone(),
                        e.sha256.clone(),
                        format!("written for DS to complete, binds {} and later", e.since),
                    ]
                })
            })
            .collect()
    }
}

fn step_row(s: &Step) -> Vec<Inline> {
    vec![
        s.entry.to_string().into(),
        Inline::from(&s.at),
        Inline::from(&s.by),
        Inline::from(&s.what),
        Inline::of_code(&s.hash),
    ]
}

fn link_row(l: &Link) -> Vec<Inline> {
    vec![
        l.what.word().into(),
        Inline::from(&l.about),
        Inline::of_code(&l.id),
        Inline::of_code(l.manifest.as_deref().unwrap_or("")),
    ]
}

fn unreadable(report: &str, e: &UnknownWord) -> LedgerError {
    LedgerError::Damaged(format!("the report {report} cannot be read: {e}"))
}

fn reported(ledger: &dyn Read, link: &Link) -> Result<Reported, IncidentError> {
    let digest: Option<Digest> = link.id.parse().ok();
    let report = match digest {
        Some(digest) => ledger.document(digest)?.map(|report| (digest, report.body)),
        None => None,
    };
    let body = match report {
        Some((digest, body)) => read_document(digest, &body)?,
        None => Json::Null,
    };
    let text = |j: &Json| j.as_str().unwrap_or_default().to_owned();
    let mut fired = Vec::new();
    for group in body["fleet"].as_array().into_iter().flatten() {
        for metric in group["metrics"].as_array().into_iter().flatten() {
            let status = metric["status"].as_str().map(str::parse::<Status>);
            let Some(status) = status.transpose().map_err(|e| unreadable(&link.id, &e))? else {
                continue;
            };
            if !status.needs_attention() {
                continue;
            }
            let subject = metric["subject"].as_str();
            let name = text(&metric["name"]);
            fired.push((
                text(&group["model_version"]),
                subject.map_or_else(|| name.clone(), |s| format!("{name}({s})")),
                format!("{status}, {}", text(&metric["why"])),
            ));
        }
    }
    Ok(Reported {
        id: link.id.clone(),
        status: link.about.clone(),
        fired,
    })
}
