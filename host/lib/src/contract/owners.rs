//! `CODEOWNERS`: which owners a path has.
//!
//! The rules are GitHub's: the last pattern that fits decides, and patterns are those of
//! `.gitignore`. An owner's name is the last part of its handle, so that `@provender/mlops` and
//! `@mlops` are both `mlops`.

use std::collections::BTreeSet;

/// Where GitHub looks, in its order.
pub(super) const FILES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// The file, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Owners {
    rules: Vec<(String, BTreeSet<String>)>,
}

impl Owners {
    pub(super) fn parse(text: &str) -> Owners {
        let rules = text.lines().filter_map(|line| {
            let line = line.split(" #").next().unwrap_or_default().trim();
            let mut parts = line.split_whitespace();
            let pattern = parts.next().filter(|p| !p.starts_with('#'))?;
            Some((pattern.to_owned(), parts.map(name).collect()))
        });
        Owners {
            rules: rules.collect(),
        }
    }

    /// The owners of a path; empty if no rule matches, or the last matching rule names no owner.
    pub(super) fn of(&self, path: &str) -> BTreeSet<String> {
        let fitting = self.rules.iter().rev().find(|(p, _)| fits(p, path));
        fitting
            .map(|(_, owners)| owners.clone())
            .unwrap_or_default()
    }

    /// The line, from 1, is not kept: the file is named as a whole.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// An owner's name, however it is spelled: `@provender/mlops`, `@mlops` and `MLOps` are one.
pub(super) fn name(owner: &str) -> String {
    let tail = owner.rsplit('/').next().unwrap_or(owner);
    tail.trim_start_matches('@').to_ascii_lowercase()
}

/// Whether a pattern of `.gitignore`'s form fits a path or a folder above it.
fn fits(pattern: &str, path: &str) -> bool {
    let folder_only = pattern.ends_with('/');
    let body = pattern.trim_end_matches('/');
    // A slash at the start or inside ties the pattern to the root.
    let anchored = body.trim_start_matches('/').contains('/') || body.starts_with('/');
    let body = body.trim_start_matches('/');
    let wanted: Vec<&str> = body.split('/').collect();
    let parts: Vec<&str> = path.split('/').collect();
    let starts = if anchored { 0..1 } else { 0..parts.len() };
    starts.into_iter().any(|start| {
        // A pattern that matches a folder matches everything in it.
        (start + 1..=parts.len()).any(|end| {
            let is_folder = end < parts.len();
            (is_folder || !folder_only)
                // `docs/*` is not `docs/a/b`: GitHub's own exception.
                && !(is_folder && wanted.last() == Some(&"*"))
                && segments(&wanted, &parts[start..end])
        })
    })
}

fn segments(pattern: &[&str], path: &[&str]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((&"**", rest)) => {
            // At the end it matches at least one part.
            let least = usize::from(rest.is_empty());
            (least..=path.len()).any(|n| segments(rest, &path[n..]))
        }
        Some((first, rest)) => path.split_first().is_some_and(|(part, tail)| {
            glob(first.as_bytes(), part.as_bytes()) && segments(rest, tail)
        }),
    }
}

/// `*` and `?` within one part of a path.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=text.len()).any(|n| glob(rest, &text[n..])),
        (Some((b'?', rest)), Some((_, tail))) => glob(rest, tail),
        (Some((p, rest)), Some((t, tail))) => p == t && glob(rest, tail),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_fits_decides() {
        let owners = Owners::parse(
            "# all\n* @org/everyone\nlogic-plugins/** @provender/ds # theirs\nhost/ @provender/mlops\n/docs/operations/ @MLOps\nprovender.lock @provender/ds @provender/mlops\nfree/\n",
        );
        let of = |path: &str| owners.of(path).into_iter().collect::<Vec<_>>().join(" ");
        for (path, expected) in [
            ("README.md", "everyone"),
            ("logic-plugins/a/b.rs", "ds"),
            ("logic-plugins/artifacts/provender.lock", "ds mlops"),
            ("provender.lock", "ds mlops"),
            ("host/src/lib.rs", "mlops"),
            ("docs/operations/cron.md", "mlops"),
            ("x/docs/operations/cron.md", "everyone"),
            ("free/x", ""),
        ] {
            assert_eq!(of(path), expected, "{path}");
        }
    }

    #[test]
    fn patterns_work_like_those_of_gitignore() {
        for (pattern, path, fit) in [
            ("*.wit", "wit/logic.wit", true),
            ("wit/*.wit", "wit/logic.wit", true),
            ("wit/*.wit", "a/wit/logic.wit", false),
            ("/wit", "wit/logic.wit", true),
            ("wit/", "wit", false),
            ("docs/*", "docs/a.md", true),
            ("docs/*", "docs/a/b.md", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**", "a", false),
            ("**/b", "x/b/c", true),
            ("?.md", "a.md", true),
            ("?.md", "ab.md", false),
        ] {
            assert_eq!(fits(pattern, path), fit, "{pattern} {path}");
        }
    }
}
