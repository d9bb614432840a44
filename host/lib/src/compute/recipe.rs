//! Gathers the inputs of recorded runs again and proves that they are the recorded ones.
//!
//! For each run the ledger holds the digest of its provenance, which covers the value of every input. The values
//! themselves are in the manifest, and opening a million manifests takes minutes. So the values are gathered again from
//! the observations as known then, under the feature definitions of the run's recorded configuration, and their digest
//! is compared with the recorded one. If the digests match, the values are the recorded ones, bit for bit.

use crate::project::logic::season_day;
use provender_domain::canonical::Digest;
use provender_domain::catalogue::{Aggregate, Feature, FeatureRef, Origin, Window};
use provender_domain::forms::{Config, FeatureDefinition, Provenance};
use provender_domain::text;
use provender_domain::value::{DataType, Value};

use super::binding::Bound;

/// What an input reads. Two inputs with equal definitions have equal values for the same place and day at the same
/// entry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Definition {
    /// Column, aggregate and window.
    pub reference: FeatureRef,
    /// Version of the column's definition.
    pub version: u32,
    /// Month and day of the season's start, if the window is the season.
    pub season_start: Option<(i8, i8)>,
}

/// An input of a recorded configuration.
#[derive(Clone, Debug)]
pub(crate) struct RecipeInput {
    /// The name that the component gave it.
    pub name: String,
    /// What it read.
    pub definition: Definition,
    /// Where the value comes from, and its type. `None` if this deployment's catalogue no longer has the column, or has
    /// another version of it.
    pub source: Option<(Origin, DataType)>,
    /// Unit of the value.
    pub unit: Option<String>,
}

/// The inputs of the runs of one recorded component and configuration.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// Sorted by name, in the order of canonical JSON.
    pub inputs: Vec<RecipeInput>,
    /// The provenance without the inputs.
    form: Provenance,
    /// For each input, the bytes `"name":`, with a comma before all but the first.
    keys: Vec<Vec<u8>>,
}

impl Definition {
    /// What an input of a bound component reads.
    #[must_use]
    pub(crate) fn of(bound: &Bound, input: usize) -> Option<Definition> {
        let input = bound.inputs.get(input)?;
        Some(Definition {
            reference: input.reference.clone(),
            version: input.feature.version,
            season_start: (input.reference.window == Window::Season).then_some(bound.season_start),
        })
    }
}

impl Recipe {
    /// Reads the feature definitions of a recorded configuration. `None` if its text differs from what this program
    /// writes. `component` and `world` come from the entry of the batch.
    #[must_use]
    pub(crate) fn read(
        config: &str,
        digest: &Digest,
        component: &str,
        world: &str,
        catalogue: &[Feature],
    ) -> Option<Recipe> {
        let config = Config::read(config).ok()?;
        let mut inputs: Vec<RecipeInput> = config
            .features
            .iter()
            .map(|(name, definition)| input(name, definition, catalogue))
            .collect::<Option<_>>()?;
        // RFC 8785 sorts by UTF-16 code units.
        inputs.sort_by(|a, b| a.name.encode_utf16().cmp(b.name.encode_utf16()));
        let keys = inputs
            .iter()
            .enumerate()
            .map(|(i, input)| {
                let mut key = if i == 0 { Vec::new() } else { vec![b','] };
                text::string(&input.name, &mut key);
                key.push(b':');
                key
            })
            .collect();
        Some(Recipe {
            inputs,
            form: Provenance::new(component, world, digest),
            keys,
        })
    }

    /// Whether every input can be gathered from observations.
    #[cfg(test)]
    fn is_complete(&self) -> bool {
        self.inputs.iter().all(|i| i.source.is_some())
    }

    /// The provenance of a run with these values, in the order of [`Recipe::inputs`]. `buffer` is scratch space.
    #[must_use]
    pub(crate) fn provenance(&self, values: &[Value], buffer: &mut Vec<u8>) -> Digest {
        buffer.clear();
        buffer.extend_from_slice(self.form.head());
        buffer.push(b'{');
        for (key, value) in self.keys.iter().zip(values) {
            buffer.extend_from_slice(key);
            text::value(value, buffer);
        }
        buffer.push(b'}');
        buffer.extend_from_slice(self.form.tail());
        Digest::of_canonical(buffer)
    }
}

fn input(name: &str, recorded: &FeatureDefinition, catalogue: &[Feature]) -> Option<RecipeInput> {
    let window = match recorded.window.as_str() {
        "all" => String::new(),
        window => format!(":{window}"),
    };
    let spelled = format!("{}:{}{window}", recorded.feature, recorded.aggregate);
    let reference: FeatureRef = spelled.parse().ok()?;
    let same_arithmetic = recorded.aggregate_version == reference.aggregate.version();
    let feature = catalogue.iter().find(|f| {
        f.name == reference.name
            && f.version == recorded.version
            && same_arithmetic
            && fits(f, &reference)
    });
    let yields = feature.map(|f| (f.origin, f.yields(reference.aggregate)));
    Some(RecipeInput {
        name: name.to_owned(),
        source: yields.map(|(origin, (data_type, _))| (origin, data_type)),
        unit: yields.and_then(|(_, (_, unit))| unit.map(str::to_owned)),
        definition: Definition {
            reference,
            version: recorded.version,
            season_start: match &recorded.season_start {
                Some(start) => Some(season_day(start)?),
                None => None,
            },
        },
    })
}

