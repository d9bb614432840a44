"""Declarations and row functions. From `logic-plugins/python`: python3 -m unittest discover tests -t ."""

import unittest
from datetime import date

import provender_logic as pl
from provender_logic import testing
from provender_logic.columns import Column


class Inputs(pl.Inputs):
    calculation_date: date = pl.field("The day.")
    rain_mm: float | None = pl.field("Rain.", unit="mm", feature="precipitation_mm:sum:30d")


class Parameters(pl.Parameters):
    need_mm: float = pl.parameter("Need.", unit="mm", default=40.0, minimum=0.0, maximum=1000.0)
    since: date = pl.parameter("First day.", default=date(2020, 1, 1))


class Outputs(pl.Outputs):
    balance_mm: float | None = pl.outcome("Balance.", unit="mm")
    late: bool = pl.term("Late.")


def logic(compute, **changes):
    given = dict(name="rain", version="v1", summary="s", inputs=Inputs, parameters=Parameters, outputs=Outputs)
    return pl.Logic(**(given | changes), compute=compute)


def balance(p, i):
    rest = None if i.rain_mm is None else i.rain_mm - p.need_mm
    return Outputs(balance_mm=rest, late=i.calculation_date > p.since)


ROW = {"calculation_date": date(2025, 6, 30), "rain_mm": 50.0}
DRY = {"calculation_date": date(2019, 6, 30)}


class Rows(unittest.TestCase):
    def test_a_batch_gives_a_row_for_each_row(self):
        done = testing.compute(logic(balance), {"need_mm": 10.0}, [ROW, DRY])
        self.assertEqual(done, [{"balance_mm": 40.0, "late": True}, {"balance_mm": None, "late": False}])
        self.assertEqual(testing.compute(logic(balance), {}, []), [])

    def test_a_dict_does_as_well(self):
        def as_dict(p, i):
            return {"late": False, "balance_mm": 1.0}
        self.assertEqual(testing.compute(logic(as_dict), {}, [ROW]), [{"balance_mm": 1.0, "late": False}])

    def test_what_a_test_leaves_out_is_none_or_the_default(self):
        inputs = Inputs(calculation_date=date(2025, 6, 30))
        self.assertEqual((inputs.rain_mm, Parameters().need_mm), (None, 40.0))
        with self.assertRaisesRegex(TypeError, "calculation_date"):
            Inputs(rain_mm=1.0)
        with self.assertRaisesRegex(TypeError, "late"):
            Outputs(balance_mm=1.0)
        with self.assertRaises(AttributeError):
            inputs.rain_mm = 2.0

    def assertFails(self, expected, compute, rows=(ROW, ROW), parameters=None):
        with self.assertRaises(pl.Failure) as caught:
            testing.compute(logic(compute), parameters or {}, list(rows))
        self.assertEqual(str(caught.exception), expected)

    def test_an_exception_is_a_failure_with_its_line(self):
        def divides(p, i):
            return 1 / 0
        line = divides.__code__.co_firstlineno + 1
        place = f"test_logic.py:{line} in divides"
        self.assertFails(f"ZeroDivisionError: division by zero ({place}, row 0)", divides)
        # Alone in its call the host names the row.
        self.assertFails(f"ZeroDivisionError: division by zero ({place})", divides, rows=[ROW])

    def test_a_library_that_raises_leads_to_the_authors_own_line(self):
        import json
        def parses(p, i):
            return json.loads("{")
        line = parses.__code__.co_firstlineno + 1
        cause = "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
        self.assertFails(f"JSONDecodeError: {cause} (test_logic.py:{line} in parses, row 0)", parses)

    def test_an_input_that_cannot_be_is_named_with_its_row(self):
        def refuses(p, i):
            if i.rain_mm is None:
                raise pl.InputError("rain_mm", "there is no rain gauge")
            return balance(p, i)
        self.assertFails("the input `rain_mm` is refused: there is no rain gauge", refuses, rows=[ROW, DRY])
        with self.assertRaises(pl.InvalidInput) as caught:
            testing.compute(logic(refuses), {}, [ROW, DRY])
        self.assertEqual((caught.exception.name, caught.exception.row), ("rain_mm", 1))

    def test_what_is_no_row_of_outputs_is_named(self):
        self.assertFails("the row function gave NoneType where Outputs or a dict is needed (row 0)", lambda p, i: None)
        self.assertFails(
            "the row function gave a dict that does not fit Outputs: Outputs() missing 1 required keyword-only argument: 'late' (row 0)",
            lambda p, i: {"balance_mm": 1.0})
        self.assertFails("output `late`: 1 is of type int where bool is declared (row 0)",
                         lambda p, i: Outputs(balance_mm=1.0, late=1))

    def test_parameters_are_held_to_their_declaration(self):
        self.assertFails("the parameter `need_mm` is refused: it is -1.0, outside 0.0 to 1000.0", balance, parameters={"need_mm": -1.0})
        one = logic(balance)
        day = Column("date", [0])
        rain = Column("float64", [1.0])
        for scalars, columns, message in [
            ([("int64", 1), ("date", 0)], [day, rain], "the parameter `need_mm` is refused: 1 of type int64 is not a value of the declared type float64"),
            ([("float64", 1.0)], [day, rain], "the parameter `since` is refused: the host gave no value for it"),
            ([("float64", 1.0), ("date", 9_999_999)], [day, rain], "the parameter `since` is refused: 9999999 is a day outside the years 1 to 9999"),
            ([("float64", 1.0), ("date", 0)], [day], "the input `rain_mm` is refused: the host gave no column for it"),
            ([("float64", 1.0), ("date", 0)], [day, rain, rain], "the host gave more columns than are declared"),
        ]:
            with self.assertRaises(pl.Failure) as caught:
                one.compute(1, scalars, columns)
            self.assertEqual(str(caught.exception), message)


