"""Native tests, without componentize-py. From this folder:

    PYTHONPATH=../../../python python3 -m unittest
"""

import unittest
from datetime import date
from pathlib import Path

from provender_logic import testing

from days_remaining import LOGIC, Inputs, Parameters, compute

CASES = Path(__file__).parents[3] / "cases" / "days_remaining"


class DaysRemaining(unittest.TestCase):
    def test_the_golden_cases_hold(self):
        testing.golden(LOGIC, CASES)

    def test_a_row_is_a_call_of_a_function(self):
        inputs = Inputs(
            calculation_date=date(2025, 6, 30), area_ha=40.0, animal_count=100.0,
            daily_intake_kg_per_head=10.0, forage_kg_per_ha=1000.0)
        self.assertEqual(compute(Parameters(), inputs).days_of_grazing_remaining, 20.0)


if __name__ == "__main__":
    unittest.main()
