"""Columns of the contract to Python values and back, a whole column at a time.

A row costs some microseconds of Python, so nothing here loops over rows in Python where a function
of the standard library that is written in C can: `map`, `zip`, `set(map(type, …))`. Only where such
a pass finds a fault does a slow one look for the row it is about.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import chain, pairwise
from math import isfinite
from typing import Any, NamedTuple

from .series import EPOCH, Series


class Column(NamedTuple):
    """One column as it crosses the sandbox.

    `values`: float64, int64, date: a list; boolean: bytes; text: (offsets, bytes); series: (offsets,
    days, values). `validity`: a bit a row, least significant first, None where no row is null.
    """

    kind: str
    values: Any
    validity: bytes | None = None


class BadValue(Exception):
    """What is wrong with a column, and the row where it is about one."""

    def __init__(self, row: int | None, message: str):
        super().__init__(message)
        self.row, self.message = row, message


@dataclass(frozen=True)
class Kind:
    """A type of the contract: its name, its Python type, and both directions."""

    name: str
    python: type
    read: Callable[[Any, int], list]
    """Values and number of rows to a list; the slots of null rows hold anything."""
    write: Callable[[list], Any]
    """A list without None to the column's values."""
    zero: Any
    """What `write` is given in the slot of a null row."""


_BITS = [tuple(bool(byte >> n & 1) for n in range(8)) for byte in range(256)]


def unpack(bits: bytes, rows: int) -> list[bool]:
    """A bitmap's bits, least significant first."""
    _length(len(bits), (rows + 7) // 8, "bytes of bits")
    return list(chain.from_iterable(map(_BITS.__getitem__, bits)))[:rows]


def pack(flags: list[bool]) -> bytes:
    """Bits, least significant first."""
    digits = "".join(map("01".__getitem__, reversed(flags)))
    return int(digits or "0", 2).to_bytes((len(flags) + 7) // 8, "little")


def read(kind: Kind, nullable: bool, column: Column, rows: int) -> list:
    """A column of the host as a list of values, None where a row is null."""
    if column.kind != kind.name:
        raise BadValue(None, f"the column holds {column.kind} where {kind.name} is declared")
    values = kind.read(column.values, rows)
    if column.validity is None:
        return values
    valid = unpack(column.validity, rows)
    if all(valid):
        return values
    if not nullable:
        row = valid.index(False)
        raise BadValue(row, f"row {row} is null, and the input is declared without nulls")
    return [value if there else None for value, there in zip(values, valid)]


def write(kind: Kind, nullable: bool, values: tuple) -> Column:
    """A list of values, None where a row is null, as a column of the contract."""
    types = set(map(type, values))
    validity = None
    if type(None) in types:
        if not nullable:
            raise BadValue(_first(values, type(None)), "it is None, although it is declared without nulls")
        types.remove(type(None))
        validity = pack([value is not None for value in values])
        values = tuple(kind.zero if value is None else value for value in values)
    # A bool is an int to Python, and a datetime a date: exact types, or a slip crosses unseen.
    for wrong in types - ({float, int} if kind is FLOAT else {kind.python}):
        row = _first(values, wrong)
        raise BadValue(row, f"{values[row]!r} is of type {wrong.__name__} where {kind.python.__name__} is declared")
    return Column(kind.name, kind.write(values), validity)


def _first(values: tuple, wanted: type) -> int:
    return next(row for row, value in enumerate(values) if type(value) is wanted)


def _length(found: int, wanted: int, what: str) -> None:
    if found != wanted:
        raise BadValue(None, f"the column has {found} {what} where {wanted} are needed")


def _ascending(offsets: list[int], rows: int, end: int) -> None:
    _length(len(offsets), rows + 1, "offsets")
    if offsets != sorted(offsets):
        row = next(row for row, (a, b) in enumerate(pairwise(offsets)) if a > b)
        raise BadValue(row, "the column's offsets descend")
    if offsets[0] != 0 or offsets[-1] != end:
        raise BadValue(None, f"the column's offsets do not run from 0 to {end}")


def _read_plain(values: list, rows: int) -> list:
    _length(len(values), rows, "values")
    return values


def _write_float(values: tuple) -> list[float]:
    try:
        # 0.0 + -0.0 is 0.0: one zero, one set of bits.
        numbers = list(map((0.0).__add__, values))
    except OverflowError:
        row = next(row for row, value in enumerate(values) if abs(value) > 2**1023)
        raise BadValue(row, "an integer too large for a number with a fraction") from None
    if not all(map(isfinite, numbers)):
        row = next(row for row, value in enumerate(numbers) if not isfinite(value))
        message = "is not a finite number; give None and a reason where there is no answer"
        raise BadValue(row, f"{numbers[row]} {message}")
    return numbers


def _write_int(values: tuple) -> list[int]:
    if values and not -(2**63) <= min(values) <= max(values) < 2**63:
        row = next(row for row, value in enumerate(values) if not -(2**63) <= value < 2**63)
        raise BadValue(row, "the integer does not fit 64 bits")
    return list(values)


def _read_dates(values: list[int], rows: int) -> list[date]:
    _length(len(values), rows, "values")
    try:
        return list(map(date.fromordinal, map(EPOCH.__add__, values)))
    except (ValueError, OverflowError):
        last = date.max.toordinal()
        row = next(row for row, day in enumerate(values) if not 1 <= day + EPOCH <= last)
        raise BadValue(row, f"{values[row]} is a day outside the years 1 to 9999") from None


def _write_dates(values: tuple) -> list[int]:
    return [day.toordinal() - EPOCH for day in values]


def _read_text(values: tuple[list[int], bytes], rows: int) -> list[str]:
    offsets, data = values
    _ascending(offsets, rows, len(data))
    try:
        if data.isascii():
            text = data.decode("ascii")
            return [text[a:b] for a, b in pairwise(offsets)]
        return [data[a:b].decode() for a, b in pairwise(offsets)]
    except UnicodeDecodeError as error:
        raise BadValue(None, f"the text is not UTF-8: {error.reason}") from None


def _write_text(values: tuple) -> tuple[list[int], bytes]:
    try:
        parts = [value.encode() for value in values]
    except UnicodeEncodeError:
        row = next(row for row, value in enumerate(values) if not _encodes(value))
        raise BadValue(row, "the text holds half a surrogate pair, which is no character") from None
    offsets, end = [0], 0
    for part in parts:
        end += len(part)
        offsets.append(end)
    return offsets, b"".join(parts)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_series(values: tuple[list[int], list[int], list[float]], rows: int) -> list[Series]:
    offsets, days, numbers = values
    _ascending(offsets, rows, len(numbers))
    _length(len(days), len(numbers), "dates")
    return [Series.of(days[a:b], numbers[a:b]) for a, b in pairwise(offsets)]


def _write_series(values: tuple) -> Any:
    raise BadValue(None, "an output is one value a row, never a series")


FLOAT = Kind("float64", float, _read_plain, _write_float, 0.0)
INT = Kind("int64", int, _read_plain, _write_int, 0)
BOOL = Kind("boolean", bool, unpack, lambda values: pack(list(values)), False)
DATE = Kind("date", date, _read_dates, _write_dates, date(1970, 1, 1))
TEXT = Kind("text", str, _read_text, _write_text, "")
SERIES = Kind("series", Series, _read_series, _write_series, None)

KINDS = {kind.python: kind for kind in (FLOAT, INT, BOOL, DATE, TEXT, SERIES)}
