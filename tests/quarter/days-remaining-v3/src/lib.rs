//! `days_remaining:v3` of the test of a whole quarter: v2, with the intake by the animals' weight. It has a unit
//! mistake, on purpose: it takes the weight, which is in kg, for pounds.

use provender_logic::{Day, RowError};

provender_logic::logic! {
    name: "days_remaining",
    version: "v3",
    summary: "Days until a herd has eaten the usable share of a pasture's forage above the residual.",
    inputs: struct Inputs {
        /// The day the number is for.
        calculation_date: Day,
        /// Area of the pasture.
        area_ha: Option<f64> ["ha"],
        /// Animals in the herd.
        animal_count: Option<f64> ["head"],
        /// Dry matter that an animal eats in a day.
        daily_intake_kg_per_head: Option<f64> ["kg/head/d"],
        /// Weight of an animal of the herd, where it was weighed.
        average_weight_kg: Option<f64> ["kg"],
        /// Share of the forage that the herd may use, where the herd has its own.
        utilization_target_pct: Option<f64> ["%"],
        /// The newest standing forage observed at or before the date, dry matter.
        forage_kg_per_ha: Option<f64> ["kg/ha"],
        /// Age of that observation on the date.
        standing_age_days: Option<i64> ["d"] = "forage_kg_per_ha:age",
        /// Forage grown since the season's start, dry matter.
        forage_increments_kg_per_ha: Option<f64> ["kg/ha"] = "forage_increment_kg_per_ha:sum:season",
        /// Observations of growth since the season's start.
        forage_increment_count: Option<i64> = "forage_increment_kg_per_ha:count:season",
        /// Age of the newest observation of growth on the date.
        increment_age_days: Option<i64> ["d"] = "forage_increment_kg_per_ha:age",
    },
    parameters: struct Parameters {
        /// Fewest days that are plausible.
        min_days_remaining: f64 ["d"] = 0.0 in 0.0..=36500.0,
        /// Most days that are plausible.
        max_days_remaining: f64 ["d"] = 365.0 in 0.0..=36500.0,
        /// Share of the forage that a herd without a target of its own may use.
        default_utilization_pct: f64 ["%"] = 50.0 in 0.0..=100.0,
        /// Forage that is to be left standing, dry matter.
        residual_kg_per_ha: f64 ["kg/ha"] = 0.0 in 0.0..=20000.0,
        /// Dry matter that an animal eats in a day, as a share of its weight.
        intake_share_pct: f64 ["%"] = 2.4 in 0.1..=10.0,
    },
    outputs: struct Outputs {
        /// Days that the usable forage lasts.
        outcome days_of_grazing_remaining: Option<f64> ["d"] = "available_forage_kg / daily_consumption_kg",
        /// The day by which the herd has to move.
        outcome recommended_move_date: Option<Day> = "calculation_date + floor(days_of_grazing_remaining)",
        /// What the forage figure is: standing, or increments since season start.
        term forage_basis: Option<&'static str>,
        /// The forage figure that counts, dry matter.
        term basis_forage_kg_per_ha: Option<f64> ["kg/ha"] = "forage_kg_per_ha, or without it forage_increments_kg_per_ha",
        /// Share of the forage above the residual that the herd may use, 0 to 1.
        term usable_share: f64 = "(utilization_target_pct, or without it default_utilization_pct) / 100",
        /// Usable forage, dry matter.
        term usable_forage_kg_per_ha: Option<f64> ["kg/ha"] = "max(0, basis_forage_kg_per_ha - residual_kg_per_ha) * usable_share",
        /// Usable forage of the pasture, dry matter.
        term available_forage_kg: Option<f64> ["kg"] = "usable_forage_kg_per_ha * area_ha",
        /// Dry matter that an animal eats in a day.
        term intake_kg_per_head: Option<f64> ["kg/head/d"] = "average_weight_kg / 100 * intake_share_pct, or without it daily_intake_kg_per_head",
        /// What the herd eats in a day, dry matter.
        term daily_consumption_kg: Option<f64> ["kg/d"] = "animal_count * intake_kg_per_head",
        /// Age of the newest observation behind the forage figure on the date.
        term forage_age_days: Option<i64> ["d"] = "standing_age_days, or without it increment_age_days",
        /// Why there is no number, or no move date.
        reason reason: Option<&'static str>,
    },
    guardrails: {
        crit days_of_grazing_remaining: min_days_remaining..=max_days_remaining,
        crit usable_share: 0..=1,
    },
    monitors: {
        share_at_or_below_minimum(days_of_grazing_remaining) above 0.02, 0.10;
        share_above_maximum(days_of_grazing_remaining) above 0.01, 0.05;
        p95(days_of_grazing_remaining) above 180.0, 240.0;
        p95(forage_age_days) above 150.0, 240.0;
        share_null(days_of_grazing_remaining) above 0.02, 0.10;
        coverage below 0.98, 0.90;
    },
    annotations: {
        "not-accounted-for": "Forage eaten since the observation, or since the season's start where increments are summed, is not deducted.",
        "not-accounted-for": "What grows after the newest observation is not added.",
        "not-accounted-for": "Other herds on the same pasture eat of the same forage; each is computed as if alone.",
        "not-accounted-for": "Slope, distance to water and fences may keep the herd from a part of the area.",
        "not-accounted-for": "Increments are growth, not what stands: forage left from earlier seasons is not in their sum.",
    },
    compute: row,
}

