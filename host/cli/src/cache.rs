//! The cache of compiled code outside a deployment: the user's own cache folder.
//!
//! An author builds, checks and tests a component in quick succession, and compiling a Python component
//! takes seconds each time.
//! Anyone who can write to the folder can run native code here, so it is used only if it belongs to the
//! user and nobody else can write to it. Otherwise there is no cache, which is not an error.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use provender_host::project::CompileLimits;
use provender_sandbox::{Backend, Limits, LogicError, Sandbox};

use super::Global;

/// A sandbox for components outside any deployment, with default limits and the user's cache.
pub(super) fn sandbox_anywhere(global: &Global) -> Result<Sandbox, LogicError> {
    sandbox_anywhere_on(global, Backend::Native)
}

/// Like [`sandbox_anywhere`], on the given backend.
pub(super) fn sandbox_anywhere_on(
    global: &Global,
    backend: Backend,
) -> Result<Sandbox, LogicError> {
    let cache = folder(|name| std::env::var_os(name)).and_then(|path| open(&path));
    Sandbox::with_backend(
        backend,
        Limits::default(),
        cache,
        Some(global.ui().compiling(CompileLimits::default())),
    )
}

/// This program's folder in the platform's folder of caches.
fn folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let at = |name: &str| {
        variable(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    let base = if cfg!(windows) {
        at("LOCALAPPDATA")?
    } else {
        at("XDG_CACHE_HOME").or_else(|| at("HOME").map(|home| home.join(".cache")))?
    };
    Some(base.join("provender").join("components"))
}

fn open(path: &Path) -> Option<Dir> {
    make(path)?;
    is_ours(path).then_some(())?;
    Dir::open_ambient_dir(path, ambient_authority()).ok()
}

#[cfg(unix)]
fn make(path: &Path) -> Option<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path).ok()
}

#[cfg(not(unix))]
fn make(path: &Path) -> Option<()> {
    std::fs::create_dir_all(path).ok()
}

/// Whether the folder belongs to the current user and nobody else can write to it. Under `sudo` the
/// folder belongs to the caller, so the answer is no.
#[cfg(unix)]
fn is_ours(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(folder) = std::fs::symlink_metadata(path) else {
        return false;
    };
    // A new file belongs to the user who creates it.
    let me = tempfile::tempfile_in(path).and_then(|file| file.metadata());
    folder.is_dir() && folder.mode() & 0o022 == 0 && me.is_ok_and(|mine| mine.uid() == folder.uid())
}

#[cfg(not(unix))]
fn is_ours(path: &Path) -> bool {
    path.is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn the_cache_is_in_the_platforms_folder_of_caches() {
        let of = |set: &[(&str, &str)]| {
            let found = folder(|name| {
                let hit = set.iter().find(|(n, _)| *n == name);
                hit.map(|(_, value)| OsString::from(value))
            });
            found.map(|p| p.display().to_string())
        };
        let home = ("HOME", "/home/ada");
        assert_eq!(of(&[]), None);
        assert_eq!(
            of(&[home]).as_deref(),
            Some("/home/ada/.cache/provender/components")
        );
        assert_eq!(
            of(&[home, ("XDG_CACHE_HOME", "/var/ada")]).as_deref(),
            Some("/var/ada/provender/components")
        );
        // A relative path would mean a different folder in each working directory.
        assert_eq!(
            of(&[home, ("XDG_CACHE_HOME", "cache")]).as_deref(),
            Some("/home/ada/.cache/provender/components")
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_folder_that_others_can_write_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a/b");
        assert!(open(&path).is_some());
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o770)).unwrap();
        assert!(open(&path).is_none());
    }
}
