//! The rules, and what they find.

use std::collections::BTreeSet;

use crate::domain::canonical::Digest;
use crate::logic::{Lock, Pin, Sandbox, State};

use super::declared::differences;
use super::error::ContractError;
use super::git::{Change, Repository, What};
use super::owners::{FILES, Owners};

const LOCK: &str = "provender.lock";
const MANIFEST: &str = "provender-plugin.toml";

/// A rule of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A frozen pin stays, with its bytes' digest.
    FrozenPin,
    /// The bytes of a frozen version stay.
    FrozenBytes,
    /// What a frozen version declares stays: parameter defaults, bounds, thresholds, features.
    FrozenDeclaration,
    /// The source of a frozen version stays.
    FrozenSource,
    /// A version of the WIT stays.
    FrozenWit,
    /// Owners of what changes have approved, where there are several.
    Owners,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Rule; 6] = [
        Rule::FrozenPin,
        Rule::FrozenBytes,
        Rule::FrozenDeclaration,
        Rule::FrozenSource,
        Rule::FrozenWit,
        Rule::Owners,
    ];

    /// A stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Rule::FrozenPin => "frozen_pin",
            Rule::FrozenBytes => "frozen_bytes",
            Rule::FrozenDeclaration => "frozen_declaration",
            Rule::FrozenSource => "frozen_source",
            Rule::FrozenWit => "frozen_wit",
            Rule::Owners => "owners",
        }
    }

    /// The rule as a sentence.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Rule::FrozenPin => "the pin of a frozen version is neither removed nor changed",
            Rule::FrozenBytes => "the component of a frozen version keeps its bytes",
            Rule::FrozenDeclaration => {
                "a frozen version keeps its parameter defaults and thresholds"
            }
            Rule::FrozenSource => "the folder of a frozen version is not touched",
            Rule::FrozenWit => "a version of the WIT is not edited in place",
            Rule::Owners => "every owner of what changes has approved, where there are several",
        }
    }
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// The file, relative to the repository.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// A frozen version of the base, with the lock file that pins it.
struct Frozen {
    lock: String,
    pin: Pin,
}

impl Frozen {
    /// The component's path in the repository.
    fn component(&self) -> String {
        beside(&self.lock, &self.pin.path)
    }

    /// Whether a folder's name is the version's: `days-remaining-v2`, or with underscores.
    fn is_folder(&self, name: &str) -> bool {
        name.replace('-', "_") == format!("{}_{}", self.pin.name, self.pin.version)
    }
}

/// A path relative to the folder of a file.
fn beside(file: &str, path: &str) -> String {
    match file.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{path}"),
        None => path.to_owned(),
    }
}

fn new_version(pin: &Pin) -> String {
    format!(
        "put {} back as it was at the base and ship the change as a new version of {}",
        pin.model_version(),
        pin.name
    )
}

/// Judges the change. `approved` are the owners whose approval the command line gives.
///
/// # Errors
/// When the base or the working tree cannot be read.
pub fn judge(
    repository: &Repository,
    sandbox: &Sandbox,
    approved: &[String],
) -> Result<Vec<Finding>, ContractError> {
    let changes = repository.changes()?;
    let files = repository.files_at_base()?;
    let changed: BTreeSet<&str> = changes.iter().map(|c| c.path.as_str()).collect();
    let mut frozen = Vec::new();
    for lock in files.iter().filter(|f| is_named(f, LOCK)) {
        let text = repository.at_base(lock)?;
        let text = String::from_utf8_lossy(&text);
        match Lock::parse(&text) {
            Ok(base) => frozen.extend(
                base.components()
                    .iter()
                    .filter(|pin| pin.state == State::Frozen)
                    .map(|pin| Frozen {
                        lock: lock.clone(),
                        pin: pin.clone(),
                    }),
            ),
            // A lock file that is not touched and was unusable before is not this change's doing.
            Err(_) if !changed.contains(lock.as_str()) => {}
            Err(e) => {
                return Err(ContractError::AtBase {
                    path: lock.clone(),
                    cause: e.to_string(),
                });
            }
        }
    }
    let mut findings = Vec::new();
    for f in &frozen {
        if changed.contains(f.lock.as_str()) {
            findings.extend(pin(repository, f)?);
        }
        if changed.contains(f.component().as_str()) {
            findings.extend(bytes(repository, sandbox, f)?);
        }
    }
    findings.extend(sources(repository, &files, &frozen, &changes)?);
    findings.extend(wit(repository, &changes)?);
    findings.extend(owners(repository, &files, &changes, approved)?);
    findings.sort_by(|a, b| (&a.path, a.rule).cmp(&(&b.path, b.rule)));
    Ok(findings)
}

fn is_named(path: &str, name: &str) -> bool {
    path.rsplit('/').next() == Some(name)
}

/// The line of a lock file that speaks of a version, from 1.
#[must_use]
pub fn line_of_pin(text: &str, pin: &Pin) -> usize {
    let (name, version) = (
        format!("name = \"{}\"", pin.name),
        format!("version = \"{}\"", pin.version),
    );
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let at = lines
        .windows(2)
        .position(|pair| pair[0] == name && pair[1] == version);
    at.map_or(1, |i| i + 1)
}

