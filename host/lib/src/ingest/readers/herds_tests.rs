//! Tests of the readers of herds, JSON and CSV.

use crate::ingest::readers::testing::{bad, herds, read_alone, refusal};

const NESTED: &str = r#"[
 {"id":"cows","boundary_id":"north","name":" Cows ","effective_date":"2025-05-01","end_date":"2025-05-31",
  "herd":{"animal_count":120,"daily_intake_kg_per_head":11.5,"average_weight_kg":550,"utilization_target_pct":40,"animal_type":"cattle","class":"cow-calf"}},
 {"pasture_id":7,"effective_date":"2025-06-01","animal_count":"1,200","daily_intake_kg_per_head":null}
]"#;

#[test]
fn nested_and_flat_json_are_read() {
    let reading = read_alone(NESTED).unwrap();
    let list = herds(&reading);
    assert_eq!(reading.rows, 2);
    assert_eq!(list[0].name.as_deref(), Some("Cows"));
    assert_eq!(list[0].utilization_target_pct, Some(40.0));
    assert_eq!(list[0].class.as_deref(), Some("cow-calf"));
    assert_eq!(list[1].boundary_id, "7");
    assert_eq!(list[1].animal_count, Some(1200.0));
    assert_eq!(list[1].daily_intake_kg_per_head, None);
    assert_eq!(list[1].herd_config_id, list[1].derived_id());
    let wrapped = format!(r#"{{"herds":{NESTED}}}"#);
    assert_eq!(herds(&read_alone(&wrapped).unwrap()), list);
}

#[test]
fn csv_gives_the_same_herds_as_json() {
    let csv = "ID,Boundary_ID,name,effective_date,end_date,animal_count,daily_intake_kg_per_head,average_weight_kg,utilization_target_pct,animal_type,class,notes\r\n\
        cows,north,Cows,2025-05-01,2025-05-31,120,11.5,550,40,cattle,cow-calf,x\r\n\
        ,7,,2025-06-01,NA,\"1,200\",,,,,,\r\n";
    let reading = read_alone(csv).unwrap();
    assert_eq!(herds(&reading), herds(&read_alone(NESTED).unwrap()));
    assert_eq!(reading.warnings, ["ignored columns: notes"]);
}

#[test]
fn values_that_no_herd_has_are_named_by_field() {
    let row = |fields: &str| {
        let text = format!(
            r#"[{{"id":"a","boundary_id":"n","effective_date":"2025-05-01","animal_count":1,{fields}}}]"#
        );
        let text = if fields.starts_with("\"animal_count\"") {
            text.replace("\"animal_count\":1,", "")
        } else {
            text
        };
        bad(read_alone(&text)).remove(0)
    };
    for (fields, field, value) in [
        (r#""animal_count":-3"#, "animal_count", "-3"),
        (
            r#""daily_intake_kg_per_head":"-1""#,
            "daily_intake_kg_per_head",
            "-1",
        ),
        (
            r#""average_weight_kg":"heavy""#,
            "average_weight_kg",
            "heavy",
        ),
        (
            r#""utilization_target_pct":140"#,
            "utilization_target_pct",
            "140",
        ),
        (r#""end_date":"2025-04-30""#, "end_date", "2025-04-30"),
        (r#""end_date":"6/1/2025""#, "end_date", "6/1/2025"),
        (r#""pasture_id":"other""#, "pasture_id", "other"),
    ] {
        let bad = row(fields);
        assert_eq!(bad.field.as_deref(), Some(field), "{bad}");
        assert_eq!(bad.value.as_deref(), Some(value), "{bad}");
    }
    assert!(
        row(r#""end_date":"6/1/2025""#)
            .problem
            .contains("YYYY-MM-DD")
    );
}

#[test]
fn every_bad_row_is_listed_at_once() {
    let rows = bad(read_alone(
        "boundary_id,effective_date,animal_count\nn,2025-05-01,5\n,2025-05-01,5\nn,,5\n",
    ));
    let at: Vec<_> = rows
        .iter()
        .map(|r| (r.row, r.field.as_deref().unwrap()))
        .collect();
    assert_eq!(at, [(3, "boundary_id"), (4, "effective_date")]);
}

fn moves(rows: &[&str]) -> String {
    format!(
        "id,boundary_id,effective_date,end_date,animal_count\n{}\n",
        rows.join("\n")
    )
}

#[test]
fn an_open_row_is_closed_by_the_next_move() {
    let text = moves(&["a,south,2025-06-15,,10", "a,north,2025-05-01,,10"]);
    let list = herds(&read_alone(&text).unwrap());
    assert_eq!(list[0].end_date, None);
    assert_eq!(list[1].end_date.unwrap().to_string(), "2025-06-14");
}

#[test]
fn overlapping_periods_are_refused_with_both_rows() {
    // Periods include their last day, so the second starts too early by one.
    let text = moves(&[
        "a,north,2025-05-01,2025-05-31,10",
        "a,south,2025-05-31,,10",
        "b,south,2025-05-31,,10",
    ]);
    let rows = bad(read_alone(&text));
    assert_eq!(rows.iter().map(|r| r.row).collect::<Vec<_>>(), [2, 3]);
    assert!(rows[0].problem.contains("row 3"), "{}", rows[0]);
    assert!(rows[1].problem.contains("row 2"), "{}", rows[1]);
    let day_later = text.replace("a,south,2025-05-31", "a,south,2025-06-01");
    assert_eq!(herds(&read_alone(&day_later).unwrap()).len(), 3);
    // A long period is not hidden by a short one that starts between.
    let long = moves(&[
        "a,n,2025-01-01,2025-12-31,1",
        "a,n,2025-02-01,2025-02-02,1",
        "a,n,2025-06-01,,1",
    ]);
    let rows: Vec<u32> = bad(read_alone(&long)).iter().map(|r| r.row).collect();
    assert_eq!(rows, [2, 2, 3, 4]);
}

#[test]
fn a_duplicate_row_is_refused() {
    let text = moves(&["a,n,2025-01-01,,1", "a,n,2025-01-01,,1"]);
    let rows = bad(read_alone(&text));
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].row, 3);
    assert!(rows[0].problem.contains("repeats row 2"), "{}", rows[0]);
}

#[test]
fn a_share_that_looks_like_a_fraction_is_questioned() {
    let reading = read_alone(
        r#"[{"id":"a","boundary_id":"n","effective_date":"2025-05-01","utilization_target_pct":0.5,"animal_count":2}]"#,
    )
    .unwrap();
    assert!(
        reading.warnings[0].contains("0.5 percent"),
        "{:?}",
        reading.warnings
    );
}

#[test]
fn a_list_of_something_else_is_not_a_list_of_herds() {
    let message = refusal(read_alone(r#"[{"uuid":"x","coordinates":[]}]"#));
    assert!(
        message.contains("a JSON list of objects with coordinates, uuid"),
        "{message}"
    );
    assert!(message.contains("herds-json"), "{message}");
}
