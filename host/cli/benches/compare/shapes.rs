//! The same component with other contracts: a list of records, and JSON in bytes (see `benches/shapes/`).
//! The time includes everything a column-based host would do: make rows from its columns, call in a fresh store
//! under the deterministic profile, and read every answer back.

use provender_domain::column::Column;
use provender_domain::value::Value;
use serde::{Deserialize, Serialize};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

use super::kernel::{component, defaults};
use super::measure::{Timed, in_turns, time};
use super::table::{Figure, Row, Target};
use super::{Scale, columns};

mod records {
    wasmtime::component::bindgen!({ path: "benches/shapes/wit", world: "takes-records" });
}

mod json {
    wasmtime::component::bindgen!({ path: "benches/shapes/wit", world: "takes-json" });
}

use records::exports::bench::shapes::records::Inputs;

/// Rows of a call, as many as the sandbox puts into one.
const CALL: usize = 2_048;
/// Fuel of a call: enough, and counted like the sandbox's.
const FUEL: u64 = u64::MAX / 2;

/// A row in JSON.
#[derive(Serialize)]
struct JsonInputs {
    calculation_date: i32,
    area_ha: Option<f64>,
    animal_count: Option<f64>,
    daily_intake_kg_per_head: Option<f64>,
    utilization_target_pct: Option<f64>,
    forage_kg_per_ha: Option<f64>,
    standing_age_days: Option<i64>,
    forage_increments_kg_per_ha: Option<f64>,
    forage_increment_count: Option<i64>,
    increment_age_days: Option<i64>,
}

/// An answer in JSON: the members that the comparison looks at, and those that only have to be read.
#[derive(Deserialize)]
struct JsonOutputs {
    days_of_grazing_remaining: Option<f64>,
    #[expect(dead_code, reason = "read like every other member")]
    recommended_move_date: Option<i32>,
    #[expect(dead_code, reason = "read like every other member")]
    forage_basis: Option<String>,
    #[expect(dead_code, reason = "read like every other member")]
    usable_share: f64,
    #[expect(dead_code, reason = "read like every other member")]
    reason: Option<String>,
}

/// The rows of the table about other contracts.
pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    // A list of records takes about ten times as long as columns, JSON a hundred times.
    let rows = scale.rows / 10;
    let all = [
        (
            "records",
            "the same component taking a list of records",
            5.0,
        ),
        ("json", "the same component taking JSON in bytes", 50.0),
    ];
    let timed = measured(scale, rows);
    all.iter()
        .enumerate()
        .map(|(n, (name, of, factor))| {
            let id = format!("kernel-{name}");
            let what = format!("kernel: columns beside {of}");
            let target = Target::AtLeast(*factor);
            match &timed {
                Ok((columns, others)) => Row {
                    id,
                    what,
                    unit: "ns a row",
                    size: rows,
                    measured: Ok(columns.clone()),
                    beside: others.get(n).cloned(),
                    target,
                },
                Err(reason) => Row::not_run(&id, &what, target, reason.clone()),
            }
        })
        .collect()
}

