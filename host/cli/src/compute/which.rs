//! Which places and days the command line asks for.

use clap::Args;
use provender_domain::ids::{BoundaryId, HerdId};

use crate::error::CliError;
use crate::telemetry;
use provender_domain::day::Day;
use provender_host::compute::Selection;

/// Which places and days.
#[derive(Args, Clone)]
pub(crate) struct Which {
    /// Only this boundary.
    #[arg(long, value_name = "ID")]
    pub(crate) boundary: Option<String>,
    /// Only this herd.
    #[arg(long, value_name = "ID")]
    pub(crate) herd: Option<String>,
    /// Every pair of boundary and herd that is due.
    #[arg(long, conflicts_with_all = ["boundary", "herd"])]
    pub(crate) all: bool,
    /// The day.
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to"])]
    pub(crate) as_of: Option<String>,
    /// First day of a range.
    #[arg(long, value_name = "DATE", requires = "to")]
    pub(crate) from: Option<String>,
    /// Last day of a range.
    #[arg(long, value_name = "DATE", requires = "from")]
    pub(crate) to: Option<String>,
}

impl Which {
    /// The days asked for.
    pub(crate) fn days(&self, today: Day) -> Result<(Day, Day), CliError> {
        let (from, to) = match (&self.as_of, &self.from, &self.to) {
            (Some(d), _, _) => {
                let day = day(d, today)?;
                telemetry::as_of(day);
                (day, day)
            }
            (None, Some(from), Some(to)) => (day(from, today)?, day(to, today)?),
            _ => {
                return Err(CliError::usage(
                    "which day? give --as-of DATE, or --from DATE --to DATE",
                ));
            }
        };
        if from > to {
            return Err(CliError::usage(format!(
                "the range ends before it starts: {from} to {to}"
            )));
        }
        Ok((from, to))
    }

    pub(super) fn selection(&self, (from, to): (Day, Day)) -> Result<Selection, CliError> {
        if !self.all && self.boundary.is_none() && self.herd.is_none() {
            return Err(CliError::usage(
                "which runs? give --all, or --boundary ID (and --herd ID)",
            ));
        }
        Ok(Selection {
            boundary: self.boundary.clone().map(BoundaryId::unchecked),
            herd: self.herd.clone().map(HerdId::unchecked),
            from,
            to,
        })
    }
}

/// A day, or `today` (UTC).
pub(crate) fn day(text: &str, today: Day) -> Result<Day, CliError> {
    if text == "today" {
        return Ok(today);
    }
    text.parse()
        .map_err(|e: provender_domain::day::NotADay| CliError::usage(e.to_string()))
}
