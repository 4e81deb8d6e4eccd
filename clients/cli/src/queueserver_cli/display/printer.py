"""What `qserver` prints: for people as in the tutorials, for programs one JSON document."""

from __future__ import annotations

import base64
import json
import math
import pprint
import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from queueserver_cli.display.terminal_text import visible, visible_lines
from queueserver_cli.outcome import Answer
from queueserver_cli.process import tell

#: Characters on which a terminal may act and which JSON leaves as they are.
_LATE_CONTROLS = re.compile("[\x7f-\x9f]")


class Printer:
    """Writes the answer to standard output, and what is only for people to standard error.

    With ``as_json`` nothing but JSON is written, and nothing to standard error.
    """

    def __init__(self, words: Sequence[str], *, as_json: bool) -> None:
        self._words = list(words)
        self.as_json = as_json

    def begin(self) -> None:
        """Repeat the command."""
        if not self.as_json:
            print(f"Arguments: {self._words}", flush=True)  # noqa: T201 - what this module is for

    def answer(self, answer: Answer) -> None:
        """Print the result of a command."""
        if self.as_json:
            self.document({**answer.body, **answer.details})
            return
        self.line(f"MESSAGE: \n{pprint.pformat(dict(answer.body), width=80)}")
        if answer.appendix:
            self.note(answer.appendix)

    def failure(self, message: str, *, code: str, reason: str) -> None:
        """Print that the server could not be asked."""
        if self.as_json:
            self.document({"success": False, "code": code, "reason": reason, "msg": message, "violations": []})
        else:
            self.line(f"ERROR: {message}")

    def wrong_command(self, message: str) -> None:
        """Print that the words are wrong; for people on standard error."""
        if self.as_json:
            self.document(
                {
                    "success": False,
                    "code": "INVALID_ARGUMENT",
                    "reason": "WRONG_COMMAND",
                    "msg": message,
                    "violations": [],
                }
            )
        else:
            tell(f"Invalid command or parameters: {visible_lines(message)}")

    def line(self, text: str) -> None:
        """Print a text for people with the time of day."""
        if not self.as_json:
            print(f"{time.strftime('%H:%M:%S')} - {visible_lines(text)}", flush=True)  # noqa: T201 - as above

    def dated_line(self, time: datetime, text: str) -> None:
        """Print a line for people with date and time, here, of what it tells."""
        if not self.as_json:
            moment = f"{time.astimezone():%Y-%m-%d %H:%M:%S}"
            print(f"{moment} - {visible(text)}", flush=True)  # noqa: T201 - as above

    def coloured(self, text: str, *, colour: str | None = None, bold: bool | None = None, before: str = "") -> None:
        """Print a text for people, and something without a colour before it; colours only reach a terminal."""
        if not self.as_json:
            click.echo(before + click.style(visible_lines(text), fg=colour, bold=bold))

    def note(self, text: str, *, colour: str | None = None, timed: bool = False) -> None:
        """Print what is only for people, and no part of the answer, on standard error."""
        if not self.as_json:
            before = f"{time.strftime('%H:%M:%S')} - " if timed else ""
            tell(before + click.style(visible_lines(text), fg=colour))

    def document(self, content: Mapping[str, Any]) -> None:
        """Print one JSON document on one line."""
        text = json.dumps(exact(content), ensure_ascii=False, sort_keys=True, allow_nan=False)
        # It means the same to a program, and a terminal has nothing to act on.
        text = _LATE_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        print(text, flush=True)  # noqa: T201 - as above


def exact(value: Any) -> Any:
    """A value as strict JSON has it: NaN and infinities by name, bytes as base64, arrays as lists."""
    if isinstance(value, Mapping):
        return {str(key): exact(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [exact(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "tolist"):
        return exact(value.tolist())
    return value
