"""Curves, and how the lines of a screen are shared out."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from queueserver_cli.dashboard.plot import MOST_POINTS, Curve, drawn
from queueserver_cli.dashboard.shares import Wish, shared

numbers = st.floats()
points = st.lists(st.tuples(numbers, numbers), max_size=100)


def curve(*points: tuple[float, float]) -> Curve:
    made = Curve()
    for x, y in points:
        made.add(x, y)
    return made


@given(points, st.integers(-5, 100), st.integers(-5, 30), st.booleans())
def test_any_curve_fits_into_any_room(
    points: list[tuple[float, float]], width: int, height: int, braille: bool
) -> None:
    lines = drawn(curve(*points), width, height, braille=braille)
    if lines:
        assert len(lines) == height
        assert {len(line) <= width for line in lines} == {True}
        assert braille or all(line.isascii() for line in lines)
        assert any(mark in line for line in lines for mark in ("*" if not braille else map(chr, range(0x2801, 0x2900))))
    else:
        assert width < 30 or height < 3 or not any(math.isfinite(x) and math.isfinite(y) for x, y in points)


def test_a_line_that_rises_is_drawn_from_the_left_below_to_the_right_above() -> None:
    lines = drawn(curve(*((float(x), 10.0 * x) for x in range(5))), 9, 6, braille=False)
    assert lines == [
        " 40|    *",
        "   |   * ",
        "   |  *  ",
        "   | *   ",
        "  0|*    ",
        "   +0---4",
    ]


def test_values_that_do_not_change_have_one_number_in_the_middle() -> None:
    assert drawn(curve((0, 5), (1, 5)), 8, 4, braille=False) == [
        "  |     ",
        " 5|*   *",
        "  |     ",
        "  +0---1",
    ]


def test_a_long_curve_is_thinned_out_and_keeps_its_extent() -> None:
    made = curve(*((float(x), 1.0) for x in range(10 * MOST_POINTS)))
    assert len(made.xs) == len(made.ys) <= MOST_POINTS
    assert made.xs[0] == 0
    assert made.xs[-1] > 9.9 * MOST_POINTS


@given(st.integers(-10, 100), st.lists(st.builds(Wish, st.integers(0, 20), st.integers(0, 200)), max_size=6))
def test_no_line_is_shared_out_twice(total: int, wishes: list[Wish]) -> None:
    given = shared(total, wishes)
    assert sum(given) <= max(total, 0)
    for share, wish in zip(given, wishes, strict=True):
        assert share == 0 or wish.least <= share <= max(wish.most, wish.least)


def test_those_that_come_first_are_seen_to_first() -> None:
    assert shared(10, [Wish(1, 4), Wish(6, 16), Wish(2, 5), Wish(2, 99)]) == [2, 6, 2, 0]
    assert shared(30, [Wish(1, 4), Wish(0, 0), Wish(2, 5), Wish(2, 99)]) == [4, 0, 5, 21]
