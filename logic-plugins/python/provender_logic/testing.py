"""Golden cases in an author's own unit tests, through the same columns as in the component. Natively
only: a component cannot open files.

    class Golden(unittest.TestCase):
        def test_the_golden_cases_hold(self):
            provender_logic.testing.golden(LOGIC, "cases/rain_balance")
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .cases import Case, read_cases
from .columns import DATE, SERIES, Column, Kind, read, validity
from .failure import Failure
from .logic import Logic
from .series import EPOCH, Series


def golden(logic: Logic, folder: str | Path) -> None:
    """Runs every case of a folder: each by itself, then all of equal parameters as one call, whose
    rows must have the same bits. Raises AssertionError with every difference found."""
    cases = read_cases(logic, Path(folder))
    if not cases:
        raise AssertionError(f"{folder} holds no case for {logic.version}")
    wrong, alone = [], {}
    for at, case in enumerate(cases):
        try:
            row = compute(logic, case.parameters, [case.inputs])[0]
        except Failure as failure:
            if case.fails is None or case.fails not in str(failure):
                wrong.append(f"{case.name}: fails: {failure}")
            continue
        if case.fails is not None:
            wrong.append(f"{case.name}: should fail with `{case.fails}`, and does not")
            continue
        alone[at] = row
        wrong.extend(f"{case.name}: {difference}" for difference in _differences(case, row))
    for at in alone:
        like = [n for n in alone if cases[n].parameters == cases[at].parameters]
        together = compute(logic, cases[at].parameters, [cases[n].inputs for n in like])
        if list(map(_bits, together)) != [_bits(alone[n]) for n in like]:
            wrong.append(f"{cases[at].name}: its rows in one call differ from calls of one row each")
    if wrong:
        raise AssertionError(f"{logic.name} of {logic.version}:\n" + "\n".join(wrong))


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


def _differences(case: Case, row: dict[str, Any]) -> Iterator[str]:
    for name, wanted in case.expect.items():
        got, tolerance = row[name], case.tolerance.get(name)
        if tolerance is not None and isinstance(got, float) and isinstance(wanted, float):
            same = abs(got - wanted) <= tolerance
        else:
            same = _bits({name: got}) == _bits({name: wanted})
        if not same:
            yield f"{name}: expected {wanted!r}, got {got!r}"
