"""What an item printed, of an excerpt and of recent text: the longer one, and how much of it is missing."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from queueserver_cli.display.printed_text import PrintedText, put_together
from queueserver_client import ConsoleStream, ConsoleText

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def piece(text: str, item_uid: str = "", task_uid: str = "") -> ConsoleText:
    return ConsoleText(NOW, ConsoleStream.STDOUT, text, item_uid, task_uid)


BEFORE, OWN, MORE = piece("before", "other"), piece("one\n", "u"), piece("two\n", "u")
LOG = ConsoleText(NOW, ConsoleStream.MANAGER, "[I] alice started the queue\n", "")
FOREIGN = piece("of a task beside it", "u", "t")


@pytest.mark.parametrize(
    ("excerpt", "recent", "text", "is_whole", "words"),
    [
        (None, [BEFORE, OWN, FOREIGN, MORE], "one\ntwo\n", True, ""),
        (None, [OWN, MORE], "one\ntwo\n", False, "The beginning may be missing"),
        (None, [BEFORE], "", False, ""),
        (None, [LOG, OWN, LOG, MORE], "one\ntwo\n", False, "The beginning may be missing"),
        ("two\n", [BEFORE, OWN, MORE], "one\ntwo\n", True, ""),
        ("two\n", [OWN, MORE], "one\ntwo\n", False, "The beginning may be missing"),
        ("one\ntwo\n", [MORE], "one\ntwo\n", False, "at most the last 2,000 characters"),
        ("one\ntwo\n", [], "one\ntwo\n", False, "at most the last 2,000 characters"),
        ("", [BEFORE], "", False, ""),
    ],
)
def test_the_longer_text_is_told_and_whether_it_is_whole(
    excerpt: str | None, recent: list[ConsoleText], text: str, is_whole: bool, words: str
) -> None:
    found = put_together("u", excerpt, recent)
    assert (found.text, found.is_whole) == (text, is_whole)
    assert words in found.note if words else not found.note


def test_text_of_a_task_is_the_tasks() -> None:
    assert put_together("t", None, [BEFORE, FOREIGN]) == PrintedText("of a task beside it", is_whole=True)
