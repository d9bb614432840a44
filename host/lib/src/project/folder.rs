//! Finds a deployment's folder and opens its files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use provender_domain::files::bounded;
use provender_domain::files::durable;
use provender_ledger::Address;

use super::ProjectError;
use super::logic::{self, LogicFile};
use super::settings::{self, Settings};
use super::sources::{self, Sources};

/// A deployment's folder and its parsed files.
#[derive(Debug)]
pub struct Project {
    /// The folder.
    pub root: PathBuf,
    /// Handle through which everything in the folder is opened.
    pub dir: Dir,
    /// `provender.toml`.
    pub settings: Settings,
    /// The keys that `provender.toml` sets.
    pub settings_set: toml::Table,
    /// Where the ledger is.
    ledger: Address,
    /// `logic.toml`, or its error.
    logic: Result<LogicFile, ProjectError>,
    /// `sources.toml`; without any source if the file cannot be used.
    pub sources: Sources,
    /// Why `sources.toml` cannot be used.
    pub sources_problem: Option<ProjectError>,
}

impl Project {
    /// The folder with a `provender.toml`: `start` or the nearest one above it.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn find(start: &Path) -> Result<PathBuf, ProjectError> {
        start
            .ancestors()
            .find(|dir| dir.join(settings::FILE).exists())
            .map(Path::to_path_buf)
            .ok_or_else(|| ProjectError::NotFound(start.to_path_buf()))
    }

    /// Reads the files of the deployment at `root`. `logic.toml` and `sources.toml` may be missing. Their errors are
    /// kept for the caller, because a release in force needs neither.
    ///
    /// # Errors
    /// When there is no `provender.toml`, or it cannot be read or used.
    pub(crate) fn open(root: &Path) -> Result<Project, ProjectError> {
        let read = |cause| ProjectError::Read {
            file: root.display().to_string(),
            cause: Arc::new(cause),
        };
        let dir = Dir::open_ambient_dir(root, ambient_authority()).map_err(read)?;
        if !dir.exists(settings::FILE) {
            return Err(ProjectError::NotFound(root.to_path_buf()));
        }
        let settings_text = read_text(&dir, settings::FILE)?.unwrap_or_default();
        let text = |name| Ok(read_text(&dir, name)?.unwrap_or_default());
        let logic = text(logic::FILE).and_then(|text| LogicFile::parse(&text));
        let (sources, sources_problem) =
            match text(sources::FILE).and_then(|text| Sources::parse(&text)) {
                Ok(sources) => (sources, None),
                Err(problem) => (Sources::default(), Some(problem)),
            };
        let settings = Settings::parse(&settings_text)?;
        Ok(Project {
            root: root.to_path_buf(),
            ledger: settings.ledger.address(root)?,
            settings,
            settings_set: settings::set(&settings_text)?,
            logic,
            sources,
            sources_problem,
            dir,
        })
    }

    /// DS's settings from the deployment's `logic.toml`, even if a release is in force.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn logic(&self) -> Result<&LogicFile, ProjectError> {
        self.logic.as_ref().map_err(Clone::clone)
    }

    /// Where the ledger is.
    #[must_use]
    pub fn ledger(&self) -> &Address {
        &self.ledger
    }

    /// Opens the cache folder of compiled code and creates it if it is missing. It is not synced, because the cache
    /// can be rebuilt. `None` if it cannot be created.
    #[must_use]
    pub fn cache(&self) -> Option<Dir> {
        let path = &self.settings.cache.path;
        self.dir.create_dir_all(path).ok()?;
        self.dir.open_dir(path).ok()
    }

    /// Opens one of the program's own folders in the deployment, and creates it durably if it is missing.
    ///
    /// # Errors
    /// If it cannot be created or leads outside the deployment's folder.
    pub(crate) fn folder(&self, path: &str) -> Result<Dir, ProjectError> {
        let write = |cause| ProjectError::Write {
            file: self.root.join(path).display().to_string(),
            cause: Arc::new(cause),
        };
        durable::make_folder(&self.dir, path)
            .and_then(|()| self.dir.open_dir(path))
            .map_err(|e| write(durable::in_the_way(&self.dir, path, e)))
    }
}

fn read_text(dir: &Dir, name: &str) -> Result<Option<String>, ProjectError> {
    match bounded::text_in(dir, name, bounded::CONFIG_BYTES) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        // The file exists and is readable, but its content is not valid.
        Err(e) if matches!(e.kind(), ErrorKind::FileTooLarge | ErrorKind::InvalidData) => {
            Err(ProjectError::Parse {
                file: name.to_owned(),
                cause: e.to_string(),
            })
        }
        Err(cause) => Err(ProjectError::Read {
            file: name.to_owned(),
            cause: Arc::new(cause),
        }),
    }
}
