"""Fixtures of the tests of the 0MQ bridge: a server with a bridge, and bare clients of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.services import BridgeProcess
from tests.harness.stack import Stack, running_stack
from tests.zmq_bridge.old_client import OldClient


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("comparison with bluesky-queueserver")
    group.addoption("--calls", type=int, default=2500, help="how many calls are generated (default: %(default)s)")
    group.addoption("--calls-seed", type=int, default=1, help="from which seed (default: %(default)s)")


@pytest.fixture(scope="module")
def server() -> Iterator[Stack]:
    """A server that the tests of a module share."""
    with running_stack() as running:
        yield running


@pytest.fixture
def bridge(server: Stack) -> Iterator[BridgeProcess]:
    """A bridge of its own for one test."""
    process = BridgeProcess(server.address)
    try:
        yield process
    finally:
        process.close()


@pytest.fixture
def client(bridge: BridgeProcess) -> Iterator[OldClient]:
    """A bare client of the bridge."""
    with OldClient(bridge.address) as opened:
        yield opened
