//! A folder of cases: which of them a version runs, which it skips and why.
//!
//! A case binds every version. A later version that gives another answer on purpose *supersedes*
//! the case, by name and with a reason; a case may say which version brought it (`since`), and then
//! binds that one and all later ones; or name its versions, and then every other version needs a
//! `[[supersede]]`. So no case is skipped because somebody forgot it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use provender_domain::description::Description;
use provender_domain::files::bounded;

use super::case::{Binds, Case, Skipped, version_number};
use super::csv_file::CsvFile;
use super::error::{GoldenError, SourceLine};
use super::toml_file::TomlFile;

/// A file of cases is read into memory whole; nobody writes more than this by hand.
pub(crate) const FILE_BYTES: u64 = 16 << 20;

/// What is known of a case before it is read for a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) place: SourceLine,
    pub(super) binds: Binds,
}

/// A `[[supersede]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Supersede {
    pub(super) versions: Vec<String>,
    pub(super) cases: Vec<String>,
    pub(super) reason: String,
    pub(super) place: SourceLine,
}

#[derive(Debug)]
enum File {
    Toml(TomlFile),
    Csv(CsvFile),
}

impl File {
    fn heads(&self) -> &[Head] {
        match self {
            File::Toml(file) => &file.heads,
            File::Csv(file) => &file.heads,
        }
    }

    fn supersedes(&self) -> &[Supersede] {
        match self {
            File::Toml(file) => &file.supersedes,
            File::Csv(_) => &[],
        }
    }
}

/// The cases of a logic, of all its versions.
#[derive(Debug)]
pub struct CaseSet {
    folder: String,
    files: Vec<File>,
}

/// What a version makes of a set.
#[derive(Debug)]
pub struct Selected {
    /// The cases it runs, in the order of files and lines.
    pub(crate) cases: Vec<Case>,
    /// The cases it skips.
    pub(crate) skipped: Vec<Skipped>,
}

/// The line, from 1, in which a byte of a text lies.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    1 + text
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
}

/// What `versions` and `since` say together.
pub(super) fn binds(versions: Option<&[String]>, since: Option<&str>) -> Result<Binds, String> {
    let number = |version: &str| {
        version_number(version)
            .ok_or_else(|| format!("`{version}` is not a version: a version is v1, v2 and so on"))
    };
    match (versions, since) {
        (Some(_), Some(_)) => Err("`versions` and `since` exclude each other".to_owned()),
        (None, None) => Ok(Binds::All),
        (None, Some(since)) => Ok(Binds::Since(number(since)?)),
        (Some([]), None) => {
            Err("`versions` is empty: leave it out to bind every version".to_owned())
        }
        (Some(versions), None) => Ok(Binds::Only(
            versions
                .iter()
                .map(|v| number(v))
                .collect::<Result<_, _>>()?,
        )),
    }
}

impl CaseSet {
    /// Reads every `.toml` and `.csv` file of a folder; `shown` names the folder in messages.
    ///
    /// # Errors
    /// When the folder or a file cannot be read, a file is not of the documented form, two cases
    /// have one name, or a `[[supersede]]` names no case or contradicts one.
    pub fn read(folder: &Path, shown: &str) -> Result<CaseSet, GoldenError> {
        let unreadable = |path: String| {
            move |cause| GoldenError::Io {
                path,
                what: "read",
                cause,
            }
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable(shown.to_owned()))? {
            let entry = entry.map_err(unreadable(shown.to_owned()))?;
            names.push(entry.file_name());
        }
        names.sort();
        let mut files = Vec::new();
        for name in names {
            let path = folder.join(&name);
            let file = format!("{shown}/{}", name.to_string_lossy());
            let kind = path.extension().and_then(|e| e.to_str()).unwrap_or("");
            if !matches!(kind, "toml" | "csv") || !path.is_file() {
                continue;
            }
            let text = match bounded::read_named(&path, FILE_BYTES).and_then(bounded::text) {
                Ok(text) => text,
                Err(e) if e.kind() == ErrorKind::FileTooLarge => {
                    return Err(GoldenError::Field {
                        place: SourceLine { file, line: 1 },
                        field: "size".to_owned(),
                        problem: format!(
                            "more bytes than the {FILE_BYTES} that are allowed; split the file"
                        ),
                    });
                }
                Err(e) => return Err(unreadable(file)(e)),
            };
            files.push(match kind {
                "toml" => File::Toml(TomlFile::parse(&file, text)?),
                _ => File::Csv(CsvFile::parse(&file, &text)?),
            });
        }
        let set = CaseSet {
            folder: shown.to_owned(),
            files,
        };
        set.check()?;
        Ok(set)
    }

    /// The folder, as messages name it.
    #[must_use]
    pub(crate) fn folder(&self) -> &str {
        &self.folder
    }

    fn supersedes(&self) -> impl Iterator<Item = &Supersede> {
        self.files.iter().flat_map(File::supersedes)
    }

