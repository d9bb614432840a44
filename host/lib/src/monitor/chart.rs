//! A series as an inline SVG line chart: the main outcome over the window, the guardrail's band,
//! threshold lines, nulls and missing days.
//!
//! The vertical range follows the data. It is extended to a bound or threshold unless that would flatten the line to
//! less than a third of the height; the others are named in the caption.

use std::collections::BTreeMap;

use provender_domain::day::Day;
use provender_domain::render::escape;
use provender_domain::render::html::Html;
use provender_domain::render::text::number;

use super::report::{OutcomeSeries, ReportWindow};

/// A threshold to draw across the chart, in the outcome's unit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    /// Its value.
    pub value: f64,
    /// Whether it is the crit threshold, and not the warn threshold.
    pub crit: bool,
    /// Its label: `warn of mean`.
    pub label: String,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;

/// Maps days and values to positions on the canvas.
struct Scale {
    first: Day,
    days: f64,
    low: f64,
    high: f64,
}

impl Scale {
    fn x(&self, day: Day) -> f64 {
        LEFT + f64::from(day.since(self.first)) / self.days * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        // Halved first, so that two huge numbers of opposite sign cannot overflow.
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
    }

    fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// The chart with its caption. `missing` are the expected days without an answer.
#[must_use]
pub(super) fn chart(
    outcome: &OutcomeSeries,
    window: ReportWindow,
    missing: &[Day],
    marks: &[Mark],
) -> Html {
    let values: Vec<f64> = outcome.points.iter().filter_map(|(_, v)| *v).collect();
    let lines = lines_of(outcome, marks);
    let (low, high) = range(&values, &lines);
    let scale = Scale {
        first: window.start,
        days: f64::from(window.end.since(window.start)).max(1.0),
        low,
        high,
    };
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escape::html(&summary(outcome, window, &values, missing.len()))
    );
    svg.push_str(&backdrop(&scale, outcome, window));
    for mark in marks.iter().filter(|m| scale.holds(m.value)) {
        let class = if mark.crit { "t-crit" } else { "t-warn" };
        svg.push_str(&level(&scale, mark.value, class, &mark.label));
    }
    svg.push_str(&series(&scale, outcome));
    svg.push_str(&gaps(&scale, outcome, missing));
    svg.push_str("</svg>");
    Html::figure(svg, &caption(outcome, &scale, &lines))
}

/// Every bound and threshold, with its name.
fn lines_of(outcome: &OutcomeSeries, marks: &[Mark]) -> Vec<(f64, String)> {
    let bounds = [(outcome.minimum, "minimum"), (outcome.maximum, "maximum")];
    bounds
        .into_iter()
        .filter_map(|(x, name)| x.map(|x| (x, format!("guardrail {name}"))))
        .chain(marks.iter().map(|m| (m.value, m.label.clone())))
        .collect()
}

fn range(values: &[f64], lines: &[(f64, String)]) -> (f64, f64) {
    let ends = |xs: &mut dyn Iterator<Item = f64>| {
        xs.fold(None, |acc: Option<(f64, f64)>, x| {
            Some(acc.map_or((x, x), |(a, b)| (a.min(x), b.max(x))))
        })
    };
    let Some((mut low, mut high)) =
        ends(&mut values.iter().copied()).or_else(|| ends(&mut lines.iter().map(|l| l.0)))
    else {
        return (0.0, 1.0);
    };
    let room = (high - low).max(low.abs().max(high.abs()) * 0.25).max(1e-9);
    let (data_low, data_high) = (low, high);
    for (x, _) in lines {
        if *x >= data_low - room && *x <= data_high + room {
            low = low.min(*x);
            high = high.max(*x);
        }
    }
    let pad = ((high - low) * 0.08)
        .max(low.abs().max(high.abs()) * 1e-3)
        .max(1e-9);
    let (low, high) = (low - pad, high + pad);
    if low.is_finite() && high.is_finite() {
        (low, high)
    } else {
        (f64::MIN, f64::MAX)
    }
}

fn backdrop(scale: &Scale, outcome: &OutcomeSeries, window: ReportWindow) -> String {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let mut out = String::new();
    if outcome.minimum.is_some() || outcome.maximum.is_some() {
        let top = outcome.maximum.map_or(TOP, |x| scale.y(x));
        let low = outcome.minimum.map_or(bottom, |x| scale.y(x));
        out.push_str(&format!(
            "<rect class=\"band\" x=\"{LEFT}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            right - LEFT,
            (low - top).max(0.0)
        ));
    }
    out.push_str(&format!(
        "<rect class=\"frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>",
        right - LEFT,
        bottom - TOP
    ));
    for (x, name) in [(outcome.minimum, "minimum"), (outcome.maximum, "maximum")] {
        if let Some(x) = x.filter(|x| scale.holds(*x)) {
            out.push_str(&level(scale, x, "bound", &format!("guardrail {name}")));
        }
    }
    for (value, y) in [(scale.high, TOP + 9.0), (scale.low, bottom)] {
        out.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            escape::html(&axis(value, scale.high - scale.low))
        ));
    }
    out.push_str(&format!(
        "<text x=\"{LEFT}\" y=\"{y:.1}\">{}</text><text x=\"{right:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>",
        window.start,
        window.end,
        y = HEIGHT - 6.0
    ));
    out
}

