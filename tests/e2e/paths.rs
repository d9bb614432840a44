//! Which parts of the program open a path directly. All others reach files through open folders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Where a path is opened directly, and why that is allowed: paths that the user names, and the folders from
/// which everything else is reached.
const BY_PATH: [(&str, &str); 32] = [
    (
        "lib/author/compile",
        "a logic's source, which its author names",
    ),
    (
        "lib/author/manifest.rs",
        "a logic's source, which its author names",
    ),
    (
        "lib/author/scaffold.rs",
        "a logic's source, which its author names",
    ),
    (
        "lib/author/source.rs",
        "a logic's source, which its author names",
    ),
    (
        "lib/author/stale.rs",
        "a logic's source, which its author names",
    ),
    (
        "lib/author/workspace.rs",
        "a logic's source, which its author names",
    ),
    (
        "domain/files/bounded.rs",
        "the reader for what a person named",
    ),
    (
        "cli/audit/bundle.rs",
        "a bundle, which the command line names",
    ),
    ("cli/audit/key.rs", "a key, which the command line names"),
    ("cli/cache.rs", "the folder of compiled code, opened"),
    (
        "lib/deployment/named.rs",
        "observations, which a person names",
    ),
    (
        "cli/manifest/export.rs",
        "the target, which the command line names",
    ),
    (
        "cli/plugin/found.rs",
        "a component, which the command line names",
    ),
    (
        "cli/release/travel.rs",
        "an archive, which the command line names",
    ),
    (
        "cli/verify/mod.rs",
        "the folder of compiled code, which the command line names, opened",
    ),
    ("cli/watch.rs", "what the system says of this process"),
    ("lib/contract/git.rs", "the checkout that git reads"),
    (
        "domain/files/durable.rs",
        "the folders of the ledger and of a backup, made; the type of a lock's outcome",
    ),
    (
        "domain/failpoint.rs",
        "the file that says how long a test waits, in debug builds alone",
    ),
    (
        "lib/golden/folder.rs",
        "where the folder of cases is looked for",
    ),
    ("lib/golden/bless.rs", "cases, whose folder a person names"),
    ("lib/golden/set.rs", "cases, whose folder a person names"),
    ("lib/incident/regression.rs", "the folder of cases, opened"),
    (
        "ledger/admin.rs",
        "a backup's copy of the ledger, named when all is there; a lock that is held",
    ),
    (
        "lib/deployment/backup.rs",
        "the folder of a backup, which the caller names, opened",
    ),
    (
        "lib/deployment/create.rs",
        "the folder of a new deployment, and components to pin, which a person names",
    ),
    (
        "lib/deployment/mod.rs",
        "the checkout's own notes on its commit",
    ),
    (
        "lib/deployment/stores.rs",
        "the folder of a ledger that the caller names, opened",
    ),
    (
        "lib/deployment/verify.rs",
        "a lock file's folder, which the command line names, opened",
    ),
    (
        "ledger/sqlite",
        "the ledger's path, of the configuration alone, which SQLite opens",
    ),
    (
        "domain/files/outfile.rs",
        "targets, which the command line names",
    ),
    ("lib/project/folder.rs", "the deployment's folder, opened"),
];

/// How many lines of the rooms that record and compute open a path. Whoever adds one has to review it.
const IN_OTHER_ROOMS: [(&str, u32); 17] = [
    ("domain/failpoint.rs", 3),
    ("domain/files/bounded.rs", 2),
    ("domain/files/durable.rs", 8),
    ("domain/files/outfile.rs", 12),
    ("ledger/admin.rs", 2),
    ("ledger/sqlite/migrate.rs", 4),
    ("ledger/sqlite/open.rs", 2),
    ("ledger/sqlite/store.rs", 2),
    ("ledger/sqlite/whole.rs", 3),
    ("lib/deployment/backup.rs", 1),
    ("lib/deployment/create.rs", 2),
    ("lib/deployment/mod.rs", 3),
    ("lib/deployment/named.rs", 1),
    ("lib/deployment/stores.rs", 1),
    ("lib/deployment/verify.rs", 2),
    ("lib/incident/regression.rs", 2),
    ("lib/project/folder.rs", 1),
];

/// A source without the tests at its end. A `mod tests;` only names their file, so it ends nothing.
fn before_tests(text: &str) -> &str {
    const MARK: &str = "#[cfg(test)]\nmod ";
    let inline = |(at, _): &(usize, &str)| {
        let name = text[at + MARK.len()..].split([';', '{']).next();
        name.is_some_and(|name| text[at + MARK.len() + name.len()..].starts_with('{'))
    };
    let end = text.match_indices(MARK).find(inline).map(|(at, _)| at);
    &text[..end.unwrap_or(text.len())]
}

/// Everything else, and every manifest, component, source and report, is reached through open folders, which
/// no path can leave.
#[test]
fn no_unlisted_code_opens_a_path_directly() {
    const WAYS: [&str; 6] = [
        "std::fs",
        "fs::File::",
        "File::open(",
        "OpenOptions::new",
        "open_ambient_dir",
        "read_named(",
    ];
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<_> = std::fs::read_dir(&host)
        .unwrap()
        .map(|krate| krate.unwrap().path().join("src"))
        .collect();
    let mut read = 0;
    let (mut used, mut unknown) = (BTreeSet::new(), Vec::new());
    let mut lines = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let inside = path.strip_prefix(&host).unwrap().display().to_string();
            let inside = inside.replace("/src/", "/");
            // Skips tests and helpers of tests.
            if inside.contains("tests")
                || inside.ends_with("real_data.rs")
                || inside == "proof/vectors.rs"
            {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            read += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let code = before_tests(&text);
            let capable = code.contains("use cap_std::fs::{Dir, OpenOptions}");
            for line in code.lines().map(str::trim) {
                if line.starts_with("//") || !WAYS.iter().any(|way| line.contains(way)) {
                    continue;
                }
                let cap = line.contains("cap_std::fs")
                    || capable && line.contains("OpenOptions::new")
                    || line.contains("dir.open(");
                if cap {
                    continue;
                }
                match BY_PATH.iter().find(|(file, _)| inside.starts_with(file)) {
                    Some((file, _)) => {
                        used.insert(*file);
                        *lines.entry(inside.clone()).or_insert(0) += 1;
                    }
                    None => unknown.push(format!("{inside}: {line}")),
                }
            }
        }
    }
    assert!(read > 100, "{read}");
    assert!(unknown.is_empty(), "{unknown:#?}");
    let unused: Vec<_> = BY_PATH.iter().filter(|(f, _)| !used.contains(f)).collect();
    assert!(unused.is_empty(), "{unused:?}");
    let rooms = ["lib/author", "cli", "lib/contract", "lib/golden"];
    lines.retain(|file, _| !rooms.iter().any(|room| file.starts_with(room)));
    let lines: Vec<_> = lines.iter().map(|(f, n)| (f.as_str(), *n)).collect();
    assert_eq!(lines, IN_OTHER_ROOMS);
}
