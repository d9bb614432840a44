//! `provender-plugin.toml`: which logic version a folder contains, in which language, and where its component and
//! its cases are.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::AuthorError;
use super::name::LogicName;

/// Name of the file.
pub const FILE: &str = "provender-plugin.toml";

/// A language that folders are made and built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Built by cargo.
    Rust,
    /// Built by componentize-py.
    Python,
}

impl Language {
    /// The name in files and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::Python => "python",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a folder says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginManifest {
    /// The logic version.
    pub logic: LogicName,
    /// Its language.
    pub language: Language,
    /// Path of the built component, relative to the folder, with `/`.
    pub component: String,
    /// The folder of golden cases, relative to the folder, with `/`.
    pub cases: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    version: String,
    language: Language,
    component: String,
    cases: String,
}

impl PluginManifest {
    /// Reads the file of a folder.
    ///
    /// # Errors
    /// When the folder or the file is not there, or a key is missing, unknown or unusable.
    pub fn read(folder: &Path) -> Result<PluginManifest, AuthorError> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(AuthorError::NoFolder {
                    folder: folder.to_owned(),
                });
            }
            Err(cause) => return Err(AuthorError::Io { path, cause }),
        };
        PluginManifest::parse(&text).map_err(|cause| AuthorError::Manifest { file: path, cause })
    }

    /// Reads the text of the file; the error names the key or the line.
    ///
    /// # Errors
    /// When a key is missing, unknown or unusable.
    pub fn parse(text: &str) -> Result<PluginManifest, String> {
        let file: File = toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())?;
        let logic = LogicName::new(&file.name, &file.version)?;
        if !file.component.ends_with(".wasm") {
            return Err(format!(
                "component = \"{}\": the component's file ends in .wasm, such as \"build/{}\"",
                file.component,
                logic.file()
            ));
        }
        for (key, path) in [("component", &file.component), ("cases", &file.cases)] {
            if path.is_empty() || Path::new(path).is_absolute() || path.contains('\\') {
                return Err(format!(
                    "{key} = \"{path}\": a path is relative to the folder and written with `/`"
                ));
            }
        }
        Ok(PluginManifest {
            logic,
            language: file.language,
            component: file.component,
            cases: file.cases,
        })
    }

    /// The text of the file.
    #[must_use]
    pub fn render(&self) -> String {
        let PluginManifest {
            logic: LogicName { name, version },
            language,
            component,
            cases,
        } = self;
        // Names and paths are checked or built in, so nothing needs escaping.
        format!(
            "# What `provender plugin build` and `provender plugin test` know of this folder. Paths are relative to it.\n\
             name = \"{name}\"\nversion = \"{version}\"\nlanguage = \"{language}\"\n\
             # The built component.\ncomponent = \"{component}\"\n\
             # The golden cases.\ncases = \"{cases}\"\n"
        )
    }

    /// The file of the built component.
    #[must_use]
    pub fn component_file(&self, folder: &Path) -> PathBuf {
        spelled(folder, &self.component)
    }

    /// The folder of the golden cases.
    #[must_use]
    pub fn cases_folder(&self, folder: &Path) -> PathBuf {
        spelled(folder, &self.cases)
    }
}

/// `relative` seen from `folder`, without `..` where the folder's own name can be left off instead: the
/// path is shown to people.
fn spelled(folder: &Path, relative: &str) -> PathBuf {
    let mut folder = folder.to_path_buf();
    let mut rest = relative;
    while let Some(up) = rest.strip_prefix("../") {
        if !matches!(
            folder.components().next_back(),
            Some(std::path::Component::Normal(_))
        ) {
            break;
        }
        folder.pop();
        rest = up;
    }
    folder.join(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(component: &str) -> String {
        format!(
            "name = \"rain\"\nversion = \"v1\"\nlanguage = \"python\"\ncomponent = \"{component}\"\ncases = \"cases\"\n"
        )
    }

    #[test]
    fn a_written_manifest_can_be_read() {
        let manifest = PluginManifest {
            logic: LogicName::new("days_remaining", "v3").unwrap(),
            language: Language::Rust,
            component: "build/days_remaining-v3.wasm".into(),
            cases: "../cases/days_remaining".into(),
        };
        assert_eq!(PluginManifest::parse(&manifest.render()), Ok(manifest));
    }

    #[test]
    fn an_unusable_key_is_named_with_its_value() {
        let problem = |text: &str| PluginManifest::parse(text).unwrap_err();
        insta::assert_snapshot!(problem(&text("build/rain.so")), @r#"component = "build/rain.so": the component's file ends in .wasm, such as "build/rain-v1.wasm""#);
        insta::assert_snapshot!(problem(&text("/build/rain.wasm")), @r#"component = "/build/rain.wasm": a path is relative to the folder and written with `/`"#);
        insta::assert_snapshot!(problem(&text("rain.wasm").replace("v1", "1")), @"the version is `1`; a version is v1, v2 and so on");
        insta::assert_snapshot!(problem(&text("rain.wasm").replace("python", "perl")), @r#"
        TOML parse error at line 3, column 12
          |
        3 | language = "perl"
          |            ^^^^^^
        unknown variant `perl`, expected `rust` or `python`
        "#);
        insta::assert_snapshot!(problem(&format!("{}tests = 1\n", text("rain.wasm"))), @r#"
        TOML parse error at line 6, column 1
          |
        6 | tests = 1
          | ^^^^^
        unknown field `tests`, expected one of `name`, `version`, `language`, `component`, `cases`
        "#);
    }
}
