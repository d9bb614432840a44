"""What reaches outside says so, instead of trapping without a word.

A component has no files, no clock and no screen. Their system calls are stubbed out with a trap, and
what traps has lost the line it came from; an exception has not.
"""

import builtins
import os
import time
from collections.abc import Callable
from typing import NoReturn

_CLOCKS = (
    "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time",
    "process_time_ns", "sleep",
)


def close() -> None:
    """From here on; what a module reads while it is imported, at build time, it may read."""
    for name in ("print", "input", "open"):
        setattr(builtins, name, _refuse(name))
    for name in _CLOCKS:
        setattr(time, name, _refuse(f"time.{name}"))
    os.urandom = _refuse("os.urandom")


def _refuse(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise RuntimeError(f"{name} reaches outside, and a logic computes from its inputs alone")

    return refuse
