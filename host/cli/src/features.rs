//! `features`: the catalogue of feature columns, their coverage and which logic reads them.

use provender_domain::ids::ModelVersion;
use std::collections::{BTreeMap, BTreeSet};

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
    let readers = readers(&context)?;
    let mut features = Vec::new();
    for f in context.project.sources.catalogue() {
        let of: Vec<_> = coverage.iter().filter(|c| c.column == f.name).collect();
        let read_by = readers.get(&f.name).cloned().unwrap_or_default();
        if args.known && of.is_empty() && read_by.is_empty() {
            continue;
        }
        let boundaries: BTreeSet<&str> = of.iter().map(|c| c.boundary_id.as_str()).collect();
        let origin = match f.origin {
            Origin::Run(_) => FeatureOrigin::Run,
            Origin::Boundary(_) => FeatureOrigin::Boundary,
            Origin::Herd(_) => FeatureOrigin::Herd,
            Origin::Observation => FeatureOrigin::Dated,
            Origin::Static => FeatureOrigin::Undated,
        };
        features.push(FeatureAnswer {
            data_type: f.data_type,
            origin,
            version: f.version,
            values: of.iter().map(|c| c.days).sum(),
            boundaries: boundaries.len(),
            first: of.iter().filter_map(|c| c.first).min(),
            newest: of.iter().filter_map(|c| c.newest).max(),
            read_by,
            name: f.name,
            unit: f.unit,
            doc: f.doc,
        });
    }
    let rows: Vec<_> = features.iter().map(row).collect();
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
    text.look(Look::Dim, "dated columns take :latest or :age, with or without a window; :sum, :mean, :min, :max, :count or :series need one: :Nd or :season");
    Ok(Done::ok(&FeaturesAnswer { features }, text))
}

fn row(f: &FeatureAnswer) -> Vec<(Look, String)> {
    let plain = |s: String| (Look::Plain, s);
    let origin = match f.origin {
        FeatureOrigin::Run => "run",
        FeatureOrigin::Boundary => "boundary",
        FeatureOrigin::Herd => "herd",
        FeatureOrigin::Dated => "dated",
        FeatureOrigin::Undated => "undated",
    };
    vec![
        (Look::Strong, f.name.clone()),
        plain(f.data_type.name().to_owned()),
        plain(f.unit.clone().unwrap_or_default()),
        plain(origin.to_owned()),
        plain(match f.boundaries {
            0 => String::new(),
            places => format!("{} values in {places} places", f.values),
        }),
        plain(match (f.first, f.newest) {
            (Some(first), Some(newest)) => format!("{first} to {newest}"),
            _ => String::new(),
        }),
        plain(f.read_by.join(", ")),
        (Look::Dim, f.doc.clone()),
    ]
}

/// The pinned logics that read each column.
fn readers(context: &Context) -> Result<BTreeMap<String, Vec<ModelVersion>>, CliError> {
    let mut readers: BTreeMap<String, Vec<ModelVersion>> = BTreeMap::new();
    let Ok(lock) = context.pins() else {
        return Ok(readers);
    };
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
    Ok(readers)
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
