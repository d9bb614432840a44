//! Builds a folder to a component with the language's own tools: once, or twice in different folders to
//! compare the bytes.
//!
//! * `rust` — cargo, and the encoder in process
//! * `python` — componentize-py, on a copy of the folder

use std::fs;
use std::path::{Path, PathBuf};

use provender_domain::canonical::Digest;
use provender_domain::files::outfile;
use provender_sandbox::Lock;

use super::error::AuthorError;
use super::manifest::{Language, PluginManifest};

mod python;
mod rust;

/// Where the tools are on this machine. The command line reads it from the environment.
#[derive(Clone, Debug)]
pub struct Machine {
    /// rustc, looked up in `PATH`.
    pub rustc: PathBuf,
    /// Cargo's home.
    pub cargo_home: PathBuf,
    /// The folder that cargo compiles into; `None` for the one in the package's workspace.
    pub target_dir: Option<PathBuf>,
    /// The folders of `PATH`.
    pub path: Vec<PathBuf>,
    /// The componentize-py to use before any other.
    pub componentize_py: Option<PathBuf>,
}

/// A built component that has not been written yet.
#[derive(Clone, Debug)]
pub struct Built {
    /// What the folder says of itself.
    pub manifest: PluginManifest,
    /// The component.
    pub bytes: Vec<u8>,
    /// What built it, in words.
    pub toolchain: String,
}

/// A folder built twice.
#[derive(Clone, Debug)]
pub struct Twice {
    /// What the folder says of itself.
    pub manifest: PluginManifest,
    /// The component of the first build.
    pub first: Vec<u8>,
    /// The component of the second build.
    pub second: Vec<u8>,
    /// What built them, in words.
    pub toolchain: String,
}

impl Twice {
    /// Whether both builds gave the same bytes.
    #[must_use]
    pub fn same(&self) -> bool {
        self.first == self.second
    }
}

/// Builds a folder to a component.
///
/// # Errors
/// If the folder is not a logic's, a tool is missing, or the source does not compile.
pub fn build(machine: &Machine, folder: &Path) -> Result<Built, AuthorError> {
    let manifest = PluginManifest::read(folder)?;
    let (bytes, toolchain) = match manifest.language {
        Language::Rust => rust::build(machine, folder)?,
        Language::Python => python::build(machine, folder)?,
    };
    Ok(Built {
        manifest,
        bytes,
        toolchain,
    })
}

/// Builds a folder twice, each time from scratch in a copy with another name, and writes neither component.
///
/// # Errors
/// As [`build`].
pub fn verify(machine: &Machine, folder: &Path) -> Result<Twice, AuthorError> {
    let manifest = PluginManifest::read(folder)?;
    let (first, second, toolchain) = match manifest.language {
        Language::Rust => rust::verify(machine, folder)?,
        Language::Python => {
            let (first, toolchain) = python::build(machine, folder)?;
            (first, python::build(machine, folder)?.0, toolchain)
        }
    };
    Ok(Twice {
        manifest,
        first,
        second,
        toolchain,
    })
}

impl Built {
    /// Checks that the component declares the logic version that the folder's manifest states.
    ///
    /// # Errors
    /// If it declares another one.
    pub fn check_declared(&self, folder: &Path, declared: &str) -> Result<(), AuthorError> {
        let expected = self.manifest.logic.to_string();
        match expected == declared {
            true => Ok(()),
            false => Err(AuthorError::Declared {
                folder: folder.to_owned(),
                declared: declared.to_owned(),
                expected,
            }),
        }
    }

    /// Writes the component to the path in the folder's manifest, or to `output`, atomically.
    ///
    /// # Errors
    /// If a lock file beside it pins the file with other bytes, or it cannot be written.
    pub fn write(&self, folder: &Path, output: Option<&Path>) -> Result<PathBuf, AuthorError> {
        let file = match output {
            Some(output) => output.to_owned(),
            None => self.manifest.component_file(folder),
        };
        refuse_pinned(&file, &self.bytes)?;
        let io = |cause| AuthorError::Io {
            path: file.clone(),
            cause,
        };
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(io)?;
        }
        outfile::write(&file, &self.bytes).map_err(io)?;
        Ok(file)
    }
}

/// Refuses to write other bytes over a file that `provender.lock` beside it pins.
fn refuse_pinned(file: &Path, bytes: &[u8]) -> Result<(), AuthorError> {
    let lock = file.with_file_name("provender.lock");
    let text = match fs::read_to_string(&lock) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(AuthorError::Io { path: lock, cause }),
    };
    let pins = Lock::parse(&text).map_err(|e| AuthorError::Manifest {
        file: lock,
        cause: e.to_string(),
    })?;
    let name = file.file_name().map(|n| n.to_string_lossy());
    let built = Digest::of_bytes(bytes);
    let other = pins
        .components()
        .iter()
        .find(|p| Some(p.path.as_str()) == name.as_deref() && p.sha256 != built);
    match other {
        None => Ok(()),
        Some(pin) => Err(AuthorError::PinnedOther {
            file: file.to_owned(),
            model_version: pin.model_version(),
            state: pin.state,
            pinned: pin.sha256.to_string(),
            built: built.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(bytes: &[u8]) -> Built {
        let text = "name = \"rain\"\nversion = \"v1\"\nlanguage = \"rust\"\ncomponent = \"build/rain-v1.wasm\"\ncases = \"cases\"\n";
        Built {
            manifest: PluginManifest::parse(text).unwrap(),
            bytes: bytes.to_vec(),
            toolchain: String::new(),
        }
    }

    #[test]
    fn a_component_is_written_where_its_folder_or_the_caller_says() {
        let folder = tempfile::tempdir().unwrap();
        let file = built(b"one").write(folder.path(), None).unwrap();
        assert_eq!(file, folder.path().join("build/rain-v1.wasm"));
        let other = folder.path().join("deep/er.wasm");
        built(b"two").write(folder.path(), Some(&other)).unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"two");
        let names = fs::read_dir(folder.path().join("build")).unwrap().count();
        assert_eq!(names, 1, "a temporary file was left");
    }

    #[test]
    fn a_logic_other_than_the_one_its_folder_names_is_refused() {
        let folder = Path::new("rain-v1");
        built(b"one").check_declared(folder, "rain:v1").unwrap();
        let error = built(b"one").check_declared(folder, "rain:v2").unwrap_err();
        insta::assert_snapshot!(error, @"the component of rain-v1 declares rain:v2, but its provender-plugin.toml says rain:v1");
        assert_eq!(error.code(), "declared_other");
    }

    #[test]
    fn a_pinned_file_keeps_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let digest = Digest::of_bytes(b"one");
        let lock = format!(
            "version = 1\n[[component]]\nname = \"rain\"\nversion = \"v1\"\nstate = \"frozen\"\nsha256 = \"{digest}\"\nsize = 3\nworld = \"w\"\nlanguage = \"rust\"\npath = \"rain-v1.wasm\"\n"
        );
        let file = folder.path().join("rain-v1.wasm");
        fs::write(folder.path().join("provender.lock"), lock).unwrap();
        built(b"one").write(folder.path(), Some(&file)).unwrap();
        let error = built(b"two").write(folder.path(), Some(&file)).unwrap_err();
        assert_eq!(error.code(), "component_pinned");
        assert!(
            error
                .help()
                .unwrap()
                .contains("a frozen version never changes")
        );
        assert_eq!(fs::read(&file).unwrap(), b"one");
    }
}
