//! Weather from the project's own CSV: `boundary_id,date,precipitation_mm,temp_max_c,…`, with the catalogue's
//! column names. Common US units have the unit in the name (`temp_max_f`, `precipitation_in`,
//! `wind_speed_max_mph`). Columns of a `[[series]]` may be in the same file.

use crate::ingest::parsed::Kind;

use super::columns::{self, Spelling};
use super::draft::Draft;
use super::formats::{Form, Reader, Taken};
use super::series_csv;
use super::table::Table;
use super::units::Unit::{
    Celsius, Fahrenheit, Inch, KilogramPerKilogram, KilogramPerSquareMetre, KilometrePerHour,
    MegajoulePerSquareMetre, MetrePerSecond, MilePerHour, Millimetre, Pascal, Percent, Second,
};

/// Columns that make a file a weather CSV.
const SPELLINGS: &[Spelling] = &[
    (
        "precipitation_mm",
        "precipitation_mm",
        Millimetre,
        Millimetre,
    ),
    ("precipitation_in", "precipitation_mm", Inch, Millimetre),
    ("temp_max_c", "temp_max_c", Celsius, Celsius),
    ("temp_max_f", "temp_max_c", Fahrenheit, Celsius),
    ("temp_min_c", "temp_min_c", Celsius, Celsius),
    ("temp_min_f", "temp_min_c", Fahrenheit, Celsius),
    ("temp_mean_c", "temp_mean_c", Celsius, Celsius),
    ("temp_mean_f", "temp_mean_c", Fahrenheit, Celsius),
    (
        "wind_speed_max_m_s",
        "wind_speed_max_m_s",
        MetrePerSecond,
        MetrePerSecond,
    ),
    (
        "wind_speed_max_km_h",
        "wind_speed_max_m_s",
        KilometrePerHour,
        MetrePerSecond,
    ),
    (
        "wind_speed_max_mph",
        "wind_speed_max_m_s",
        MilePerHour,
        MetrePerSecond,
    ),
    (
        "wind_speed_mean_m_s",
        "wind_speed_mean_m_s",
        MetrePerSecond,
        MetrePerSecond,
    ),
    (
        "wind_speed_mean_km_h",
        "wind_speed_mean_m_s",
        KilometrePerHour,
        MetrePerSecond,
    ),
    (
        "wind_speed_mean_mph",
        "wind_speed_mean_m_s",
        MilePerHour,
        MetrePerSecond,
    ),
    (
        "relative_humidity_max_pct",
        "relative_humidity_max_pct",
        Percent,
        Percent,
    ),
    (
        "relative_humidity_min_pct",
        "relative_humidity_min_pct",
        Percent,
        Percent,
    ),
    (
        "specific_humidity_kg_kg",
        "specific_humidity_kg_kg",
        KilogramPerKilogram,
        KilogramPerKilogram,
    ),
    (
        "solar_radiation_mj_m2",
        "solar_radiation_mj_m2",
        MegajoulePerSquareMetre,
        MegajoulePerSquareMetre,
    ),
    ("et0_mm", "et0_mm", Millimetre, Millimetre),
    ("et0_in", "et0_mm", Inch, Millimetre),
    ("etr_mm", "etr_mm", Millimetre, Millimetre),
    ("etr_in", "etr_mm", Inch, Millimetre),
    (
        "snow_water_equivalent_kg_m2",
        "snow_water_equivalent_kg_m2",
        KilogramPerSquareMetre,
        KilogramPerSquareMetre,
    ),
    ("vapour_pressure_pa", "vapour_pressure_pa", Pascal, Pascal),
    ("day_length_s", "day_length_s", Second, Second),
];

/// The format's entry in the table of readers.
pub(super) const READER: Reader = Reader {
    name: "weather-csv",
    kind: Kind::Weather,
    sign: "columns date and precipitation_mm, temp_max_c, …",
    form: Form::Text {
        is: |head| head.has("date") && head.any(SPELLINGS),
        read,
    },
};

/// Reads a weather CSV.
fn read(text: &str, draft: &mut Draft<'_>) -> Taken {
    let table = Table::read(text, 1, draft)?;
    let mut targets = columns::targets(&table, SPELLINGS, draft)?;
    for extra in series_csv::targets(&table, draft)? {
        if targets.iter().all(|t| t.column != extra.column) {
            targets.push(extra);
        }
    }
    columns::read(&table, &targets, true, draft)
}

#[cfg(test)]
mod tests {
    use crate::ingest::parsed::Format;
    use crate::ingest::readers::testing::{bad, near, options, read_alone, refusal, value, values};

    #[test]
    fn catalogue_names_and_us_units_are_read() {
        let reading = read_alone(
            "\u{feff}boundary_id,Date,precipitation_in,temp_max_f,temp_min_c,wind_speed_max_mph,mood\r\nn,2025-05-01,1,212,,10,fine\r\n",
        )
        .unwrap();
        assert_eq!(reading.format, Format::parse("weather-csv").unwrap());
        near(value(&reading, "precipitation_mm", "2025-05-01"), 25.4);
        near(value(&reading, "temp_max_c", "2025-05-01"), 100.0);
        assert_eq!(value(&reading, "temp_min_c", "2025-05-01"), None);
        near(value(&reading, "wind_speed_max_m_s", "2025-05-01"), 4.4704);
        assert_eq!(reading.warnings, ["ignored columns: mood"]);
    }

    #[test]
    fn a_declared_series_may_stand_beside_the_weather() {
        let mut options = options("w.csv");
        options.series = vec![("THI".to_owned(), "heat_index".to_owned())];
        let text = b"date,temp_max_c,thi\n2025-05-01,30,-5\n";
        let reading = super::super::read(text, &options).unwrap();
        near(value(&reading, "heat_index", "2025-05-01"), -5.0);
    }

    #[test]
    fn a_duplicate_day_is_found_in_any_order_of_days() {
        let days = ["05-03", "05-04", "05-01", "05-02", "05-05"];
        let line = |day: &str, place: &str| format!("{place},2025-{day},1\n");
        for again in 0..days.len() {
            for order in [days.to_vec(), days.iter().rev().copied().collect()] {
                let mut text = "boundary_id,date,precipitation_mm\n".to_owned();
                text.extend(order.iter().map(|day| line(day, "n")));
                text.extend(order.iter().map(|day| line(day, "m")));
                text.push_str(&line(order[again], "n"));
                let rows = bad(read_alone(&text));
                assert_eq!((rows.len(), rows[0].row), (1, 12), "{text}");
                let first = format!("which row {} has already given", again + 2);
                assert!(rows[0].problem.ends_with(&first), "{}", rows[0]);
            }
        }
    }

    #[test]
    fn one_column_in_two_units_is_refused_and_a_bad_row_is_left_out_whole() {
        let message = refusal(read_alone("boundary_id,date,temp_max_c,temp_max_f\n"));
        assert!(message.contains("keep one"), "{message}");
        let text = "date,temp_max_c,temp_min_c\n2025-05-01,20,ten\n2025-05-02,20,10\n";
        let mut options = options("w.csv");
        let rows = bad(super::super::read(text.as_bytes(), &options));
        assert_eq!(
            rows[0].to_string(),
            "row 2: temp_min_c = `ten` is not a number"
        );
        options.skip_bad_rows = true;
        let reading = super::super::read(text.as_bytes(), &options).unwrap();
        assert_eq!((reading.rows, reading.skipped.len()), (2, 1));
        assert!(values(&reading).iter().all(|v| v.2 == "2025-05-02"));
    }
}
