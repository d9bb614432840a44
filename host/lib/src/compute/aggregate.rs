//! Turns dated points into the value of a feature: selects the points that a reference covers and aggregates them. This
//! arithmetic is part of every provenance, so changing it needs a new version of the aggregate.

use provender_domain::catalogue::{Aggregate, FeatureRef, Window};
use provender_domain::day::Day;
use provender_domain::value::{Value, plain_zero};

/// An observation in force: the value for a day from the source that takes precedence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// Its day. `None` for a property without a date, which sorts first and is always in force.
    pub date: Option<Day>,
    /// Its value.
    pub value: f64,
    /// The file it came from.
    pub file_id: i64,
    /// 1-based row of that file.
    pub row: u32,
}

/// First day of the season that contains `day`.
fn season(day: Day, (month, first): (i8, i8)) -> Day {
    let (year, _, _) = day.ymd();
    let this = Day::from_ymd(year, month, first);
    let before = Day::from_ymd(year - 1, month, first);
    this.filter(|d| *d <= day).or(before).unwrap_or(Day::MIN)
}

/// Returns the points that a reference covers on a day. `points` are sorted by date; `season_start` is month and day.
#[must_use]
pub(super) fn window<'p>(
    points: &'p [Point],
    reference: &FeatureRef,
    day: Day,
    season_start: (i8, i8),
) -> &'p [Point] {
    let from = match reference.window {
        Window::All => Day::MIN,
        // The window includes its own day.
        Window::Days(n) => day.back(n.saturating_sub(1)),
        Window::Season => season(day, season_start),
    };
    let end = points.partition_point(|p| p.date.is_none_or(|d| d <= day));
    let start = points.partition_point(|p| p.date.is_some_and(|d| d < from));
    &points[start.min(end)..end]
}

/// Days from the newest point of a window to the day.
#[must_use]
pub(super) fn age_days(window: &[Point], day: Day) -> Option<i32> {
    window.last().and_then(|p| p.date).map(|d| day.since(d))
}

/// Aggregates the points of a window.
#[must_use]
pub(super) fn value(window: &[Point], aggregate: Aggregate, day: Day) -> Value {
    match (aggregate, window.last()) {
        #[expect(clippy::cast_possible_wrap, reason = "points are held in memory")]
        (Aggregate::Count, _) => Value::Int64(window.len() as i64),
        (_, None) => Value::Null,
        (Aggregate::Latest, Some(p)) => number(p.value),
        (Aggregate::Age, Some(_)) => {
            age_days(window, day).map_or(Value::Null, |a| Value::Int64(i64::from(a)))
        }
        (Aggregate::Sum, Some(_)) => number(sum(window)),
        #[expect(
            clippy::cast_precision_loss,
            reason = "a window has far fewer than 2^53 days"
        )]
        (Aggregate::Mean, Some(_)) => number(sum(window) / window.len() as f64),
        (Aggregate::Min, Some(_)) => {
            number(window.iter().map(|p| p.value).fold(f64::INFINITY, f64::min))
        }
        (Aggregate::Max, Some(_)) => number(
            window
                .iter()
                .map(|p| p.value)
                .fold(f64::NEG_INFINITY, f64::max),
        ),
        (Aggregate::Series, Some(_)) => Value::Series(
            window
                .iter()
                .filter_map(|p| Some((p.date?, p.value)))
                .collect(),
        ),
    }
}

/// The points of a window that contribute to the aggregate's value.
#[must_use]
pub(super) fn used(window: &[Point], aggregate: Aggregate) -> &[Point] {
    match (aggregate, window.last()) {
        (Aggregate::Latest | Aggregate::Age, newest) => {
            newest.map(std::slice::from_ref).unwrap_or_default()
        }
        _ => window,
    }
}

/// Sums left to right by date: the order is part of the aggregate's definition (version 1).
fn sum(window: &[Point]) -> f64 {
    window.iter().fold(0.0, |s, p| s + p.value)
}

/// A sum of finite numbers can overflow. A result that is not finite becomes null, never infinity.
fn number(x: f64) -> Value {
    if x.is_finite() {
        Value::Float64(plain_zero(x))
    } else {
        Value::Null
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(reference: &str, day: &str) -> Value {
        let points: Vec<Point> = [
            ("2025-02-28", 5.0),
            ("2025-03-01", 1.0),
            ("2025-03-17", 2.0),
            ("2025-04-02", 4.0),
        ]
        .iter()
        .map(|(d, x)| Point {
            date: Some(d.parse().unwrap()),
            value: *x,
            file_id: 1,
            row: 1,
        })
        .collect();
        let (reference, day): (FeatureRef, Day) =
            (reference.parse().unwrap(), day.parse().unwrap());
        super::value(
            window(&points, &reference, day, (3, 1)),
            reference.aggregate,
            day,
        )
    }

    #[test]
    fn aggregates_look_at_their_window_and_never_ahead() {
        assert_eq!(value("x", "2025-03-20"), Value::Float64(2.0));
        assert_eq!(value("x:age", "2025-03-20"), Value::Int64(3));
        assert_eq!(value("x:sum:season", "2025-04-02"), Value::Float64(7.0));
        assert_eq!(
            value("x:sum:season", "2025-02-28"),
            Value::Float64(5.0),
            "the season of the year before"
        );
        assert_eq!(
            value("x:mean:17d", "2025-03-17"),
            Value::Float64(1.5),
            "both ends of 17 days count"
        );
        assert_eq!(value("x:count:16d", "2025-03-17"), Value::Int64(1));
        assert_eq!(value("x:max:60d", "2025-04-10"), Value::Float64(5.0));
        assert_eq!(value("x:latest:3d", "2025-04-10"), Value::Null);
        assert_eq!(value("x", "2025-01-01"), Value::Null);
        assert_eq!(value("x:count:season", "2025-01-01"), Value::Int64(0));
    }

    #[test]
    fn a_series_carries_its_dates() {
        let Value::Series(points) = value("x:series:season", "2025-03-20") else {
            panic!()
        };
        assert_eq!(
            points,
            [
                ("2025-03-01".parse().unwrap(), 1.0),
                ("2025-03-17".parse().unwrap(), 2.0)
            ]
        );
    }
}
