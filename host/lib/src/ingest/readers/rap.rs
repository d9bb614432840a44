//! Forage from a Rangeland Analysis Platform reply: a GeoJSON Feature whose property is a table,
//! header row first. Rows count the table's data rows from 1.
//!
//! * `production16day` — what grew in a period of 16 days, dated by the period's last day: the
//!   label's day of the year. The last label of a year runs past its end (doy 368); the period
//!   ends with the year, so such a label is 31 December.
//! * `production` — what grew in a calendar year, dated 31 December.
//! * `cover` — cover in percent, dated 31 December.
//!
//! Production is in lb/acre unless the reply has a member `units` (the service's Canadian counterpart gives
//! kg/ha). Nodata is −99. HER is used if there is one, otherwise AFG + PFG.

use serde_json::Value as Json;

use crate::ingest::parsed::{Kind, ReadError};
use provender_domain::day::Day;

use super::draft::{Draft, Gather, Given, row_number};
use super::fields::{self, json_text, shown};
use super::formats::{Form, Reader, Taken};
use super::units::Unit;

const NODATA: [f64; 1] = [-99.0];

/// What a table of a reply is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Product {
    SixteenDay,
    Annual,
    Cover,
}

/// Names of the property with the table.
const PROPERTIES: [(&str, Product); 8] = [
    ("production16day", Product::SixteenDay),
    ("production16dayV3", Product::SixteenDay),
    ("production", Product::Annual),
    ("productionV3", Product::Annual),
    ("cover", Product::Cover),
    ("coverV3", Product::Cover),
    ("coverMeteorology", Product::Cover),
    ("coverMeteorologyV3", Product::Cover),
];

const COVER: [(&str, &str); 6] = [
    ("AFG", "cover_annual_forb_grass_pct"),
    ("PFG", "cover_perennial_forb_grass_pct"),
    ("SHR", "cover_shrub_pct"),
    ("TRE", "cover_tree_pct"),
    ("LTR", "cover_litter_pct"),
    ("BGR", "cover_bare_ground_pct"),
];

/// Whether a Feature is of this format.
fn is_feature(feature: &Json) -> bool {
    tables(feature).next().is_some()
}

fn tables(feature: &Json) -> impl Iterator<Item = (&'static str, Product, &Vec<Json>)> {
    let properties = feature.get("properties");
    PROPERTIES.into_iter().filter_map(move |(name, product)| {
        let table = properties?.get(name)?.as_array()?;
        // Without a header row of texts it is an unrelated property with the same name.
        let header = table.first()?.as_array()?;
        let named = !header.is_empty() && header.iter().all(Json::is_string);
        named.then_some((name, product, table))
    })
}

/// The format's entry in the table of readers.
pub(super) const READER: Reader = Reader {
    name: "rap",
    kind: Kind::Forage,
    sign: "a Feature with a table production16day, production or cover",
    form: Form::Json {
        is: |json, _| is_reply(json),
        read,
    },
};

/// Whether it is a reply of the platform.
pub(super) fn is_reply(json: &Json) -> bool {
    let features = json.get("features").and_then(Json::as_array);
    is_feature(json) || features.is_some_and(|list| list.iter().any(is_feature))
}

/// Reads a reply, or a FeatureCollection of replies.
fn read(json: &Json, draft: &mut Draft<'_>) -> Taken {
    let features: Vec<&Json> = match json.get("features").and_then(Json::as_array) {
        Some(list) => list.iter().collect(),
        None => vec![json],
    };
    if !features.iter().any(|f| is_feature(f)) {
        return Err(draft.refuse(
            "is not a RAP reply: it has no table production16day, production or cover with a header row",
        ));
    }
    if features.len() > 1 && draft.options.boundary.is_some() {
        return Err(draft.refuse(
            "has several replies, but only one boundary was given for them; put boundary_id into each Feature's properties",
        ));
    }
    let mut gather = Gather::default();
    let mut count = 0;
    for feature in features {
        let place = place(feature, draft)?;
        let unit = unit(json, feature, draft)?;
        for (name, product, table) in tables(feature) {
            let reply = Reply {
                place: &place,
                unit,
                name,
                product,
                first_row: count,
            };
            count += reply.read(table, &mut gather, draft)?;
        }
    }
    if count == 0 {
        draft.warn("the reply has no data rows");
    }
    Ok((count, gather.into_content(draft)))
}

