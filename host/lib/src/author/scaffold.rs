//! A new folder: planned completely, so that every refusal comes before the first write.

use provender_domain::ids::ModelVersion;
use std::fs;
use std::path::{Path, PathBuf};

use provender_domain::files::outfile::Together;
use provender_sandbox::{Lock, version_number};

use super::error::AuthorError;
use super::manifest::{self, Language, PluginManifest};
use super::name::LogicName;
pub use super::source::Origin;
use super::source::{self, Source, TextFile};
use super::workspace::Workspace;
use super::{cases, python, rename, rust};

const RUST_README: &str = include_str!("templates/rust/README.md");
const PYTHON_README: &str = include_str!("templates/python/README.md");
const VENDORED: &str =
    "| `sdk/` | a copy of the SDK `provender-logic` from the program | no |
| `Cargo.lock` | exact versions of the dependencies, so that every build gives the same bytes | by cargo |
";

/// What `plugin new` was asked for.
#[derive(Clone, Debug)]
pub struct Request<'l> {
    /// The new version.
    pub logic: LogicName,
    /// Its language; `None` for that of `from`.
    pub language: Option<Language>,
    /// The version to start from; `None` for the teaching example.
    pub from: Option<LogicName>,
    /// The folder; `None` for one named after the version in the current folder.
    pub folder: Option<PathBuf>,
    /// The deployment's lock file, if there is one.
    pub lock: Option<&'l Lock>,
}

/// A new folder that has not been written yet.
#[derive(Clone, Debug)]
pub struct Scaffold {
    /// The folder.
    pub folder: PathBuf,
    /// Its `provender-plugin.toml`.
    pub manifest: PluginManifest,
    /// The version it starts from.
    pub from: LogicName,
    /// Where that comes from.
    pub origin: Origin,
    /// True for a member of the project's own workspace.
    pub member: bool,
    /// New files, relative to the folder.
    files: Vec<TextFile>,
    /// Existing files with their new text.
    changed: Vec<(PathBuf, String)>,
}

/// Plans a folder. Writes nothing.
///
/// # Errors
/// If the version is pinned, the folder is not empty, or the version to start from is not found.
pub fn plan(request: &Request<'_>) -> Result<Scaffold, AuthorError> {
    let logic = request.logic.clone();
    if let Some(lock) = request.lock {
        refuse_pinned(&logic, lock)?;
    }
    let folder = match &request.folder {
        Some(folder) => folder.clone(),
        None => PathBuf::from(logic.package()),
    };
    refuse_occupied(&folder)?;
    let parent = parent(&folder);
    let source = match &request.from {
        Some(from) => source::find(from, &parent, request.language)?,
        None => source::example(request.language.unwrap_or(Language::Rust)),
    };
    let workspace = match source.language {
        Language::Rust => Workspace::at(&parent),
        Language::Python => None,
    };
    let layout = Layout::of(&logic, workspace.is_some());
    let (cases, mut changed) = carried_cases(&logic, &source, &layout, &parent)?;
    let mut files = renamed(&logic, &source, &layout)?;
    files = match (source.language, workspace) {
        (Language::Python, _) => python::files(&source, files)?,
        (Language::Rust, None) => rust::own_workspace(&logic, &source, files)?,
        (Language::Rust, Some(workspace)) => {
            changed.extend(workspace.with_member(&logic.package())?);
            rust::member(&logic, &source, files)?
        }
    };
    let manifest = PluginManifest {
        logic,
        language: source.language,
        component: layout.component.clone(),
        cases: layout.cases.clone(),
    };
    if !files.iter().any(|(path, _)| path == "README.md") {
        let text = readme(&manifest, &source, &files, layout.member)?;
        files.push(("README.md".to_owned(), text.into_bytes()));
    }
    files.push((manifest::FILE.to_owned(), manifest.render().into_bytes()));
    files.extend(cases);
    files.sort();
    Ok(Scaffold {
        folder,
        manifest,
        from: source.logic,
        origin: source.origin,
        member: layout.member,
        files,
        changed,
    })
}

impl Scaffold {
    /// The new files, relative to the folder, sorted.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(path, _)| path.as_str())
    }

    /// The existing files that change.
    pub fn changed(&self) -> impl Iterator<Item = &Path> {
        self.changed.iter().map(|(path, _)| path.as_path())
    }

    /// Writes the folder. A new file never replaces an existing one. The workspace's own files come last, so
    /// that it never names a missing member.
    ///
    /// # Errors
    /// If a file or folder cannot be written; new files are then removed again.
    pub fn write(&self) -> Result<(), AuthorError> {
        let io = |path: &Path, cause| AuthorError::Io {
            path: path.to_owned(),
            cause,
        };
        let mut together = Together::default();
        for (path, bytes) in &self.files {
            let path = self.folder.join(path);
            let written = together.create(&path, bytes);
            written.map_err(|cause| io(&path, cause))?;
        }
        // Durable before the files that refer to it.
        together.settle().map_err(|cause| io(&self.folder, cause))?;
        for (path, text) in &self.changed {
            let written = together.write(path, text.as_bytes());
            written.map_err(|cause| io(path, cause))?;
        }
        together.settle().map_err(|cause| io(&self.folder, cause))?;
        together.keep();
        Ok(())
    }
}

/// Where component and cases are, relative to the folder.
struct Layout {
    member: bool,
    component: String,
    cases: String,
}

