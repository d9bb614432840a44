//! The fields of spans and events as JSON values.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde_json::Value as Json;
use tracing::field::{Field, Visit};

/// Fields by their name.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(pub(super) BTreeMap<String, Json>);

impl Fields {
    fn put(&mut self, field: &Field, value: Json) {
        self.0.insert(field.name().to_owned(), value);
    }

    /// Adds the fields that are not present yet.
    pub(super) fn beside(&mut self, others: &Fields) {
        for (name, value) in &others.0 {
            self.0.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}").into());
    }
}
