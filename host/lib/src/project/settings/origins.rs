//! Every setting in force, with where it was set.

use serde_json::json;

use provender_domain::words;

use super::Settings;

words! {
    /// Where a setting in force was set.
    pub enum SetIn: "origin of a setting" {
        /// In the deployment's file.
        File = "provender.toml",
        /// The built-in default.
        Default = "default",
    }
}

impl Settings {
    /// Every setting in force as (dotted key, value, where it was set).
    #[must_use]
    pub fn origins(&self, set: &toml::Table) -> Vec<(String, String, SetIn)> {
        let mut all = json!(self);
        // Gates: the policies in force for this environment, and for those that the file sets.
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
    rows: &mut Vec<(String, String, SetIn)>,
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
        serde_json::Value::Null => {
            rows.push((key.to_owned(), "(built in)".to_owned(), SetIn::Default))
        }
        other => {
            let origin = if set.is_some() {
                SetIn::File
            } else {
                SetIn::Default
            };
            rows.push((key.to_owned(), other.to_string(), origin));
        }
    }
}
