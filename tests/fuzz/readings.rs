//! What must hold for a file of observations that was read, whatever it contains: a second reading is equal,
//! permission to skip rows changes nothing, and the ledger can store all of it.

use provender_domain::ids::BoundaryId;
use std::collections::BTreeSet;

use provender_domain::day::Day;
use provender_host::ingest::{self, Content, Kind, Observations, ReadError, ReadOptions, Reading};

fn options(kind: Option<Kind>, skip_bad_rows: bool) -> ReadOptions {
    ReadOptions {
        file_name: "x.json".to_owned(),
        kind,
        boundary: Some(BoundaryId::unchecked("north")),
        skip_bad_rows,
        series: vec![("soil_moisture".to_owned(), "soil_moisture".to_owned())],
        ..ReadOptions::default()
    }
}

/// Reads a file as one of a kind, in every way.
pub(super) fn read(bytes: &[u8], kind: Kind) {
    let strict = ingest::read(bytes, &options(Some(kind), false));
    assert_eq!(
        strict,
        ingest::read(bytes, &options(Some(kind), false)),
        "read twice"
    );
    let lenient = ingest::read(bytes, &options(Some(kind), true));
    match (&strict, &lenient) {
        (Ok(strict), Ok(lenient)) => {
            assert_eq!(strict.format.kind(), kind);
            assert!(strict.skipped.is_empty());
            assert_eq!(strict, lenient, "nothing was to be skipped");
        }
        (Err(ReadError::Rows { rows, .. }), Ok(lenient)) => {
            assert!(!rows.is_empty());
            assert_eq!(rows, &lenient.skipped);
        }
        // It was not refused because of rows, so permission to skip some changes nothing.
        (Err(strict), Err(lenient)) => assert_eq!(strict, lenient),
        (strict, lenient) => panic!("{strict:?}, with leave to skip rows {lenient:?}"),
    }
    for error in [&strict, &lenient]
        .into_iter()
        .filter_map(|r| r.as_ref().err())
    {
        // Quoted text is escaped where it is printed.
        assert!(error.to_string().starts_with("x.json: "), "{error}");
    }
    let guessed = ingest::read(bytes, &options(None, false));
    // The kind that was requested is also detected without a request, unless the file is detected as another
    // kind.
    if let (Ok(strict), Ok(guessed)) = (&strict, &guessed)
        && strict.format == guessed.format
    {
        assert_eq!(strict, guessed);
    }
    for reading in [strict, lenient, guessed].into_iter().flatten() {
        can_be_kept(&reading);
    }
}

fn can_be_kept(reading: &Reading) {
    let number = |x: Option<f64>| {
        if let Some(x) = x {
            assert!(x.is_finite(), "{x}");
            assert_ne!(x.to_bits(), (-0.0_f64).to_bits(), "the zero has a sign");
        }
    };
    for skipped in &reading.skipped {
        let shown = skipped.value.as_deref().unwrap_or_default();
        assert!(shown.chars().count() <= 81, "{shown}");
        assert!(!skipped.problem.is_empty());
    }
    match &reading.content {
        Content::Boundaries(all) => {
            for boundary in all.iter().map(|at| &at.value) {
                assert!(!boundary.boundary_id.trim().is_empty());
                assert!(boundary.area_ha > 0.0, "{}", boundary.area_ha);
                number(Some(boundary.area_ha));
                number(boundary.declared_area_ha);
                let geometry: serde_json::Value = serde_json::from_str(&boundary.geometry).unwrap();
                let canonical = provender_domain::canonical::to_text(&geometry).unwrap();
                assert_eq!(canonical, boundary.geometry);
            }
            let ids: BTreeSet<_> = all
                .iter()
                .map(|at| (&at.value.boundary_id, at.value.effective_date))
                .collect();
            assert_eq!(ids.len(), all.len(), "an id stands twice");
        }
        Content::Herds(all) => {
            for herd in all.iter().map(|at| &at.value) {
                assert!(!herd.boundary_id.trim().is_empty());
                assert!(!herd.herd_config_id.trim().is_empty());
                assert!(herd.end_date.is_none_or(|end| end >= herd.effective_date));
                for x in [
                    herd.animal_count,
                    herd.daily_intake_kg_per_head,
                    herd.average_weight_kg,
                    herd.utilization_target_pct,
                ] {
                    number(x);
                    assert!(x.is_none_or(|x| x >= 0.0), "{x:?}");
                }
            }
        }
        Content::Observations(observations) => values(observations, reading.rows, &number),
    }
}

fn values(observations: &Observations, rows: u32, number: &dyn Fn(Option<f64>)) {
    let Observations {
        boundaries,
        columns,
        values,
    } = observations;
    let mut seen = BTreeSet::new();
    for value in values {
        assert!(!boundaries[value.boundary as usize].trim().is_empty());
        assert!(!columns[usize::from(value.column)].is_empty());
        assert!(value.row > 0 && rows > 0);
        number(value.value);
        if let Some(date) = value.date {
            assert!((Day::MIN..=Day::MAX).contains(&date));
        }
        assert!(
            seen.insert((value.boundary, value.column, value.date)),
            "{value:?} stands twice"
        );
    }
}
