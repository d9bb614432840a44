//! The result of a canary over its window and day by day.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::compute::Bound;
use crate::monitor::report::Status;
use crate::project::canary::CanarySettings;
use provender_domain::canonical::{CanonicalError, Digest};
use provender_domain::day::Day;
use provender_domain::forms::Form;
use provender_domain::render::text::count;
use provender_ledger::Read;
use provender_ledger::entries::{CheckVerdict, ReportKind};
use provender_sandbox::Sandbox;
use provender_store::manifest::Store;

use super::super::ReleaseError;
use super::super::evidence::{EvidenceFinding, Reported};
use super::super::state::ReleaseState;
use super::super::store::ReleaseStore;
use super::figures::{Figure, figures};
use super::pairs::Pairs;
use super::sides::Sides;
use super::state::{Canary, of_release};
use crate::compute::engine::Target;

/// What is needed to compute the result of a canary.
#[derive(Clone, Copy)]
pub struct CanaryContext<'a> {
    /// The ledger with the runs.
    pub ledger: &'a dyn Read,
    /// The manifests of the runs.
    pub manifests: &'a Store,
    /// Loads the components to read their declarations.
    pub sandbox: &'a Sandbox,
    /// The store with the components.
    pub store: &'a ReleaseStore,
    /// The state of releases.
    pub standing: &'a ReleaseState,
    /// The thresholds of `[canary]`.
    pub policy: &'a CanarySettings,
}

/// The result of a canary.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "CanaryObserved")]
pub struct Observed {
    /// Digest of the candidate.
    pub release: Digest,
    /// Number of the candidate.
    pub number: u32,
    /// Digest of the release that it is compared with.
    pub against: Digest,
    /// Number of that release.
    pub against_number: u32,
    /// When it was started (RFC 3339, UTC).
    pub since: String,
    /// Who started it.
    pub by: String,
    /// Whether it is still running.
    pub running: bool,
    /// What ended it, as a clause; `None` while it runs.
    pub ended: Option<String>,
    /// First day of the window.
    pub from: Day,
    /// Last day of the window.
    pub to: Day,
    /// Number of days with at least one compared row.
    pub days: usize,
    /// Share of the boundaries that take part, in percent.
    pub share: u32,
    /// Number of compared rows: recorded on both sides with the same inputs.
    pub rows: usize,
    /// The worst status of its figures; unknown if nothing was compared.
    pub status: Status,
    /// Every figure, worst first.
    pub figures: Vec<Figure>,
    /// The same figures for each day.
    pub by_day: Vec<OfDay>,
    /// Logics with the same component and configuration digests in both releases. They are not computed twice.
    pub unchanged: Vec<ModelVersion>,
    /// Logics that only the candidate has.
    pub added: Vec<ModelVersion>,
    /// Logics that only the active release has.
    pub dropped: Vec<ModelVersion>,
    /// Rows that could not be compared.
    pub unpaired: Unpaired,
    /// Remarks for people who read the result.
    pub notes: Vec<String>,
}

/// The result of one day.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "CanaryDay")]
pub struct OfDay {
    /// The day.
    pub day: Day,
    /// Compared rows.
    pub rows: usize,
    /// The worst status of its figures.
    pub status: Status,
    /// Its figures.
    pub figures: Vec<Figure>,
    /// Rows that could not be compared.
    pub unpaired: Unpaired,
}

/// Rows of only one side, or of both sides with different inputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "CanaryUnpaired")]
pub struct Unpaired {
    /// Recorded under the candidate alone.
    pub candidate_only: usize,
    /// Recorded under the active release alone.
    pub active_only: usize,
    /// Recorded on both sides with different inputs.
    pub other_inputs: usize,
    /// The first few of them, as text.
    pub examples: Vec<String>,
}

/// How many rows that could not be compared are listed as examples.
const NAMED: usize = 5;

