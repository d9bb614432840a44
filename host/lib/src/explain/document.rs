//! Renders an explanation, for a terminal and as a page.

use provender_domain::canonical::{CanonicalError, to_text};
use provender_domain::description::Role;
use provender_domain::render::document::Medium;
use provender_domain::render::{Block, Document, Inline, Table, Tone};

use super::explanation::{Explanation, Input};
use super::parts::shown;
use super::units::Units;

/// The explanation as a document that includes its JSON.
///
/// # Errors
/// If it has no canonical JSON.
pub fn document(e: &Explanation, units: Units) -> Result<Document, CanonicalError> {
    let key = &e.found.run.run.key;
    let mut out = Document::new(format!("{} {}", key.model_version, key.calculation_date));
    let heading = format!("{} on {}", key.boundary_id, key.calculation_date);
    // A terminal also shows herd and version on the next line, and has no space for a title.
    out.push(Block::Only(
        &[Medium::Page, Medium::Markdown],
        vec![Block::Heading(1, heading.into())],
    ));
    headline(e, units, &mut out);
    warnings(e, units, &mut out);
    let part = |out: &mut Document, head: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out.heading(2, head);
            out.list(lines.into_iter().map(Inline::from).collect());
        }
    };
    part(&mut out, "How it is computed", e.arithmetic(units));
    if !e.inputs.is_empty() {
        out.heading(2, "Inputs");
        out.table(inputs(e, units));
    }
    let parameters = e.parameters.iter().map(|p| {
        format!(
            "{} = {} ({})",
            p.name,
            shown(&p.value, p.unit.as_deref(), units),
            p.set_by
        )
    });
    part(&mut out, "Parameters", parameters.collect());
    part(&mut out, "Guardrails", guardrails(e, units));
    part(&mut out, "Not accounted for", e.not_accounted_for());
    part(&mut out, "Where it comes from", provenance(e));
    let others = e.found.others.iter().map(|(r, what)| {
        let k = &r.run.key;
        format!(
            "{}  {} / {} / {}: {what}",
            k.run_id().short(),
            k.herd_config_id,
            k.model_version,
            k.config_version.short()
        )
    });
    part(
        &mut out,
        "Other runs of this place and day",
        others.collect(),
    );
    if units == Units::Us {
        out.push(Block::Background(
            "shown in US units; what is recorded is metric".into(),
        ));
    }
    out.push(Block::Data {
        id: "provender-explanation",
        json: to_text(&e.to_json(units))?,
    });
    Ok(out)
}

fn guardrails(e: &Explanation, units: Units) -> Vec<String> {
    let (breaches, rails) = (e.breaches(), e.rails(units));
    match (breaches.is_empty(), rails.is_empty()) {
        (false, _) => breaches,
        (true, true) => vec!["none declared".to_owned()],
        (true, false) => std::iter::once("ok: nothing breached".to_owned())
            .chain(rails)
            .collect(),
    }
}

fn headline(e: &Explanation, units: Units, out: &mut Document) {
    let key = &e.found.run.run.key;
    out.push(Block::Background(
        format!(
            "{} / {} on {}, {}",
            key.boundary_id, key.herd_config_id, key.calculation_date, key.model_version
        )
        .into(),
    ));
    for (name, value, unit) in e.outputs(Role::Outcome) {
        let text = if value.is_null() {
            "no value".to_owned()
        } else {
            shown(&value, unit.as_deref(), units)
        };
        out.push(Block::Lead(format!("{name}: {text}").into()));
    }
    for reason in e.reasons() {
        out.note(Some(Tone::Warn), format!("because: {reason}"));
    }
}

/// Whether the run is the answer, and which run it replaced.
fn rank(e: &Explanation, out: &mut Document) {
    let run = &e.found.run;
    if let Some(by) = &run.superseded_by {
        let why = e.superseded_by.as_ref().map_or_else(String::new, |s| {
            format!(
                " by {} at {}: {}",
                s.stamp.actor,
                s.stamp.at,
                s.stamp.reason.as_deref().unwrap_or("no reason recorded")
            )
        });
        out.note(
            Some(Tone::Warn),
            format!("superseded: {} replaced it{why}", by.short()),
        );
    } else if let Some(shadow) = &e.found.shadow {
        out.note(Some(Tone::Warn), format!("not the answer: {shadow}"));
    } else if !e.found.is_answer {
        out.note(
            Some(Tone::Warn),
            "not the answer: its version or configuration is not active, or a guardrail refused it"
                .to_owned(),
        );
    }
    if let Some(old) = &run.run.replaces {
        let why = e.entry.as_ref().and_then(|s| s.stamp.reason.as_deref());
        let why = why.unwrap_or("no reason recorded");
        out.note(
            Some(Tone::Warn),
            format!("reissued: it replaced {} ({why})", old.short()),
        );
    }
}

