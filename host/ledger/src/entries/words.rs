//! What entries say in a word.

use provender_domain::render::Tone;
use provender_domain::words;

words! {
    /// What a report or a finding is about.
    pub enum ReportKind: "kind of report" {
        /// Bytes, declarations and bindings of components.
        Verify = "verify",
        /// Golden cases.
        Goldens = "goldens",
        /// A candidate against the active version.
        Backtest = "backtest",
        /// A window of answers.
        Monitor = "monitor",
        /// Runs computed again.
        Replay = "replay",
        /// A gate's decision.
        Gate = "gate",
        /// A release in shadow.
        Canary = "canary",
        /// A person's consent, as it travels with a release.
        Approval = "approval",
        /// A reference that monitors compare with.
        Baseline = "baseline",
    }
}

words! {
    /// What a check or a finding came to, from the best to what weighs most.
    pub enum Verdict: "verdict" {
        /// Within its thresholds.
        Ok = "ok",
        /// Beyond warn.
        Warn = "warn",
        /// Beyond crit.
        Crit = "crit",
        /// Missing, empty, too few or too old: never a pass.
        Unknown = "unknown",
    }
}

impl Verdict {
    /// How a page shows it.
    #[must_use]
    pub fn tone(self) -> Tone {
        match self {
            Verdict::Ok => Tone::Good,
            Verdict::Warn => Tone::Warn,
            Verdict::Crit => Tone::Bad,
            Verdict::Unknown => Tone::Unknown,
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
    /// What a gate decided.
    pub enum GateOutcome: "outcome" {
        /// Let in; every check holds, or what does not is ignored.
        Clean = "clean",
        /// Let in, with an alert about warn.
        Warn = "warn",
        /// Let in, with an alert about crit.
        Crit = "crit",
        /// Not let in.
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
    /// What came of a replay.
    pub enum ReplayVerdict: "verdict" {
        /// Every run gave the same bits.
        Identical = "identical",
        /// One did not, or could not be computed.
        Different = "different",
    }
}
