"""`days_remaining:v2`: the usable part of the forage over what the herd eats; where no standing forage
is observed, what has grown since the season's start. Frozen once released."""

from datetime import date
from math import isfinite

import provender_logic as pl
from provender_logic import above, below, crit, field, outcome, parameter, reason, term


class Inputs(pl.Inputs):
    calculation_date: date = field("The day the number is for.")
    area_ha: float | None = field("Area of the pasture.", unit="ha")
    animal_count: float | None = field("Animals in the herd.", unit="head")
    daily_intake_kg_per_head: float | None = field("Dry matter that an animal eats in a day.", unit="kg/head/d")
    utilization_target_pct: float | None = field(
        "Share of the forage that the herd may use, where the herd has its own.", unit="%")
    forage_kg_per_ha: float | None = field(
        "The newest standing forage observed at or before the date, dry matter.", unit="kg/ha")
    standing_age_days: int | None = field(
        "Age of that observation on the date.", unit="d", feature="forage_kg_per_ha:age")
    forage_increments_kg_per_ha: float | None = field(
        "Forage grown since the season's start, dry matter.",
        unit="kg/ha", feature="forage_increment_kg_per_ha:sum:season")
    forage_increment_count: int | None = field(
        "Observations of growth since the season's start.", feature="forage_increment_kg_per_ha:count:season")
    increment_age_days: int | None = field(
        "Age of the newest observation of growth on the date.", unit="d", feature="forage_increment_kg_per_ha:age")


class Parameters(pl.Parameters):
    min_days_remaining: float = parameter(
        "Fewest days that are plausible.", unit="d", default=0.0, minimum=0.0, maximum=36500.0)
    max_days_remaining: float = parameter(
        "Most days that are plausible.", unit="d", default=365.0, minimum=0.0, maximum=36500.0)
    default_utilization_pct: float = parameter(
        "Share of the forage that a herd without a target of its own may use.",
        unit="%", default=50.0, minimum=0.0, maximum=100.0)
    residual_kg_per_ha: float = parameter(
        "Forage that is to be left standing, dry matter.", unit="kg/ha", default=0.0, minimum=0.0, maximum=20000.0)


class Outputs(pl.Outputs):
    days_of_grazing_remaining: float | None = outcome(
        "Days that the usable forage lasts.", unit="d", formula="available_forage_kg / daily_consumption_kg")
    recommended_move_date: date | None = outcome(
        "The day by which the herd has to move.", formula="calculation_date + floor(days_of_grazing_remaining)")
    forage_basis: str | None = term("What the forage figure is: standing, or increments since season start.")
    basis_forage_kg_per_ha: float | None = term(
        "The forage figure that counts, dry matter.",
        unit="kg/ha", formula="forage_kg_per_ha, or without it forage_increments_kg_per_ha")
    usable_share: float = term(
        "Share of the forage above the residual that the herd may use, 0 to 1.",
        formula="(utilization_target_pct, or without it default_utilization_pct) / 100")
    usable_forage_kg_per_ha: float | None = term(
        "Usable forage, dry matter.",
        unit="kg/ha", formula="max(0, basis_forage_kg_per_ha - residual_kg_per_ha) * usable_share")
    available_forage_kg: float | None = term(
        "Usable forage of the pasture, dry matter.", unit="kg", formula="usable_forage_kg_per_ha * area_ha")
    daily_consumption_kg: float | None = term(
        "What the herd eats in a day, dry matter.", unit="kg/d", formula="animal_count * daily_intake_kg_per_head")
    forage_age_days: int | None = term(
        "Age of the newest observation behind the forage figure on the date.",
        unit="d", formula="standing_age_days, or without it increment_age_days")
    reason: str | None = reason("Why there is no number, or no move date.")


def times(a: float | None, b: float | None) -> float | None:
    """The product, or None where a factor is missing or the product is no finite number."""
    if a is None or b is None:
        return None
    product = a * b
    return product if isfinite(product) else None


