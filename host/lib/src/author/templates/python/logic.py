"""`rain_balance:v1`: rain of the last 30 days against what the grass needs. Frozen once released.

A logic is a declaration, which the host reads before it computes anything, and a function from one
row of inputs to one row of outputs. `provender_logic` handles columns, nulls and calls from the
sandbox. This example is complete: change it line by line into what you need.
"""

from datetime import date

import provender_logic as pl
from provender_logic import InputError, above, below, crit, field, outcome, parameter, reason, term, warn


class Inputs(pl.Inputs):
    """What a row is computed from. Without `feature` an input is the host's column of the same name;
    `provender features` lists all columns. Use the host's unit. Nearly every input may be None,
    because an observation can always be missing."""

    calculation_date: date = field("The day the number is for.")
    rain_mm: float | None = field(
        "Rain of the last 30 days; None where no day was observed.",
        unit="mm", feature="precipitation_mm:sum:30d")
    observed_days: int = field(
        "Days of the last 30 that were observed. A count is never None.",
        feature="precipitation_mm:count:30d")


class Parameters(pl.Parameters):
    """Settings that can change without a new version, each with a default and a range. The values in
    force are part of a run's key."""

    need_mm: float = parameter(
        "Rain that the grass needs in 30 days.", unit="mm", default=40.0, minimum=0.0, maximum=1000.0)
    min_observed_days: int = parameter(
        "Days that must be observed for a balance to be given.", unit="d", default=25, minimum=1, maximum=30)


class Outputs(pl.Outputs):
    """outcome: a result. term: an intermediate figure, with which `explain` shows the arithmetic.
    reason: why there is no answer. A formula is for readers and uses only declared names."""

    balance_mm: float | None = outcome(
        "Rain above the need; negative when it was too dry.", unit="mm", formula="rain_mm - need_mm")
    balance_date: date = outcome("The last day of the window.", formula="calculation_date")
    share_of_need: float | None = term("Share of the need that fell, 0 and more.", formula="rain_mm / need_mm")
    reason: str | None = reason("Why there is no balance.")


def compute(p: Parameters, i: Inputs) -> Outputs:
    """One row. It has no clock, no files, no network: the same inputs give the same bits, on every
    machine. A missing input is an outcome of None with a reason, never a zero."""
    # An impossible value is an error: the row fails with your message. A missing value is not an error.
    if i.rain_mm is not None and i.rain_mm < 0.0:
        raise InputError("rain_mm", "rain cannot be negative")
    enough = i.observed_days >= p.min_observed_days
    rain = i.rain_mm if enough else None
    if i.rain_mm is None:
        why = "no rain was observed in the last 30 days"
    elif not enough:
        why = "too few days were observed: see min_observed_days"
    else:
        why = None
    return Outputs(
        balance_mm=None if rain is None else rain - p.need_mm,
        balance_date=i.calculation_date,
        # If the need is 0 there is no share of it. `divide` returns None where Python would raise.
        share_of_need=None if rain is None else pl.divide(rain, p.need_mm),
        reason=why,
    )


LOGIC = pl.Logic(
    name="rain_balance",
    version="v1",
    # One sentence. Lists and reports show it.
    summary="Rain of the last 30 days against what the grass needs.",
    inputs=Inputs,
    parameters=Parameters,
    outputs=Outputs,
    # Bounds of a plausible answer. A bound is a number, the name of a parameter, or None.
    guardrails=[crit("balance_mm", -1000, 5000), warn("share_of_need", 0, 20)],
    # When a monitor alerts: metric, threshold of warn, threshold of crit.
    monitors=[above("share_null", 0.05, 0.20, subject="balance_mm"), below("coverage", 0.98, 0.90)],
    # What a reader has to know beside the number.
    annotations=[
        ("not-accounted-for", "Water that the soil held before the 30 days, and what ran off."),
        ("not-accounted-for", "The need is the same in every month."),
    ],
    compute=compute,
)
