//! Cuts a release of what is pinned and set here, unless something about it must be fixed first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde_json::json;

use provender_domain::canonical::Digest;
use provender_domain::failpoint;
use provender_domain::forms::Form;
use provender_domain::ids::ModelVersion;
use provender_domain::render::text::count;
use provender_ledger::Write;
use provender_ledger::entries::{CheckVerdict, ReportKind};
use provender_ledger::entry::Stamp;
use provender_sandbox::{Lock, LogicError, Pin, PinState, Sandbox};

use crate::check::{self, CheckRefusal};
use crate::compute::Bound;
use crate::contract::uncommitted;
use crate::release::{
    CutProblem, CutRelease, EvidenceFinding, ReleaseCut, ReleaseError, cut, cut_content,
    objections, pinned_set,
};

use super::verify::{PinTrouble, PinnedSet, VerifiedPin};
use super::{Deployment, DeploymentError, LOCK, Phase, PinError, Progress, pin};

/// The files that determine a release.
const FILES: [&str; 4] = [LOCK, "logic.toml", "sources.toml", "provender.toml"];

/// What is to become a release.
#[derive(Clone, Copy, Debug)]
pub struct CutRequest<'a> {
    /// Why. The release keeps it.
    pub reason: &'a str,
    /// The versions that the release makes active. None: those that `provender.toml` names.
    pub active: &'a [ModelVersion],
    /// The folder of golden cases. `None` looks for one.
    pub cases: Option<&'a Path>,
}

/// Something that must be fixed before a release can be cut.
#[derive(Debug)]
pub enum Unclean {
    /// A pin that no release may have.
    Pin(CutProblem),
    /// A pinned component has a trouble.
    Component {
        /// `name:version`.
        model: ModelVersion,
        /// What is wrong with it.
        trouble: PinTrouble,
    },
    /// A version to be made active does not fit this deployment.
    Binding {
        /// `name:version`.
        model: ModelVersion,
        /// Why.
        cause: DeploymentError,
    },
    /// A draft, which the cut would freeze, does not pass the check of components.
    Draft {
        /// `name:version`.
        model: ModelVersion,
        /// Why.
        refusal: CheckRefusal,
    },
    /// A file that determines a release has changes that are not committed.
    Uncommitted(String),
}

impl Unclean {
    /// The subject: `days_remaining:v3`, `provender.toml`.
    #[must_use]
    pub fn about(&self) -> &str {
        match self {
            Unclean::Pin(problem) => &problem.about,
            Unclean::Component { model, .. }
            | Unclean::Binding { model, .. }
            | Unclean::Draft { model, .. } => model,
            Unclean::Uncommitted(file) => file,
        }
    }
}

/// What is wrong, without its subject.
impl fmt::Display for Unclean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unclean::Pin(problem) => f.write_str(&problem.what),
            Unclean::Component { trouble, .. } => write!(f, "{trouble}"),
            Unclean::Binding { cause, .. } => write!(f, "{cause}"),
            Unclean::Draft { refusal, .. } => write!(f, "{refusal}"),
            Unclean::Uncommitted(_) => f.write_str(
                "its latest state is not committed, so nobody can review what is released",
            ),
        }
    }
}

/// Why no release was cut.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// Two versions of one logic are to be active.
    #[error("two versions of {0} are given as active; only one can be")]
    TwoActive(String),
    /// The current state cannot become a release.
    #[error("no release was cut: {} must be fixed first", count(.0.len() as u64, "problem"))]
    Unclean(Vec<Unclean>),
    /// The lock file cannot be marked.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The deployment cannot be read or written.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
}

impl From<ReleaseError> for CutError {
    fn from(e: ReleaseError) -> CutError {
        CutError::Deployment(e.into())
    }
}

impl From<LogicError> for CutError {
    fn from(e: LogicError) -> CutError {
        CutError::Deployment(e.into())
    }
}

