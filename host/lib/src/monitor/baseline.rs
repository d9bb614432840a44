//! A baseline: the frozen distribution of a period's answers, column by column.
//!
//! A baseline is computed once from recorded answers and never again, so that it cannot drift along with the
//! change that it should detect. It has bin edges, counts and robust moments for the fleet and for each series,
//! and the digest of exactly the runs behind them.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use provender_domain::canonical::{CanonicalError, Digest};
use provender_domain::day::Day;
use provender_domain::forms::Form;
use provender_domain::value::{DataType, Value, plain_zero};

use super::input::{LogicInput, Row, SeriesInput};
use super::metrics::{median, nearest_rank};

/// A baseline's `$type`. A change of meaning needs a new version number.
pub(crate) const TYPE: &str = Form::Baseline.name();

/// Number of bins of a column (deciles), before equal edges are merged.
pub(crate) const BINS: usize = 10;

/// Factor from the MAD of normally distributed values to their standard deviation.
const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// The reference of one logic version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// The form of the document: `provender.baseline.v1`.
    #[serde(rename = "$type")]
    pub type_name: String,
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Every configuration version among the rows.
    pub config_versions: Vec<String>,
    /// First day of the period.
    pub from: Day,
    /// Last day, included.
    pub to: Day,
    /// Number of answers behind it.
    pub rows: usize,
    /// All series together.
    pub fleet: Vec<Reference>,
    /// Each boundary and herd.
    pub series: Vec<SeriesReference>,
}

/// The reference of one boundary and herd.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesReference {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The herd, or `-`.
    pub herd_config_id: HerdId,
    /// Day of its first answer.
    pub first: Day,
    /// Day of its last answer.
    pub last: Day,
    /// Answers.
    pub rows: usize,
    /// Digest over day, run and snapshot of each of them, by day.
    pub runs: Digest,
    /// Its columns.
    pub columns: Vec<Reference>,
}

/// How the numbers of one column were distributed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    /// The output or input.
    pub subject: String,
    /// Its unit.
    pub unit: Option<String>,
    /// Numbers.
    pub rows: usize,
    /// Number of answers in which it was null.
    pub nulls: usize,
    /// Smallest number.
    pub minimum: f64,
    /// Median.
    pub median: f64,
    /// Largest number.
    pub maximum: f64,
    /// Robust standard deviation: 1.4826 MAD. If that is 0, the interquartile range divided by 1.349; 0 if half of the
    /// numbers are equal.
    pub sigma: f64,
    /// Correlation of consecutive days, within each series around its own mean.
    pub lag1: f64,
    /// Bin `i` holds numbers above `edges[i-1]` and up to `edges[i]`.
    pub edges: Vec<f64>,
    /// Numbers in each bin; one more than edges.
    pub counts: Vec<usize>,
}

impl Baseline {
    /// Computes a baseline from gathered answers. Its columns are the logic's numeric outputs and inputs that the rows
    /// have. `None` if there are no answers.
    ///
    /// # Errors
    /// If the digest of the runs has no canonical form.
    pub(crate) fn freeze(
        logic: &LogicInput,
        from: Day,
        to: Day,
    ) -> Result<Option<Baseline>, CanonicalError> {
        let mut series: Vec<&SeriesInput> =
            logic.series.iter().filter(|s| !s.rows.is_empty()).collect();
        series.sort_by_key(|s| (&s.boundary_id, &s.herd_config_id));
        if series.is_empty() {
            return Ok(None);
        }
        let configs: BTreeSet<String> = series
            .iter()
            .flat_map(|s| s.rows.iter().map(|r| r.config_version.to_string()))
            .collect();
        let mut each = Vec::new();
        for one in &series {
            let rows = by_day(one);
            let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
                continue;
            };
            let runs: Vec<Json> = rows
                .iter()
                .map(|r| json!([r.date, r.run_id, r.snapshot_id]))
                .collect();
            each.push(SeriesReference {
                boundary_id: one.boundary_id.clone(),
                herd_config_id: one.herd_config_id.clone(),
                first: first.date,
                last: last.date,
                rows: rows.len(),
                runs: Form::BaselineRuns.digest(&json!({"runs": runs}))?,
                columns: columns(logic, &[one]),
            });
        }
        Ok(Some(Baseline {
            type_name: TYPE.to_owned(),
            model_version: logic.model_version.clone(),
            config_versions: configs.into_iter().collect(),
            from,
            to,
            rows: each.iter().map(|s| s.rows).sum(),
            fleet: columns(logic, &series),
            series: each,
        }))
    }

    /// The object whose digest is the baseline's id.
    ///
    /// # Errors
    /// When it cannot be turned into JSON.
    pub fn to_json(&self) -> Result<Json, serde_json::Error> {
        serde_json::to_value(self)
    }

    /// The reference of a column: of the fleet, or of one boundary and herd.
    #[must_use]
    pub(crate) fn of(&self, place: Option<(&str, &str)>, subject: &str) -> Option<&Reference> {
        let columns = match place {
            None => &self.fleet,
            Some((boundary, herd)) => {
                let series = self
                    .series
                    .iter()
                    .find(|s| s.boundary_id == boundary && s.herd_config_id == herd)?;
                &series.columns
            }
        };
        columns.iter().find(|c| c.subject == subject)
    }
}

