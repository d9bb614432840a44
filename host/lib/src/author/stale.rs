//! Whether a folder's source changed after its component was built.

use std::path::Path;
use std::time::SystemTime;

use super::manifest::PluginManifest;
use super::source::LEFT_BEHIND;

/// The newest file of a folder's source, relative to the folder, if it is newer than the component.
///
/// It compares only modification times, so it is a hint and not a proof. Also `None` if the component is outside
/// the folder: there a checkout sets the times in any order.
#[must_use]
pub fn changed_since_built(folder: &Path, manifest: &PluginManifest) -> Option<String> {
    if manifest.component.starts_with("..") {
        return None;
    }
    let component = manifest.component_file(folder);
    let built = component.metadata().and_then(|m| m.modified()).ok()?;
    let mut newest = (built, None);
    look(
        folder,
        "",
        manifest.cases.trim_end_matches('/'),
        &mut newest,
    );
    newest.1
}

/// Looks for a newer file of the source. Unreadable files are skipped.
fn look(folder: &Path, prefix: &str, cases: &str, newest: &mut (SystemTime, Option<String>)) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let shown = format!("{prefix}{name}");
        // Not part of a component: notes, tests, golden cases.
        let beside = name.starts_with(['.']) || name.starts_with("test_") || name.ends_with(".md");
        if beside || shown == cases || LEFT_BEHIND.contains(&name.as_str()) {
            continue;
        }
        let Ok(found) = entry.metadata() else {
            continue;
        };
        if found.is_dir() {
            look(&entry.path(), &format!("{shown}/"), cases, newest);
        } else if let Ok(changed) = found.modified()
            && changed > newest.0
        {
            *newest = (changed, Some(shown));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::Duration;

    use super::*;

    fn set(folder: &Path, file: &str, seconds: u64) {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = File::create(path).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds);
        file.set_modified(time).unwrap();
    }

    #[test]
    fn only_what_a_component_is_made_of_makes_it_stale() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let manifest = PluginManifest::parse(
            "name = \"rain\"\nversion = \"v1\"\nlanguage = \"rust\"\ncomponent = \"build/rain-v1.wasm\"\ncases = \"cases\"\n",
        )
        .unwrap();
        set(folder, "src/lib.rs", 1);
        assert_eq!(changed_since_built(folder, &manifest), None, "never built");
        set(folder, "build/rain-v1.wasm", 10);
        for later in [
            "README.md",
            "cases/a.toml",
            "test_golden.py",
            "target/x",
            ".venv/y",
        ] {
            set(folder, later, 20);
        }
        assert_eq!(changed_since_built(folder, &manifest), None);
        set(folder, "Cargo.lock", 11);
        set(folder, "src/lib.rs", 12);
        let newest = changed_since_built(folder, &manifest);
        assert_eq!(newest.as_deref(), Some("src/lib.rs"));
        let elsewhere = PluginManifest {
            component: "../artifacts/rain-v1.wasm".into(),
            ..manifest
        };
        assert_eq!(changed_since_built(folder, &elsewhere), None);
    }
}
