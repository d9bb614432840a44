//! Soil properties from the project's own CSV: one row per place, with the catalogue's column names
//! (`boundary_id,soil_production_normal_kg_per_ha,…`), or production in `…_lb_per_acre`.

use crate::ingest::parsed::Kind;

use super::columns::{self, Spelling};
use super::draft::Draft;
use super::formats::{Form, Reader, Taken};
use super::table::Table;
use super::units::Unit::{
    Centimetre, CentimetrePerCentimetre, KilogramPerHectare, Percent, PoundPerAcre,
};

/// Columns that make a file a soil CSV.
const SPELLINGS: &[Spelling] = &[
    (
        "soil_production_low_kg_per_ha",
        "soil_production_low_kg_per_ha",
        KilogramPerHectare,
        KilogramPerHectare,
    ),
    (
        "soil_production_low_lb_per_acre",
        "soil_production_low_kg_per_ha",
        PoundPerAcre,
        KilogramPerHectare,
    ),
    (
        "soil_production_normal_kg_per_ha",
        "soil_production_normal_kg_per_ha",
        KilogramPerHectare,
        KilogramPerHectare,
    ),
    (
        "soil_production_normal_lb_per_acre",
        "soil_production_normal_kg_per_ha",
        PoundPerAcre,
        KilogramPerHectare,
    ),
    (
        "soil_production_high_kg_per_ha",
        "soil_production_high_kg_per_ha",
        KilogramPerHectare,
        KilogramPerHectare,
    ),
    (
        "soil_production_high_lb_per_acre",
        "soil_production_high_kg_per_ha",
        PoundPerAcre,
        KilogramPerHectare,
    ),
    (
        "soil_production_coverage_pct",
        "soil_production_coverage_pct",
        Percent,
        Percent,
    ),
    (
        "soil_awc_cm_per_cm",
        "soil_awc_cm_per_cm",
        CentimetrePerCentimetre,
        CentimetrePerCentimetre,
    ),
    (
        "soil_water_storage_150cm_cm",
        "soil_water_storage_150cm_cm",
        Centimetre,
        Centimetre,
    ),
];

/// The format's entry in the table of readers.
pub(super) const READER: Reader = Reader {
    name: "soil-csv",
    kind: Kind::Soil,
    sign: "columns soil_…",
    form: Form::Text {
        is: |head| head.any(SPELLINGS),
        read,
    },
};

/// Reads a soil CSV.
fn read(text: &str, draft: &mut Draft<'_>) -> Taken {
    let table = Table::read(text, 1, draft)?;
    let targets = columns::targets(&table, SPELLINGS, draft)?;
    columns::read(&table, &targets, false, draft)
}

#[cfg(test)]
mod tests {
    use crate::ingest::parsed::Format;
    use crate::ingest::readers::testing::{bad, near, read_alone, value};

    #[test]
    fn one_row_a_place_gives_undated_values() {
        let reading = read_alone(
            "boundary_id,soil_production_normal_lb_per_acre,soil_awc_cm_per_cm\nn,\"1,000\",0.15\n",
        )
        .unwrap();
        assert_eq!(reading.format, Format::parse("soil-csv").unwrap());
        near(
            value(&reading, "soil_production_normal_kg_per_ha", ""),
            1_120.851_156_194_449,
        );
        near(value(&reading, "soil_awc_cm_per_cm", ""), 0.15);
        let rows = bad(read_alone(
            "boundary_id,soil_awc_cm_per_cm\nn,15\nn,0.1\nn,0.1\n",
        ));
        assert_eq!(rows.iter().map(|r| r.row).collect::<Vec<_>>(), [2, 4]);
    }
}