fn measured(scale: &Scale, rows: usize) -> Result<(Figure, Vec<Figure>), String> {
    let inputs = columns::v2(rows);
    let shipped = component("v2", 1)?;
    let parameters = defaults(&shipped);
    let wanted = shipped
        .compute(&parameters, &inputs, rows)
        .map_err(|e| e.to_string())?;
    let wanted: Vec<_> = (0..rows).map(|row| wanted.outputs[0].get(row)).collect();
    let (records, json) = (Shape::load("records")?, Shape::load("json")?);
    same(&wanted, &records.records(&inputs, rows)?, "records")?;
    same(&wanted, &json.json(&inputs, rows)?, "json")?;
    let mut by_columns = || {
        let (computed, seconds) = time(|| shipped.compute(&parameters, &inputs, rows));
        computed.map(|_| seconds).map_err(|e| e.to_string())
    };
    let mut by_records = || {
        let (answers, seconds) = time(|| records.records(&inputs, rows));
        answers.map(|_| seconds)
    };
    let mut by_json = || {
        let (answers, seconds) = time(|| json.json(&inputs, rows));
        answers.map(|_| seconds)
    };
    let all: [Timed<'_>; 3] = [&mut by_columns, &mut by_records, &mut by_json];
    let [columns, records, json] = in_turns(scale.rounds, all)?;
    let per = 1e-9 * rows as f64;
    Ok((
        Figure::of_times("columns", &columns, per),
        vec![
            Figure::of_times("a list of records", &records, per),
            Figure::of_times("JSON in bytes", &json, per),
        ],
    ))
}

fn same(wanted: &[Value], found: &[Option<f64>], shape: &str) -> Result<(), String> {
    let number = |x: &Option<f64>| x.map_or(Value::Null, Value::Float64);
    let all = wanted.len() == found.len() && wanted.iter().zip(found).all(|(w, f)| *w == number(f));
    if all {
        Ok(())
    } else {
        Err(format!(
            "the component that takes {shape} gives other numbers"
        ))
    }
}

/// A component of another contract.
struct Shape {
    engine: Engine,
    component: Component,
}

fn text(e: wasmtime::Error) -> String {
    format!("{e:#}")
}

impl Shape {
    fn load(name: &str) -> Result<Shape, String> {
        let mut config = Config::new();
        // The settings of `deterministic-v1` that cost time.
        config
            .cranelift_nan_canonicalization(true)
            .wasm_relaxed_simd(false)
            .consume_fuel(true);
        let engine = Engine::new(&config).map_err(text)?;
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/shapes/artifacts");
        let component = Component::from_file(&engine, format!("{folder}/{name}.wasm"));
        let component = component.map_err(text)?;
        Ok(Shape { engine, component })
    }

    fn store(&self) -> Result<Store<()>, String> {
        let mut store = Store::new(&self.engine, ());
        store.set_fuel(FUEL).map_err(text)?;
        Ok(store)
    }

    fn records(&self, inputs: &[Column], rows: usize) -> Result<Vec<Option<f64>>, String> {
        let linker = Linker::new(&self.engine);
        let pre = linker.instantiate_pre(&self.component).map_err(text)?;
        let pre = records::TakesRecordsPre::new(pre).map_err(text)?;
        let mut days = Vec::with_capacity(rows);
        for from in (0..rows).step_by(CALL) {
            let call: Vec<_> = (from..rows.min(from + CALL))
                .map(|row| record(inputs, row))
                .collect();
            let mut store = self.store()?;
            let guest = pre.instantiate(&mut store).map_err(text)?;
            let logic = guest.bench_shapes_records();
            let answers = logic.call_compute(&mut store, &call).map_err(text)?;
            days.extend(answers.iter().map(|a| a.days_of_grazing_remaining));
        }
        Ok(days)
    }

    fn json(&self, inputs: &[Column], rows: usize) -> Result<Vec<Option<f64>>, String> {
        let linker = Linker::new(&self.engine);
        let pre = linker.instantiate_pre(&self.component).map_err(text)?;
        let pre = json::TakesJsonPre::new(pre).map_err(text)?;
        let mut days = Vec::with_capacity(rows);
        for from in (0..rows).step_by(CALL) {
            let call: Vec<_> = (from..rows.min(from + CALL))
                .map(|row| in_json(inputs, row))
                .collect();
            let bytes = serde_json::to_vec(&call).map_err(|e| e.to_string())?;
            let mut store = self.store()?;
            let guest = pre.instantiate(&mut store).map_err(text)?;
            let logic = guest.bench_shapes_json();
            let answers = logic.call_compute(&mut store, &bytes).map_err(text)?;
            let answers: Vec<JsonOutputs> =
                serde_json::from_slice(&answers).map_err(|e| e.to_string())?;
            days.extend(answers.iter().map(|a| a.days_of_grazing_remaining));
        }
        Ok(days)
    }
}

fn number(column: &Column, row: usize) -> Option<f64> {
    match column.get(row) {
        Value::Float64(x) => Some(x),
        _ => None,
    }
}

fn integer(column: &Column, row: usize) -> Option<i64> {
    match column.get(row) {
        Value::Int64(x) => Some(x),
        _ => None,
    }
}

fn date(column: &Column, row: usize) -> i32 {
    match column.get(row) {
        Value::Date(day) => day.days(),
        _ => 0,
    }
}

fn record(c: &[Column], row: usize) -> Inputs {
    Inputs {
        calculation_date: date(&c[0], row),
        area_ha: number(&c[1], row),
        animal_count: number(&c[2], row),
        daily_intake_kg_per_head: number(&c[3], row),
        utilization_target_pct: number(&c[4], row),
        forage_kg_per_ha: number(&c[5], row),
        standing_age_days: integer(&c[6], row),
        forage_increments_kg_per_ha: number(&c[7], row),
        forage_increment_count: integer(&c[8], row),
        increment_age_days: integer(&c[9], row),
    }
}

fn in_json(c: &[Column], row: usize) -> JsonInputs {
    let r = record(c, row);
    JsonInputs {
        calculation_date: r.calculation_date,
        area_ha: r.area_ha,
        animal_count: r.animal_count,
        daily_intake_kg_per_head: r.daily_intake_kg_per_head,
        utilization_target_pct: r.utilization_target_pct,
        forage_kg_per_ha: r.forage_kg_per_ha,
        standing_age_days: r.standing_age_days,
        forage_increments_kg_per_ha: r.forage_increments_kg_per_ha,
        forage_increment_count: r.forage_increment_count,
        increment_age_days: r.increment_age_days,
    }
}
