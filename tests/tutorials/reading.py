"""Tutorials as a list of steps: what a reader types and where, what comes out, and the files that a reader writes.

A block of ``sh`` is typed. A block of ``text`` right behind it is what comes out. The title of a block of ``sh`` is the
name of the terminal in which it is typed; without one it is the reader's own. In a terminal with a name a program runs
in the foreground: what the page says of it are lines that appear there, in this order, between others. ``^C`` is
Ctrl-C, and ``…`` nothing: the lines appear by themselves. A block of ``python`` or ``yaml`` with a title is a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

OWN = ""
INTERRUPT = "^C"
NOTHING = "…"
_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]*)")?\n(.*?)^```\n', re.MULTILINE | re.DOTALL)
#: What a tool prints when a command has not done what it was to do.
_FAILED = re.compile(r"'success': False|ERROR:|Invalid command|^Error|Failed", re.MULTILINE)


@dataclass(frozen=True)
class Typed:
    """Commands, and what is said to come out of them; None if nothing is said."""

    line: int
    terminal: str
    commands: str
    output: str | None = None

    @property
    def fails(self) -> bool:
        """The page says that it fails."""
        return self.output is not None and _FAILED.search(self.output) is not None


@dataclass(frozen=True)
class Written:
    """A file."""

    line: int
    name: str
    content: str


def steps_of(page: str) -> list[Typed | Written]:
    """The steps of a page, in order. ValueError for a block that is none."""
    found: list[Typed | Written] = []
    end = 0
    for block in _BLOCK.finditer(page):
        kind, title, text = block[1], block[2] or OWN, block[3]
        line = page.count("\n", 0, block.start()) + 1
        before = found[-1] if found and not page[end : block.start()].strip() else None
        if kind == "sh":
            found.append(Typed(line, title, text))
        elif kind == "text" and isinstance(before, Typed) and before.output is None:
            found[-1] = Typed(before.line, before.terminal, before.commands, text)
        elif kind in {"python", "yaml"} and title:
            found.append(Written(line, title, text))
        else:
            raise ValueError(f"the block in line {line} is neither typed, nor what comes out, nor a file")
        end = block.end()
    return found
