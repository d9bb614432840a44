"""Soil survey replies and a soil moisture series.

Awkward on purpose: every number is a string, some are null, one map unit is water, `creek` carries
further columns, `home` was never surveyed (the reply without rows is `{}`), one moisture is blank.
"""

import json

from .arithmetic import DAYS, Noise, between, fixed, lines
from .weather import year

NAMES = ["mukey", "area_m2", "muname", "cokey", "compname", "comppct_r", "rsprod_l", "rsprod_r", "rsprod_h",
         "ecoclassid", "ecoclassname"]
LOAMY = ["R024XY905NV", "LOAMY 8-10 P.Z. (invented sample)"]
MEADOW = ["R024XY907NV", "WET MEADOW (invented sample)"]
TERRACE = ["R024XY918NV", "DROUGHTY TERRACE (invented sample)"]
ROWS = {
    "north": [
        ["910011", "4210000", "Benchley gravelly loam, 2 to 8 percent slopes", "91001101", "Benchley", "85", "450",
         "700", "950", *LOAMY],
        ["910011", "4210000", "Benchley gravelly loam, 2 to 8 percent slopes", "91001102", "Minor", "15", None, None,
         None, None, None],
        ["910012", "2440000", "Saltcut fine sandy loam, 0 to 4 percent slopes", "91001201", "Saltcut", "90", "380",
         "590", "820", *LOAMY],
        ["910099", "70400", "Water", "91009901", "Water", "100", None, None, None, None, None],
    ],
    "creek": [
        ["910021", "2030000", "Willowbend silt loam, 0 to 2 percent slopes", "91002101", "Willowbend", "80", "1400",
         "2100", "2800", *MEADOW, "0.19", "28.4"],
        ["910021", "2030000", "Willowbend silt loam, 0 to 2 percent slopes", "91002102", "Oxbow", "20", "1900",
         "2600", "3300", *MEADOW, "0.21", "28.4"],
        ["910022", "1430000", "Sagecrest loam, 2 to 15 percent slopes", "91002201", "Sagecrest", "95", "600", "850",
         "1150", *LOAMY, "0.14", "17.9"],
    ],
    "mesa": [
        ["910031", "5900000", "Rimrock very stony loam, 4 to 15 percent slopes", "91003101", "Rimrock", "75", "220",
         "350", "500", *TERRACE],
        ["910031", "5900000", "Rimrock very stony loam, 4 to 15 percent slopes", "91003102", "Rock outcrop", "25",
         None, None, None, None, None],
        ["910032", "2060000", "Caprock extremely cobbly loam", "91003201", "Caprock", "90", "180", "300", "420",
         *TERRACE],
    ],
}
# (day of year, volumetric percent)
MOISTURE = {
    "north": [(1, 21), (60, 25), (95, 26), (140, 18), (190, 9.5), (250, 7.5), (300, 11), (365, 20)],
    "creek": [(1, 30), (60, 34), (110, 36), (160, 29), (210, 19), (255, 15.5), (300, 21), (365, 29)],
    "mesa": [(1, 18), (60, 22), (90, 22), (130, 13.5), (180, 7), (250, 5.8), (300, 9), (365, 17)],
    "home": [(1, 23), (60, 27), (95, 27.5), (140, 20), (190, 11), (250, 8.5), (300, 13), (365, 22)],
}
BLANK = ("creek", "2025-02-10")


def reply(boundary):
    """A Soil Data Access reply in the form JSON+COLUMNNAME."""
    names = NAMES + (["awc_r", "aws0150wta"] if boundary == "creek" else [])
    table = [names] + ROWS[boundary]
    return ('{"Table":[' + ",\n ".join(json.dumps(r, separators=(",", ":")) for r in table) + "]}\n").encode()


def moisture():
    """The series `soil_moisture_pct`, all pastures and days."""
    text = ["boundary_id,date,soil_moisture_pct"]
    for boundary, knots in MOISTURE.items():
        noise, rain = Noise("moisture " + boundary), 0.0
        for d in year(boundary):
            rain = 0.8 * rain + d["rain"]
            value = fixed(between(d["day"], knots) + 0.14 * rain + 0.15 * noise.bell(), 1)
            blank = (boundary, d["day"].isoformat()) == BLANK
            text.append(f"{boundary},{d['day']},{'' if blank else format(value, '.1f')}")
    assert len(text) == 1 + len(MOISTURE) * len(DAYS)
    return lines(text)


def files():
    """Four soil replies and the moisture series."""
    out = {f"inputs/soil/{b}.json": reply(b) for b in ROWS}
    out["inputs/soil/home.json"] = b"{}\n"
    out["inputs/soil_moisture.csv"] = moisture()
    return out
