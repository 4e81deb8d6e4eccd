"""Console text, which comes in pieces, as whole lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from queueserver_client import ConsoleStream, ConsoleText

from queueserver_cli.display.terminal_text import console_line

#: A longer line is shown in several.
LONGEST_LINE = 16_384
#: This many lines may be unfinished at the same time; each task and each stream has one.
MOST_UNFINISHED = 64


@dataclass(frozen=True)
class ConsoleLine:
    """One line, harmless for a terminal."""

    #: When its beginning was written.
    time: datetime
    text: str


class ConsoleLines:
    """Combines pieces. What standard output, standard error and tasks write at the same time is kept apart.

    The Manager's log is left out: the caller reports what people do in its own words.
    """

    def __init__(self) -> None:
        self._unfinished: dict[tuple[ConsoleStream, str], tuple[datetime, str]] = {}

    def feed(self, console: ConsoleText) -> list[ConsoleLine]:
        """Lines that are complete now."""
        if console.stream is ConsoleStream.MANAGER:
            return []
        writer = console.stream, console.task_uid
        time, rest = self._unfinished.pop(writer, (console.time, ""))
        complete: list[ConsoleLine] = []
        *lines, rest = (rest + console.text).split("\n")
        for line in lines:
            complete += _pieces(time, line)
            time = console.time
        rest = _newest_state(rest)
        if len(rest) > LONGEST_LINE:
            complete += _pieces(time, rest)
            rest = ""
        if rest:
            if len(self._unfinished) >= MOST_UNFINISHED:
                complete += _pieces(*self._unfinished.pop(next(iter(self._unfinished))))
            self._unfinished[writer] = time, rest
        return complete

    def unfinished(self) -> list[ConsoleLine]:
        """The beginnings of lines whose end has not come."""
        return [line for time, rest in self._unfinished.values() for line in _pieces(time, rest)]


def _newest_state(rest: str) -> str:
    """What is left of a line that is overwritten repeatedly."""
    return rest[rest.rstrip("\r").rfind("\r") + 1 :]


def _pieces(time: datetime, line: str) -> list[ConsoleLine]:
    text = console_line(line)
    starts = range(0, max(len(text), 1), LONGEST_LINE)
    return [ConsoleLine(time, text[start : start + LONGEST_LINE]) for start in starts]
