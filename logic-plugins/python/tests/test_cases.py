"""Golden cases. From `logic-plugins/python`: python3 -m unittest discover -s tests -t ."""

import tempfile
import unittest
from datetime import date
from pathlib import Path

import provender_logic as pl
from provender_logic import testing
from provender_logic.cases import BadCase, number, read_cases


class Inputs(pl.Inputs):
    calculation_date: date = pl.field("The day.")
    rain_mm: float | None = pl.field("Rain.", unit="mm")
    days: int | None = pl.field("Days.")
    history: pl.Series | None = pl.field("History.")


class Parameters(pl.Parameters):
    need_mm: float = pl.parameter("Need.", default=40.0, minimum=0.0)


class Outputs(pl.Outputs):
    balance_mm: float | None = pl.outcome("Balance.")
    late: bool = pl.term("Late.")
    why: str | None = pl.reason("Why.")


def compute(p, i):
    rain = sum(i.history.values) if i.history else i.rain_mm
    return {
        "balance_mm": None if rain is None else rain - p.need_mm,
        "late": (i.days or 0) > 3,
        "why": "no rain was observed" if rain is None else None,
    }


LOGIC = pl.Logic(
    name="rain", version="v2", summary="s", inputs=Inputs, parameters=Parameters, outputs=Outputs, compute=compute)

HEAD = """
columns = ["calculation_date", "rain_mm", "days", "history", "other"]
[base]
calculation_date = 2025-06-30
rain_mm = 50.0
"""
GOOD = HEAD + """
[[case]]
name = "rain above the need"
inputs = { days = 4, other = "of another version" }
expect = { balance_mm = "0x1.4p3", late = true }
null = ["why"]
[[case]]
name = "no rain is null"
without = ["rain_mm"]
expect = { why = "no rain was observed" }
null = ["balance_mm"]
[[case]]
name = "about"
parameters = { need_mm = 10 }
expect = { balance_mm = 40.001 }
tolerance = { balance_mm = 0.01 }
[[case]]
name = "a need is not negative"
parameters = { need_mm = -1.0 }
fails = "the parameter `need_mm` is refused"
[[case]]
name = "later"
since = "v3"
expect = { balance_mm = 1.0 }
[[case]]
name = "once"
versions = ["v1"]
expect = { balance_mm = 2.0 }
[[supersede]]
version = "v2"
case = "once"
reason = "the need is subtracted"
"""
CSV = """case,since,in.calculation_date,in.rain_mm,in.days,in.history,in.other,param.need_mm,out.balance_mm,out.why,tolerance.balance_mm
"from a row, with a comma",,2025-06-30,,4,2025-06-01=1.5 2025-06-02=0x1p1,x,1,2.4,null,0.2
"""


