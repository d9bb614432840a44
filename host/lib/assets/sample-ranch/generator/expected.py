"""The answers a user should see, computed from the files alone, independently of the host.

Shares nothing with the generator but the files' bytes: it parses them anew, takes areas by
`geodesic.py`, and writes the formulae out. `expected.json` holds the result for the tests.
"""

import csv
import datetime
import io
import json
import statistics

from . import geodesic

AS_OF = datetime.date(2025, 6, 30)
SEASON_START = datetime.date(2025, 3, 1)
WINDOW_START = datetime.date(2025, 6, 1)
RESIDUAL_KG_PER_HA = 250.0  # logic.toml
DEFAULT_UTILIZATION_PCT = 50.0  # the component's own default
KG_PER_HA_PER_LB_PER_ACRE = 0.45359237 / 0.40468564224
HA_PER_ACRE = 0.40468564224
BOUNDARIES = ["creek", "home", "mesa", "north"]
DAY = datetime.date.fromisoformat


def table(data):
    """Rows of a CSV as dicts."""
    return list(csv.DictReader(io.StringIO(data.decode())))


def read_boundaries(data):
    """id -> area and declared area, ha, rounded to 0.0001 ha as they are stored."""
    out = {}
    for feature in json.loads(data)["features"]:
        p = feature["properties"]
        declared = p["area_ha"] if "area_ha" in p else p["acres"] * HA_PER_ACRE
        out[p["boundary_id"]] = {"area_ha": round(geodesic.area_ha(feature["geometry"]), 4),
                                 "declared_area_ha": round(declared, 6)}
    return out


def read_herds(data):
    """Herd rows with their period."""
    out = []
    for r in json.loads(data):
        end = DAY(r["end_date"]) if "end_date" in r else datetime.date.max
        out.append({"boundary": r.get("boundary_id") or r["pasture_id"], "id": r["id"],
                    "from": DAY(r["effective_date"]), "to": end, **r["herd"]})
    return out


def read_standing(data):
    """boundary -> {date: kg/ha}."""
    out = {}
    for r in table(data):
        if r["kg_per_ha"]:
            out.setdefault(r["boundary_id"], {})[DAY(r["date"])] = float(r["kg_per_ha"])
    return out


def read_rap(data):
    """{period's last day: kg/ha grown}, the label set back to 31 December, nodata left out."""
    rows = json.loads(data)["properties"]["production16day"]
    at = {name: i for i, name in enumerate(rows[0])}
    out = {}
    for r in rows[1:]:
        if r[at["HER"]] >= 0:
            day = min(DAY(r[at["date"]]), datetime.date(r[at["year"]], 12, 31))
            out[day] = r[at["HER"]] * KG_PER_HA_PER_LB_PER_ACRE
    return out


def read_weather(files):
    """boundary -> {date: {low, high, rain}}, the later file over the earlier."""
    out = {b: {} for b in BOUNDARIES}
    for boundary, path in [("north", "inputs/weather/north.json"), ("creek", "inputs/weather/creek.json"),
                           ("north", "inputs/weather_revision/north_revised_day.json")]:
        d = json.loads(files[path])["daily"]
        for day, low, high, rain in zip(d["time"], d["temperature_2m_min"], d["temperature_2m_max"],
                                        d["precipitation_sum"]):
            out[boundary][DAY(day)] = {"low": low, "high": high, "rain": rain}
    daymet = files["inputs/weather/mesa.csv"].decode().split("\n", 6)[6]
    for r in table(daymet.encode()):
        day = datetime.date(int(r["year"]), 1, 1) + datetime.timedelta(days=int(r["yday"]) - 1)
        out["mesa"][day] = {"low": float(r["tmin (deg c)"]), "high": float(r["tmax (deg c)"]),
                            "rain": float(r["prcp (mm/day)"])}
    for r in table(files["inputs/weather/home.csv"]):
        out["home"][DAY(r["Date"])] = {"low": float(r["Tmin_C"]), "high": float(r["Tmax_C"]),
                                       "rain": float(r["Prcp"])}
    return out


class Ranch:
    """The inputs, read."""

    def __init__(self, files):
        self.boundaries = read_boundaries(files["inputs/pastures.geojson"])
        self.herds = read_herds(files["inputs/herds.json"])
        self.standing = read_standing(files["inputs/forage_standing.csv"])
        self.grown = {"home": read_rap(files["inputs/rap/home.json"])}
        self.weather = read_weather(files)

    def due(self, day):
        """Herd rows whose period covers the day, by boundary and herd."""
        rows = [h for h in self.herds if h["from"] <= day <= h["to"]]
        return sorted(rows, key=lambda h: (h["boundary"], h["id"]))

    def forage(self, boundary, day):
        """(kg/ha, its newest date, basis) as v2 takes it; v1 takes the basis `standing` only."""
        seen = [d for d in self.standing.get(boundary, {}) if d <= day]
        if seen:
            return self.standing[boundary][max(seen)], max(seen), "standing"
        grown = {d: v for d, v in self.grown.get(boundary, {}).items() if SEASON_START <= d <= day}
        if grown:
            return sum(grown.values()), max(grown), "increments_since_season_start"
        return None, None, None

    def answer(self, herd, day):
        """One pair's inputs and both versions' results."""
        forage, observed, basis = self.forage(herd["boundary"], day)
        area = self.boundaries[herd["boundary"]]["area_ha"]
        daily = herd["animal_count"] * herd["daily_intake_kg_per_head"]
        pct = herd.get("utilization_target_pct", DEFAULT_UTILIZATION_PCT)
        usable = max(0.0, forage - RESIDUAL_KG_PER_HA) * area * pct / 100.0
        out = {
            "boundary_id": herd["boundary"], "herd_config_id": herd["id"], "calculation_date": day.isoformat(),
            "inputs": {"area_ha": area, "forage_kg_per_ha": forage, "forage_date": observed.isoformat(),
                       "forage_age_days": (day - observed).days, "forage_basis": basis,
                       "animal_count": herd["animal_count"],
                       "daily_intake_kg_per_head": herd["daily_intake_kg_per_head"],
                       "utilization_pct": pct,
                       "utilization_set_by": "herd" if "utilization_target_pct" in herd else "default"},
            "v2": result(usable / daily, day, usable_forage_kg=usable, daily_consumption_kg=daily),
        }
        if basis == "standing":
            out["v1"] = result(forage * area / daily, day, available_forage_kg=forage * area,
                               daily_consumption_kg=daily)
        else:
            out["v1"] = {"days_of_grazing_remaining": None, "recommended_move_date": None,
                         "why": "no standing series, only increments"}
        return out


