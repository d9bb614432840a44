//! JSON in bytes, both ways.

wit_bindgen::generate!({ path: "../wit", world: "takes-json" });

use exports::bench::shapes::json::Guest;

struct Logic;

impl Guest for Logic {
    fn compute(rows: Vec<u8>) -> Vec<u8> {
        let rows: Vec<formula::Inputs> = serde_json::from_slice(&rows).expect("rows as JSON");
        let answers: Vec<formula::Outputs> = rows.iter().map(formula::row).collect();
        serde_json::to_vec(&answers).expect("answers are JSON")
    }
}

export!(Logic);
