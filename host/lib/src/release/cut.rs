//! Cuts a release: what is pinned and set becomes one object, its versions are frozen, and everything is
//! recorded in one transaction.

use provender_domain::ids::ModelVersion;
use provender_ledger::EntryNumber;
use std::collections::{BTreeMap, BTreeSet};

use crate::compute::Bound;
use crate::compute::freeze::says_of;
use crate::monitor::gather::rules;
use crate::monitor::thresholds_version;
use crate::project::logic::LogicOverrides;
use crate::project::settings::OnGuardrail;
use crate::project::sources::Series;
use provender_domain::canonical::Digest;
use provender_domain::description::MonitorRule;
use provender_domain::failpoint;
use provender_ledger::entries::{self, ReleaseCut};
use provender_ledger::entry::{Entry, Kind, Stamp};
use provender_ledger::retry::{retry, unless_moved};
use provender_ledger::{LedgerError, Payload, Read, Write};
use provender_sandbox::{Pin, PinState};

use super::ReleaseError;
use super::document::{Component, Content, Cut, Document, InForce, Logic, SeriesDefinition};
use super::error::Problem;
use super::evidence::{Evidence, EvidenceFinding};
use super::state::{KINDS, KNOWING, Known, ReleaseState};
use super::store::ReleaseStore;

/// Assembles the content of a release from `pins`, the settings of each, and `bounds`, the bound active
/// versions.
///
/// # Errors
/// If a setting or a monitor rule does not fit its logic.
pub(crate) fn content(
    pins: &[&Pin],
    bounds: &[Bound],
    settings: &BTreeMap<ModelVersion, LogicOverrides>,
    series: &[Series],
    on_guardrail: OnGuardrail,
) -> Result<Content, ReleaseError> {
    let mut logics = Vec::with_capacity(bounds.len());
    for bound in bounds {
        let own = settings.get(&bound.model_version).cloned();
        let mut thresholds = rules(bound, &own.unwrap_or_default())?;
        #[expect(clippy::expect_used, reason = "a rule is made of texts and numbers")]
        let text = |r: &MonitorRule| serde_json::to_string(r).expect("a rule is JSON");
        thresholds.sort_by_cached_key(text);
        logics.push(Logic {
            model_version: bound.model_version.clone(),
            component: bound.component.digest(),
            config_version: bound.config.digest,
            config: provender_domain::canonical::from_slice(bound.config.canonical.as_bytes())
                .map_err(provender_domain::canonical::CanonicalError::from)?,
            thresholds_version: thresholds_version(&thresholds),
            thresholds,
        });
    }
    logics.sort_by(|a, b| a.model_version.cmp(&b.model_version));
    let read: BTreeSet<&str> = bounds
        .iter()
        .flat_map(|b| b.inputs.iter().map(|i| i.feature.name.as_str()))
        .collect();
    let mut series: Vec<SeriesDefinition> = series
        .iter()
        .filter(|s| read.contains(s.name.as_str()))
        .map(|s| SeriesDefinition {
            name: s.name.clone(),
            unit: s.unit.clone(),
            doc: s.doc.clone(),
        })
        .collect();
    series.sort_by(|a, b| a.name.cmp(&b.name));
    let pinned: BTreeSet<ModelVersion> = pins.iter().map(|p| p.model_version()).collect();
    Ok(Content {
        components: pins.iter().map(|p| Component::of(p)).collect(),
        active: logics.iter().map(|l| l.model_version.clone()).collect(),
        logics,
        settings: InForce {
            logic: settings
                .iter()
                .filter(|(model, o)| pinned.contains(*model) && **o != LogicOverrides::default())
                .map(|(model, o)| (model.clone(), plain(o)))
                .collect(),
            series,
            on_guardrail,
        },
    })
}

/// Settings in a form that canonical JSON can hold: TOML dates become text, which binds to the same value.
fn plain(settings: &LogicOverrides) -> LogicOverrides {
    let mut plain = settings.clone();
    for value in plain.parameters.values_mut() {
        if let toml::Value::Datetime(d) = value {
            *value = toml::Value::String(d.to_string());
        }
    }
    plain
}

/// The result of a cut.
#[derive(Clone, Debug)]
pub struct CutRelease {
    /// The release.
    pub release: Known,
    /// False if a release with this content was already known.
    pub new: bool,
    /// Versions that it froze.
    pub frozen: Vec<ModelVersion>,
}

