//! `days_remaining:v2` with its default parameters, one row: what both contracts compute.

use serde::{Deserialize, Serialize};

/// What a row is computed from.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Inputs {
    /// Days since 1970-01-01.
    pub calculation_date: i32,
    /// Area of the pasture, ha.
    pub area_ha: Option<f64>,
    /// Animals in the herd.
    pub animal_count: Option<f64>,
    /// What one eats, kg a day.
    pub daily_intake_kg_per_head: Option<f64>,
    /// Share that the herd may use, %.
    pub utilization_target_pct: Option<f64>,
    /// Standing forage, kg/ha.
    pub forage_kg_per_ha: Option<f64>,
    /// Its age, days.
    pub standing_age_days: Option<i64>,
    /// Forage grown since the season's start, kg/ha.
    pub forage_increments_kg_per_ha: Option<f64>,
    /// How many observations that sums.
    pub forage_increment_count: Option<i64>,
    /// Age of the newest, days.
    pub increment_age_days: Option<i64>,
}

/// What a row gives.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Outputs {
    /// Days that the usable forage lasts.
    pub days_of_grazing_remaining: Option<f64>,
    /// Days since 1970-01-01.
    pub recommended_move_date: Option<i32>,
    /// What the forage figure is.
    pub forage_basis: Option<&'static str>,
    /// That figure, kg/ha.
    pub basis_forage_kg_per_ha: Option<f64>,
    /// 0 to 1.
    pub usable_share: f64,
    /// kg/ha.
    pub usable_forage_kg_per_ha: Option<f64>,
    /// kg.
    pub available_forage_kg: Option<f64>,
    /// kg a day.
    pub daily_consumption_kg: Option<f64>,
    /// Days.
    pub forage_age_days: Option<i64>,
    /// Why there is no number.
    pub reason: Option<&'static str>,
}

fn product(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.zip(b).map(|(a, b)| a * b).filter(|v| v.is_finite())
}

fn moved(day: i32, days: f64) -> Option<i32> {
    let whole = days.floor();
    if whole.abs() > 4_000_000.0 {
        return None;
    }
    i32::try_from(i64::from(day) + whole as i64)
        .ok()
        .filter(|d| (-719_162..=2_932_896).contains(d))
}

/// Computes a row.
#[must_use]
pub fn row(i: &Inputs) -> Outputs {
    let (basis, forage, age) = match (i.forage_kg_per_ha, i.forage_increments_kg_per_ha) {
        (Some(standing), _) => (Some("standing"), Some(standing), i.standing_age_days),
        (None, Some(grown)) if i.forage_increment_count != Some(0) => {
            let basis = Some("increments since season start");
            (basis, Some(grown), i.increment_age_days)
        }
        _ => (None, None, None),
    };
    let share = i.utilization_target_pct.unwrap_or(50.0) / 100.0;
    let usable = product(forage.map(|f| f.max(0.0)), Some(share));
    let available = product(usable, i.area_ha);
    let daily = product(i.animal_count, i.daily_intake_kg_per_head);
    let refusal = refusal(i, forage, share);
    let days = match (refusal, available, daily) {
        (None, Some(available), Some(daily)) => Some(available / daily).filter(|d| d.is_finite()),
        _ => None,
    };
    let date = days.and_then(|days| moved(i.calculation_date, days));
    Outputs {
        days_of_grazing_remaining: days,
        recommended_move_date: date,
        forage_basis: basis,
        basis_forage_kg_per_ha: forage,
        usable_share: share,
        usable_forage_kg_per_ha: usable,
        available_forage_kg: available,
        daily_consumption_kg: daily,
        forage_age_days: age,
        reason: refusal.or(match (days, date) {
            (None, _) => Some("the number of days is too large to be computed"),
            (_, None) => Some("the move date lies beyond the year 9999"),
            _ => None,
        }),
    }
}

fn refusal(i: &Inputs, forage: Option<f64>, share: f64) -> Option<&'static str> {
    Some(match (forage, i.area_ha, i.animal_count, i.daily_intake_kg_per_head) {
        (None, ..) if i.increment_age_days.is_some() => {
            "no standing forage was observed, and no increment since the season's start"
        }
        (None, ..) => "no forage was observed at or before the date",
        (Some(f), ..) if f < 0.0 => "the forage is negative",
        _ if !(0.0..=1.0).contains(&share) => "the herd's utilisation target lies outside 0 to 100 %",
        (_, None, ..) => "the pasture's area is missing",
        (_, Some(a), ..) if a <= 0.0 => "the pasture has no area",
        (_, _, None, _) => "the herd's number of animals is missing",
        (_, _, Some(n), _) if n <= 0.0 => "the herd has no animals: nothing is eaten",
        (.., None) => "the herd's daily intake is missing",
        (.., Some(k)) if k <= 0.0 => "the herd's daily intake is zero: nothing is eaten",
        _ => return None,
    })
}