class Golden(unittest.TestCase):
    def folder(self, **files):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        for name, text in files.items():
            stem, _, kind = name.rpartition("_")
            Path(temp.name, f"{stem}.{kind}").write_text(text, encoding="utf-8")
        return Path(temp.name)

    def test_the_cases_of_both_formats_hold(self):
        folder = self.folder(a_toml=GOOD, b_csv=CSV)
        testing.golden(LOGIC, folder)
        names = [case.name for case in read_cases(LOGIC, folder)]
        self.assertEqual(names, [
            "rain above the need", "no rain is null", "about", "a need is not negative", "from a row, with a comma"])

    def test_every_difference_is_told(self):
        folder = self.folder(a_toml=HEAD + """
[[case]]
name = "one"
expect = { balance_mm = 10.000000000000002, late = true }
null = ["balance_mm", "why"]
[[case]]
name = "two"
fails = "never"
""")
        with self.assertRaises(AssertionError) as caught:
            testing.golden(LOGIC, folder)
        self.assertEqual(str(caught.exception), """rain of v2:
one: balance_mm: expected None, got 10.0
one: late: expected True, got False
two: should fail with `never`, and does not""")

    def test_no_case_is_no_pass(self):
        with self.assertRaisesRegex(AssertionError, "holds no case for v2"):
            testing.golden(LOGIC, self.folder())

    def test_a_row_that_leans_on_its_batch_is_found(self):
        seen = []
        def leaning(p, i):
            seen.append(i)
            return compute(p, i) | {"balance_mm": float(len(seen))}
        logic = pl.Logic(name="rain", version="v2", summary="s", inputs=Inputs, parameters=Parameters,
                         outputs=Outputs, compute=leaning)
        case = '[[case]]\nname = "{}"\nexpect = {{ late = false }}\n'
        with self.assertRaisesRegex(AssertionError, "one: its rows in one call differ from calls of one row each"):
            testing.golden(logic, self.folder(a_toml=HEAD + case.format("one") + case.format("two")))

    def test_a_file_that_is_not_of_the_format_is_refused(self):
        one = '[[case]]\nname = "one"\n'
        for toml, expected in [
            (HEAD + one, "one: it expects nothing"),
            (HEAD + "[[case]]\nnull = ['why']", "a case needs a name of its own"),
            (HEAD + (one + "null = ['why']\n") * 2, "one: two cases have this name"),
            (HEAD + one + "expects = 1", "one: the key `expects` is unknown"),
            (HEAD + one + "null = ['x']", "one: there is no output `x`"),
            (HEAD + one + "expect = { x = 1 }", "one: there is no output `x`"),
            (HEAD + one + "expect = { late = 1 }", "one: late: 1 is not a value of the type boolean"),
            (HEAD + one + "inputs = { days = 1.0 }\nnull = ['why']", "one: days: 1.0 is not a value of the type int64"),
            (HEAD + one + "inputs = { calculation_date = '20250630' }\nnull = ['why']", "one: calculation_date: '20250630' is not a value of the type date"),
            (HEAD + one + "inputs = { rain = 1.0 }\nnull = ['why']", "one: the input `rain` is not in `columns`"),
            (HEAD + one + "parameters = { need = 1.0 }\nnull = ['why']", "one: there is no parameter `need`"),
            (HEAD + one + "versions = ['v1']\nnull = ['why']", "one: it leaves out v2, and no [[supersede]] says why"),
            (HEAD + one + "versions = ['v2']\nsince = 'v1'\nnull = ['why']", "one: `versions` and `since` exclude each other"),
            (HEAD + one + "since = '1'\nnull = ['why']", "one: `1` is not a version: a version is v1, v2 and so on"),
            ("columns = []\n" + one + "null = ['why']", "one: `columns` lacks the input `calculation_date`"),
            ("[[supersede]]\nversion = 'v2'\ncase = 'one'", "a [[supersede]] needs a reason"),
            ("[[supersede]]\nreason = 'so'", "a [[supersede]] names a version and a case"),
            ("[[supersede]]\nversion = 'v2'\ncase = 'one'\nreason = 'so'", "a [[supersede]] names the case `one`, which is not there"),
        ]:
            with self.assertRaises(BadCase) as caught:
                read_cases(LOGIC, self.folder(a_toml=toml))
            self.assertEqual(str(caught.exception).partition(": ")[2], expected)
        for row, expected in [
            ("case,x\none,1", "line 2, column x: the column is unknown"),
            ("case,in.days\none,1.5", "line 2, column in.days: `1.5` is not a value of the type int64"),
            ("case,in.days\none", "line 2: it has 1 fields where the heads are 2"),
            ("case,out.late\none,yes", "line 2, column out.late: `yes` is not a value of the type boolean"),
        ]:
            with self.assertRaises(BadCase) as caught:
                read_cases(LOGIC, self.folder(a_csv=row))
            self.assertEqual(str(caught.exception).partition(": ")[2], expected)

    def test_numbers_are_read_to_the_bit_or_not_at_all(self):
        for text, value in [
            ("12", 12.0), ("-0.5", -0.5), ("1e3", 1000.0), ("0x1.8p3", 12.0), ("-0X.8P+1", -1.0),
            ("0x1p-1074", 5e-324), ("0x1.fffffffffffffp1023", 1.7976931348623157e308),
        ]:
            self.assertEqual(number(text), value, text)
        for text in ("", "inf", "nan", "--1", "0x1.8", "0xp1", "0x1.00000000000001p0", "0x1p1024", "0x1p-1075", "1_000"):
            self.assertIsNone(number(text), text)
