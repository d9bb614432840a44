"""Days and quotients without surprises: what Python raises for, a logic answers with None."""

from datetime import date
from math import floor, isfinite

_LAST = date.max.toordinal()


def divide(a: float, b: float) -> float | None:
    """`a / b`, or None where it is no finite number: Python raises when `b` is zero."""
    if b == 0.0:
        return None
    quotient = a / b
    return quotient if isfinite(quotient) else None


def add_days(day: date, n: int) -> date | None:
    """The day `n` days later (earlier when negative), or None past the years 1 to 9999."""
    ordinal = day.toordinal() + n
    return date.fromordinal(ordinal) if 1 <= ordinal <= _LAST else None


def add_whole_days(day: date, days: float) -> date | None:
    """The day the whole part of `days` later; None past the calendar's ends and for no number.

    Half a day of forage left is a move today, hence the floor.
    """
    return add_days(day, floor(days)) if isfinite(days) else None
