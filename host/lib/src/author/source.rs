//! Where `--from` finds a version's source and cases: in the folder beside the new one, or in the
//! program itself.

use std::path::{Path, PathBuf};

use super::embedded::{self, example};
use super::error::AuthorError;
use super::manifest::{self, Language, PluginManifest};
use super::name::LogicName;

/// A path relative to a folder, with `/`, and the file's content.
pub(super) type TextFile = (String, Vec<u8>);

/// What a new folder starts from.
pub(super) struct Source {
    /// The version it is.
    pub(super) logic: LogicName,
    /// Its language.
    pub(super) language: Language,
    /// Its files: only the source, or all files of a folder.
    pub(super) files: Vec<TextFile>,
    /// Its golden cases.
    pub(super) cases: Vec<TextFile>,
    /// Where it comes from.
    pub(super) origin: Origin,
}

/// Where a source comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The teaching example.
    Example,
    /// It is part of the program.
    Shipped,
    /// A folder beside the new one.
    Folder(PathBuf),
}

/// Not copied: output of tools, and files that are generated for the new folder.
pub(super) const LEFT_BEHIND: &[&str] = &[
    "target",
    "build",
    "node_modules",
    "__pycache__",
    manifest::FILE,
];

/// The teaching example.
pub(super) fn example(language: Language) -> Source {
    let (file, text) = match language {
        Language::Rust => ("src/lib.rs", example::RUST),
        Language::Python => ("logic.py", example::PYTHON),
    };
    Source {
        logic: LogicName {
            name: example::NAME.to_owned(),
            version: example::VERSION.to_owned(),
        },
        language,
        files: vec![(file.to_owned(), text.as_bytes().to_vec())],
        cases: vec![("basics.toml".to_owned(), example::CASES.as_bytes().to_vec())],
        origin: Origin::Example,
    }
}

/// The source of a version, for a new folder in `parent`.
///
/// # Errors
/// If there is none, or it is in another language than requested.
pub(super) fn find(
    from: &LogicName,
    parent: &Path,
    language: Option<Language>,
) -> Result<Source, AuthorError> {
    let beside = parent.join(from.package());
    if let Some(source) = of_folder(from, parent, &beside)? {
        return match language {
            Some(wanted) if wanted != source.language => Err(AuthorError::OtherLanguage {
                from: from.to_string(),
                found: source.language,
                wanted,
            }),
            _ => Ok(source),
        };
    }
    let of = |wanted: Language| {
        let found = shipped().find(|(l, logic, _)| *l == wanted && logic == from);
        found.map(|(language, logic, files)| Source {
            logic,
            language,
            files,
            cases: shipped_cases(&from.name),
            origin: Origin::Shipped,
        })
    };
    let found = match language {
        Some(language) => of(language),
        None => of(Language::Rust).or_else(|| of(Language::Python)),
    };
    found.ok_or_else(|| {
        let other = shipped().find(|(_, logic, _)| logic == from);
        match (other, language) {
            (Some((found, ..)), Some(wanted)) => AuthorError::OtherLanguage {
                from: from.to_string(),
                found,
                wanted,
            },
            _ => {
                let names = shipped().map(|(language, logic, _)| format!("{logic} ({language})"));
                let names = names.collect();
                AuthorError::NoSource {
                    wanted: from.to_string(),
                    looked: vec![beside.clone()],
                    shipped: names,
                }
            }
        }
    })
}

/// Every version that is part of the program, Rust first.
fn shipped() -> impl Iterator<Item = (Language, LogicName, Vec<TextFile>)> {
    let owned = |prefix: &'static str| {
        move |(path, bytes): &(&str, &[u8])| (format!("{prefix}{path}"), bytes.to_vec())
    };
    let rust = embedded::LOGICS.iter().filter_map(move |(folder, files)| {
        let files = files.iter().map(owned("src/")).collect();
        Some((Language::Rust, of_package(folder)?, files))
    });
    let python = embedded::PYTHON_LOGICS
        .iter()
        .filter_map(move |(folder, files)| {
            // Its tests refer to folders of the project; the new folder gets a test of its own.
            let is_test = |path: &str| path.starts_with("test_") || path == ".gitignore";
            let files = files.iter().filter(|(path, _)| !is_test(path));
            Some((
                Language::Python,
                of_package(folder)?,
                files.map(owned("")).collect(),
            ))
        });
    rust.chain(python)
}

