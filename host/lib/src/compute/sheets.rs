//! Turns answered questions into manifests. They are the columns of a pack, from which the document of each manifest is
//! made, whether it has a file of its own or shares one.

use provender_domain::description::Field;
use provender_domain::forms::Config;
use provender_domain::key::ConfigVersion;
use provender_domain::manifest::{Component, Environment, SourceFile};
use provender_domain::value::Value;
use provender_store::manifest::pack::{
    FORMAT, FULL, Header, ROWS, Rows, SourceObservation, Template, header,
};

use super::ComputeError;
use super::binding::Bound;
use super::engine::Policy;
use super::facts::{Cell, Facts};
use super::question::Question;

/// A computed run.
pub(super) struct Answer<'a> {
    /// The question.
    pub(super) question: &'a Question,
    /// The run that it supersedes.
    pub(super) replaces: Option<&'a ConfigVersion>,
    /// Outputs in declared order.
    pub(super) outputs: &'a [Value],
    /// The guardrails that the outputs breach, as indices into the configuration's list.
    pub(super) breached: &'a [u32],
}

/// As many manifests as fit into one pack.
pub(super) struct Sheets {
    /// Writes their documents.
    pub(super) template: Template,
    /// What differs between the manifests.
    pub(super) rows: Rows,
}

/// What all manifests of a batch share. `files` are file numbers in ascending order.
pub(super) fn header(
    facts: &Facts<'_>,
    bound: &Bound,
    policy: &Policy,
    files: &[i64],
) -> Result<Header, ComputeError> {
    let description = bound.description();
    let named = || description.parameters.iter().zip(&bound.parameters);
    let set_by = named().map(|(d, (_, by))| (d.name.clone(), *by));
    let parameters = named().map(|(d, (v, _))| (d.name.clone(), v.to_json()));
    let computer = policy.computer.clone();
    let environment = Environment {
        actor: policy.stamp.actor.clone(),
        component_size: bound.component.size(),
        component_toolchain: bound.component.toolchain().to_vec(),
        engine: computer.engine,
        environment: computer.environment,
        git_commit: computer.git_commit,
        parameters_set_by: set_by.collect(),
        platform: computer.platform,
        program: computer.program,
        reason: None,
        recorded_at: policy.stamp.at.clone(),
        replaces: None,
    };
    let file = |id: &i64| {
        let unknown = || {
            ComputeError::Sheet(format!(
                "an observation is of file {id}, which is not recorded"
            ))
        };
        let f = facts.file(*id).ok_or_else(unknown)?;
        Ok(SourceFile {
            format: f.format.clone(),
            ingested_by: f.entry.get(),
            path: f.path.clone(),
            sha256: f.sha256,
            source: f.source.clone(),
        })
    };
    let files = files
        .iter()
        .map(file)
        .collect::<Result<_, ComputeError>>()?;
    let (inputs, outputs) = columns(bound);
    Ok(Header {
        format: FORMAT.to_owned(),
        component: Component {
            name: description.name.clone(),
            sha256: bound.component.digest(),
            version: description.version.clone(),
            world: bound.component.world().to_owned(),
        },
        config: Config::read(&bound.config.canonical)
            .map_err(|e| ComputeError::Sheet(e.to_string()))?,
        config_version: bound.config.digest,
        environment,
        files,
        inputs,
        known: facts.known().get(),
        outputs,
        parameters: parameters.collect(),
        reason: policy.stamp.reason.clone(),
    })
}

/// The columns of inputs and outputs.
pub(super) fn columns(bound: &Bound) -> (Vec<header::Column>, Vec<header::Column>) {
    let column = |field: &Field| header::Column {
        name: field.name.clone(),
        data_type: field.data_type,
    };
    let description = bound.description();
    let inputs = description.inputs.iter().map(|i| column(&i.field));
    let outputs = description.outputs.iter().map(|o| column(&o.field));
    (inputs.collect(), outputs.collect())
}

/// The numbers of the files behind cells, in ascending order.
fn files<'a>(cells: impl Iterator<Item = &'a Cell>) -> Vec<i64> {
    let mut files: Vec<i64> = cells
        .flat_map(|c| c.from.iter().map(|f| f.file_id))
        .collect();
    files.sort_unstable();
    files.dedup();
    files
}

/// The manifests of answers, in order, split where a pack is full.
pub(super) fn sheets(
    facts: &Facts<'_>,
    bound: &Bound,
    policy: &Policy,
    answers: &[Answer<'_>],
) -> Result<Vec<Sheets>, ComputeError> {
    let mut all = Vec::new();
    let mut left = answers;
    while !left.is_empty() {
        let (sheets, n) = full(facts, bound, policy, left)?;
        all.push(sheets);
        left = &left[n..];
    }
    Ok(all)
}

/// As many of the answers as fit into a pack, and their number.
fn full(
    facts: &Facts<'_>,
    bound: &Bound,
    policy: &Policy,
    answers: &[Answer<'_>],
) -> Result<(Sheets, usize), ComputeError> {
    let files = files(answers.iter().flat_map(|a| &a.question.cells));
    let header = header(facts, bound, policy, &files)?;
    let mut rows = Rows::new(&header.inputs, &header.outputs);
    let mut n = 0;
    for answer in answers {
        push(&mut rows, answer, &files);
        n += 1;
        if n == ROWS || rows.size() >= FULL {
            break;
        }
    }
    let template = Template::new(header).map_err(ComputeError::Sheet)?;
    Ok((Sheets { template, rows }, n))
}

/// Index of an observation's file in `files`.
#[expect(
    clippy::expect_used,
    reason = "the files are those of the same observations, far fewer than 2^32"
)]
fn position(files: &[i64], id: i64) -> u32 {
    let at = files.binary_search(&id).ok();
    at.and_then(|i| u32::try_from(i).ok())
        .expect("the file is among those of the observations")
}

fn push(rows: &mut Rows, answer: &Answer<'_>, files: &[i64]) {
    let key = &answer.question.key;
    rows.push_key(
        (&key.boundary_id, &key.herd_config_id, key.calculation_date),
        key.config_version.reissue,
        answer.replaces,
    );
    for (column, value) in rows.outputs.iter_mut().zip(answer.outputs) {
        column.push(value);
    }
    let columns = rows.inputs.iter_mut().zip(&mut rows.sources);
    for ((column, sources), cell) in columns.zip(&answer.question.cells) {
        column.push(&cell.value);
        let seen = cell.from.iter().map(|c| SourceObservation {
            file: position(files, c.file_id),
            row: c.row,
            date: c.date,
            value: c.value,
        });
        sources.push(cell.age_days, seen);
    }
    rows.push_breached(answer.breached.iter().copied());
    rows.push_provenance(*answer.question.provenance.bytes());
}