impl Unpaired {
    fn add(&mut self, pairs: &Pairs, logic: &ModelVersion) {
        self.candidate_only += pairs.candidate_only.len();
        self.active_only += pairs.active_only.len();
        self.other_inputs += pairs.other_inputs.len();
        let name = |t: &Target, what: &str| {
            let (b, h, d) = (&t.boundary_id, &t.herd_config_id, t.day);
            format!("{logic} / {b} / {h} / {d}: {what}")
        };
        let other = pairs
            .other_inputs
            .iter()
            .map(|(p, inputs)| name(p, &format!("another {} on each side", inputs.join(", "))));
        let active = pairs.active_only.iter();
        let active = active.map(|p| name(p, "the candidate has no run"));
        let candidate = pairs.candidate_only.iter();
        let candidate = candidate.map(|p| name(p, "the active release has no run"));
        self.examples.extend(other.chain(active).chain(candidate));
        self.examples.truncate(NAMED);
    }
}

impl Observed {
    /// The result in one sentence.
    #[must_use]
    pub(crate) fn summary(&self) -> String {
        let worst = self.figures.iter().find(|f| f.status == self.status);
        let why = worst
            .filter(|f| f.status.needs_attention())
            .map_or_else(String::new, |f| {
                let subject = f
                    .subject
                    .as_ref()
                    .map_or_else(String::new, |s| format!(" of {s}"));
                format!("; {}{subject}: {}", f.name, f.why)
            });
        format!(
            "canary of R{} beside R{}, {} to {}, share {} %: {} compared{why}",
            self.number,
            self.against_number,
            self.from,
            self.to,
            self.share,
            count(self.rows as u64, "row"),
        )
    }

    /// The result as evidence about the release, not yet recorded.
    #[must_use]
    pub(crate) fn finding(&self) -> EvidenceFinding {
        let verdict = match self.status {
            Status::Ok | Status::Info | Status::NotApplicable => CheckVerdict::Ok,
            Status::Unknown => CheckVerdict::Unknown,
            Status::Warn => CheckVerdict::Warn,
            Status::Crit => CheckVerdict::Crit,
        };
        EvidenceFinding {
            kind: ReportKind::Canary,
            verdict,
            rows: self.rows as u64,
            report: None,
            summary: self.summary(),
        }
    }

    /// The full report behind the finding, as canonical JSON.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub(crate) fn body(&self) -> Result<String, CanonicalError> {
        Form::Canary.text(self)
    }

    /// The finding together with its report.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub fn reported(&self) -> Result<Reported, CanonicalError> {
        Ok(Reported::new(self.finding(), self.body()?))
    }
}

/// The result of the newest canary of a release; `None` if it never had one. The window ends with `to` or, if
/// that is not given, with the newest day that the canary recorded.
///
/// # Errors
/// If the ledger, a manifest or a component cannot be read.
pub fn observed(
    scene: CanaryContext<'_>,
    release: &Digest,
    to: Option<Day>,
) -> Result<Option<Observed>, ReleaseError> {
    let Some(canary) = of_release(scene.standing, release) else {
        return Ok(None);
    };
    let (Some(candidate), Some(against)) = (
        scene.standing.known(release),
        canary.against(scene.standing),
    ) else {
        return Err(ReleaseError::damaged(
            format!("entry {} (canary)", canary.entry),
            "it names a release that is not known",
        ));
    };
    let (active, next) = (&against.document, &candidate.document);
    let sides = Sides::bind(scene.sandbox, scene.store, active, next)?;
    let days = (canary.from, to.unwrap_or(Day::MAX));
    let mut read = Vec::new();
    for (a, c) in &sides.pairs {
        let pairs = Pairs::read(scene.ledger, scene.manifests, &canary, (a, c), days)?;
        read.push((a, c, pairs));
    }
    let (mut all, rows, unpaired) = figures_of(&read, scene.policy, &Pairs::clone);
    let recorded: BTreeSet<Day> = read.iter().flat_map(|(_, _, p)| p.days()).collect();
    let by_day: Vec<OfDay> = recorded
        .iter()
        .map(|day| {
            let (figures, rows, unpaired) = figures_of(&read, scene.policy, &|p| p.of_day(*day));
            OfDay {
                day: *day,
                rows,
                status: worst(&figures, &sides),
                figures,
                unpaired,
            }
        })
        .collect();
    let status = worst(&all, &sides);
    all.sort_by_key(|f| std::cmp::Reverse(f.status));
    Ok(Some(Observed {
        release: *release,
        number: canary.number,
        against: against.digest,
        against_number: active.number,
        since: canary.stamp.at.clone(),
        by: canary.stamp.actor.clone(),
        running: canary.ended.is_none(),
        ended: canary.ended.as_ref().map(super::state::Ended::text),
        from: canary.from,
        to: to.or(recorded.last().copied()).unwrap_or(canary.as_of),
        days: by_day.iter().filter(|d| d.rows > 0).count(),
        share: canary.share,
        rows,
        status,
        figures: all,
        by_day,
        notes: notes(scene.standing, &canary, &sides, &unpaired, active.number),
        unchanged: sides.unchanged,
        added: sides
            .added
            .iter()
            .map(|b| b.model_version.clone())
            .collect(),
        dropped: sides.dropped,
        unpaired,
    }))
}