fn place(feature: &Json, draft: &Draft<'_>) -> Result<String, ReadError> {
    let own = feature
        .pointer("/properties/boundary_id")
        .and_then(json_text);
    match (own, &draft.options.boundary) {
        (Some(own), Some(given)) if own != given.trim() => Err(draft.refuse(format!(
            "its boundary_id is `{own}`, but `{given}` was given as its boundary"
        ))),
        (Some(own), _) => match fields::id_problem(&own) {
            None => Ok(own),
            Some(problem) => Err(draft.refuse(format!("its boundary_id {problem}"))),
        },
        (None, _) => draft.place(),
    }
}

fn unit(json: &Json, feature: &Json, draft: &Draft<'_>) -> Result<Unit, ReadError> {
    let member = ["units", "unit"].iter().find_map(|name| {
        let own = feature.get("properties").and_then(|p| p.get(name));
        own.or_else(|| feature.get(name)).or_else(|| json.get(name))
    });
    match member.filter(|m| !m.is_null()) {
        None => Ok(Unit::PoundPerAcre),
        Some(value) => Unit::parse(&shown(value))
            .filter(|u| u.convert(1.0, Unit::KilogramPerHectare).is_some())
            .ok_or_else(|| {
                draft.refuse(format!(
                    "its units are `{}`; lb/acre and kg/ha are known",
                    shown(value)
                ))
            }),
    }
}

/// One table of a reply.
struct Reply<'a> {
    place: &'a str,
    unit: Unit,
    name: &'static str,
    product: Product,
    first_row: usize,
}

/// Column names of a table; case does not matter.
struct Header(Vec<String>);

impl Header {
    fn find(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|n| n.eq_ignore_ascii_case(name))
    }
}

