"""The option that says on which Python the environment runs.

It can also be given by an environment variable; the command line takes precedence.
"""

from __future__ import annotations

import argparse

from queueserver_process.interpreter import OPTION, VARIABLE, Interpreter, find_interpreter
from queueserver_process.variables import PREFIX, value_of


def add_python_option(parser: argparse.ArgumentParser) -> None:
    """Give a parser the option; `read_python_option` reads what was given."""
    parser.add_argument(
        OPTION,
        default=value_of(VARIABLE) or None,
        metavar="PATH",
        help="the interpreter of the beamline's own environment, which needs bluesky and nothing of ours: the startup "
        f"code runs on it (default: ${PREFIX}{VARIABLE}, else the one that runs this)",
    )


def read_python_option(given: argparse.Namespace) -> Interpreter | None:
    """Examine the interpreter that was given; None is our own. Raises InterpreterError."""
    return None if given.environment_python is None else find_interpreter(given.environment_python)