fn of_package(package: &str) -> Option<LogicName> {
    let (name, version) = package.rsplit_once('-')?;
    LogicName::new(&name.replace('-', "_"), version).ok()
}

/// The golden cases of a shipped logic: path in the logic's folder, and bytes.
#[must_use]
pub fn shipped_cases(name: &str) -> Vec<TextFile> {
    embedded::CASES
        .iter()
        .filter_map(|(path, bytes)| {
            let file = path.strip_prefix(name)?.strip_prefix('/')?;
            Some((file.to_owned(), bytes.to_vec()))
        })
        .collect()
}

/// The version in a folder: an author's own, or a member of the project's workspace.
fn of_folder(
    from: &LogicName,
    parent: &Path,
    folder: &Path,
) -> Result<Option<Source>, AuthorError> {
    let (language, cases, inside) = match PluginManifest::read(folder) {
        Ok(manifest) if manifest.logic != *from => {
            return Err(AuthorError::Carry {
                file: folder.join(manifest::FILE).display().to_string(),
                cause: format!("it is the folder of {}, not of {from}", manifest.logic),
            });
        }
        Ok(manifest) => {
            let inside = !manifest.cases.starts_with("..");
            (
                manifest.language,
                folder.join(&manifest.cases),
                inside.then_some(manifest.cases),
            )
        }
        Err(AuthorError::NoFolder { .. }) if folder.join("src/lib.rs").is_file() => {
            (Language::Rust, parent.join("cases").join(&from.name), None)
        }
        Err(AuthorError::NoFolder { .. }) => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut files = Vec::new();
    walk(folder, "", &mut files)?;
    let mut listed = Vec::new();
    if cases.is_dir() {
        walk(&cases, "", &mut listed)?;
    }
    // The cases are carried over separately.
    if let Some(inside) = inside {
        let prefix = format!("{}/", inside.trim_end_matches('/'));
        files.retain(|(path, _)| !path.starts_with(&prefix));
    }
    Ok(Some(Source {
        logic: from.clone(),
        language,
        files,
        cases: listed,
        origin: Origin::Folder(folder.to_owned()),
    }))
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<TextFile>) -> Result<(), AuthorError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |cause| AuthorError::Io { path, cause }
    };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io(folder))? {
        entries.push(entry.map_err(io(folder))?);
    }
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let hidden = name.starts_with('.') && name != ".gitignore";
        if hidden || LEFT_BEHIND.contains(&name.as_str()) {
            continue;
        }
        let (path, kind) = (entry.path(), entry.file_type().map_err(io(folder))?);
        if kind.is_dir() {
            walk(&path, &format!("{prefix}{name}/"), files)?;
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).map_err(io(&path))?;
            files.push((format!("{prefix}{name}"), bytes));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_carries_every_shipped_version_with_its_cases() {
        let names: Vec<_> = shipped()
            .map(|(language, logic, _)| format!("{logic} {language}"))
            .collect();
        for wanted in [
            "days_remaining:v1 rust",
            "days_remaining:v2 rust",
            "frost_days:v1 rust",
            "days_remaining:v2 python",
        ] {
            assert!(names.iter().any(|n| n == wanted), "{names:?}");
        }
        for (_, logic, files) in shipped() {
            assert!(!files.is_empty(), "{logic}");
            assert!(!shipped_cases(&logic.name).is_empty(), "{logic}");
        }
    }

    #[test]
    fn an_unknown_version_is_refused_with_the_known_ones() {
        let empty = tempfile::tempdir().unwrap();
        let from: LogicName = "days_remaining:v9".parse().unwrap();
        let error = find(&from, empty.path(), None).err().unwrap();
        assert_eq!(
            error.to_string(),
            "there is no source of days_remaining:v9 to start from"
        );
        let help = error.help().unwrap();
        assert!(
            help.contains("days_remaining:v1 (rust), days_remaining:v2 (rust), frost_days:v1 (rust), days_remaining:v2 (python)"),
            "{help}"
        );
    }

    #[test]
    fn a_version_in_another_language_is_refused() {
        let empty = tempfile::tempdir().unwrap();
        let from: LogicName = "frost_days:v1".parse().unwrap();
        let error = find(&from, empty.path(), Some(Language::Python));
        assert_eq!(
            error.err().unwrap().to_string(),
            "frost_days:v1 is written in rust, but --lang asks for python"
        );
    }
}