    fn check(&self) -> Result<(), GoldenError> {
        let mut known: BTreeMap<&str, &Head> = BTreeMap::new();
        for head in self.files.iter().flat_map(File::heads) {
            if let Some(first) = known.insert(&head.name, head) {
                return Err(GoldenError::Field {
                    place: head.place.clone(),
                    field: format!("case `{}`", head.name),
                    problem: format!(
                        "{} has a case of this name; a [[supersede]] could not tell them apart",
                        first.place
                    ),
                });
            }
        }
        for entry in self.supersedes() {
            let no = |problem: String| GoldenError::Field {
                place: entry.place.clone(),
                field: "supersede".to_owned(),
                problem,
            };
            for version in &entry.versions {
                let number = version_number(version).ok_or_else(|| {
                    no(format!(
                        "`{version}` is not a version: a version is v1, v2 and so on"
                    ))
                })?;
                for name in &entry.cases {
                    let head = known.get(name.as_str()).ok_or_else(|| {
                        let near = known
                            .keys()
                            .min_by_key(|k| strsim::damerau_levenshtein(k, name));
                        let near =
                            near.map_or_else(String::new, |n| format!("; the nearest is `{n}`"));
                        no(format!("no case is called `{name}`{near}"))
                    })?;
                    let superfluous = match &head.binds {
                        Binds::All => false,
                        Binds::Since(first) => number < *first,
                        Binds::Only(versions) => versions.contains(&number),
                    };
                    if superfluous {
                        return Err(no(format!(
                            "the case `{name}` ({}) is {} {version} by its own `versions` or `since`; one of the two is wrong",
                            head.place,
                            match &head.binds {
                                Binds::Only(_) => "for",
                                _ => "not for",
                            }
                        )));
                    }
                }
            }
        }
        Ok(())
    }

    /// Where a case of this name stands and which versions it binds.
    #[must_use]
    pub(crate) fn find(&self, name: &str) -> Option<(&SourceLine, &Binds)> {
        let mut heads = self.files.iter().flat_map(File::heads);
        let head = heads.find(|h| h.name == name)?;
        Some((&head.place, &head.binds))
    }

    /// One case for a declaration, whether or not the version is bound by it; `None` where no case
    /// has the name.
    ///
    /// # Errors
    /// When the case does not fit the declaration, or nobody has completed it.
    pub(crate) fn read_one(
        &self,
        name: &str,
        d: &Description,
    ) -> Result<Option<Case>, GoldenError> {
        for file in &self.files {
            let Some(at) = file.heads().iter().position(|h| h.name == name) else {
                continue;
            };
            return Ok(Some(match file {
                File::Toml(file) => file.read(at, d)?,
                File::Csv(file) => file.read(at, d)?,
            }));
        }
        Ok(None)
    }

    /// The cases that a version runs and those it skips.
    ///
    /// # Errors
    /// When a case does not fit the declaration, a case leaves the version out and nothing says
    /// why, or no case is left.
    pub fn select(&self, d: &Description) -> Result<Selected, GoldenError> {
        let version = version_number(&d.version).unwrap_or(u32::MAX);
        let mut selected = Selected {
            cases: Vec::new(),
            skipped: Vec::new(),
        };
        for file in &self.files {
            for (i, head) in file.heads().iter().enumerate() {
                if let Some(skipped) = self.skip(head, version, d)? {
                    selected.skipped.push(skipped);
                    continue;
                }
                selected.cases.push(match file {
                    File::Toml(file) => file.read(i, d)?,
                    File::Csv(file) => file.read(i, d)?,
                });
            }
        }
        if selected.cases.is_empty() {
            let all = selected.skipped.len();
            return Err(GoldenError::NoCases {
                folder: self.folder.clone(),
                logic: d.model_version(),
                why: match (self.files.len(), all) {
                    (0, _) => ", and no .toml or .csv file".to_owned(),
                    (_, 0) => String::new(),
                    (_, n) => format!(": all {n} are superseded, or came with a later version"),
                },
            });
        }
        Ok(selected)
    }

    fn skip(
        &self,
        head: &Head,
        version: u32,
        d: &Description,
    ) -> Result<Option<Skipped>, GoldenError> {
        let skipped = |reason: String, superseded: bool| {
            Ok(Some(Skipped {
                name: head.name.clone(),
                place: head.place.clone(),
                reason,
                superseded,
            }))
        };
        let entry = self
            .supersedes()
            .find(|s| s.versions.contains(&d.version) && s.cases.contains(&head.name));
        if let Some(entry) = entry {
            return skipped(entry.reason.clone(), true);
        }
        match &head.binds {
            binds if binds.holds(version) => Ok(None),
            Binds::Since(first) => skipped(format!("it came with v{first}"), false),
            _ => Err(GoldenError::Unexplained {
                place: head.place.clone(),
                case: head.name.clone(),
                logic: d.model_version(),
                version: d.version.clone(),
            }),
        }
    }
}
