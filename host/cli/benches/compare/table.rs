//! What was measured, as a table for people and for machines.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::measure::Sample;

/// The target of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// The ratio of what is measured to what stands beside it, at most.
    AtMost(f64),
    /// The ratio of what stands beside it to what is measured, at least.
    AtLeast(f64),
    /// The value itself, in the row's unit, at most.
    Value(f64),
    /// No target; the figure is only shown.
    Shown,
}

impl Target {
    fn text(self, unit: &str) -> String {
        match self {
            Target::AtMost(x) => format!("≤ {x} ×"),
            Target::AtLeast(x) => format!("≥ {x} × faster"),
            Target::Value(x) => format!("≤ {x} {unit}"),
            Target::Shown => "—".to_owned(),
        }
    }
}

/// A value in the row's unit, with the spread of its rounds.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) of: String,
    /// The median of the rounds, or the one value.
    pub(crate) value: f64,
    /// Median, range and rounds, for the JSON table.
    pub(crate) rounds: Json,
    /// The slowest round over the fastest, where there were several.
    pub(crate) spread: Option<f64>,
}

impl Figure {
    /// Of times, in seconds divided by `per`.
    pub(crate) fn of_times(of: &str, sample: &Sample, per: f64) -> Figure {
        Figure {
            of: of.to_owned(),
            value: sample.median() / per,
            rounds: sample.json(per),
            spread: Some(sample.spread()),
        }
    }

    /// A single value, without rounds.
    pub(crate) fn single(of: &str, value: f64) -> Figure {
        Figure {
            of: of.to_owned(),
            value,
            rounds: json!({"median": value, "rounds": 1}),
            spread: None,
        }
    }
}

/// A row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Short name, unique in the table.
    pub(crate) id: String,
    /// What is measured.
    pub(crate) what: String,
    /// `ns a row`, `ms`, `MiB`.
    pub(crate) unit: &'static str,
    /// The number of rows, runs or bytes processed.
    pub(crate) size: usize,
    /// The figure, or why there is none.
    pub(crate) measured: Result<Figure, String>,
    /// What it is compared with.
    pub(crate) beside: Option<Figure>,
    /// Its target.
    pub(crate) target: Target,
}

impl Row {
    /// A row that was not measured, with the reason.
    pub(crate) fn not_run(id: &str, what: &str, target: Target, reason: String) -> Row {
        Row {
            id: id.to_owned(),
            what: what.to_owned(),
            unit: "",
            size: 0,
            measured: Err(reason),
            beside: None,
            target,
        }
    }

    /// The ratio that the target is about.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let (measured, beside) = (self.measured.as_ref().ok()?, self.beside.as_ref()?);
        Some(match self.target {
            Target::AtLeast(_) => beside.value / measured.value,
            _ => measured.value / beside.value,
        })
    }

    /// Whether the target is reached; `None` if there is no target or nothing was measured.
    pub(crate) fn reached(&self) -> Option<bool> {
        match self.target {
            Target::AtMost(x) => self.ratio().map(|r| r <= x),
            Target::AtLeast(x) => self.ratio().map(|r| r >= x),
            Target::Value(x) => self.measured.as_ref().ok().map(|f| f.value <= x),
            Target::Shown => None,
        }
    }

    fn json(&self) -> Json {
        let figure = |f: &Figure| json!({"of": f.of, "value": f.value, "rounds": f.rounds});
        json!({
            "id": self.id,
            "what": self.what,
            "unit": self.unit,
            "size": self.size,
            "measured": self.measured.as_ref().ok().map(figure),
            "not_run": self.measured.as_ref().err(),
            "beside": self.beside.as_ref().map(figure),
            "ratio": self.ratio(),
            "target": self.target.text(self.unit),
            "reached": self.reached(),
        })
    }

    fn markdown(&self) -> String {
        let shown = |f: &Figure| match f.spread {
            Some(spread) => format!("{} {} (spread {spread:.2})", digits(f.value), self.unit),
            None => format!("{} {}", digits(f.value), self.unit),
        };
        let beside = self
            .beside
            .as_ref()
            .map_or("—".to_owned(), |f| format!("{}: {}", f.of, shown(f)));
        let ratio = self.ratio().map_or("—".to_owned(), |r| format!("{r:.2} ×"));
        let reached = match self.reached() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "—",
        };
        let measured = match &self.measured {
            Ok(figure) => shown(figure),
            Err(reason) => format!("not run: {reason}"),
        };
        format!(
            "| {} | {} | {measured} | {beside} | {ratio} | {} | {reached} |",
            self.what,
            self.size,
            self.target.text(self.unit),
        )
    }
}

/// Three significant digits.
fn digits(value: f64) -> String {
    let whole = value.abs();
    if whole >= 100.0 {
        format!("{value:.0}")
    } else if whole >= 10.0 {
        format!("{value:.1}")
    } else if whole >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

/// The table for people.
pub(crate) fn markdown(rows: &[Row], machine: &[(String, String)], command: &str) -> String {
    let mut text = format!("Made by `{command}`.\n\n");
    for (name, value) in machine {
        let _ = writeln!(text, "- {name}: {value}");
    }
    text.push_str(
        "\n| what | size | measured | side by side with | ratio | to reach | reached |\n",
    );
    text.push_str("|---|---|---|---|---|---|---|\n");
    for row in rows {
        let _ = writeln!(text, "{}", row.markdown());
    }
    text
}

/// The table for machines.
pub(crate) fn json(rows: &[Row], machine: &[(String, String)], command: &str) -> Json {
    let machine: serde_json::Map<_, _> = machine
        .iter()
        .map(|(name, value)| (name.clone(), Json::from(value.as_str())))
        .collect();
    json!({
        "format_version": "1.0",
        "command": command,
        "machine": machine,
        "rows": rows.iter().map(Row::json).collect::<Vec<_>>(),
    })
}
