//! Canonical JSON against another implementation: a few lines of Python, written from RFC 8785 alone.

use std::io::Write as _;
use std::process::{Command, Stdio};

use provender_domain::canonical::to_text;
use serde_json::{Map, Value as Json, json};

const PYTHON: &str = r#"
import json, sys
from decimal import Decimal

def number(x):
    if isinstance(x, int):
        return str(x)
    if x == 0:
        return "0"
    # repr gives the shortest digits that mean this number; ECMAScript says how they are written.
    sign, digits, exponent = Decimal(repr(x)).as_tuple()
    digits = "".join(map(str, digits))
    stripped = digits.rstrip("0")
    n, k = len(digits) + exponent, len(stripped)
    digits = stripped
    if k <= n <= 21:
        text = digits + "0" * (n - k)
    elif 0 < n <= 21:
        text = digits[:n] + "." + digits[n:]
    elif -6 < n <= 0:
        text = "0." + "0" * -n + digits
    else:
        text = digits[0] + ("." + digits[1:] if k > 1 else "") + "e" + ("+" if n > 0 else "-") + str(abs(n - 1))
    return ("-" if sign else "") + text

def canonical(x):
    if isinstance(x, dict):
        keys = sorted(x, key=lambda k: k.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(canonical(k) + ":" + canonical(x[k]) for k in keys) + "}"
    if isinstance(x, list):
        return "[" + ",".join(map(canonical, x)) + "]"
    if x is None or isinstance(x, (bool, str)):
        return json.dumps(x, ensure_ascii=False)
    return number(x)

sys.stdin.reconfigure(encoding="utf-8", newline="\n")
sys.stdout.reconfigure(encoding="utf-8", newline="\n")
for line in sys.stdin:
    print(canonical(json.loads(line)))
"#;

/// Pseudo-random values with the edges weighted.
struct Values(u64);

impl Values {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn number(&mut self) -> Json {
        let bits = self.next();
        let float = match bits % 4 {
            // Any double, a decimal, a power of ten or near one, a whole number.
            0 => f64::from_bits(self.next()),
            1 => (bits >> 40) as f64 / 1_000.0,
            2 => {
                10_f64.powi(i32::try_from(bits >> 32 & 63).unwrap() - 31)
                    * (1.0 + (bits >> 60) as f64)
            }
            _ => return json!(i64::try_from(bits >> 12).unwrap() - (1 << 51)),
        };
        if float.is_finite() {
            json!(float)
        } else {
            json!(0.1)
        }
    }

    fn text(&mut self) -> String {
        const LETTERS: [char; 16] = [
            'a',
            'Z',
            '0',
            '"',
            '\\',
            '/',
            '\n',
            '\u{8}',
            '\u{1f}',
            '\u{7f}',
            'é',
            '\u{2028}',
            '\u{d7ff}',
            '\u{e000}',
            '\u{fffd}',
            '\u{1f40e}',
        ];
        let length = self.next() % 6;
        (0..length)
            .map(|_| LETTERS[usize::try_from(self.next() >> 20 & 15).unwrap()])
            .collect()
    }

    fn any(&mut self, depth: u32) -> Json {
        match self.next() % if depth == 0 { 4 } else { 6 } {
            0 => Json::Null,
            1 => json!(self.next().is_multiple_of(2)),
            2 => json!(self.text()),
            3 => self.number(),
            4 => (0..self.next() % 5).map(|_| self.any(depth - 1)).collect(),
            _ => {
                let members = (0..self.next() % 6).map(|_| (self.text(), self.any(depth - 1)));
                Json::Object(members.collect::<Map<_, _>>())
            }
        }
    }
}

#[test]
fn canonical_json_agrees_with_another_implementation() {
    let mut values = Values(0x2545_f491_4f6c_dd1d);
    let values: Vec<Json> = (0..4_000)
        .map(|n| {
            if n % 2 == 0 {
                values.number()
            } else {
                values.any(4)
            }
        })
        .collect();
    let python = Command::new("python3")
        .args(["-c", PYTHON])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        println!("not checked: the other implementation needs Python 3");
        return;
    };
    let mut stdin = python.stdin.take().unwrap();
    let lines: String = values.iter().map(|v| format!("{v}\n")).collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let theirs = String::from_utf8(output.stdout).unwrap();
    let theirs: Vec<&str> = theirs.split_terminator('\n').collect();
    assert_eq!(theirs.len(), values.len());
    for (value, theirs) in values.iter().zip(theirs) {
        assert_eq!(to_text(value).unwrap(), theirs, "{value}");
    }
}