def result(days, day, **terms):
    """The outcome columns and the terms behind them."""
    return {"days_of_grazing_remaining": days,
            "recommended_move_date": (day + datetime.timedelta(days=int(days // 1))).isoformat(), **terms}


def soil_normal_kg_per_ha(data):
    """rsprod_r weighted by area and component percentage over the components that have one."""
    rows = json.loads(data).get("Table")
    if not rows:
        return None
    names = {n: i for i, n in enumerate(rows[0])}
    top = bottom = 0.0
    for r in rows[1:]:
        if r[names["rsprod_r"]] is not None:
            weight = float(r[names["area_m2"]]) * float(r[names["comppct_r"]])
            top, bottom = top + weight * float(r[names["rsprod_r"]]), bottom + weight
    return top / bottom * KG_PER_HA_PER_LB_PER_ACRE


def season(ranch, files, boundary):
    """Frost and other figures of a pasture that read no herd."""
    lows = [(d, w["low"]) for d, w in ranch.weather[boundary].items()
            if SEASON_START <= d <= AS_OF and w["low"] is not None]
    frosts = [d for d, low in lows if low < 0.0]
    month = [w for d, w in ranch.weather[boundary].items() if WINDOW_START <= d <= AS_OF]
    moisture = {r["date"]: r["soil_moisture_pct"] for r in table(files["inputs/soil_moisture.csv"])
                if r["boundary_id"] == boundary}
    return {
        "frost_days_below_0_c_since_season_start": len(frosts), "last_frost": max(frosts).isoformat(),
        "days_with_temp_min_since_season_start": len(lows), "temp_min_c_latest": ranch.weather[boundary][AS_OF]["low"],
        "precipitation_mm_sum_30d": sum(w["rain"] for w in month), "temp_max_c_max_30d": max(w["high"] for w in month),
        "soil_moisture_pct_latest": float(moisture[AS_OF.isoformat()]),
        "soil_production_normal_kg_per_ha": soil_normal_kg_per_ha(files[f"inputs/soil/{boundary}.json"]),
    }


def story(files):
    """The answers that change in the story, each from the sample as first ingested."""
    def after(path, herd_id, boundary):
        ranch = Ranch(files)
        if path.endswith(".json"):
            ranch.herds += read_herds(files[path])
        else:
            for b, values in read_standing(files[path]).items():
                ranch.standing[b].update(values)
        return next(ranch.answer(h, AS_OF) for h in ranch.due(AS_OF) if (h["id"], h["boundary"]) == (herd_id, boundary))

    before = read_standing(files["inputs/forage_standing.csv"])["north"]

    def compared(path):
        new = read_standing(files[path])["north"]
        changed = [d for d in new if new[d] != before[d]]
        return {"rows": len(new), "revised": len(changed), "revised_share": len(changed) / len(new),
                "median_ratio_of_revised": statistics.median(new[d] / before[d] for d in changed)}

    return {
        "forage_revised": {**compared("story/forage_revised.csv"),
                           "answer": after("story/forage_revised.csv", "h-heifers", "north")},
        "forage_unit_mistake": {**compared("story/forage_unit_mistake.csv"),
                                "answer_if_accepted": after("story/forage_unit_mistake.csv", "h-heifers", "north")},
        "wrong_forage": {"answer": after("story/wrong_forage.csv", "h-sheep", "mesa")},
        "herds_one_more": {"answer": after("story/herds_one_more.json", "h-goats", "mesa")},
    }


def expected(files):
    """Everything in expected.json."""
    ranch = Ranch(files)
    june = [WINDOW_START + datetime.timedelta(days=i) for i in range((AS_OF - WINDOW_START).days + 1)]
    return {
        "made_by": "host/lib/assets/sample-ranch/make.py, independently of the host",
        "as_of": AS_OF.isoformat(),
        "season_start": SEASON_START.isoformat(),
        "parameters": {"residual_kg_per_ha": RESIDUAL_KG_PER_HA, "default_utilization_pct": DEFAULT_UTILIZATION_PCT},
        "tolerance_relative": {"area_ha": 1e-6, "everything_else": 1e-9},
        "boundaries": ranch.boundaries,
        "answers": [ranch.answer(h, AS_OF) for h in ranch.due(AS_OF)],
        "per_boundary": {b: season(ranch, files, b) for b in BOUNDARIES},
        "june": {"from": WINDOW_START.isoformat(), "to": AS_OF.isoformat(),
                 "due_pairs_per_day": {d.isoformat(): len(ranch.due(d)) for d in june},
                 "due_pairs": sum(len(ranch.due(d)) for d in june)},
        "story": story(files),
    }


def files(inputs):
    """expected.json."""
    text = json.dumps(expected(inputs), indent=2, ensure_ascii=False) + "\n"
    return {"expected.json": text.encode()}
