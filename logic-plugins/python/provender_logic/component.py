"""The contract's types. Only a component's entry imports this module: the bindings that it needs
are made by componentize-py and exist nowhere else.

    from provender_logic.component import export
    from rain_balance import LOGIC

    Logic = export(LOGIC)
"""

import gc
from typing import Any

from componentize_py_types import Err
from wit_world.exports import logic as wit

from . import failure, outside
from .columns import Column
from .failure import Internal, InvalidInput, InvalidParameter
from .logic import Logic
from .rows import Attribute
from .series import EPOCH

_KIND_OF_SCALAR = {
    wit.Scalar_Float64: "float64", wit.Scalar_Int64: "int64", wit.Scalar_Boolean: "boolean",
    wit.Scalar_Date: "date", wit.Scalar_Text: "text",
}
_SCALAR = {kind: cls for cls, kind in _KIND_OF_SCALAR.items()}
_READ = {
    wit.Values_Float64: lambda v: ("float64", v),
    wit.Values_Int64: lambda v: ("int64", v),
    wit.Values_Boolean: lambda v: ("boolean", v),
    wit.Values_Date: lambda v: ("date", v),
    wit.Values_Text: lambda v: ("text", (v.offsets, v.bytes)),
    wit.Values_Series: lambda v: ("series", (v.offsets, v.dates, v.values)),
}
_WRITE = {
    "float64": wit.Values_Float64,
    "int64": wit.Values_Int64,
    "boolean": wit.Values_Boolean,
    "date": wit.Values_Date,
    "text": lambda v: wit.Values_Text(wit.TextValues(*v)),
}


def export(logic: Logic) -> type:
    """The class that componentize-py looks for under the name `Logic`.

    The description is made here, once, when the component is built: the bytes hold the result.
    """
    description = _description(logic)

    class Exported:
        def describe(self) -> wit.Description:
            return description

        def compute(self, rows: int, parameters: list, inputs: list) -> list:
            try:
                scalars = [(_KIND_OF_SCALAR[type(s)], s.value) for s in parameters]
                columns = [Column(*_READ[type(c.values)](c.values.value), c.validity) for c in inputs]
                done = logic.compute(rows, scalars, columns)
                return [wit.Column(_WRITE[c.kind](c.values), c.validity) for c in done]
            # What is not caught traps, and a trap has lost its message.
            except BaseException as error:
                raise Err(_failure(error)) from None

    # Each call runs in an instance of its own, which is thrown away after some thousand rows:
    # looking for cycles in what was loaded at build time would only cost.
    gc.collect()
    gc.freeze()
    outside.close()
    return Exported


def _failure(error: BaseException) -> Any:
    match error:
        case InvalidParameter():
            return wit.Failure_InvalidParameter((error.name, error.message))
        case InvalidInput():
            return wit.Failure_InvalidInput((error.name, error.row, error.message))
        case Internal():
            return wit.Failure_Internal(error.message)
        case _:
            place = failure.place(error, "")
            return wit.Failure_Internal(f"{failure.line(error)} ({place})")


def _description(logic: Logic) -> wit.Description:
    return wit.Description(
        name=logic.name,
        version=logic.version,
        summary=logic.summary,
        inputs=[wit.Input(_field(a), a.declared.feature or a.name) for a in logic.inputs._attributes],
        parameters=[_parameter(a) for a in logic.parameters._attributes],
        outputs=[
            wit.Output(_field(a), wit.Role[a.declared.role.upper()], a.declared.formula)
            for a in logic.outputs._attributes
        ],
        guardrails=[
            wit.Guardrail(g.output, _bound(g.minimum), _bound(g.maximum), wit.Severity[g.severity.upper()])
            for g in logic.guardrails
        ],
        monitors=[
            wit.MonitorRule(
                m.metric, m.subject, scope, wit.Direction[m.direction.upper()],
                None if m.warn is None else float(m.warn), None if m.crit is None else float(m.crit), m.min_rows,
            )
            for m in logic.monitors
            for scope in (wit.Scope.FLEET, wit.Scope.SERIES)
        ],
        annotations=list(logic.annotations),
    )


def _field(a: Attribute) -> wit.Field:
    return wit.Field(a.name, wit.DataType[a.kind.name.upper()], a.declared.unit, a.nullable, a.declared.doc)


def _parameter(a: Attribute) -> wit.Parameter:
    def scalar(value: Any) -> Any:
        if value is None:
            return None
        return _SCALAR[a.kind.name](value.toordinal() - EPOCH if a.kind.name == "date" else value)

    d = a.declared
    return wit.Parameter(a.name, d.unit, scalar(d.default), scalar(d.minimum), scalar(d.maximum), d.doc)


def _bound(bound: float | str | None) -> Any:
    if bound is None:
        return None
    return wit.Bound_Parameter(bound) if isinstance(bound, str) else wit.Bound_Value(float(bound))
