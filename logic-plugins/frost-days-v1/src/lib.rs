//! `frost_days:v1`: nights of frost at a place in the last 30 days, and how many of them fell on dry
//! soil, which holds little heat and lets a frost bite harder. Reads no herd. Frozen once released.

use provender_logic::{Day, RowError, Series};

provender_logic::logic! {
    name: "frost_days",
    version: "v1",
    summary: "Frost days of the last 30 days, and those of them on dry soil.",
    inputs: struct Inputs<'a> {
        /// The day the number is for.
        calculation_date: Day,
        /// Lowest air temperature of each of the last 30 days.
        temp_min_c: Option<Series<'a>> ["degC"] = "temp_min_c:series:30d",
        /// Soil moisture of the last 30 days; a `[[series]]` of the deployment, in percent by volume.
        soil_moisture_pct: Option<Series<'a>> ["%"] = "soil_moisture_pct:series:30d",
    },
    parameters: struct Parameters {
        /// A day is a frost day when its lowest temperature is at or below this.
        frost_threshold_c: f64 ["degC"] = 0.0 in -30.0..=10.0,
        /// Soil at or below this moisture is dry.
        dry_soil_pct: f64 ["%"] = 12.0 in 0.0..=100.0,
        /// Days that must be observed for a count to be given.
        min_observed_days: i64 ["d"] = 20 in 1..=30,
    },
    outputs: struct Outputs {
        /// Days with frost.
        outcome frost_days: Option<i64> ["d"] = "days of temp_min_c at or below frost_threshold_c",
        /// The newest day with frost; null when there was none.
        outcome last_frost_date: Option<Day> = "newest day of temp_min_c at or below frost_threshold_c",
        /// Days with frost on which the soil was dry; null without soil moisture.
        outcome dry_soil_frost_days: Option<i64> ["d"] = "days of frost with soil_moisture_pct at or below dry_soil_pct",
        /// Days of the window with an observed temperature.
        term observed_days: i64 ["d"],
        /// The lowest temperature of the window.
        term coldest_c: Option<f64> ["degC"] = "lowest of temp_min_c",
        /// Mean soil moisture of the window.
        term soil_moisture_mean_pct: Option<f64> ["%"] = "mean of soil_moisture_pct",
        /// Why there is no count, or no count for dry soil.
        reason reason: Option<&'static str>,
    },
    guardrails: {
        crit frost_days: 0..=30,
        warn coldest_c: (-70.0)..=45,
        warn soil_moisture_mean_pct: 0..=100,
    },
    monitors: {
        share_null(frost_days) above 0.02, 0.10;
        share_null(dry_soil_frost_days) above 0.10, 0.50;
        coverage below 0.98, 0.90;
    },
    annotations: {
        "not-accounted-for": "The temperature is that of the air at 2 m; the ground may freeze while the air does not.",
        "not-accounted-for": "A day without an observation is not counted as a frost day.",
        "not-accounted-for": "One figure stands for the whole place: hollows are colder than slopes.",
    },
    compute: row,
}

fn row(p: &Parameters, i: &Inputs) -> Result<Outputs, RowError> {
    let temperatures = || i.temp_min_c.into_iter().flat_map(|s| s.iter());
    let frosts = || {
        temperatures()
            .filter(|(_, t)| *t <= p.frost_threshold_c)
            .map(|(day, _)| day)
    };
    let observed_days = i.temp_min_c.map_or(0, |s| s.len() as i64);
    let refused = observed_days < p.min_observed_days;
    let moisture = i.soil_moisture_pct.filter(|s| !s.is_empty());
    let dry = |day: Day| {
        moisture
            .and_then(|s| s.on(day))
            .is_some_and(|m| m <= p.dry_soil_pct)
    };
    let mean = moisture
        .map(|s| s.values().iter().sum::<f64>() / s.len() as f64)
        .filter(|mean| mean.is_finite());
    Ok(Outputs {
        frost_days: (!refused).then(|| frosts().count() as i64),
        last_frost_date: frosts().next_back().filter(|_| !refused),
        dry_soil_frost_days: moisture
            .filter(|_| !refused)
            .map(|_| frosts().filter(|day| dry(*day)).count() as i64),
        observed_days,
        coldest_c: temperatures().map(|(_, t)| t).reduce(f64::min),
        soil_moisture_mean_pct: mean,
        reason: match (observed_days, refused, moisture.and(mean)) {
            (0, ..) => Some("no temperature was observed in the last 30 days"),
            (_, true, _) => Some("too few days were observed: see min_observed_days"),
            (_, _, None) if moisture.is_some() => {
                Some("the soil moisture is too large to be averaged")
            }
            (_, _, None) => Some("no soil moisture was observed: frost on dry soil is not known"),
            _ => None,
        },
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_golden_cases_hold() {
        provender_logic::testing::golden::<super::Logic>("../cases/frost_days");
    }
}
