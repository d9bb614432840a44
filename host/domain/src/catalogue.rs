//! The catalogue of feature columns, and the syntax with which components refer to them.
//!
//! A reference is `NAME`, `NAME:AGGREGATE` or `NAME:AGGREGATE:WINDOW`. The plain name of a dated column means `latest`.
//! A window is `Nd` (the N days up to and including the calculation date) or `season` (from the season's start, which
//! DS sets in `logic.toml`, to the date). Every column and every aggregate has a version of its definition, which is
//! part of the provenance.

mod built_in;

use super::value::DataType;

/// Where a column's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The key of the run itself.
    Run(RunColumn),
    /// The boundary's outline in force.
    Boundary(BoundaryColumn),
    /// The herd's row in force.
    Herd(HerdColumn),
    /// Dated observations of a boundary.
    Observation,
    /// Observations of a boundary without a date (soil).
    Static,
}

/// A column that the run's key gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "built_in.rs says what each column means")]
pub enum RunColumn {
    CalculationDate,
    BoundaryId,
}

/// A column that a boundary's outline gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "built_in.rs says what each column means")]
pub enum BoundaryColumn {
    AreaHa,
    DeclaredAreaHa,
}

/// A column that a herd's row gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "built_in.rs says what each column means")]
pub enum HerdColumn {
    HerdConfigId,
    AnimalCount,
    DailyIntakeKgPerHead,
    AverageWeightKg,
    UtilizationTargetPct,
    AnimalType,
    AnimalClass,
    HerdEffectiveDate,
}

/// A column of the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Unique name.
    pub name: String,
    /// Type of the plain value.
    pub data_type: DataType,
    /// Unit, as components must write it.
    pub unit: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// Version of its definition.
    pub version: u32,
    /// One sentence for people.
    pub doc: String,
}

/// How dated observations are turned into one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// The newest value at or before the date.
    Latest,
    /// Days from the newest observation to the date.
    Age,
    /// Sum of the values in the window.
    Sum,
    /// Arithmetic mean of the values in the window.
    Mean,
    /// Smallest value in the window.
    Min,
    /// Largest value in the window.
    Max,
    /// Number of values in the window.
    Count,
    /// The values themselves with their dates.
    Series,
}

/// The days that an aggregate covers; the last is always the calculation date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// Everything up to the date.
    All,
    /// The last N days.
    Days(u32),
    /// Since the season's start.
    Season,
}

/// A parsed reference to a catalogue column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeatureRef {
    /// Name of the column.
    pub name: String,
    /// The aggregate; `Latest` for a plain name.
    pub aggregate: Aggregate,
    /// The days to aggregate over.
    pub window: Window,
}

/// Why a feature reference is not valid.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FeatureRefError {
    /// The syntax is wrong.
    #[error(
        "`{0}` is not a feature reference; write NAME, NAME:AGGREGATE or NAME:AGGREGATE:WINDOW, such as precipitation_mm:sum:30d"
    )]
    Grammar(String),
    /// The aggregate is not known.
    #[error(
        "`{reference}` names the aggregate `{aggregate}`; known are latest, age, sum, mean, min, max, count, series"
    )]
    Aggregate {
        /// The whole reference.
        reference: String,
        /// The unknown part.
        aggregate: String,
    },
    /// The window is not valid.
    #[error(
        "`{reference}` names the window `{window}`; a window is a number of days such as 30d (1 to 36500), or season"
    )]
    Window {
        /// The whole reference.
        reference: String,
        /// The unusable part.
        window: String,
    },
    /// The aggregate needs a window.
    #[error("`{0}` needs a window, such as :30d or :season")]
    NoWindow(String),
}

impl Aggregate {
    /// The name used in references.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Aggregate::Latest => "latest",
            Aggregate::Age => "age",
            Aggregate::Sum => "sum",
            Aggregate::Mean => "mean",
            Aggregate::Min => "min",
            Aggregate::Max => "max",
            Aggregate::Count => "count",
            Aggregate::Series => "series",
        }
    }

    /// Version of the aggregate's definition. Raise it if the arithmetic changes: it is part of the provenance, so that
    /// old runs are not silently compared with new arithmetic.
    #[must_use]
    pub fn version(self) -> u32 {
        1
    }

    fn parse(text: &str) -> Option<Aggregate> {
        use Aggregate::{Age, Count, Latest, Max, Mean, Min, Series, Sum};
        [Latest, Age, Sum, Mean, Min, Max, Count, Series]
            .into_iter()
            .find(|a| a.name() == text)
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Window::All => f.write_str("all"),
            Window::Days(n) => write!(f, "{n}d"),
            Window::Season => f.write_str("season"),
        }
    }
}

