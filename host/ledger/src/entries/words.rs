//! Enumerated values in payloads.

use provender_domain::render::Tone;
use provender_domain::words;

words! {
    /// What a report or a finding is about.
    pub enum ReportKind: "kind of report" {
        /// Bytes, declarations and bindings of components.
        Verify = "verify",
        /// Golden cases.
        Goldens = "goldens",
        /// A candidate compared with the active version.
        Backtest = "backtest",
        /// A window of answers.
        Monitor = "monitor",
        /// Replayed runs.
        Replay = "replay",
        /// A gate's decision.
        Gate = "gate",
        /// A release in shadow.
        Canary = "canary",
        /// A person's approval, as it travels with a release.
        Approval = "approval",
        /// A baseline that monitors compare with.
        Baseline = "baseline",
    }
}

words! {
    /// Result of a check or a finding, from the best to the most serious.
    pub enum CheckVerdict: "verdict" {
        /// Within its thresholds.
        Ok = "ok",
        /// Beyond the warn threshold.
        Warn = "warn",
        /// Beyond the crit threshold.
        Crit = "crit",
        /// Missing, empty, too few or too old: never a pass.
        Unknown = "unknown",
    }
}

impl CheckVerdict {
    /// How a report displays it.
    #[must_use]
    pub fn tone(self) -> Tone {
        match self {
            CheckVerdict::Ok => Tone::Good,
            CheckVerdict::Warn => Tone::Warn,
            CheckVerdict::Crit => Tone::Bad,
            CheckVerdict::Unknown => Tone::Unknown,
        }
    }
}

words! {
    /// What a verdict of a check does.
    pub enum Action: "action" {
        /// The release is not let in.
        Block = "block",
        /// It is let in, and the process says so by its exit code.
        Alert = "alert",
        /// It is let in.
        Ignore = "ignore",
    }
}

words! {
    /// Decision of a gate.
    pub enum GateOutcome: "outcome" {
        /// Passes: every check passed, or its result is ignored.
        Clean = "clean",
        /// Passes, with an alert about a warning.
        Warn = "warn",
        /// Passes, with an alert about a critical result.
        Crit = "crit",
        /// Does not pass.
        Blocked = "blocked",
    }
}

words! {
    /// A role that owns part of a release.
    pub enum Role: "role" {
        /// Data science.
        Ds = "ds",
        /// ML operations.
        Mlops = "mlops",
    }
}

words! {
    /// Result of a replay.
    pub enum ReplayVerdict: "verdict" {
        /// Every run gave the same bits.
        Identical = "identical",
        /// A run gave other bits, or could not be computed.
        Different = "different",
    }
}