impl Reply<'_> {
    fn read(
        &self,
        table: &[Json],
        gather: &mut Gather,
        draft: &mut Draft<'_>,
    ) -> Result<usize, ReadError> {
        let Some((header, rows)) = table.split_first() else {
            return Ok(0);
        };
        let header = Header(
            header
                .as_array()
                .into_iter()
                .flatten()
                .map(|n| shown(n).trim().to_owned())
                .collect(),
        );
        self.check(&header, draft)?;
        let mut empty = 0;
        for (i, row) in rows.iter().enumerate() {
            let number = row_number(self.first_row + i);
            let Some(cells) = row.as_array().filter(|c| c.len() == header.0.len()) else {
                draft.bad(
                    number,
                    self.name,
                    Some(&row.to_string()),
                    format!(
                        "does not have {} values, as the header does",
                        header.0.len()
                    ),
                );
                continue;
            };
            let Some(day) = self.day(number, &header, cells, draft) else {
                continue;
            };
            if !self.values(number, day, &header, cells, gather, draft) {
                empty += 1;
            }
        }
        if empty > 0 {
            draft.warn(format!(
                "{}: {empty} of {} rows have only nodata",
                self.name,
                rows.len()
            ));
        }
        Ok(rows.len())
    }

    fn check(&self, header: &Header, draft: &mut Draft<'_>) -> Result<(), ReadError> {
        let has = |name: &str| header.find(name).is_some();
        let dated = match self.product {
            Product::SixteenDay => (has("year") && has("doy")) || has("date"),
            Product::Annual | Product::Cover => has("year"),
        };
        let figures = match self.product {
            Product::Cover => COVER.iter().any(|(n, _)| has(n)),
            _ => has("HER") || (has("AFG") && has("PFG")),
        };
        if !dated || !figures {
            return Err(draft.refuse(format!(
                "its table {} has the columns {}, which lack a date or a figure",
                self.name,
                header.0.join(", ")
            )));
        }
        let known = ["date", "year", "doy", "HER", "AFG", "PFG"];
        let ignored: Vec<String> = header
            .0
            .iter()
            .filter(|n| {
                let cover = self.product == Product::Cover
                    && COVER.iter().any(|(c, _)| c.eq_ignore_ascii_case(n));
                !cover && !known.iter().any(|k| k.eq_ignore_ascii_case(n))
            })
            .cloned()
            .collect();
        draft.warn_ignored("columns", &ignored);
        Ok(())
    }

    fn day(&self, row: u32, header: &Header, cells: &[Json], draft: &mut Draft<'_>) -> Option<Day> {
        let cell = |name: &str| header.find(name).and_then(|i| cells.get(i));
        let mut whole = |name: &str| -> Option<Option<i32>> {
            let Some(value) = cell(name) else {
                return Some(None);
            };
            match fields::json_number(value, &[]).map(|x| x.and_then(fields::whole)) {
                Ok(Some(n)) => Some(Some(n)),
                _ => {
                    draft.bad(row, name, Some(&shown(value)), "is not a whole number");
                    None
                }
            }
        };
        let (year, doy) = (whole("year")?, whole("doy")?);
        let year_16 = year.and_then(|y| i16::try_from(y).ok());
        let end = year_16.and_then(|y| Day::from_ymd(y, 12, 31));
        if year.is_some() && end.is_none() {
            let value = cell("year").map(shown);
            draft.bad(row, "year", value.as_deref(), "is not a year");
            return None;
        }
        if self.product != Product::SixteenDay {
            return end;
        }
        let written = match cell("date").filter(|d| !d.is_null()) {
            None => None,
            Some(value) => match fields::day(&shown(value)) {
                Ok(day) => Some(day),
                Err(problem) => {
                    draft.bad(row, "date", Some(&shown(value)), problem);
                    return None;
                }
            },
        };
        let Some((doy, year)) = doy.zip(year_16) else {
            let agrees = written.is_none_or(|w| year_16.is_none_or(|y| w.ymd().0 == y));
            if written.is_none() || !agrees {
                draft.bad(
                    row,
                    "date",
                    None,
                    "is needed to know when the period ends: a date, or year and doy that agree with it",
                );
            }
            return written.filter(|_| agrees);
        };
        // 23 periods of 16 days end with label 368.
        if !(1..=368).contains(&doy) {
            draft.bad(row, "doy", Some(&doy.to_string()), "is outside 1 to 368");
            return None;
        }
        let label = Day::from_ordinal(year, doy)?;
        let day = end.map_or(label, |end| label.min(end));
        if let Some(written) = written.filter(|w| *w != label && *w != day) {
            draft.bad(
                row,
                "date",
                Some(&written.to_string()),
                format!("does not agree with day {doy} of {year}, which is {label}"),
            );
            return None;
        }
        Some(day)
    }

    /// Adds the figures of a row; false if it has none.
    fn values(
        &self,
        row: u32,
        day: Day,
        header: &Header,
        cells: &[Json],
        gather: &mut Gather,
        draft: &mut Draft<'_>,
    ) -> bool {
        let figure = |name: &str, draft: &mut Draft<'_>| -> Result<Option<f64>, ()> {
            let Some(value) = header.find(name).and_then(|i| cells.get(i)) else {
                return Ok(None);
            };
            let problem = match fields::json_number(value, &NODATA) {
                Ok(Some(x)) if x < 0.0 => "must not be negative".to_owned(),
                Ok(x) => return Ok(x),
                Err(problem) => problem,
            };
            draft.bad(row, name, Some(&shown(value)), problem);
            Err(())
        };
        let mut put = |field: &str,
                       column: &str,
                       value: Option<f64>,
                       unit: Unit,
                       to: Unit,
                       draft: &mut Draft<'_>| {
            let text = value.map(|v| v.to_string()).unwrap_or_default();
            let given = Given {
                row,
                field,
                shown: &text,
                read_as: unit.name(),
                boundary: self.place,
                column,
                date: Some(day),
                value: value.and_then(|v| unit.convert(v, to)),
            };
            gather.put(draft, &given);
        };
        if self.product == Product::Cover {
            let mut any = false;
            for (name, column) in COVER {
                if header.find(name).is_none() {
                    continue;
                }
                match figure(name, draft) {
                    Ok(value) => {
                        any |= value.is_some();
                        put(name, column, value, Unit::Percent, Unit::Percent, draft);
                    }
                    Err(()) => any = true,
                }
            }
            return any;
        }
        let column = match self.product {
            Product::SixteenDay => "forage_increment_kg_per_ha",
            _ => "production_annual_kg_per_ha",
        };
        let (Ok(her), Ok(annual), Ok(perennial)) = (
            figure("HER", draft),
            figure("AFG", draft),
            figure("PFG", draft),
        ) else {
            return true;
        };
        let value = her.or_else(|| annual.zip(perennial).map(|(a, p)| a + p));
        put(
            "HER",
            column,
            value,
            self.unit,
            Unit::KilogramPerHectare,
            draft,
        );
        value.is_some()
    }
}

#[cfg(test)]
mod tests {
    use crate::ingest::parsed::{Format, Kind, ReadOptions};
    use crate::ingest::readers::testing::{
        bad, near, options, read, read_alone, refusal, value, values,
    };

    fn reply(table: &str, more: &str) -> String {
        format!(
            r#"{{"type":"Feature","geometry":null,"properties":{{{more}"mask":true,{table}}}}}"#
        )
    }

