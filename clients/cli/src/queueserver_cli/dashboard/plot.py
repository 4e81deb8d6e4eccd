"""A curve as lines of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

#: A curve that has more points is thinned out: no terminal is that wide.
MOST_POINTS = 2048
#: Dots of a braille character: its bit by column and row.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BRAILLE = 0x2800


@dataclass
class Curve:
    """Points in the order in which they came. Values that are not numbers are left out."""

    xs: list[float] = field(default_factory=list)
    ys: list[float] = field(default_factory=list)
    #: Every how many points one is kept.
    _step: int = 1
    _count: int = 0

    def add(self, x: float, y: float) -> None:
        """Take a point."""
        if not (math.isfinite(x) and math.isfinite(y)):
            return
        if self._count % self._step == 0:
            self.xs.append(x)
            self.ys.append(y)
        self._count += 1
        if len(self.xs) > MOST_POINTS:
            self.xs, self.ys, self._step = self.xs[::2], self.ys[::2], 2 * self._step


def drawn(curve: Curve, width: int, height: int, *, braille: bool = True) -> list[str]:
    """The curve in this many columns and lines: scales at the left and below. Nothing without room or points."""
    if not curve.xs:
        return []
    left, right, low, high = min(curve.xs), max(curve.xs), min(curve.ys), max(curve.ys)
    top, bottom = number_text(high), number_text(low)
    margin = max(len(top), len(bottom)) + 1
    columns, rows = width - margin - 1, height - 1
    if columns < 2 or rows < 1:  # noqa: PLR2004 - less shows nothing
        return []
    upright, corner = ("│", "└") if braille else ("|", "+")
    lines = [" " * margin + upright + line for line in _dots(curve, columns, rows, braille=braille)]
    # A scale without extent has one number, in its middle.
    marks = {0: top, rows - 1: bottom} if top != bottom and rows > 1 else {rows // 2: top}
    for row, mark in marks.items():
        lines[row] = mark.rjust(margin) + lines[row][margin:]
    return [*lines, " " * margin + corner + _scale(number_text(left), number_text(right), columns, braille=braille)]


def _scale(left: str, right: str, columns: int, *, braille: bool) -> str:
    line = "─" if braille else "-"
    free = columns - len(left) - len(right)
    return f"{left}{line * free}{right}" if free > 0 else line * columns


def _dots(curve: Curve, columns: int, rows: int, *, braille: bool) -> list[str]:
    across, down = (2, 4) if braille else (1, 1)
    cells = [[0] * columns for _ in range(rows)]
    xs = _places(curve.xs, columns * across)
    ys = _places(curve.ys, rows * down)
    for x, height in zip(xs, ys, strict=True):
        y = rows * down - 1 - height  # lines are counted from above
        cells[y // down][x // across] |= _DOTS[x % across][y % down] if braille else 1
    empty, mark = (" ", "") if braille else (" ", "*")
    return ["".join(mark or chr(_BRAILLE + cell) if cell else empty for cell in row) for row in cells]


def _places(values: Sequence[float], count: int) -> list[int]:
    """Places of values on a scale of this many places. A scale without extent has everything in its middle."""
    low, high = min(values), max(values)
    # Halves, because the extent of two finite numbers may be infinite.
    extent = high / 2 - low / 2
    if not extent:
        return [(count - 1) // 2] * len(values)
    return [min(round((value / 2 - low / 2) / extent * (count - 1)), count - 1) for value in values]


def number_text(value: float) -> str:
    """A number for a scale."""
    return f"{value:.4g}"
