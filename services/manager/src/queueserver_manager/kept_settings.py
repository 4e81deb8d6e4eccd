"""How much is kept, as options of the command line: by number where people care about it, and by megabytes."""

from __future__ import annotations

import argparse

from queueserver_process.variables import PREFIX, value_of

from queueserver_manager.domain.limits import ANSWERS, LOG, MIB, QUEUE, Bound, Limits
from queueserver_manager.domain.tasks.tasks import Retention

#: Results of tasks are kept at least this long, in seconds.
MIN_RESULT_AGE = 120.0
_DIGITS = 7
#: By attribute of Limits: the option for its size, and what it bounds.
SIZES = {
    "queue": ("--queue-size", "items of the queue; more are refused"),
    "history": ("--history-size", "entries of the history; the oldest go"),
    "answers": ("--kept-answers-size", "answers kept for repeated requests; the oldest go"),
    "log": ("--event-log-size", "changes kept for watchers that were away; the oldest go"),
    "tasks": ("--task-results-size", "results of tasks; the oldest go"),
}
_DEFAULTS = Limits()


def variable_of(option: str) -> str:
    """Environment variable that stands for an option which is not given."""
    return PREFIX + _name_of(option)


def _name_of(option: str) -> str:
    return option.strip("-").replace("-", "_").upper()


def add_kept_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options; :func:`read_limits` reads what was given."""
    group = parser.add_argument_group(
        "what is kept",
        "In Redis and in memory; docs/reference/memory.md says what that takes. A size is also taken from the "
        f"environment, for example from {variable_of(SIZES['queue'][0])}.",
    )
    group.add_argument(
        "--history-limit",
        type=_positive,
        default=_DEFAULTS.history.number,
        metavar="N",
        help="entries, default: %(default)s",
    )
    group.add_argument(
        "--task-result-age",
        type=_age,
        default=_DEFAULTS.tasks.age,
        metavar="S",
        help="seconds, 120 or more, default: %(default)g",
    )
    group.add_argument(
        "--task-result-count",
        type=_positive,
        default=_DEFAULTS.tasks.count,
        metavar="N",
        help="results kept, default: %(default)s",
    )
    for name, (option, what) in SIZES.items():
        size = getattr(_DEFAULTS, name).size
        group.add_argument(
            option,
            dest=f"{name}_size",
            type=_megabytes,
            default=value_of(_name_of(option)) or str(size // MIB),
            metavar="MB",
            help=f"{what} (default: {size // MIB})",
        )


def read_limits(given: argparse.Namespace) -> Limits:
    """Read the options from a parsed command line."""
    options = vars(given)
    sizes = {name: options.pop(f"{name}_size") for name in SIZES}
    return Limits(
        queue=QUEUE._replace(size=sizes["queue"]),
        history=Bound(options.pop("history_limit"), sizes["history"]),
        answers=ANSWERS._replace(size=sizes["answers"]),
        log=LOG._replace(size=sizes["log"]),
        tasks=Retention(options.pop("task_result_age"), options.pop("task_result_count"), sizes["tasks"]),
    )


def _positive(text: str) -> int:
    if not _is_count(text):
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more, not {text:.40}")
    return int(text)


def _megabytes(text: str) -> int:
    if not _is_count(text):
        raise argparse.ArgumentTypeError(f"must be a whole number of megabytes, 1 or more, not {text:.40}")
    return int(text) * MIB


def _is_count(text: str) -> bool:
    """Digits, not too many of them, and not 0."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) >= 1


def _age(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not MIN_RESULT_AGE <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number of seconds, {MIN_RESULT_AGE:g} or more, not {text:.40}")
    return seconds
