//! Renders the document of a row: the same bytes as the single manifest of the run.
//!
//! Members are written in the order of RFC 8785. The part that all rows share is rendered and hashed once; a
//! row's digests continue from there.

use std::ops::Range;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::cells::{Member, cell, members, object};
use super::header::Header;
use super::rows::Rows;
use provender_domain::canonical::{Digest, Recipe, bytes_of};
use provender_domain::column::{Column, index};
use provender_domain::forms::{self, GuardrailBounds};
use provender_domain::manifest::{self, Breach, Environment, GuardrailStatus, Guardrails};
use provender_domain::text::{self, Numbers};

/// Renders documents.
#[derive(Clone, Debug)]
pub struct Template {
    /// The part that all rows share.
    pub header: Header,
    /// The document's start, up to the guardrails of the reproducible part.
    head: Vec<u8>,
    head_hash: Sha256,
    /// Offset in it at which the environment ends.
    format: usize,
    /// The document's start for a run that replaces another, up to the replaced version.
    replacing: Vec<u8>,
    reproducible_hash: Sha256,
    /// The provenance's object up to its inputs, and after them.
    provenance_head: Sha256,
    provenance_tail: Vec<u8>,
    /// The key's object between boundary, date, herd and end.
    model_version: Vec<u8>,
    config_version: Vec<u8>,
    parameters: Vec<u8>,
    files: Vec<Vec<u8>>,
    inputs: Vec<Member>,
    outputs: Vec<Member>,
    rails: Vec<Rail>,
}

/// A guardrail of the configuration.
#[derive(Clone, Debug)]
struct Rail {
    output: usize,
    bounds: GuardrailBounds,
}

/// Digests of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowDigests {
    /// Digest of the key.
    pub run_id: Digest,
    /// Digest of the reproducible part.
    pub snapshot: Digest,
    /// SHA-256 of the document.
    pub sha256: Digest,
}

/// Reusable buffers.
#[derive(Debug, Default)]
pub struct Scratch {
    inputs: Vec<u8>,
    /// Position of the inputs in the body.
    inputs_at: Range<usize>,
    /// The rest of the reproducible part.
    body: Vec<u8>,
    /// The part after the reproducible part.
    tail: Vec<u8>,
    files: Vec<u32>,
    pub(super) numbers: Numbers,
}

fn canonical<T: Serialize>(part: &T) -> Result<Vec<u8>, String> {
    bytes_of(part).map_err(|e| e.to_string())
}

fn rails(header: &Header) -> Result<Vec<Rail>, String> {
    let rail = |bounds: &GuardrailBounds| {
        let output = header.outputs.iter().position(|o| o.name == bounds.output);
        let missing = || format!("the guardrail of `{}` names no output", bounds.output);
        Ok(Rail {
            output: output.ok_or_else(missing)?,
            bounds: bounds.clone(),
        })
    };
    header.config.guardrails.iter().map(rail).collect()
}

/// From a document's first byte to the end of its environment.
fn opening(environment: &Environment) -> Result<Vec<u8>, String> {
    let mut head = b"{\"environment\":".to_vec();
    head.extend(canonical(environment)?);
    Ok(head)
}

/// As [`opening`] of a run that replaces another, up to the version that it replaces: the last member.
fn replacing(header: &Header) -> Result<Vec<u8>, String> {
    let mut head = opening(&Environment {
        reason: Some(header.reason.clone()),
        ..header.environment.clone()
    })?;
    head.pop();
    head.extend_from_slice(b",\"replaces\":");
    Ok(head)
}

impl Template {
    /// A template for manifests with this header.
    ///
    /// # Errors
    /// When a number in the header has no canonical form.
    pub fn new(header: Header) -> Result<Template, String> {
        let mut head = opening(&header.environment)?;
        let format = head.len();
        head.extend_from_slice(b",\"format\":");
        text::string(manifest::FORMAT, &mut head);
        head.extend_from_slice(b",\"reproducible\":");
        let reproducible = head.len();
        let config = header.config.to_text().map_err(|e| e.to_string())?;
        let component = canonical(&header.component)?;
        forms::snapshot_head(&component, config.as_bytes(), &mut head);
        head.extend_from_slice(b",\"guardrails\":");
        let provenance = forms::Provenance::new(
            &header.component.sha256.to_string(),
            &header.component.world,
            &header.config_version,
        );
        let mut model_version = Vec::new();
        text::string(&header.model_version(), &mut model_version);
        let part = &head[reproducible..];
        Ok(Template {
            head_hash: Sha256::new().chain_update(&head),
            reproducible_hash: Sha256::new().chain_update(part),
            format,
            replacing: replacing(&header)?,
            provenance_head: Sha256::new().chain_update(provenance.head()),
            provenance_tail: provenance.tail().to_vec(),
            model_version,
            config_version: header.config_version.to_string().into_bytes(),
            parameters: canonical(&header.parameters)?,
            files: header
                .files
                .iter()
                .map(canonical)
                .collect::<Result<_, _>>()?,
            inputs: members(&header.inputs),
            outputs: members(&header.outputs),
            rails: rails(&header)?,
            head,
            header,
        })
    }