impl Deployment {
    /// Cuts a release of what is pinned and set here, and freezes its versions.
    ///
    /// # Errors
    /// When something must be fixed first, or something cannot be read or written.
    pub fn cut_release(
        &self,
        request: &CutRequest<'_>,
        progress: &mut dyn Progress,
    ) -> Result<CutRelease, CutError> {
        let lock = self.lock()?;
        let active = self.to_be_active(&lock, request.active)?;
        let pins = pinned_set(lock.components(), &active);
        let ledger = self.writer()?;
        progress.begin(Phase::Examine, pins.len() as u64);
        let sandbox = self.sandbox()?;
        let set = PinnedSet::of(self)?;
        let mut examined = Vec::with_capacity(pins.len());
        for pin in &pins {
            examined.push(set.check(&sandbox, pin, request.cases));
            progress.advance(1);
        }
        let mut unclean: Vec<Unclean> = objections(&*ledger, &pins)?
            .into_iter()
            .map(Unclean::Pin)
            .collect();
        unclean.extend(examined.iter_mut().flat_map(troubles));
        unclean.extend(self.uncommitted().map(Unclean::Uncommitted));
        let mut readable = Readable::default();
        for pin in &pins {
            let active = active.contains(&pin.model_version());
            unclean.extend(self.read_pin(&sandbox, pin, active, &mut readable)?);
        }
        progress.end();
        unclean.dedup_by(|a, b| a.about() == b.about() && a.to_string() == b.to_string());
        if !unclean.is_empty() {
            return Err(CutError::Unclean(unclean));
        }

        let own = self.project.logic().map_err(DeploymentError::from)?;
        let settings = pins
            .iter()
            .map(|p| (p.model_version(), own.of(&p.name, &p.version)))
            .collect();
        let content = cut_content(
            &pins,
            &readable.bounds,
            &settings,
            &self.project.sources.series,
            self.project.settings.logic.on_guardrail,
        )?;
        let stamp = self.stamp(Some(request.reason));
        let findings = findings(&*ledger, &examined, &stamp)?;
        let how = ReleaseCut {
            by: stamp.actor.clone(),
            at: stamp.at.clone(),
            reason: request.reason.to_owned(),
            environment: self.project.settings.environment.clone(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let store = self.store()?;
        let bytes = &readable.bytes;
        let outcome = cut(&*ledger, &store, &content, bytes, &findings, &how, &stamp)?;
        // The ledger holds it; the lock file follows, here or at the next cut.
        failpoint::hit("cut.before-lock");
        self.mark_frozen(&pins)?;
        failpoint::hit("cut.after-lock");
        Ok(outcome)
    }

    /// The versions to be made active: as asked, or as `provender.toml` says, or those that are active now.
    fn to_be_active(
        &self,
        lock: &Lock,
        asked: &[ModelVersion],
    ) -> Result<Vec<ModelVersion>, CutError> {
        let set = &self.project.settings.logic.active;
        let active = match (asked.is_empty(), set.is_empty()) {
            (false, _) => asked.to_vec(),
            (true, false) => set.clone(),
            (true, true) => self.logics(&[])?,
        };
        let mut names = BTreeSet::new();
        for model in &active {
            let pin = pin(lock, model)?;
            if !names.insert(&pin.name) {
                return Err(CutError::TwoActive(pin.name.clone()));
            }
        }
        Ok(active)
    }

    /// Reads a pinned component for the release, and binds it if it is to be active.
    fn read_pin(
        &self,
        sandbox: &Sandbox,
        pin: &Pin,
        active: bool,
        readable: &mut Readable,
    ) -> Result<Vec<Unclean>, CutError> {
        let model = pin.model_version();
        let mut unclean = Vec::new();
        // Bytes that cannot be read are already among the troubles.
        let Ok(bytes) = self.pinned_bytes(pin) else {
            return Ok(unclean);
        };
        if active {
            if pin.state == PinState::Draft {
                // The cut freezes a draft, so it has to pass `plugin check`.
                let catalogue = self.project.sources.catalogue();
                let report = check::check(sandbox, &pin.path, &bytes, &pin.limits, &catalogue)?;
                unclean.extend(report.refusal().map(|refusal| Unclean::Draft {
                    model: model.clone(),
                    refusal,
                }));
            }
            let bound = self
                .load(sandbox, pin)
                .and_then(|c| self.bind_here(c, pin, &BTreeMap::new()));
            match bound {
                Ok(bound) => readable.bounds.push(bound),
                Err(cause) => unclean.push(Unclean::Binding { model, cause }),
            }
        }
        readable.bytes.insert(pin.sha256, bytes);
        Ok(unclean)
    }

    /// Files that determine a release and have changes that are not committed, if the deployment is in a work tree.
    fn uncommitted(&self) -> impl Iterator<Item = String> {
        // Outside a work tree nothing is reviewed by commits.
        uncommitted(&self.project.root, &FILES)
            .unwrap_or_default()
            .into_iter()
    }
}

/// The components that could be read.
#[derive(Default)]
struct Readable {
    bounds: Vec<Bound>,
    bytes: BTreeMap<Digest, Vec<u8>>,
}

fn troubles(checked: &mut VerifiedPin) -> impl Iterator<Item = Unclean> + use<> {
    let model = checked.model.clone();
    let troubles = std::mem::take(&mut checked.troubles);
    troubles.into_iter().map(move |trouble| Unclean::Component {
        model: model.clone(),
        trouble,
    })
}

/// The findings about components without a trouble, with their report in the ledger.
fn findings(
    ledger: &dyn Write,
    examined: &[VerifiedPin],
    stamp: &Stamp,
) -> Result<Vec<EvidenceFinding>, ReleaseError> {
    let reports: Vec<_> = examined.iter().map(VerifiedPin::answer).collect();
    let body = Form::Verify.text(&json!({"components": reports}))?;
    let report = Digest::of_canonical(body.as_bytes());
    ledger.record_report(stamp, ReportKind::Verify, report, &body)?;
    let number = |c: &VerifiedPin| c.golden.as_ref().map_or(0, |t| t.cases.len());
    let cases: usize = examined.iter().map(number).sum();
    let without = examined.iter().filter(|c| number(c) == 0);
    let without: Vec<&str> = without.map(|c| c.model.as_str()).collect();
    let hold = format!("{} hold", count(cases as u64, "golden case"));
    let goldens = match without.is_empty() {
        true => hold,
        false => format!("{hold}; without any: {}", without.join(", ")),
    };
    let finding = |kind, ok: bool, rows: usize, summary: String| EvidenceFinding {
        kind,
        // An untested version must not count as a pass.
        verdict: if ok {
            CheckVerdict::Ok
        } else {
            CheckVerdict::Unknown
        },
        rows: rows as u64,
        report: Some(report),
        summary,
    };
    let bytes = format!(
        "{}: bytes, declaration and binding hold",
        count(examined.len() as u64, "component")
    );
    Ok(vec![
        finding(ReportKind::Verify, true, examined.len(), bytes),
        finding(ReportKind::Goldens, without.is_empty(), cases, goldens),
    ])
}
