"""A folder of golden cases, as TOML and CSV. The format is on one page of the project's documentation,
`docs/golden-cases.md`; the host and the Rust SDK read the same files.
"""

import csv
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from io import StringIO
from math import isfinite
from pathlib import Path
from typing import Any

from .columns import BOOL, DATE, FLOAT, INT, SERIES, Kind
from .logic import Logic
from .series import Series

_KEYS = {
    "name", "versions", "since", "inputs", "without", "parameters", "expect", "null", "tolerance", "fails",
}


@dataclass(frozen=True)
class Case:
    """One case of this version."""

    name: str
    inputs: dict[str, Any]
    parameters: dict[str, Any]
    expect: dict[str, Any]
    """Output to value; None where it must be null."""
    tolerance: dict[str, float]
    fails: str | None


class BadCase(ValueError):
    """A file that is not of the format, with its path and the case."""


def read_cases(logic: Logic, folder: Path) -> list[Case]:
    """The cases of a folder that this version runs, in the order of the files' names."""
    files = []
    for path in sorted(folder.iterdir()):
        try:
            if path.suffix == ".toml":
                files.append((path, tomllib.loads(path.read_text(encoding="utf-8"))))
            elif path.suffix == ".csv":
                files.append((path, _read_csv(logic, path.read_text(encoding="utf-8-sig"))))
        except ValueError as error:
            raise BadCase(f"{path}: {error}") from None
    left_out = _superseded(logic, files)
    names: set[str] = set()
    cases = []
    for path, table in files:
        for case in table.get("case", []):
            name = case.get("name", "").strip()
            if not name:
                raise BadCase(f"{path}: a case needs a name of its own")
            try:
                if name in names:
                    raise ValueError("two cases have this name")
                names.add(name)
                if name not in left_out and _binds(logic, table, case):
                    cases.append(_read_case(logic, name, case, table))
            except ValueError as error:
                raise BadCase(f"{path}: {name}: {error}") from None
    for name in sorted(left_out - names):
        raise BadCase(f"{folder}: a [[supersede]] names the case `{name}`, which is not there")
    return cases


def _superseded(logic: Logic, files: list[tuple[Path, dict]]) -> set[str]:
    """The cases that this version does not keep, each with a reason."""
    names: set[str] = set()
    for path, table in files:
        for entry in table.get("supersede", []):
            versions = [*entry.get("versions", []), *filter(None, [entry.get("version")])]
            cases = [*entry.get("cases", []), *filter(None, [entry.get("case")])]
            if not versions or not cases:
                raise BadCase(f"{path}: a [[supersede]] names a version and a case")
            if not entry.get("reason", "").strip():
                raise BadCase(f"{path}: a [[supersede]] needs a reason")
            if logic.version in versions:
                names.update(cases)
    return names


def _binds(logic: Logic, file: dict, case: dict) -> bool:
    """Whether this version runs a case. A case that leaves it out needs a `[[supersede]]`."""
    own, named = case.get("since"), "versions" in case
    if own is not None and named:
        raise ValueError("`versions` and `since` exclude each other")
    if named and logic.version not in case["versions"]:
        raise ValueError(f"it leaves out {logic.version}, and no [[supersede]] says why")
    since = own if own is not None or named else file.get("since")
    return since is None or _number_of(logic.version) >= _number_of(since)


def _number_of(version: str) -> int:
    if not re.fullmatch(r"v[0-9]+", version):
        raise ValueError(f"`{version}` is not a version: a version is v1, v2 and so on")
    return int(version[1:])


def _read_case(logic: Logic, name: str, case: dict, file: dict) -> Case:
    unknown = set(case) - _KEYS
    if unknown:
        raise ValueError(f"the key `{min(unknown)}` is unknown")
    columns, base = file.get("columns", []), file.get("base", {})
    inputs = {a.name: a.kind for a in logic.inputs._attributes}
    for lacking in [name for name in inputs if name not in columns]:
        raise ValueError(f"`columns` lacks the input `{lacking}`")
    given, without = case.get("inputs", {}), case.get("without", [])
    for stray in [name for name in [*given, *base, *without] if name not in columns]:
        raise ValueError(f"the input `{stray}` is not in `columns`")
    cells = {key: value for key, value in base.items() if key not in without} | given
    outputs = {a.name: a.kind for a in logic.outputs._attributes}
    nulls = case.get("null", [])
    expect = _cells(outputs, case.get("expect", {}), "output") | dict.fromkeys(nulls)
    for stray in [name for name in [*nulls, *case.get("tolerance", {})] if name not in outputs]:
        raise ValueError(f"there is no output `{stray}`")
    if not expect and "fails" not in case:
        raise ValueError("it expects nothing")
    return Case(
        name=name,
        inputs=_cells(inputs, {key: value for key, value in cells.items() if key in inputs}, "input"),
        parameters=_cells(
            {a.name: a.kind for a in logic.parameters._attributes}, case.get("parameters", {}), "parameter"),
        expect=expect,
        tolerance={key: _cell(FLOAT, value) for key, value in case.get("tolerance", {}).items()},
        fails=case.get("fails"),
    )


