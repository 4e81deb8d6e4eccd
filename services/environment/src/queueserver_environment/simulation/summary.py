"""The text of a simulation: what happens, line by line, with repetitions counted instead of repeated.

Lines that differ only in the target of a move, or the length of a sleep, count as the same, and these become a range.
A sequence of lines that repeats becomes a loop, and so does a sequence of loops, so that a grid of a million points has
a dozen lines.
Guarantees: the lines, with the loops carried out, are exactly what was added, in order; memory and text are bounded
however much is added.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

MAX_PERIOD: Final = 24
"""Lines in the longest sequence that is recognised when it repeats."""
MAX_LINES: Final = 400
"""Lines at the top that are kept; more are counted only."""
_INDENT: Final = "  "


@dataclass
class Line:
    """Something that happens once, or in each round of a loop."""

    #: What happens; the same for lines that count as the same.
    what: str
    #: Where a move goes, or how long a sleep is, as text and, if it is a number, as one; empty for everything else.
    first: str = ""
    last: str = ""
    lowest: float | None = None
    highest: float | None = None
    #: How both are combined.
    form: str = "{what} to {targets}"

    @property
    def shape(self) -> Any:
        """Equal for what may be merged."""
        return self.what

    def merge(self, later: "Line") -> None:
        """Merge the same line of a later round."""
        self.last = later.last
        if self.lowest is None or later.lowest is None or self.highest is None or later.highest is None:
            self.lowest = self.highest = None
        else:
            self.lowest, self.highest = min(self.lowest, later.lowest), max(self.highest, later.highest)

    def texts(self) -> Iterator[str]:
        """Show it."""
        yield self.form.format(what=self.what, targets=self._targets()) if self.first else self.what

    def _targets(self) -> str:
        ends = [self.first] if self.first == self.last else [self.first, self.last]
        if self.lowest is None or self.highest is None:
            return " … ".join(ends)
        low, high = f"{self.lowest:.6g}", f"{self.highest:.6g}"
        if {low, high} <= set(ends):
            return " … ".join(ends)
        return f"{' … '.join(ends)} (between {low} and {high})"


@dataclass
class Loop:
    """A sequence that happens several times."""

    count: int
    body: "list[Node]"
    shape: Any = field(init=False)

    def __post_init__(self) -> None:
        self._reshape()

    def add_round(self, later: "list[Node]") -> None:
        """Merge one more round."""
        _merge(self.body, later)
        self.count += 1
        self._reshape()

    def texts(self) -> Iterator[str]:
        """Show it."""
        yield f"{self.count} times:"
        for node in self.body:
            yield from (_INDENT + text for text in node.texts())

    def _reshape(self) -> None:
        self.shape = (self.count, *(node.shape for node in self.body))


Node: TypeAlias = Line | Loop


class Summary:
    """Collects lines."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._left_out = 0

    def add(self, line: Line) -> None:
        """Add what happens next."""
        if len(self._nodes) >= MAX_LINES:
            self._left_out += 1
            return
        self._nodes.append(line)
        while self._fold():
            pass

    def text(self) -> str:
        """Show everything."""
        lines = [text for node in self._nodes for text in node.texts()]
        if self._left_out:
            lines.append(f"… and {self._left_out} more lines")
        return "\n".join(lines)

    def _fold(self) -> bool:
        """Merge the last sequence with an equal one right before it, if there is one."""
        nodes = self._nodes
        last = nodes[-1].shape
        for period in range(1, min(MAX_PERIOD, len(nodes) - 1) + 1):
            before = nodes[-period - 1]
            # The last lines usually differ, and comparing them first makes this cheap.
            if isinstance(before, Loop) and before.body[-1].shape == last and _alike(before.body, nodes[-period:]):
                latest = nodes[-period:]
                del nodes[-period:]
                before.add_round(latest)
                return True
            if before.shape == last and _alike(earlier := nodes[-2 * period : -period], latest := nodes[-period:]):
                _merge(earlier, latest)
                nodes[-2 * period :] = [Loop(2, earlier)]
                return True
        return False


def _alike(one: list[Node], other: list[Node]) -> bool:
    return len(one) == len(other) and all(a.shape == b.shape for a, b in zip(one, other, strict=True))


def _merge(into: list[Node], later: list[Node]) -> None:
    for node, other in zip(into, later, strict=True):
        _merge_node(node, other)


def _merge_node(node: Node, other: Node) -> None:
    if isinstance(node, Line) and isinstance(other, Line):
        node.merge(other)
    elif isinstance(node, Loop) and isinstance(other, Loop):
        _merge(node.body, other.body)
