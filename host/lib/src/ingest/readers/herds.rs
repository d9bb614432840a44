//! Reads a herd from named fields, for JSON and CSV, and checks the periods of herds.
//!
//! Periods include their first and last day. Rows with the same id are moves of one herd: an open-ended row ends
//! when the next one starts. Overlapping periods and repeated rows are refused, with both rows named.

use provender_domain::ids::{BoundaryId, HerdId};
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::ingest::parsed::{At, Content};
use provender_domain::day::Day;
use provender_domain::place::Herd;

use super::draft::Draft;
use super::fields::{self, json_text, shown};

/// Fields by lower-case name.
pub(super) type Fields = BTreeMap<String, Json>;

/// Fields that a herd's row may have.
pub(super) const KNOWN: [&str; 15] = [
    "id",
    "herd_config_id",
    "herd_id",
    "boundary_id",
    "pasture_id",
    "name",
    "effective_date",
    "end_date",
    "animal_count",
    "daily_intake_kg_per_head",
    "average_weight_kg",
    "utilization_target_pct",
    "animal_type",
    "animal_class",
    "class",
];

/// A herd from its fields; `None` if the row was refused.
pub(super) fn herd(row: u32, fields: &Fields, draft: &mut Draft<'_>) -> Option<At<Herd>> {
    let boundary_id = one_of(row, &["boundary_id", "pasture_id"], fields, draft);
    let id = one_of(row, &["id", "herd_config_id", "herd_id"], fields, draft);
    let class = one_of(row, &["class", "animal_class"], fields, draft);
    let effective_date = date(row, "effective_date", fields, draft);
    let end_date = date(row, "end_date", fields, draft);
    let animal_count = amount(row, "animal_count", f64::MAX, fields, draft);
    let intake = amount(row, "daily_intake_kg_per_head", f64::MAX, fields, draft);
    let weight = amount(row, "average_weight_kg", f64::MAX, fields, draft);
    let utilization = amount(row, "utilization_target_pct", 100.0, fields, draft);
    let boundary_id = boundary_id?;
    if boundary_id.is_none() {
        draft.bad(row, "boundary_id", None, "is missing, and so is pasture_id");
    }
    let effective_date = effective_date?;
    if effective_date.is_none() {
        draft.bad(row, "effective_date", None, "is missing; write YYYY-MM-DD");
    }
    let (boundary_id, effective_date, end_date) = (boundary_id?, effective_date?, end_date?);
    if let Some(end) = end_date.filter(|end| *end < effective_date) {
        draft.bad(
            row,
            "end_date",
            Some(&end.to_string()),
            format!("is before the effective_date {effective_date}"),
        );
        return None;
    }
    let text = |name: &str| {
        let text = fields.get(name).and_then(json_text);
        text.filter(|t| !fields::is_nodata(t))
    };
    let mut herd = Herd {
        herd_config_id: HerdId::default(),
        boundary_id: BoundaryId::unchecked(boundary_id),
        name: text("name"),
        effective_date,
        end_date,
        animal_count: animal_count?,
        daily_intake_kg_per_head: intake?,
        average_weight_kg: weight?,
        utilization_target_pct: utilization?,
        animal_type: text("animal_type"),
        class: class?,
    };
    herd.herd_config_id = id?.map_or_else(|| herd.derived_id(), HerdId::unchecked);
    if let Some(share) = herd.utilization_target_pct.filter(|u| *u > 0.0 && *u < 1.0) {
        draft.warn(format!(
            "row {row}: utilization_target_pct = {share} is read as {share} percent; write {} if a share was meant",
            share * 100.0
        ));
    }
    Some(At { row, value: herd })
}

/// A text that may be in several fields; refused if they disagree.
#[expect(
    clippy::option_option,
    reason = "the outer None is a row that was refused"
)]
fn one_of(
    row: u32,
    names: &[&str],
    fields: &Fields,
    draft: &mut Draft<'_>,
) -> Option<Option<String>> {
    let mut found: Option<(&str, String)> = None;
    for name in names {
        let Some(value) = fields.get(*name) else {
            continue;
        };
        let Some(text) = json_text(value).filter(|t| !fields::is_nodata(t)) else {
            if matches!(value, Json::Bool(_) | Json::Array(_) | Json::Object(_)) {
                draft.bad(row, name, Some(&shown(value)), "is not a text");
                return None;
            }
            continue;
        };
        if let Some(problem) = fields::id_problem(&text) {
            draft.bad(row, name, Some(&text), problem);
            return None;
        }
        match &found {
            Some((first, earlier)) if *earlier != text => {
                draft.bad(
                    row,
                    name,
                    Some(&text),
                    format!("contradicts {first} = `{earlier}`"),
                );
                return None;
            }
            Some(_) => {}
            None => found = Some((name, text)),
        }
    }
    Some(found.map(|(_, text)| text))
}

