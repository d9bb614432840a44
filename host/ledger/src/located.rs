//! Encodes lists of runs by position and id prefix, as in a row of `locator`.
//!
//! The runs ascend by series and day. Each run has three parts: the difference of its series number from the
//! previous one, its day (within the same series, the difference of days), and the first three bytes of its id.

use provender_domain::canonical::Digest;
use provender_domain::day::Day;

/// Most runs in one row, so that a row seldom exceeds its page.
pub const PART: usize = 128;

/// A run by its position in the table `run`, with the first three bytes of its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Located {
    /// Number of its series.
    pub series: i64,
    /// Day, as days since 1970-01-01.
    pub date: i32,
    /// The first three bytes of its id.
    pub id: [u8; 3],
}

impl Located {
    /// The run of a series on a day, with the prefix of `id`.
    #[must_use]
    pub fn new(series: i64, date: Day, id: &Digest) -> Located {
        let [a, b, c, ..] = *id.bytes();
        Located {
            series,
            date: date.days(),
            id: [a, b, c],
        }
    }

    /// First hex digit of the id.
    #[must_use]
    pub fn digit(self) -> u8 {
        self.id[0] >> 4
    }
}

/// Encodes a row; `None` if the runs do not ascend.
#[must_use]
pub fn encode(runs: &[Located]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(runs.len() * 6);
    let (mut series, mut date) = (0, 0);
    for run in runs {
        let ahead = u64::try_from(run.series.checked_sub(series)?).ok()?;
        varint(ahead, &mut out);
        let days = i64::from(run.date);
        varint(
            match ahead {
                0 => u64::try_from(days - date).ok()?,
                // Zigzag encoding, because days before 1970 are negative.
                _ => ((days << 1) ^ (days >> 63)).cast_unsigned(),
            },
            &mut out,
        );
        out.extend_from_slice(&run.id);
        (series, date) = (run.series, days);
    }
    Some(out)
}

/// Decodes a row; `None` if it is malformed.
pub fn decode(mut text: &[u8], each: &mut dyn FnMut(Located)) -> Option<()> {
    let (mut series, mut date) = (0_i64, 0_i64);
    while !text.is_empty() {
        let ahead = number(&mut text)?;
        let number_read = number(&mut text)?;
        series = series.checked_add(i64::try_from(ahead).ok()?)?;
        date = match ahead {
            0 => date.checked_add(i64::try_from(number_read).ok()?)?,
            _ => (number_read >> 1).cast_signed() ^ -((number_read & 1).cast_signed()),
        };
        let (id, rest) = text.split_first_chunk::<3>()?;
        text = rest;
        each(Located {
            series,
            date: i32::try_from(date).ok()?,
            id: *id,
        });
    }
    Some(())
}

/// Writes seven bits per byte, lowest first; the highest bit marks that more follow.
fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n.to_le_bytes()[0] | 0x80);
        n >>= 7;
    }
    out.push(n.to_le_bytes()[0]);
}

fn number(text: &mut &[u8]) -> Option<u64> {
    let mut n = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = text.split_first()?;
        *text = rest;
        n |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Option<Vec<Located>> {
        let mut runs = Vec::new();
        decode(bytes, &mut |run| runs.push(run)).map(|()| runs)
    }

    proptest! {
        #[test]
        fn a_list_round_trips(mut runs in prop::collection::btree_map((1_i64..1 << 40, Day::MIN.days()..=Day::MAX.days()), any::<[u8; 3]>(), 0..200), cut in any::<prop::sample::Index>()) {
            // Consecutive days of one series, as in real ledgers.
            for (i, day) in (-3..400).enumerate() {
                runs.insert((7, day), [u8::try_from(i % 256).unwrap(), 1, 2]);
            }
            let runs: Vec<Located> = runs.into_iter().map(|((series, date), id)| Located { series, date, id }).collect();
            let bytes = encode(&runs).unwrap();
            prop_assert_eq!(read(&bytes), Some(runs.clone()));
            // A truncated list is malformed or shorter.
            let cut = read(&bytes[..cut.index(bytes.len())]);
            prop_assert!(cut.is_none_or(|some| runs.starts_with(&some) && some.len() < runs.len()));
        }

        #[test]
        fn any_bytes_can_be_decoded_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = read(&bytes);
        }
    }

    #[test]
    fn unordered_runs_are_refused_and_neighbours_take_five_bytes() {
        let run = |series, date| Located {
            series,
            date,
            id: [1; 3],
        };
        assert_eq!(encode(&[run(2, 0), run(1, 0)]), None);
        assert_eq!(encode(&[run(1, 5), run(1, 4)]), None);
        let days: Vec<Located> = (0..PART)
            .map(|i| run(9, 20_000 + 16 * i32::try_from(i).unwrap()))
            .collect();
        assert_eq!(encode(&days).unwrap().len(), 5 * PART + 2);
    }
}
