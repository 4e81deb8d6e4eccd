"""The option that says how long a question of a plan waits for an answer.

It can also be given by an environment variable; the command line takes precedence.
"""

from __future__ import annotations

import argparse
import math
from typing import Final

from queueserver_process.variables import value_of

OPTION: Final = "--question-timeout"
VARIABLE: Final = "QSERVER_QUESTION_TIMEOUT"
_NEVER: Final = "none"


def add_question_option(parser: argparse.ArgumentParser) -> None:
    """Give a parser the option; `question_arguments` reads what was given."""
    parser.add_argument(
        OPTION,
        type=_seconds,
        # A text is read like one from the command line.
        default=value_of("QUESTION_TIMEOUT") or _NEVER,
        metavar="SECONDS",
        help="how long a question of a plan (bps.input_plan) waits for an answer until the plan fails; none: for ever "
        f"(default: ${VARIABLE}, else none)",
    )


def question_arguments(given: argparse.Namespace) -> tuple[str, ...]:
    """What was given, as arguments of the environment process."""
    return () if given.question_timeout is None else (OPTION, f"{given.question_timeout!r}")


def _seconds(text: str) -> float | None:
    if text.strip().lower() == _NEVER:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 10**9:
        raise argparse.ArgumentTypeError(f"must be a number of seconds, or {_NEVER}, not {text:.40}")
    return seconds