/// The frozen pin, as the lock file has it now.
fn pin(repository: &Repository, frozen: &Frozen) -> Result<Option<Finding>, ContractError> {
    let was = &frozen.pin;
    let finding = |line: usize, message: String| {
        Some(Finding {
            rule: Rule::FrozenPin,
            path: frozen.lock.clone(),
            line,
            message,
            remedy: format!(
                "put the entry of {} back: git checkout {} -- {}; other bytes are a new version",
                was.model_version(),
                &repository.base()[..12.min(repository.base().len())],
                frozen.lock
            ),
        })
    };
    let model = was.model_version();
    let Some(now) = repository.now(&frozen.lock)? else {
        return Ok(finding(
            1,
            format!("the lock file is gone, and with it the frozen pin of {model}"),
        ));
    };
    let text = String::from_utf8_lossy(&now);
    let lock = match Lock::parse(&text) {
        Ok(lock) => lock,
        Err(e) => {
            return Ok(finding(
                1,
                format!("the frozen pin of {model} cannot be read: {e}"),
            ));
        }
    };
    let Some(is) = lock.find(&was.name, &was.version) else {
        return Ok(finding(1, format!("the frozen pin of {model} is removed")));
    };
    let line = line_of_pin(&text, was);
    let changed = if is.sha256 != was.sha256 || is.size != was.size {
        format!("sha256 was {}, is {}", was.sha256, is.sha256)
    } else if is.state != was.state {
        format!("state was {}, is {}", was.state.name(), is.state.name())
    } else if is.world != was.world {
        format!("world was {}, is {}", was.world, is.world)
    } else {
        // Its place and its ceilings change no number.
        return Ok(None);
    };
    Ok(finding(
        line,
        format!("the frozen pin of {model} is changed: {changed}"),
    ))
}

/// The component's bytes, and what they declare.
fn bytes(
    repository: &Repository,
    sandbox: &Sandbox,
    frozen: &Frozen,
) -> Result<Vec<Finding>, ContractError> {
    let path = frozen.component();
    let model = frozen.pin.model_version();
    let finding = |rule, message| Finding {
        rule,
        path: path.clone(),
        line: 1,
        message,
        remedy: new_version(&frozen.pin),
    };
    let Some(now) = repository.now(&path)? else {
        // A pin may move to another place; `verify` then reads the bytes from there.
        return Ok(Vec::new());
    };
    let digest = Digest::of_bytes(&now);
    if digest == frozen.pin.sha256 {
        return Ok(Vec::new());
    }
    let mut findings = vec![finding(
        Rule::FrozenBytes,
        format!(
            "the bytes of {model}, which is frozen, were {}, are {digest}",
            frozen.pin.sha256
        ),
    )];
    let load = |bytes: &[u8]| sandbox.load_within(&path, bytes, &frozen.pin.limits).ok();
    let (was, is) = (load(&repository.at_base(&path)?), load(&now));
    // Bytes that do not load declare nothing; that they differ is said already.
    if let (Some(was), Some(is)) = (was, is) {
        let told = differences(was.description(), is.description());
        if !told.is_empty() {
            findings.push(finding(
                Rule::FrozenDeclaration,
                format!(
                    "{model} declares other values under its frozen version, so that neither version nor configuration hash tells them apart: {}",
                    told.join("; ")
                ),
            ));
        }
    }
    Ok(findings)
}

/// The folders of frozen versions: by their name, or by the `provender-plugin.toml` in them.
fn sources(
    repository: &Repository,
    files: &[String],
    frozen: &[Frozen],
    changes: &[Change],
) -> Result<Vec<Finding>, ContractError> {
    let mut folders: Vec<(String, &Frozen)> = Vec::new();
    for manifest in files.iter().filter(|f| is_named(f, MANIFEST)) {
        let Some((folder, _)) = manifest.rsplit_once('/') else {
            continue;
        };
        let text = repository.at_base(manifest)?;
        let said: Option<toml::Table> = String::from_utf8_lossy(&text).parse().ok();
        let text = |key: &str| said.as_ref()?.get(key)?.as_str().map(str::to_owned);
        let (name, version) = (text("name"), text("version"));
        let of = frozen.iter().find(|f| {
            Some(&f.pin.name) == name.as_ref() && Some(&f.pin.version) == version.as_ref()
        });
        folders.extend(of.map(|f| (format!("{folder}/"), f)));
    }
    let mut findings = Vec::new();
    for change in changes {
        let parts: Vec<&str> = change.path.split('/').collect();
        let above = &parts[..parts.len() - 1];
        let named = frozen
            .iter()
            .find(|f| above.iter().any(|part| f.is_folder(part)));
        let by_manifest = || {
            let hit = folders
                .iter()
                .find(|(folder, _)| change.path.starts_with(folder));
            hit.map(|(_, f)| *f)
        };
        let Some(f) = named.or_else(by_manifest) else {
            continue;
        };
        // The built component has a rule of its own. A manifest where there was none says where
        // component and cases lie; it is no source of the bytes.
        let is_new_manifest = change.what == What::Added && is_named(&change.path, MANIFEST);
        if change.path == f.component() || is_new_manifest {
            continue;
        }
        let what = match change.what {
            What::Added => "added",
            What::Changed => "changed",
            What::Removed => "removed",
        };
        findings.push(Finding {
            rule: Rule::FrozenSource,
            path: change.path.clone(),
            line: 1,
            message: format!(
                "{what} in the folder of {}, which is frozen",
                f.pin.model_version()
            ),
            remedy: format!(
                "undo it and make the change in the folder of a new version of {}",
                f.pin.name
            ),
        });
    }
    Ok(findings)
}

