//! An explanation as lines for a terminal; colour is the command line's business.

use provender_domain::description::Role;

use super::explanation::Explanation;
use super::parts::shown;
use super::units::Units;

/// What a line is, for its look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The number itself.
    Headline,
    /// Something to take note of.
    Warning,
    /// The head of a part.
    Head,
    /// Anything else.
    Plain,
    /// Background.
    Quiet,
}

/// The explanation in lines.
#[must_use]
pub fn lines(e: &Explanation, units: Units) -> Vec<(Tone, String)> {
    let mut out = Vec::new();
    headline(e, units, &mut out);
    warnings(e, units, &mut out);
    let mut part = |head: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out.push((Tone::Head, head.to_owned()));
            out.extend(lines.into_iter().map(|l| (Tone::Plain, format!("  {l}"))));
        }
    };
    part("How it is computed", e.arithmetic(units));
    part("Inputs", e.inputs.iter().map(|i| input(i, units)).collect());
    let parameters = e.parameters.iter().map(|p| {
        format!(
            "{} = {} ({})",
            p.name,
            shown(&p.value, p.unit.as_deref(), units),
            p.set_by
        )
    });
    part("Parameters", parameters.collect());
    let breaches = e.breaches();
    part(
        "Guardrails",
        if breaches.is_empty() {
            match e.rails(units) {
                rails if rails.is_empty() => vec!["none declared".to_owned()],
                rails => std::iter::once("ok: nothing breached".to_owned())
                    .chain(rails)
                    .collect(),
            }
        } else {
            breaches
        },
    );
    part("Not accounted for", e.not_accounted_for());
    part("Where it comes from", provenance(e));
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
    part("Other runs of this place and day", others.collect());
    if units == Units::Us {
        out.push((
            Tone::Quiet,
            "shown in US units; what is recorded is metric".to_owned(),
        ));
    }
    out
}

fn headline(e: &Explanation, units: Units, out: &mut Vec<(Tone, String)>) {
    let key = &e.found.run.run.key;
    out.push((
        Tone::Quiet,
        format!(
            "{} / {} on {}, {}",
            key.boundary_id, key.herd_config_id, key.calculation_date, key.model_version
        ),
    ));
    for (name, value, unit) in e.outputs(Role::Outcome) {
        let text = if value.is_null() {
            "no value".to_owned()
        } else {
            shown(&value, unit.as_deref(), units)
        };
        out.push((Tone::Headline, format!("{name}: {text}")));
    }
    for reason in e.reasons() {
        out.push((Tone::Warning, format!("because: {reason}")));
    }
}

fn warnings(e: &Explanation, units: Units, out: &mut Vec<(Tone, String)>) {
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
        out.push((
            Tone::Warning,
            format!("superseded: {} replaced it{why}", by.short()),
        ));
    } else if let Some(shadow) = &e.found.shadow {
        out.push((Tone::Warning, format!("not the answer: {shadow}")));
    } else if !e.found.is_answer {
        out.push((Tone::Warning, "not the answer: its version or configuration is not the active one, or a guardrail refused it".to_owned()));
    }
    if let Some(old) = &run.run.replaces {
        let why = e
            .entry
            .as_ref()
            .and_then(|s| s.stamp.reason.clone())
            .unwrap_or_default();
        out.push((
            Tone::Warning,
            format!("reissued: it replaced {} ({why})", old.short()),
        ));
    }
    for b in e.breaches() {
        out.push((Tone::Warning, format!("guardrail breached: {b}")));
    }
    for c in &e.superseded_inputs {
        out.push((
            Tone::Warning,
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
        ));
    }
    if let Some(digest) = &e.other_component {
        out.push((
            Tone::Warning,
            format!(
                "{} is pinned here with other bytes ({}) than those that ran: formulas, units and meanings are not shown",
                run.run.key.model_version,
                digest.short()
            ),
        ));
    }
    for (name, why) in &e.incomparable {
        out.push((
            Tone::Warning,
            format!("what {name} would be today cannot be told: {why}"),
        ));
    }
    for (column, date) in &e.newer {
        out.push((
            Tone::Quiet,
            format!(
                "a newer observation of {column} exists, of {date}; it is after this run's day"
            ),
        ));
    }
}

fn input(i: &super::explanation::Input, units: Units) -> String {
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
    let text = |pointer: &str| {
        e.manifest
            .reproducible
            .pointer(pointer)
            .and_then(|j| j.as_str())
            .unwrap_or("?")
            .to_owned()
    };
    let mut lines = vec![
        format!(
            "component  {} ({})",
            text("/component/sha256"),
            text("/component/world")
        ),
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
    let env = |pointer: &str| {
        e.manifest
            .environment
            .pointer(pointer)
            .and_then(|j| j.as_str())
            .unwrap_or("?")
            .to_owned()
    };
    if let Some(commit) = e
        .manifest
        .environment
        .get("git_commit")
        .and_then(|c| c.as_str())
    {
        lines.push(format!("commit     {commit}"));
    }
    lines.push(format!(
        "by         provender {}, wasmtime {}, {}",
        env("/program/version"),
        env("/engine/wasmtime"),
        env("/engine/profile")
    ));
    lines
}
