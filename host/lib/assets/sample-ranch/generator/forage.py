"""Forage: a standing series of three pastures, and what grew in each 16 days on the fourth.

The curves follow a sagebrush steppe of the Great Basin: cured residue in winter, a flush from April,
a peak between mid-May (low, dry mesa) and early July (wet meadow), decline into autumn. Awkward on
purpose: one blank in winter, RAP's nodata row, and RAP's last label, which runs past the year's end.
"""

import datetime

from . import land
from .arithmetic import YEAR, Noise, between, compact, fixed, lines, rap_labels

# (day of year, kg/ha standing dry matter)
STANDING = {
    "north": [(1, 330), (70, 285), (100, 330), (130, 560), (160, 790), (180, 815), (205, 760), (240, 640),
              (290, 500), (335, 420), (365, 375)],
    "creek": [(1, 520), (75, 430), (105, 540), (135, 980), (165, 1430), (190, 1560), (215, 1450), (250, 1180),
              (295, 880), (335, 680), (365, 590)],
    "mesa": [(1, 285), (70, 262), (95, 300), (120, 405), (145, 470), (165, 462), (185, 430), (215, 385),
             (255, 345), (300, 315), (365, 292)],
}
# (day of year, lb/acre grown in 16 days): annual and perennial forbs and grasses
GROWN_AFG = [(16, 1.5), (64, 7.0), (96, 24.0), (120, 41.0), (140, 36.0), (160, 15.0), (184, 3.5), (260, 1.0),
             (300, 3.0), (368, 1.2)]
GROWN_PFG = [(16, 2.0), (64, 9.0), (96, 33.0), (128, 76.0), (150, 84.0), (176, 58.0), (208, 24.0), (256, 9.0),
             (304, 7.5), (368, 2.0)]
NODATA_DOY = 32
BLANK = ("creek", "2025-02-01")


def standing_rows():
    """[boundary, date, kg/ha or None]; the last label is set back to 31 December, as a field log would."""
    rows = []
    for boundary, knots in STANDING.items():
        noise = Noise("standing " + boundary)
        for day, _ in rap_labels():
            day = min(day, datetime.date(YEAR, 12, 31))
            value = fixed(between(day, knots) * (1.0 + 0.012 * noise.bell()), 1)
            rows.append([boundary, day.isoformat(), None if (boundary, day.isoformat()) == BLANK else value])
    return rows


def standing_csv(rows):
    """The host's own forage CSV."""
    text = ["boundary_id,date,kg_per_ha,series"]
    text += [f"{b},{d},{'' if v is None else format(v, '.1f')},standing" for b, d, v in rows]
    return lines(text)


def envelope(product, table, year):
    """A RAP reply: the Feature that was sent, with the product's table among its properties."""
    return compact({"type": "Feature", "geometry": land.geometry("home"),
                    "properties": {product: table, "mask": True, "year": year}})


def rap_16day():
    """RAP production16dayV3 of the home field, lb/acre."""
    noise = Noise("rap home")
    table = [["date", "year", "doy", "AFG", "PFG", "HER"]]
    for day, doy in rap_labels():
        afg = fixed(between_doy(doy, GROWN_AFG) * (1.0 + 0.05 * noise.bell()), 1)
        pfg = fixed(between_doy(doy, GROWN_PFG) * (1.0 + 0.04 * noise.bell()), 2)
        values = [afg, pfg, fixed(afg + pfg, 2)]
        table.append([day.isoformat(), YEAR, doy] + ([-99, -99, -99] if doy == NODATA_DOY else values))
    return envelope("production16day", table, YEAR)


def between_doy(doy, knots):
    """As `between`, for RAP's day of year, which may exceed 365."""
    return between(datetime.date(YEAR, 1, 1) + datetime.timedelta(days=min(doy, 365) - 1), knots)


def rap_annual():
    """RAP productionV3 of the home field, lb/acre: five years, one of drought, one wet."""
    table = [["year", "AFG", "PFG", "HER"]]
    for year, afg, pfg in [(2020, 171.4, 498.2), (2021, 88.9, 305.7), (2022, 142.6, 431.3),
                           (2023, 268.3, 712.8), (2024, 197.5, 566.1)]:
        table.append([year, afg, pfg, fixed(afg + pfg, 1)])
    return envelope("production", table, None)


def files():
    """The three forage files."""
    return {"inputs/forage_standing.csv": standing_csv(standing_rows()),
            "inputs/rap/home.json": rap_16day(), "inputs/rap_annual/home.json": rap_annual()}
