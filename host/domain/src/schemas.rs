//! JSON Schemas of types whose JSON is a single text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::canonical::Digest;
use super::day::Day;
use super::ids::{BoundaryId, HerdId, ModelVersion};
use super::key::ConfigVersion;

macro_rules! plain {
    ($($of:ident { $($keyword:tt: $says:literal),+ }),+) => { $(
        impl JsonSchema for $of {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($of).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ $($keyword: $says),+ })
            }
        }
    )+ };
}

plain! {
    Digest { "type": "string" },
    ConfigVersion { "type": "string" },
    BoundaryId { "type": "string" },
    HerdId { "type": "string" },
    ModelVersion { "type": "string" },
    Day { "type": "string", "format": "date" }
}
