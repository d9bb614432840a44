//! Groups, statuses and the overall verdict.

use provender_domain::ids::ModelVersion;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::description::{MonitorRule, Scope};
use provender_domain::forms::Form;
use provender_domain::value::{Value, plain_zero};

use super::ack::Ack;
use super::baseline::Reference;
use super::error::MonitorError;
use super::input::{Bounds, LogicInput, Row, SeriesInput, Window};
use super::metrics::{Coverage, Metric, MetricInput};
use super::overrides::thresholds_version;
use super::report::{
    BaselineReport, BoundsReport, FailingRow, Group, LogicReport, MetricReport, MissingRow,
    MonitorReport, MonitorVerdict, OutcomeSeries, ReportWindow, Status, Summary, TYPE,
};
use super::resolve;
use super::rules::judge_rule;

/// Judges a window of answers.
///
/// # Errors
/// [`MonitorError`] if a rule cannot be computed, or the input is not as `super::input` requires. Sparse or missing
/// data is not an error: it is `unknown` or `crit` in the report.
pub fn judge(window: Window, logics: &[LogicInput]) -> Result<MonitorReport, MonitorError> {
    judge_with(window, logics, &[])
}

/// Judges a window of answers. Acknowledged cases that have not expired at its end are named and left out of the
/// verdict.
///
/// # Errors
/// As [`judge`].
pub fn judge_with(
    window: Window,
    logics: &[LogicInput],
    acks: &[Ack],
) -> Result<MonitorReport, MonitorError> {
    let span = tracing::info_span!(
        target: "provender::monitor",
        "judge",
        end = %window.end,
        days = window.days,
        logics = logics.len(),
        verdict = tracing::field::Empty,
    )
    .entered();
    let first = window.first()?;
    let mut logics: Vec<&LogicInput> = logics.iter().collect();
    logics.sort_by(|a, b| a.model_version.cmp(&b.model_version));
    for pair in logics.windows(2) {
        if let [a, b] = pair
            && a.model_version == b.model_version
        {
            return Err(MonitorError::Twice {
                what: a.model_version.to_string(),
            });
        }
    }
    let mut report = MonitorReport {
        type_name: TYPE,
        report: Digest::of_bytes(&[]),
        status: MonitorVerdict::Ok,
        thresholds_version: all_thresholds(&logics)?,
        window: ReportWindow {
            start: first,
            end: window.end,
            days: window.days,
        },
        notes: Vec::new(),
        acknowledged: Vec::new(),
        summary: Summary::default(),
        logics: Vec::new(),
        fleet: Vec::new(),
        series: Vec::new(),
    };
    report.acknowledged = acks
        .iter()
        .filter(|a| a.until >= window.end)
        .filter(|a| {
            logics
                .iter()
                .any(|l| a.target.is_of_logic(&l.model_version))
        })
        .cloned()
        .collect();
    let mut remaining = BTreeMap::new();
    for logic in logics {
        resolve::check(logic)?;
        resolve::check_rows(logic, first, window.end)?;
        if let Some(status) = add_logic(&mut report, logic) {
            remaining.insert(logic.model_version.clone(), status);
        }
    }
    report.summary = summarise(&report);
    (report.status, report.notes) = overall(&report, &remaining);
    span.record("verdict", report.status.word());
    report.seal()
}

fn all_thresholds(logics: &[&LogicInput]) -> Result<Digest, MonitorError> {
    let each: BTreeMap<&str, Digest> = logics
        .iter()
        .map(|l| (l.model_version.as_str(), thresholds_version(&l.rules)))
        .collect();
    Ok(Form::ThresholdsOfAll.digest(&json!({"logics": each}))?)
}

