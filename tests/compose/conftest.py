"""One deployment for all tests of this folder, each of which finds it running, with an empty queue and history."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest
from queueserver_client import AsyncClient

from tests.compose.engine import Deployment, missing
from tests.compose.readiness import until_serving


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Put the log of the containers beside a failure."""
    report = yield
    found = getattr(item, "funcargs", {}).get("deployment")
    if report.failed and isinstance(found, Deployment):
        report.sections.append(("log of the containers", found.log()))
    return report


@pytest.fixture(scope="session")
def deployment() -> Iterator[Deployment]:
    """The images, built from the present sources, and their containers; everything is removed afterwards."""
    why = missing()
    if why is not None:
        pytest.skip(f"there is no container engine: {why}")
    found = Deployment(f"queueserver-test-{os.getpid()}")
    found.compose("build")
    found.compose("--profile", "client", "build", "qserver")
    try:
        found.up()
        yield found
    finally:
        found.down(volumes=True)


@pytest.fixture
async def client(deployment: Deployment) -> AsyncIterator[AsyncClient]:
    """A client of the deployment, which is idle, with an open environment."""
    await until_serving(deployment.address, "Task")
    async with AsyncClient(deployment.address) as connected:
        if not (await connected.status()).environment_exists:
            await connected.environment.open()
        await connected.queue.clear()
        await connected.history.clear()
        yield connected
