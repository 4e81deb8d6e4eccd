"""Managers with a scripted Worker, for the tests of reconciliation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.integration.manager.manager_rig import Rigs


@pytest.fixture(scope="module")
def rigs() -> Iterator[Rigs]:
    """Managers in one event loop for all of them: gRPC goes on for a moment with a loop that it has worked in."""
    loop = asyncio.new_event_loop()
    made = Rigs(loop)
    yield made
    made.close()
    loop.close()
