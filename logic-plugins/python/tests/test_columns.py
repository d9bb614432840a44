"""Columns over the border and back. From `logic-plugins/python`: python3 -m unittest discover tests -t ."""

import random
import unittest
from datetime import date, datetime

from provender_logic import Series
from provender_logic.columns import BOOL, DATE, FLOAT, INT, SERIES, TEXT, BadValue, Column, pack, read, unpack, write

SAMPLES = {
    FLOAT: [0.0, 1.5, -2.25, 1.7976931348623157e308, 5e-324],
    INT: [0, -1, 2**63 - 1, -(2**63)],
    BOOL: [True, False],
    DATE: [date.min, date(1969, 12, 31), date(2024, 2, 29), date.max],
    TEXT: ["", "a", "grass", "Gräser", "草", "🐄", "e\u0301"],
}


class Columns(unittest.TestCase):
    def test_what_is_written_is_read_again(self):
        chance = random.Random(1)
        for kind, samples in SAMPLES.items():
            for rows in (0, 1, 7, 8, 9, 64, 1000):
                values = tuple(chance.choice([*samples, None]) for _ in range(rows))
                column = write(kind, True, values)
                self.assertEqual(read(kind, True, column, rows), list(values), (kind.name, rows))
                full = tuple(chance.choice(samples) for _ in range(rows))
                column = write(kind, False, full)
                self.assertIsNone(column.validity)
                self.assertEqual(read(kind, False, column, rows), list(full), (kind.name, rows))

    def test_bits_are_least_significant_first(self):
        self.assertEqual(pack([True, False, False, False, False, False, False, False, True]), b"\x01\x01")
        self.assertEqual(unpack(b"\x01\x01", 9), [True] + [False] * 7 + [True])

    def test_bits_after_the_last_row_say_nothing(self):
        self.assertEqual(read(INT, False, Column("int64", [1, 2, 3], b"\x07"), 3), [1, 2, 3])
        self.assertEqual(read(INT, True, Column("int64", [1, 2, 3], b"\x05"), 3), [1, None, 3])

    def test_a_negative_zero_has_the_bits_of_zero(self):
        self.assertEqual(list(map(str, write(FLOAT, True, (-0.0, None, 1.0)).values)), ["0.0", "0.0", "1.0"])

    def test_whole_numbers_become_floats(self):
        self.assertEqual(write(FLOAT, False, (1, 2.5)).values, [1.0, 2.5])

    def test_a_sum_past_the_largest_number_is_no_fault(self):
        self.assertEqual(write(FLOAT, False, (1.7e308, 1.7e308)).values, [1.7e308, 1.7e308])

    def test_a_series_has_its_days_and_values(self):
        column = Column("series", ([0, 2, 2], [0, 31], [1.0, 2.0]), b"\x03")
        first, empty = read(SERIES, True, column, 2)
        self.assertEqual(first, Series([(date(1970, 2, 1), 2.0), (date(1970, 1, 1), 1.0)]))
        self.assertEqual((first.on(date(1970, 2, 1)), first.on(date(1970, 1, 2)), len(empty)), (2.0, None, 0))

    def assertBad(self, row, message, call, *args):
        with self.assertRaises(BadValue) as caught:
            call(*args)
        self.assertEqual((caught.exception.row, caught.exception.message), (row, message))

    def test_what_no_column_can_hold_is_named_with_its_row(self):
        for kind, values, row, message in [
            (FLOAT, (1.0, float("inf")), 1, "inf is not a finite number; give None and a reason where there is no answer"),
            (FLOAT, (float("nan"),), 0, "nan is not a finite number; give None and a reason where there is no answer"),
            (FLOAT, (1.0, 10**400), 1, "the integer is too large for a float"),
            (FLOAT, (1.0, True), 1, "True is of type bool where float is declared"),
            (FLOAT, ("1",), 0, "'1' is of type str where float is declared"),
            (INT, (1, 2**63), 1, "the integer does not fit 64 bits"),
            (INT, (1.0,), 0, "1.0 is of type float where int is declared"),
            (DATE, (datetime(2025, 1, 1),), 0, "datetime.datetime(2025, 1, 1, 0, 0) is of type datetime where date is declared"),
            (TEXT, ("ä", "\ud800"), 1, "the text holds half a surrogate pair, which is no character"),
            (INT, (1, None), 1, "it is None, although it is declared without nulls"),
        ]:
            self.assertBad(row, message, write, kind, False, values)

    def test_a_column_that_cannot_be_read_is_named_with_its_row(self):
        for kind, column, rows, row, message in [
            (INT, Column("float64", [1.0]), 1, None, "the column holds float64 where int64 is declared"),
            (INT, Column("int64", [1]), 2, None, "the column has 1 values where 2 are needed"),
            (INT, Column("int64", [1, 2], b"\x02"), 2, 0, "row 0 is null, and the input is declared without nulls"),
            (INT, Column("int64", [1, 2], b""), 2, None, "the column has 0 bytes of validity where 1 are needed"),
            (DATE, Column("date", [0, 3_000_000]), 2, 1, "3000000 is a day outside the years 1 to 9999"),
            (TEXT, Column("text", ([0, 2, 1], b"a")), 2, 1, "the column's offsets descend"),
            (TEXT, Column("text", ([0, 1, 1], b"ab")), 2, None, "the column's offsets do not run from 0 to 2"),
            (TEXT, Column("text", ([0, 1], b"\xff")), 1, None, "the text is not UTF-8: invalid start byte"),
        ]:
            self.assertBad(row, message, read, kind, False, column, rows)
