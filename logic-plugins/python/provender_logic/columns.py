"""Columns of the contract to Python values and back, a whole column at a time.

A row costs some microseconds of Python, so nothing here loops over rows in Python where a function
of the standard library that is written in C can: `map`, `zip`, `set(map(type, …))`. Only where such
a pass finds a fault does a slow one look for the row it is about.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, chain, compress, pairwise, repeat
from math import isfinite
from operator import is_, is_not
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
_NULLS = [tuple(n for n in range(8) if not byte >> n & 1) for byte in range(256)]
_DIGITS = bytes.maketrans(b"\0\1", b"01")


def unpack(bits: bytes, rows: int) -> list[bool]:
    """A bitmap's bits, least significant first."""
    _length(len(bits), (rows + 7) // 8, "bytes of bits")
    return list(chain.from_iterable(map(_BITS.__getitem__, bits)))[:rows]


def pack(flags: Iterable[bool]) -> bytes:
    """Bits, least significant first."""
    digits = bytes(flags).translate(_DIGITS)
    return int(digits[::-1] or b"0", 2).to_bytes((len(digits) + 7) // 8, "little")


def validity(values: Sequence) -> bytes:
    """A bit for each value that is not None."""
    return pack(map(is_not, values, repeat(None)))


def read(kind: Kind, nullable: bool, column: Column, rows: int) -> list:
    """A column of the host as a list of values, None where a row is null."""
    if column.kind != kind.name:
        raise BadValue(None, f"the column holds {column.kind} where {kind.name} is declared")
    values, bits = kind.read(column.values, rows), column.validity
    if bits is None:
        return values
    _length(len(bits), (rows + 7) // 8, "bytes of validity")
    nulls = [8 * at + n for at, byte in enumerate(bits) if byte != 255 for n in _NULLS[byte]]
    # The bits after the last row say nothing.
    while nulls and nulls[-1] >= rows:
        nulls.pop()
    if nulls and not nullable:
        raise BadValue(nulls[0], f"row {nulls[0]} is null, and the input is declared without nulls")
    for row in nulls:
        values[row] = None
    return values


def write(kind: Kind, nullable: bool, given: tuple) -> Column:
    """A list of values, None where a row is null, as a column of the contract."""
    values, bits = list(given), None
    types = set(map(type, values))
    if type(None) in types:
        if not nullable:
            raise BadValue(_first(values, type(None)), "it is None, although it is declared without nulls")
        types.remove(type(None))
        bits = validity(values)
        for row in compress(range(len(values)), map(is_, values, repeat(None))):
            values[row] = kind.zero
    # A bool is an int to Python, and a datetime a date: exact types, or a slip crosses unseen.
    for wrong in types - ({float, int} if kind is FLOAT else {kind.python}):
        row = _first(values, wrong)
        raise BadValue(row, f"{values[row]!r} is of type {wrong.__name__} where {kind.python.__name__} is declared")
    return Column(kind.name, kind.write(values), bits)


def _first(values: list, wanted: type) -> int:
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
    # A copy: nulls will be put in.
    return list(values)


def _write_float(values: list) -> list[float]:
    try:
        # Whole numbers become floats, and -0.0 becomes 0.0: one zero, one set of bits.
        if 0 in values or int in set(map(type, values)):
            values = [value + 0.0 for value in values]
        # A sum is finite only if every summand is; a look at each is needed where it overflows.
        if isfinite(sum(values)) or all(map(isfinite, values)):
            return values
    except OverflowError:
        row = next(row for row, value in enumerate(values) if abs(value) >= 2**1023)
        raise BadValue(row, "the integer is too large for a float") from None
    row = next(row for row, value in enumerate(values) if not isfinite(value))
    message = "is not a finite number; give None and a reason where there is no answer"
    raise BadValue(row, f"{values[row]} {message}")


def _write_int(values: list) -> list[int]:
    if values and (min(values) < -(2**63) or max(values) >= 2**63):
        row = next(row for row, value in enumerate(values) if not -(2**63) <= value < 2**63)
        raise BadValue(row, "the integer does not fit 64 bits")
    return values


def _read_dates(values: list[int], rows: int) -> list[date]:
    _length(len(values), rows, "values")
    try:
        # A batch holds few different days.
        days = {day: date.fromordinal(day + EPOCH) for day in set(values)}
    except (ValueError, OverflowError):
        last = date.max.toordinal()
        row = next(row for row, day in enumerate(values) if not 1 <= day + EPOCH <= last)
        raise BadValue(row, f"{values[row]} is a day outside the years 1 to 9999") from None
    return list(map(days.__getitem__, values))


def _write_dates(values: list) -> list[int]:
    return [ordinal - EPOCH for ordinal in map(date.toordinal, values)]


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


def _write_text(values: list) -> tuple[list[int], bytes]:
    text = "".join(values)
    if text.isascii():
        return list(accumulate(map(len, values), initial=0)), text.encode("ascii")
    try:
        parts = [value.encode() for value in values]
    except UnicodeEncodeError:
        row = next(row for row, value in enumerate(values) if not _encodes(value))
        raise BadValue(row, "the text holds half a surrogate pair, which is no character") from None
    return list(accumulate(map(len, parts), initial=0)), b"".join(parts)


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


def _write_series(values: list) -> Any:
    raise BadValue(None, "an output is one value a row, never a series")


FLOAT = Kind("float64", float, _read_plain, _write_float, 0.0)
INT = Kind("int64", int, _read_plain, _write_int, 0)
BOOL = Kind("boolean", bool, unpack, pack, False)
DATE = Kind("date", date, _read_dates, _write_dates, date(1970, 1, 1))
TEXT = Kind("text", str, _read_text, _write_text, "")
SERIES = Kind("series", Series, _read_series, _write_series, None)

KINDS = {kind.python: kind for kind in (FLOAT, INT, BOOL, DATE, TEXT, SERIES)}
