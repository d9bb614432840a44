"""Every golden case, natively. From this folder, without componentize-py: python3 -m unittest

`provender plugin test` runs the same cases in the sandbox.
"""

import unittest
from pathlib import Path

from provender_logic import testing

from {{module}} import LOGIC


class Golden(unittest.TestCase):
    def test_the_golden_cases_hold(self):
        testing.golden(LOGIC, Path(__file__).parent / "cases")


if __name__ == "__main__":
    unittest.main()