/// Adds the groups of a logic. Returns the status that enters the verdict if acknowledged cases make it differ from
/// the fleet's.
fn add_logic(report: &mut MonitorReport, logic: &LogicInput) -> Option<Status> {
    let mut series: Vec<&SeriesInput> = logic.series.iter().collect();
    series.sort_by_key(|s| (&s.boundary_id, &s.herd_config_id));

    let fleet = group(logic, &series, Scope::Fleet);
    let remaining = super::excused::status(logic, &series, &fleet, &report.acknowledged);
    let mut rules = logic.rules.clone();
    rules.sort_by_key(super::overrides::rule_text);
    let unit = |name: &String| {
        let subject = logic.subjects.iter().find(|s| &s.name == name);
        subject.and_then(|s| s.unit.clone())
    };
    report.logics.push(LogicReport {
        model_version: logic.model_version.clone(),
        status: fleet.status,
        thresholds_version: thresholds_version(&logic.rules),
        baseline: logic.baseline.as_ref().map(|(digest, b)| BaselineReport {
            baseline: *digest,
            from: b.from,
            to: b.to,
            rows: b.rows,
            config_versions: b.config_versions.clone(),
        }),
        rules,
        bounds: logic
            .bounds
            .iter()
            .map(|(output, b)| BoundsReport {
                output: output.clone(),
                minimum: b.minimum,
                maximum: b.maximum,
                unit: unit(output),
            })
            .collect(),
    });
    report.fleet.push(fleet);
    for one in series {
        let mut group = group(logic, &[one], Scope::Series);
        group.boundary_id = Some(one.boundary_id.clone());
        group.herd_config_id = Some(one.herd_config_id.clone());
        group.outcome = outcome(logic, one);
        report.series.push(group);
    }
    remaining
}

/// A row with its series.
struct Placed<'a> {
    series: &'a SeriesInput,
    row: &'a Row,
}

/// Judges the rules of `scope` over these series, which must be sorted.
pub(super) fn group(logic: &LogicInput, series: &[&SeriesInput], scope: Scope) -> Group {
    let mut placed = Vec::new();
    let mut missing = Vec::new();
    let mut coverage = Coverage::default();
    for one in series {
        let mut rows: Vec<&Row> = one.rows.iter().collect();
        rows.sort_by_key(|r| r.date);
        let recorded: BTreeSet<Day> = rows.iter().map(|r| r.date).collect();
        coverage.expected += one.expected.len();
        coverage.recorded += one.expected.intersection(&recorded).count();
        missing.extend(one.expected.difference(&recorded).map(|day| MissingRow {
            boundary_id: one.boundary_id.clone(),
            herd_config_id: one.herd_config_id.clone(),
            calculation_date: *day,
        }));
        placed.extend(rows.into_iter().map(|row| Placed { series: one, row }));
    }
    let rows: Vec<&Row> = placed.iter().map(|p| p.row).collect();
    let mut places = Vec::with_capacity(placed.len());
    for (i, one) in series.iter().enumerate() {
        places.extend(std::iter::repeat_n(i, one.rows.len()));
    }
    let group = GroupRows {
        rows: &rows,
        places: &places,
        coverage,
        place: match (scope, series) {
            (Scope::Series, [one]) => Some((&one.boundary_id, &one.herd_config_id)),
            _ => None,
        },
    };

    let mut metrics = Vec::new();
    let mut fired: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for rule in logic.rules.iter().filter(|r| r.scope == scope) {
        let (metric, failing) = apply(logic, rule, group);
        for i in failing {
            fired.entry(i).or_default().insert(metric.label());
        }
        metrics.push(metric);
    }
    metrics.sort_by(|a, b| {
        let name = |m: &MetricReport| {
            (
                m.label(),
                m.direction == provender_domain::description::Direction::Below,
            )
        };
        b.status.cmp(&a.status).then_with(|| name(a).cmp(&name(b)))
    });
    let configs: BTreeSet<String> = rows.iter().map(|r| r.config_version.to_string()).collect();
    Group {
        boundary_id: None,
        herd_config_id: None,
        model_version: logic.model_version.clone(),
        config_versions: configs.into_iter().collect(),
        rows: rows.len(),
        expected: coverage.expected,
        recorded: coverage.recorded,
        status: worst(&metrics),
        metrics,
        failing: fired
            .into_iter()
            .filter_map(|(i, names)| placed.get(i).map(|p| failing_row(p, names)))
            .collect(),
        missing,
        outcome: None,
    }
}

/// The most urgent status; `Info` if no rule judges.
fn worst(metrics: &[MetricReport]) -> Status {
    let statuses = metrics.iter().map(|m| m.status);
    statuses.max().unwrap_or(Status::Info)
}

