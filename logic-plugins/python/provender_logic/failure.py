"""How a row says that it cannot be computed, and where an exception came from.

A missing input that the logic expects to be missing now and then is not an error: give None and a
reason. The module `traceback` is not used: it asks for the source files, and a component has none,
so that it traps and takes the message along.
"""

import os


class InputError(Exception):
    """Raised by a row function: an input holds what cannot be, such as a negative area."""

    def __init__(self, name: str, message: str):
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


class Failure(Exception):
    """Why a whole call has no result; one class for each case of the contract's `failure`. As a text
    it reads as the host words it, so that a golden case's `fails` fits both."""


class InvalidParameter(Failure):
    """A parameter that the declaration does not admit."""

    def __init__(self, name: str, message: str):
        super().__init__(f"the parameter `{name}` is refused: {message}")
        self.name, self.message = name, message


class InvalidInput(Failure):
    """An input that cannot be read or makes no sense, with its row where there is one."""

    def __init__(self, name: str, row: int | None, message: str):
        super().__init__(f"the input `{name}` is refused: {message}")
        self.name, self.row, self.message = name, row, message


class Internal(Failure):
    """Anything else: an exception of the row function, an output that no column can hold."""

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message


def of_row(error: BaseException, row: int, rows: int, home: str) -> Failure:
    """The failure of a call, from the exception of one of its rows.

    `home` is the file of the row function: the innermost line beside it is the author's own, also
    where a library raised. The host takes a failed batch apart and names the row itself, so that
    the number is only said where a call has several rows and it counts within the call.
    """
    if isinstance(error, InputError):
        return InvalidInput(error.name, row, error.message)
    notes = [line(error)]
    where = place(error, os.path.dirname(home))
    if where or rows > 1:
        named = [where] if where else []
        notes.append(f"({', '.join(named + ([f'row {row}'] if rows > 1 else []))})")
    return Internal(" ".join(notes))


def line(error: BaseException) -> str:
    """Type and message, on one line."""
    try:
        message = " ".join(str(error).split())
    except Exception:  # The author's own __str__ may be what fails.
        message = "its message could not be made"
    name = type(error).__name__
    return f"{name}: {message}" if message else name


def place(error: BaseException, folder: str) -> str | None:
    """`file:line in function` of the innermost frame in `folder`, or of the innermost at all."""
    found, trace = None, error.__traceback__
    mine = False
    while trace is not None:
        code = trace.tb_frame.f_code
        ours = os.path.dirname(code.co_filename) == folder
        if ours or not mine:
            found, mine = (code, trace.tb_lineno), ours
        trace = trace.tb_next
    if found is None:
        return None
    code, number = found
    return f"{os.path.basename(code.co_filename)}:{number} in {code.co_name}"
