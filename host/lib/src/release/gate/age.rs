//! Check `age`: what the decision relies on, and did not look at itself, is recent.

use crate::project::gate::CheckName;
use provender_domain::day::Day;
use provender_domain::render::text::count;

use super::check::{Check, Verdict};

/// Whole days from an instant (RFC 3339, UTC) or a day to a day; `None` when it is neither.
#[must_use]
pub fn days_since(at: &str, today: Day) -> Option<i32> {
    Some(today.since(at.get(..10)?.parse().ok()?))
}

/// The oldest of what the other checks relied on.
#[must_use]
pub fn check(checks: &[Check], max_days: u32, today: Day) -> Check {
    let limit = i32::try_from(max_days).unwrap_or(i32::MAX);
    let relied: Vec<(i32, &str, &str)> = checks
        .iter()
        .flat_map(|c| &c.relied)
        .map(|(what, at)| {
            // What has no date that can be read is as old as can be.
            let days = days_since(at, today).unwrap_or(i32::MAX);
            (days, what.as_str(), at.as_str())
        })
        .collect();
    let rows = relied.len() as u64;
    let asked = format!("at most {} old", count(u64::from(max_days), "day"));
    let Some((oldest, what, at)) = relied.iter().max_by_key(|r| r.0).copied() else {
        let observed = "everything was looked at now";
        return Check::new(CheckName::Age, Verdict::Ok, rows, observed).asks(asked);
    };
    let old: Vec<String> = relied
        .iter()
        .filter(|r| r.0 > limit)
        .map(|(_, what, at)| format!("{what} is of {at}"))
        .collect();
    let verdict = match old.is_empty() {
        true => Verdict::Ok,
        false => Verdict::Unknown,
    };
    let day = at.get(..10).unwrap_or(at);
    let observed = match old.is_empty() {
        true => format!("the oldest is {what}, of {day}"),
        false => format!(
            "{what} is of {day}, {} ago: too old",
            count(u64::try_from(oldest).unwrap_or_default(), "day")
        ),
    };
    let mut check = Check::new(CheckName::Age, verdict, rows, observed)
        .asks(asked)
        .remedy("provender run --as-of DATE   # brings the recorded answers up to date")
        .remedy("look again where evidence is old: approve anew, gate it anew in the other environment and import it");
    check.details = old;
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relies(at: &[&str]) -> Vec<Check> {
        let mut check = Check::new(CheckName::Goldens, Verdict::Ok, 1, "x");
        check.relied = at.iter().map(|a| ("it".into(), (*a).into())).collect();
        vec![check]
    }

    #[test]
    fn the_oldest_counts_and_what_has_no_date_is_too_old() {
        let today: Day = "2025-07-08".parse().unwrap();
        let of = |at: &[&str]| check(&relies(at), 7, today).verdict;
        assert_eq!(of(&[]), Verdict::Ok);
        assert_eq!(of(&["2025-07-01T23:00:00.000000Z"]), Verdict::Ok);
        assert_eq!(of(&["2025-07-08", "2025-06-30"]), Verdict::Unknown);
        assert_eq!(of(&["yesterday"]), Verdict::Unknown);
    }
}
