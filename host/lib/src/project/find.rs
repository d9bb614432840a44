//! Finds the files of a source: globs and the `{boundary}` placeholder.

use provender_domain::ids::BoundaryId;
use std::path::Path;

use cap_std::fs::Dir;

use crate::ingest::report::IngestError;

use super::sources::Source;

/// A file of a source, with the boundary from its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundFile {
    /// Path relative to the deployment's folder.
    pub path: String,
    /// The boundary it belongs to, if the path or the source gives one.
    pub boundary: Option<BoundaryId>,
}

/// Files of a source: the sorted matches of each pattern in turn, then `files`.
///
/// # Errors
/// If a folder cannot be read or a pattern matches nothing.
pub(crate) fn files(dir: &Dir, source: &Source) -> Result<Vec<FoundFile>, IngestError> {
    let mut found = Vec::new();
    for pattern in &source.paths {
        let mut matches = expand(dir, pattern)?;
        if matches.is_empty() {
            return Err(IngestError::NoFile {
                source_id: source.id.clone(),
                pattern: pattern.clone(),
            });
        }
        for f in &mut matches {
            f.boundary = f.boundary.take().or_else(|| source.boundary.clone());
        }
        found.extend(matches);
    }
    for (path, boundary) in &source.files {
        found.retain(|f| f.path != *path);
        found.push(FoundFile {
            path: path.clone(),
            boundary: Some(boundary.clone()),
        });
    }
    Ok(found)
}

fn expand(dir: &Dir, pattern: &str) -> Result<Vec<FoundFile>, IngestError> {
    let (folder, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    if !name.contains('*') && !name.contains("{boundary}") {
        return Ok(vec![FoundFile {
            path: pattern.to_owned(),
            boundary: None,
        }]);
    }
    let io = |cause| IngestError::Io {
        file: pattern.to_owned(),
        cause,
    };
    let at = if folder.is_empty() {
        Path::new(".")
    } else {
        Path::new(folder)
    };
    let mut matches = Vec::new();
    for entry in dir.read_dir(at).map_err(io)? {
        let entry = entry.map_err(io)?;
        let Ok(file) = entry.file_name().into_string() else {
            continue;
        };
        if !entry.file_type().map_err(io)?.is_file() || file.starts_with('.') {
            continue;
        }
        if let Some(boundary) = matched(name, &file) {
            let path = if folder.is_empty() {
                file
            } else {
                format!("{folder}/{file}")
            };
            matches.push(FoundFile { path, boundary });
        }
    }
    matches.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(matches)
}

/// Matches a name with a pattern. The inner option is the boundary that the name contains.
#[expect(
    clippy::option_option,
    reason = "whether it fits, and which boundary it names if any"
)]
fn matched(pattern: &str, name: &str) -> Option<Option<BoundaryId>> {
    if let Some((before, after)) = pattern.split_once("{boundary}") {
        // The longest possible id, so that ids with dots stay whole.
        let ends = (0..=name.len()).rev().filter(|i| name.is_char_boundary(*i));
        for end in ends {
            for start in (0..end).filter(|i| name.is_char_boundary(*i)) {
                if glob(before, &name[..start]) && glob(after, &name[end..]) {
                    return Some(Some(BoundaryId::unchecked(&name[start..end])));
                }
            }
        }
        return None;
    }
    glob(pattern, name).then_some(None)
}

/// Whether a name matches a pattern in which `*` matches anything. Each piece between two stars matches at its
/// first occurrence, which is sufficient. Trying every occurrence would take exponential time.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_files_and_name_boundaries() {
        assert_eq!(
            matched("{boundary}.json", "north.json"),
            Some(Some(BoundaryId::unchecked("north")))
        );
        assert_eq!(
            matched("rap_{boundary}_*.json", "rap_a.b_2025.json"),
            Some(Some(BoundaryId::unchecked("a.b")))
        );
        assert_eq!(matched("{boundary}.json", "north.csv"), None);
        assert_eq!(matched("*.csv", "a.csv"), Some(None));
        assert_eq!(matched("{boundary}.json", ".json"), None);
        assert!(glob("*", "") && glob("a*", "a") && glob("*a*b*", "xaxxbx") && glob("a*a", "aa"));
        assert!(
            !glob("a*a", "a") && !glob("*a*b", "ba") && !glob("", "a") && !glob("ab*bc", "abc")
        );
        // Thirty stars that almost match would take forever with backtracking.
        assert!(!glob(&format!("{}b", "*a".repeat(30)), &"a".repeat(200)));
    }
}
