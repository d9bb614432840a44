//! Every setting in force, with where it was set.

use serde_json::json;

use super::{FILE, Settings};

impl Settings {
    /// Every setting in force as (dotted key, value, where it was set).
    #[must_use]
    pub fn origins(&self, set: &toml::Table) -> Vec<(String, String, String)> {
        let mut all = json!(self);
        // Of the gates what is in force: of this environment's, and of those that are set.
        for environment in self.gate.keys().chain([&self.environment]) {
            all["gate"][environment] = self.policy(environment).to_json();
        }
        let mut rows = Vec::new();
        for (name, member) in all.as_object().into_iter().flatten() {
            flatten(&mut rows, name, member, set.get(name));
        }
        rows
    }
}

fn flatten(
    rows: &mut Vec<(String, String, String)>,
    key: &str,
    value: &serde_json::Value,
    set: Option<&toml::Value>,
) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, member) in members {
                let key = format!("{key}.{name}");
                flatten(rows, &key, member, set.and_then(|s| s.get(name)));
            }
        }
        serde_json::Value::Null => rows.push((
            key.to_owned(),
            "(built in)".to_owned(),
            "default".to_owned(),
        )),
        other => {
            let origin = if set.is_some() { FILE } else { "default" };
            rows.push((key.to_owned(), other.to_string(), origin.to_owned()));
        }
    }
}
