"""The dated observations of a window, oldest first."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import date

# Ordinal of 1970-01-01, from which the contract counts its days.
EPOCH = date(1970, 1, 1).toordinal()


class Series:
    """The dated observations of a window, oldest first; made of (day, value) pairs in a test."""

    __slots__ = ("_days", "values")

    values: list[float]
    """The observed values, in the column's unit."""

    def __init__(self, points: Iterable[tuple[date, float]] = ()):
        ordered = sorted(points, key=lambda point: point[0])
        self._days = [day.toordinal() - EPOCH for day, _ in ordered]
        self.values = [float(value) for _, value in ordered]

    @classmethod
    def of(cls, days: list[int], values: list[float]) -> "Series":
        """From days since 1970-01-01, ascending, and as many values."""
        made = cls.__new__(cls)
        made._days, made.values = days, values
        return made

    @property
    def days(self) -> list[int]:
        """The days of the observations, counted from 1970-01-01."""
        return self._days

    @property
    def dates(self) -> list[date]:
        """The days of the observations."""
        return [date.fromordinal(day + EPOCH) for day in self._days]

    def on(self, day: date) -> float | None:
        """The value observed on a day."""
        wanted = day.toordinal() - EPOCH
        at = bisect_left(self._days, wanted)
        if at < len(self._days) and self._days[at] == wanted:
            return self.values[at]
        return None

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[tuple[date, float]]:
        return iter(zip(self.dates, self.values))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Series):
            return NotImplemented
        return self._days == other._days and self.values == other.values

    def __repr__(self) -> str:
        return f"Series({list(self)!r})"
