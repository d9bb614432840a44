#!/usr/bin/env python3
"""Makes the sample ranch. Every figure is invented; nothing is random.

    make.py          writes inputs/, story/ and expected.json
    make.py --check  compares them with what it would write, and checks what the sample promises

Python 3.11 or newer, standard library only. With geographiclib installed, --check also compares the
areas with it.
"""

import pathlib
import sys

sys.dont_write_bytecode = True  # the folder is embedded in the program: leave nothing in it
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generator import expected, forage, land, livestock, promises, soil, story, weather  # noqa: E402


def everything():
    """{path: bytes} of every generated file."""
    files = {}
    for module in (land, livestock, forage, weather, soil, story):
        files.update(module.files())
    files.update(expected.files(files))
    return files


def differences(files):
    """Generated files that are missing, differ, or are there without being made."""
    problems = []
    for path, data in files.items():
        target = HERE / path
        if not target.exists():
            problems.append(f"{path} is missing")
        elif target.read_bytes() != data:
            problems.append(f"{path} differs from what make.py makes")
    for folder in ("inputs", "story"):
        for found in (HERE / folder).rglob("*"):
            path = found.relative_to(HERE).as_posix()
            if found.is_file() and path not in files:
                problems.append(f"{path} is not made by make.py")
    return problems


def main(arguments):
    """Exit code 0, or 1 with one line a problem."""
    files = everything()
    if arguments == ["--check"]:
        problems = differences(files) + promises.broken(HERE, files)
        if files != everything():
            problems.append("two runs of make.py give different bytes")
        for problem in problems:
            print(problem, file=sys.stderr)
        print(f"{len(files)} files checked, {len(problems)} problems")
        return 1 if problems else 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 64
    for path, data in files.items():
        target = HERE / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    print(f"{len(files)} files written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
