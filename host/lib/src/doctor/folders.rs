//! Checks the folders that a deployment writes: whether they can be written, and what a killed process left there.

use std::path::Path;

use provender_domain::files::durable::WRITING;

use crate::deployment::LOCK;
use crate::project::Project;

use super::DoctorFinding;

/// The program's folders that cannot be written, each once. Creates an unnamed file in each, which disappears with this
/// process: permissions alone do not show a full or read-only disk.
pub(super) fn unwritable(project: &Project) -> Vec<DoctorFinding> {
    let settings = &project.settings;
    let ledger = project.ledger().folder();
    let ledger = ledger.map(|folder| ("ledger.url", folder.to_path_buf()));
    let folders = [
        (
            "manifests.path",
            project.root.join(&settings.manifests.path),
        ),
        ("reports.path", project.root.join(&settings.reports.path)),
        ("releases.path", project.root.join(&settings.releases.path)),
        ("cache.path", project.root.join(&settings.cache.path)),
    ];
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for (setting, folder) in ledger.into_iter().chain(folders) {
        // A folder that does not exist is created in the nearest existing folder above it.
        let there = folder.ancestors().find(|f| f.is_dir());
        let there = there.unwrap_or(&project.root).to_path_buf();
        if seen.contains(&there) {
            continue;
        }
        if let Err(cause) = tempfile::tempfile_in(&there) {
            found.push(DoctorFinding::Unwritable {
                setting,
                folder: there.display().to_string(),
                cause: cause.to_string(),
            });
        }
        seen.push(there);
    }
    found
}

/// Temporary files in the folders that the program writes.
pub(super) fn unfinished(project: &Project) -> Vec<DoctorFinding> {
    let settings = &project.settings;
    let manifests = Path::new(&settings.manifests.path);
    let releases = Path::new(&settings.releases.path);
    let written = [
        manifests.to_path_buf(),
        manifests.join("packs"),
        Path::new(&settings.reports.path).to_path_buf(),
        releases.to_path_buf(),
        releases.join("components"),
    ];
    let mut found: Vec<DoctorFinding> = written
        .iter()
        .filter_map(|folder| temporary(project, &folder.join(WRITING), |_| true))
        .collect();
    found.extend(temporary(project, Path::new("."), |name| {
        name == format!("{LOCK}.tmp")
    }));
    found.extend(temporary(project, Path::new("components"), |name| {
        name.ends_with(".tmp")
    }));
    let folder = project.ledger().folder();
    found.extend(folder.and_then(|folder| {
        #[expect(
            clippy::disallowed_methods,
            reason = "a folder elsewhere is shown with its full path"
        )]
        let inside = folder.strip_prefix(&project.root).unwrap_or(folder);
        unfinished_in(inside, project.ledger().admin().unfinished())
    }));
    found
}

/// The files of a folder whose names match. A folder that does not exist or cannot be read has none.
fn temporary(project: &Project, folder: &Path, of: impl Fn(&str) -> bool) -> Option<DoctorFinding> {
    let names = project.dir.read_dir(folder).ok()?;
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    unfinished_in(folder, names.filter(|name| of(name)).count())
}

fn unfinished_in(folder: &Path, files: usize) -> Option<DoctorFinding> {
    match files {
        0 => None,
        files => Some(DoctorFinding::Unfinished {
            folder: folder.display().to_string(),
            files,
        }),
    }
}