    /// The provenance of a row's inputs.
    #[must_use]
    pub fn provenance(&self, inputs: &[Column], i: usize, scratch: &mut Scratch) -> Digest {
        scratch.inputs.clear();
        object(
            &self.inputs,
            inputs,
            i,
            &mut scratch.numbers,
            &mut scratch.inputs,
        );
        self.provenance_of(&scratch.inputs)
    }

    fn provenance_of(&self, inputs: &[u8]) -> Digest {
        let mut hash = self.provenance_head.clone();
        hash.update(inputs);
        hash.update(&self.provenance_tail);
        Digest::from_parts(Recipe::JcsV1, hash.finalize().into())
    }

    /// Like [`Template::seal`], also returning the provenance of the row's inputs: both hash the same text.
    ///
    /// # Errors
    /// See [`Template::seal`].
    pub fn seal_with_provenance(
        &self,
        rows: &Rows,
        i: usize,
        scratch: &mut Scratch,
    ) -> Result<(RowDigests, Digest), String> {
        let sealed = self.seal(rows, i, scratch)?;
        let inputs = &scratch.body[scratch.inputs_at.clone()];
        Ok((sealed, self.provenance_of(inputs)))
    }

    /// The digests of a row.
    ///
    /// # Errors
    /// When the row refers to something that does not exist.
    pub fn seal(&self, rows: &Rows, i: usize, scratch: &mut Scratch) -> Result<RowDigests, String> {
        let (run_id, snapshot) = self.render(rows, i, scratch)?;
        Ok(RowDigests {
            run_id,
            snapshot,
            sha256: self.sha256(rows, i, scratch),
        })
    }

    /// Like [`Template::seal`], with a given digest of the reproducible part, which is not computed again.
    ///
    /// # Errors
    /// See [`Template::seal`].
    pub fn seal_with_snapshot(
        &self,
        rows: &Rows,
        i: usize,
        snapshot: Digest,
        scratch: &mut Scratch,
    ) -> Result<RowDigests, String> {
        let run_id = self.body(rows, i, scratch)?;
        self.tail(rows, i, &snapshot, scratch)?;
        Ok(RowDigests {
            run_id,
            snapshot,
            sha256: self.sha256(rows, i, scratch),
        })
    }

    /// SHA-256 of the document whose body and tail are in `scratch`.
    fn sha256(&self, rows: &Rows, i: usize, scratch: &Scratch) -> Digest {
        let mut hash = match rows.replaces(i) {
            None => self.head_hash.clone(),
            Some(replaces) => Sha256::new().chain_update(self.head_of(replaces)),
        };
        hash.update(&scratch.body);
        hash.update(&scratch.tail);
        Digest::from_parts(Recipe::Raw, hash.finalize().into())
    }

    /// The bytes of a row's document.
    ///
    /// # Errors
    /// See [`Template::seal`].
    pub fn document(
        &self,
        rows: &Rows,
        i: usize,
        scratch: &mut Scratch,
    ) -> Result<Vec<u8>, String> {
        self.render(rows, i, scratch)?;
        let head = match rows.replaces(i) {
            None => self.head.clone(),
            Some(replaces) => self.head_of(replaces),
        };
        Ok([head, scratch.body.clone(), scratch.tail.clone()].concat())
    }

    /// The head of a run that replaces another: its environment names that run, and the reason.
    fn head_of(&self, replaces: &str) -> Vec<u8> {
        let mut head = self.replacing.clone();
        text::string(replaces, &mut head);
        head.push(b'}');
        head.extend_from_slice(&self.head[self.format..]);
        head
    }

    /// Renders the varying parts into `scratch`; returns the digests of key and reproducible part.
    fn render(
        &self,
        rows: &Rows,
        i: usize,
        scratch: &mut Scratch,
    ) -> Result<(Digest, Digest), String> {
        let run_id = self.body(rows, i, scratch)?;
        let mut hash = self.reproducible_hash.clone();
        hash.update(&scratch.body);
        let snapshot = Digest::from_parts(Recipe::JcsV1, hash.finalize().into());
        self.tail(rows, i, &snapshot, scratch)?;
        Ok((run_id, snapshot))
    }

