//! In which boundary a herd is, and when.

use super::day::Day;
use super::place::Herd;

/// First and last day, inclusive; without a last day the period is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Option<Day>,
}

impl Period {
    /// True if the period contains the day.
    #[must_use]
    pub fn covers(&self, day: Day) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.to {
            Some(to) => write!(f, "{} to {to}", self.from),
            None => write!(f, "{} on", self.from),
        }
    }
}

/// The periods of one herd's rows, in order of their start. A row without an end ends where the next one starts: the
/// herd moved.
///
/// # Errors
/// The indices of two rows that cover the same day.
pub fn of_herd(rows: &[&Herd]) -> Result<Vec<(usize, Period)>, (usize, usize)> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&i| (rows[i].effective_date, i));
    let mut periods: Vec<(usize, Period)> = Vec::with_capacity(rows.len());
    for &i in &order {
        let from = rows[i].effective_date;
        if let Some((before, period)) = periods.last_mut() {
            match period.to {
                _ if period.from == from => return Err((*before, i)),
                Some(to) if to >= from => return Err((*before, i)),
                Some(_) => {}
                None => period.to = from.plus(-1),
            }
        }
        periods.push((
            i,
            Period {
                from,
                to: rows[i].end_date,
            },
        ));
    }
    Ok(periods)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{BoundaryId, HerdId};

    fn herd(boundary: &str, from: &str, to: Option<&str>) -> Herd {
        Herd {
            herd_config_id: HerdId::unchecked("h"),
            boundary_id: BoundaryId::unchecked(boundary),
            name: None,
            effective_date: from.parse().unwrap(),
            end_date: to.map(|t| t.parse().unwrap()),
            animal_count: None,
            daily_intake_kg_per_head: None,
            average_weight_kg: None,
            utilization_target_pct: None,
            animal_type: None,
            class: None,
        }
    }

    #[test]
    fn a_move_closes_an_open_period_the_day_before() {
        let (b, a) = (herd("b", "2025-06-15", None), herd("a", "2025-06-01", None));
        let periods = of_herd(&[&b, &a]).unwrap();
        assert_eq!(periods[0].0, 1);
        assert_eq!(periods[0].1.to_string(), "2025-06-01 to 2025-06-14");
        assert!(periods[1].1.covers("2030-01-01".parse().unwrap()));
    }

    #[test]
    fn overlapping_rows_are_named() {
        let a = herd("a", "2025-06-01", Some("2025-06-15"));
        let b = herd("b", "2025-06-15", None);
        assert_eq!(of_herd(&[&a, &b]), Err((0, 1)));
        let c = herd("c", "2025-06-16", None);
        assert!(of_herd(&[&a, &c]).is_ok());
        assert_eq!(
            of_herd(&[&c, &herd("d", "2025-06-16", Some("2025-06-16"))]),
            Err((0, 1))
        );
    }
}
