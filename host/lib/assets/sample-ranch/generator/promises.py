"""What the sample promises, checked: its design, its awkwardness, and that its settings fit its files."""

import datetime
import json
import tomllib

from . import expected, geodesic, weather

AS_OF = expected.AS_OF


def check(problems, holds, sentence):
    """Notes a broken promise."""
    if not holds:
        problems.append(sentence)


def broken(folder, files):
    """Every promise that does not hold, one sentence each."""
    problems = []
    ranch = expected.Ranch(files)
    answers(problems, ranch)
    land(problems, ranch, files)
    awkward(problems, ranch, files)
    later(problems, json.loads(files["expected.json"])["story"])
    settings(problems, folder, files)
    readme(problems, folder, json.loads(files["expected.json"]))
    return problems


def answers(problems, ranch):
    """A first run on 2025-06-30, and every day from mid-May on, are ok."""
    due = [ranch.answer(h, AS_OF) for h in ranch.due(AS_OF)]
    check(problems, len(due) == 5, f"{len(due)} pairs are due on {AS_OF}, not 5")
    check(problems, {a["boundary_id"] for a in due} == set(expected.BOUNDARIES), "a pasture has no pair due")
    days = sorted(a["v2"]["days_of_grazing_remaining"] for a in due)
    check(problems, 10 < days[0] < 20 and 100 < days[-1] < 160, f"v2 is not varied: {days}")
    for a in due:
        name = f"{a['boundary_id']}/{a['herd_config_id']}"
        check(problems, a["inputs"]["forage_age_days"] <= 16, f"{name}: forage is older than 16 days")
        for version in ("v1", "v2"):
            value = a[version]["days_of_grazing_remaining"]
            if value is None:
                check(problems, (version, a["boundary_id"]) == ("v1", "home"), f"{name}: {version} is null")
            else:
                check(problems, 0.02 < value % 1 < 0.98, f"{name}: {version} = {value} sits on a whole day")
    first, last = datetime.date(2025, 5, 15), datetime.date(2025, 12, 31)
    for offset in range((last - first).days + 1):
        day = first + datetime.timedelta(days=offset)
        for herd in ranch.due(day):
            a = ranch.answer(herd, day)
            for version in ("v1", "v2"):
                value = a[version]["days_of_grazing_remaining"]
                fine = value is None if (version, a["boundary_id"]) == ("v1", "home") else 0 < value < 365
                check(problems, fine, f"{day} {herd['boundary']}/{herd['id']}: {version} = {value}")


def land(problems, ranch, files):
    """Areas: sizes, rounding far from an edge, declared areas, and geographiclib's opinion."""
    for b, r in ranch.boundaries.items():
        contradiction = abs(r["declared_area_ha"] / r["area_ha"] - 1)
        check(problems, 150 <= r["area_ha"] <= 900, f"{b} has {r['area_ha']} ha")
        check(problems, contradiction > 0.10 if b == "home" else contradiction < 0.02,
              f"{b}: declared and geodesic area differ by {contradiction:.1%}")
    features = json.loads(files["inputs/pastures.geojson"])["features"]
    boxes = []
    for f in features:
        exact = geodesic.area_ha(f["geometry"])
        edge = abs(exact * 1e4 % 1 - 0.5)
        name = f["properties"]["boundary_id"]
        check(problems, edge > 0.05, f"{name}: {exact} ha lies on the edge of rounding to 0.0001 ha")
        points = [p for polygon in geodesic.polygons(f["geometry"]) for p in polygon[0]]
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        box = (min(xs), min(ys), max(xs), max(ys))
        for other, o in boxes:
            check(problems, box[2] < o[0] or o[2] < box[0] or box[3] < o[1] or o[3] < box[1],
                  f"{name} and {other} may overlap")
        boxes.append((name, box))
        try:
            from geographiclib.geodesic import Geodesic
        except ImportError:
            continue
        karney = 0.0
        for polygon in geodesic.polygons(f["geometry"]):
            for i, ring in enumerate(polygon):
                p = Geodesic.WGS84.Polygon()
                for lon, lat in ring[:-1]:
                    p.AddPoint(lat, lon)
                karney += abs(p.Compute()[2]) / 1e4 * (-1 if i else 1)
        check(problems, round(karney, 4) == round(exact, 4), f"{name}: {exact} ha, geographiclib says {karney}")


