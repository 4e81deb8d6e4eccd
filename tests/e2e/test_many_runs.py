"""Plans that open thousands of short runs."""

from __future__ import annotations

from collections import Counter

import pytest
from queueserver_client import (
    AsyncClient,
    ConnectionState,
    DocumentEmitted,
    Event,
    EventKind,
    EventsLost,
    ExitStatus,
    HistoryAdded,
    Plan,
    Snapshot,
    StatusChanged,
)

from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.wait import bounded, first

RUNS = 4_000


@pytest.mark.parametrize("restarted", [False, True])
async def test_all_documents_of_thousands_of_short_runs_arrive_and_the_worker_is_never_down(
    parts: Parts, parts_client: AsyncClient, gate: Gate, *, restarted: bool
) -> None:
    documents: Counter[str] = Counter()
    opened: list[str] = []
    others: list[Event | Snapshot] = []
    async with parts_client.watch([EventKind.DOCUMENT, EventKind.STATUS, EventKind.HISTORY]) as watch:
        await first(watch, lambda _: True)
        await parts_client.queue.add(Plan("many_runs", gate.path, RUNS))
        await parts_client.queue.start()
        gate.open()

        async def note_until_the_end() -> HistoryAdded:
            async for event in watch:
                if isinstance(event, DocumentEmitted):
                    documents[event.document.name] += 1
                    if event.document.name == "start":
                        opened.append(event.document.run_uid)
                    if restarted and documents.total() == RUNS:
                        parts.kill_manager()
                        parts.start_manager()
                elif isinstance(event, HistoryAdded):
                    return event
                else:
                    others.append(event)
            raise AssertionError("the watch ended by itself")

        end = await bounded(note_until_the_end(), 120.0)
    assert not [event for event in others if isinstance(event, (EventsLost, Snapshot))]
    assert documents == {"start": RUNS, "stop": RUNS}
    assert end.entry.result.exit_status is ExitStatus.COMPLETED
    assert [run.uid for run in end.entry.result.runs] == opened
    assert {run.exit_status for run in end.entry.result.runs} == {"success"}
    if not restarted:
        statuses = [event.status.worker for event in others if isinstance(event, StatusChanged)]
        assert set(statuses) == {ConnectionState.UP}
