//! One cargo package and the workspace it is built in: a member of `logic-plugins/`, or a folder
//! of an author that is its own workspace.

use std::path::{Path, PathBuf};

use crate::compile::{BuildError, ask, io};
use crate::tools::Tools;

/// A package that builds to a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Folder of the workspace's manifest and lock file.
    pub workspace: PathBuf,
    /// Name of the package: `days-remaining-v1`.
    pub name: String,
    /// Name of the module that cargo writes: `days_remaining_v1.wasm`.
    pub module: String,
}

impl Package {
    /// A member of a workspace whose library has the package's own name.
    #[must_use]
    pub fn member(workspace: &Path, name: &str) -> Package {
        Package {
            workspace: workspace.to_owned(),
            name: name.to_owned(),
            module: module(name),
        }
    }

    /// The package of a folder, with the workspace that cargo finds for it.
    ///
    /// # Errors
    /// When the folder has no manifest of a library that can become a component, or cargo does not
    /// find its workspace.
    pub fn at(tools: &Tools, folder: &Path) -> Result<Package, BuildError> {
        let folder = folder.canonicalize().map_err(io(folder))?;
        let path = folder.join("Cargo.toml");
        let text = std::fs::read_to_string(&path).map_err(io(&path))?;
        let (name, module) = read(&text).map_err(|problem| BuildError::Manifest {
            path: path.clone(),
            problem,
        })?;
        let found = ask(
            tools,
            &folder,
            &name,
            &["locate-project", "--workspace", "--message-format", "plain"],
        )?;
        let workspace = Path::new(found.trim()).parent().map(Path::to_owned);
        Ok(Package {
            workspace: workspace.unwrap_or(folder),
            name,
            module,
        })
    }
}

/// Name of the package and of its module, from the text of its manifest.
fn read(text: &str) -> Result<(String, String), String> {
    let manifest: toml::Table = text
        .parse()
        .map_err(|e: toml::de::Error| e.to_string().trim_end().to_owned())?;
    let text_at = |table: &str, key: &str| {
        let value = manifest.get(table).and_then(|t| t.get(key));
        value.and_then(toml::Value::as_str).map(str::to_owned)
    };
    let name = text_at("package", "name").ok_or("it has no package with a `name`")?;
    let kinds = manifest
        .get("lib")
        .and_then(|l| l.get("crate-type"))
        .and_then(toml::Value::as_array);
    let is_cdylib = |kind: &toml::Value| kind.as_str() == Some("cdylib");
    if !kinds.is_some_and(|kinds| kinds.iter().any(is_cdylib)) {
        return Err(
            "its `[lib]` has no `crate-type = [\"cdylib\", \"rlib\"]`: a component is made of a cdylib"
                .into(),
        );
    }
    let module = module(&text_at("lib", "name").unwrap_or_else(|| name.clone()));
    Ok((name, module))
}

fn module(name: &str) -> String {
    format!("{}.wasm", name.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_may_have_a_name_of_its_own() {
        let read = |lib: &str| read(&format!("[package]\nname = \"rain-v1\"\n[lib]\n{lib}"));
        let good = "crate-type = [\"cdylib\"]\n";
        assert_eq!(read(good).unwrap().1, "rain_v1.wasm");
        assert_eq!(
            read(&format!("{good}name = \"wet\"")).unwrap(),
            ("rain-v1".to_owned(), "wet.wasm".to_owned())
        );
    }

    #[test]
    fn a_manifest_that_gives_no_component_is_refused_with_what_it_lacks() {
        assert_eq!(
            read("[lib]").unwrap_err(),
            "it has no package with a `name`"
        );
        assert!(
            read("[package]\nname = \"rain\"\n[lib]\ncrate-type = [\"rlib\"]")
                .unwrap_err()
                .contains("cdylib")
        );
    }
}
