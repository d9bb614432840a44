"""The row function is a plain function. From this folder: python3 -m unittest"""

import unittest
from datetime import date

from provender_logic import InputError

from logic import Inputs, Parameters, compute


def row(**inputs):
    """A row on one day; an input that is not named is None."""
    return Inputs(calculation_date=date(2025, 6, 30), **inputs)


class RainBalance(unittest.TestCase):
    def test_the_balance_is_rain_less_need(self):
        self.assertEqual(compute(Parameters(), row(rain_mm=52.0, observed_days=30)).balance_mm, 12.0)

    def test_a_missing_input_is_no_answer_with_a_reason(self):
        outputs = compute(Parameters(), row(observed_days=0))
        self.assertIsNone(outputs.balance_mm)
        self.assertEqual(outputs.reason, "no rain was observed in the last 30 days")

    def test_what_cannot_be_is_an_error_that_names_the_input(self):
        with self.assertRaisesRegex(InputError, "rain_mm"):
            compute(Parameters(), row(rain_mm=-1.0, observed_days=30))


if __name__ == "__main__":
    unittest.main()
