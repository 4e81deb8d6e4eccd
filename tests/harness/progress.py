"""Bring a queue to a certain point: each step waits for what the server tells, never for time to pass."""

from __future__ import annotations

from collections.abc import Callable

from queueserver_client import (
    AsyncClient,
    EventKind,
    HistoryEntry,
    Item,
    ItemHandle,
    ManagerState,
    QueueStopped,
    QueueStopReason,
    Snapshot,
    Status,
    StatusChanged,
)

from tests.harness import expect
from tests.harness.wait import first


async def until(client: AsyncClient, wanted: Callable[[Status], bool]) -> None:
    """Wait until the status is as ``wanted``."""
    async with client.watch([EventKind.STATUS]) as watch:
        await first(watch, expect.status(wanted))


async def status_when(client: AsyncClient, wanted: Callable[[Status], bool]) -> Status:
    """Wait until the status is as ``wanted``; the status then."""
    async with client.watch([EventKind.STATUS]) as watch:
        found = await first(watch, expect.status(wanted))
    status = found.status if isinstance(found, (Snapshot, StatusChanged)) else None
    assert status is not None
    return status


async def until_state(client: AsyncClient, state: ManagerState) -> None:
    """Wait until the Manager is in a state."""
    await until(client, lambda status: status.manager_state is state)


async def begun(client: AsyncClient, *items: Item) -> list[ItemHandle]:
    """Add items, start the queue and wait until the first one has opened a run; answers the handles."""
    handles = await client.queue.add_batch(items)
    async with client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await client.queue.start()
        await first(watch, expect.document("start"))
    return list(handles)


async def paused(client: AsyncClient, *items: Item) -> list[ItemHandle]:
    """As :func:`begun`, and pause the first one at once."""
    handles = await begun(client, *items)
    await client.run_engine.pause(immediate=True)
    await until_state(client, ManagerState.PAUSED)
    return handles


async def heard(client: AsyncClient) -> None:
    """Wait until the environment has heard all that was asked of the plan: it answers in order."""
    await client.run_engine.metadata()


async def run_to_its_end(client: AsyncClient) -> QueueStopReason:
    """Start the queue and wait until it stops; answers why."""
    async with client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        await client.queue.start()
        stopped = await first(watch, expect.queue_stopped)
    assert isinstance(stopped, QueueStopped)
    return stopped.reason


async def queue(client: AsyncClient) -> list[Item]:
    """The whole queue."""
    return [item async for item in client.queue.list()]


async def history(client: AsyncClient) -> list[HistoryEntry]:
    """The whole history."""
    return [entry async for entry in client.history.list()]
