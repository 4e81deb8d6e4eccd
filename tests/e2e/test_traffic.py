"""Many clients at once, and something dies under them: what was answered is there, wholly and once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from queueserver.manager.v1.status_service_pb2 import GetStatusRequest
from queueserver_client import AsyncClient, EventKind, Plan, QueueServerError, QueueView, Snapshot

from tests.harness.health import wait_until_serving
from tests.harness.parts import Parts
from tests.harness.raw import connect
from tests.harness.wait import bounded, first

Death = Callable[[Parts], AbstractContextManager[None]]
CLIENTS = 8


async def add_until_told(address: str, name: str, enough: asyncio.Event, answered: dict[str, list[str]]) -> None:
    """Add batches of three until a call fails or it is enough; note the uids of each answered batch by its name."""
    async with AsyncClient(address) as client:
        number = 0
        while not enough.is_set():
            batch = f"{name}-{number}"
            try:
                handles = await client.queue.add_batch([Plan("one_run", batch)] * 3)
            except QueueServerError:
                return
            answered[batch] = [handle.uid for handle in handles]
            number += 1


async def test_clients_at_once_see_one_order_and_lose_nothing(parts: Parts, parts_client: AsyncClient) -> None:
    answered: dict[str, list[str]] = {}
    enough = asyncio.Event()
    async with parts_client.watch([EventKind.QUEUE]) as watch:
        begin = await first(watch, lambda _: True)
        assert isinstance(begin, Snapshot)
        view = QueueView.from_snapshot(begin)
        workers = [
            asyncio.create_task(add_until_told(parts.address, f"client{number}", enough, answered))
            for number in range(CLIENTS)
        ]
        while len(view.items) < 600:
            view.apply(await bounded(watch.__anext__()))
        enough.set()
        await bounded(asyncio.gather(*workers))
        last = (await parts_client.status()).revision
        while view.revision < last:
            view.apply(await bounded(watch.__anext__()))
    listed = [item.uid async for item in parts_client.queue.list()]
    assert listed == [item.uid for item in view.items]
    assert sorted(listed) == sorted(uid for uids in answered.values() for uid in uids)
    assert last == begin.revision + len(answered)


@pytest.mark.parametrize("death", [Parts.manager_killed, Parts.redis_killed], ids=["Manager", "Redis"])
async def test_what_was_answered_is_there_after_a_kill_and_what_was_not_is_there_wholly_or_not_at_all(
    parts: Parts, parts_client: AsyncClient, death: Death
) -> None:
    answered: dict[str, list[str]] = {}
    enough = asyncio.Event()
    async with parts_client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        workers = [
            asyncio.create_task(add_until_told(parts.address, f"client{number}", enough, answered))
            for number in range(CLIENTS)
        ]
        await first(watch, lambda _: len(answered) >= 40)
        with death(parts):
            await bounded(asyncio.gather(*workers))
    await wait_until_serving(parts.address)
    found: dict[str, list[str]] = {}
    async for item in parts_client.queue.list():
        found.setdefault(str((item.args or [""])[0]), []).append(item.uid)
    assert {batch: found.get(batch) for batch in answered} == answered
    assert {len(uids) for uids in found.values()} == {3}
    assert len(found) <= len(answered) + CLIENTS


async def test_thousands_of_calls_at_once_on_one_connection_are_all_answered(parts: Parts) -> None:
    async with connect(parts.address) as stubs:
        calls = [stubs.status.GetStatus(GetStatusRequest()) for _ in range(4_000)]
        answers = await bounded(asyncio.gather(*calls, return_exceptions=True))
    assert [answer for answer in answers if isinstance(answer, BaseException)] == []