/// Records a release with this content, unless one exists already. `bytes` are the components by digest.
/// `findings` become evidence about the release.
///
/// # Errors
/// If a version is frozen with other bytes, the store cannot be written, or the ledger cannot be read or
/// written.
pub(crate) fn cut(
    ledger: &dyn Write,
    store: &ReleaseStore,
    content: &Content,
    bytes: &BTreeMap<Digest, Vec<u8>>,
    findings: &[EvidenceFinding],
    cut: &Cut,
    stamp: &Stamp,
) -> Result<CutRelease, ReleaseError> {
    failpoint::hit("cut.before-store");
    for bytes in bytes.values() {
        store.add_component(bytes)?;
    }
    failpoint::hit("cut.after-components");
    retry(|| {
        let now = Snapshot::read(ledger)?;
        let next = now
            .standing
            .releases
            .iter()
            .map(|k| k.document.number)
            .max()
            .unwrap_or(0)
            + 1;
        // Compare the document as it will be read back, not as it was built.
        let text = Document::new(next, content.clone(), cut.clone()).to_text()?;
        let mut document = Document::parse(text.as_bytes())
            .map_err(|problem| ReleaseError::damaged("the new release", problem))?;
        let same = now
            .standing
            .releases
            .iter()
            .find(|k| k.document.content() == document.content());
        if let Some(known) = same {
            document = known.document.clone();
        }
        let digest = store.add_document(&document)?;
        if let Some(known) = same.filter(|k| k.pruned.is_none()) {
            return Ok(Some(CutRelease {
                release: known.clone(),
                new: false,
                frozen: Vec::new(),
            }));
        }
        let (mut entries, frozen) = now.freezes(&document)?;
        entries.push(Payload::ReleaseCut(ReleaseCut {
            release: digest,
            number: document.number,
            document: document.to_json()?,
        }));
        for finding in findings {
            let evidence = Evidence::new(digest, finding.clone(), &cut.environment, stamp);
            entries.push(evidence.payload(document.number, None)?);
        }
        failpoint::hit("cut.before-ledger");
        let appended = ledger.append_expecting(stamp, &entries, &watched(), now.last);
        if unless_moved(appended)?.is_none() {
            return Ok(None);
        }
        let standing = ReleaseState::read(ledger, EntryNumber::LATEST)?;
        let release = standing.known(&digest).cloned();
        let release = release
            .ok_or_else(|| ReleaseError::damaged("the ledger", "the new release is not in it"))?;
        Ok(Some(CutRelease {
            release,
            new: true,
            frozen,
        }))
    })
}

/// The kinds of entry that decide whether a release can become known.
pub(super) fn watched() -> Vec<Kind> {
    KNOWING.into_iter().chain([Kind::Freeze]).collect()
}

/// Releases and frozen versions at one moment.
pub(super) struct Snapshot {
    pub(super) standing: ReleaseState,
    frozen: Vec<entries::Pin>,
    /// Newest entry of the [`watched`] kinds.
    pub(super) last: EntryNumber,
}

impl Snapshot {
    pub(super) fn read(ledger: &dyn Read) -> Result<Snapshot, ReleaseError> {
        let kinds: Vec<Kind> = KINDS.into_iter().chain([Kind::Freeze]).collect();
        let (frozen, others): (Vec<Entry>, Vec<Entry>) = ledger
            .entries_of_kinds(&kinds)?
            .into_iter()
            .partition(|e| e.kind == Kind::Freeze.name());
        let standing = ReleaseState::of(&others)?;
        let last = frozen
            .last()
            .map_or(EntryNumber::NONE, |e| e.seq)
            .max(standing.knew);
        let frozen = frozen.iter().map(Entry::read).collect::<Result<_, _>>();
        let frozen = frozen.map_err(LedgerError::from)?;
        Ok(Snapshot {
            standing,
            frozen,
            last,
        })
    }

    /// The digest with which a version is frozen.
    fn frozen_as(&self, model_version: &ModelVersion) -> Option<Digest> {
        let first = self
            .frozen
            .iter()
            .find(|p| p.model_version == *model_version);
        first.map(|p| p.component)
    }

    /// The entries that freeze the versions of a release that are not frozen yet, and the names of these
    /// versions.
    pub(super) fn freezes(
        &self,
        document: &Document,
    ) -> Result<(Vec<Payload>, Vec<ModelVersion>), ReleaseError> {
        let (mut entries, mut names) = (Vec::new(), Vec::new());
        for component in &document.components {
            let model_version = component.model_version();
            match self.frozen_as(&model_version) {
                Some(recorded) if recorded == component.sha256 => {}
                Some(recorded) => {
                    return Err(crate::compute::ComputeError::Frozen {
                        model_version,
                        recorded: recorded.to_string(),
                        found: component.sha256.to_string(),
                    }
                    .into());
                }
                None => {
                    entries.push(Payload::Freeze(says_of(&component.pin(String::new()))));
                    names.push(model_version);
                }
            }
        }
        Ok((entries, names))
    }

    /// Why the ledger would refuse a version's pin.
    #[must_use]
    pub(super) fn objection(&self, pin: &Pin) -> Option<Problem> {
        let recorded = self.frozen_as(&pin.model_version())?;
        (recorded != pin.sha256).then(|| Problem {
            about: pin.model_version().into(),
            what: format!(
                "the ledger froze it as {recorded}, but the lock file pins {}",
                pin.sha256
            ),
            remedy: "put the frozen bytes back, or release the new ones as a new version"
                .to_owned(),
        })
    }
}

/// Why the ledger would refuse these pins: versions that are frozen with other bytes.
///
/// # Errors
/// If the ledger cannot be read.
pub(crate) fn objections(ledger: &dyn Read, pins: &[&Pin]) -> Result<Vec<Problem>, ReleaseError> {
    let now = Snapshot::read(ledger)?;
    Ok(pins.iter().filter_map(|p| now.objection(p)).collect())
}

/// The pinned set of a release: every frozen version, and the drafts that are to be active.
#[must_use]
pub(crate) fn pinned_set<'p>(pins: &'p [Pin], active: &[ModelVersion]) -> Vec<&'p Pin> {
    pins.iter()
        .filter(|p| p.state == PinState::Frozen || active.contains(&p.model_version()))
        .collect()
}
