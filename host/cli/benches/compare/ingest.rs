//! Reading input files: what the readers make of them beside a bare parse by the same parser crate. The
//! whole `ingest`, with its ledger, is shown beside them.

use provender_host::ingest::{ReadOptions, read};

use super::Scale;
use super::deploy::Deployment;
use super::measure::{Sample, in_turns, time};
use super::synthetic::{self, Plan};
use super::table::{Figure, Row, Target};

/// The rows of the table about ingest.
pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let plan = scale.plan(true);
    let files: [(&str, &str, String, Bare); 3] = [
        (
            "forage",
            "forage.csv",
            synthetic::forage(&plan.deep()),
            forage,
        ),
        ("weather", "weather.csv", synthetic::weather(&plan), weather),
        (
            "boundaries",
            "pastures.geojson",
            synthetic::pastures(&plan.wide()),
            geojson,
        ),
    ];
    let mut table: Vec<Row> = files
        .into_iter()
        .map(|(kind, name, text, bare)| {
            let id = format!("read-{kind}");
            let what = format!("reading {kind} (`{name}`): checked domain values with their rows");
            let target = Target::AtMost(3.0);
            match reading(scale, name, &text, bare) {
                Ok((read, parsed)) => Row {
                    id,
                    what,
                    unit: "ns a byte",
                    size: text.len(),
                    measured: Ok(read),
                    beside: Some(parsed),
                    target,
                },
                Err(reason) => Row::not_run(&id, &what, target, reason),
            }
        })
        .collect();
    table.push(whole(scale, &plan));
    table
}

/// A bare parse: how many rows it saw.
type Bare = fn(&str) -> Result<usize, String>;

fn reading(scale: &Scale, name: &str, text: &str, bare: Bare) -> Result<(Figure, Figure), String> {
    let options = ReadOptions {
        file_name: name.to_owned(),
        ..ReadOptions::default()
    };
    let mut ours = || {
        let (reading, seconds) = time(|| read(text.as_bytes(), &options));
        reading.map(|_| seconds).map_err(|e| e.to_string())
    };
    let mut theirs = || {
        let (rows, seconds) = time(|| bare(text));
        rows.map(|_| seconds)
    };
    let [ours, theirs] = in_turns(scale.rounds, [&mut ours, &mut theirs])?;
    let per = 1e-9 * text.len() as f64;
    Ok((
        Figure::of_times("the readers", &ours, per),
        Figure::of_times("a bare parse", &theirs, per),
    ))
}

/// Every row by the csv crate, numbers as numbers.
fn csv<T: serde::de::DeserializeOwned>(text: &str) -> Result<usize, String> {
    let mut rows = 0;
    for row in csv::Reader::from_reader(text.as_bytes()).into_deserialize::<T>() {
        std::hint::black_box(row.map_err(|e| e.to_string())?);
        rows += 1;
    }
    Ok(rows)
}

fn forage(text: &str) -> Result<usize, String> {
    csv::<(String, String, Option<f64>, String)>(text)
}

fn weather(text: &str) -> Result<usize, String> {
    csv::<(String, String, Option<f64>, Option<f64>, Option<f64>)>(text)
}

fn geojson(text: &str) -> Result<usize, String> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let features = json.get("features").and_then(|f| f.as_array());
    Ok(features.map_or(0, Vec::len))
}

/// `provender ingest` of all files into an empty ledger, recorded and durable.
fn whole(scale: &Scale, plan: &Plan) -> Row {
    let what = "the whole `ingest` of such a deployment: read, compared, recorded and durable";
    let timed = || -> Result<Figure, String> {
        let mut sample = Sample::default();
        for _ in 0..scale.whole_rounds {
            let deployment = Deployment::make(&scale.folder("ingest")?, *plan)?;
            sample.push(deployment.run(&["ingest"])?);
        }
        Ok(Figure::of_times("ingest", &sample, 1.0))
    };
    match timed() {
        Ok(figure) => Row {
            id: "ingest".to_owned(),
            what: what.to_owned(),
            unit: "s",
            size: plan.runs(),
            measured: Ok(figure),
            beside: None,
            target: Target::Shown,
        },
        Err(reason) => Row::not_run("ingest", what, Target::Shown, reason),
    }
}
