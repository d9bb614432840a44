//! Which runs a command asks for: pairs of boundary and herd, over days.

use crate::domain::day::Day;
use crate::domain::key::NO_HERD;

use super::ComputeError;
use super::engine::Target;
use super::facts::Facts;

/// What is asked for. Without boundary and herd: every pair that is due.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Only this boundary.
    pub boundary: Option<String>,
    /// Only this herd.
    pub herd: Option<String>,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
}

/// The targets of a selection, by day, boundary and herd.
///
/// # Errors
/// When the boundary or herd is not known, or the herd is there on none of the days.
pub fn targets(
    facts: &Facts<'_>,
    reads_herd: bool,
    s: &Selection,
) -> Result<Vec<Target>, ComputeError> {
    if let Some(b) = s
        .boundary
        .as_deref()
        .filter(|b| facts.boundary_ids().all(|known| known != *b))
    {
        return Err(ComputeError::UnknownBoundary(
            b.to_owned(),
            nearest(b, facts.boundary_ids()),
        ));
    }
    let herd = s.herd.as_deref().filter(|h| *h != NO_HERD);
    if let Some(h) = herd.filter(|h| facts.herd_periods(h).is_empty()) {
        return Err(ComputeError::UnknownHerd(
            h.to_owned(),
            nearest(h, facts.herd_ids()),
        ));
    }
    let herd = herd.filter(|_| reads_herd);
    let fits = |(b, h): &(String, String)| {
        s.boundary.as_ref().is_none_or(|x| x == b) && herd.is_none_or(|x| x == h)
    };
    let mut targets = Vec::new();
    for day in s.from.through(s.to) {
        targets.extend(
            facts
                .due(day, reads_herd)
                .into_iter()
                .filter(fits)
                .map(|(b, h)| (b, h, day)),
        );
    }
    if let (true, Some(h)) = (targets.is_empty(), herd) {
        let boundary = s
            .boundary
            .clone()
            .unwrap_or_else(|| "any boundary".to_owned());
        let periods: Vec<String> = facts
            .herd_periods(h)
            .iter()
            .map(|p| format!("{} in {}", p.period, p.herd.value.boundary_id))
            .collect();
        let date = if s.from == s.to {
            s.from.to_string()
        } else {
            format!("any day from {} to {}", s.from, s.to)
        };
        return Err(ComputeError::OutsidePeriod {
            herd: h.to_owned(),
            boundary,
            date,
            periods: periods.join(", "),
        });
    }
    Ok(targets)
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let best = known
        .map(|k| (strsim::damerau_levenshtein(k, name), k))
        .min();
    match best {
        None => "; nothing is ingested yet".to_owned(),
        Some((distance, k)) if distance <= name.chars().count() / 2 + 1 => {
            format!(" (did you mean `{k}`?)")
        }
        Some(_) => "; `provender list` and `provender status` show what is known".to_owned(),
    }
}
