//! Makes an input from others: bits, bytes, numbers, words, pieces of itself and of its neighbours.

/// Numbers that often reveal defects.
const NUMBERS: [&str; 24] = [
    "0",
    "-0",
    "-1",
    "1e308",
    "1e-308",
    "1e400",
    "-1e400",
    "NaN",
    "inf",
    "-Infinity",
    "0x10",
    "1,5",
    "1_000",
    "9007199254740993",
    "18446744073709551616",
    "-9223372036854775809",
    "2147483648",
    "4294967295",
    "99999-12-31",
    "2025-02-29",
    "0000-00-00",
    "-99",
    "1.7976931348623157e309",
    "00000000000000000001",
];

/// Words of any text format.
const WORDS: [&str; 28] = [
    "null",
    "true",
    "{}",
    "[]",
    "\"\"",
    "[[",
    "]]",
    "{",
    "}",
    ",",
    ":",
    "\n",
    "\r\n",
    "\t",
    "\"",
    "'",
    "\\",
    "\\u0000",
    "\u{feff}",
    "\u{202e}",
    "\0",
    "../",
    "é",
    "\u{1f40e}",
    "=",
    "#",
    "\u{1b}[2J",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// Makes inputs, each from the state after the previous one.
pub(crate) struct Mutator {
    state: u64,
    words: &'static [&'static str],
}

impl Mutator {
    pub(crate) fn new(seed: u64, words: &'static [&'static str]) -> Mutator {
        // The state must not be 0, and adjacent seeds must give different inputs.
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Mutator { state, words }
    }

    fn below(&mut self, most: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 16).unwrap() % most.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// The next input, with the length of its seed if that must not change.
    pub(crate) fn next(&mut self, seeds: &[Vec<u8>], keep_length: bool) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(6) {
            if keep_length {
                self.in_place(&mut input);
            } else {
                self.step(&mut input, seeds);
            }
        }
        // A few kilobytes find as much as a megabyte.
        input.truncate(64 << 10);
        input
    }

    fn in_place(&mut self, input: &mut [u8]) {
        if input.is_empty() {
            return;
        }
        let at = self.below(input.len());
        match self.below(4) {
            0 => input[at] ^= 1 << self.below(8),
            1 => input[at] = u8::try_from(self.below(256)).unwrap(),
            2 => {
                let word =
                    [0_u32, 1, 7, 8, 9, 0xff, 0x7fff_ffff, 0x8000_0000, u32::MAX][self.below(9)];
                let end = (at / 4 * 4 + 4).min(input.len());
                let from = at / 4 * 4;
                input[from..end].copy_from_slice(&word.to_le_bytes()[..end - from]);
            }
            _ => {
                let other = self.below(input.len());
                input.swap(at, other);
            }
        }
    }

    fn step(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let length = self.below((input.len() - at).min(64) + 1);
        match self.below(10) {
            0 | 1 => self.in_place(input),
            2 => drop(input.drain(at..at + length)),
            3 => {
                let piece = input[at..at + length].to_vec();
                let times = self.below(20) + 1;
                input.splice(at..at, piece.repeat(times));
            }
            4 => {
                let words = self.words;
                let word = if words.is_empty() {
                    ""
                } else {
                    self.pick(words)
                };
                input.splice(at..at, word.bytes());
            }
            5 => {
                let word = self.pick(&WORDS);
                input.splice(at..at, word.bytes());
            }
            6 | 7 => self.number(input, at),
            8 => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                let to = (from + self.below(200)).min(other.len());
                input.splice(at..at + length, other[from..to].iter().copied());
            }
            _ => input.truncate(at),
        }
    }

    /// Replaces the next number by another.
    fn number(&mut self, input: &mut Vec<u8>, at: usize) {
        let is_part = |b: &u8| b.is_ascii_digit() || b"+-.eE".contains(b);
        let Some(from) = input[at..]
            .iter()
            .position(u8::is_ascii_digit)
            .map(|n| at + n)
        else {
            return;
        };
        let to = input[from..]
            .iter()
            .position(|b| !is_part(b))
            .map_or(input.len(), |n| from + n);
        let number = self.pick(&NUMBERS);
        input.splice(from..to, number.bytes());
    }
}
