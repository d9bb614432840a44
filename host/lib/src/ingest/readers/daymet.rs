//! Weather from a Daymet single-pixel CSV.
//!
//! Six to eight lines of preamble, then a header that begins `year,yday` and carries the units in
//! parentheses. Every year has 365 rows: in a leap year day 60 is 29 February and 31 December is
//! missing. Radiation is a mean over daylight (W/m²), so the day's total needs the day length.

use crate::ingest::parsed::{Kind, ReadError};
use provender_domain::day::Day;

use super::columns::{self, Target};
use super::draft::{Draft, Gather, Given};
use super::fields;
use super::formats::{Form, Reader, Taken};
use super::table::{Line, Table};
use super::units::{Unit, radiation_mj_m2};

/// The format's nodata.
const NODATA: [f64; 1] = [-9999.0];
/// The header is one of this many first lines.
const PREAMBLE: usize = 12;

const COLUMNS: [(&str, &str, Unit); 6] = [
    ("dayl", "day_length_s", Unit::Second),
    ("prcp", "precipitation_mm", Unit::Millimetre),
    (
        "swe",
        "snow_water_equivalent_kg_m2",
        Unit::KilogramPerSquareMetre,
    ),
    ("tmax", "temp_max_c", Unit::Celsius),
    ("tmin", "temp_min_c", Unit::Celsius),
    ("vp", "vapour_pressure_pa", Unit::Pascal),
];

/// Position of the header line: byte offset and 1-based line.
fn header(text: &str) -> Option<(usize, u32)> {
    let mut offset = 0;
    for (line, number) in text.split_inclusive('\n').zip(1u32..).take(PREAMBLE) {
        let plain: String = line
            .chars()
            .filter(|c| !c.is_whitespace())
            .take(9)
            .collect();
        if plain.to_ascii_lowercase().starts_with("year,yday") {
            return Some((offset, number));
        }
        offset += line.len();
    }
    None
}

/// The format's entry in the table of readers.
pub(super) const READER: Reader = Reader {
    name: "daymet",
    kind: Kind::Weather,
    sign: "a header that begins year,yday",
    form: Form::Text {
        is: |head| header(head.text).is_some(),
        read,
    },
};

