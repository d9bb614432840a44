//! Weather from a gridMET export.
//!
//! Exports of the same source differ: some carry an unnamed index column, a `Date` or year, month
//! and day, degrees Celsius under `Tmax_C` or Kelvin under the native `tmmx`. Columns are looked up by name. The
//! unit is the one in parentheses, otherwise the name decides. A value that is impossible in that unit is a bad
//! row, and its error names the unit. Radiation is a mean over 24 hours.

use crate::ingest::parsed::Kind;
use provender_domain::day::Day;

use super::columns::{self, Target};
use super::daymet::split_unit;
use super::draft::{Draft, Gather};
use super::fields;
use super::formats::{Form, Reader, Taken};
use super::table::{Line, Table};
use super::units::Unit::{
    self, Celsius, Fahrenheit, Inch, Kelvin, KilogramPerKilogram, MegajoulePerSquareMetre,
    MetrePerSecond, Millimetre, Percent, WattPerSquareMetre,
};

/// Nodata of the source and of its common exports.
const NODATA: [f64; 3] = [-9999.0, -32767.0, 32767.0];

/// (name in the file, catalogue column, unit that the name means, catalogue unit). If several columns of a file
/// give the same catalogue column, the first in this list is used.
pub(super) const NAMES: [(&str, &str, Unit, Unit); 29] = [
    ("tmax_c", "temp_max_c", Celsius, Celsius),
    ("tmmx", "temp_max_c", Kelvin, Celsius),
    ("tmax_k", "temp_max_c", Kelvin, Celsius),
    ("tmax_f", "temp_max_c", Fahrenheit, Celsius),
    ("tmax", "temp_max_c", Celsius, Celsius),
    ("tmin_c", "temp_min_c", Celsius, Celsius),
    ("tmmn", "temp_min_c", Kelvin, Celsius),
    ("tmin_k", "temp_min_c", Kelvin, Celsius),
    ("tmin_f", "temp_min_c", Fahrenheit, Celsius),
    ("tmin", "temp_min_c", Celsius, Celsius),
    ("prcp", "precipitation_mm", Millimetre, Millimetre),
    ("pr", "precipitation_mm", Millimetre, Millimetre),
    ("prcp_mm", "precipitation_mm", Millimetre, Millimetre),
    ("prcp_in", "precipitation_mm", Inch, Millimetre),
    (
        "srad",
        "solar_radiation_mj_m2",
        WattPerSquareMetre,
        MegajoulePerSquareMetre,
    ),
    (
        "srad_wm2",
        "solar_radiation_mj_m2",
        WattPerSquareMetre,
        MegajoulePerSquareMetre,
    ),
    ("vs", "wind_speed_mean_m_s", MetrePerSecond, MetrePerSecond),
    (
        "ws_10m",
        "wind_speed_mean_m_s",
        MetrePerSecond,
        MetrePerSecond,
    ),
    (
        "ws_2m",
        "wind_speed_mean_m_s",
        MetrePerSecond,
        MetrePerSecond,
    ),
    (
        "q",
        "specific_humidity_kg_kg",
        KilogramPerKilogram,
        KilogramPerKilogram,
    ),
    (
        "sph",
        "specific_humidity_kg_kg",
        KilogramPerKilogram,
        KilogramPerKilogram,
    ),
    ("rmax", "relative_humidity_max_pct", Percent, Percent),
    ("rmin", "relative_humidity_min_pct", Percent, Percent),
    ("eto", "et0_mm", Millimetre, Millimetre),
    ("pet", "et0_mm", Millimetre, Millimetre),
    ("eto_asce", "et0_mm", Millimetre, Millimetre),
    ("eto_mm", "et0_mm", Millimetre, Millimetre),
    ("etr", "etr_mm", Millimetre, Millimetre),
    ("etr_asce", "etr_mm", Millimetre, Millimetre),
];

/// Whether a header is of this format: a date in one of its forms, and a known column.
fn is_header(names: &[String]) -> bool {
    let plain: Vec<String> = names
        .iter()
        .map(|n| split_unit(n).0.to_ascii_lowercase())
        .collect();
    let has = |name: &str| plain.iter().any(|p| p == name);
    let dated = has("date") || has("time") || (has("year") && has("month") && has("day"));
    dated && NAMES.iter().any(|(name, ..)| has(name))
}

/// The format's entry in the table of readers.
pub(super) const READER: Reader = Reader {
    name: "gridmet",
    kind: Kind::Weather,
    sign: "a date and columns such as Tmax_C, tmmx, Prcp or pr",
    form: Form::Text {
        is: |head| is_header(&head.names),
        read,
    },
};

