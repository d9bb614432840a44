//! Ingests the files named in `sources.toml`.

use provender_domain::failpoint;
use provender_domain::files::bounded;
use provender_domain::ids::BoundaryId;
use provender_domain::interrupt::Interrupted;
use provender_ledger::Write;

use crate::compute::ComputeError;
use crate::ingest::parsed::ReadOptions;
use crate::ingest::report::{FileReport, IngestError};
use crate::ingest::take::{Offer, Policy, take};
use crate::project::find;
use crate::project::sources::Source;

use super::{Deployment, DeploymentError, Finished, Phase, Progress};

impl Deployment {
    /// Ingests every file of the sources. Places come first, so that later files can refer to them. A file that was not
    /// ingested has the reason in its report.
    ///
    /// # Errors
    /// If the work was interrupted. The error contains the files handled by then.
    pub fn ingest_sources(
        &self,
        ledger: &dyn Write,
        policy: &Policy,
        progress: &mut dyn Progress,
    ) -> Result<Vec<FileReport>, DeploymentError> {
        let _phase = tracing::info_span!(target: "provender::phase", "ingest").entered();
        let mut sources: Vec<&Source> = self.project.sources.sources.iter().collect();
        sources.sort_by_key(|s| s.kind);
        let mut reports = Vec::new();
        let mut files = Vec::new();
        for source in sources {
            match find::files(&self.project.dir, source) {
                Ok(found) => files.extend(found.into_iter().map(|f| (source, f))),
                Err(error) => {
                    let paths = source.paths.join(", ");
                    reports.push(FileReport::refused(&source.id, source.kind, &paths, error));
                }
            }
        }
        let ceiling = self.project.settings.limits.input_bytes();
        progress.begin(Phase::Ingest, files.len() as u64);
        for (source, found) in files {
            if let Err(stopped) = self.interrupt.check() {
                return Err(ingested(stopped, reports));
            }
            progress.advance(1);
            match bounded::read_in(&self.project.dir, &found.path, ceiling) {
                Err(cause) => {
                    let error = IngestError::unread(found.path.clone(), cause);
                    reports.push(FileReport::refused(
                        &source.id,
                        source.kind,
                        &found.path,
                        error,
                    ));
                }
                Ok(bytes) => {
                    let offer = Offer {
                        options: self.read_options(source, &found.path, found.boundary),
                        path: found.path,
                        bytes,
                        source: source.id.clone(),
                        max_revised_share: source.max_revised_share,
                        named: false,
                    };
                    reports.push(take(ledger, &offer, policy, &self.stamp(None)));
                }
            }
            failpoint::hit("ingest.after-file");
        }
        progress.end();
        Ok(reports)
    }

    /// How `sources.toml` says to read a file of a source.
    #[must_use]
    pub(crate) fn read_options(
        &self,
        source: &Source,
        path: &str,
        boundary: Option<BoundaryId>,
    ) -> ReadOptions {
        ReadOptions {
            file_name: path.to_owned(),
            kind: Some(source.kind),
            format: source.format,
            boundary,
            id_property: source.id_property.clone(),
            duplicate_ids: source.duplicate_ids,
            skip_bad_rows: false,
            series: self.project.sources.series_of(&source.id),
        }
    }
}

/// The error for an interruption after some files.
pub(super) fn ingested(stopped: Interrupted, files: Vec<FileReport>) -> DeploymentError {
    DeploymentError::from(ComputeError::from(stopped)).after(|| Finished {
        files,
        ..Finished::default()
    })
}
