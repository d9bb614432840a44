//! Check `age`: the recorded things that the decision relies on are recent enough.

use crate::project::gate::CheckName;
use provender_domain::day::Day;
use provender_domain::render::text::count;

use super::check::{Check, CheckVerdict};

/// Whole days from an instant (RFC 3339, UTC) or a date to a day; `None` if `at` is neither.
#[must_use]
pub(super) fn days_since(at: &str, today: Day) -> Option<i32> {
    Some(today.since(at.get(..10)?.parse().ok()?))
}

/// Whether an age exceeds the limit. An unknown age always does.
#[must_use]
pub(super) fn is_older(days: Option<i32>, max_days: u32) -> bool {
    days.is_none_or(|days| i64::from(days) > i64::from(max_days))
}

/// Judges the oldest thing that the other checks relied on.
#[must_use]
pub(super) fn check(checks: &[Check], max_days: u32, today: Day) -> Check {
    let relied: Vec<(Option<i32>, &str, &str)> = checks
        .iter()
        .flat_map(|c| &c.relied)
        .map(|(what, at)| (days_since(at, today), what.as_str(), at.as_str()))
        .collect();
    let rows = relied.len() as u64;
    let asked = format!("at most {} old", count(u64::from(max_days), "day"));
    // A date that cannot be read counts as older than any that can.
    let by_age = relied.iter().max_by_key(|r| (r.0.is_none(), r.0));
    let Some((oldest, what, at)) = by_age.copied() else {
        let observed = "everything was looked at now";
        return Check::new(CheckName::Age, CheckVerdict::Ok, rows, observed).asks(asked);
    };
    let old: Vec<String> = relied
        .iter()
        .filter(|r| is_older(r.0, max_days))
        .map(|(_, what, at)| format!("{what} is of {at}"))
        .collect();
    let verdict = match old.is_empty() {
        true => CheckVerdict::Ok,
        false => CheckVerdict::Unknown,
    };
    let day = at.get(..10).unwrap_or(at);
    let observed = match (old.is_empty(), oldest) {
        (true, _) => format!("the oldest is {what}, of {day}"),
        (false, None) => format!("{what} is of {day}, which is no day: too old"),
        (false, Some(days)) => {
            // It exceeds an unsigned limit, so it is not negative.
            let days = count(u64::from(days.unsigned_abs()), "day");
            format!("{what} is of {day}, {days} ago: too old")
        }
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
        let mut check = Check::new(CheckName::Goldens, CheckVerdict::Ok, 1, "x");
        check.relied = at.iter().map(|a| ("it".into(), (*a).into())).collect();
        vec![check]
    }

    #[test]
    fn the_oldest_counts_and_what_has_no_date_is_too_old() {
        let today: Day = "2025-07-08".parse().unwrap();
        let of = |at: &[&str]| check(&relies(at), 7, today).verdict;
        assert_eq!(of(&[]), CheckVerdict::Ok);
        assert_eq!(of(&["2025-07-01T23:00:00.000000Z"]), CheckVerdict::Ok);
        assert_eq!(of(&["2025-07-08", "2025-06-30"]), CheckVerdict::Unknown);
        assert_eq!(of(&["yesterday"]), CheckVerdict::Unknown);
        // An unknown age exceeds any limit.
        let check = check(&relies(&["2025-07-01", "yesterday"]), u32::MAX, today);
        assert_eq!(check.verdict, CheckVerdict::Unknown);
        assert_eq!(
            check.observed,
            "it is of yesterday, which is no day: too old"
        );
    }
}
