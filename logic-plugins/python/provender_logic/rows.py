"""Inputs, parameters and outputs as classes, one attribute a column or scalar.

    class Inputs(provender_logic.Inputs):
        area_ha: float | None = field("Area of the pasture.", unit="ha")

Types: `float`, `int`, `bool`, `datetime.date`, `str`, `Series` (inputs only), and each of them
`| None`, which admits nulls. The order of the attributes is part of the contract. An instance is an
immutable tuple with named attributes, made with keywords; a nullable input that a test leaves out is
None, and a parameter has its default.
"""

from collections import namedtuple
from dataclasses import dataclass
from types import NoneType
from typing import Any, dataclass_transform, get_args, get_type_hints

from .columns import KINDS, SERIES, TEXT, Kind


@dataclass(frozen=True)
class Declared:
    """What the declaration says of one attribute; `name`, `kind` and `nullable` come of the class."""

    what: str
    doc: str
    unit: str | None = None
    feature: str | None = None
    role: str | None = None
    formula: str | None = None
    default: Any = None
    minimum: Any = None
    maximum: Any = None


@dataclass(frozen=True)
class Attribute:
    """One attribute of a row class."""

    name: str
    kind: Kind
    nullable: bool
    declared: Declared


def field(doc: str, *, unit: str | None = None, feature: str | None = None) -> Any:
    """An input. `feature` is the host's: `NAME`, `NAME:AGGREGATE`, `NAME:AGGREGATE:WINDOW`; without
    it, the column of the attribute's own name."""
    return Declared("input", doc, unit, feature=feature)


def parameter(
    doc: str, *, default: Any, unit: str | None = None, minimum: Any = None, maximum: Any = None
) -> Any:
    """A parameter with its default and, where it has one, the range that the host admits."""
    return Declared("parameter", doc, unit, default=default, minimum=minimum, maximum=maximum)


def outcome(doc: str, *, unit: str | None = None, formula: str | None = None) -> Any:
    """An output that downstream uses. The formula uses names of inputs, parameters and outputs."""
    return Declared("output", doc, unit, role="outcome", formula=formula)


def term(doc: str, *, unit: str | None = None, formula: str | None = None) -> Any:
    """An intermediate figure, kept so that `explain` can show the arithmetic."""
    return Declared("output", doc, unit, role="term", formula=formula)


def reason(doc: str) -> Any:
    """A text that says why an outcome of the row is null or doubtful."""
    return Declared("output", doc, role="reason")


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(field, parameter, outcome, term, reason)
)
class RowType(type):
    """Makes a tuple with named attributes of a class that declares them."""

    def __new__(meta, name: str, bases: tuple, namespace: dict, what: str | None = None) -> "RowType":
        # Without slots each row would carry a dictionary.
        cls = super().__new__(meta, name, bases, {**namespace, "__slots__": ()})
        if what is not None:
            cls._what, cls._attributes = what, ()
            return cls
        known = {a.name: a.declared for a in cls._attributes}
        known |= {key: value for key, value in namespace.items() if isinstance(value, Declared)}
        hints = get_type_hints(cls)
        for stray in [key for key in known if key not in hints]:
            raise TypeError(f"{name}.{stray} has no type: write `{stray}: float = …`")
        cls._attributes = tuple(_attribute(cls, key, hint, known) for key, hint in hints.items())
        _furnish(cls)
        return cls

    def __init__(cls, name: str, bases: tuple, namespace: dict, what: str | None = None):
        super().__init__(name, bases, namespace)


def _attribute(cls: RowType, name: str, hint: Any, known: dict[str, Declared]) -> Attribute:
    place, declared = f"{cls.__name__}.{name}", known.get(name)
    if declared is None or declared.what != cls._what:
        raise TypeError(f"{place} is not declared as an {cls._what}: write `{name}: … = {_MAKER[cls._what]}(\"what it is\")`")
    types = [t for t in get_args(hint) or (hint,) if t is not NoneType]
    kind = KINDS.get(types[0]) if len(types) == 1 else None
    if kind is None:
        raise TypeError(f"{place} is of type {hint!r}; float, int, bool, date, str and Series are possible, each with `| None`")
    nullable = NoneType in get_args(hint)
    if kind is SERIES and cls._what != "input":
        raise TypeError(f"{place} is a Series, which only an input can be")
    if declared.role == "reason" and kind is not TEXT:
        raise TypeError(f"{place} is a reason, and a reason is a text: write `str | None`")
    if cls._what == "parameter":
        _check_parameter(place, kind, nullable, declared)
    return Attribute(name, kind, nullable, declared)


_MAKER = {"input": "field", "parameter": "parameter", "output": "outcome"}


def _check_parameter(place: str, kind: Kind, nullable: bool, declared: Declared) -> None:
    if nullable:
        raise TypeError(f"{place} is nullable; a parameter always has a value")
    for side in ("default", "minimum", "maximum"):
        value = getattr(declared, side)
        absent = value is None and side != "default"
        if not absent and type(value) is not kind.python:
            raise TypeError(f"the {side} of {place} is {value!r}, not of type {kind.python.__name__}")
    fault = outside(declared, declared.default)
    if fault:
        raise TypeError(f"the default of {place} {fault}")


def outside(declared: Declared, value: Any) -> str | None:
    """Why a parameter's value is outside its range, or None when it is not."""
    low, high = declared.minimum, declared.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return f"is {value!r}, outside {low!r} to {high!r}"
    return None


def _furnish(cls: RowType) -> None:
    """Attributes that read the tuple, and a constructor that takes each by its name."""
    names = [a.name for a in cls._attributes]
    # The getters of a named tuple are written in C and work for every tuple.
    getters = namedtuple(cls.__name__, names).__dict__
    for name in names:
        setattr(cls, name, getters[name])
    # As `namedtuple` itself does: a constructor with real keywords is several times as fast as one
    # that takes `**kwargs`, and Python words its errors.
    arguments = f"*, {', '.join(names)}" if names else ""
    code = f"lambda _cls, {arguments}: _new(_cls, ({''.join(n + ', ' for n in names)}))"
    new = eval(code, {"_new": tuple.__new__, "__builtins__": {}})
    new.__name__ = new.__qualname__ = cls.__name__
    if cls._what == "input":
        new.__kwdefaults__ = {a.name: None for a in cls._attributes if a.nullable}
    if cls._what == "parameter":
        new.__kwdefaults__ = {a.name: a.declared.default for a in cls._attributes}
    cls.__new__ = new


class Row(tuple, metaclass=RowType, what=""):
    """A tuple with named attributes."""

    def __repr__(self) -> str:
        pairs = ", ".join(f"{a.name}={value!r}" for a, value in zip(self._attributes, self))
        return f"{type(self).__name__}({pairs})"


class Inputs(Row, what="input"):
    """What one row is computed from; declare attributes with `field`."""


class Parameters(Row, what="parameter"):
    """What all rows of a run share; declare attributes with `parameter`."""


class Outputs(Row, what="output"):
    """What one row gives; declare attributes with `outcome`, `term` and `reason`."""


