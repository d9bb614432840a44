//! A list of records in, a list of records out.

wit_bindgen::generate!({ path: "../wit", world: "takes-records" });

use exports::bench::shapes::records::{Guest, Inputs, Outputs};

struct Logic;

impl Guest for Logic {
    fn compute(rows: Vec<Inputs>) -> Vec<Outputs> {
        rows.iter().map(row).collect()
    }
}

fn row(i: &Inputs) -> Outputs {
    let o = formula::row(&formula::Inputs {
        calculation_date: i.calculation_date,
        area_ha: i.area_ha,
        animal_count: i.animal_count,
        daily_intake_kg_per_head: i.daily_intake_kg_per_head,
        utilization_target_pct: i.utilization_target_pct,
        forage_kg_per_ha: i.forage_kg_per_ha,
        standing_age_days: i.standing_age_days,
        forage_increments_kg_per_ha: i.forage_increments_kg_per_ha,
        forage_increment_count: i.forage_increment_count,
        increment_age_days: i.increment_age_days,
    });
    Outputs {
        days_of_grazing_remaining: o.days_of_grazing_remaining,
        recommended_move_date: o.recommended_move_date,
        forage_basis: o.forage_basis.map(str::to_owned),
        basis_forage_kg_per_ha: o.basis_forage_kg_per_ha,
        usable_share: o.usable_share,
        usable_forage_kg_per_ha: o.usable_forage_kg_per_ha,
        available_forage_kg: o.available_forage_kg,
        daily_consumption_kg: o.daily_consumption_kg,
        forage_age_days: o.forage_age_days,
        reason: o.reason.map(str::to_owned),
    }
}

export!(Logic);