fn row(p: &Parameters, i: &Inputs) -> Result<Outputs, RowError> {
    let times =
        |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a * b).filter(|v| v.is_finite());
    let (basis, forage, age) = match (i.forage_kg_per_ha, i.forage_increments_kg_per_ha) {
        (Some(standing), _) => (Some("standing"), Some(standing), i.standing_age_days),
        (None, Some(grown)) if i.forage_increment_count != Some(0) => (
            Some("increments since season start"),
            Some(grown),
            i.increment_age_days,
        ),
        _ => (None, None, None),
    };
    let usable_share = i
        .utilization_target_pct
        .unwrap_or(p.default_utilization_pct)
        / 100.0;
    let usable = times(
        forage.map(|f| (f - p.residual_kg_per_ha).max(0.0)),
        Some(usable_share),
    );
    let available = times(usable, i.area_ha);
    // The mistake: the catalogue's weight is in kg already.
    let weight_kg = i.average_weight_kg.map(|pounds| pounds * 0.453_592_37);
    let intake = weight_kg
        .map(|kg| kg / 100.0 * p.intake_share_pct)
        .or(i.daily_intake_kg_per_head)
        .filter(|kg| kg.is_finite());
    let daily = times(i.animal_count, intake);
    let refusal = refusal(i, forage, usable_share, intake);
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
        forage_basis: basis,
        basis_forage_kg_per_ha: forage,
        usable_share,
        usable_forage_kg_per_ha: usable,
        available_forage_kg: available,
        intake_kg_per_head: intake,
        daily_consumption_kg: daily,
        forage_age_days: age,
        reason: refusal.or(match (days, date) {
            (None, _) => Some("the number of days is too large to be computed"),
            (_, None) => Some("the move date lies beyond the year 9999"),
            _ => None,
        }),
    })
}

/// Why these inputs give no number of days. Null is not zero, and nothing eaten is not forever.
fn refusal(
    i: &Inputs,
    forage: Option<f64>,
    usable_share: f64,
    intake: Option<f64>,
) -> Option<&'static str> {
    Some(match *i {
        _ if forage.is_none() && i.increment_age_days.is_some() => {
            "no standing forage was observed, and no increment since the season's start"
        }
        _ if forage.is_none() => "no forage was observed at or before the date",
        _ if forage.is_some_and(|f| f < 0.0) => "the forage is negative",
        _ if !(0.0..=1.0).contains(&usable_share) => {
            "the herd's utilisation target lies outside 0 to 100 %"
        }
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
        _ if intake.is_none() => "the herd's daily intake and weight are missing",
        _ if intake.is_some_and(|k| k <= 0.0) => {
            "the herd's daily intake is zero: nothing is eaten"
        }
        _ => return None,
    })
}
