//! Verifies a pinned set: the lock file against the bytes, the bytes against what they declare, their golden cases
//! and what the ledger has frozen, and the change against the release contract.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::files::bounded;
use provender_domain::ids::ModelVersion;
use provender_sandbox::{Component, Lock, LogicError, Pin, Sandbox};

use crate::compute::{binding, freeze};
use crate::contract::{ContractError, ContractVerdict, Repository, Rule, judge, line_of_pin};
use crate::golden::folder::{cases_of, of_deployment};
use crate::golden::run::{FailedCases, GoldenCounts};
use crate::golden::{CaseSet, GoldenError, Tested, run};

use super::{Deployment, DeploymentError, LOCK};

/// Why a pinned set cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A lock file without a deployment is missing or cannot be read.
    #[error("{}: {cause}", .file.display())]
    LockUnreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A defect of this program.
    #[error("a check of a component panicked")]
    Panicked,
    /// The lock file cannot be used.
    #[error(transparent)]
    Logic(#[from] LogicError),
    /// The deployment cannot be read.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// The release contract cannot be judged.
    #[error(transparent)]
    Contract(#[from] ContractError),
}

/// Something that is wrong with a pinned component.
#[derive(Debug, thiserror::Error)]
pub enum PinTrouble {
    /// Its bytes, what it declares, or its inputs.
    #[error(transparent)]
    Component(#[from] DeploymentError),
    /// Its file cannot be read, beside a lock file without a deployment.
    #[error("{}: {cause}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The folder that was named for its golden cases has none.
    #[error("{} has no golden cases of {name}", .folder.display())]
    NoCases {
        /// The folder.
        folder: PathBuf,
        /// The logic.
        name: String,
    },
    /// Its golden cases cannot be run.
    #[error(transparent)]
    Golden(#[from] GoldenError),
    /// Some of its golden cases do not hold.
    #[error(transparent)]
    Cases(#[from] FailedCases),
    /// The ledger has other bytes frozen.
    #[error(
        "{file}:{line}: {model} is pinned as {pinned}, and the ledger has it frozen as {frozen}: what a version computes never changes"
    )]
    FrozenOtherwise {
        /// The lock file.
        file: String,
        /// The line of its entry.
        line: usize,
        /// `name:version`.
        model: ModelVersion,
        /// Name of its logic.
        name: String,
        /// Digest in the lock file.
        pinned: String,
        /// Digest in the ledger.
        frozen: String,
        /// Its file.
        path: String,
    },
}

/// A pinned component with everything that is wrong with it.
#[derive(Debug)]
pub struct VerifiedPin {
    /// `name:version`.
    pub model: ModelVersion,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Digest in the lock file.
    pub sha256: String,
    /// Line of its entry in the lock file.
    pub line: usize,
    /// What is wrong with it.
    pub troubles: Vec<PinTrouble>,
    /// Its golden cases, if it has any and they could be run.
    pub golden: Option<Tested>,
}

/// The checks of a pinned component.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VerifiedComponent {
    /// Name of the logic.
    name: String,
    /// Its version.
    version: String,
    /// Its pinned digest.
    sha256: String,
    /// Whether its checks passed.
    status: Verified,
    /// What is wrong, in sentences.
    problems: Vec<String>,
    /// Number of golden cases by result; null if there are none or none could be computed.
    golden: Option<GoldenCounts>,
}

/// Whether a pinned component's checks passed.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verified {
    /// Bytes, declaration, binding and golden cases hold.
    Ok,
    /// Something is wrong.
    Refused,
}

impl VerifiedPin {
    /// The checks as the `--json` answer has them, and as a release keeps them.
    #[must_use]
    pub fn answer(&self) -> VerifiedComponent {
        VerifiedComponent {
            name: self.name.clone(),
            version: self.version.clone(),
            sha256: self.sha256.clone(),
            status: match self.troubles.is_empty() {
                true => Verified::Ok,
                false => Verified::Refused,
            },
            problems: self.troubles.iter().map(ToString::to_string).collect(),
            golden: self.golden.as_ref().map(Tested::counts),
        }
    }
}

/// What a verification covers besides the pinned components.
#[derive(Clone, Copy, Debug, Default)]
pub struct VerifyRequest<'a> {
    /// The folder of golden cases. `None` looks for one.
    pub cases: Option<&'a Path>,
    /// Judge the change since this revision by the release contract.
    pub base: Option<&'a str>,
    /// Owners who have approved the change.
    pub approved_by: &'a [String],
}

/// The result of a verification.
#[derive(Debug)]
pub struct Verification {
    /// Each pinned component, in the order of the lock file.
    pub checked: Vec<VerifiedPin>,
    /// Number of frozen versions in the ledger; `None` without a ledger.
    pub ledger_frozen: Option<usize>,
    /// The verdict of the release contract, if a base was given.
    pub contract: Option<ContractVerdict>,
    /// The lock file is missing, and the contract says more about that.
    pub missing: Option<VerifyError>,
}

