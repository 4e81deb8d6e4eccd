"""The log of our processes: how much is in it, in which form, and the options for both.

Guarantees: writing a line never blocks, whatever happens to standard error (see :mod:`queueserver_process.terminal`).
A record is one line, and a traceback below it if it has one: line breaks and control characters in names and messages
are shown as escapes, so that no text of a client can pass for a line of ours or control a terminal.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
import time
from dataclasses import dataclass
from typing import Any, Final

from queueserver_process.terminal import TerminalHandler

#: From everything to almost nothing: SILENT leaves what ends a process.
LEVELS: Final = {
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "SILENT": logging.CRITICAL,
}
FORMATS: Final = ("text", "json")
#: Attribute of a record with the extra fields of the JSON form: a dictionary of JSON values.
FIELDS: Final = "fields"
#: Loggers of ours. Of other libraries no details are logged, whatever the level.
_OURS: Final = (
    "queueserver_rpc",
    "queueserver_inventory",
    "queueserver_manager",
    "queueserver_worker",
    "queueserver_zmq_bridge",
    "queueserver_standalone",
)
_MAX_MESSAGE: Final = 8_000
_NOT_SHOWN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_NOT_SHOWN_IN_LINES: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class LogChoice:
    """How much is logged, and in which form."""

    level: str = "INFO"
    form: str = "text"

    @property
    def arguments(self) -> list[str]:
        """The same as options of another process."""
        return ["--log-level", self.level, "--log-format", self.form]


def add_log_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options; `read_log_options` reads what was given."""
    group = parser.add_argument_group("log", "To standard error. --verbose, --quiet and --silent are short forms.")
    level = group.add_mutually_exclusive_group()
    level.add_argument(
        "--log-level",
        choices=tuple(LEVELS),
        default="INFO",
        help="how much is logged; SILENT: only why a process ends (default: %(default)s)",
    )
    shorts = (("verbose", "DEBUG"), ("quiet", "WARNING"), ("silent", "SILENT"))
    for name, meaning in shorts:
        level.add_argument(
            f"--{name}",
            dest="log_level",
            action="store_const",
            const=meaning,
            help=f"the same as --log-level {meaning}",
        )
    group.add_argument(
        "--log-format", choices=FORMATS, default="text", help="a line of text, or a JSON object (default: %(default)s)"
    )


def read_log_options(given: argparse.Namespace) -> LogChoice:
    """What was chosen on a parsed command line."""
    return LogChoice(given.log_level, given.log_format)


def configure(choice: LogChoice) -> None:
    """Send the log of this process to standard error. The one place that decides about handlers and levels."""
    level = LEVELS[choice.level]
    handler = TerminalHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if choice.form == "json" else _LineFormatter())
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler], force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(level)


def line_of(record: logging.LogRecord) -> str:
    """A record as one entry of a log in text form."""
    return _LineFormatter().format(record)


def shown(text: str) -> str:
    """Foreign text as a part of a line."""
    return _NOT_SHOWN.sub(_escape, text[:_MAX_MESSAGE]) + ("…" if len(text) > _MAX_MESSAGE else "")


class _LineFormatter(logging.Formatter):
    """``[I 2022-02-17 06:54:18,077 logger] text``, the form people know from the tutorials."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"[{record.levelname[0]} {self.formatTime(record)} {record.name}] {shown(record.getMessage())}"
        traceback = _traceback(self, record)
        return f"{line}\n{traceback}" if traceback else line


class _JsonFormatter(logging.Formatter):
    """An object for each record: time in UTC, level, logger, message; fields of the record; a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        import json  # noqa: PLC0415 - most processes never need it

        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        content: dict[str, Any] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": shown(record.getMessage()),
            **getattr(record, FIELDS, {}),
        }
        traceback = _traceback(self, record)
        if traceback:
            content["traceback"] = traceback
        return json.dumps(content, default=str)


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return _NOT_SHOWN_IN_LINES.sub(_escape, formatter.formatException(record.exc_info)) if record.exc_info else ""


def _escape(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode()