    const SIXTEEN: &str = r#""production16dayV3":[["date","year","doy","AFG","PFG","HER"],
        ["1992-03-04",1992,64,100,10,110],["1992-12-31",1992,368,1,2,-99],["1993-01-03",1993,3,-99,-99,-99]]"#;

    #[test]
    fn periods_are_dated_by_their_end_and_the_last_one_stays_in_its_year() {
        let reading = read(&reply(SIXTEEN, "")).unwrap();
        assert_eq!(
            (reading.format, reading.rows),
            (Format::parse("rap").unwrap(), 3)
        );
        let column = "forage_increment_kg_per_ha";
        near(
            value(&reading, column, "1992-03-04"),
            110.0 * 1.120_851_156_194_449,
        );
        // HER is nodata, so AFG + PFG are used.
        near(
            value(&reading, column, "1992-12-31"),
            3.0 * 1.120_851_156_194_449,
        );
        assert_eq!(value(&reading, column, "1993-01-03"), None);
        assert!(
            reading.warnings[0].contains("1 of 3 rows"),
            "{:?}",
            reading.warnings
        );
        // The service may also write a day after the end of the year, as the label counts on.
        let label = SIXTEEN.replace("1992-12-31", "1993-01-02");
        assert_eq!(values(&read(&reply(&label, "")).unwrap()), values(&reading));
    }

    #[test]
    fn a_date_that_contradicts_its_label_is_a_bad_row() {
        let rows = bad(read(&reply(
            &SIXTEEN.replace("1992-03-04", "1992-03-05"),
            "",
        )));
        assert_eq!(
            (rows[0].row, rows[0].value.as_deref()),
            (1, Some("1992-03-05"))
        );
        assert!(rows[0].problem.contains("1992-03-04"), "{}", rows[0]);
    }

    #[test]
    fn annual_production_and_cover_are_dated_31_december() {
        let text = reply(
            r#""production":[["year","AFG","PFG"],[1993,100,10]],
               "cover":[["year","AFG","PFG","annualTemp"],[1993,21.5,-99,60.1]]"#,
            "",
        );
        let reading = read(&text).unwrap();
        let day = "1993-12-31";
        near(
            value(&reading, "production_annual_kg_per_ha", day),
            110.0 * 1.120_851_156_194_449,
        );
        near(value(&reading, "cover_annual_forb_grass_pct", day), 21.5);
        assert_eq!(value(&reading, "cover_perennial_forb_grass_pct", day), None);
        assert!(
            reading
                .warnings
                .contains(&"ignored columns: annualTemp".to_owned())
        );
    }

    #[test]
    fn a_reply_s_own_unit_counts() {
        let table = r#""production":[["year","HER"],[1993,100]]"#;
        let reading = read(&reply(table, r#""units":"kg/ha","#)).unwrap();
        near(
            value(&reading, "production_annual_kg_per_ha", "1993-12-31"),
            100.0,
        );
        let message = refusal(read(&reply(table, r#""units":"t/ha","#)));
        assert!(message.contains("`t/ha`"), "{message}");
    }

    #[test]
    fn the_place_comes_from_the_options_or_the_feature() {
        let table = r#""production":[["year","HER"],[1993,100]]"#;
        assert!(refusal(read_alone(&reply(table, ""))).contains("--boundary"));
        let own = read_alone(&reply(table, r#""boundary_id":"south","#)).unwrap();
        assert_eq!(values(&own)[0].0, "south");
        assert!(refusal(read(&reply(table, r#""boundary_id":"south","#))).contains("`north`"));
    }

    #[test]
    fn a_value_that_is_not_a_number_names_its_row() {
        for (row, problem) in [
            (r#"["1992-01-16",1992,16,1,2,-5]"#, "negative"),
            (r#"["1992-01-16",1992,16,1,2]"#, "6 values"),
            (r#"["1992-01-16",1992,400,1,2,3]"#, "1 to 368"),
            (r#"["1992-01-16",1992,16,1,2,"lots"]"#, "not a number"),
            (r#"[null,"x",16,1,2,3]"#, "whole number"),
        ] {
            let table =
                format!(r#""production16day":[["date","year","doy","AFG","PFG","HER"],{row}]"#);
            let rows = bad(read(&reply(&table, "")));
            assert_eq!(rows[0].row, 1);
            assert!(rows[0].problem.contains(problem), "{row}: {}", rows[0]);
        }
    }

    #[test]
    fn a_reply_is_not_taken_for_a_boundary() {
        let options = ReadOptions {
            kind: Some(Kind::Forage),
            ..options("rap.json")
        };
        let text = reply(SIXTEEN, "");
        assert!(super::super::read(text.as_bytes(), &options).is_ok());
    }
}
