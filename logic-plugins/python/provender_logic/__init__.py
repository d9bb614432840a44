"""What a data scientist writes a logic with, in Python.

A logic is a function from one row of inputs to one row of outputs, and a declaration of what those
are. This package makes a component of the two: columns, nulls, dates, text and series, `describe`,
and the way of an exception's message to the host are its work. It needs nothing but Python 3.11 or
newer, so that the row function is tested natively; only `provender_logic.component`, which the
component's entry imports, needs the bindings that componentize-py makes.

    from datetime import date
    from provender_logic import Logic, field, outcome, parameter, warn, below
    from provender_logic import Inputs as InputRow, Outputs as OutputRow, Parameters as ParameterRow

    class Inputs(InputRow):
        calculation_date: date = field("The day the number is for.")
        rain_mm: float | None = field(
            "Rain of the last 30 days.", unit="mm", feature="precipitation_mm:sum:30d")

    class Parameters(ParameterRow):
        need_mm: float = parameter(
            "Rain that the grass needs in 30 days.", unit="mm", default=40.0, minimum=0.0, maximum=1000.0)

    class Outputs(OutputRow):
        balance_mm: float | None = outcome(
            "Rain above the need; negative when it was dry.", unit="mm", formula="rain_mm - need_mm")

    def compute(p: Parameters, i: Inputs) -> Outputs:
        return Outputs(balance_mm=None if i.rain_mm is None else i.rain_mm - p.need_mm)

    LOGIC = Logic(
        name="rain_balance", version="v1",
        summary="Rain of the last 30 days against what the grass needs.",
        inputs=Inputs, parameters=Parameters, outputs=Outputs,
        guardrails=[warn("balance_mm", -1000.0, 1000.0)],
        monitors=[below("coverage", 0.98, 0.90)],
        annotations=[("not-accounted-for", "water held in the soil")],
        compute=compute,
    )

The component's entry is two lines, in `app.py`:

    from provender_logic.component import export
    Logic = export(LOGIC)

* `rows`: the declaration of inputs, parameters and outputs as classes
* `rules`: guardrails and monitors
* `logic`: `Logic`, which holds a declaration together, checks it and computes a batch
* `columns`: columns of the contract to Python values and back
* `series`, `numbers`: the observations of a window; days and quotients without surprises
* `failure`: how a row says that it cannot be computed, and where an exception came from
* `testing`, `cases`: golden cases in an author's own unit tests, and the files they stand in
* `outside`: what a component has not, and how it says so
* `component`: the contract's types; the only module that needs componentize-py
"""

from .failure import Failure, InputError, Internal, InvalidInput, InvalidParameter
from .logic import Logic
from .numbers import add_days, add_whole_days, divide
from .rows import Inputs, Outputs, Parameters, field, outcome, parameter, reason, term
from .rules import Guardrail, Monitor, above, below, crit, warn
from .series import Series

__version__ = "0.1.0"

__all__ = [
    "Failure", "Guardrail", "InputError", "Inputs", "Internal", "InvalidInput", "InvalidParameter",
    "Logic", "Monitor", "Outputs", "Parameters", "Series", "above", "add_days", "add_whole_days",
    "below", "crit", "divide", "field", "outcome", "parameter", "reason", "term", "warn",
]
