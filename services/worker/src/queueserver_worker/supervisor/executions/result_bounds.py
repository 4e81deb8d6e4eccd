"""What all outcomes of plans and tasks have in common: bounded texts, the time of the end, the printed text."""

from __future__ import annotations

from queueserver.common.v1.item_pb2 import ItemResult
from queueserver.common.v1.task_pb2 import TaskResult

from queueserver_worker.supervisor.clock import is_time, now
from queueserver_worker.supervisor.process.excerpt import Excerpt

MAX_MESSAGE = 2_000
MAX_TRACEBACK = 64 * 1024
MAX_NOTICES = 10
MAX_NOTICE = 500
MAX_USER = 200


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
