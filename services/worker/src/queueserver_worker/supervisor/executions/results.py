"""What all outcomes of plans and tasks have in common: bounded texts, the time of the end, the last printed text."""

from __future__ import annotations

from queueserver.common.v1.item_pb2 import ItemResult
from queueserver.common.v1.task_pb2 import TaskResult

from queueserver_worker.clock import is_time, now

MAX_EXCERPT = 2_000
"""Characters of the printed text that are kept: enough to see how something ended."""
# One more, to know whether the text that is kept begins with a line.
_KEPT = MAX_EXCERPT + 1
MAX_MESSAGE = 2_000
MAX_TRACEBACK = 64 * 1024
MAX_NOTICES = 10
MAX_NOTICE = 500
MAX_USER = 200


class Excerpt:
    """The last of a text that arrives in pieces."""

    def __init__(self) -> None:
        self._text = ""

    def add(self, piece: str) -> None:
        """Append a piece. Costs the same however much came before."""
        self._text = (self._text + piece[-_KEPT:])[-_KEPT:]

    @property
    def text(self) -> str:
        """At most MAX_EXCERPT characters, from the beginning of a line if there is one among them."""
        if len(self._text) <= MAX_EXCERPT:
            return self._text
        line_end = self._text.find("\n")
        if 0 <= line_end < MAX_EXCERPT:
            return self._text[line_end + 1 :]
        return self._text[1:]


def complete(result: ItemResult | TaskResult, excerpt: Excerpt) -> None:
    """Bound what the environment reported, in place, and add what it can't report or did not."""
    result.message = result.message[:MAX_MESSAGE]
    # The end of a traceback is what names the error.
    result.traceback = result.traceback[-MAX_TRACEBACK:]
    if isinstance(result, ItemResult):
        result.ended_by = result.ended_by[:MAX_USER]
        result.notices[:] = [notice[:MAX_NOTICE] for notice in result.notices[:MAX_NOTICES]]
    if not is_time(result.stop_time):
        result.stop_time.CopyFrom(now())
    result.console_excerpt = excerpt.text
