//! Finds the component and the golden cases for `plugin test`.
//!
//! A logic version's folder names both in its `provender-plugin.toml`. A folder `NAME-VERSION` in the
//! workspace `logic-plugins/` follows that workspace's convention. For a file or a pin, they are in `cases/`
//! beside it. `--component` and `--cases` override this.

use std::path::{Path, PathBuf};

use crate::error::CliError;
use crate::exit::Exit;
use provender_host::author::{AuthorError, MANIFEST_FILE, PluginManifest, changed_since_built};
use provender_host::golden::{case_folders, cases_of, folder_above};

/// A component, and where to look for its cases.
#[derive(Debug)]
pub(crate) struct Subject {
    /// The component: a file, or a pinned `name:version`.
    pub(crate) component: String,
    /// Folders that may hold the cases, directly or in a folder named after the logic.
    candidates: Vec<PathBuf>,
    /// `name:version` that the component must declare, and the file or folder that says so.
    claimed: Option<(String, String)>,
    /// A source file in the folder that was changed after the component was built.
    pub(crate) newer: Option<String>,
}

/// The name and version of a folder `days-remaining-v2`.
fn of_folder_name(folder: &Path) -> Option<(String, String)> {
    let folder = folder.canonicalize().ok()?;
    let (name, version) = folder.file_name()?.to_str()?.rsplit_once('-')?;
    provender_host::golden::version_number(version)?;
    Some((name.replace('-', "_"), version.to_owned()))
}

impl Subject {
    /// Finds the component and the cases. `root` is the deployment's folder, if there is one.
    pub(crate) fn find(
        what: &str,
        component: Option<&Path>,
        cases: Option<&Path>,
        root: Option<&Path>,
    ) -> Result<Subject, CliError> {
        let path = Path::new(what);
        let mut subject = if path.is_dir() {
            Subject::of_folder(path, component)?
        } else if what.ends_with(".wasm") || !what.contains(':') {
            let parent = path.parent().unwrap_or(Path::new(""));
            Subject {
                component: what.to_owned(),
                candidates: vec![parent.join("cases"), folder_above(parent).join("cases")],
                claimed: None,
                newer: None,
            }
        } else {
            let root = root.unwrap_or(Path::new(""));
            Subject {
                component: what.to_owned(),
                candidates: case_folders(root),
                claimed: None,
                newer: None,
            }
        };
        if let Some(file) = component {
            subject.component = file.display().to_string();
        }
        if let Some(folder) = cases {
            subject.candidates = vec![folder.to_path_buf()];
        }
        Ok(subject)
    }

    fn of_folder(folder: &Path, component: Option<&Path>) -> Result<Subject, CliError> {
        match PluginManifest::read(folder) {
            Ok(manifest) => return Subject::of_manifest(folder, &manifest, component.is_some()),
            Err(AuthorError::NoFolder { .. }) => {}
            Err(e) => return Err(e.into()),
        }
        let Some((name, version)) = of_folder_name(folder) else {
            return Err(CliError::new(
                Exit::NotFound,
                "plugin_folder",
                format!(
                    "{} has no {MANIFEST_FILE}, and its name is not NAME-VERSION, such as days-remaining-v2",
                    folder.display()
                ),
            )
            .help("name the folder of a logic version, or the component: provender plugin test FILE.wasm --cases DIR"));
        };
        let file = format!("{name}-{version}.wasm");
        let built = [
            folder_above(folder).join("artifacts").join(&file),
            folder.join("build").join(&file),
        ];
        let found = built.iter().find(|f| f.is_file());
        let Some(found) = found.map(PathBuf::as_path).or(component) else {
            let looked: Vec<_> = built.iter().map(|f| f.display().to_string()).collect();
            return Err(CliError::new(
                Exit::NotFound,
                "component_missing",
                format!(
                    "no built component of {name}:{version}: looked for {}",
                    looked.join(" and ")
                ),
            )
            .help("build it first, or name it with --component FILE"));
        };
        Ok(Subject {
            component: found.display().to_string(),
            candidates: vec![folder.join("cases"), folder_above(folder).join("cases")],
            claimed: Some((
                format!("{name}:{version}"),
                format!("the folder {}", folder.display()),
            )),
            newer: None,
        })
    }

    fn of_manifest(
        folder: &Path,
        manifest: &PluginManifest,
        named: bool,
    ) -> Result<Subject, CliError> {
        let component = manifest.component_file(folder);
        if !named && !component.exists() {
            let message = format!(
                "no built component of {}: {} does not exist",
                manifest.logic,
                component.display()
            );
            let build = match folder == Path::new(".") {
                true => "provender plugin build".to_owned(),
                false => format!("provender plugin build {}", folder.display()),
            };
            return Err(
                CliError::new(Exit::NotFound, "component_missing", message).help(format!(
                    "build it first: {build}; or name another with --component FILE"
                )),
            );
        }
        Ok(Subject {
            component: component.display().to_string(),
            candidates: vec![manifest.cases_folder(folder)],
            claimed: Some((
                manifest.logic.to_string(),
                folder.join(MANIFEST_FILE).display().to_string(),
            )),
            newer: match named {
                true => None,
                false => changed_since_built(folder, manifest),
            },
        })
    }

    /// Checks that the component declares what the folder says.
    pub(crate) fn check(&self, declared: &str) -> Result<(), CliError> {
        match &self.claimed {
            Some((claimed, by)) if claimed != declared => Err(CliError::new(
                Exit::Config,
                "plugin_mismatch",
                format!(
                    "{} declares {declared}, but {by} says {claimed}",
                    self.component
                ),
            )
            .help("build the component again, or correct the name that is wrong")),
            _ => Ok(()),
        }
    }

    /// The folder with the cases of a logic.
    pub(crate) fn cases(&self, name: &str) -> Result<PathBuf, CliError> {
        cases_of(&self.candidates, name).ok_or_else(|| {
            let looked: Vec<_> = self
                .candidates
                .iter()
                .map(|c| c.join(name).display().to_string())
                .collect();
            CliError::new(
                Exit::NotFound,
                "golden_missing",
                format!(
                    "there are no golden cases of {name}: looked for {}",
                    looked.join(", ")
                ),
            )
            .help("write some (docs/reference/golden-cases.md), or name their folder with --cases DIR")
        })
    }
}
