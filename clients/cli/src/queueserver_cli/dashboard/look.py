"""What a terminal can show, and texts cut to its width."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rich.cells import cell_len
from rich.text import Text

from queueserver_cli.display.terminal_text import visible

#: A text longer than this is cut before it is examined: no terminal is that wide.
_LONGEST = 4000
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


class Look:
    """The characters that are used: all of Unicode, or only those of ASCII."""

    def __init__(self, *, unicode: bool) -> None:
        self.unicode = unicode
        self.dot = " · " if unicode else " - "
        self.more = "…" if unicode else ".."
        self.runs = "▶ " if unicode else "> "
        self._full, self._empty = ("█", "░") if unicode else ("#", ".")

    def text(self, words: str) -> str:
        """Foreign words, harmless for the terminal and in characters that it has."""
        shown = visible(words[:_LONGEST])
        return shown if self.unicode else shown.encode("ascii", "backslashreplace").decode()

    def bar(self, done: int, expected: int, width: int) -> str:
        """How much is done, as a bar."""
        full = width * min(done, expected) // max(expected, 1)
        return self._full * full + self._empty * (width - full)

    def fit(self, text: Text, width: int) -> Text:
        """The text with at most this many columns; an omission leaves a mark."""
        if text.cell_len <= width:
            return text
        text = text.copy()
        text.truncate(max(width - len(self.more), 0), overflow="crop")
        if width >= len(self.more):
            text.append(self.more)
        return text

    def column(self, words: str, width: int) -> str:
        """Foreign words with exactly this many columns."""
        fitted = self.fit(Text(self.text(words)), width).plain
        return fitted + " " * (width - cell_len(fitted))


def unicode_is_shown(variables: Mapping[str, str], encoding: str) -> bool:
    """Whether the terminal shows more than ASCII, as the locale in the environment variables says."""
    locale = variables.get("LC_ALL") or variables.get("LC_CTYPE") or variables.get("LANG") or encoding
    return "utf8" in locale.lower().replace("-", "")


def clock(time: datetime) -> str:
    """Time of day here."""
    return f"{time.astimezone():%H:%M:%S}"


def elapsed(seconds: float) -> str:
    """How long something has taken, to the second."""
    minutes, second = divmod(max(int(seconds), 0), _MINUTE)
    hours, minute = divmod(minutes, _MINUTE)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def about(seconds: float) -> str:
    """How long something will take, as well as an estimate can say it."""
    if seconds < _MINUTE:
        return f"{max(round(seconds), 1)} s"
    if seconds < _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    if seconds < _DAY:
        hours, minutes = divmod(round(seconds / _MINUTE), _MINUTE)
        return f"{hours} h {minutes} min"
    return f"{seconds / _DAY:.1f} days"