/// Reads a gridMET CSV.
fn read(text: &str, draft: &mut Draft<'_>) -> Taken {
    let table = Table::read(text, 1, draft)?;
    let place = draft.place()?;
    let days = Days {
        date: table.first_of(&["date", "time"]),
        parts: match ["year", "month", "day"].map(|n| table.column(n)) {
            [Some(y), Some(m), Some(d)] => Some([y, m, d]),
            _ => None,
        },
    };
    if days.date.is_none() && days.parts.is_none() {
        return Err(draft.refuse("the header has neither Date nor Year, Month and Day"));
    }
    let mut targets: Vec<Target> = Vec::new();
    for (name, column, by_name, to) in NAMES {
        let found = table
            .names
            .iter()
            .position(|n| split_unit(n).0.eq_ignore_ascii_case(name));
        let Some(index) = found else { continue };
        if targets.iter().any(|t| t.column == column) {
            continue;
        }
        let header = table.names.get(index).map_or("", String::as_str);
        let from = match split_unit(header).1 {
            None => by_name,
            Some(text) => Unit::parse(text)
                .filter(|u| u.convert(1.0, to).is_some())
                .ok_or_else(|| {
                    draft.refuse(format!(
                        "the column `{header}` is not in a unit of {column}"
                    ))
                })?,
        };
        targets.push(Target {
            index,
            column: column.to_owned(),
            from,
            to,
        });
    }
    if targets.is_empty() {
        return Err(draft.refuse("the header has no known gridMET column"));
    }
    let used: Vec<usize> = targets
        .iter()
        .map(|t| t.index)
        .chain(days.date)
        .chain(days.parts.into_iter().flatten())
        .collect();
    draft.warn_ignored("columns", &table.unused(&used));
    let mut gather = Gather::default();
    for line in table.rows.iter() {
        let Some(day) = days.of(line, draft) else {
            continue;
        };
        for target in &targets {
            columns::put(
                &table,
                line,
                target,
                &place,
                Some(day),
                &NODATA,
                &mut gather,
                draft,
            );
        }
    }
    Ok((table.count, gather.into_content(draft)))
}

/// The columns with a row's date.
struct Days {
    date: Option<usize>,
    parts: Option<[usize; 3]>,
}

impl Days {
    fn of(&self, line: Line<'_>, draft: &mut Draft<'_>) -> Option<Day> {
        let written = match self.date {
            None => None,
            Some(column) => {
                let text = line.cell(column);
                // Time series exports write a day as its midnight.
                let midnight = [" 00:00:00", "T00:00:00"]
                    .iter()
                    .find_map(|m| text.strip_suffix(m));
                match fields::day(midnight.unwrap_or(text)) {
                    Ok(day) => Some(day),
                    Err(problem) => {
                        draft.bad(line.line, "date", Some(text), problem);
                        return None;
                    }
                }
            }
        };
        let Some(parts) = self.parts else {
            return written;
        };
        let [y, m, d] = parts.map(|c| fields::number(line.cell(c)).ok().and_then(fields::whole));
        let counted = match (y, m, d) {
            (Some(y), Some(m), Some(d)) => i16::try_from(y)
                .ok()
                .zip(i8::try_from(m).ok())
                .zip(i8::try_from(d).ok())
                .and_then(|((y, m), d)| Day::from_ymd(y, m, d)),
            _ => None,
        };
        let shown = parts.map(|c| line.cell(c)).join("-");
        match (written, counted) {
            (None, None) => {
                draft.bad(line.line, "year, month, day", Some(&shown), "is not a day");
                None
            }
            (Some(written), Some(counted)) if written != counted => {
                draft.bad(
                    line.line,
                    "date",
                    Some(&written.to_string()),
                    format!("does not agree with year, month and day ({shown})"),
                );
                None
            }
            (written, counted) => written.or(counted),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ingest::parsed::Format;
    use crate::ingest::readers::testing::{bad, near, read, refusal, value};

    #[test]
    fn exports_in_celsius_and_in_kelvin_agree() {
        let celsius = read(
            ",Date,Year,Month,Day,Tmax_C,Srad,Ws_2m,q,Prcp,ETr\n0,1979-01-01,1979,1,1,10,250,4.5,0.001,0.0,1.5\n",
        )
        .unwrap();
        assert_eq!(celsius.format, Format::parse("gridmet").unwrap());
        assert_eq!(celsius.warnings, Vec::<String>::new());
        let kelvin = read(
            "year,month,day,tmmx,srad,vs,sph,pr,etr,status\n1979,1,1,283.15,250,4.5,0.001,0,1.5,permanent\n",
        )
        .unwrap();
        assert_eq!(kelvin.warnings, ["ignored columns: status"]);
        for (column, expected) in [
            ("temp_max_c", 10.0),
            ("solar_radiation_mj_m2", 21.6),
            ("wind_speed_mean_m_s", 4.5),
            ("specific_humidity_kg_kg", 0.001),
            ("precipitation_mm", 0.0),
            ("etr_mm", 1.5),
        ] {
            near(value(&celsius, column, "1979-01-01"), expected);
            near(value(&kelvin, column, "1979-01-01"), expected);
        }
        let spelled = read("time,tmmx (degC),pr (mm)\n1979-01-01 00:00:00,10,-32767\n").unwrap();
        near(value(&spelled, "temp_max_c", "1979-01-01"), 10.0);
        assert_eq!(value(&spelled, "precipitation_mm", "1979-01-01"), None);
    }

    #[test]
    fn an_impossible_value_says_which_unit_was_assumed() {
        let rows = bad(read("date,tmax\n1979-01-01,283.15\n"));
        assert!(rows[0].problem.contains("°C"), "{}", rows[0]);
        let rows = bad(read("date,tmmx\n1979-01-01,10\n"));
        assert!(rows[0].problem.contains("read as K"), "{}", rows[0]);
    }

    #[test]
    fn dates_must_agree_and_columns_must_be_known() {
        let rows = bad(read("Date,Year,Month,Day,Prcp\n1979-01-01,1979,1,2,1\n"));
        assert!(rows[0].problem.contains("1979-1-2"), "{}", rows[0]);
        assert!(
            bad(read("Year,Month,Day,Prcp\n1979,2,30,1\n"))[0]
                .problem
                .contains("not a day")
        );
        assert!(refusal(read("Date,vpd\n1979-01-01,1\n")).contains("known formats are"));
        assert!(refusal(read("Date,tmmx (mm)\n1979-01-01,1\n")).contains("temp_max_c"));
    }
}
