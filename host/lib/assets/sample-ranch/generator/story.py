"""What happens later on the ranch: files that no source names, for the tutorial and the tests."""

from . import forage
from .arithmetic import fixed
from .livestock import listing, row

LB_PER_ACRE_PER_KG_PER_HA = 0.40468564224 / 0.45359237
REVISED = "2025-06-25"
AROUND = ("2025-05-24", "2025-06-09", "2025-06-25", "2025-07-11")


def revised():
    """North's composite before 2025-06-30 comes out 8 % lower; three neighbours are as before."""
    rows = [[b, d, fixed(v * 0.92, 1) if d == REVISED else v]
            for b, d, v in forage.standing_rows() if b == "north" and d in AROUND]
    return forage.standing_csv(rows)


def unit_mistake():
    """North's whole year in lb/acre under a heading that says kg/ha."""
    rows = [[b, d, fixed(v * LB_PER_ACRE_PER_KG_PER_HA, 1)] for b, d, v in forage.standing_rows() if b == "north"]
    return forage.standing_csv(rows)


def wrong():
    """A clipping on the mesa, its decimal point slipped: 4385.0 for 438.5."""
    return forage.standing_csv([["mesa", "2025-06-28", 4385.0]])


GOATS = row("h-goats", "mesa", "Contract goats", "2025-06-20", "2025-07-31", 700, 1.5, 48, 30, "goat", "mature")


def files():
    """The story's files."""
    return {"story/forage_revised.csv": revised(), "story/forage_unit_mistake.csv": unit_mistake(),
            "story/wrong_forage.csv": wrong(), "story/herds_one_more.json": listing([GOATS])}