    /// Renders the rest of the reproducible part; returns the digest of the key.
    fn body(&self, rows: &Rows, i: usize, scratch: &mut Scratch) -> Result<Digest, String> {
        let run_id = self.run_id(rows, i, &mut scratch.body);
        let Scratch {
            body: out,
            numbers,
            inputs_at,
            ..
        } = scratch;
        out.clear();
        self.guardrails(rows, i, out)?;
        out.extend_from_slice(b",\"inputs\":");
        inputs_at.start = out.len();
        object(&self.inputs, &rows.inputs, i, numbers, out);
        inputs_at.end = out.len();
        out.extend_from_slice(b",\"key\":");
        let _ = self.key(rows, i).write(out);
        out.extend_from_slice(b",\"outputs\":");
        object(&self.outputs, &rows.outputs, i, numbers, out);
        out.extend_from_slice(b",\"parameters\":");
        out.extend_from_slice(&self.parameters);
        out.extend_from_slice(b",\"provenance\":");
        let provenance = Digest::from_parts(Recipe::JcsV1, rows.provenance(i));
        text::digest(&provenance, out);
        out.extend_from_slice(b",\"run_id\":");
        text::digest(&run_id, out);
        out.push(b'}');
        Ok(run_id)
    }

    /// Renders the part after the reproducible part.
    fn tail(
        &self,
        rows: &Rows,
        i: usize,
        snapshot: &Digest,
        scratch: &mut Scratch,
    ) -> Result<(), String> {
        let Scratch {
            tail,
            files,
            numbers,
            ..
        } = scratch;
        tail.clear();
        tail.extend_from_slice(b",\"snapshot_id\":");
        text::digest(snapshot, tail);
        tail.extend_from_slice(b",\"sources\":");
        self.sources(rows, i, (files, numbers), tail)?;
        tail.extend_from_slice(b"}\n");
        Ok(())
    }

    fn key<'r>(&'r self, rows: &'r Rows, i: usize) -> forms::KeyText<'r> {
        forms::KeyText {
            boundary_id: rows.boundary_id(i),
            day: rows.day(i),
            config: &self.config_version,
            reissue: rows.reissue(i),
            herd_config_id: rows.herd_config_id(i),
            model_version: &self.model_version,
        }
    }

    /// The digest of a row's key; see [`provender_domain::key::RunKey::run_id`].
    fn run_id(&self, rows: &Rows, i: usize, out: &mut Vec<u8>) -> Digest {
        out.clear();
        let _ = self.key(rows, i).write_hashed(out);
        Digest::of_canonical(out)
    }

    fn guardrails(&self, rows: &Rows, i: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let breached = rows.breached(i);
        if breached.is_empty() {
            out.extend_from_slice(b"{\"breached\":[],\"status\":\"ok\"}");
            return Ok(());
        }
        let missing = || "a breached guardrail is not in its configuration".to_owned();
        let mut list = Vec::with_capacity(breached.len());
        for n in breached {
            let rail = self.rails.get(index(*n)).ok_or_else(missing)?;
            let output = rows.outputs.get(rail.output).ok_or_else(missing)?;
            let value = output.get(i).as_f64().ok_or_else(missing)?;
            let bounds = rail.bounds.clone();
            list.push(Breach {
                output: bounds.output,
                value,
                minimum: bounds.minimum,
                maximum: bounds.maximum,
                severity: bounds.severity,
            });
        }
        out.extend(canonical(&Guardrails {
            breached: list,
            status: GuardrailStatus::Failed,
        })?);
        Ok(())
    }

    fn sources(
        &self,
        rows: &Rows,
        i: usize,
        (files, numbers): (&mut Vec<u32>, &mut Numbers),
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        files.clear();
        for s in &rows.sources {
            for file in &s.file[s.range(i)] {
                if files.last() != Some(file) && !files.contains(file) {
                    files.push(*file);
                }
            }
        }
        files.sort_unstable();
        out.extend_from_slice(b"{\"files\":[");
        for (n, file) in files.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            let file = usize::try_from(*file).ok().and_then(|f| self.files.get(f));
            out.extend_from_slice(file.ok_or("a source names a file that does not exist")?);
        }
        out.extend_from_slice(b"],\"inputs\":{");
        for member in &self.inputs {
            let Some(s) = rows.sources.get(member.column) else {
                continue;
            };
            out.extend_from_slice(&member.key);
            out.extend_from_slice(b"{\"age_days\":");
            cell(&s.age_days, i, numbers, out);
            out.extend_from_slice(b",\"from\":[");
            for (n, k) in s.range(i).enumerate() {
                out.extend_from_slice(if n == 0 { b"{" } else { b",{" });
                if !s.date.is_null(k) {
                    out.extend_from_slice(b"\"date\":");
                    cell(&s.date, k, numbers, out);
                    out.push(b',');
                }
                let place = files.binary_search(&s.file[k]).ok();
                let place = place.and_then(|n| i64::try_from(n).ok());
                out.extend_from_slice(b"\"file\":");
                text::integer(place.ok_or("a source names no file")?, out);
                out.extend_from_slice(b",\"row\":");
                text::integer(i64::from(s.row[k]), out);
                if !s.value.is_null(k) {
                    out.extend_from_slice(b",\"value\":");
                    cell(&s.value, k, numbers, out);
                }
                out.push(b'}');
            }
            out.extend_from_slice(b"]}");
        }
        out.extend_from_slice(b"},\"known\":");
        text::integer(self.header.known, out);
        out.push(b'}');
        Ok(())
    }
}
