//! Numbers in acres and pounds, for people. Recorded numbers stay metric.
//!
//! Exact factors: 0.45359237 kg in a pound, 0.40468564224 ha in an acre, 25.4 mm in an inch.

use provender_domain::render::text::number;

/// The units in which people read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Units {
    /// As recorded.
    #[default]
    Metric,
    /// Acres, pounds, Fahrenheit, inches.
    Us,
}

const KG_PER_LB: f64 = 0.453_592_37;
const HA_PER_ACRE: f64 = 0.404_685_642_24;

/// Formats a number with its unit and thousands separators.
#[must_use]
pub(super) fn show(value: f64, unit: Option<&str>, units: Units) -> String {
    let (shown, unit) = match (units, unit) {
        (Units::Us, Some(unit)) => convert(value, unit),
        (_, unit) => (value, unit.unwrap_or_default()),
    };
    // Only a number shown as it was used in the arithmetic must keep its floor.
    let as_recorded = shown.to_bits() == value.to_bits();
    let text = thousands(&rounded(shown, as_recorded));
    if unit.is_empty() {
        text
    } else {
        format!("{text} {unit}")
    }
}

fn convert(value: f64, unit: &str) -> (f64, &str) {
    match unit {
        "ha" => (value / HA_PER_ACRE, "acres"),
        "kg" => (value / KG_PER_LB, "lb"),
        "kg/d" => (value / KG_PER_LB, "lb/d"),
        "kg/head/d" => (value / KG_PER_LB, "lb/head/d"),
        "kg/ha" => (value / KG_PER_LB * HA_PER_ACRE, "lb/acre"),
        "degC" => (value * 1.8 + 32.0, "degF"),
        "mm" => (value / 25.4, "in"),
        "cm" => (value / 2.54, "in"),
        other => (value, other),
    }
}

/// Rounds to enough digits to check the arithmetic by hand. The JSON has the full number.
fn rounded(x: f64, keep_floor: bool) -> String {
    if x == 0.0 || !(1e-3..1e15).contains(&x.abs()) {
        return number(x);
    }
    let digits = if x.abs() >= 10_000.0 {
        1
    } else if x.abs() >= 100.0 {
        2
    } else {
        4
    };
    // Rounding up to the next whole number would contradict a `floor` in the formula.
    let mut text = format!("{x:.digits$}");
    for digits in digits + 1..18 {
        let followed = |shown: f64| shown.floor() == x.floor();
        if !keep_floor || text.parse().is_ok_and(followed) {
            break;
        }
        text = format!("{x:.digits$}");
    }
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn thousands(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |r| ("-", r));
    let (whole, fraction) = rest
        .split_once('.')
        .map_or((rest, None), |(w, f)| (w, Some(f)));
    if whole.len() <= 4 || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(c);
    }
    match fraction {
        Some(f) => format!("{sign}{out}.{f}"),
        None => format!("{sign}{out}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_in_either_unit_system() {
        assert_eq!(show(806_455.44, Some("kg"), Units::Metric), "806,455.4 kg");
        assert_eq!(show(40.468_564_224, Some("ha"), Units::Us), "100 acres");
        assert_eq!(show(1120.851, Some("kg/ha"), Units::Us), "1000 lb/acre");
        assert_eq!(show(-40.0, Some("degC"), Units::Us), "-40 degF");
        // 88 would suggest that `floor` gave 88.
        assert_eq!(show(87.999_999, Some("d"), Units::Metric), "87.999999 d");
        assert_eq!(show(123_456.96, None, Units::Metric), "123,456.96");
        assert_eq!(show(87.23, Some("d"), Units::Us), "87.23 d");
        assert_eq!(show(1_234_567.0, None, Units::Metric), "1,234,567");
    }
}