def compute(p: Parameters, i: Inputs) -> Outputs:
    basis = forage = age = None
    if i.forage_kg_per_ha is not None:
        basis, forage, age = "standing", i.forage_kg_per_ha, i.standing_age_days
    elif i.forage_increments_kg_per_ha is not None and i.forage_increment_count != 0:
        basis, forage, age = "increments since season start", i.forage_increments_kg_per_ha, i.increment_age_days
    target = i.utilization_target_pct
    share = (p.default_utilization_pct if target is None else target) / 100.0
    usable = times(None if forage is None else max(forage - p.residual_kg_per_ha, 0.0), share)
    available = times(usable, i.area_ha)
    daily = times(i.animal_count, i.daily_intake_kg_per_head)
    why = refusal(i, forage, share)
    days = move = None
    if why is None:
        if available is not None and daily is not None:
            days = pl.divide(available, daily)
        if days is None:
            why = "the number of days is too large to be computed"
        else:
            move = pl.add_whole_days(i.calculation_date, days)
            if move is None:
                why = "the move date lies beyond the year 9999"
    return Outputs(
        days_of_grazing_remaining=days,
        recommended_move_date=move,
        forage_basis=basis,
        basis_forage_kg_per_ha=forage,
        usable_share=share,
        usable_forage_kg_per_ha=usable,
        available_forage_kg=available,
        daily_consumption_kg=daily,
        forage_age_days=age,
        reason=why,
    )


def refusal(i: Inputs, forage: float | None, share: float) -> str | None:
    """Why these inputs give no number of days. Null is not zero, and nothing eaten is not forever."""
    if forage is None and i.increment_age_days is not None:
        return "no standing forage was observed, and no increment since the season's start"
    if forage is None:
        return "no forage was observed at or before the date"
    if forage < 0.0:
        return "the forage is negative"
    if not 0.0 <= share <= 1.0:
        return "the herd's utilisation target lies outside 0 to 100 %"
    if i.area_ha is None:
        return "the pasture's area is missing"
    if i.area_ha <= 0.0:
        return "the pasture has no area"
    if i.animal_count is None:
        return "the herd's number of animals is missing"
    if i.animal_count <= 0.0:
        return "the herd has no animals: nothing is eaten"
    if i.daily_intake_kg_per_head is None:
        return "the herd's daily intake is missing"
    if i.daily_intake_kg_per_head <= 0.0:
        return "the herd's daily intake is zero: nothing is eaten"
    return None


LOGIC = pl.Logic(
    name="days_remaining",
    version="v2",
    summary="Days until a herd has eaten the usable share of a pasture's forage above the residual.",
    inputs=Inputs,
    parameters=Parameters,
    outputs=Outputs,
    guardrails=[
        crit("days_of_grazing_remaining", "min_days_remaining", "max_days_remaining"),
        crit("usable_share", 0, 1),
    ],
    monitors=[
        above("share_at_or_below_minimum", 0.02, 0.10, subject="days_of_grazing_remaining"),
        above("share_above_maximum", 0.01, 0.05, subject="days_of_grazing_remaining"),
        above("p95", 150.0, 240.0, subject="forage_age_days"),
        above("share_null", 0.02, 0.10, subject="days_of_grazing_remaining"),
        below("coverage", 0.98, 0.90),
    ],
    annotations=[
        ("not-accounted-for", "Forage eaten since the observation, or since the season's start where increments are summed, is not deducted."),
        ("not-accounted-for", "What grows after the newest observation is not added."),
        ("not-accounted-for", "Other herds on the same pasture eat of the same forage; each is computed as if alone."),
        ("not-accounted-for", "Slope, distance to water and fences may keep the herd from a part of the area."),
        ("not-accounted-for", "Increments are growth, not what stands: forage left from earlier seasons is not in their sum."),
    ],
    compute=compute,
)
