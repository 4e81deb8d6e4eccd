"""Console text, piece by piece."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from queueserver_cli.display.console_lines import LONGEST_LINE, MOST_UNFINISHED, ConsoleLines
from queueserver_client import ConsoleStream, ConsoleText

BEGIN = datetime(2026, 11, 30, tzinfo=timezone.utc)


def piece(text: str, at: int = 0, task: str = "", stream: ConsoleStream = ConsoleStream.STDOUT) -> ConsoleText:
    return ConsoleText(BEGIN + timedelta(seconds=at), stream, text, "", task)


def fed(*pieces: ConsoleText) -> list[tuple[int, str]]:
    lines = ConsoleLines()
    found = [line for one in pieces for line in lines.feed(one)] + lines.unfinished()
    return [((line.time - BEGIN).seconds, line.text) for line in found]


@given(st.text(st.sampled_from("ab\n"), max_size=50), st.data())
def test_pieces_make_the_lines_that_were_written(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    parts = [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    lines = text.split("\n")
    assert [line for _, line in fed(*map(piece, parts))] == (lines if lines[-1] else lines[:-1])


def test_a_line_has_the_time_at_which_it_was_begun() -> None:
    assert fed(piece("a", 1), piece("b\nc", 2), piece("\nd\n", 3)) == [(1, "ab"), (2, "c"), (3, "d")]


def test_what_is_written_at_the_same_time_is_not_mixed() -> None:
    error = ConsoleStream.STDERR
    pieces = [
        piece("out"),
        piece("err", stream=error),
        piece("task", task="t"),
        piece("put\n"),
        piece("or\n", 5, "", error),
    ]
    assert fed(*pieces) == [(0, "output"), (0, "error"), (0, "task")]


def test_of_a_progress_bar_the_newest_state_is_left() -> None:
    assert fed(piece("10%\r"), piece("50%\r"), piece("90%")) == [(0, "90%")]
    assert fed(piece("10%\r100%\r"), piece("\nnext\r\n")) == [(0, "100%"), (0, "next")]


def test_what_never_ends_is_kept_in_bounds() -> None:
    lines = fed(*[piece("x" * 1000)] * 100)
    assert sum(len(text) for _, text in lines) == 100_000
    assert max(len(text) for _, text in lines) <= LONGEST_LINE
    assert len(fed(piece("\r" * 100_000))) <= 1
    tasks = ConsoleLines()
    told = [line for number in range(10 * MOST_UNFINISHED) for line in tasks.feed(piece("x", 0, str(number)))]
    assert len(told) + len(tasks.unfinished()) == 10 * MOST_UNFINISHED
    assert len(tasks.unfinished()) == MOST_UNFINISHED


def test_the_log_of_the_manager_is_left_out() -> None:
    log = piece("[I] alice started the queue\n", stream=ConsoleStream.MANAGER)
    assert fed(piece("one, "), log, piece("and the rest of it\n")) == [(0, "one, and the rest of it")]
