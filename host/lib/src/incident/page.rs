//! An incident as one page for the audit: self-contained, in Markdown or HTML, with every digest in
//! full so that each statement can be looked up in the ledger.

use serde_json::{Value as Json, json};

use provender_domain::canonical::{CanonicalError, Digest, from_slice, to_text};
use provender_domain::render::html::{Head, Html, Tone, embedded_json, page, table, terms};
use provender_domain::render::text::{markdown_code, markdown_text};
use provender_ledger::Read;

use super::IncidentError;
use super::link::{Link, Thing, to_json};
use super::standing::{Held, Incident, What};
use super::timeline::{Step, steps};

/// A linked report in short.
#[derive(Clone, Debug, PartialEq)]
struct Reported {
    id: String,
    status: String,
    /// What fired: logic, metric, why.
    fired: Vec<(String, String, String)>,
}

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct Dossier {
    incident: Incident,
    environment: String,
    steps: Vec<Step>,
    reports: Vec<Reported>,
    head: Option<(i64, String)>,
}

impl Dossier {
    /// Gathers an incident for its page.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn gather(
        ledger: &dyn Read,
        incident: &Incident,
        environment: &str,
    ) -> Result<Dossier, IncidentError> {
        let reports = incident.links.iter().filter(|l| l.what == Thing::Report);
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

    fn closing(&self) -> (Option<&str>, Option<&str>, &[Held]) {
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
            ("state", self.incident.state().to_owned()),
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

    /// What `--json` carries and what the HTML page embeds.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let (resolution, waived, cases) = self.closing();
        let exported = self.incident.exported();
        json!({
            "incident": self.incident.name(),
            "title": self.incident.title,
            "state": self.incident.state(),
            "environment": self.environment,
            "opened": {"at": self.incident.opened().stamp.at, "by": self.incident.opened().stamp.actor},
            "closed": self.incident.closed().map(|e| json!({"at": e.stamp.at, "by": e.stamp.actor})),
            "resolution": resolution,
            "waived": waived,
            "links": to_json(&self.incident.links),
            "timeline": serde_json::to_value(&self.steps).unwrap_or_default(),
            "exported": serde_json::to_value(exported).unwrap_or_default(),
            "regression": serde_json::to_value(cases).unwrap_or_default(),
            "ledger": self.head.as_ref().map(|(seq, hash)| json!({"entry": seq, "hash": hash})),
        })
    }

    /// As Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!("# {}\n\n", markdown_text(&self.title()));
        for (name, value) in self.facts() {
            out.push_str(&format!("- {name}: {}\n", markdown_text(&value)));
        }
        out.push_str("\n## Timeline\n\n| entry | when (UTC) | who | what |\n|--:|---|---|---|\n");
        for s in &self.steps {
            out.push_str(&format!(
                "| {} | {} | {} | {} |\n",
                s.entry,
                markdown_text(&s.at),
                markdown_text(&s.by),
                markdown_text(&s.what)
            ));
        }
        out.push_str("\n## What it is about\n\n| what | which | digest or number | manifest |\n|---|---|---|---|\n");
        for l in &self.incident.links {
            out.push_str(&format!(
                "| {} | {} | {} | {} |\n",
                l.what.word(),
                markdown_text(&l.about),
                markdown_code(&l.id),
                l.manifest
                    .as_deref()
                    .map_or_else(String::new, markdown_code)
            ));
        }
        for r in &self.reports {
            out.push_str(&format!(
                "\n## Report {}: {}\n\n",
                markdown_code(&r.id),
                markdown_text(&r.status)
            ));
            for (logic, metric, why) in &r.fired {
                out.push_str(&format!(
                    "- {} {}: {}\n",
                    markdown_code(logic),
                    markdown_code(metric),
                    markdown_text(why)
                ));
            }
        }
        let rows = self.case_rows();
        out.push_str("\n## Regression cases\n\n");
        if rows.is_empty() {
            out.push_str("None.\n");
        } else {
            out.push_str("| case | file | SHA-256 of the file | checked |\n|---|---|---|---|\n");
        }
        for [case, file, sha256, checked] in rows {
            out.push_str(&format!(
                "| {} | {} | {} | {} |\n",
                markdown_text(&case),
                markdown_code(&file),
                markdown_code(&sha256),
                markdown_text(&checked)
            ));
        }
        out
    }

    /// The cases as they held when it was closed; before that as they were written.
    fn case_rows(&self) -> Vec<[String; 4]> {
        let (.., cases) = self.closing();
        if !cases.is_empty() {
            let row = |h: &Held| {
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

    /// As one HTML page.
    ///
    /// # Errors
    /// When the data has no canonical JSON to embed.
    pub fn html(&self) -> Result<String, CanonicalError> {
        let heading = |level: &str, text: &str| Html::element(level, "", &Html::text(text));
        let mut body = heading("h1", &self.title());
        let (tone, state) = match self.incident.closed() {
            None => (Tone::Warn, "open"),
            Some(_) => (Tone::Good, "closed"),
        };
        body.push(&Html::element("p", "", &Html::badge(tone, state)));
        let facts = self.facts();
        let facts: Vec<_> = facts.iter().map(|(n, v)| (*n, Html::text(v))).collect();
        body.push(&terms(&facts));
        body.push(&heading("h2", "Timeline"));
        let rows: Vec<Vec<Html>> = self.steps.iter().map(step_row).collect();
        body.push(&table(
            None,
            &[
                Head("entry", true),
                Head("when (UTC)", false),
                Head("who", false),
                Head("what", false),
                Head("entry's hash", false),
            ],
            &rows,
        ));
        body.push(&heading("h2", "What it is about"));
        let rows: Vec<Vec<Html>> = self.incident.links.iter().map(link_row).collect();
        let heads = ["what", "which", "digest or number", "manifest"];
        body.push(&table(None, &heads.map(|h| Head(h, false)), &rows));
        for r in &self.reports {
            body.push(&heading("h2", &format!("Report {}: {}", r.id, r.status)));
            let mut list = Html::new();
            for (logic, metric, why) in &r.fired {
                let item = Html::text(format!("{logic} {metric}: {why}"));
                list.push(&Html::element("li", "", &item));
            }
            body.push(&Html::element("ul", "", &list));
        }
        body.push(&heading("h2", "Regression cases"));
        let rows: Vec<Vec<Html>> = self
            .case_rows()
            .into_iter()
            .map(|row| row.iter().map(Html::text).collect())
            .collect();
        if rows.is_empty() {
            body.push(&Html::element("p", "", &Html::text("None.")));
        } else {
            let heads = ["case", "file", "SHA-256 of the file", "checked"];
            body.push(&table(None, &heads.map(|h| Head(h, false)), &rows));
        }
        body.push(&embedded_json(
            "provender-incident",
            &to_text(&self.to_json())?,
        ));
        Ok(page(&self.title(), &body))
    }
}

fn step_row(s: &Step) -> Vec<Html> {
    vec![
        Html::text(s.entry.to_string()),
        Html::text(&s.at),
        Html::text(&s.by),
        Html::text(&s.what),
        Html::code(&s.hash),
    ]
}

fn link_row(l: &Link) -> Vec<Html> {
    vec![
        Html::text(l.what.word()),
        Html::text(&l.about),
        Html::code(&l.id),
        l.manifest.as_deref().map_or_else(Html::new, Html::code),
    ]
}

fn reported(ledger: &dyn Read, link: &Link) -> Result<Reported, IncidentError> {
    let digest: Option<Digest> = link.id.parse().ok();
    let body = match digest {
        Some(digest) => ledger.document(digest)?.map(|report| report.body),
        None => None,
    };
    let body: Json = body
        .and_then(|b| from_slice(b.as_bytes()).ok())
        .unwrap_or_default();
    let text = |j: &Json| j.as_str().unwrap_or_default().to_owned();
    let mut fired = Vec::new();
    for group in body["fleet"].as_array().into_iter().flatten() {
        for metric in group["metrics"].as_array().into_iter().flatten() {
            if !matches!(metric["status"].as_str(), Some("crit" | "warn" | "unknown")) {
                continue;
            }
            let subject = metric["subject"].as_str();
            let name = text(&metric["name"]);
            fired.push((
                text(&group["model_version"]),
                subject.map_or_else(|| name.clone(), |s| format!("{name}({s})")),
                format!("{}, {}", text(&metric["status"]), text(&metric["why"])),
            ));
        }
    }
    Ok(Reported {
        id: link.id.clone(),
        status: link.about.clone(),
        fired,
    })
}