/// The names of the columns in a baseline: every numeric outcome and input.
#[must_use]
pub(crate) fn frozen_columns(logic: &LogicInput) -> BTreeSet<String> {
    logic
        .subjects
        .iter()
        .filter(|s| matches!(s.data_type, DataType::Float64 | DataType::Int64))
        .map(|s| s.name.clone())
        .collect()
}

fn by_day(series: &SeriesInput) -> Vec<&Row> {
    let mut rows: Vec<&Row> = series.rows.iter().collect();
    rows.sort_by_key(|r| r.date);
    rows
}

fn columns(logic: &LogicInput, series: &[&SeriesInput]) -> Vec<Reference> {
    let names = frozen_columns(logic);
    logic
        .subjects
        .iter()
        .filter(|s| names.contains(&s.name))
        .filter_map(|subject| {
            let mut nulls = 0;
            let mut dated: Vec<Vec<(Day, f64)>> = Vec::new();
            for one in series {
                let mut values = Vec::new();
                for row in by_day(one) {
                    match row.values.get(&subject.name).and_then(Value::as_f64) {
                        Some(x) if x.is_finite() => values.push((row.date, plain_zero(x))),
                        _ => nulls += 1,
                    }
                }
                dated.push(values);
            }
            Reference::of(&subject.name, subject.unit.clone(), &dated, nulls)
        })
        .collect()
}

impl Reference {
    /// The reference of the dated numbers of some series; `None` if there are no numbers.
    #[must_use]
    pub(crate) fn of(
        subject: &str,
        unit: Option<String>,
        series: &[Vec<(Day, f64)>],
        nulls: usize,
    ) -> Option<Reference> {
        let mut sorted: Vec<f64> = series.iter().flatten().map(|(_, x)| *x).collect();
        sorted.sort_by(f64::total_cmp);
        let middle = median(&sorted)?;
        let mut edges: Vec<f64> = (1..BINS)
            .filter_map(|i| nearest_rank(&sorted, i * 100 / BINS))
            .collect();
        edges.dedup();
        // An edge at the largest number would leave the last bin empty.
        edges.retain(|e| sorted.last().is_some_and(|max| e < max));
        let counts = count_in(&edges, sorted.iter().copied());
        Some(Reference {
            subject: subject.to_owned(),
            unit,
            rows: sorted.len(),
            nulls,
            minimum: *sorted.first()?,
            median: plain_zero(middle),
            maximum: *sorted.last()?,
            sigma: robust_sigma(&sorted, middle),
            lag1: lag1(series),
            edges,
            counts,
        })
    }
}

/// Counts the numbers in each bin.
pub(super) fn count_in(edges: &[f64], values: impl Iterator<Item = f64>) -> Vec<usize> {
    let mut counts = vec![0; edges.len() + 1];
    for x in values {
        if let Some(n) = counts.get_mut(edges.partition_point(|e| *e < x)) {
            *n += 1;
        }
    }
    counts
}

/// Robust standard deviation of sorted values: 1.4826 MAD; if that is 0, the interquartile range divided by 1.349.
pub(super) fn robust_sigma(sorted: &[f64], middle: f64) -> f64 {
    let mut off: Vec<f64> = sorted.iter().map(|x| (x - middle).abs()).collect();
    off.sort_by(f64::total_cmp);
    let mad = median(&off).unwrap_or(0.0) * MAD_TO_SIGMA;
    if mad > 0.0 {
        return mad;
    }
    match (nearest_rank(sorted, 75), nearest_rank(sorted, 25)) {
        (Some(high), Some(low)) => (high - low) / 1.349,
        _ => 0.0,
    }
}

/// Lag-1 correlation, pooled over the series. Each series is centred on its own mean, so that differences between
/// places do not look like correlation between days. Only consecutive days count.
fn lag1(series: &[Vec<(Day, f64)>]) -> f64 {
    let (mut product, mut square) = (0.0, 0.0);
    for values in series {
        // A constant column has no correlation, and the rounding of its mean must not look like one.
        if values.windows(2).all(|w| matches!(w, [a, b] if a.1 == b.1)) {
            continue;
        }
        let n: BTreeMap<Day, f64> = values.iter().copied().collect();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a count of days is far below 2^53"
        )]
        let mean = n.values().sum::<f64>() / n.len().max(1) as f64;
        for (day, x) in &n {
            if let Some(y) = day.plus(-1).and_then(|d| n.get(&d)) {
                product += (x - mean) * (y - mean);
                square += ((x - mean).powi(2) + (y - mean).powi(2)) / 2.0;
            }
        }
    }
    if square > 0.0 && product.is_finite() && square.is_finite() {
        plain_zero((product / square).clamp(-1.0, 1.0))
    } else {
        0.0
    }
}
