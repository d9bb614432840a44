//! Files that a person names, taken in: which source each belongs to, and how it is read.

use std::path::{Path, PathBuf};

use provender_domain::files::bounded;
use provender_domain::ids::BoundaryId;
use provender_ledger::{Read, Write};

use crate::ingest::parsed::{DuplicateIds, Format, Kind, ReadOptions};
use crate::ingest::readers;
use crate::ingest::report::{FileReport, IngestError};
use crate::ingest::take::{Offer, Policy, take};
use crate::project::find::{self, FoundFile};
use crate::project::sources::{MAX_REVISED_SHARE, Source};

use super::ingest::ingested;
use super::{Deployment, DeploymentError, Phase, Progress};

/// Files that a person names. What is said of them here goes before what `sources.toml` says.
#[derive(Clone, Debug, Default)]
pub struct NamedFiles {
    /// Each file with its kind, in the order in which they are taken in.
    pub files: Vec<(Kind, PathBuf)>,
    /// The place that they belong to, for files of one place.
    pub boundary: Option<BoundaryId>,
    /// The GeoJSON property that holds the id.
    pub id_property: Option<String>,
    /// What to do with several features of one id.
    pub duplicate_ids: Option<DuplicateIds>,
    /// The format, where recognition is not to be trusted.
    pub format: Option<Format>,
    /// The source that they belong to.
    pub source: Option<String>,
    /// Take the good rows of a file and list the bad ones.
    pub skip_bad_rows: bool,
}

impl Deployment {
    /// Takes in files that a person names. Why a file was not taken is in its report.
    ///
    /// # Errors
    /// If it is not clear which source a file belongs to, or work was asked to stop: the files that were looked
    /// at by then are in the error.
    pub fn ingest_named(
        &self,
        ledger: &dyn Write,
        policy: &Policy,
        named: &NamedFiles,
        progress: &mut dyn Progress,
    ) -> Result<Vec<FileReport>, DeploymentError> {
        let _phase = tracing::info_span!(target: "provender::phase", "ingest").entered();
        progress.begin(Phase::Ingest, named.files.len() as u64);
        let mut reports = Vec::new();
        for (kind, path) in &named.files {
            if let Err(stopped) = self.interrupt.check() {
                return Err(ingested(stopped, reports));
            }
            reports.push(self.take_named(ledger, policy, named, (*kind, path))?);
            progress.advance(1);
        }
        progress.end();
        Ok(reports)
    }

    fn take_named(
        &self,
        ledger: &dyn Write,
        policy: &Policy,
        named: &NamedFiles,
        (kind, path): (Kind, &Path),
    ) -> Result<FileReport, DeploymentError> {
        let shown = self.shown_path(path);
        let refused = |error| Ok(FileReport::refused("", kind, &shown, error));
        let ceiling = self.project.settings.limits.input_bytes();
        let bytes = match bounded::read_named(path, ceiling) {
            Ok(bytes) => bytes,
            Err(cause) => return refused(IngestError::unread(path.display().to_string(), cause)),
        };
        let listed = self.listed(&shown);
        let mut options = match &listed {
            Some((source, found)) => self.read_options(source, &shown, found.boundary.clone()),
            None => ReadOptions {
                file_name: shown.clone(),
                ..ReadOptions::default()
            },
        };
        options.kind = Some(kind);
        options.format = named.format.or(options.format);
        options.boundary = named.boundary.clone().or(options.boundary);
        options.id_property = named.id_property.clone().or(options.id_property);
        options.skip_bad_rows = named.skip_bad_rows;
        options.duplicate_ids = named.duplicate_ids.unwrap_or(options.duplicate_ids);
        if options.series.is_empty() {
            let series = self.project.sources.series.iter();
            options.series = series.map(|s| (s.column.clone(), s.name.clone())).collect();
        }
        let source = match (&named.source, &listed) {
            (Some(id), _) => id.clone(),
            (None, Some((source, _))) => source.id.clone(),
            (None, None) => match readers::read(&bytes, &options) {
                Ok(reading) => self.habitual_source(ledger, kind, reading.format)?,
                Err(e) => return refused(e.into()),
            },
        };
        let sources = &self.project.sources.sources;
        let configured = sources.iter().find(|s| s.id == source);
        if options.id_property.is_none() {
            options.id_property = configured.and_then(|s| s.id_property.clone());
        }
        let offer = Offer {
            path: shown,
            bytes,
            options,
            max_revised_share: configured.map_or(MAX_REVISED_SHARE, |s| s.max_revised_share),
            source,
            named: true,
        };
        Ok(take(ledger, &offer, policy, &self.stamp(None)))
    }

    /// The source of `sources.toml` that lists a file. The file gets the options of that source.
    fn listed(&self, shown: &str) -> Option<(&Source, FoundFile)> {
        self.project.sources.sources.iter().find_map(|source| {
            let files = find::files(&self.project.dir, source).ok()?;
            let found = files.into_iter().find(|f| f.path == shown)?;
            Some((source, found))
        })
    }

    /// The source of a file that `sources.toml` does not list: the only one that earlier files of the same kind and
    /// format came from, so that a corrected copy counts as a revision. If there is none, a source named after the
    /// kind.
    fn habitual_source(
        &self,
        ledger: &dyn Read,
        kind: Kind,
        format: Format,
    ) -> Result<String, DeploymentError> {
        let mut before: Vec<String> = ledger
            .files()?
            .into_iter()
            .filter(|f| f.kind == kind.name() && f.format == format.name() && f.retracted.is_none())
            .map(|f| f.source)
            .collect();
        before.sort();
        before.dedup();
        match before.as_slice() {
            [one] => Ok(one.clone()),
            [] => Ok(kind.name().to_owned()),
            many if many.iter().any(|s| s == kind.name()) => Ok(kind.name().to_owned()),
            _ => Err(DeploymentError::ManySources {
                format: format.name(),
                sources: before,
                root: self.project.root.clone(),
            }),
        }
    }

    /// The path, relative to the deployment's folder if it is inside it. That way a file has the same name for every
    /// user and working directory.
    #[must_use]
    pub fn shown_path(&self, path: &Path) -> String {
        let inside = || {
            let root = self.project.root.canonicalize().ok()?;
            let full = path.canonicalize().ok()?;
            full.strip_prefix(root).ok().map(Path::to_path_buf)
        };
        inside()
            .unwrap_or_else(|| path.to_path_buf())
            .display()
            .to_string()
    }
}
