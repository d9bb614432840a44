//! Forage from the project's own CSV: `boundary_id,date,kg_per_ha` or `lb_per_acre`, and perhaps
//! `series`: `standing` (forage present on that day, the default) or `increment` (what grew in the period
//! that ends on that day). They are different columns of the catalogue and never mix.

use crate::ingest::parsed::Kind;

use super::columns::{self, Places, Spelling, Target};
use super::draft::{Draft, Gather};
use super::formats::{Form, Reader, Taken};
use super::table::Table;
use super::units::Unit::{KilogramPerHectare, PoundPerAcre};

/// Columns that make a file a forage CSV.
const SPELLINGS: &[Spelling] = &[
    (
        "kg_per_ha",
        STANDING,
        KilogramPerHectare,
        KilogramPerHectare,
    ),
    ("lb_per_acre", STANDING, PoundPerAcre, KilogramPerHectare),
];
const STANDING: &str = "forage_kg_per_ha";
const INCREMENT: &str = "forage_increment_kg_per_ha";

/// The format's entry in the table of readers.
pub(super) const READER: Reader = Reader {
    name: "forage-csv",
    kind: Kind::Forage,
    sign: "columns date and kg_per_ha or lb_per_acre",
    form: Form::Text {
        is: |head| head.has("date") && head.any(SPELLINGS),
        read,
    },
};

/// Reads a forage CSV.
fn read(text: &str, draft: &mut Draft<'_>) -> Taken {
    let table = Table::read(text, 1, draft)?;
    let targets = columns::targets(&table, SPELLINGS, draft)?;
    let Some(standing) = targets.into_iter().next() else {
        return Err(draft.refuse("the header has neither kg_per_ha nor lb_per_acre"));
    };
    let increment = Target {
        column: INCREMENT.to_owned(),
        ..standing
    };
    let places = Places::new(&table, draft)?;
    let Some(date) = table.column("date") else {
        return Err(draft.refuse("the header has no column `date`"));
    };
    let series = table.column("series");
    let used: Vec<usize> = [standing.index, date]
        .into_iter()
        .chain(series)
        .chain(places.column())
        .collect();
    draft.warn_ignored("columns", &table.unused(&used));
    let mut gather = Gather::default();
    for line in table.rows.iter() {
        let place = places.of(line, draft);
        let day = columns::date(line, date, draft);
        let spelling = series.map_or("", |s| line.cell(s));
        let target = match spelling {
            "" => Some(&standing),
            spelling if spelling.eq_ignore_ascii_case("standing") => Some(&standing),
            spelling if spelling.eq_ignore_ascii_case("increment") => Some(&increment),
            _ => {
                draft.bad(
                    line.line,
                    "series",
                    Some(spelling),
                    "is neither standing nor increment",
                );
                None
            }
        };
        if let (Some(place), Some(day), Some(target)) = (place, day, target) {
            columns::put(
                &table,
                line,
                target,
                place,
                Some(day),
                &[],
                &mut gather,
                draft,
            );
        }
    }
    Ok((table.count, gather.into_content(draft)))
}

#[cfg(test)]
mod tests {
    use crate::ingest::readers::testing::{bad, near, read, read_alone, refusal, value, values};

    #[test]
    fn pounds_and_kilograms_standing_and_increment_are_distinguished() {
        let reading = read_alone(
            "boundary_id,date,lb_per_acre,series\nn,2025-05-01,\"1,000\",\nn,2025-05-01,10,Increment\ns,2025-05-01,NA,standing\n",
        )
        .unwrap();
        near(
            value(&reading, "forage_kg_per_ha", "2025-05-01"),
            1_120.851_156_194_449,
        );
        near(
            value(&reading, "forage_increment_kg_per_ha", "2025-05-01"),
            11.208_511_561_944_49,
        );
        assert_eq!(values(&reading)[2].3, None);
        let reading = read("date,kg_per_ha\n2025-05-01,-0.0\n").unwrap();
        assert_eq!(values(&reading)[0].0, "north");
        assert_eq!(values(&reading)[0].3.unwrap().to_bits(), 0);
    }

    #[test]
    fn doubtful_rows_and_headers_are_refused() {
        assert!(refusal(read("date,kg_per_ha,lb_per_acre\n")).contains("keep one"));
        assert!(refusal(read_alone("date,kg_per_ha\n2025-01-01,1\n")).contains("--boundary"));
        let rows = bad(read_alone(
            "boundary_id,date,kg_per_ha,series\nn,2025-05-01,-1,\nn,5/1/2025,1,\nn,2025-05-02,1,grown\n,2025-05-03,1,\nn,2025-05-04,7,\nn,2025-05-04,8,\n",
        ));
        let fields: Vec<_> = rows
            .iter()
            .map(|r| (r.row, r.field.as_deref().unwrap()))
            .collect();
        assert_eq!(
            fields,
            [
                (2, "kg_per_ha"),
                (3, "date"),
                (4, "series"),
                (5, "boundary_id"),
                (7, "kg_per_ha")
            ]
        );
        assert!(rows[4].problem.contains("row 6"), "{}", rows[4]);
        assert!(
            bad(read("boundary_id,date,kg_per_ha\nsouth,2025-01-01,1\n"))[0]
                .problem
                .contains("north")
        );
    }
}
