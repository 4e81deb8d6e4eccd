"""One pair of servers for all comparisons of a run: each test brings them into the state that it wants, and back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.zmq_bridge.differential.differences import explanation
from tests.zmq_bridge.differential.pair import Pair
from tests.zmq_bridge.differential.servers import bridge_server, real_server
from tests.zmq_bridge.differential.states import bring_back, do

_PAIR = pytest.StashKey[Pair]()
_SEED = pytest.StashKey[int]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many calls were compared, which differences of the table were met, and the seed."""
    pair = config.stash.get(_PAIR, None)
    if pair is not None:
        terminalreporter.section("comparison with bluesky-queueserver")
        terminalreporter.line(f"{pair.calls} calls; --calls-seed {config.stash.get(_SEED, '(none)')}")
        for name, count in sorted(pair.met.items()):
            terminalreporter.line(f"{count:6} {name}")


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Both, and their environments were open once, so that plans are known."""
    with real_server() as real, bridge_server() as ours:
        pair = Pair(real, ours, explanation)
        pair.ask("status")
        do(pair, "environment_open")
        request.config.stash[_PAIR] = pair
        yield pair


@pytest.fixture(scope="session")
def calls(request: pytest.FixtureRequest) -> int:
    """How many calls are generated."""
    return int(request.config.getoption("--calls"))


@pytest.fixture(scope="session")
def calls_seed(request: pytest.FixtureRequest) -> int:
    """From which seed; the end of the test run tells it."""
    chosen = request.config.stash[_SEED] = int(request.config.getoption("--calls-seed"))
    return chosen


@pytest.fixture
def pair(servers: Pair) -> Iterator[Pair]:
    """Both idle, with nothing in queue and history. Whatever differs and is not in the table fails the test."""
    servers.faults.clear()
    bring_back(servers)
    yield servers
    found = list(servers.faults)
    bring_back(servers)
    assert not found, "\n".join(["what differs and is not in the table:", *found[:20]])
