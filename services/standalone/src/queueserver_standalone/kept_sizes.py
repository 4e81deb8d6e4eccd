"""How much the Manager keeps: options that are checked here and handed on to it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Final

#: By option of the Manager, what it bounds. What is not said is the Manager's own default.
SIZES: Final[Mapping[str, str]] = {
    "--queue-size": "items of the queue; more are refused (default: 256)",
    "--history-size": "entries of the history; the oldest go (default: 128)",
    "--kept-answers-size": "answers kept for repeated requests; the oldest go (default: 64)",
    "--event-log-size": "changes kept for watchers that were away; the oldest go (default: 64)",
    "--task-results-size": "results of tasks; the oldest go (default: 64)",
}
_DIGITS: Final = 7


def add_size_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options; `manager_arguments` reads what was given."""
    group = parser.add_argument_group(
        "what is kept",
        "Megabytes in Redis and in memory, also from the environment, for example from "
        f"{_variable('--queue-size')}; docs/reference/memory.md says what a machine needs.",
    )
    for option, what in SIZES.items():
        default = os.environ.get(_variable(option)) or None
        group.add_argument(option, type=_megabytes, default=default, metavar="MB", help=what)


def manager_arguments(given: argparse.Namespace) -> tuple[str, ...]:
    """Arguments for the Manager."""
    sizes = {option: getattr(given, option.strip("-").replace("-", "_")) for option in SIZES}
    return tuple(word for option, size in sizes.items() if size is not None for word in (option, str(size)))


def _variable(option: str) -> str:
    return f"QUEUESERVER_{option.strip('-').replace('-', '_').upper()}"


def _megabytes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"must be a whole number of megabytes, 1 or more, not {text:.40}")
    return int(text)
