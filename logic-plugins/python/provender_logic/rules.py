"""Guardrails and monitors, as a declaration lists them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Guardrail:
    """An output's plausible range; a bound is a number, the name of a parameter, or None."""

    output: str
    minimum: float | str | None
    maximum: float | str | None
    severity: str


def warn(output: str, minimum: float | str | None, maximum: float | str | None) -> Guardrail:
    """A range outside of which a number is doubtful."""
    return Guardrail(output, minimum, maximum, "warn")


def crit(output: str, minimum: float | str | None, maximum: float | str | None) -> Guardrail:
    """A range outside of which a number is wrong."""
    return Guardrail(output, minimum, maximum, "crit")


@dataclass(frozen=True)
class Monitor:
    """A metric over a window of answers; it holds for every series and for the fleet."""

    metric: str
    subject: str | None
    direction: str
    warn: float | None
    crit: float | None
    min_rows: int


def above(
    metric: str, warn: float | None, crit: float | None, *, subject: str | None = None, min_rows: int = 1
) -> Monitor:
    """Fires when the metric is above its thresholds; `subject` is the output or input it looks at."""
    return Monitor(metric, subject, "above", warn, crit, min_rows)


def below(
    metric: str, warn: float | None, crit: float | None, *, subject: str | None = None, min_rows: int = 1
) -> Monitor:
    """Fires when the metric is below its thresholds; `subject` is the output or input it looks at."""
    return Monitor(metric, subject, "below", warn, crit, min_rows)
