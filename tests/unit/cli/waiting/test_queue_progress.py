"""The execution of the queue as `queue start --wait` sees it in events, also where some were lost."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from queueserver_cli.display.evidence import Evidence
from queueserver_cli.display.printer import Printer
from queueserver_cli.session import Session
from queueserver_cli.waiting.queue_progress import QueueProgress
from queueserver_client import (
    AsyncClient,
    ExitStatus,
    HistoryAdded,
    HistoryEntry,
    Item,
    ItemResult,
    QueueStarted,
    QueueStopped,
    QueueStopReason,
    Snapshot,
)

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
LOST = Snapshot(9, None, (), None, (), (), (), restarted=True)


@pytest.fixture
async def progress() -> QueueProgress:
    return QueueProgress(Evidence(Session(AsyncClient("127.0.0.1:9"), Printer((), as_json=True))))


def ended(status: ExitStatus, message: str = "") -> HistoryAdded:
    entry = HistoryEntry(1, Item("count", uid="u-1"), "e-1", ItemResult(status, message=message))
    return HistoryAdded(5, NOW, entry)


def stopped(reason: QueueStopReason) -> QueueStopped:
    return QueueStopped(6, NOW, reason)


async def test_what_belongs_to_an_earlier_start_is_passed_over(progress: QueueProgress) -> None:
    for event in (ended(ExitStatus.FAILED), stopped(QueueStopReason.FAILURE)):
        progress.take(event)
    assert (progress.stop_reason, progress.executed) == (None, [])
    for event in (QueueStarted(4, NOW, "jane"), ended(ExitStatus.COMPLETED), stopped(QueueStopReason.EMPTY)):
        progress.take(event)
    assert (progress.stop_reason, len(progress.executed)) == (QueueStopReason.EMPTY, 1)


async def test_where_the_start_was_lost_the_end_is_still_seen(progress: QueueProgress) -> None:
    progress.take(LOST)
    assert progress.has_gap
    progress.take(stopped(QueueStopReason.EMPTY))
    assert progress.stop_reason is QueueStopReason.EMPTY


@pytest.mark.parametrize("reason", QueueStopReason)
async def test_each_reason_has_a_sentence_and_only_planned_ones_are_well_with_items_left(
    progress: QueueProgress, reason: QueueStopReason
) -> None:
    for event in (QueueStarted(4, NOW, "jane"), ended(ExitStatus.COMPLETED), stopped(reason)):
        progress.take(event)
    assert progress.words(2).endswith(". 1 plan completed, 2 left in the queue.")
    assert progress.is_well(2) is (reason in {QueueStopReason.EMPTY, QueueStopReason.INSTRUCTION})
    assert progress.is_well(0)


async def test_any_end_but_completion_is_told_and_not_well(progress: QueueProgress) -> None:
    progress.take(QueueStarted(4, NOW, "jane"))
    progress.take(ended(ExitStatus.STOPPED, "stopped by jane"))
    progress.take(stopped(QueueStopReason.EMPTY))
    assert not progress.is_well(0)
    assert "'count' was stopped: stopped by jane. 0 plans completed" in progress.words(0)
    assert progress.words(0).endswith("All about it: qserver item u-1")
