//! Exit codes, part of the command line's contract.

/// The process's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done; verdict ok.
    Ok = 0,
    /// Verdict warn.
    Warn = 1,
    /// Verdict crit; the day is incomplete.
    Crit = 2,
    /// Drift: same key, other inputs.
    Drift = 10,
    /// What is stored is not what was recorded.
    Integrity = 11,
    /// A gate refused.
    Gate = 12,
    /// Same inputs, other output.
    Nondeterminism = 13,
    /// A component cannot be used.
    Rejected = 14,
    /// A component failed: trap or limit.
    Failed = 15,
    /// A guardrail refused.
    Guardrail = 16,
    /// A check failed.
    Check = 17,
    /// The command line is wrong.
    Usage = 64,
    /// Input data is wrong.
    Data = 65,
    /// Something that was named does not exist.
    NotFound = 66,
    /// The store is unavailable.
    Unavailable = 69,
    /// A defect of this program.
    Internal = 70,
    /// The disk refused.
    Io = 74,
    /// Another process holds the store.
    Busy = 75,
    /// The configuration is wrong.
    Config = 78,
}

impl Exit {
    /// Every code with its meaning, for the reference.
    #[cfg(test)]
    pub(crate) const ALL: [(Exit, &'static str); 19] = [
        (Exit::Ok, "done; verdict ok"),
        (Exit::Warn, "verdict warn"),
        (Exit::Crit, "verdict crit, or the day is incomplete"),
        (
            Exit::Drift,
            "drift: same key, other inputs; nothing was written for that run",
        ),
        (
            Exit::Integrity,
            "integrity: what is stored is not what was recorded",
        ),
        (Exit::Gate, "a gate refused"),
        (Exit::Nondeterminism, "same inputs, other output"),
        (Exit::Rejected, "a component cannot be used"),
        (Exit::Failed, "a component failed: trap or limit"),
        (Exit::Guardrail, "a guardrail refused a run as an answer"),
        (Exit::Check, "a check failed"),
        (Exit::Usage, "usage: the command line is wrong"),
        (Exit::Data, "input data is wrong"),
        (Exit::NotFound, "not found"),
        (Exit::Unavailable, "the store is unavailable"),
        (Exit::Internal, "a defect of this program"),
        (Exit::Io, "the disk refused"),
        (Exit::Busy, "busy, try again"),
        (Exit::Config, "the configuration is wrong"),
    ];

    /// The exit code as a number.
    #[must_use]
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The envelope's `status`: `ok`, `warn`, `crit`, `refused` or `error`.
    #[must_use]
    pub(crate) fn status(self) -> &'static str {
        match self {
            Exit::Ok => "ok",
            Exit::Warn => "warn",
            Exit::Crit => "crit",
            other if other < Exit::Usage => "refused",
            _ => "error",
        }
    }

    /// Sort key, the most important first: errors, then refusals, then verdicts. Errors and refusals by
    /// ascending number, verdicts from the worst.
    pub(crate) fn precedence(self) -> (u8, u8) {
        match self {
            Exit::Ok => (3, 0),
            Exit::Crit => (2, 0),
            Exit::Warn => (2, 1),
            e if e < Exit::Usage => (1, e.code()),
            e => (0, e.code()),
        }
    }

    /// The exit code that the process ends with, of several.
    #[must_use]
    pub(crate) fn worst(codes: impl IntoIterator<Item = Exit>) -> Exit {
        Exit::first_of_worst(codes, |e| *e).unwrap_or(Exit::Ok)
    }

    /// The trouble to report, of several: the first of those with the exit code that the process ends
    /// with.
    #[must_use]
    pub(crate) fn first_of_worst<T>(
        troubles: impl IntoIterator<Item = T>,
        exit: impl Fn(&T) -> Exit,
    ) -> Option<T> {
        troubles.into_iter().min_by_key(|t| exit(t).precedence())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_before_refusals_before_verdicts() {
        assert_eq!(Exit::worst([]), Exit::Ok);
        assert_eq!(Exit::worst([Exit::Warn, Exit::Crit, Exit::Ok]), Exit::Crit);
        assert_eq!(
            Exit::worst([Exit::Crit, Exit::Guardrail, Exit::Drift]),
            Exit::Drift
        );
        assert_eq!(Exit::worst([Exit::Drift, Exit::Io, Exit::Data]), Exit::Data);
    }

    #[test]
    fn of_equally_bad_troubles_the_first_is_reported() {
        let troubles = [
            (Exit::Guardrail, "a"),
            (Exit::Drift, "b"),
            (Exit::Drift, "c"),
        ];
        let first = Exit::first_of_worst(troubles, |t| t.0);
        assert_eq!(first, Some((Exit::Drift, "b")));
    }

    #[test]
    fn the_reference_has_every_code() {
        let page = include_str!("../../../docs/reference/exit-codes.md");
        let lacks = |(exit, meaning): &(Exit, &str)| {
            let code = format!("| {} |", exit.code());
            let status = format!("| `{}` |", exit.status());
            !page
                .lines()
                .any(|l| l.starts_with(&code) && l.contains(&status) && l.contains(meaning))
        };
        let missing: Vec<_> = Exit::ALL.iter().filter(|row| lacks(row)).collect();
        assert!(
            missing.is_empty(),
            "docs/reference/exit-codes.md lacks {missing:?}"
        );
    }
}
