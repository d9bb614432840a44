//! Errors of the monitor.

use provender_domain::canonical::CanonicalError;
use provender_domain::day::Day;
use provender_domain::ids::ModelVersion;

/// Why no report could be made. All but the last three are mistakes in a rule or in `logic.toml`.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// A rule names a metric that the catalogue does not have.
    #[error(
        "{model_version}: the monitor rule `{rule}` names the unknown metric `{metric}`; the nearest is `{nearest}`"
    )]
    UnknownMetric {
        /// The logic.
        model_version: ModelVersion,
        /// The rule, for people.
        rule: String,
        /// What it names.
        metric: String,
        /// The most similar name of the catalogue.
        nearest: String,
    },
    /// A rule's metric needs a subject and the rule names none.
    #[error(
        "{model_version}: the monitor rule `{rule}` needs a subject: the output or input that `{metric}` looks at"
    )]
    NoSubject {
        /// The logic.
        model_version: ModelVersion,
        /// The rule, for people.
        rule: String,
        /// Its metric.
        metric: String,
    },
    /// A rule names a subject that its metric cannot use.
    #[error(
        "{model_version}: the monitor rule `{rule}` names the subject `{subject}`, but `{metric}` counts rows and looks at no column"
    )]
    IdleSubject {
        /// The logic.
        model_version: ModelVersion,
        /// The rule, for people.
        rule: String,
        /// Its metric.
        metric: String,
        /// What it names.
        subject: String,
    },
    /// A rule names a column that the logic neither reads nor returns.
    #[error(
        "{model_version}: the monitor rule `{rule}` looks at `{subject}`, which is not an output or input of the logic; the nearest is `{nearest}`"
    )]
    UnknownSubject {
        /// The logic.
        model_version: ModelVersion,
        /// The rule, for people.
        rule: String,
        /// What it names.
        subject: String,
        /// The most similar column.
        nearest: String,
    },
    /// A rule's metric needs numbers, but its subject is of another type.
    #[error(
        "{model_version}: the monitor rule `{rule}` needs numbers, but `{subject}` is of type {data_type}"
    )]
    NotANumber {
        /// The logic.
        model_version: ModelVersion,
        /// The rule, for people.
        rule: String,
        /// Its subject.
        subject: String,
        /// The subject's type.
        data_type: &'static str,
    },
    /// A rule compares with a bound that no guardrail sets.
    #[error(
        "{model_version}: the monitor rule `{rule}` compares with the {bound} of `{subject}`, but no guardrail of `{subject}` has one; declare the guardrail or drop the rule"
    )]
    NoBound {
        /// The logic.
        model_version: ModelVersion,
        /// The rule, for people.
        rule: String,
        /// Its subject.
        subject: String,
        /// `minimum` or `maximum`.
        bound: &'static str,
    },
    /// A guardrail's bound is a parameter that has no number.
    #[error(
        "{model_version}: the guardrail of `{output}` takes its bound from the parameter `{parameter}`, which has no number"
    )]
    NoParameter {
        /// The logic.
        model_version: ModelVersion,
        /// The guarded output.
        output: String,
        /// The parameter named.
        parameter: String,
    },
    /// A threshold is not a finite number.
    #[error("{model_version}: a threshold of the monitor rule `{rule}` is not a finite number")]
    NotFinite {
        /// The logic.
        model_version: ModelVersion,
        /// The rule, for people.
        rule: String,
    },
    /// The crit threshold is milder than the warn threshold.
    #[error(
        "{model_version}: the monitor rule `{rule}` would be crit before it is warn (warn {warn}, crit {crit}); swap them"
    )]
    Order {
        /// The logic.
        model_version: ModelVersion,
        /// The rule, for people.
        rule: String,
        /// Threshold of warn.
        warn: f64,
        /// Threshold of crit.
        crit: f64,
    },
    /// Two rules judge the same thing.
    #[error("{model_version}: there are two monitor rules `{rule}`; keep one")]
    TwiceRule {
        /// The logic.
        model_version: ModelVersion,
        /// The rule, for people.
        rule: String,
    },
    /// `logic.toml` sets thresholds of a rule that the component does not declare.
    #[error(
        "{model_version}: logic.toml sets thresholds of `{wanted}`, which the component does not declare; {nearest}"
    )]
    UnknownRule {
        /// The logic.
        model_version: ModelVersion,
        /// What it names.
        wanted: String,
        /// The nearest rule, or that there is none.
        nearest: String,
    },
    /// `logic.toml` sets the thresholds of one rule twice.
    #[error("{model_version}: logic.toml sets the thresholds of `{rule}` twice; keep one")]
    TwiceOverride {
        /// The logic.
        model_version: ModelVersion,
        /// The rule, for people.
        rule: String,
    },
    /// The window has no days or leaves the calendar.
    #[error(
        "a window of {days} days up to {end} is not valid; it needs at least one day and must begin in the years 1 to 9999"
    )]
    Window {
        /// Last day.
        end: Day,
        /// Length, days.
        days: u32,
    },
    /// The caller gave a day outside the window.
    #[error("{series}: {day} lies outside the window {first} to {last}")]
    OutsideWindow {
        /// The series, for people.
        series: String,
        /// The day given.
        day: Day,
        /// First day of the window.
        first: Day,
        /// Last day of the window.
        last: Day,
    },
    /// The caller gave a logic, a series or the answer of a day twice.
    #[error("{what} was given twice")]
    Twice {
        /// What it was.
        what: String,
    },
    /// The caller did not gather a column that a rule needs. Missing is not null.
    #[error(
        "{series}: the answer of {day} ({run_id}) was given without `{column}`, which a monitor rule or the chart looks at"
    )]
    NotGathered {
        /// The series, for people.
        series: String,
        /// The answer's day.
        day: Day,
        /// The answer's run.
        run_id: String,
        /// The column.
        column: String,
    },
    /// The report has no canonical form.
    #[error("the monitor report has no canonical JSON: {0}")]
    Canonical(#[from] CanonicalError),
    /// The report could not be turned into JSON.
    #[error("the monitor report could not be turned into JSON: {0}")]
    Json(#[from] serde_json::Error),
}
