"""Fixtures of all tests: a running stack, its address, and what a failed test should show of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.redis import RedisProcess
from tests.harness.stack import Stack, running_stack, short_directory

_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A temporary directory for sockets: short enough for the kernel."""
    with short_directory() as directory:
        yield directory


@pytest.fixture
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack of its own for one test: it may be killed and restarted."""
    with running_stack() as running:
        yield running
        if request.node.stash.get(_FAILED, False):
            print(f"--- log of the stack ---\n{running.log()}")  # noqa: T201 - pytest shows it with the failure


@pytest.fixture(scope="module")
def shared_stack() -> Iterator[Stack]:
    """A stack for all tests of a module: they must leave it running and its environment as they found it."""
    with running_stack() as running:
        yield running


@pytest.fixture
def redis_server(short_path: Path) -> Iterator[RedisProcess]:
    """A Redis of its own for one test."""
    redis = RedisProcess(short_path)
    try:
        yield redis
    finally:
        redis.close()
