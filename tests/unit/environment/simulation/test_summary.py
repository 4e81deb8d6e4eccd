"""The text of a simulation: repetitions are counted, and nothing is lost by it."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from queueserver_environment.simulation.summary import MAX_LINES, Line, Summary


def summary_of(*lines: str) -> str:
    summary = Summary()
    for line in lines:
        summary.add(Line(line))
    return summary.text()


def move(target: float) -> Line:
    return Line("move m", f"{target:.6g}", f"{target:.6g}", target, target)


def carried_out(text: str) -> list[str]:
    """The lines that a text stands for, with its loops carried out."""
    lines = text.splitlines()

    def block(begin: int, depth: int) -> tuple[list[str], int]:
        found: list[str] = []
        position = begin
        while position < len(lines) and len(lines[position]) - len(lines[position].lstrip()) >= 2 * depth:
            loop = re.fullmatch(r"(\d+) times:", lines[position].strip())
            if loop is None:
                found.append(lines[position].strip())
                position += 1
            else:
                body, position = block(position + 1, depth + 1)
                found += body * int(loop.group(1))
        return found, position

    return block(0, 0)[0]


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.lists(st.sampled_from("abcd"), max_size=6),
        lambda inner: st.tuples(st.lists(inner, max_size=4), st.integers(1, 5)).map(
            lambda parts: [line for part in parts[0] for line in part] * parts[1]
        ),
        max_leaves=8,
    ).filter(lambda lines: len(lines) < MAX_LINES)
)
def test_the_loops_carried_out_are_what_was_added(lines: list[str]) -> None:
    assert carried_out(summary_of(*lines)) == lines


def test_repetitions_of_repetitions_are_one_loop_in_another() -> None:
    row = ["row", *["measure", "step"] * 10]
    assert summary_of(*row * 50).splitlines() == ["50 times:", "  row", "  10 times:", "    measure", "    step"]


def test_targets_of_moves_become_a_range() -> None:
    summary = Summary()
    for target in (0, 1, 2):
        summary.add(move(target))
    assert summary.text() == "3 times:\n  move m to 0 … 2"


def test_a_range_tells_what_lies_beyond_its_ends() -> None:
    summary = Summary()
    for target in (0, 5, -3, 0):
        summary.add(move(target))
    assert summary.text() == "4 times:\n  move m to 0 (between -3 and 5)"


def test_targets_that_are_no_numbers_have_ends_only() -> None:
    summary = Summary()
    for target in ("in", "out"):
        summary.add(Line("move shutter", target, target))
    assert summary.text() == "2 times:\n  move shutter to in … out"


def test_what_does_not_repeat_is_cut() -> None:
    summary = Summary()
    for number in range(MAX_LINES + 10):
        summary.add(Line(f"line {number}"))
    lines = summary.text().splitlines()
    assert lines[-2:] == [f"line {MAX_LINES - 1}", "… and 10 more lines"]
