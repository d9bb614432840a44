//! Deployments that many tests start from: created once for this build of the program and the tests, and
//! copied for each test. They are stored beside the build, so that the next run of the tests can use them
//! too.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use crate::kit::{PROGRAM, Ranch};

/// Those of other builds are deleted after a day, because another test run may be using them.
const LEFT: Duration = Duration::from_secs(86_400);

/// A copy of the deployment of this name.
pub(crate) fn prepared(name: &'static str, make: impl FnOnce() -> Ranch) -> Ranch {
    let ranch = Ranch::empty();
    copy(&once(name, make), &ranch.dir());
    ranch
}

/// Puts the compiled code of the shipped components where the program looks for it. Compiling takes most of
/// the time of a first command, and most tests are not about it.
pub(crate) fn compiled(ranch: &Ranch) {
    let cache = once("ran", Ranch::first_run).join("out/cache");
    copy(&cache, &ranch.path("out/cache"));
}

/// Copies a folder and everything in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// The prepared folder of this name, which nobody changes.
fn once(name: &'static str, make: impl FnOnce() -> Ranch) -> PathBuf {
    type Folders = HashMap<&'static str, Arc<OnceLock<PathBuf>>>;
    static FOLDERS: Mutex<Option<Folders>> = Mutex::new(None);
    let folder = {
        let mut folders = FOLDERS.lock().unwrap();
        let folders = folders.get_or_insert_default();
        Arc::clone(folders.entry(name).or_default())
    };
    let found = folder.get_or_init(|| {
        let all = of_this_build();
        let place = all.join(name);
        if !place.exists() {
            let half = all.join(format!(".{name}.{}", std::process::id()));
            copy(&make().dir(), &half);
            // Another process may have been faster.
            if let Err(e) = fs::rename(&half, &place) {
                assert!(place.exists(), "{}: {e}", place.display());
                fs::remove_dir_all(&half).unwrap();
            }
        }
        place
    });
    found.clone()
}

fn of_this_build() -> PathBuf {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prepared");
    let key: Vec<String> = [PathBuf::from(PROGRAM), std::env::current_exe().unwrap()]
        .map(|file| {
            let built = fs::metadata(file).unwrap().modified().unwrap();
            let since = built.duration_since(std::time::UNIX_EPOCH).unwrap();
            since.as_nanos().to_string()
        })
        .into();
    let folder = all.join(key.join("-"));
    if !folder.exists() {
        fs::create_dir_all(&folder).unwrap();
        for other in fs::read_dir(&all).unwrap().map(Result::unwrap) {
            let written = other.metadata().and_then(|about| about.modified());
            if written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LEFT)) {
                // Another process may have deleted it already.
                let _ = fs::remove_dir_all(other.path());
            }
        }
    }
    folder
}