/// Reads a Daymet CSV.
fn read(text: &str, draft: &mut Draft<'_>) -> Taken {
    let Some((offset, first_line)) = header(text) else {
        return Err(
            draft.refuse("is not a Daymet file: none of its first lines begins with `year,yday`")
        );
    };
    let place = draft.place()?;
    let table = Table::read(&text[offset..], first_line, draft)?;
    let Columns {
        targets,
        radiation,
        day_length,
    } = columns_of(&table, draft)?;
    let mut gather = Gather::default();
    for line in table.rows.iter() {
        let Some(day) = day(line, draft) else {
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
        if let (Some(srad), Some((dayl, unit))) = (radiation, day_length) {
            sun(line, srad, (dayl, unit), &place, day, &mut gather, draft);
        }
    }
    Ok((table.count, gather.into_content(draft)))
}

/// The columns that are read.
struct Columns {
    targets: Vec<Target>,
    /// Index of the mean radiation over daylight.
    radiation: Option<usize>,
    /// Index and unit of the day length.
    day_length: Option<(usize, Unit)>,
}

fn columns_of(table: &Table, draft: &mut Draft<'_>) -> Result<Columns, ReadError> {
    let mut targets = Vec::new();
    let (mut radiation, mut day_length) = (None, None);
    let mut ignored = Vec::new();
    for (index, name) in table.names.iter().enumerate().skip(2) {
        let (plain, unit) = split_unit(name);
        let known = COLUMNS.iter().find(|(n, ..)| n.eq_ignore_ascii_case(plain));
        let is_radiation = plain.eq_ignore_ascii_case("srad");
        if known.is_none() && !is_radiation {
            ignored.push(name.clone());
            continue;
        }
        let Some(unit) = unit.and_then(Unit::parse) else {
            return Err(draft.refuse(format!(
                "the column `{name}` has no known unit in parentheses"
            )));
        };
        if let Some((_, column, to)) = known {
            if unit.convert(1.0, *to).is_none() {
                return Err(
                    draft.refuse(format!("the column `{name}` is not in a unit of {column}"))
                );
            }
            if *column == "day_length_s" {
                day_length = Some((index, unit));
            }
            targets.push(Target {
                index,
                column: (*column).to_owned(),
                from: unit,
                to: *to,
            });
        } else if unit == Unit::WattPerSquareMetre {
            radiation = Some(index);
        } else {
            return Err(draft.refuse(format!("the column `{name}` is not in W/m^2")));
        }
    }
    draft.warn_ignored("columns", &ignored);
    if radiation.is_some() && day_length.is_none() {
        draft.warn("srad is a mean over daylight and the file has no dayl, so solar_radiation_mj_m2 was not computed");
    }
    Ok(Columns {
        targets,
        radiation,
        day_length,
    })
}

fn sun(
    line: Line<'_>,
    srad: usize,
    (dayl, unit): (usize, Unit),
    place: &str,
    day: Day,
    gather: &mut Gather,
    draft: &mut Draft<'_>,
) {
    let watts = match fields::optional_number(line.cell(srad), &NODATA) {
        Ok(watts) => watts,
        Err(problem) => {
            draft.bad(line.line, "srad", Some(line.cell(srad)), problem);
            return;
        }
    };
    // An unreadable day length has already made this a bad row.
    let seconds = fields::optional_number(line.cell(dayl), &NODATA)
        .ok()
        .flatten()
        .and_then(|x| unit.convert(x, Unit::Second));
    let given = Given {
        row: line.line,
        field: "srad",
        shown: line.cell(srad),
        read_as: "W/m2 over the day length",
        boundary: place,
        column: "solar_radiation_mj_m2",
        date: Some(day),
        value: watts.zip(seconds).map(|(w, s)| radiation_mj_m2(w, s)),
    };
    gather.put(draft, &given);
}

/// Splits `tmax (deg c)` into `tmax` and `deg c`.
pub(super) fn split_unit(name: &str) -> (&str, Option<&str>) {
    match name.split_once('(') {
        Some((plain, rest)) => (plain.trim(), rest.trim().strip_suffix(')').map(str::trim)),
        None => (name.trim(), None),
    }
}

fn day(line: Line<'_>, draft: &mut Draft<'_>) -> Option<Day> {
    let mut part = |column: usize, name: &str| {
        let text = line.cell(column);
        match fields::number(text).map(fields::whole) {
            Ok(Some(n)) => Some(n),
            Ok(None) => {
                draft.bad(line.line, name, Some(text), "is not a whole number");
                None
            }
            Err(problem) => {
                draft.bad(line.line, name, Some(text), problem);
                None
            }
        }
    };
    let (year, yday) = (part(0, "year")?, part(1, "yday")?);
    if !(1..=365).contains(&yday) {
        draft.bad(
            line.line,
            "yday",
            Some(line.cell(1)),
            "is outside 1 to 365; Daymet has 365 days in every year",
        );
        return None;
    }
    let day = i16::try_from(year)
        .ok()
        .and_then(|y| Day::from_ordinal(y, yday));
    if day.is_none() {
        draft.bad(line.line, "year", Some(line.cell(0)), "is not a year");
    }
    day
}

#[cfg(test)]
mod tests {
    use crate::ingest::parsed::Format;
    use crate::ingest::readers::testing::{bad, near, read, refusal, value, values};

    const PREAMBLE: &str = "Latitude: 40.0  Longitude: -119.0\nX & Y on Lambert Conformal Conic: 1 2\nTile: 1\nElevation: 279 meters\nAll years; all variables; Daymet Software Version 4.0\nHow to cite: us\n\n";

    #[test]
    fn a_leap_year_has_29_february_and_no_31_december() {
        let reading = read(&format!(
            "{PREAMBLE}year,yday,dayl (s),prcp (mm/day),srad (W/m^2),tmax (deg c),snow (m)\n2000.0,60.0,40000,1.5,250,10,0\n2000,365,30000,-9999,100,-2,0\n2001,365,30000,0,100,-2,0\n"
        ))
        .unwrap();
        assert_eq!(
            (reading.format, reading.rows),
            (Format::parse("daymet").unwrap(), 3)
        );
        near(value(&reading, "precipitation_mm", "2000-02-29"), 1.5);
        // 250 W/m² over 40,000 s of daylight.
        near(value(&reading, "solar_radiation_mj_m2", "2000-02-29"), 10.0);
        assert_eq!(value(&reading, "precipitation_mm", "2000-12-30"), None);
        near(value(&reading, "temp_max_c", "2001-12-31"), -2.0);
        assert_eq!(reading.warnings, ["ignored columns: snow (m)"]);
        let o = values(&reading);
        assert_eq!(o.len(), 12);
    }

    #[test]
    fn rows_are_named_by_the_line_of_the_file() {
        let rows = bad(read(&format!(
            "{PREAMBLE}year,yday,tmax (deg c)\n2001,366,1\n2001,1.5,1\n2001,2,hot\n2001,3,400\n"
        )));
        let at: Vec<_> = rows
            .iter()
            .map(|r| (r.row, r.field.as_deref().unwrap()))
            .collect();
        assert_eq!(
            at,
            [
                (9, "yday"),
                (10, "yday"),
                (11, "tmax (deg c)"),
                (12, "tmax (deg c)")
            ]
        );
    }

    #[test]
    fn the_header_s_units_count() {
        let reading = read("year,yday,tmax (deg f)\n2001,1,50\n").unwrap();
        near(value(&reading, "temp_max_c", "2001-01-01"), 10.0);
        assert!(refusal(read("year,yday,tmax\n2001,1,50\n")).contains("`tmax`"));
        assert!(refusal(read("year,yday,prcp (deg c)\n2001,1,50\n")).contains("precipitation_mm"));
        let no_length = read("year,yday,srad (W/m^2),vp (kPa)\n2001,1,50,1\n").unwrap();
        assert!(
            no_length.warnings[0].contains("no dayl"),
            "{:?}",
            no_length.warnings
        );
        near(
            value(&no_length, "vapour_pressure_pa", "2001-01-01"),
            1000.0,
        );
    }
}