/// The figures of all pairs of versions (of the part that `pairs` selects), the number of compared rows, and
/// the rows that could not be compared.
fn figures_of(
    read: &[(&Bound, &Bound, Pairs)],
    policy: &CanarySettings,
    pairs: &dyn Fn(&Pairs) -> Pairs,
) -> (Vec<Figure>, usize, Unpaired) {
    let (mut all, mut rows, mut unpaired) = (Vec::new(), 0, Unpaired::default());
    for (active, candidate, whole) in read {
        let part = pairs(whole);
        rows += part.pairs.len();
        unpaired.add(&part, &candidate.model_version);
        let described = (active.description(), candidate.description());
        all.extend(figures(described, &part, policy));
    }
    (all, rows, unpaired)
}

/// If no row was compared, the status is ok only if both releases compute the same; otherwise it is unknown.
fn worst(figures: &[Figure], sides: &Sides) -> Status {
    let worst = figures.iter().map(|f| f.status).max();
    match worst.filter(|s| *s > Status::NotApplicable) {
        Some(status) => status,
        None if sides.pairs.is_empty() && sides.added.is_empty() => Status::Ok,
        None => Status::Unknown,
    }
}

fn notes(
    standing: &ReleaseState,
    canary: &Canary,
    sides: &Sides,
    unpaired: &Unpaired,
    against: u32,
) -> Vec<String> {
    let mut notes = Vec::new();
    let number = canary.number;
    let between = standing
        .changes
        .iter()
        .rfind(|c| c.entry > canary.entry && c.entry < canary.until());
    if let Some(change) = between {
        notes.push(format!(
            "R{against} became active at {}, while the canary ran: everything is compared with it",
            change.stamp.at
        ));
    }
    for logic in &sides.unchanged {
        notes.push(format!(
            "{logic} has the same component and configuration in R{number} and R{against}: not computed twice"
        ));
    }
    for bound in &sides.added {
        notes.push(format!(
            "{} is not in R{against}: it computes in shadow, with nothing to compare it with",
            bound.model_version
        ));
    }
    for logic in &sides.dropped {
        notes.push(format!("{logic} is not in R{number}"));
    }
    for (active, candidate) in &sides.pairs {
        if active.reads_herd != candidate.reads_herd {
            notes.push(format!(
                "of {} and {} only one reads a herd: their rows are of different things and do not pair",
                active.model_version, candidate.model_version
            ));
        }
    }
    if unpaired.candidate_only > 0 {
        notes.push(format!(
            "{} of the candidate alone: R{against} recorded none there; `provender compute --all --from {} --to {}` records the active release's",
            count(unpaired.candidate_only as u64, "row"),
            canary.from,
            canary.as_of
        ));
    }
    if unpaired.active_only > 0 {
        notes.push(format!(
            "{} of R{against} alone: `provender release canary R{number}` computes what the candidate lacks",
            count(unpaired.active_only as u64, "row"),
        ));
    }
    if unpaired.other_inputs > 0 {
        notes.push(format!(
            "{} with other inputs on each side, as data was revised between them: not compared",
            count(unpaired.other_inputs as u64, "row"),
        ));
    }
    notes
}
