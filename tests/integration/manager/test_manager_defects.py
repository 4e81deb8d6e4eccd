"""A Manager with a defect: one request may fail, and the next term begins from what is stored.

The Manager runs in the test's own process, so that a defect can be put into it; its Redis is real.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from queueserver_client import AsyncClient, EventKind, QueueModeChanged, ServerFault
from queueserver_manager.app import Manager
from queueserver_manager.domain.mode import QueueMode
from queueserver_manager.operations.term import Term
from queueserver_manager.settings import parse
from queueserver_manager.store import codec

from tests.harness.redis import RedisProcess
from tests.harness.wait import bounded, first


@pytest.fixture
async def client(redis_server: RedisProcess, short_path: Path) -> AsyncIterator[AsyncClient]:
    """A client of a Manager in this process, whose Worker is never there."""
    worker = f"unix:{short_path / 'worker.sock'}"
    manager = Manager(parse(["--listen", "127.0.0.1:0", "--redis", redis_server.url, "--worker", worker]))
    running = asyncio.create_task(manager.run())
    try:
        listening = asyncio.Event()
        asyncio.get_running_loop().call_soon(listening.set)
        await listening.wait()
        async with AsyncClient(manager._address) as connected:
            await bounded(connected.queue.set_mode(loop=True))
            yield connected
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_request_that_can_not_be_stored_fails_and_the_next_one_is_served_by_a_new_term(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode_mode(mode: QueueMode) -> object:
        monkeypatch.undo()
        raise ZeroDivisionError(mode)

    before = await client.status()
    monkeypatch.setattr(codec, "encode_mode", encode_mode)
    with pytest.raises(ServerFault) as caught:
        await client.queue.set_mode(ignore_failures=True)
    assert caught.value.reason == "INTERNAL"
    mode = await client.queue.set_mode(loop=False)
    assert (mode.loop, mode.ignore_failures) == (False, False)
    after = await client.status()
    assert (after.epoch > before.epoch, after.revision) == (True, before.revision + 1)


async def test_a_change_that_can_not_be_told_is_answered_and_told_by_the_next_term(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act_on(_term: Term, _event: object) -> None:
        monkeypatch.undo()
        raise ZeroDivisionError

    async with client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        monkeypatch.setattr(Term, "_act_on", act_on)
        assert (await client.queue.set_mode(ignore_failures=True)).ignore_failures
        told = await first(watch, lambda event: isinstance(event, QueueModeChanged))
        assert isinstance(told, QueueModeChanged)
        assert told.mode.ignore_failures
