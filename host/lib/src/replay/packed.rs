//! Compares the rows of a pack with the ledger's runs: for many manifests at once what [`super::ManifestRecord`] is for
//! one.

use provender_domain::canonical::{Digest, Recipe};
use provender_domain::ids::ModelVersion;
use provender_domain::key::RunKey;
use provender_ledger::types::NewRun;
use provender_store::manifest::pack::{Pack, Scratch};

use super::Subject;

/// A pack whose rows are compared with runs.
pub struct Packed<'a> {
    pack: &'a Pack,
    model_version: ModelVersion,
    scratch: Scratch,
}

impl<'a> Packed<'a> {
    /// Prepares a comparison with this pack.
    #[must_use]
    pub(crate) fn new(pack: &'a Pack) -> Packed<'a> {
        Packed {
            pack,
            model_version: pack.header().model_version(),
            scratch: Scratch::default(),
        }
    }

    /// Digest of the component that computed every run of the pack.
    #[must_use]
    pub(crate) fn component(&self) -> Digest {
        self.pack.header().component.sha256
    }

    /// Returns the id of a run whose manifest is in this pack. Checks the key, the provenance (computed again from the
    /// inputs) and the digests of the manifest; `Err` describes the first mismatch.
    ///
    /// # Errors
    /// If the manifest differs from the recorded one.
    pub(crate) fn check(&mut self, run: &NewRun) -> Result<Digest, String> {
        let (key, place) = (&run.key, run.place.map(|p| p.row));
        let row = self.row_of(key, place)?;
        let rows = &self.pack.rows;
        let template = &self.pack.template;
        let (sealed, found) = template.seal_with_provenance(rows, row, &mut self.scratch)?;
        let stated = Digest::from_parts(Recipe::JcsV1, rows.provenance(row));
        if stated != found {
            return Err(format!(
                "it states provenance {stated}, but its content gives {found}"
            ));
        }
        if found != run.provenance {
            let recorded = run.provenance;
            return Err(format!("its provenance is {found}, its run's {recorded}"));
        }
        if sealed.sha256 != run.manifest {
            return Err(other_sha256(&sealed.sha256, &run.manifest));
        }
        if sealed.snapshot != run.snapshot {
            return Err(other_snapshot(&sealed.snapshot, &run.snapshot));
        }
        Ok(sealed.run_id)
    }

    /// Returns the row of a run's manifest, and the run's id. The manifest is byte for byte the recorded one, with the
    /// run's provenance and snapshot in it. Only [`Packed::check`] verifies that these are the digests of its content.
    ///
    /// # Errors
    /// See [`Packed::check`].
    pub(crate) fn row(&mut self, subject: &Subject) -> Result<(usize, Digest), String> {
        let row = self.row_of(&subject.key, subject.place.map(|p| p.row))?;
        let rows = &self.pack.rows;
        let found = Digest::from_parts(Recipe::JcsV1, rows.provenance(row));
        if found != subject.provenance {
            let recorded = subject.provenance;
            return Err(format!("its provenance is {found}, its run's {recorded}"));
        }
        let template = &self.pack.template;
        let sealed = template.seal_with_snapshot(rows, row, subject.snapshot, &mut self.scratch)?;
        if sealed.sha256 != subject.manifest {
            // The manifest contains the ledger's snapshot, so find out which of the two digests differs.
            let found = template.seal(rows, row, &mut self.scratch)?;
            return Err(match found.snapshot == subject.snapshot {
                true => other_sha256(&found.sha256, &subject.manifest),
                false => other_snapshot(&found.snapshot, &subject.snapshot),
            });
        }
        Ok((row, sealed.run_id))
    }

    /// The row, if its manifest has this key.
    fn row_of(&self, key: &RunKey, place: Option<u32>) -> Result<usize, String> {
        let rows = &self.pack.rows;
        let row = place.and_then(|row| usize::try_from(row).ok());
        let row = row
            .filter(|row| *row < rows.len())
            .ok_or_else(|| format!("its pack has only {} rows", rows.len()))?;
        let header = self.pack.header();
        let is_it = rows.boundary_id(row) == key.boundary_id
            && rows.herd_config_id(row) == key.herd_config_id
            && rows.day(row) == key.calculation_date
            && rows.reissue(row) == key.config_version.reissue
            && header.config_version == key.config_version.config
            && self.model_version == key.model_version;
        match is_it {
            true => Ok(row),
            false => Err(format!(
                "it is of {}, its run is {key}",
                rows.key(header, row)
            )),
        }
    }
}

fn other_sha256(found: &Digest, recorded: &Digest) -> String {
    format!("its SHA-256 is {found}, but the ledger has {recorded}")
}

fn other_snapshot(found: &Digest, recorded: &Digest) -> String {
    format!("its snapshot_id is {found}, but the ledger has {recorded}")
}
