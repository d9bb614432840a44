//! Errors of the author's folder.

use provender_domain::ids::ModelVersion;
use std::path::PathBuf;

use provender_build::{BuildError, ToolsError};
use provender_sandbox::PinState;

use super::manifest::{FILE, Language};

/// Why a folder is not created or not built.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// Not a name and a version.
    #[error("`{given}` is not a logic version: {cause}")]
    Name {
        /// As written.
        given: String,
        /// What is wrong, and what would be right.
        cause: String,
    },
    /// The folder of the new version is not empty.
    #[error("{} already exists and {}", .folder.display(), if *.is_folder { "is not empty" } else { "is not a folder" })]
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// False if the path is not a folder.
        is_folder: bool,
    },
    /// The version is pinned.
    #[error("{model_version} is taken: the lock file pins it ({})", .state.name())]
    Pinned {
        /// `name:version`.
        model_version: ModelVersion,
        /// Draft or frozen.
        state: PinState,
        /// The next version that is not pinned.
        free: String,
    },
    /// A member of that name is in the workspace.
    #[error("{} already has the member `{package}`", .workspace.display())]
    Member {
        /// Manifest of the workspace.
        workspace: PathBuf,
        /// Name of the package.
        package: String,
    },
    /// The version to start from was not found.
    #[error("there is no source of {wanted} to start from")]
    NoSource {
        /// `name:version`.
        wanted: String,
        /// The folders that were tried.
        looked: Vec<PathBuf>,
        /// The versions that are part of the program.
        shipped: Vec<String>,
    },
    /// A version to start from that is written in another language.
    #[error("{from} is written in {found}, but --lang asks for {wanted}")]
    OtherLanguage {
        /// `name:version`.
        from: String,
        /// Its language.
        found: Language,
        /// The language asked for.
        wanted: Language,
    },
    /// A file that cannot be carried over automatically.
    #[error("{file}: {cause}")]
    Carry {
        /// The file.
        file: String,
        /// The reason.
        cause: String,
    },
    /// Not the folder of a logic.
    #[error("{} is not the folder of a logic: {}", .folder.display(), if .folder.is_dir() { "it has no provender-plugin.toml" } else { "it does not exist" })]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder's own file is not usable.
    #[error("{}: {cause}", .file.display())]
    Manifest {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The Rust tool chain.
    #[error(transparent)]
    Tools(#[from] ToolsError),
    /// No componentize-py.
    #[error("componentize-py is not installed: looked for {}", .looked.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", "))]
    NoComponentize {
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// A componentize-py that does not run, or has an unsupported version.
    #[error("{} {found}; this program supports {known}", .tool.display())]
    OtherComponentize {
        /// The program.
        tool: PathBuf,
        /// The version it reports, as a clause.
        found: String,
        /// The supported version.
        known: &'static str,
    },
    /// The build of a Rust folder.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// componentize-py failed.
    #[error("componentize-py could not build {folder}:\n{output}")]
    Componentize {
        /// The folder.
        folder: String,
        /// Its output.
        output: String,
    },
    /// The component's file is pinned with other bytes.
    #[error("{} is pinned as {model_version} ({}) with {pinned}, but this build gives {built}", .file.display(), .state.name())]
    PinnedOther {
        /// The component's file.
        file: PathBuf,
        /// `name:version`.
        model_version: ModelVersion,
        /// Draft or frozen.
        state: PinState,
        /// Digest in the lock file.
        pinned: String,
        /// Digest of what was built.
        built: String,
    },
    /// The built component declares another logic version than its folder.
    #[error("the component of {} declares {declared}, but its {FILE} says {expected}", .folder.display())]
    Declared {
        /// The folder.
        folder: PathBuf,
        /// `name:version` of the component.
        declared: String,
        /// `name:version` of the folder's file.
        expected: String,
    },
    /// A file or folder.
    #[error("{}: {cause}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        cause: std::io::Error,
    },
}

impl AuthorError {
    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            AuthorError::Name { .. } => "logic_name",
            AuthorError::Occupied { .. } => "folder_occupied",
            AuthorError::Pinned { .. } => "version_taken",
            AuthorError::Member { .. } => "member_taken",
            AuthorError::NoSource { .. } => "source_not_found",
            AuthorError::OtherLanguage { .. } => "source_language",
            AuthorError::Carry { .. } => "source_unusable",
            AuthorError::NoFolder { .. } => "plugin_folder_not_found",
            AuthorError::Manifest { .. } => "plugin_manifest",
            AuthorError::Tools(_) | AuthorError::NoComponentize { .. } => "tool_missing",
            AuthorError::OtherComponentize { .. } => "tool_version",
            AuthorError::Build(BuildError::Manifest { .. }) => "package_manifest",
            AuthorError::Build(BuildError::Io { .. }) | AuthorError::Io { .. } => "author_io",
            AuthorError::Build(_) | AuthorError::Componentize { .. } => "build_failed",
            AuthorError::PinnedOther { .. } => "component_pinned",
            AuthorError::Declared { .. } => "declared_other",
        }
    }

    /// What to do next; `None` if the message says it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            AuthorError::Name { .. } => {
                "name a version like this: provender plugin new days_remaining:v3 --lang rust".into()
            }
            AuthorError::Occupied { .. } => {
                "--dir names another folder; nothing was written".into()
            }
            AuthorError::Pinned { free, .. } => {
                format!("a pinned version keeps its meaning; {free} is free. Nothing was written")
            }
            AuthorError::Member { .. } => "take the next version; nothing was written".into(),
            AuthorError::NoSource { looked, shipped, .. } => {
                let looked: Vec<_> = looked.iter().map(|p| p.display().to_string()).collect();
                format!(
                    "no folder {}; this program carries {}. Without --from the folder starts from an example",
                    looked.join(", "),
                    shipped.join(", ")
                )
            }
            AuthorError::OtherLanguage { found, .. } => format!(
                "--lang {found} copies it; without --from the folder starts from an example"
            ),
            AuthorError::NoFolder { .. } => {
                "`provender plugin new NAME:VERSION --lang rust` makes such a folder".into()
            }
            AuthorError::Manifest { .. } => {
                "its keys are name, version, language, component and cases: docs/reference/files.md".into()
            }
            AuthorError::NoComponentize { .. } | AuthorError::OtherComponentize { .. } => {
                "in the folder: python3 -m venv .venv && .venv/bin/pip install componentize-py==0.25.1; or name one with PROVENDER_COMPONENTIZE_PY".into()
            }
            // Builds are `--locked`, so that they give the same bytes everywhere.
            AuthorError::Build(BuildError::Cargo { output, .. }) if output.contains("--locked") => {
                "Cargo.lock does not fit Cargo.toml: run `cargo test` in the folder once, which writes it anew, and keep it with the source".into()
            }
            AuthorError::Build(BuildError::Cargo { output, .. }) if output.contains("can't find crate for `std`") || output.contains("can't find crate for `core`") => {
                "run `rustup target add wasm32-unknown-unknown`, or where that cannot be downloaded `rustup component add rust-src`".into()
            }
            AuthorError::Declared { .. } => format!(
                "correct whichever is wrong: name and version in the source's declaration, or in {FILE}, whose component path contains them too. Nothing was written"
            ),
            AuthorError::Componentize { output, .. } if output.contains("ModuleNotFoundError") => {
                "the build sees only the folder and the standard library: put a package of pure Python into the folder, beside app.py. A package with compiled parts, such as numpy, cannot be loaded".into()
            }
            AuthorError::PinnedOther { state: PinState::Frozen, .. } => {
                "a frozen version never changes: make a new one with `provender plugin new … --from`, or build to another file with -o. Nothing was written".into()
            }
            AuthorError::PinnedOther { .. } => {
                "build to another file with -o, then `provender plugin add` replaces the draft. Nothing was written".into()
            }
            AuthorError::Carry { .. }
            | AuthorError::Tools(_)
            | AuthorError::Build(_)
            | AuthorError::Componentize { .. }
            | AuthorError::Io { .. } => return None,
        })
    }
}