fn fits(feature: &Feature, reference: &FeatureRef) -> bool {
    feature.is_dated()
        || (reference.aggregate == Aggregate::Latest && reference.window == Window::All)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value as Json, json};

    use super::*;
    use provender_domain::catalogue::built_in;
    use provender_domain::day::Day;
    use provender_domain::value::{MAX_JSON_INT, plain_zero};

    const CONFIG: &str = r#"{"$type":"provender.config.v1","logic":"l:v1","parameters":{},"guardrails":[],"features":{
        "b":{"aggregate":"sum","aggregate_version":1,"feature":"precipitation_mm","season_start":"03-01","version":1,"window":"season"},
        "a":{"aggregate":"latest","aggregate_version":1,"feature":"area_ha","version":1,"window":"all"},
        "c":{"aggregate":"series","aggregate_version":1,"feature":"temp_min_c","version":1,"window":"30d"},
        "z\u20ac":{"aggregate":"latest","aggregate_version":1,"feature":"boundary_id","version":1,"window":"all"}}}"#;

    fn recipe(config: &str) -> Option<Recipe> {
        let digest = Digest::of_canonical(b"{}");
        Recipe::read(
            config,
            &digest,
            &Digest::of_bytes(b"c").to_string(),
            "w",
            &built_in(),
        )
    }

    #[test]
    fn a_recorded_configuration_gives_back_its_definitions() {
        let recipe = recipe(CONFIG).unwrap();
        let names: Vec<&str> = recipe.inputs.iter().map(|i| i.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "z\u{20ac}"]);
        assert!(recipe.is_complete());
        let b = &recipe.inputs[1];
        assert_eq!(
            b.definition.reference,
            "precipitation_mm:sum:season".parse().unwrap()
        );
        assert_eq!(b.definition.season_start, Some((3, 1)));
        assert_eq!(b.unit.as_deref(), Some("mm"));
        assert_eq!(
            recipe.inputs[2].source,
            Some((Origin::Observation, DataType::Series))
        );
    }

    #[test]
    fn a_removed_or_changed_column_cannot_be_gathered() {
        for (from, to) in [
            ("\"precipitation_mm\"", "\"rain_mm\""),
            (
                "\"version\":1,\"window\":\"season\"",
                "\"version\":2,\"window\":\"season\"",
            ),
            (
                "\"aggregate_version\":1,\"feature\":\"area_ha\"",
                "\"aggregate_version\":2,\"feature\":\"area_ha\"",
            ),
        ] {
            assert!(CONFIG.contains(from));
            assert!(
                !recipe(&CONFIG.replace(from, to)).unwrap().is_complete(),
                "{to}"
            );
        }
        assert!(recipe("{}").is_none());
        assert!(recipe(&CONFIG.replace("\"sum\"", "\"median\"")).is_none());
    }

    fn value() -> impl Strategy<Value = Value> {
        let finite = prop::num::f64::ANY
            .prop_filter_map("finite", |x| x.is_finite().then(|| plain_zero(x)))
            .boxed();
        let day = (Day::MIN.days()..=Day::MAX.days()).prop_map(|d| Day::from_days(d).unwrap());
        prop_oneof![
            Just(Value::Null),
            finite.clone().prop_map(Value::Float64),
            (-1e17..1e17_f64).prop_map(|x| Value::Float64(plain_zero(x.round()))),
            any::<i64>().prop_map(Value::Int64),
            (-3_i64..3).prop_map(|i| Value::Int64(MAX_JSON_INT + i)),
            any::<bool>().prop_map(Value::Boolean),
            day.clone().prop_map(Value::Date),
            any::<String>().prop_map(Value::Text),
            prop::collection::vec((day, finite), 0..4).prop_map(Value::Series),
        ]
    }

    proptest! {
        #[test]
        fn the_fast_path_gives_the_digest_of_the_documented_object(values in prop::collection::vec(value(), 4)) {
            let recipe = recipe(CONFIG).unwrap();
            let inputs: Map<String, Json> = recipe
                .inputs
                .iter()
                .zip(&values)
                .map(|(i, v)| (i.name.clone(), v.to_json()))
                .collect();
            let object = json!({
                "$type": "provender.provenance.v1",
                "component": Digest::of_bytes(b"c").to_string(),
                "world": "w",
                "config": Digest::of_canonical(b"{}").to_string(),
                "inputs": inputs,
            });
            let short = recipe.provenance(&values, &mut Vec::new());
            prop_assert_eq!(short, Digest::of_json(&object).unwrap(), "{}", json!(object));
        }
    }
}
