//! `days_remaining:v1`: standing forage over what the herd eats, nothing else. Frozen once released.

use provender_logic::{Day, RowError};

provender_logic::logic! {
    name: "days_remaining",
    version: "v1",
    summary: "Days until a herd has eaten the standing forage of a pasture, all of it.",
    inputs: struct Inputs {
        /// The day the number is for.
        calculation_date: Day,
        /// Area of the pasture.
        area_ha: Option<f64> ["ha"],
        /// Animals in the herd.
        animal_count: Option<f64> ["head"],
        /// Dry matter that an animal eats in a day.
        daily_intake_kg_per_head: Option<f64> ["kg/head/d"],
        /// The newest standing forage observed at or before the date, dry matter.
        forage_kg_per_ha: Option<f64> ["kg/ha"],
        /// Age of that observation on the date.
        forage_age_days: Option<i64> ["d"] = "forage_kg_per_ha:age",
        /// Observations since the season's start of what grew, which is not what stands.
        forage_increment_count: Option<i64> = "forage_increment_kg_per_ha:count:season",
    },
    parameters: struct Parameters {
        /// Fewest days that are plausible.
        min_days_remaining: f64 ["d"] = 0.0 in 0.0..=36500.0,
        /// Most days that are plausible.
        max_days_remaining: f64 ["d"] = 365.0 in 0.0..=36500.0,
    },
    outputs: struct Outputs {
        /// Days that the forage lasts.
        outcome days_of_grazing_remaining: Option<f64> ["d"] = "available_forage_kg / daily_consumption_kg",
        /// The day by which the herd has to move.
        outcome recommended_move_date: Option<Day> = "calculation_date + floor(days_of_grazing_remaining)",
        /// Forage of the pasture, dry matter.
        term available_forage_kg: Option<f64> ["kg"] = "forage_kg_per_ha * area_ha",
        /// What the herd eats in a day, dry matter.
        term daily_consumption_kg: Option<f64> ["kg/d"] = "animal_count * daily_intake_kg_per_head",
        /// Age of the forage observation on the date.
        term forage_age_days: Option<i64> ["d"],
        /// Why there is no number, or no move date.
        reason reason: Option<&'static str>,
    },
    guardrails: { crit days_of_grazing_remaining: min_days_remaining..=max_days_remaining, },
    monitors: {
        share_at_or_below_minimum(days_of_grazing_remaining) above 0.02, 0.10;
        share_above_maximum(days_of_grazing_remaining) above 0.01, 0.05;
        p95(forage_age_days) above 150.0, 240.0;
        share_null(days_of_grazing_remaining) above 0.02, 0.10;
        coverage below 0.98, 0.90;
    },
    annotations: {
        "not-accounted-for": "Forage eaten or grown since the observation is neither deducted nor added.",
        "not-accounted-for": "Other herds on the same pasture eat of the same forage; each is computed as if alone.",
        "not-accounted-for": "All forage counts as usable: no residual is left and none is trampled or fouled.",
        "not-accounted-for": "Slope, distance to water and fences may keep the herd from a part of the area.",
    },
    compute: row,
}

fn row(_: &Parameters, i: &Inputs) -> Result<Outputs, RowError> {
    let times =
        |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a * b).filter(|v| v.is_finite());
    let available = times(i.forage_kg_per_ha, i.area_ha);
    let daily = times(i.animal_count, i.daily_intake_kg_per_head);
    let refusal = refusal(i);
    let days = match (refusal, available, daily) {
        (None, Some(available), Some(daily)) => {
            Some(available / daily).filter(|days| days.is_finite())
        }
        _ => None,
    };
    let date = days.and_then(|days| i.calculation_date.add_whole_days(days));
    Ok(Outputs {
        days_of_grazing_remaining: days,
        recommended_move_date: date,
        available_forage_kg: available,
        daily_consumption_kg: daily,
        forage_age_days: i.forage_age_days,
        reason: refusal.or(match (days, date) {
            (None, _) => Some("the number of days is too large to be computed"),
            (_, None) => Some("the move date lies beyond the year 9999"),
            _ => None,
        }),
    })
}

/// Why these inputs give no number of days. Null is not zero, and nothing eaten is not forever.
fn refusal(i: &Inputs) -> Option<&'static str> {
    Some(match *i {
        Inputs {
            forage_kg_per_ha: None,
            forage_increment_count: Some(1..),
            ..
        } => "only increments of forage are known: v1 needs standing forage",
        Inputs {
            forage_kg_per_ha: None,
            ..
        } => "no standing forage was observed at or before the date",
        Inputs {
            forage_kg_per_ha: Some(f),
            ..
        } if f < 0.0 => "the standing forage is negative",
        Inputs { area_ha: None, .. } => "the pasture's area is missing",
        Inputs {
            area_ha: Some(a), ..
        } if a <= 0.0 => "the pasture has no area",
        Inputs {
            animal_count: None, ..
        } => "the herd's number of animals is missing",
        Inputs {
            animal_count: Some(n),
            ..
        } if n <= 0.0 => "the herd has no animals: nothing is eaten",
        Inputs {
            daily_intake_kg_per_head: None,
            ..
        } => "the herd's daily intake is missing",
        Inputs {
            daily_intake_kg_per_head: Some(k),
            ..
        } if k <= 0.0 => "the herd's daily intake is zero: nothing is eaten",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_golden_cases_hold() {
        provender_logic::testing::golden::<super::Logic>("../cases/days_remaining");
    }
}
