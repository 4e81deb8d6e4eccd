"""One pair of servers for all comparisons of a run: each test brings them into the state that it wants, and back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.zmq_bridge.differential.differences import explanation
from tests.zmq_bridge.differential.pair import Pair
from tests.zmq_bridge.differential.servers import bridge_server, real_server
from tests.zmq_bridge.differential.states import bring_back, do


@pytest.fixture(scope="session")
def servers() -> Iterator[Pair]:
    """Both, and their environments were open once, so that plans are known."""
    with real_server() as real, bridge_server() as ours:
        pair = Pair(real, ours, explanation)
        pair.ask("status")
        do(pair, "environment_open")
        yield pair


@pytest.fixture
def pair(servers: Pair) -> Iterator[Pair]:
    """Both idle, with nothing in queue and history. Whatever differs and is not in the table fails the test."""
    servers.faults.clear()
    bring_back(servers)
    yield servers
    found = list(servers.faults)
    bring_back(servers)
    assert not found, "\n".join(["what differs and is not in the table:", *found[:20]])