#[expect(
    clippy::option_option,
    reason = "the outer None is a row that was refused"
)]
fn date(row: u32, name: &str, fields: &Fields, draft: &mut Draft<'_>) -> Option<Option<Day>> {
    let Some(value) = fields.get(name) else {
        return Some(None);
    };
    let text = shown(value);
    if value.is_null() || fields::is_nodata(&text) {
        return Some(None);
    }
    match fields::day(&text) {
        Ok(day) => Some(Some(day)),
        Err(problem) => {
            draft.bad(row, name, Some(&text), problem);
            None
        }
    }
}

#[expect(
    clippy::option_option,
    reason = "the outer None is a row that was refused"
)]
fn amount(
    row: u32,
    name: &str,
    maximum: f64,
    fields: &Fields,
    draft: &mut Draft<'_>,
) -> Option<Option<f64>> {
    let Some(value) = fields.get(name) else {
        return Some(None);
    };
    let problem = match fields::json_number(value, &[]) {
        Ok(Some(x)) if x < 0.0 => "must not be negative".to_owned(),
        Ok(Some(x)) if x > maximum => format!("is more than {maximum}"),
        Ok(x) => return Some(x),
        Err(problem) => problem,
    };
    draft.bad(row, name, Some(&shown(value)), problem);
    None
}

/// Checks the herds' periods against each other and closes open-ended ones.
pub(super) fn settle(herds: Vec<At<Herd>>, draft: &mut Draft<'_>) -> Content {
    let mut by_id: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, herd) in herds.iter().enumerate() {
        by_id.entry(&herd.value.herd_config_id).or_default().push(i);
    }
    let mut settled = Settled::default();
    for rows in by_id.into_values() {
        settled.herd(&herds, rows, draft);
    }
    let herds = herds
        .into_iter()
        .enumerate()
        .filter(|(i, _)| !settled.refused.contains(i))
        .map(|(i, mut herd)| {
            if let Some(end) = settled.closed.get(&i) {
                herd.value.end_date = Some(*end);
            }
            herd
        })
        .collect();
    Content::Herds(herds)
}

/// What happens to rows, by their index.
#[derive(Default)]
struct Settled {
    refused: BTreeSet<usize>,
    /// The last day of open-ended periods that the next one ends.
    closed: BTreeMap<usize, Day>,
}

impl Settled {
    /// Checks the rows of one herd.
    fn herd(&mut self, herds: &[At<Herd>], mut rows: Vec<usize>, draft: &mut Draft<'_>) {
        rows.sort_by_key(|i| (herds[*i].value.effective_date, herds[*i].row));
        // The row with the latest end so far: a row that starts before that end overlaps.
        let mut reach: Option<usize> = None;
        for i in rows {
            let Some(k) = reach else {
                reach = Some(i);
                continue;
            };
            let (earlier, later) = (&herds[k], &herds[i]);
            let start = later.value.effective_date;
            let (a, b) = (&earlier.value, &later.value);
            if a == b {
                repeats(earlier, later, draft);
                self.refused
                    .insert(if later.row > earlier.row { i } else { k });
                continue;
            }
            if a.effective_date == start || a.end_date.is_some_and(|end| end >= start) {
                overlap(earlier, later, draft);
                overlap(later, earlier, draft);
                self.refused.extend([k, i]);
                let open = |h: &Herd| h.end_date.unwrap_or(Day::MAX);
                if open(b) > open(a) {
                    reach = Some(i);
                }
                continue;
            }
            if a.end_date.is_none()
                && let Some(end) = start.plus(-1)
            {
                self.closed.insert(k, end);
            }
            reach = Some(i);
        }
    }
}

fn repeats(one: &At<Herd>, other: &At<Herd>, draft: &mut Draft<'_>) {
    draft.bad(
        one.row.max(other.row),
        "",
        None,
        format!(
            "repeats row {} (herd {})",
            one.row.min(other.row),
            one.value.herd_config_id
        ),
    );
}

fn overlap(bad: &At<Herd>, other: &At<Herd>, draft: &mut Draft<'_>) {
    draft.bad(
        bad.row,
        "effective_date",
        Some(&bad.value.effective_date.to_string()),
        format!(
            "starts a period of herd {} ({}) that overlaps that of row {} ({})",
            bad.value.herd_config_id,
            period(&bad.value),
            other.row,
            period(&other.value)
        ),
    );
}

fn period(herd: &Herd) -> String {
    match herd.end_date {
        Some(end) => format!("{} to {end}", herd.effective_date),
        None => format!("from {}", herd.effective_date),
    }
}

#[cfg(test)]
#[path = "herds_tests.rs"]
mod tests;
