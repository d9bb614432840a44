//! `features`: the catalogue of feature columns, their coverage and which logic reads them.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::catalogue::{FeatureRef, Origin};
use provender_domain::day::Day;
use provender_domain::value::DataType;

use super::Global;
use super::context::Context;
use super::error::CliError;
use super::ui::{Done, Look, Text};

/// List the feature columns that a component can read: unit, coverage, and which pinned logic reads
/// each.
///
/// Example: provender features --known
#[derive(Args)]
pub(super) struct FeaturesArgs {
    /// Only columns that have data or that a pinned logic reads.
    #[arg(long)]
    known: bool,
}

pub(super) fn run(global: &Global, args: &FeaturesArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let reader = context.reader()?;
    let coverage = reader.coverage(reader.head()?)?;
    let mut readers: BTreeMap<String, Vec<ModelVersion>> = BTreeMap::new();
    if let Ok(lock) = context.pins() {
        let sandbox = context.sandbox()?;
        for pin in lock.components() {
            let component = context.load(&sandbox, pin)?;
            for input in &component.description().inputs {
                if let Ok(reference) = input.feature.parse::<FeatureRef>() {
                    let list = readers.entry(reference.name).or_default();
                    if !list.contains(&pin.model_version()) {
                        list.push(pin.model_version());
                    }
                }
            }
        }
    }
    let mut rows = Vec::new();
    let mut features = Vec::new();
    for f in context.project.sources.catalogue() {
        let of: Vec<_> = coverage.iter().filter(|c| c.column == f.name).collect();
        let read_by = readers.get(&f.name).cloned().unwrap_or_default();
        if args.known && of.is_empty() && read_by.is_empty() {
            continue;
        }
        let boundaries: std::collections::BTreeSet<&str> =
            of.iter().map(|c| c.boundary_id.as_str()).collect();
        let days: u64 = of.iter().map(|c| c.days).sum();
        let first = of.iter().filter_map(|c| c.first).min();
        let newest = of.iter().filter_map(|c| c.newest).max();
        let (origin, word) = match f.origin {
            Origin::Run(_) => (FeatureOrigin::Run, "run"),
            Origin::Boundary(_) => (FeatureOrigin::Boundary, "boundary"),
            Origin::Herd(_) => (FeatureOrigin::Herd, "herd"),
            Origin::Observation => (FeatureOrigin::Dated, "dated"),
            Origin::Static => (FeatureOrigin::Undated, "undated"),
        };
        let span = match (first, newest) {
            (Some(a), Some(b)) => format!("{a} to {b}"),
            _ => String::new(),
        };
        let plain = |s: String| (Look::Plain, s);
        rows.push(vec![
            (Look::Strong, f.name.clone()),
            plain(f.data_type.name().to_owned()),
            plain(f.unit.clone().unwrap_or_default()),
            plain(word.to_owned()),
            plain(if of.is_empty() {
                String::new()
            } else {
                format!("{days} values in {} places", boundaries.len())
            }),
            plain(span),
            plain(read_by.join(", ")),
            (Look::Dim, f.doc.clone()),
        ]);
        let boundaries = boundaries.len();
        features.push(FeatureAnswer {
            data_type: f.data_type,
            origin,
            version: f.version,
            values: days,
            boundaries,
            first,
            newest,
            read_by,
            name: f.name,
            unit: f.unit,
            doc: f.doc,
        });
    }
    let mut text = Text::default();
    text.table(
        &[
            "feature",
            "type",
            "unit",
            "kind",
            "known",
            "from – to",
            "read by",
            "meaning",
        ],
        &rows,
    );
    text.blank();
    text.look(Look::Dim, "dated columns take :latest, :age, :sum, :mean, :min, :max, :count or :series over :Nd or :season");
    Ok(Done::ok(&FeaturesAnswer { features }, text))
}

/// The feature columns.
#[derive(Serialize, JsonSchema)]
pub(super) struct FeaturesAnswer {
    /// Each column that a component can read.
    features: Vec<FeatureAnswer>,
}

/// A feature column and its coverage.
#[derive(Serialize, JsonSchema)]
struct FeatureAnswer {
    /// Its name.
    name: String,
    /// Type of its value.
    data_type: DataType,
    /// Its unit; null if it has none.
    unit: Option<String>,
    /// Where it comes from.
    origin: FeatureOrigin,
    /// Version of its definition.
    version: u32,
    /// What it means.
    doc: String,
    /// Number of known values.
    values: u64,
    /// Number of boundaries with values.
    boundaries: usize,
    /// Day of the first value; null if no value has a day.
    first: Option<Day>,
    /// Day of the newest value; null if no value has a day.
    newest: Option<Day>,
    /// The pinned logics that read it, as `name:version`.
    read_by: Vec<ModelVersion>,
}

/// Where a column's value comes from.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum FeatureOrigin {
    /// The key of the run.
    Run,
    /// The boundary's revision in force.
    Boundary,
    /// The herd's row in force.
    Herd,
    /// Dated observations of a boundary.
    Dated,
    /// Observations of a boundary that carry no date of their own.
    Undated,
}