def awkward(problems, ranch, files):
    """The awkwardness the README names is really there."""
    rap = json.loads(files["inputs/rap/home.json"])["properties"]["production16day"][1:]
    check(problems, [r[2] for r in rap] == list(range(16, 369, 16)), "RAP's periods are not 16, 32, … 368")
    check(problems, rap[-1][0] == "2026-01-03", f"RAP's last label is {rap[-1][0]}")
    check(problems, sum(r[5] == -99 for r in rap) == 1, "RAP has not exactly one nodata row")
    check(problems, all(r[5] == -99 or abs(r[3] + r[4] - r[5]) < 0.006 for r in rap), "HER is not AFG + PFG")
    cows = [h["boundary"] for h in ranch.herds if h["id"] == "h-cows"]
    check(problems, cows == ["north", "creek"], "h-cows does not move from north to creek")
    due = {h["id"] for h in ranch.due(AS_OF)}
    check(problems, due == {"h-cows", "h-heifers", "h-sheep", "h-bulls", "h-steers"}, f"due are {sorted(due)}")
    for b, days in ranch.weather.items():
        check(problems, len(days) == 365, f"{b} has {len(days)} days of weather")
        check(problems, all(w["low"] != 0.0 for w in days.values()), f"{b} has a lowest temperature of 0.0")
        swapped = [d for d, w in days.items() if None not in (w["low"], w["high"]) and w["low"] >= w["high"]]
        check(problems, not swapped, f"{b} has days with low above high: {swapped[:3]}")
    first = json.loads(files["inputs/weather/north.json"])["daily"]
    again = json.loads(files["inputs/weather_revision/north_revised_day.json"])["daily"]
    changed = set()
    for name in set(first) - {"time"}:
        for day, value in zip(again["time"], again[name]):
            if first[name][first["time"].index(day)] != value:
                changed.add((day, name))
    day = weather.REVISED_DAY.isoformat()
    check(problems, changed == {(day, "precipitation_sum"), (day, "temperature_2m_max")},
          f"the revision changes {sorted(changed)}")
    check(problems, again["time"] == [f"2025-06-{d}" for d in range(20, 27)], "the revision is not of a week")


def later(problems, story):
    """The story's files do what their tests need."""
    r, u = story["forage_revised"], story["forage_unit_mistake"]
    check(problems, (r["rows"], r["revised"]) == (4, 1) and abs(r["median_ratio_of_revised"] - 0.92) < 1e-3,
          f"forage_revised: {r}")
    check(problems, u["revised_share"] == 1.0 and abs(u["median_ratio_of_revised"] - 0.8922) < 1e-3,
          f"forage_unit_mistake: {u}")
    w = story["wrong_forage"]["answer"]
    check(problems, all(w[v]["days_of_grazing_remaining"] > 365 for v in ("v1", "v2")),
          "wrong_forage does not breach the guardrail of 365 days")
    for answer in (r["answer"], u["answer_if_accepted"], story["herds_one_more"]["answer"]):
        check(problems, all(0 < answer[v]["days_of_grazing_remaining"] < 365 for v in ("v1", "v2")),
              f"{answer['herd_config_id']}: a story's answer is out of bounds")


def settings(problems, folder, files):
    """The settings parse, name every input file once, and carry the parameters used here."""
    toml = {n: tomllib.loads((folder / f"{n}.toml").read_text()) for n in ("provender", "logic", "sources")}
    named = []
    for source in toml["sources"]["source"]:
        paths = source.get("path", [])
        for path in [paths] if isinstance(paths, str) else paths:
            hits = [path.format(boundary=b) for b in expected.BOUNDARIES] if "{" in path else [path]
            hits = [h for h in hits if h in files]
            check(problems, hits, f"sources.toml: {path} matches no file")
            named += hits
        named += source.get("files", {})
    inputs = sorted(p for p in files if p.startswith("inputs/"))
    check(problems, sorted(named) == inputs, f"sources.toml names {sorted(named)}, inputs are {inputs}")
    ids = [s["id"] for s in toml["sources"]["source"]]
    check(problems, len(set(ids)) == len(ids), "sources.toml repeats an id")
    for series in toml["sources"]["series"]:
        check(problems, series["source"] in ids, f"series {series['name']} names an unknown source")
    v2 = toml["logic"]["days_remaining"]["v2"]
    check(problems, v2["parameters"]["residual_kg_per_ha"] == expected.RESIDUAL_KG_PER_HA
          and v2["season_start"] == expected.SEASON_START.strftime("%m-%d"),
          "logic.toml and expected.py disagree")
    for active in toml["provender"]["logic"]["active"]:
        name, version = active.split(":")
        check(problems, version in toml["logic"].get(name, {}), f"{active} is active but not in logic.toml")


def readme(problems, folder, result):
    """The README's tables say what expected.json says."""
    text = (folder / "README.md").read_text()
    for a in result["answers"]:
        v1, v2 = (a[v]["days_of_grazing_remaining"] for v in ("v1", "v2"))
        line = (f"| {a['boundary_id']} | {a['herd_config_id']} | {a['inputs']['forage_kg_per_ha']:.1f} | {v2:.1f} | "
                f"{a['v2']['recommended_move_date']} | {'none' if v1 is None else format(v1, '.1f')} |")
        check(problems, line in text, f"README.md lacks the line {line}")
    for b, s in result["per_boundary"].items():
        line = f"| {b} | {s['frost_days_below_0_c_since_season_start']} | {s['last_frost']} |"
        check(problems, line in text, f"README.md lacks the line {line}")
