"""Golden cases in an author's own unit tests, through the same columns as in the component.

A folder `cases/NAME/` holds the cases of a logic, for all of its versions, as TOML; the same files
are read by the host and by the Rust SDK, whose `testing` module describes their keys. Natively only:
a component cannot open files.

    class Golden(unittest.TestCase):
        def test_the_golden_cases_hold(self):
            provender_logic.testing.golden(LOGIC, "cases/rain_balance")
"""

import struct
import tomllib
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from .columns import BOOL, DATE, FLOAT, SERIES, Column, Kind, read, validity
from .failure import Failure
from .logic import Logic
from .series import EPOCH, Series

_KEYS = {"name", "versions", "inputs", "without", "parameters", "expect", "null", "tolerance", "fails"}


def golden(logic: Logic, folder: str | Path) -> None:
    """Runs every case of a folder: each by itself, then all of equal parameters as one call, whose
    rows must have the same bits. Raises AssertionError with every difference found."""
    cases = list(_cases(logic, Path(folder)))
    assert cases, f"{folder} holds no case for {logic.version}"
    wrong, alone = [], {}
    for at, case in enumerate(cases):
        try:
            alone[at] = compute(logic, case.parameters, [case.inputs])[0]
        except Failure as failure:
            if case.fails is None or case.fails not in str(failure):
                wrong.append(f"{case.name}: fails: {failure}")
            continue
        if case.fails is not None:
            wrong.append(f"{case.name}: should fail with `{case.fails}`, and does not")
        wrong.extend(f"{case.name}: {difference}" for difference in case.differences(logic, alone[at]))
    for at in alone:
        like = [n for n in alone if cases[n].parameters == cases[at].parameters]
        together = compute(logic, cases[at].parameters, [cases[n].inputs for n in like])
        if list(map(_bits, together)) != [_bits(alone[n]) for n in like]:
            wrong.append(f"{cases[at].name}: its rows in one call differ from calls of one row each")
    assert not wrong, f"{logic.name} of {logic.version}:\n" + "\n".join(wrong)


def compute(logic: Logic, parameters: dict[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Computes rows, given and returned as {name: value}; inputs that are not named are None,
    parameters that are not named have their default. Raises a `Failure` as the component would."""
    scalars = []
    for a in logic.parameters._attributes:
        value = parameters.get(a.name, a.declared.default)
        scalars.append((a.kind.name, value.toordinal() - EPOCH if a.kind is DATE else value))
    columns = [_column(a.kind, [row.get(a.name) for row in rows]) for a in logic.inputs._attributes]
    done = logic.compute(len(rows), scalars, columns)
    attributes = logic.outputs._attributes
    values = [read(a.kind, True, column, len(rows)) for a, column in zip(attributes, done)]
    return [dict(zip([a.name for a in attributes], row)) for row in zip(*values)]


def _column(kind: Kind, values: list) -> Column:
    bits = validity(values) if None in values else None
    if kind is SERIES:
        series = [value if value is not None else Series() for value in values]
        offsets = [0]
        for one in series:
            offsets.append(offsets[-1] + len(one))
        parts = ([day for one in series for day in one.days], [x for one in series for x in one.values])
        return Column(kind.name, (offsets, *parts), bits)
    return Column(kind.name, kind.write([kind.zero if value is None else value for value in values]), bits)


def _bits(row: dict[str, Any]) -> list:
    """Comparable by bits: 0.0 is not -0.0."""
    return [struct.pack("<d", value) if isinstance(value, float) else value for value in row.values()]


class _Case:
    def __init__(self, logic: Logic, table: dict, columns: list[str], base: dict):
        unknown = set(table) - _KEYS
        if unknown:
            raise ValueError(f"the key `{min(unknown)}` is unknown")
        self.name = table.get("name", "(a case without a name)")
        self.fails = table.get("fails")
        without, given = table.get("without", []), table.get("inputs", {})
        for name in [*given, *base, *without]:
            if name not in columns:
                raise ValueError(f"the input `{name}` is not in `columns`")
        cells = {name: value for name, value in base.items() if name not in without} | given
        self.inputs = {a.name: _cell(a.kind, cells[a.name], a.name)
                       for a in logic.inputs._attributes if a.name in cells}
        self.parameters = self._named(logic.parameters._attributes, table.get("parameters", {}), "parameter")
        self.expect = self._named(logic.outputs._attributes, table.get("expect", {}), "output")
        nulls = dict.fromkeys(table.get("null", []))
        self._named(logic.outputs._attributes, nulls, "output")
        self.expect |= nulls
        self.tolerance = table.get("tolerance", {})
        if not self.expect and self.fails is None:
            raise ValueError("it expects nothing")

    @staticmethod
    def _named(attributes: Iterable, values: dict, what: str) -> dict[str, Any]:
        kinds = {a.name: a.kind for a in attributes}
        for name in values:
            if name not in kinds:
                raise ValueError(f"there is no {what} `{name}`")
        return {name: None if value is None else _cell(kinds[name], value, name) for name, value in values.items()}

    def differences(self, logic: Logic, row: dict[str, Any]) -> Iterable[str]:
        for name, wanted in self.expect.items():
            got, tolerance = row[name], self.tolerance.get(name)
            if tolerance is not None and isinstance(got, float) and isinstance(wanted, float):
                same = abs(got - wanted) <= tolerance
            else:
                same = _bits({name: got}) == _bits({name: wanted})
            if not same:
                yield f"{name}: expected {wanted!r}, got {got!r}"


def _cell(kind: Kind, value: Any, name: str) -> Any:
    """A TOML value as one of a column."""
    if kind is FLOAT and type(value) is int:
        value = float(value)
    if kind is DATE and isinstance(value, str):
        value = date.fromisoformat(value)
    if kind is SERIES and isinstance(value, list):
        value = Series((_cell(DATE, day, name), _cell(FLOAT, x, name)) for day, x in value)
    if not isinstance(value, kind.python) or isinstance(value, datetime) or (kind is not BOOL and isinstance(value, bool)):
        raise ValueError(f"{name}: {value!r} is not a value of the type {kind.name}")
    return value


def _cases(logic: Logic, folder: Path) -> Iterable[_Case]:
    for file in sorted(folder.glob("*.toml")):
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        mine = [c for c in table.get("case", []) if logic.version in c.get("versions", [logic.version])]
        columns = table.get("columns", [])
        lacking = [a.name for a in logic.inputs._attributes if a.name not in columns]
        if mine and lacking:
            raise ValueError(f"{file}: `columns` lacks the input `{lacking[0]}`")
        for case in mine:
            try:
                yield _Case(logic, case, columns, table.get("base", {}))
            except ValueError as error:
                raise ValueError(f"{file}: {case.get('name', '(a case without a name)')}: {error}") from None