fn warnings(e: &Explanation, units: Units, out: &mut Document) {
    let run = &e.found.run;
    rank(e, out);
    for b in e.breaches() {
        out.note(Some(Tone::Warn), format!("guardrail breached: {b}"));
    }
    for c in &e.superseded_inputs {
        out.note(
            Some(Tone::Warn),
            format!(
                "today {} would be {} ({}), it was {} ({}){}",
                c.name,
                shown(&c.new, c.unit.as_deref(), units),
                c.new_source,
                shown(&c.old, c.unit.as_deref(), units),
                c.old_source,
                if run.superseded_by.is_some() {
                    ""
                } else {
                    ": this run has drifted, `provender reissue` plans a new one"
                }
            ),
        );
    }
    if let Some(digest) = &e.other_component {
        out.note(Some(Tone::Warn), format!(
                "{} is pinned here with different bytes ({}) from those that ran, so formulas, units and meanings are not shown",
                run.run.key.model_version,
                digest.short()
            ));
    }
    for (name, why) in &e.incomparable {
        out.note(
            Some(Tone::Warn),
            format!("cannot compare {name} with its value today: {why}"),
        );
    }
    for (column, date) in &e.newer {
        out.push(Block::Background(
            format!(
                "a newer observation of {column} exists, for {date}; it is after this run's day"
            )
            .into(),
        ));
    }
}

/// Every input with the digest of its file. A terminal has space for one line each.
fn inputs(e: &Explanation, units: Units) -> Table {
    let row = |i: &Input| {
        let newest = i.sources.last();
        vec![
            Inline::from(&i.name),
            shown(&i.value, i.unit.as_deref(), units).into(),
            i.age_days
                .map_or_else(String::new, |a| a.to_string())
                .into(),
            Inline::from(&i.doc),
            newest
                .map_or_else(String::new, |s| format!("{} row {}", s.file, s.row))
                .into(),
            Inline::of_code(newest.map_or("", |s| s.sha256.as_str())),
        ]
    };
    let lines = e.inputs.iter().map(|i| format!("  {}", input(i, units)));
    Table::new(
        [
            "input",
            "value",
            "age (d)",
            "meaning",
            "file and row",
            "file's digest",
        ],
        e.inputs.iter().map(row),
    )
    .numbers(&["value", "age (d)"])
    .narrow(lines.collect())
}

fn input(i: &Input, units: Units) -> String {
    let value = shown(&i.value, i.unit.as_deref(), units);
    let age = i
        .age_days
        .map_or_else(String::new, |a| format!(", {a} days old"));
    let source = match i.sources.as_slice() {
        [] => String::new(),
        [one] => format!(
            "  [{} row {}{}]",
            one.file,
            one.row,
            one.date
                .as_ref()
                .map_or_else(String::new, |d| format!(", of {d}"))
        ),
        [first, .., last] => format!(
            "  [{} observations, {} row {} to {} row {}]",
            i.sources.len(),
            first.file,
            first.row,
            last.file,
            last.row
        ),
    };
    let feature = if i.feature == i.name || i.feature.is_empty() {
        String::new()
    } else {
        format!(" ({})", i.feature)
    };
    format!("{}{feature} = {value}{age}{source}", i.name)
}

fn provenance(e: &Explanation) -> Vec<String> {
    let run = &e.found.run.run;
    let component = &e.manifest.reproducible.component;
    let mut lines = vec![
        format!("component  {} ({})", component.sha256, component.world),
        format!("config     {}", run.key.config_version),
        format!("run        {}", run.key.run_id()),
        format!("snapshot   {}", run.snapshot),
        format!("manifest   {}", e.manifest_path),
    ];
    if let Some(entry) = &e.entry {
        lines.push(format!(
            "recorded   {} by {} (entry {})",
            entry.stamp.at, entry.stamp.actor, entry.seq
        ));
    }
    let env = &e.manifest.environment;
    if let Some(commit) = &env.git_commit {
        lines.push(format!("commit     {commit}"));
    }
    lines.push(format!(
        "by         provender {}, wasmtime {}, {}",
        env.program.version, env.engine.wasmtime, env.engine.profile
    ));
    lines
}