impl FeatureRef {
    /// The reference in a recorded configuration, which records a missing window as `all`.
    #[must_use]
    pub fn recorded(feature: &str, aggregate: &str, window: &str) -> Option<FeatureRef> {
        let text = match window {
            "all" => format!("{feature}:{aggregate}"),
            window => format!("{feature}:{aggregate}:{window}"),
        };
        text.parse().ok()
    }
}

impl std::str::FromStr for FeatureRef {
    type Err = FeatureRefError;

    fn from_str(s: &str) -> Result<Self, FeatureRefError> {
        let parts: Vec<&str> = s.split(':').collect();
        let (name, aggregate, window) = match parts.as_slice() {
            [name] => (*name, "latest", None),
            [name, aggregate] => (*name, *aggregate, None),
            [name, aggregate, window] => (*name, *aggregate, Some(*window)),
            _ => return Err(FeatureRefError::Grammar(s.to_owned())),
        };
        let ok = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        if name.is_empty() || !name.bytes().all(ok) {
            return Err(FeatureRefError::Grammar(s.to_owned()));
        }
        let aggregate = Aggregate::parse(aggregate).ok_or_else(|| FeatureRefError::Aggregate {
            reference: s.to_owned(),
            aggregate: aggregate.to_owned(),
        })?;
        let window = match window {
            None if matches!(aggregate, Aggregate::Latest | Aggregate::Age) => Window::All,
            None => return Err(FeatureRefError::NoWindow(s.to_owned())),
            Some("season") => Window::Season,
            Some(w) => {
                let days = w
                    .strip_suffix('d')
                    .and_then(|n| n.parse().ok())
                    .filter(|n| (1..=36_500).contains(n));
                let bad = || FeatureRefError::Window {
                    reference: s.to_owned(),
                    window: w.to_owned(),
                };
                Window::Days(days.ok_or_else(bad)?)
            }
        };
        Ok(FeatureRef {
            name: name.to_owned(),
            aggregate,
            window,
        })
    }
}

impl Feature {
    /// True if the column has dated observations, which can be aggregated over windows.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.origin == Origin::Observation
    }

    /// Type and unit of the value that a reference to this column gives.
    #[must_use]
    pub fn yields(&self, aggregate: Aggregate) -> (DataType, Option<&str>) {
        match aggregate {
            Aggregate::Age => (DataType::Int64, Some("d")),
            Aggregate::Count => (DataType::Int64, None),
            Aggregate::Series => (DataType::Series, self.unit.as_deref()),
            Aggregate::Latest
            | Aggregate::Sum
            | Aggregate::Mean
            | Aggregate::Min
            | Aggregate::Max => (self.data_type, self.unit.as_deref()),
        }
    }
}

/// The columns of every host, without the deployment's own `[[series]]`.
#[must_use]
pub fn built_in() -> Vec<Feature> {
    built_in::BUILT_IN
        .iter()
        .map(|(name, data_type, unit, origin, doc)| Feature {
            name: (*name).to_owned(),
            data_type: *data_type,
            unit: (!unit.is_empty()).then(|| (*unit).to_owned()),
            origin: *origin,
            version: 1,
            doc: (*doc).to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_parse() {
        let r: FeatureRef = "precipitation_mm:sum:30d".parse().unwrap();
        assert_eq!((r.aggregate, r.window), (Aggregate::Sum, Window::Days(30)));
        let r: FeatureRef = "forage_kg_per_ha".parse().unwrap();
        assert_eq!((r.aggregate, r.window), (Aggregate::Latest, Window::All));
        let r: FeatureRef = "temp_min_c:series:season".parse().unwrap();
        assert_eq!((r.aggregate, r.window), (Aggregate::Series, Window::Season));
    }

    #[test]
    fn invalid_references_are_refused_with_a_reason() {
        for (text, part) in [
            ("precipitation_mm:sum", "needs a window"),
            ("precipitation_mm:median:30d", "known are latest"),
            ("precipitation_mm:sum:0d", "a window is"),
            ("precipitation_mm:sum:30d:x", "not a feature reference"),
            ("Precip", "not a feature reference"),
            ("", "not a feature reference"),
        ] {
            let message = text.parse::<FeatureRef>().unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn built_in_names_are_unique() {
        let mut names: Vec<_> = built_in().into_iter().map(|f| f.name).collect();
        let n = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), n);
    }
}