impl Layout {
    fn of(logic: &LogicName, member: bool) -> Layout {
        let (component, cases) = if member {
            ("../artifacts/", format!("../cases/{}", logic.name))
        } else {
            ("build/", "cases".to_owned())
        };
        Layout {
            member,
            component: component.to_owned() + &logic.file(),
            cases,
        }
    }
}

fn parent(folder: &Path) -> PathBuf {
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn refuse_pinned(logic: &LogicName, lock: &Lock) -> Result<(), AuthorError> {
    let Some(pin) = lock.find(&logic.name, &logic.version) else {
        return Ok(());
    };
    // The newest pinned version; at least this one.
    let newest = lock.newest(&logic.name).unwrap_or(pin);
    Err(AuthorError::Pinned {
        model_version: ModelVersion::of(&logic.name, &logic.version),
        state: pin.state,
        free: format!("{}:{}", logic.name, after(&newest.version)),
    })
}

/// The version after this one.
fn after(version: &str) -> String {
    format!("v{}", version_number(version).map_or(1, |n| n + 1))
}

fn refuse_occupied(folder: &Path) -> Result<(), AuthorError> {
    let occupied = |is_folder| {
        Err(AuthorError::Occupied {
            folder: folder.to_owned(),
            is_folder,
        })
    };
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            Some(_) => occupied(true),
            None => Ok(()),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => occupied(false),
        Err(cause) => Err(AuthorError::Io {
            path: folder.to_owned(),
            cause,
        }),
    }
}

/// The source's own files under the new name. Copies of the SDK and of the author's layer belong to no
/// version and stay unchanged.
fn renamed(
    logic: &LogicName,
    source: &Source,
    layout: &Layout,
) -> Result<Vec<TextFile>, AuthorError> {
    let mut declared = false;
    let mut files = Vec::new();
    for (path, bytes) in &source.files {
        let copied = ["sdk/", "provender_logic/", "wit/"]
            .iter()
            .any(|folder| path.starts_with(folder));
        let is_text = [".rs", ".py", ".md"].iter().any(|end| path.ends_with(end));
        let bytes = match std::str::from_utf8(bytes) {
            Ok(text) if is_text && !copied => {
                let text = rename::source(text, &source.logic, logic);
                declared |= !path.ends_with(".md") && rename::declares(&text, &logic.version);
                let quoted = |cases: &str| format!("(\"{cases}\")");
                let text = text.replace(
                    &quoted(&format!("../cases/{}", source.logic.name)),
                    &quoted(&layout.cases),
                );
                let text = text.replace(&quoted("cases"), &quoted(&layout.cases));
                text.into_bytes()
            }
            _ => bytes.clone(),
        };
        files.push((path.clone(), bytes));
    }
    if declared {
        return Ok(files);
    }
    Err(AuthorError::Carry {
        file: format!("the source of {}", source.logic),
        cause: format!(
            "no file declares its version as `version: \"{0}\"` or `version=\"{0}\"`, so the new one cannot be written there",
            source.logic.version
        ),
    })
}

/// The golden cases of the new version: new files, and changes to shared ones.
type Cases = (Vec<TextFile>, Vec<(PathBuf, String)>);

fn carried_cases(
    logic: &LogicName,
    source: &Source,
    layout: &Layout,
    parent: &Path,
) -> Result<Cases, AuthorError> {
    let (old, new) = (&source.logic.version, &logic.version);
    let shared = parent.join("cases").join(&logic.name);
    if layout.member && shared.is_dir() && source.logic.name == logic.name {
        let mut changed = Vec::new();
        for (file, bytes) in &source.cases {
            let after = cases::shared(file, bytes, old, new)?;
            changed.extend(after.map(|text| (shared.join(file), text)));
        }
        return Ok((Vec::new(), changed));
    }
    let place = |(file, bytes): TextFile| (format!("{}/{file}", layout.cases), bytes);
    let later = source.logic.name == logic.name && cases::number(new) > cases::number(old);
    let own = cases::own(&source.cases, old, later)?;
    Ok((own.into_iter().map(place).collect(), Vec::new()))
}

fn readme(
    manifest: &PluginManifest,
    source: &Source,
    files: &[TextFile],
    member: bool,
) -> Result<String, AuthorError> {
    let logic = &manifest.logic;
    let start = match source.origin {
        Origin::Example => {
            "It contains a complete example. Change it into what you need.".to_owned()
        }
        _ => format!("It was created as a copy of {}.", source.logic),
    };
    let next = after(&logic.version);
    let logic_text = logic.to_string();
    let mut values = vec![
        ("logic", logic_text.as_str()),
        ("name", &logic.name),
        ("version", &logic.version),
        ("next", &next),
        ("start", &start),
        ("component", &manifest.component),
        ("cases", &manifest.cases),
        ("vendored", if member { "" } else { VENDORED }),
    ];
    let module = match manifest.language {
        Language::Python => python::module(files)?,
        Language::Rust => String::new(),
    };
    values.push(("module", &module));
    let template = match manifest.language {
        Language::Rust => RUST_README,
        Language::Python => PYTHON_README,
    };
    Ok(fill(template, &values))
}

/// Replaces each `{{key}}` of a template.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = template.to_owned();
    for (key, value) in values {
        text = text.replace(&format!("{{{{{key}}}}}"), value);
    }
    text
}
