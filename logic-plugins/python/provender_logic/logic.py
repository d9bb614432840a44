"""`Logic`: a declaration held together, checked when the module is imported, and the computing of a
batch: columns in, columns out."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from itertools import repeat
from math import isfinite
from operator import itemgetter
from typing import Any

from . import columns, failure
from .columns import BadValue, Column, FLOAT
from .failure import Internal, InvalidInput, InvalidParameter
from .rows import Inputs, Outputs, Parameters, outside
from .rules import Guardrail, Monitor


class Logic:
    """A logic: what it reads and gives, and the function that computes a row.

    The row function takes the parameters and one row of inputs and gives an instance of the outputs'
    class, or a dict with a value for each of its attributes.
    """

    def __init__(
        self,
        *,
        name: str,
        version: str,
        summary: str,
        inputs: type[Inputs],
        parameters: type[Parameters],
        outputs: type[Outputs],
        compute: Callable[[Any, Any], Any],
        guardrails: Sequence[Guardrail] = (),
        monitors: Sequence[Monitor] = (),
        annotations: Sequence[tuple[str, str]] = (),
    ):
        self.name, self.version, self.summary = name, version, summary
        self.inputs, self.parameters, self.outputs = inputs, parameters, outputs
        self.row = compute
        self.guardrails, self.monitors = tuple(guardrails), tuple(monitors)
        self.annotations = tuple(annotations)
        self._check()

    def _check(self) -> None:
        """What the host would refuse, and a misspelt name before anything else, is said here."""
        rows = ((self.inputs, Inputs), (self.parameters, Parameters), (self.outputs, Outputs))
        for given, wanted in rows:
            if not (isinstance(given, type) and issubclass(given, wanted) and given is not wanted):
                raise TypeError(f"{given!r} is no class that is made of provender_logic.{wanted.__name__}")
        if not any(a.declared.role == "outcome" for a in self.outputs._attributes):
            raise TypeError("no output is an outcome")
        names = {what: {a.name for a in cls._attributes} for cls, what in
                 ((self.inputs, "input"), (self.parameters, "parameter"), (self.outputs, "output"))}
        for rule in self.guardrails:
            if rule.output not in names["output"]:
                raise TypeError(f"a guardrail looks at the output `{rule.output}`, which is not declared")
            for bound in (rule.minimum, rule.maximum):
                if isinstance(bound, str) and bound not in names["parameter"]:
                    raise TypeError(f"the guardrail on `{rule.output}` takes its bound from `{bound}`, which is no parameter")
        for rule in self.monitors:
            if rule.subject is not None and rule.subject not in names["input"] | names["output"]:
                raise TypeError(f"the monitor `{rule.metric}` looks at `{rule.subject}`, which is neither an input nor an output")

    def take_parameters(self, scalars: Sequence[tuple[str, Any]]) -> Any:
        """The parameters of a call, from (type of the contract, value) in the declaration's order."""
        attributes = self.parameters._attributes
        values = []
        for at, attribute in enumerate(attributes):
            if at >= len(scalars):
                raise InvalidParameter(attribute.name, "the host gave no value for it")
            kind, value = scalars[at]
            if kind != attribute.kind.name:
                message = f"{value!r} of type {kind} is not a value of the declared type {attribute.kind.name}"
                raise InvalidParameter(attribute.name, message)
            if attribute.kind is FLOAT and not isfinite(value):
                raise InvalidParameter(attribute.name, f"{value} is not a finite number")
            if attribute.kind is columns.DATE:
                try:
                    value = date.fromordinal(value + columns.EPOCH)
                except (ValueError, OverflowError):
                    raise InvalidParameter(attribute.name, f"{value} is a day outside the years 1 to 9999") from None
            fault = outside(attribute.declared, value)
            if fault:
                raise InvalidParameter(attribute.name, f"it {fault}")
            values.append(value)
        if len(scalars) > len(attributes):
            raise Internal("the host gave more parameters than are declared")
        return tuple.__new__(self.parameters, values)

    def compute(self, rows: int, parameters: Sequence[tuple[str, Any]], inputs: Sequence[Column]) -> list[Column]:
        """Computes a batch; raises a `Failure` where the contract has one."""
        given = self.take_parameters(parameters)
        attributes = self.inputs._attributes
        read = []
        for at, attribute in enumerate(attributes):
            if at >= len(inputs):
                raise InvalidInput(attribute.name, None, "the host gave no column for it")
            try:
                read.append(columns.read(attribute.kind, attribute.nullable, inputs[at], rows))
            except BadValue as bad:
                raise InvalidInput(attribute.name, bad.row, bad.message) from None
        if len(inputs) > len(attributes):
            raise Internal("the host gave more columns than are declared")
        cells = zip(*read) if read else repeat((), rows)
        done = self._compute_rows(given, map(partial(tuple.__new__, self.inputs), cells), rows)
        made = zip(*done) if rows else repeat(())
        return [self._write(attribute, values, rows) for attribute, values in zip(self.outputs._attributes, made)]

    def _compute_rows(self, parameters: Any, inputs: Any, rows: int) -> list:
        row, done = self.row, []
        append = done.append
        try:
            for cells in inputs:
                append(row(parameters, cells))
        # Whatever leaves a component traps, and a trap has lost the message.
        except BaseException as error:
            raise failure.of_row(error, len(done), rows, row.__code__.co_filename) from error
        types = set(map(type, done))
        if types <= {self.outputs}:
            return done
        names = [a.name for a in self.outputs._attributes]
        if types == {dict} and set(map(len, done)) == {len(names)}:
            try:
                # With one name alone, `itemgetter` gives no tuple.
                return list(map(itemgetter(*names), done)) if len(names) > 1 else [(d[names[0]],) for d in done]
            except KeyError:
                pass
        return [self._outputs(result, at, rows) for at, result in enumerate(done)]

    def _outputs(self, result: Any, row: int, rows: int) -> Any:
        """One result, with the error that tells what is wrong with it."""
        if type(result) is self.outputs:
            return result
        at = f" (row {row})" if rows > 1 else ""
        if not isinstance(result, dict):
            raise Internal(f"the row function gave {type(result).__name__} where {self.outputs.__name__} or a dict is needed{at}")
        try:
            return self.outputs(**result)
        except TypeError as error:
            raise Internal(f"the row function gave a dict that does not fit {self.outputs.__name__}: {error}{at}") from None

    def _write(self, attribute: Any, values: tuple, rows: int) -> Column:
        try:
            return columns.write(attribute.kind, attribute.nullable, values)
        except BadValue as bad:
            at = f" (row {bad.row})" if rows > 1 else ""
            raise Internal(f"output `{attribute.name}`: {bad.message}{at}") from None
