"""Fixtures of all tests: running stacks, clients of them, and what a failed test should show of them."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from queueserver_client import AsyncClient, Client

from tests.harness.parts import Parts
from tests.harness.redis import RedisProcess
from tests.harness.stack import Stack, running_stack, short_directory

# How fast a shared machine is at the moment is not what property tests are about, whether or not it says that it is CI.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# `make unit` tries fewer examples: it is for the time between two edits; `make test` tries them all.
settings.register_profile("quick", settings.get_profile("patient"), max_examples=5)
settings.load_profile("patient")
# A shell without job control starts what it runs in the background with SIGINT ignored, and every process of the tests
# would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# One server on this machine at a time can have the usual addresses of a 0MQ bridge, and few tests need a bridge.
os.environ.setdefault("QSERVER_ZMQ_BRIDGE", "OFF")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Put the log of the stacks that a failed test used beside its failure."""
    report = yield
    if report.failed:
        used = getattr(item, "funcargs", {}).values()
        stacks = {id(value): value for value in used if isinstance(value, (Stack, Parts))}
        report.sections += [("log of the stack", stack.log()) for stack in stacks.values()]
    return report


#: Python 3.12 keeps some hundred objects of its own out of the collector's sight, the other versions none.
SET_ASIDE_BY_PYTHON = gc.get_freeze_count()


@pytest.fixture(autouse=True)
def collector_left_alone() -> Iterator[None]:
    """What a test does to the garbage collector ends with it: other tests of its process count on the collector."""
    before = gc.isenabled(), gc.get_threshold()
    yield
    assert (gc.isenabled(), gc.get_threshold()) == before
    assert gc.get_freeze_count() <= SET_ASIDE_BY_PYTHON


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A temporary directory for sockets: short enough for the kernel."""
    with short_directory() as directory:
        yield directory


@pytest.fixture
def redis_server(short_path: Path) -> Iterator[RedisProcess]:
    """A Redis of its own for one test."""
    redis = RedisProcess(short_path)
    try:
        yield redis
    finally:
        redis.close()


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A stack of its own for one test: it may be killed and restarted."""
    with running_stack() as running:
        yield running


@pytest.fixture
def open_stack(stack: Stack) -> Stack:
    """The stack of ``stack``, with its environment open."""
    with Client(stack.address) as client:
        client.environment.open()
    return stack


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[AsyncClient]:
    """A client of ``stack``."""
    async with AsyncClient(stack.address) as connected:
        yield connected


@pytest.fixture(scope="module")
def shared_stack() -> Iterator[Stack]:
    """A stack with an open environment for all tests of a module: they must leave it running and open."""
    with running_stack() as running:
        with Client(running.address) as connected:
            connected.environment.open()
        yield running


@pytest.fixture
async def shared_client(shared_stack: Stack) -> AsyncIterator[AsyncClient]:
    """A client of ``shared_stack``, whose queue and history are empty when the test begins."""
    async with AsyncClient(shared_stack.address) as connected:
        await connected.queue.clear()
        await connected.history.clear()
        yield connected
