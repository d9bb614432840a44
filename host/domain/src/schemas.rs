//! JSON Schemas of the types that JSON holds as text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::canonical::Digest;
use super::day::Day;
use super::key::ConfigVersion;

macro_rules! text {
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

text! {
    Digest { "type": "string" },
    ConfigVersion { "type": "string" },
    Day { "type": "string", "format": "date" }
}
