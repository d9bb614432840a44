//! Limits of catalogue columns. They are wide on purpose: they catch wrong units and undeclared nodata codes, not
//! unusual days.

/// Lowest and highest possible value of a column, and its unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit(f64, f64, &'static str);

impl Limit {
    /// What is wrong with `value`, in the catalogue's unit, as the end of a sentence.
    pub(super) fn problem(self, value: f64) -> Option<String> {
        let Limit(low, high, unit) = self;
        if (low..=high).contains(&value) {
            return None;
        }
        Some(if low == 0.0 && value < 0.0 {
            "must not be negative".to_owned()
        } else {
            format!("is outside {low} to {high} {unit}")
        })
    }
}

/// The limit of a catalogue column; `None` if any value is possible.
pub(super) fn of(column: &str) -> Option<Limit> {
    range(column).map(|(low, high, unit)| Limit(low, high, unit))
}

fn range(column: &str) -> Option<(f64, f64, &'static str)> {
    Some(match column {
        "temp_max_c" | "temp_min_c" | "temp_mean_c" => (-100.0, 150.0, "°C"),
        "precipitation_mm" => (0.0, 3000.0, "mm"),
        "wind_speed_max_m_s" | "wind_speed_mean_m_s" => (0.0, 150.0, "m/s"),
        // Gridded humidity slightly exceeds saturation.
        "relative_humidity_max_pct" | "relative_humidity_min_pct" => (0.0, 110.0, "%"),
        "specific_humidity_kg_kg" => (0.0, 0.1, "kg/kg"),
        "solar_radiation_mj_m2" => (0.0, 60.0, "MJ/m2"),
        // Penman-Monteith gives small negative values on cold nights.
        "et0_mm" | "etr_mm" => (-5.0, 60.0, "mm"),
        "snow_water_equivalent_kg_m2" => (0.0, 20_000.0, "kg/m2"),
        "vapour_pressure_pa" => (0.0, 20_000.0, "Pa"),
        "day_length_s" => (0.0, 86_400.0, "s"),
        "soil_production_coverage_pct" => (0.0, 100.0, "%"),
        "soil_awc_cm_per_cm" => (0.0, 1.0, "cm/cm"),
        "soil_water_storage_150cm_cm" => (0.0, 150.0, "cm"),
        c if c.starts_with("cover_") => (0.0, 100.0, "%"),
        c if c.ends_with("_kg_per_ha") => (0.0, 1.0e6, "kg/ha"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(column: &str, value: f64) -> Option<String> {
        of(column).and_then(|limit| limit.problem(value))
    }

    #[test]
    fn a_wrong_unit_is_caught_and_a_hard_winter_is_not() {
        assert!(
            problem("temp_max_c", 295.0)
                .unwrap()
                .contains("-100 to 150")
        );
        assert!(problem("temp_min_c", -9999.0).is_some());
        assert_eq!(problem("temp_min_c", -60.0), None);
        assert!(
            problem("precipitation_mm", -1.0)
                .unwrap()
                .contains("negative")
        );
        assert_eq!(problem("a_series_of_ones_own", -1e9), None);
    }
}
