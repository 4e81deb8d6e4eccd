"""Fixtures of the tests of bounds: a server that holds as much as it may."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from queueserver_client import AsyncClient

from tests.bounds.full_server import Server, full_server
from tests.harness.raw import Stubs, connect


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests, which leave it open and without a running plan."""
    with full_server() as running:
        yield running


@pytest.fixture
async def raw(server: Server) -> AsyncIterator[Stubs]:
    """Generated stubs of the server."""
    async with connect(server.address) as stubs:
        yield stubs


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncClient]:
    """A client of the server."""
    async with AsyncClient(server.address) as connected:
        yield connected
