//! `rain_balance:v1`: rain of the last 30 days against what the grass needs. Frozen once released.
//!
//! A logic is a declaration, which the host reads before it computes anything, and a function from
//! one row of inputs to one row of outputs. `logic!` handles columns, nulls and calls from the
//! sandbox. This example is complete: change it line by line into what you need.

use provender_logic::{Day, RowError};

provender_logic::logic! {
    name: "rain_balance",
    version: "v1",
    // One sentence. Lists and reports show it.
    summary: "Rain of the last 30 days against what the grass needs.",

    // What a row is computed from: name, type, ["unit"], = "feature". Without a feature an input
    // is the host's column of the same name; `provender features` lists all columns. Use the host's
    // unit. Make nearly every input an Option, because an observation can always be missing.
    inputs: struct Inputs {
        /// The day the number is for.
        calculation_date: Day,
        /// Rain of the last 30 days; null where no day was observed.
        rain_mm: Option<f64> ["mm"] = "precipitation_mm:sum:30d",
        /// Days of the last 30 that were observed. A count is never null.
        observed_days: i64 = "precipitation_mm:count:30d",
    },

    // Settings that can change without a new version, each with a default and a range. The values in
    // force are part of a run's key.
    parameters: struct Parameters {
        /// Rain that the grass needs in 30 days.
        need_mm: f64 ["mm"] = 40.0 in 0.0..=1000.0,
        /// Days that must be observed for a balance to be given.
        min_observed_days: i64 ["d"] = 25 in 1..=30,
    },

    // outcome: a result. term: an intermediate figure, with which `explain` shows the arithmetic.
    // reason: why there is no answer. A formula is for readers and uses only declared names.
    outputs: struct Outputs {
        /// Rain above the need; negative when it was too dry.
        outcome balance_mm: Option<f64> ["mm"] = "rain_mm - need_mm",
        /// The last day of the window.
        outcome balance_date: Day = "calculation_date",
        /// Share of the need that fell, 0 and more.
        term share_of_need: Option<f64> = "rain_mm / need_mm",
        /// Why there is no balance.
        reason reason: Option<&'static str>,
    },

    // Bounds of a plausible answer. A bound is a number, the name of a parameter, or _ for no bound.
    guardrails: {
        crit balance_mm: (-1000)..=5000,
        warn share_of_need: 0..=20,
    },

    // When a monitor alerts: above or below, threshold of warn, threshold of crit.
    monitors: {
        share_null(balance_mm) above 0.05, 0.20;
        coverage below 0.98, 0.90;
    },

    // What a reader has to know beside the number.
    annotations: {
        "not-accounted-for": "Water that the soil held before the 30 days, and what ran off.",
        "not-accounted-for": "The need is the same in every month.",
    },
    compute: row,
}

/// One row. It has no clock, no files, no network and no random numbers: the same inputs give the
/// same bits, on every machine. A missing input is a null outcome with a reason, never a zero.
fn row(p: &Parameters, i: &Inputs) -> Result<Outputs, RowError> {
    // An impossible value is an error: the row fails with your message. A missing value is not an error.
    if i.rain_mm.is_some_and(|rain| rain < 0.0) {
        return Err(RowError::input("rain_mm", "rain cannot be negative"));
    }
    let enough = i.observed_days >= p.min_observed_days;
    let rain = i.rain_mm.filter(|_| enough);
    Ok(Outputs {
        balance_mm: rain.map(|rain| rain - p.need_mm),
        balance_date: i.calculation_date,
        // If the need is 0 there is no share of it, and 0 / 0 is not a number.
        share_of_need: rain
            .filter(|_| p.need_mm > 0.0)
            .map(|rain| rain / p.need_mm),
        reason: match (i.rain_mm, enough) {
            (None, _) => Some("no rain was observed in the last 30 days"),
            (_, false) => Some("too few days were observed: see min_observed_days"),
            _ => None,
        },
    })
}

#[cfg(test)]
mod tests {
    /// Every case of the folder, natively. `provender plugin test` runs the same cases in the sandbox.
    #[test]
    fn the_golden_cases_hold() {
        provender_logic::testing::golden::<super::Logic>("cases");
    }
}
