"""Herds and their periods.

On 2025-06-30 five pairs of boundary and herd are due. Awkward on purpose: `h-cows` moves in the
middle of June (two rows of one id, with different pastures), `h-horses` left before the date,
`h-fall-pairs` come after it, `h-bulls` has no end date and spells its pasture `pasture_id`, two herds
share the creek, and some herds leave the utilisation to the logic's default.
"""


def row(herd_id, boundary, name, start, end, count, intake, weight, target, animal, kind, key="boundary_id"):
    """One herd in the host's JSON form; a missing end or target is left out, not null."""
    out = {"id": herd_id, key: boundary, "name": name, "effective_date": start}
    if end:
        out["end_date"] = end
    herd = {"animal_count": count, "daily_intake_kg_per_head": intake, "average_weight_kg": weight}
    if target is not None:
        herd["utilization_target_pct"] = target
    herd["animal_type"], herd["class"] = animal, kind
    out["herd"] = herd
    return out


HERDS = [
    row("h-cows", "north", "Cow-calf pairs", "2025-04-15", "2025-06-14", 240, 12.8, 560, 50, "cattle", "cow-calf"),
    row("h-cows", "creek", "Cow-calf pairs", "2025-06-15", "2025-09-30", 240, 12.8, 560, 50, "cattle", "cow-calf"),
    row("h-heifers", "north", "Replacement heifers", "2025-05-20", "2025-10-15", 185, 9.4, 390, 40, "cattle",
        "heifer"),
    row("h-sheep", "mesa", "Ewe band", "2025-05-20", "2025-08-31", 1500, 1.75, 68, 30, "sheep", "dry-ewe"),
    row("h-bulls", "home", "Herd bulls", "2025-05-12", None, 28, 15.5, 820, None, "cattle", "bull",
        key="pasture_id"),
    row("h-steers", "creek", "Yearling steers", "2025-06-01", "2025-09-15", 190, 9.0, 360, None, "cattle",
        "yearling"),
    row("h-horses", "home", "Saddle horses, winter", "2025-01-01", "2025-04-30", 14, 11.5, 500, None, "horse",
        "mature"),
    row("h-fall-pairs", "north", "Pairs after weaning", "2025-10-16", "2025-12-15", 240, 11.0, 545, 50, "cattle",
        "dry-cow"),
]


def listing(rows):
    """A JSON list with one herd a line."""
    import json

    return ("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n").encode()


def files():
    """The herd file."""
    return {"inputs/herds.json": listing(HERDS)}