def _cells(kinds: dict[str, Kind], values: dict, what: str) -> dict[str, Any]:
    for stray in [name for name in values if name not in kinds]:
        raise ValueError(f"there is no {what} `{stray}`")
    cells = {}
    for name, value in values.items():
        try:
            cells[name] = _cell(kinds[name], value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return cells


def _cell(kind: Kind, value: Any) -> Any:
    """A value of TOML as one of a column."""
    made = value
    if kind is FLOAT and isinstance(value, str):
        made = number(value)
    elif kind is FLOAT and type(value) is int:
        made = float(value)
    elif kind is DATE and isinstance(value, str):
        # The one spelling; Python reads several.
        made = date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else None
    elif kind is SERIES and isinstance(value, list):
        made = Series((_cell(DATE, day), _cell(FLOAT, x)) for day, x in value)
    if type(made) is not kind.python:
        raise ValueError(f"{value!r} is not a value of the type {kind.name}")
    return made


_HEX = re.compile(r"([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)")


def number(text: str) -> float | None:
    """A finite number in decimal, or in hexadecimal where the bits are the point: `0x1.8p3` is 12.
    None where the text is none, or has digits that a float would round away."""
    found = _HEX.fullmatch(text)
    if found is None:
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text):
            return None
        return value if isfinite(value := float(text)) else None
    sign, whole, fraction, power = found.groups()
    if not whole + fraction or abs(int(power)) > 10_000:
        return None
    exact = int(whole + fraction, 16) * Fraction(2) ** (int(power) - 4 * len(fraction))
    try:
        value = float(exact)
    except OverflowError:
        return None
    return None if Fraction(value) != exact else -value if sign == "-" else value


def _read_csv(logic: Logic, text: str) -> dict:
    """A CSV file, a row a case, as what a TOML file would say."""
    rows = csv.reader(StringIO(text), strict=True, skipinitialspace=True)
    try:
        lines = [(rows.line_num, row) for row in rows if row]
    except csv.Error as error:
        raise ValueError(f"line {rows.line_num}: {error}") from None
    if not lines:
        raise ValueError("it has no heads")
    heads = [head.strip() for head in lines[0][1]]
    cases = []
    for line, row in lines[1:]:
        if len(row) != len(heads):
            raise ValueError(f"line {line}: it has {len(row)} fields where the heads are {len(heads)}")
        case: dict[str, Any] = {}
        for head, field in zip(heads, row):
            try:
                for path, value in _csv_field(logic, head, field.strip()):
                    place = case
                    for key in path[:-1]:
                        place = place.setdefault(key, {})
                    place[path[-1]] = [*place.get(path[-1], []), *value] if path == ("null",) else value
            except ValueError as error:
                raise ValueError(f"line {line}, column {head}: {error}") from None
        cases.append(case)
    return {"columns": [head[3:] for head in heads if head.startswith("in.")], "case": cases}


def _csv_field(logic: Logic, head: str, field: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Where a field belongs in the case's table, and its value; nothing where it is empty."""
    group, _, name = head.partition(".")
    groups = {
        "in": ("inputs", logic.inputs), "param": ("parameters", logic.parameters), "out": ("expect", logic.outputs),
    }
    if head not in ("case", "since", "fails", "versions") and not (name and group in (*groups, "tolerance")):
        raise ValueError("the column is unknown")
    if not field or (group == "in" and field == "null"):
        return
    if head in ("case", "since", "fails"):
        yield ("name" if head == "case" else head,), field
    elif head == "versions":
        yield (head,), field.split()
    elif group == "tolerance":
        yield (group, name), field
    elif group == "out" and field == "null":
        yield ("null",), [name]
    else:
        key, row = groups[group]
        kinds = {a.name: a.kind for a in row._attributes}
        # An input of another version: this one does not read it.
        if group != "in" or name in kinds:
            yield (key, name), _csv_value(kinds.get(name), field)


def _csv_value(kind: Kind | None, field: str) -> Any:
    if kind is INT:
        if not re.fullmatch(r"[+-]?\d+", field):
            raise ValueError(f"`{field}` is not a value of the type int64")
        return int(field)
    if kind is BOOL:
        if field not in ("true", "false"):
            raise ValueError(f"`{field}` is not a value of the type boolean")
        return field == "true"
    if kind is SERIES:
        points = [point.split("=") for point in field.split()]
        if any(len(point) != 2 for point in points):
            raise ValueError(f"`{field}` is not a value of the type series")
        return points
    return field

