//! Times, measured in turns: both sides run in the same round, so that other load of the machine affects both
//! equally.

use std::time::Instant;

use serde_json::{Value as Json, json};

/// Times of one measurement in several rounds, in seconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    seconds: Vec<f64>,
}

impl Sample {
    /// Adds a round.
    pub(crate) fn push(&mut self, seconds: f64) {
        self.seconds.push(seconds);
        self.seconds.sort_by(f64::total_cmp);
    }

    /// The middle round.
    pub(crate) fn median(&self) -> f64 {
        let n = self.seconds.len();
        match (n, n % 2) {
            (0, _) => f64::NAN,
            (_, 1) => self.seconds[n / 2],
            _ => f64::midpoint(self.seconds[n / 2 - 1], self.seconds[n / 2]),
        }
    }

    /// The fastest round and the slowest.
    pub(crate) fn range(&self) -> (f64, f64) {
        let first = self.seconds.first().copied().unwrap_or(f64::NAN);
        (first, self.seconds.last().copied().unwrap_or(f64::NAN))
    }

    /// The slowest round over the fastest.
    pub(crate) fn spread(&self) -> f64 {
        let (low, high) = self.range();
        high / low
    }

    /// Median, range and rounds, each time divided by `per`.
    pub(crate) fn json(&self, per: f64) -> Json {
        let (low, high) = self.range();
        json!({
            "median": self.median() / per,
            "least": low / per,
            "most": high / per,
            "spread": self.spread(),
            "rounds": self.seconds.len(),
        })
    }
}

/// A measurement: returns the seconds of the part that counts, or a message.
pub(crate) type Timed<'a> = &'a mut dyn FnMut() -> Result<f64, String>;

/// Runs each in turn, `rounds` times, after one warm-up round.
pub(crate) fn in_turns<const N: usize>(
    rounds: usize,
    mut each: [Timed<'_>; N],
) -> Result<[Sample; N], String> {
    let mut samples = [const {
        Sample {
            seconds: Vec::new(),
        }
    }; N];
    for round in 0..=rounds {
        for (timed, sample) in each.iter_mut().zip(&mut samples) {
            let seconds = timed()?;
            if round > 0 {
                sample.push(seconds);
            }
        }
    }
    Ok(samples)
}

/// The result of a piece of work and how long it took.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64())
}