class Declarations(unittest.TestCase):
    def test_a_slip_is_said_when_the_module_is_imported(self):
        for expected, namespace in [
            ("Bad.x has no type: write `x: float = …`", {"x": pl.field("x")}),
            ("Bad.x is not declared as an input: write `x: … = field(\"what it is\")`", {"__annotations__": {"x": float}}),
            ("Bad.x is of type <class 'complex'>; float, int, bool, date, str and Series are possible, each with `| None`",
             {"__annotations__": {"x": complex}, "x": pl.field("x")}),
        ]:
            with self.assertRaises(TypeError) as caught:
                type(pl.Inputs)("Bad", (pl.Inputs,), namespace)
            self.assertEqual(str(caught.exception), expected)
        with self.assertRaisesRegex(TypeError, r"the default of Bad.p is 2.0, outside 0.0 to 1.0"):
            class Bad(pl.Parameters):
                p: float = pl.parameter("p", default=2.0, minimum=0.0, maximum=1.0)

    def test_a_rule_on_what_is_not_there_is_refused(self):
        for rules, expected in [
            ({"guardrails": [pl.crit("balance", 0.0, 1.0)]}, "a guardrail looks at the output `balance`, which is not declared"),
            ({"guardrails": [pl.warn("balance_mm", "need", None)]}, "the guardrail on `balance_mm` takes its bound from `need`, which is no parameter"),
            ({"monitors": [pl.above("p95", 1.0, 2.0, subject="rain")]}, "the monitor `p95` looks at `rain`, which is neither an input nor an output"),
        ]:
            with self.assertRaises(TypeError) as caught:
                logic(balance, **rules)
            self.assertEqual(str(caught.exception), expected)


class Numbers(unittest.TestCase):
    def test_a_quotient_that_is_none_is_none(self):
        self.assertEqual([pl.divide(1.0, 0.0), pl.divide(0.0, 0.0), pl.divide(1e308, 1e-10), pl.divide(1.0, 4.0)],
                         [None, None, None, 0.25])

    def test_a_day_past_the_calendar_is_none(self):
        day = date(2025, 6, 30)
        self.assertEqual(pl.add_whole_days(day, 1.99), date(2025, 7, 1))
        self.assertEqual(pl.add_whole_days(day, -0.5), date(2025, 6, 29))
        for days in (float("inf"), float("nan"), 1e300, 3_999_999.0):
            self.assertIsNone(pl.add_whole_days(day, days))
