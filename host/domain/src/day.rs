//! Calendar days as days since 1970-01-01, the form in which the sandbox and the ledger use them.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

/// A day of the proleptic Gregorian calendar: days since 1970-01-01 (the WIT type `date`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

/// The text is not a day in the form `YYYY-MM-DD`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a date of the form YYYY-MM-DD")]
pub struct NotADay(pub String);

impl Day {
    /// The earliest day the host accepts: 0001-01-01.
    pub const MIN: Day = Day(-719_162);
    /// The last day the host accepts: 9999-12-31.
    pub const MAX: Day = Day(2_932_896);

    /// The day `days` after 1970-01-01, or `None` outside the years 1 to 9999: other years have no `YYYY-MM-DD` form.
    #[must_use]
    pub fn from_days(days: i32) -> Option<Day> {
        (Self::MIN.0..=Self::MAX.0)
            .contains(&days)
            .then_some(Day(days))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days(self) -> i32 {
        self.0
    }

    /// A day by year, month (1–12) and day of the month.
    #[must_use]
    pub fn from_ymd(year: i16, month: i8, day: i8) -> Option<Day> {
        let date = Date::new(year, month, day).ok()?;
        Self::from_date(date)
    }

    /// The `ordinal`-th day (1-based) counted from 1 January of `year`. An ordinal beyond the year's end continues in
    /// the next year, as the labels of 16-day composites do.
    #[must_use]
    pub fn from_ordinal(year: i16, ordinal: i32) -> Option<Day> {
        let first = Self::from_ymd(year, 1, 1)?;
        first.plus(ordinal.checked_sub(1)?)
    }

    /// Uses Hinnant's `days_from_civil`, in which years begin on 1 March. Speed matters, because every row of every
    /// file has a day.
    fn from_date(date: Date) -> Option<Day> {
        let (month, day) = (i32::from(date.month()), i32::from(date.day()));
        let year = i32::from(date.year()) - i32::from(month <= 2);
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        Self::from_days(era * 146_097 + days - 719_468)
    }

    /// Year, month (1–12), day of the month.
    ///
    /// Uses Hinnant's `civil_from_days`: eras of 400 years that begin on 1 March, so that the leap day is the last of
    /// its year. Every manifest contains days, and a calendar library is too slow for that.
    #[must_use]
    pub fn ymd(self) -> (i16, i8, i8) {
        // Days since 0000-03-01; never negative, since the first day is 0001-01-01.
        let days = self.0 + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + i32::from(month <= 2);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "1 to 9999, 1 to 12, 1 to 31"
        )]
        (year as i16, month as i8, day as i8)
    }

    /// Its text, `YYYY-MM-DD`.
    #[must_use]
    pub fn text(self) -> [u8; 10] {
        let (y, m, d) = self.ymd();
        let digit = |n: u16| b'0' + (n % 10) as u8;
        // All three are positive.
        let (y, m, d) = (y.unsigned_abs(), m.unsigned_abs(), d.unsigned_abs());
        let (m, d) = (u16::from(m), u16::from(d));
        [
            digit(y / 1000),
            digit(y / 100),
            digit(y / 10),
            digit(y),
            b'-',
            digit(m / 10),
            digit(m),
            b'-',
            digit(d / 10),
            digit(d),
        ]
    }

    /// The day `n` days later (earlier if negative), or `None` outside the calendar.
    #[must_use]
    pub fn plus(self, n: i32) -> Option<Day> {
        Self::from_days(self.0.checked_add(n)?)
    }

    /// The day `n` days earlier, but not before the calendar's first day.
    #[must_use]
    pub fn back(self, n: u32) -> Day {
        let n = i32::try_from(n).ok();
        n.and_then(|n| self.plus(-n)).unwrap_or(Day::MIN)
    }

    /// Whole days from `earlier` to `self`; negative if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Day) -> i32 {
        self.0 - earlier.0
    }

    /// Every day from `self` to `last`, inclusive; empty if `last` is earlier.
    pub fn through(self, last: Day) -> impl DoubleEndedIterator<Item = Day> + Clone {
        (self.0..=last.0).map(Day)
    }
}