/// The rows of a group, with their series.
#[derive(Clone, Copy)]
struct GroupRows<'a> {
    rows: &'a [&'a Row],
    places: &'a [usize],
    coverage: Coverage,
    /// The boundary and herd, if the group is a single series.
    place: Option<(&'a str, &'a str)>,
}

fn apply(
    logic: &LogicInput,
    rule: &MonitorRule,
    group: GroupRows<'_>,
) -> (MetricReport, Vec<usize>) {
    let subject = rule.subject.as_deref();
    let bounds = subject.and_then(|s| logic.bounds.get(s)).copied();
    let mut out = MetricReport {
        name: rule.metric.clone(),
        subject: rule.subject.clone(),
        value: None,
        unit: None,
        warn: rule.warn,
        crit: rule.crit,
        rows: 0,
        min_rows: rule.min_rows,
        status: Status::Unknown,
        direction: rule.direction,
        scope: rule.scope,
        why: "the metric is not in the catalogue".to_owned(),
    };
    // `resolve::check` refuses unknown names. If one gets here anyway, it does not pass.
    let Some(metric) = Metric::by_name(&rule.metric) else {
        return (out, Vec::new());
    };
    if metric.has_unit() {
        let column = logic
            .subjects
            .iter()
            .find(|s| Some(s.name.as_str()) == subject);
        out.unit = column.and_then(|s| s.unit.clone());
    }
    let why = missing_reference(logic, group.place);
    let scene = MetricInput {
        rows: group.rows,
        places: group.places,
        coverage: group.coverage,
        bounds: bounds.unwrap_or_default(),
        explaining: &logic.explaining,
        reference: reference(logic, group.place, subject).ok_or(&why),
    };
    let seen = metric.observe(subject, scene);
    let judged = judge_rule(
        rule,
        metric.base(),
        out.unit.as_deref(),
        group.rows.len(),
        group.coverage,
        &seen,
    );
    out.value = seen.value;
    out.rows = seen.rows;
    out.status = judged.status;
    out.why = judged.why;
    (out, judged.failing)
}

fn reference<'a>(
    logic: &'a LogicInput,
    place: Option<(&str, &str)>,
    subject: Option<&str>,
) -> Option<&'a Reference> {
    let (_, baseline) = logic.baseline.as_ref()?;
    baseline.of(place, subject?)
}

fn missing_reference(logic: &LogicInput, place: Option<(&str, &str)>) -> String {
    match (&logic.baseline, place) {
        (None, _) => format!(
            "there is no baseline to compare with; `provender monitor baseline create --logic {} …` freezes one",
            logic.model_version
        ),
        (Some((digest, _)), Some((boundary, herd))) => format!(
            "the baseline {} has no numbers of {boundary} / {herd}",
            digest.short()
        ),
        (Some((digest, _)), None) => {
            format!("the baseline {} has no numbers of it", digest.short())
        }
    }
}

fn failing_row(placed: &Placed<'_>, metrics: BTreeSet<String>) -> FailingRow {
    let Placed { series, row } = placed;
    FailingRow {
        run_id: row.run_id,
        snapshot_id: row.snapshot_id,
        manifest: row.manifest.clone(),
        boundary_id: series.boundary_id.clone(),
        herd_config_id: series.herd_config_id.clone(),
        calculation_date: row.date,
        config_version: row.config_version.to_string(),
        metrics: metrics.into_iter().collect(),
    }
}

fn outcome(logic: &LogicInput, series: &SeriesInput) -> Option<OutcomeSeries> {
    let subject = logic.main_outcome()?;
    let Bounds { minimum, maximum } = logic.bounds.get(&subject.name).copied().unwrap_or_default();
    let mut points: Vec<(Day, Option<f64>)> = series
        .rows
        .iter()
        .map(|r| {
            let value = r.values.get(&subject.name).and_then(Value::as_f64);
            (r.date, value.filter(|x| x.is_finite()).map(plain_zero))
        })
        .collect();
    points.sort_by_key(|(day, _)| *day);
    Some(OutcomeSeries {
        name: subject.name.clone(),
        unit: subject.unit.clone(),
        minimum,
        maximum,
        points,
    })
}

