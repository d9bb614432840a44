//! A deployment of any size, invented but shaped like a real one: pastures on a grid, a herd in each,
//! a forage composite every 16 days, daily weather. The same plan gives the same bytes everywhere.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use provender_domain::day::Day;

/// The first day with observations and with herds: 2022-01-01.
pub(crate) const FIRST_DAY: i32 = 18_993;

/// How much is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Pastures, each with a herd.
    pub(crate) boundaries: usize,
    /// Days with observations, from [`FIRST_DAY`] on.
    pub(crate) days: usize,
    /// Whether there is daily weather, which `days_remaining` does not read.
    pub(crate) weather: bool,
}

impl Plan {
    /// The first and the last day for which every pasture has an answer.
    pub(crate) fn range(&self) -> (Day, Day) {
        (day(0), day(self.days.saturating_sub(1)))
    }

    /// As many pastures with sixteen times the days: as many forage composites as the plan has runs.
    pub(crate) fn deep(self) -> Plan {
        Plan {
            days: 16 * self.days,
            ..self
        }
    }

    /// Ten times the pastures.
    pub(crate) fn wide(self) -> Plan {
        Plan {
            boundaries: 10 * self.boundaries,
            ..self
        }
    }

    /// Two pastures with so many days.
    pub(crate) fn small(self, days: usize) -> Plan {
        Plan {
            boundaries: 2,
            days,
            ..self
        }
    }

    /// Runs that are due: one a pasture and day.
    pub(crate) fn runs(&self) -> usize {
        self.boundaries * self.days
    }
}

/// A generator of numbers that is the same on every machine (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Starts from a seed.
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number of [low, high), with one decimal.
    pub(crate) fn tenths(&mut self, low: f64, high: f64) -> f64 {
        ((low + self.unit() * (high - low)) * 10.0).round() / 10.0
    }
}

/// Day `n` of the data, 0 being [`FIRST_DAY`].
pub(crate) fn day(n: usize) -> Day {
    i32::try_from(n)
        .ok()
        .and_then(|n| Day::from_days(FIRST_DAY + n))
        .expect("a plan stays within the calendar")
}

fn boundary(n: usize) -> String {
    format!("p{n:05}")
}

/// Writes the input files and the three hand-written files of a deployment into `folder`, which
/// `provender init` has made.
pub(crate) fn write(folder: &Path, plan: &Plan) -> io::Result<()> {
    let inputs = folder.join("inputs");
    std::fs::create_dir_all(&inputs)?;
    let put = |name: &str, text: String| std::fs::write(inputs.join(name), text);
    put("pastures.geojson", pastures(plan))?;
    put("herds.json", herds(plan))?;
    put("forage.csv", forage(plan))?;
    if plan.weather {
        put("weather.csv", weather(plan))?;
    }
    std::fs::write(folder.join("sources.toml"), sources(plan))?;
    std::fs::write(folder.join("logic.toml"), LOGIC)?;
    std::fs::write(folder.join("provender.toml"), SETTINGS)
}

/// A GeoJSON collection: one polygon of nine corners a pasture.
pub(crate) fn pastures(plan: &Plan) -> String {
    let mut random = Random::new(1);
    let mut text = "{\"type\": \"FeatureCollection\", \"features\": [\n".to_owned();
    for n in 0..plan.boundaries {
        let (column, row) = (n % 200, n / 200);
        let (lon, lat) = (-119.0 + column as f64 * 0.03, 36.0 + row as f64 * 0.03);
        let corners: Vec<String> = (0..9)
            .map(|c| {
                let angle = f64::from(c % 8) * std::f64::consts::FRAC_PI_4;
                let radius = if c % 8 == 0 {
                    0.012
                } else {
                    0.009 + 0.005 * random.unit()
                };
                format!(
                    "[{:.5}, {:.5}]",
                    lon + radius * angle.cos(),
                    lat + radius * angle.sin()
                )
            })
            .collect();
        let end = if n + 1 < plan.boundaries { "," } else { "" };
        let _ = writeln!(
            text,
            "{{\"type\": \"Feature\", \"properties\": {{\"boundary_id\": \"{}\", \"name\": \"Pasture {n}\", \"effective_date\": \"{}\"}}, \"geometry\": {{\"type\": \"Polygon\", \"coordinates\": [[{}]]}}}}{end}",
            boundary(n),
            day(0),
            corners.join(", "),
        );
    }
    text.push_str("]}\n");
    text
}

