//! Calendar days: days since 1970-01-01, the form in which they cross the sandbox.

use std::fmt;

/// A day of the proleptic Gregorian calendar, years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// The earliest day there is: 0001-01-01.
    pub const MIN: Day = Day(-719_162);
    /// The last day there is: 9999-12-31.
    pub const MAX: Day = Day(2_932_896);

    /// The day `days` after 1970-01-01, or `None` outside the years 1 to 9999.
    #[must_use]
    pub const fn from_days(days: i32) -> Option<Day> {
        if days >= Self::MIN.0 && days <= Self::MAX.0 {
            Some(Day(days))
        } else {
            None
        }
    }

    /// A day of a column that was looked through: within the calendar.
    pub(crate) const fn checked(days: i32) -> Day {
        Day(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// A day by year (1–9999), month (1–12) and day of the month, or `None` if there is no such day.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Day> {
        if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        // Days of the civil calendar, years counted from March so that the leap day comes last
        // (H. Hinnant, "chrono-compatible low-level date algorithms").
        let (m, d) = (month as i32, day as i32);
        let y = if m <= 2 { year - 1 } else { year };
        let (era, yoe) = (y.div_euclid(400), y.rem_euclid(400));
        let doy = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        let found = Day(era * 146_097 + doe - 719_468);
        // 30 February would come out as 1 or 2 March.
        (found.ymd() == (year, month, day)).then_some(found)
    }

    /// Year, month (1–12) and day of the month.
    #[must_use]
    pub fn ymd(self) -> (i32, u32, u32) {
        let z = self.0 + 719_468;
        let (era, doe) = (z.div_euclid(146_097), z.rem_euclid(146_097));
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let (d, m) = (doy - (153 * mp + 2) / 5 + 1, (mp + 2) % 12 + 1);
        let y = yoe + era * 400 + i32::from(m <= 2);
        (y, m as u32, d as u32)
    }

    /// The day of a text `YYYY-MM-DD`, and of no other spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Day> {
        let b = text.as_bytes();
        if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
            return None;
        }
        let part = |r: std::ops::Range<usize>| -> Option<u32> {
            let t = text.get(r)?;
            t.bytes()
                .all(|c| c.is_ascii_digit())
                .then(|| t.parse().ok())?
        };
        Day::from_ymd(i32::try_from(part(0..4)?).ok()?, part(5..7)?, part(8..10)?)
    }

    /// The day `n` days later (earlier when negative), or `None` past the calendar's ends.
    #[must_use]
    pub fn add_days(self, n: i64) -> Option<Day> {
        let days = i64::from(self.0).checked_add(n)?;
        Day::from_days(i32::try_from(days).ok()?)
    }

    /// The day the whole part of `days` later; `None` past the calendar's ends and for no number.
    /// Half a day of forage left is a move today, hence the floor.
    #[must_use]
    pub fn add_whole_days(self, days: f64) -> Option<Day> {
        let whole = days.floor();
        // Beyond this no day of the calendar could be meant, and the conversion stays exact.
        if whole.abs() <= 4_000_000.0 {
            self.add_days(whole as i64)
        } else {
            None
        }
    }

    /// Whole days from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Day) -> i64 {
        i64::from(self.0) - i64::from(earlier.0)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = self.ymd();
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_the_calendar_survives_its_date() {
        for days in Day::MIN.days()..=Day::MAX.days() {
            let day = Day::from_days(days).unwrap();
            let (y, m, d) = day.ymd();
            assert_eq!(Day::from_ymd(y, m, d), Some(day));
        }
    }

    #[test]
    fn known_days_have_their_numbers() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("2000-02-29", 11_016),
            ("0001-01-01", -719_162),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(Day::parse(text).unwrap().days(), days);
            assert_eq!(Day::from_days(days).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_day_that_does_not_exist_is_none() {
        for text in [
            "2025-02-29",
            "2025-00-10",
            "2025-1-01",
            "0000-01-01",
            "2025-04-31",
            "+025-01-01",
        ] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_sum_past_the_calendar_is_none() {
        let day = Day::parse("2025-06-30").unwrap();
        assert_eq!(day.add_days(1).unwrap().to_string(), "2025-07-01");
        assert_eq!(day.add_whole_days(1.99).unwrap().to_string(), "2025-07-01");
        assert_eq!(day.add_whole_days(-0.5).unwrap().to_string(), "2025-06-29");
        assert_eq!(day.add_days(i64::MAX), None);
        for days in [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            1e300,
            3_999_999.0,
        ] {
            assert_eq!(day.add_whole_days(days), None, "{days}");
        }
    }
}