fn summarise(report: &MonitorReport) -> Summary {
    let mut out = Summary {
        series: report.series.len(),
        ..Summary::default()
    };
    for group in &report.series {
        *match group.status {
            Status::Crit => &mut out.crit,
            Status::Warn => &mut out.warn,
            Status::Unknown => &mut out.unknown,
            Status::Ok => &mut out.ok,
            Status::NotApplicable => &mut out.not_applicable,
            Status::Info => &mut out.info,
        } += 1;
        out.rows += group.rows;
        out.expected += group.expected;
        out.recorded += group.recorded;
    }
    out
}

/// Notes which baseline the shift metrics compare with, and whether its configuration is the same.
fn baseline_notes(report: &MonitorReport, group: &Group, notes: &mut Vec<String>) {
    let logic = report
        .logics
        .iter()
        .find(|l| l.model_version == group.model_version);
    let Some(b) = logic.and_then(|l| l.baseline.as_ref()) else {
        return;
    };
    notes.push(format!(
        "{}: shifts are measured against the baseline {} of {} to {} ({} answers)",
        group.model_version,
        b.baseline.short(),
        b.from,
        b.to,
        b.rows
    ));
    let base = |v: &str| v.split('+').next().unwrap_or(v).to_owned();
    if group
        .config_versions
        .iter()
        .any(|c| !b.config_versions.iter().any(|k| base(k) == base(c)))
    {
        notes.push(format!(
            "{}: the window holds answers of a configuration that the baseline does not know; a shift may be the configuration's",
            group.model_version
        ));
    }
}

/// The verdict and its notes. A logic without a fleet rule with a threshold does not count. If all rules of a logic
/// are not applicable, or if no rule of the report judges anything, the report does not pass.
fn overall(
    report: &MonitorReport,
    remaining: &BTreeMap<ModelVersion, Status>,
) -> (MonitorVerdict, Vec<String>) {
    let mut verdict = MonitorVerdict::Ok;
    let mut judged = false;
    let mut notes: Vec<String> = report
        .acknowledged
        .iter()
        .map(|a| {
            format!(
                "acknowledged by {} until {}: {} ({})",
                a.by,
                a.until,
                a.target,
                a.reason.as_deref().unwrap_or("no reason given")
            )
        })
        .collect();
    for group in &report.fleet {
        let name = &group.model_version;
        // A reissue has the same configuration, and so the same bounds.
        let configs: BTreeSet<&str> = group
            .config_versions
            .iter()
            .map(|v| v.split('+').next().unwrap_or(v))
            .collect();
        if configs.len() > 1 {
            notes.push(format!(
                "{name}: the window holds {} configurations; all rows are held to the bounds in force now",
                configs.len()
            ));
        }
        baseline_notes(report, group, &mut notes);
        let status = remaining.get(name).copied().unwrap_or(group.status);
        if status != group.status {
            notes.push(format!(
                "{name}: the fleet is {}; without the acknowledged series it is {}, which enters the verdict",
                group.status.word(),
                status.word()
            ));
        }
        let (one, note) = match status {
            Status::Info => {
                notes.push(format!(
                    "{name} declares no fleet rule with a threshold, so nothing of it enters the verdict"
                ));
                continue;
            }
            Status::Ok => (MonitorVerdict::Ok, None),
            Status::NotApplicable => (
                MonitorVerdict::Warn,
                Some("nothing was expected in the window, so nothing could be judged".to_owned()),
            ),
            Status::Unknown => (
                MonitorVerdict::Warn,
                Some("rules that could not be judged count as warn".to_owned()),
            ),
            Status::Warn => (MonitorVerdict::Warn, None),
            Status::Crit => (MonitorVerdict::Crit, None),
        };
        judged = true;
        verdict = verdict.max(one);
        notes.extend(note.map(|n| format!("{name}: {n}")));
    }
    if !judged {
        verdict = MonitorVerdict::Warn;
        notes.push("no rule judged anything in this window, which is no pass".to_owned());
    }
    (verdict, notes)
}