/// An axis label with as many decimals as the range needs.
fn axis(value: f64, span: f64) -> String {
    if !(0.001..1e9).contains(&span) {
        format!("{value:.3e}")
    } else if span >= 20.0 {
        number(value.round())
    } else {
        number((value * 100.0).round() / 100.0)
    }
}

fn level(scale: &Scale, value: f64, class: &str, label: &str) -> String {
    let y = scale.y(value);
    format!(
        "<line class=\"{class}\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"><title>{}</title></line>",
        WIDTH - RIGHT,
        escape::html(&format!("{label}: {}", number(value)))
    )
}

/// The line, broken at days without a number, and a dot for each number; a square marks a breach.
fn series(scale: &Scale, outcome: &OutcomeSeries) -> String {
    let mut path = String::new();
    let mut dots = String::new();
    let mut before: Option<Day> = None;
    for (day, value) in &outcome.points {
        let Some(value) = *value else {
            before = None;
            continue;
        };
        let (x, y) = (scale.x(*day), scale.y(value));
        let joined = before.is_some_and(|b| day.since(b) == 1);
        path.push_str(&format!("{}{x:.1} {y:.1}", if joined { 'L' } else { 'M' }));
        before = Some(*day);

        let title = format!("{day}: {}", number(value));
        let breach = outcome.minimum.is_some_and(|m| value < m)
            || outcome.maximum.is_some_and(|m| value > m);
        if breach {
            dots.push_str(&format!(
                "<rect class=\"breach\" x=\"{:.1}\" y=\"{:.1}\" width=\"7\" height=\"7\"><title>{title}, beyond the guardrail</title></rect>",
                x - 3.5,
                y - 3.5
            ));
        } else {
            dots.push_str(&format!(
                "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.2\"><title>{title}</title></circle>"
            ));
        }
    }
    if path.is_empty() {
        return dots;
    }
    format!("<path class=\"line\" d=\"{path}\"/>{dots}")
}

/// Below the frame: a ring for a null answer, a cross for a missing one.
fn gaps(scale: &Scale, outcome: &OutcomeSeries, missing: &[Day]) -> String {
    let y = HEIGHT - BOTTOM + 7.0;
    let mut out = String::new();
    for (day, _) in outcome.points.iter().filter(|(_, v)| v.is_none()) {
        out.push_str(&format!(
            "<circle class=\"null\" cx=\"{:.1}\" cy=\"{y}\" r=\"3\"><title>{day}: null</title></circle>",
            scale.x(*day)
        ));
    }
    for day in missing {
        let x = scale.x(*day);
        out.push_str(&format!(
            "<path class=\"missing\" d=\"M{:.1} {:.1}l6 6m0 -6l-6 6\"><title>{day}: expected, not recorded</title></path>",
            x - 3.0,
            y - 3.0
        ));
    }
    out
}

fn summary(
    outcome: &OutcomeSeries,
    window: ReportWindow,
    values: &[f64],
    missing: usize,
) -> String {
    let nulls = outcome.points.len() - values.len();
    let span = match (
        values.iter().copied().reduce(f64::min),
        values.iter().copied().reduce(f64::max),
    ) {
        (Some(low), Some(high)) => format!("from {} to {}", number(low), number(high)),
        _ => "without a number".to_owned(),
    };
    format!(
        "{} {span}, {} to {}; {nulls} null, {missing} missing",
        outcome.name, window.start, window.end
    )
}

fn caption(outcome: &OutcomeSeries, scale: &Scale, lines: &[(f64, String)]) -> String {
    let mut out = outcome.name.clone();
    if let Some(unit) = &outcome.unit {
        out.push_str(&format!(", {unit}"));
    }
    let (inside, outside): (Vec<_>, Vec<_>) = lines.iter().partition(|(x, _)| scale.holds(*x));
    let named = |list: &[&(f64, String)]| -> String {
        let mut by_name: BTreeMap<&str, String> = BTreeMap::new();
        for (x, name) in list.iter() {
            by_name.insert(name.as_str(), number(*x));
        }
        let each: Vec<String> = by_name.iter().map(|(n, x)| format!("{n} {x}")).collect();
        each.join(", ")
    };
    if !inside.is_empty() {
        out.push_str(&format!(". Lines: {}", named(&inside)));
    }
    if !outside.is_empty() {
        out.push_str(&format!(". Beyond the chart: {}", named(&outside)));
    }
    out.push_str(". ○ null, × expected and not recorded, ■ beyond the guardrail.");
    out
}