/// The pins of a lock file with its folder, in a deployment or alone.
pub struct PinnedSet<'d> {
    /// The lock file as messages name it.
    file: String,
    folder: PathBuf,
    text: String,
    lock: Lock,
    deployment: Option<&'d Deployment>,
    missing: Option<VerifyError>,
}

impl<'d> PinnedSet<'d> {
    /// What a deployment pins. A missing lock file is reported when the set is verified.
    ///
    /// # Errors
    /// When the lock file cannot be read.
    pub fn of(deployment: &'d Deployment) -> Result<PinnedSet<'d>, DeploymentError> {
        let project = &deployment.project;
        let (lock, text, missing) = match deployment.lock_if_any()? {
            Some(lock) => {
                let text = bounded::text_in(&project.dir, LOCK, bounded::CONFIG_BYTES)
                    .map_err(DeploymentError::LockUnreadable)?;
                (lock, text, None)
            }
            None => {
                let missing = DeploymentError::LockMissing(project.root.clone());
                (Lock::default(), String::new(), Some(missing.into()))
            }
        };
        Ok(PinnedSet {
            lock,
            missing,
            file: LOCK.to_owned(),
            folder: project.root.clone(),
            text,
            deployment: Some(deployment),
        })
    }

    /// What a lock file pins, with the components beside it. A missing lock file is reported when the set is
    /// verified.
    ///
    /// # Errors
    /// When the lock file cannot be read or used.
    pub fn beside(file: &Path) -> Result<PinnedSet<'static>, VerifyError> {
        let unreadable = |cause| VerifyError::LockUnreadable {
            file: file.to_path_buf(),
            cause,
        };
        let read = bounded::read_named(file, bounded::CONFIG_BYTES).and_then(bounded::text);
        let (text, lock, missing) = match read {
            Ok(text) => {
                let lock = Lock::parse(&text)?;
                (text, lock, None)
            }
            // A deleted lock file may be a breach of the release contract, which reports it better.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                (String::new(), Lock::default(), Some(unreadable(e)))
            }
            Err(e) => return Err(unreadable(e)),
        };
        Ok(PinnedSet {
            file: file.display().to_string(),
            folder: file.parent().unwrap_or(Path::new("")).to_path_buf(),
            lock,
            text,
            missing,
            deployment: None,
        })
    }

    /// The path of the lock file.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        let name = Path::new(&self.file).file_name();
        self.folder.join(name.unwrap_or_default())
    }

    /// Checks every pinned component, and the change against the release contract if there is a base.
    ///
    /// # Errors
    /// When the lock file is missing and the contract does not cover that, or something cannot be read.
    pub fn verify(
        mut self,
        sandbox: &Sandbox,
        request: &VerifyRequest<'_>,
    ) -> Result<Verification, VerifyError> {
        // First, because it needs no compilation: a missing base is reported at once.
        let open = |base| Repository::open(&self.folder_or_here(), base);
        let repository = request.base.map(open).transpose()?;
        // Without a lock file only the contract can be checked, and only if the base had one.
        let missing = match (self.missing.take(), &repository) {
            (Some(missing), None) => return Err(missing),
            (missing, _) => missing,
        };
        let mut checked = self.check_all(sandbox, request.cases)?;
        let ledger_frozen = self.ask_ledger(&mut checked)?;
        let judged = |r| judge(&r, sandbox, request.approved_by);
        let contract = repository.map(judged).transpose()?;
        let mut findings = contract.iter().flat_map(|v| &v.findings);
        match missing {
            Some(missing) if !findings.any(|f| f.rule == Rule::FrozenPin) => Err(missing),
            missing => Ok(Verification {
                checked,
                ledger_frozen,
                contract,
                missing,
            }),
        }
    }

    fn load(&self, sandbox: &Sandbox, pin: &Pin) -> Result<Component, PinTrouble> {
        if let Some(deployment) = self.deployment {
            return Ok(deployment.load(sandbox, pin)?);
        }
        let path = self.folder.join(&pin.path);
        // No path in the lock file, and no link, may lead out of its folder.
        let folder = match self.folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => &self.folder,
        };
        let bytes = Dir::open_ambient_dir(folder, ambient_authority())
            .and_then(|dir| bounded::read_in(&dir, &pin.path, bounded::COMPONENT_BYTES));
        let bytes = bytes.map_err(|cause| PinTrouble::Unreadable {
            file: path.clone(),
            cause,
        })?;
        let component = load_bytes(sandbox, pin, &path.display().to_string(), &bytes);
        Ok(component.map_err(DeploymentError::from)?)
    }

    /// Checks active logic against the deployment's catalogue; other versions need not fit it.
    fn check_binding(&self, pin: &Pin, component: &Component) -> Result<(), DeploymentError> {
        let Some(deployment) = self.deployment else {
            return Ok(());
        };
        let project = &deployment.project;
        if project.settings.logic.active.contains(&pin.model_version()) {
            let overrides = project.logic()?.of(&pin.name, &pin.version);
            let catalogue = project.sources.catalogue();
            binding::bind(component.clone(), &catalogue, &overrides, &BTreeMap::new())?;
        }
        Ok(())
    }

    /// Checks all pinned components in parallel. The results are in the lock file's order.
    fn check_all(
        &self,
        sandbox: &Sandbox,
        cases: Option<&Path>,
    ) -> Result<Vec<VerifiedPin>, VerifyError> {
        let pins = self.lock.components();
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some((i, pin)) = take(pins, &next) {
                done.push((i, self.check(sandbox, pin, cases)));
            }
            done
        };
        let mut checked: Vec<(usize, VerifiedPin)> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.min(pins.len()))
                .map(|_| scope.spawn(work))
                .collect();
            workers
                .into_iter()
                .map(std::thread::ScopedJoinHandle::join)
                .collect::<Result<Vec<_>, _>>()
        })
        .map_err(|_| VerifyError::Panicked)?
        .into_iter()
        .flatten()
        .collect();
        checked.sort_by_key(|(i, _)| *i);
        Ok(checked.into_iter().map(|(_, c)| c).collect())
    }

    /// Checks one pin. `cases` is the folder of its golden cases, if the user named one.
    pub(super) fn check(&self, sandbox: &Sandbox, pin: &Pin, cases: Option<&Path>) -> VerifiedPin {
        let mut checked = VerifiedPin {
            model: pin.model_version(),
            name: pin.name.clone(),
            version: pin.version.clone(),
            sha256: pin.sha256.to_string(),
            line: line_of_pin(&self.text, pin),
            troubles: Vec::new(),
            golden: None,
        };
        match self.load(sandbox, pin) {
            Ok(component) => {
                let binding = self.check_binding(pin, &component);
                checked.troubles.extend(binding.err().map(PinTrouble::from));
                if let Err(trouble) = self.run_cases(&component, pin, cases, &mut checked) {
                    checked.troubles.push(trouble);
                }
            }
            Err(trouble) => checked.troubles.push(trouble),
        }
        checked
    }

    /// Runs the golden cases of a component, if there are any. Only a folder that the user named has to have some.
    fn run_cases(
        &self,
        component: &Component,
        pin: &Pin,
        named: Option<&Path>,
        checked: &mut VerifiedPin,
    ) -> Result<(), PinTrouble> {
        let candidates = match named {
            Some(folder) => vec![folder.to_path_buf()],
            None => of_deployment(&self.folder),
        };
        let Some(folder) = cases_of(&candidates, &pin.name) else {
            return match named {
                None => Ok(()),
                Some(folder) => Err(PinTrouble::NoCases {
                    folder: folder.to_path_buf(),
                    name: pin.name.clone(),
                }),
            };
        };
        let set = CaseSet::read(&folder, &folder.display().to_string())?;
        let tested = run::run(component, set.select(component.description())?)?;
        let failed = tested.failed_cases(&checked.model);
        checked.golden = Some(tested);
        failed.map_or(Ok(()), |failed| Err(failed.into()))
    }

    /// Compares the pins with what the ledger has frozen: if somebody edits the lock file and the bytes together,
    /// only the ledger can tell. Returns the number of frozen versions in the ledger, or `None` without a ledger.
    fn ask_ledger(&self, checked: &mut [VerifiedPin]) -> Result<Option<usize>, VerifyError> {
        let Some(deployment) = self.deployment else {
            return Ok(None);
        };
        let Some(ledger) = deployment.ledger_if_any()? else {
            return Ok(None);
        };
        let frozen = freeze::all_frozen(&*ledger).map_err(DeploymentError::from)?;
        for c in checked {
            let held = frozen.get(&c.model).filter(|digest| **digest != c.sha256);
            c.troubles
                .extend(held.map(|digest| self.frozen_otherwise(c, digest)));
        }
        Ok(Some(frozen.len()))
    }

    fn frozen_otherwise(&self, c: &VerifiedPin, frozen: &str) -> PinTrouble {
        let pin = self.lock.find(&c.name, &c.version);
        PinTrouble::FrozenOtherwise {
            file: self.file.clone(),
            line: c.line,
            model: c.model.clone(),
            name: c.name.clone(),
            pinned: c.sha256.clone(),
            frozen: frozen.to_owned(),
            path: pin.map_or("its component", |p| p.path.as_str()).to_owned(),
        }
    }

    /// The folder as a path that can be opened. If it is gone, the nearest existing parent.
    fn folder_or_here(&self) -> PathBuf {
        let there = self.folder.ancestors().find(|f| f.is_dir());
        match there {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
            _ => PathBuf::from("."),
        }
    }
}

/// Loads bytes that have to be the pinned ones.
fn load_bytes(
    sandbox: &Sandbox,
    pin: &Pin,
    file: &str,
    bytes: &[u8],
) -> Result<Component, LogicError> {
    pin.check_bytes(file, bytes)?;
    let component = sandbox.load_with_limits(file, bytes, &pin.limits)?;
    pin.check_component(&component)?;
    Ok(component)
}

/// The next pin that no thread has taken.
fn take<'p>(pins: &'p [Pin], next: &AtomicUsize) -> Option<(usize, &'p Pin)> {
    let i = next.fetch_add(1, Ordering::Relaxed);
    pins.get(i).map(|pin| (i, pin))
}
