//! Computes the runs of a pack again: its columns go into the sandbox as a whole, in reverse order of rows.

use serde_json::Value as Json;

use provender_domain::backwards::backwards;
use provender_domain::canonical::Digest;
use provender_domain::column::Column;
use provender_proof::ManifestRecord;
use provender_sandbox::Component;
use provender_store::manifest::pack::{Pack, Scratch, list};
use provender_store::manifest::{Manifest, Store};

use super::Packed;
use super::compute::{Loaded, Subject, Trouble, compare, failure, parameters, unfit, unreadable};
use super::verdict::{Cause, ReplayResults};

/// A run, and the row of the pack that contains its manifest.
struct Member<'a> {
    subject: &'a Subject,
    row: usize,
    run_id: Digest,
}

/// Computes runs of a pack again.
pub(super) fn again(
    store: &Store,
    digest: &Digest,
    subjects: &[Subject],
    component: &dyn Fn(&Digest) -> Loaded,
) -> ReplayResults {
    let mut verdict = ReplayResults::default();
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
    let mut group: Vec<Member<'_>> = Vec::with_capacity(subjects.len());
    for s in subjects {
        match packed.row(s) {
            Ok((row, run_id)) => group.push(Member {
                subject: s,
                row,
                run_id,
            }),
            Err(problem) => {
                let message = format!(
                    "the manifest of {} differs from what was recorded: {problem}",
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
        Err(trouble) => group.iter().for_each(|m| fail(m.subject, &trouble)),
    }
    verdict
}

/// The inputs in declared order, with rows reversed. Reverses the pack's own columns if all rows are needed.
fn inputs(
    component: &Component,
    pack: &Pack,
    group: &[Member<'_>],
) -> Result<Vec<Column>, Trouble> {
    let declared = &component.description().inputs;
    let recorded = &pack.header().inputs;
    let places = declared.iter().map(|input| {
        let field = &input.field;
        recorded
            .iter()
            .position(|c| c.name == field.name && c.data_type == field.data_type)
            .ok_or_else(|| unfit(component, "input", &field.name))
    });
    let places: Vec<usize> = places.collect::<Result<_, _>>()?;
    let whole = group.len() == pack.rows.len() && (0..).zip(group).all(|(i, m)| m.row == i);
    if whole && places.iter().copied().eq(0..pack.rows.inputs.len()) {
        return Ok(pack.rows.inputs.iter().map(backwards).collect());
    }
    let columns = places.iter().zip(declared).map(|(place, input)| {
        let mut taken = Column::new(input.field.data_type);
        if let Some(column) = pack.rows.inputs.get(*place) {
            let rows = group.iter().rev();
            rows.for_each(|m| taken.push(&column.get(m.row)));
        }
        taken
    });
    Ok(columns.collect())
}

fn compute(
    component: &Component,
    pack: &Pack,
    group: &[Member<'_>],
) -> Result<ReplayResults, Trouble> {
    let parameters = parameters(component, &pack.header().parameters)?;
    let inputs = inputs(component, pack, group)?;
    let computed = component
        .compute(&parameters, &inputs, group.len())
        .map_err(|e| (Cause::Host, e.code().to_owned(), e.to_string()))?;
    let mut failures = computed.failed.iter().rev().peekable();
    let mut verdict = ReplayResults::default();
    let mut now = Vec::new();
    let mut scratch = Scratch::default();
    for (member, i) in group.iter().zip((0..group.len()).rev()) {
        let Member {
            subject,
            row,
            run_id,
        } = member;
        if let Some(f) = failures.next_if(|f| f.row == i) {
            let cause = Cause::ComponentFailed;
            verdict
                .failed
                .push(failure(subject, cause, f.code.code(), &f.message));
            continue;
        }
        verdict.replayed.push(*run_id);
        now.clear();
        list(&computed.outputs, i, &mut scratch, &mut now);
        let mut recorded = computed.outputs.iter().zip(&pack.rows.outputs);
        let same = computed.outputs.len() == pack.rows.outputs.len()
            && recorded.all(|(now, then)| now.is_same(i, then, *row));
        if same && now == subject.outputs.as_bytes() {
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

/// The manifest of a row as a record, to show what differs from it.
fn record(pack: &Pack, row: usize) -> Result<ManifestRecord, String> {
    let row = u32::try_from(row).map_err(|e| e.to_string())?;
    ManifestRecord::read(&Manifest::parse(&pack.document(row)?)?)
}
