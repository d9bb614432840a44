//! Selects the runs that a command asks for: pairs of boundary and herd, over days.

use provender_domain::day::Day;
use provender_domain::ids::{BoundaryId, HerdId};

use super::ComputeError;
use super::bulk::Stretch;
use super::engine::Target;
use super::facts::Facts;

/// What the user asks for. Without boundary and herd, every pair that is due.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Only this boundary.
    pub boundary: Option<BoundaryId>,
    /// Only this herd.
    pub herd: Option<HerdId>,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
}

/// The targets of a selection, sorted by day, boundary and herd.
///
/// # Errors
/// See [`stretches`].
pub(crate) fn targets(
    facts: &Facts<'_>,
    reads_herd: bool,
    s: &Selection,
) -> Result<Vec<Target>, ComputeError> {
    Ok(by_day(&stretches(facts, reads_herd, s)?))
}

/// The runs of stretches, sorted by day, boundary and herd.
#[must_use]
pub(crate) fn by_day(stretches: &[Stretch]) -> Vec<Target> {
    let mut targets: Vec<Target> = stretches.iter().flat_map(Stretch::targets).collect();
    targets.sort_by(|a, b| {
        (a.day, &a.boundary_id, &a.herd_config_id).cmp(&(b.day, &b.boundary_id, &b.herd_config_id))
    });
    targets
}

/// The stretches of a selection, sorted by boundary, herd and day.
///
/// # Errors
/// If the boundary or herd is not known, or the herd is not there on any of the days.
pub(crate) fn stretches(
    facts: &Facts<'_>,
    reads_herd: bool,
    s: &Selection,
) -> Result<Vec<Stretch>, ComputeError> {
    if let Some(b) = s
        .boundary
        .as_ref()
        .filter(|b| facts.boundary_ids().all(|known| known != *b))
    {
        return Err(ComputeError::UnknownBoundary {
            boundary: b.clone(),
            hint: nearest(b, facts.boundary_ids().map(BoundaryId::as_str)),
        });
    }
    let herd = s.herd.as_ref().filter(|h| !h.is_none());
    if let Some(h) = herd.filter(|h| facts.herd_periods(h).is_empty()) {
        return Err(ComputeError::UnknownHerd {
            herd: h.clone(),
            hint: nearest(h, facts.herd_ids().map(HerdId::as_str)),
        });
    }
    let herd = herd.filter(|_| reads_herd);
    let fits = |b: &BoundaryId, h: &HerdId| {
        s.boundary.as_ref().is_none_or(|x| x == b) && herd.is_none_or(|x| x == h)
    };
    let stretches = due(facts, reads_herd, s, &fits);
    if let (true, Some(h)) = (stretches.is_empty(), herd) {
        let boundary = s.boundary.as_deref().unwrap_or("any boundary").to_owned();
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
            herd: h.clone(),
            boundary,
            date,
            periods: periods.join(", "),
        });
    }
    Ok(stretches)
}

/// The stretches of the matching places, sorted by boundary and herd.
fn due(
    facts: &Facts<'_>,
    reads_herd: bool,
    s: &Selection,
    fits: &dyn Fn(&BoundaryId, &HerdId) -> bool,
) -> Vec<Stretch> {
    let mut due: Vec<Stretch> = Vec::new();
    let none = HerdId::none();
    let mut add = |boundary_id: &BoundaryId, herd_config_id: &HerdId, from: Day, to: Day| {
        if from <= to && fits(boundary_id, herd_config_id) {
            due.push(Stretch {
                boundary_id: boundary_id.to_owned(),
                herd_config_id: herd_config_id.to_owned(),
                from,
                to,
            });
        }
    };
    if reads_herd {
        for id in facts.herd_ids() {
            for h in facts.herd_periods(id) {
                let to = h.period.to.unwrap_or(Day::MAX).min(s.to);
                add(&h.herd.value.boundary_id, id, h.period.from.max(s.from), to);
            }
        }
    } else {
        for id in facts.boundary_ids() {
            if let Some(from) = facts.places().known_from(id) {
                add(id, &none, from.max(s.from), s.to);
            }
        }
    }
    let key = |s: &Stretch| (s.boundary_id.clone(), s.herd_config_id.clone(), s.from);
    due.sort_by_cached_key(key);
    due
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let best = known
        .map(|k| (strsim::damerau_levenshtein(k, name), k))
        .min();
    match best {
        None => "; nothing has been ingested yet".to_owned(),
        Some((distance, k)) if distance <= name.chars().count() / 2 + 1 => {
            format!(" (did you mean `{k}`?)")
        }
        Some(_) => "; `provender list` and `provender status` show what is known".to_owned(),
    }
}
