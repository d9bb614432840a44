//! The runs of a pack computed again: its columns go into the sandbox as they are.

use serde_json::{Map, Value as Json};

use crate::domain::canonical::Digest;
use crate::domain::column::Column;
use crate::logic::Component;
use crate::manifest::pack::{Pack, Scratch, list};
use crate::manifest::{Manifest, Store};

use super::Packed;
use super::compute::{Loaded, Subject, Trouble, compare, failure, parameters, unfit, unreadable};
use super::record::Record;
use super::verdict::{Cause, Verdict};

/// Computes runs of a pack again.
pub(super) fn again(
    store: &Store,
    digest: &Digest,
    subjects: &[Subject],
    component: &dyn Fn(&Digest) -> Loaded,
) -> Verdict {
    let mut verdict = Verdict::default();
    let mut fail = |s: &Subject, (cause, code, message): &Trouble| {
        verdict.failed.push(failure(s, *cause, code, message));
    };
    let pack = match store.open_pack(digest) {
        Ok(pack) => pack,
        Err(e) => {
            let trouble = unreadable(e);
            subjects.iter().for_each(|s| fail(s, &trouble));
            return verdict;
        }
    };
    let mut packed = Packed::new(&pack);
    let mut group: Vec<(&Subject, usize)> = Vec::with_capacity(subjects.len());
    for s in subjects {
        let row = s.place.map(|p| p.row);
        match packed.row(&s.key, row, &s.provenance, &s.snapshot, &s.manifest) {
            Ok(row) => group.push((s, row)),
            Err(problem) => {
                let message = format!(
                    "the manifest of {} is not what was recorded: {problem}",
                    s.key
                );
                fail(
                    s,
                    &(Cause::Integrity, "manifest_damaged".to_owned(), message),
                );
            }
        }
    }
    let done = component(&packed.component()).and_then(|c| compute(&c, &pack, &group));
    match done {
        Ok(part) => verdict.extend(part),
        Err(trouble) => group.iter().for_each(|(s, _)| fail(s, &trouble)),
    }
    verdict
}

/// The inputs of rows in declared order.
fn inputs(component: &Component, pack: &Pack, rows: &[usize]) -> Result<Vec<Column>, Trouble> {
    let declared = component.description().inputs.iter();
    declared
        .map(|input| {
            let field = &input.field;
            let column = pack
                .header()
                .inputs
                .iter()
                .position(|c| c.name == field.name && c.data_type == field.data_type)
                .and_then(|i| pack.rows.inputs.get(i))
                .ok_or_else(|| unfit(component, "input", &field.name))?;
            let mut taken = Column::new(field.data_type);
            rows.iter().for_each(|row| taken.push(&column.get(*row)));
            Ok(taken)
        })
        .collect()
}

fn compute(
    component: &Component,
    pack: &Pack,
    group: &[(&Subject, usize)],
) -> Result<Verdict, Trouble> {
    let recorded = pack.header().parameters.as_object();
    let parameters = parameters(component, recorded.unwrap_or(&Map::new()))?;
    let rows: Vec<usize> = group.iter().map(|(_, row)| *row).collect();
    let inputs = inputs(component, pack, &rows)?;
    let computed = component
        .compute(&parameters, &inputs, rows.len())
        .map_err(|e| (Cause::Host, e.code().to_owned(), e.to_string()))?;
    let mut failures = computed.failed.iter().peekable();
    let mut verdict = Verdict::default();
    let (mut now, mut then) = (Vec::new(), Vec::new());
    let mut scratch = Scratch::default();
    for (i, (subject, row)) in group.iter().enumerate() {
        if let Some(f) = failures.next_if(|f| f.row == i) {
            let cause = Cause::ComponentFailed;
            verdict
                .failed
                .push(failure(subject, cause, f.code.code(), &f.message));
            continue;
        }
        verdict.replayed.push(subject.key.run_id());
        now.clear();
        then.clear();
        list(&computed.outputs, i, &mut scratch, &mut now);
        list(&pack.rows.outputs, *row, &mut scratch, &mut then);
        if now == then && now == subject.outputs.as_bytes() {
            verdict.identical += 1;
            continue;
        }
        let outputs: Vec<(String, Json)> = component
            .description()
            .outputs
            .iter()
            .zip(&computed.outputs)
            .map(|(o, column)| (o.field.name.clone(), column.get(i).to_json()))
            .collect();
        match record(pack, *row) {
            Ok(record) => verdict
                .different
                .extend(compare(subject, &record, &outputs)),
            Err(problem) => verdict.failed.push(failure(
                subject,
                Cause::Integrity,
                "manifest_damaged",
                &problem,
            )),
        }
    }
    Ok(verdict)
}

/// What the manifest of a row says, for who shows what differs from it.
fn record(pack: &Pack, row: usize) -> Result<Record, String> {
    let row = u32::try_from(row).map_err(|e| e.to_string())?;
    Record::read(&Manifest::parse(&pack.document(row)?)?)
}
