from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from queueserver_client import AsyncClient

from tests.integration.client.scripted_manager import ScriptedManager


@pytest.fixture
async def manager() -> AsyncIterator[ScriptedManager]:
    scripted = ScriptedManager()
    await scripted.start()
    yield scripted
    await scripted.stop()


@pytest.fixture
async def client(manager: ScriptedManager) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(manager.address, user="jane", user_group="primary", timeout=5.0) as connected:
        yield connected
