"""Arithmetic that gives the same bits on every machine.

Python's `random`, `math.sin` and `math.exp` may change with a Python version or a C library. The
invented figures need none of their accuracy, so everything here is made of + - * / on IEEE doubles
and of integers; texts are rounded to fixed decimals.
"""

import datetime
import json

YEAR = 2025
AS_OF = datetime.date(2025, 6, 30)
DAYS = [datetime.date(YEAR, 1, 1) + datetime.timedelta(days=i) for i in range(365)]


class Noise:
    """A 64-bit linear congruential generator (Knuth's MMIX constants), seeded by a name."""

    def __init__(self, name):
        self.state = 2025
        for byte in name.encode():
            self.state = (self.state * 31 + byte) % 2**64
        for _ in range(8):
            self.unit()

    def unit(self):
        """A number in [0, 1)."""
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 32) / 2**32

    def bell(self):
        """A number around 0 within -2..2, bell-shaped: four uniform numbers."""
        return self.unit() + self.unit() + self.unit() + self.unit() - 2.0


def cos_turn(x):
    """Cosine of x turns (Bhaskara's rational formula, error below 0.002)."""
    x = x - (x // 1)
    half = x if x <= 0.5 else 1.0 - x
    side, a = (1.0, half) if half <= 0.25 else (-1.0, 0.5 - half)
    return side * (1.0 - 16.0 * a * a) / (1.0 + 4.0 * a * a)


def season(day, peak):
    """A yearly wave: 1 on day-of-year `peak`, -1 half a year away."""
    return cos_turn((day_of_year(day) - peak) / 365.0)


def exp(x):
    """e to the x, near enough for invented weather: (1 + x/4096)^4096."""
    y = 1.0 + x / 4096.0
    for _ in range(12):
        y *= y
    return y


def between(day, knots):
    """Straight lines between the points (day of year, value); level outside."""
    d = day_of_year(day)
    if d <= knots[0][0]:
        return knots[0][1]
    for (d0, v0), (d1, v1) in zip(knots, knots[1:]):
        if d <= d1:
            return v0 + (v1 - v0) * (d - d0) / (d1 - d0)
    return knots[-1][1]


def day_of_year(day):
    """1 for 1 January."""
    return (day - datetime.date(day.year, 1, 1)).days + 1


def fixed(x, decimals):
    """A number rounded to fixed decimals, without a negative zero."""
    return round(x, decimals) + 0.0


def rap_labels():
    """(day, day of year) of the 23 composites of the year: 16, 32, … 368; the last runs past it."""
    first = datetime.date(YEAR, 1, 1)
    return [(first + datetime.timedelta(days=n - 1), n) for n in range(16, 369, 16)]


def compact(value):
    """JSON on one line, as the services reply."""
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def lines(rows):
    """Text lines."""
    return ("\n".join(rows) + "\n").encode()