impl fmt::Display for Day {
    #[expect(clippy::expect_used, reason = "digits and hyphens are ASCII")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).expect("digits and hyphens are ASCII"))
    }
}

impl FromStr for Day {
    type Err = NotADay;

    fn from_str(s: &str) -> Result<Self, NotADay> {
        let bad = || NotADay(s.to_owned());
        let b = s.as_bytes();
        // Only the extended form of ISO 8601: with other spellings one day would have two texts.
        if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
            return Err(bad());
        }
        let part = |r: std::ops::Range<usize>| -> Option<i16> {
            let t = s.get(r)?;
            t.bytes()
                .all(|c| c.is_ascii_digit())
                .then(|| t.parse().ok())?
        };
        let (y, m, d) = (part(0..4), part(5..7), part(8..10));
        match (y, m, d) {
            (Some(y), Some(m), Some(d)) => {
                let (m, d) = (i8::try_from(m), i8::try_from(d));
                match (m, d) {
                    (Ok(m), Ok(d)) => Day::from_ymd(y, m, d).ok_or_else(bad),
                    _ => Err(bad()),
                }
            }
            _ => Err(bad()),
        }
    }
}

impl serde::Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Date = Date::constant(1970, 1, 1);

    #[test]
    fn day_numbers_agree_with_the_calendar_library() {
        let mut date = EPOCH;
        for days in 0..=Day::MAX.days() {
            assert_eq!(Day::from_date(date).unwrap().days(), days, "{date}");
            // The calendar's last day has no next day.
            if let Ok(next) = date.tomorrow() {
                date = next;
            }
        }
        let mut date = EPOCH;
        for days in (Day::MIN.days()..=0).rev() {
            assert_eq!(Day::from_date(date).unwrap().days(), days, "{date}");
            date = date.yesterday().unwrap();
        }
    }

    #[test]
    fn a_day_is_the_same_after_text_and_number() {
        for text in [
            "1970-01-01",
            "2024-02-29",
            "0001-01-01",
            "9999-12-31",
            "2025-06-30",
        ] {
            let day: Day = text.parse().unwrap();
            assert_eq!(day.to_string(), text);
            assert_eq!(Day::from_days(day.days()), Some(day));
        }
        assert_eq!("1970-01-01".parse::<Day>().unwrap().days(), 0);
        assert_eq!("0001-01-01".parse(), Ok(Day::MIN));
        assert_eq!("9999-12-31".parse(), Ok(Day::MAX));
    }

    #[test]
    fn going_back_too_far_gives_the_first_day() {
        let day: Day = "2025-06-30".parse().unwrap();
        assert_eq!(day.back(30).to_string(), "2025-05-31");
        assert_eq!(day.back(0), day);
        assert_eq!(day.back(1_000_000), Day::MIN);
        assert_eq!(day.back(u32::MAX), Day::MIN);
    }

    #[test]
    fn every_day_has_the_year_month_and_day_of_the_calendar() {
        for day in Day::MIN.through(Day::MAX) {
            let (year, month, of_month) = day.ymd();
            assert_eq!(Day::from_ymd(year, month, of_month), Some(day));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "2025-6-30",
            "20250630",
            "2025-02-29",
            "2025-13-01",
            "+025-01-01",
            "2025-06-30T00:00",
            "",
        ] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_ordinal_past_the_year_runs_into_the_next() {
        assert_eq!(
            Day::from_ordinal(1993, 368).unwrap().to_string(),
            "1994-01-03"
        );
        assert_eq!(
            Day::from_ordinal(1992, 64).unwrap().to_string(),
            "1992-03-04"
        );
    }
}