/// A JSON list: one herd a pasture, two of three with a utilization target of their own.
pub(crate) fn herds(plan: &Plan) -> String {
    let mut random = Random::new(2);
    let mut text = "[\n".to_owned();
    for n in 0..plan.boundaries {
        let head = 40 + random.bits() % 400;
        let intake = random.tenths(8.0, 14.0);
        let target = if n % 3 == 0 {
            String::new()
        } else {
            format!(", \"utilization_target_pct\": {}", 35 + n % 25)
        };
        let end = if n + 1 < plan.boundaries { "," } else { "" };
        let _ = writeln!(
            text,
            "{{\"id\": \"h{n:05}\", \"boundary_id\": \"{}\", \"name\": \"Herd {n}\", \"effective_date\": \"{}\", \"herd\": {{\"animal_count\": {head}, \"daily_intake_kg_per_head\": {intake:?}{target}, \"animal_type\": \"cattle\"}}}}{end}",
            boundary(n),
            day(0),
        );
    }
    text.push_str("]\n");
    text
}

/// The project's own CSV: a composite every 16 days; one pasture in fifty knows increments alone.
pub(crate) fn forage(plan: &Plan) -> String {
    let mut random = Random::new(3);
    let mut text = "boundary_id,date,kg_per_ha,series\n".to_owned();
    for n in 0..plan.boundaries {
        let increments = n % 50 == 49;
        for d in (0..plan.days).step_by(16) {
            let (series, kg) = if increments {
                ("increment", random.tenths(0.0, 90.0))
            } else {
                ("standing", random.tenths(250.0, 2_400.0))
            };
            let _ = writeln!(text, "{},{},{kg:?},{series}", boundary(n), day(d));
        }
    }
    text
}

/// The project's own CSV: precipitation and the day's extremes.
pub(crate) fn weather(plan: &Plan) -> String {
    let mut random = Random::new(4);
    let mut text = "boundary_id,date,precipitation_mm,temp_max_c,temp_min_c\n".to_owned();
    for n in 0..plan.boundaries {
        for d in 0..plan.days {
            let rain = if random.bits().is_multiple_of(5) {
                random.tenths(0.1, 25.0)
            } else {
                0.0
            };
            let low = random.tenths(-12.0, 14.0);
            let high = low + random.tenths(4.0, 18.0);
            let _ = writeln!(
                text,
                "{},{},{rain:?},{high:.1},{low:?}",
                boundary(n),
                day(d)
            );
        }
    }
    text
}

fn sources(plan: &Plan) -> String {
    let mut text = String::new();
    let all = [
        ("pastures", "boundaries", "pastures.geojson", true),
        ("herds", "herds", "herds.json", true),
        ("forage", "forage", "forage.csv", true),
        ("weather", "weather", "weather.csv", plan.weather),
    ];
    for (id, kind, file, _) in all.iter().filter(|s| s.3) {
        let _ = writeln!(
            text,
            "[[source]]\nid = \"{id}\"\nkind = \"{kind}\"\npath = \"inputs/{file}\"\n"
        );
    }
    text
}

const LOGIC: &str = "\
[days_remaining.v2]
season_start = \"03-01\"

[days_remaining.v2.parameters]
residual_kg_per_ha = 100.0
";

const SETTINGS: &str = "\
environment = \"bench\"

[ledger]
url = \"sqlite:out/ledger.db\"

[manifests]
path = \"out/manifests\"

[logic]
active = [\"days_remaining:v2\"]
on_guardrail = \"mark\"

[limits]
input_mib = 4096
";
