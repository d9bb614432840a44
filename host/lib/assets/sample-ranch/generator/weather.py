"""Weather of the year 2025 in the forms of three providers.

One invented valley climate (cold semi-arid: wet winter, dry summer, wide daily range), each pasture
with its own height and noise. Awkward on purpose: nulls; Open-Meteo's old and new names, km/h, a
volatile `generationtime_ms`; Daymet's preamble and day of the year in place of a date; gridMET's
unnamed index column; a later reply that revises one day.
"""

import datetime

from .arithmetic import DAYS, YEAR, Noise, cos_turn, day_of_year, exp, fixed, lines, compact, season

# Mean temperature against the valley's, degC; share of its precipitation.
PLACES = {"north": (0.4, 1.0), "creek": (-0.6, 1.0), "mesa": (-1.3, 1.15), "home": (0.9, 0.95)}
NULLS = {"temperature_2m_min": ["2025-03-18"], "temperature_2m_max": ["2025-03-18"],
         "precipitation_sum": ["2025-02-09", "2025-04-02"], "wind_speed_10m_max": ["2025-01-05"]}
REVISED_DAY = datetime.date(2025, 6, 22)
WET = [0.26, 0.25, 0.26, 0.24, 0.25, 0.14, 0.06, 0.07, 0.10, 0.14, 0.23, 0.27]  # share of wet days, Jan-Dec


def year(boundary):
    """A record a day: degC, mm, MJ/m2, m/s, Pa, s, kg/m2."""
    shift, wetness = PLACES[boundary]
    region, own = Noise("valley"), Noise("weather " + boundary)
    spell, snow, out = 0.0, 0.0, []
    for day in DAYS:
        spell = 0.72 * spell + 2.6 * region.bell()
        wet = region.unit() < WET[day.month - 1]
        amount = region.unit()
        rain = (0.3 + 11.0 * amount * amount * amount) * wetness * (1.0 + 0.1 * own.bell()) if wet else 0.0
        mean = 8.3 + shift + 12.0 * season(day, 203) + spell + 0.4 * own.bell()
        half = (7.9 + 2.4 * season(day, 215)) * (0.8 if wet else 1.0) + 0.5 * own.bell()
        sun = (16.2 + 11.6 * season(day, 172)) * (0.55 if wet else 0.97 + 0.03 * region.bell())
        wind = (5.4 + 1.3 * season(day, 110)) * (1.0 + 0.22 * region.bell()) + (1.5 if wet else 0.0)
        # No lowest temperature of exactly 0.0, so that a frost count needs no rule for it.
        low = fixed(mean - half, 1) or 0.1
        high = fixed(max(mean + half, low + 1.0), 1)
        if high < 4.0:
            snow += rain
        else:
            snow = max(0.0, snow - 2.2 * high)
        out.append({"day": day, "low": low, "high": high, "mean": fixed((low + high) / 2.0, 1),
                    "rain": fixed(rain, 2), "sun": fixed(sun, 2), "wind": max(1.0, wind), "snow": fixed(snow, 2),
                    "light": fixed(43200.0 + 10370.0 * season(day, 172), 2),
                    "vapour": fixed(610.8 * exp(17.27 * (low - 1.5) / (low + 235.8)), 2)})
    return out


def reference_et(d):
    """Hargreaves's reference evapotranspiration, mm."""
    return fixed(max(0.05, 0.0135 * 0.408 * d["sun"] * (d["mean"] + 17.8)), 2)


def open_meteo_columns(days, old):
    """name -> (unit, values) in the reply's order."""
    wind = [d["wind"] * 3.6 for d in days]
    columns = {
        "temperature_2m_max": ("°C", [d["high"] for d in days]),
        "temperature_2m_min": ("°C", [d["low"] for d in days]),
        "precipitation_sum": ("mm", [d["rain"] for d in days]),
        ("windspeed_10m_max" if old else "wind_speed_10m_max"): ("km/h", [fixed(w, 1) for w in wind]),
        "shortwave_radiation_sum": ("MJ/m²", [d["sun"] for d in days]),
        "et0_fao_evapotranspiration": ("mm", [reference_et(d) for d in days]),
    }
    if old:
        columns["winddirection_10m_dominant"] = ("°", [int(250 + 80 * cos_turn(day_of_year(d["day"]) / 9)) % 360
                                                       for d in days])
    else:
        columns["temperature_2m_mean"] = ("°C", [d["mean"] for d in days])
    return columns


