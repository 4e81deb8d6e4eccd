"""A Manager with a defect: one request may fail, and the next term begins from what is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from queueserver_client import AsyncClient, EventKind, QueueModeChanged, ServerFault
from queueserver_manager.domain.queue.mode import QueueMode
from queueserver_manager.operations.ownership_term import OwnershipTerm
from queueserver_manager.store.codecs import codec

from tests.harness.redis import RedisProcess
from tests.harness.wait import first
from tests.integration.manager.manager_here import manager_here


@pytest.fixture
async def client(redis_server: RedisProcess, short_path: Path) -> AsyncIterator[AsyncClient]:
    async with manager_here(redis_server, short_path) as connected:
        yield connected


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
    def act_on(_term: OwnershipTerm, _event: object) -> None:
        monkeypatch.undo()
        raise ZeroDivisionError

    async with client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        monkeypatch.setattr(OwnershipTerm, "_act_on", act_on)
        assert (await client.queue.set_mode(ignore_failures=True)).ignore_failures
        told = await first(watch, lambda event: isinstance(event, QueueModeChanged))
        assert isinstance(told, QueueModeChanged)
        assert told.mode.ignore_failures
