//! Two distributions as an inline SVG: one histogram over shared bins, before as filled bars, after
//! as an outline, so that both can be told apart without colour.

use provender_domain::render::escape;
use provender_domain::render::html::Html;
use provender_domain::render::text::number;

use super::report::OutcomeReport;
use super::statistics::Distribution;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 28.0;

/// The chart with its caption; nothing for an outcome without a distribution.
#[must_use]
pub(super) fn chart(outcome: &OutcomeReport) -> Option<Html> {
    let d = outcome.figures.as_ref()?.distribution.as_ref()?;
    let unit = outcome.unit.as_ref().map(|u| format!(", {u}"));
    let name = format!("{}{}", outcome.name, unit.unwrap_or_default());
    let most = d
        .before
        .iter()
        .chain(&d.after)
        .copied()
        .max()
        .unwrap_or(0)
        .max(1);
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escape::html(&format!(
            "distribution of {name} from {} to {}, before and after",
            number(d.low),
            number(d.high)
        ))
    );
    svg.push_str(&bars(d, most));
    svg.push_str(&outline(d, most));
    svg.push_str(&axes(d, most));
    svg.push_str("</svg>");
    Some(Html::figure(svg, &caption(&name, d)))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bins and rows are far below 2^53"
)]
fn x(bin: usize, bins: usize) -> f64 {
    LEFT + bin as f64 / bins.max(1) as f64 * (WIDTH - LEFT - RIGHT)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bins and rows are far below 2^53"
)]
fn y(count: u64, most: u64) -> f64 {
    HEIGHT - BOTTOM - count as f64 / most as f64 * (HEIGHT - TOP - BOTTOM)
}

fn bars(d: &Distribution, most: u64) -> String {
    let n = d.before.len();
    let each = d.before.iter().enumerate().filter(|(_, c)| **c > 0);
    each.map(|(i, c)| {
        let (left, top) = (x(i, n), y(*c, most));
        format!(
            "<rect class=\"before\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            x(i + 1, n) - left,
            HEIGHT - BOTTOM - top
        )
    })
    .collect()
}

fn outline(d: &Distribution, most: u64) -> String {
    let n = d.after.len();
    let mut path = format!("M{LEFT:.1} {:.1}", HEIGHT - BOTTOM);
    for (i, c) in d.after.iter().enumerate() {
        let top = y(*c, most);
        path.push_str(&format!(
            "L{:.1} {top:.1}L{:.1} {top:.1}",
            x(i, n),
            x(i + 1, n)
        ));
    }
    path.push_str(&format!("L{:.1} {:.1}", WIDTH - RIGHT, HEIGHT - BOTTOM));
    format!("<path class=\"line\" d=\"{path}\"/>")
}

fn axes(d: &Distribution, most: u64) -> String {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    format!(
        "<rect class=\"frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{most} rows</text>\
         <text x=\"{LEFT}\" y=\"{y:.1}\">{}</text>\
         <text x=\"{right:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>",
        right - LEFT,
        bottom - TOP,
        LEFT - 4.0,
        TOP + 9.0,
        escape::html(&number(d.low)),
        escape::html(&number(d.high)),
        y = HEIGHT - 8.0
    )
}

fn caption(name: &str, d: &Distribution) -> String {
    let mut text = format!("{name}. Filled: before. Line: after.");
    let outside = |[before, after]: [u64; 2], what: &str| {
        (before + after > 0)
            .then(|| format!(" {what} the chart lie {before} before and {after} after."))
    };
    text.extend(outside(d.below, "Below"));
    text.extend(outside(d.above, "Above"));
    text
}