def open_meteo(days, place, generation_ms, old=False):
    """An archive reply for days in local time."""
    latitude, longitude, elevation = place
    columns = open_meteo_columns(days, old)
    time = [d["day"].isoformat() for d in days]
    for name, dates in NULLS.items() if not old else ():
        for date in dates:
            if date in time:
                columns[name][1][time.index(date)] = None
    return compact({
        "latitude": latitude, "longitude": longitude, "generationtime_ms": generation_ms,
        "utc_offset_seconds": -25200, "timezone": "America/Los_Angeles", "timezone_abbreviation": "PDT",
        "elevation": elevation,
        "daily_units": {"time": "iso8601", **{k: u for k, (u, _) in columns.items()}},
        "daily": {"time": time, **{k: v for k, (_, v) in columns.items()}},
    })


NORTH_CELL = (41.054478, -117.47748, 1478.0)
CREEK_CELL = (41.019333, -117.52941, 1391.0)


def revised_week():
    """2025-06-20 to 26 again, as a reply of some days later: a storm cell reached the pasture after all."""
    week = [dict(d) for d in year("north") if datetime.date(2025, 6, 20) <= d["day"] <= datetime.date(2025, 6, 26)]
    reply = []
    for d in week:
        if d["day"] == REVISED_DAY:
            # Only these two columns change; the others stay as first given.
            d["rain"], d["high"] = fixed(d["rain"] + 7.4, 2), fixed(d["high"] - 2.7, 1)
        reply.append(d)
    return open_meteo(reply, NORTH_CELL, 0.3941059112548828)


def daymet(days):
    """A Daymet V4 single-pixel table."""
    text = ["Latitude: 41.0245  Longitude: -117.4532", "X & Y on Lambert Conformal Conic: -1390519.32 -10312.65",
            "Tile: 11732", "Elevation: 1655 meters", "All years; all variables; Daymet Software Version 4.0",
            "How to cite: INVENTED SAMPLE in the form of Daymet V4; no Daymet value is in this file.",
            "year,yday,dayl (s),prcp (mm/day),srad (W/m^2),swe (kg/m^2),tmax (deg c),tmin (deg c),vp (Pa)"]
    for d in days:
        text.append(f"{YEAR},{day_of_year(d['day'])},{d['light']:.2f},{d['rain']:.2f},"
                    f"{d['sun'] * 1e6 / d['light']:.2f},{d['snow']:.2f},{d['high']:.2f},{d['low']:.2f},"
                    f"{d['vapour']:.2f}")
    return lines(text)


def gridmet(days):
    """A gridMET export with converted columns, as weather tools write it."""
    text = [",Date,Year,Month,Day,Tmax_C,Tmin_C,Srad,Ws_2m,q,Prcp,ETr"]
    for i, d in enumerate(days):
        day = d["day"]
        numbers = [d["high"] + 0.0184692, d["low"] + 0.0218377, d["sun"] * 1e6 / 86400.0, d["wind"] * 0.42,
                   0.622 * d["vapour"] / 85900.0, d["rain"], reference_et(d) * 1.28]
        text.append(f"{i},{day},{day.year},{day.month},{day.day},"
                    + ",".join(repr(fixed(x, 9)) for x in numbers))
    return lines(text)


def files():
    """One file a pasture, and the revision."""
    return {
        "inputs/weather/north.json": open_meteo(year("north"), NORTH_CELL, 4.127979278564453),
        "inputs/weather/creek.json": open_meteo(year("creek"), CREEK_CELL, 2.608060836791992, old=True),
        "inputs/weather/mesa.csv": daymet(year("mesa")),
        "inputs/weather/home.csv": gridmet(year("home")),
        "inputs/weather_revision/north_revised_day.json": revised_week(),
    }