/// The `package …;` line of a WIT file, with its line.
fn package(text: &str) -> Option<(usize, String)> {
    text.lines().enumerate().find_map(|(i, line)| {
        let name = line.trim().strip_prefix("package ")?;
        Some((i + 1, name.split(';').next()?.trim().to_owned()))
    })
}

/// The WIT without comments and spaces, which bind nobody.
fn meaning(text: &str) -> String {
    let code = text
        .lines()
        .map(|l| l.split("//").next().unwrap_or_default());
    code.flat_map(str::split_whitespace)
        .collect::<Vec<_>>()
        .join(" ")
}

fn wit(repository: &Repository, changes: &[Change]) -> Result<Vec<Finding>, ContractError> {
    let mut findings = Vec::new();
    let wits = changes
        .iter()
        .filter(|c| c.path.ends_with(".wit") && c.what != What::Added);
    for change in wits {
        let was = repository.at_base(&change.path)?;
        let was = String::from_utf8_lossy(&was);
        let Some((_, version)) = package(&was) else {
            continue;
        };
        let now = repository.now(&change.path)?;
        let (line, message) = match now.as_deref().map(String::from_utf8_lossy) {
            None => (
                1,
                format!("{version} is removed: components built for it exist"),
            ),
            Some(now) => match package(&now) {
                Some((line, same)) if same == version && meaning(&now) != meaning(&was) => (
                    line,
                    format!("{version} is edited in place: components built for it exist"),
                ),
                _ => continue,
            },
        };
        findings.push(Finding {
            rule: Rule::FrozenWit,
            path: change.path.clone(),
            line,
            message,
            remedy: "put it back and add the new contract under a new package version; the host speaks several side by side".to_owned(),
        });
    }
    Ok(findings)
}

fn owners(
    repository: &Repository,
    files: &[String],
    changes: &[Change],
    approved: &[String],
) -> Result<Option<Finding>, ContractError> {
    // Of the base where it has one: a change cannot give itself other owners.
    let mut found = None;
    for file in FILES {
        let bytes = if files.iter().any(|f| f == file) {
            Some(repository.at_base(file)?)
        } else {
            repository.now(file)?
        };
        if let Some(bytes) = bytes {
            found = Some((file, Owners::parse(&String::from_utf8_lossy(&bytes))));
            break;
        }
    }
    let Some((file, owners)) = found.filter(|(_, owners)| !owners.is_empty()) else {
        return Ok(None);
    };
    let mut of: Vec<(String, &str)> = Vec::new();
    for change in changes {
        for owner in owners.of(&change.path) {
            of.push((owner, &change.path));
        }
    }
    let needed: BTreeSet<&str> = of.iter().map(|(owner, _)| owner.as_str()).collect();
    // One owner's own ground is reviewed as ever; what several own needs each of them on record.
    if needed.len() < 2 {
        return Ok(None);
    }
    let mut given: BTreeSet<String> = approved.iter().map(|a| a.to_ascii_lowercase()).collect();
    for trailer in repository.approvals()? {
        let owner = trailer.split_whitespace().next().unwrap_or_default();
        given.insert(owner.trim_start_matches('@').to_ascii_lowercase());
    }
    let missing: Vec<&str> = needed.into_iter().filter(|n| !given.contains(*n)).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let example = |owner: &str| {
        let path = of.iter().find(|(o, _)| o == owner).map_or("", |(_, p)| p);
        let count = of.iter().filter(|(o, _)| o == owner).count();
        match count {
            1 => format!("{owner} owns {path}"),
            n => format!("{owner} owns {path} and {} more", n - 1),
        }
    };
    let all: BTreeSet<&str> = of.iter().map(|(o, _)| o.as_str()).collect();
    let first = of.iter().find(|(o, _)| o == missing[0]);
    Ok(Some(Finding {
        rule: Rule::Owners,
        path: first.map_or(file, |(_, p)| p).to_owned(),
        line: 1,
        message: format!(
            "the change needs the approval of {}, of which that of {} is not recorded: {}",
            all.iter().copied().collect::<Vec<_>>().join(" and "),
            missing.join(" and "),
            all.iter()
                .map(|o| example(o))
                .collect::<Vec<_>>()
                .join("; ")
        ),
        remedy: format!(
            "split the change by owner, or record the approval: {} in a commit message, or --approved-by {}",
            missing
                .iter()
                .map(|m| format!("`Approved-by: {m} NAME`"))
                .collect::<Vec<_>>()
                .join(" and "),
            missing.join(" --approved-by ")
        ),
    }))
}
