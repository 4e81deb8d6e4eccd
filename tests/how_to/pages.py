"""How-to pages as a list of steps: what a reader types, and what the page says comes out.

A block of ``sh`` is a step. A block of ``json`` or ``text`` right behind it is what comes out. In it "…" within a line
stands for any text, and a line that is only "…" for any lines; how many spaces there are makes no difference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ANYTHING = "…"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """One block of commands, and what is said to come out of it; None if nothing is said."""

    line: int
    commands: str
    output: str | None

    @property
    def is_refused(self) -> bool:
        """The page says that a command of it fails."""
        return (
            self.output is not None and re.search(r'^ERROR:|^Error |^ *"code": ', self.output, re.MULTILINE) is not None
        )


def steps_of(page: str) -> list[Step]:
    """The steps of a page, in order. ValueError for a block that is neither commands nor what comes out of them."""
    found: list[Step] = []
    end = -1
    for block in _BLOCK.finditer(page):
        kind, text = block.groups()
        line = page.count("\n", 0, block.start()) + 1
        follows = not page[end : block.start()].strip() if end >= 0 else False
        if kind == "sh":
            found.append(Step(line, text, None))
        elif kind in {"json", "text"} and follows and found and found[-1].output is None:
            found[-1] = Step(found[-1].line, found[-1].commands, text)
        else:
            raise ValueError(
                f"the block in line {line} is neither commands nor what comes out of the commands before it"
            )
        end = block.end()
    return found


def fits(said: str, output: str) -> bool:
    """Whether an output is what the page says of it."""
    parts = []
    for line in _lines(said):
        if line == ANYTHING:
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*?".join(re.escape(part) for part in line.split(ANYTHING)) + r"\n")
    return re.fullmatch("".join(parts), "".join(f"{line}\n" for line in _lines(output))) is not None


def _lines(text: str) -> list[str]:
    """Without spaces at the ends and with one space between words, since gRPC tools vary them on purpose."""
    return [" ".join(line.split()) for line in text.strip().splitlines()]
