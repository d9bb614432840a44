//! A pack's runs against the ledger's: what [`super::Record`] is for a single manifest, for many.

use crate::domain::canonical::{Digest, Recipe};
use crate::domain::key::RunKey;
use crate::ledger::types::NewRun;
use crate::manifest::pack::{Pack, Scratch, Sealed};

/// A pack whose rows are compared with runs.
pub struct Packed<'a> {
    pack: &'a Pack,
    model_version: String,
    scratch: Scratch,
}

impl<'a> Packed<'a> {
    /// Rows of this pack.
    #[must_use]
    pub fn new(pack: &'a Pack) -> Packed<'a> {
        Packed {
            pack,
            model_version: pack.header().model_version(),
            scratch: Scratch::default(),
        }
    }

    /// Digest of the component that computed every run of the pack.
    #[must_use]
    pub fn component(&self) -> Digest {
        self.pack.header().component.sha256
    }

    /// The id of a run whose manifest is here. `Err` names the first thing that does not hold: the key, the
    /// provenance, computed again from the inputs, and the digests of the manifest.
    ///
    /// # Errors
    /// When the manifest is not the one that was recorded.
    pub fn check(&mut self, run: &NewRun) -> Result<Digest, String> {
        let place = run.place.map(|p| p.row);
        let (key, provenance) = (&run.key, &run.provenance);
        let (_, sealed) = self.sealed(key, place, provenance, &run.snapshot, &run.manifest)?;
        Ok(sealed.run_id)
    }

    /// As [`Packed::check`], from the parts of a run; the row in which its manifest is.
    ///
    /// # Errors
    /// As [`Packed::check`].
    pub fn row(
        &mut self,
        key: &RunKey,
        place: Option<u32>,
        provenance: &Digest,
        snapshot: &Digest,
        sha256: &Digest,
    ) -> Result<usize, String> {
        self.sealed(key, place, provenance, snapshot, sha256)
            .map(|(row, _)| row)
    }

    fn sealed(
        &mut self,
        key: &RunKey,
        place: Option<u32>,
        provenance: &Digest,
        snapshot: &Digest,
        sha256: &Digest,
    ) -> Result<(usize, Sealed), String> {
        let rows = &self.pack.rows;
        let row = place.and_then(|row| usize::try_from(row).ok());
        let row = row
            .filter(|row| *row < rows.len())
            .ok_or_else(|| format!("its pack has {} rows", rows.len()))?;
        let header = self.pack.header();
        let is_it = rows.boundary_id(row) == key.boundary_id
            && rows.herd_config_id(row) == key.herd_config_id
            && rows.day(row) == key.calculation_date
            && rows.reissue(row) == key.config_version.reissue
            && header.config_version == key.config_version.config
            && self.model_version == key.model_version;
        if !is_it {
            return Err(format!(
                "it is of {}, its run is {key}",
                rows.key(header, row)
            ));
        }
        let template = &self.pack.template;
        let found = template.provenance(&rows.inputs, row, &mut self.scratch);
        let said = Digest::from_parts(Recipe::JcsV1, rows.provenance(row));
        if said != found {
            return Err(format!(
                "it says provenance {said}, its content has {found}"
            ));
        }
        if found != *provenance {
            return Err(format!("its provenance is {found}, its run's {provenance}"));
        }
        let sealed = template.seal(rows, row, &mut self.scratch)?;
        if sealed.sha256 != *sha256 {
            let found = sealed.sha256;
            return Err(format!("its SHA-256 is {found}, the ledger says {sha256}"));
        }
        if sealed.snapshot != *snapshot {
            let found = sealed.snapshot;
            return Err(format!(
                "its snapshot_id is {found}, the ledger says {snapshot}"
            ));
        }
        Ok((row, sealed))
    }
}
