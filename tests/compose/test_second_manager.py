"""Two Managers in containers: one is the standby of the other, and a client of both is served by either."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator

import pytest
from queueserver_client import AsyncClient, ManagerRole

from tests.compose.engine import Deployment
from tests.compose.readiness import until_serving
from tests.compose.test_deployment import completed, lasting
from tests.compose.test_startup_code import PAGE, blocks
from tests.harness.progress import begun

#: What is left of a lease, at least, when its owner is killed: it lasts 3 s, and is renewed each second.
_LEAST_LEASE = 2.0


#: What a standby writes that will notice the death of the owner at once.
_CONNECTED = "Standby: connected to the owner at"
_PROBE = ("python", "-m", "queueserver_manager.health_probe", "127.0.0.1:60630")


@pytest.fixture
def both(deployment: Deployment) -> Iterator[Deployment]:
    """The deployment with its second Manager as the standby; it is removed afterwards."""
    deployment.profiles = ["ha"]
    begin = time.time()
    (block,) = (block for block in blocks(PAGE, "sh") if "--profile ha" in block)
    deployment.shell(block)
    try:
        deployment.until_logged("second-manager", _CONNECTED, begin)
        yield deployment
    finally:
        deployment.remove("second-manager")
        deployment.profiles = []


async def longest_gap(client: AsyncClient, done: asyncio.Event) -> float:
    """Ask again and again; returns the longest time, in seconds, between two answers."""
    longest, before = 0.0, time.monotonic()
    while not done.is_set():
        await client.queue.page()
        now = time.monotonic()
        longest, before = max(longest, now - before), now
    return longest


async def test_the_second_manager_takes_over_from_the_first_one_and_back(both: Deployment, client: AsyncClient) -> None:
    del client
    addresses = {"manager": both.address, "second-manager": both.second_address}
    async with AsyncClient(",".join(addresses.values())) as client:
        (handle,) = await begun(client, lasting(15))
        await client.queue.stop()
        for owner, other in (("manager", "second-manager"), ("second-manager", "manager")):
            epoch = (await client.status()).epoch
            done = asyncio.Event()
            asking = asyncio.create_task(longest_gap(client, done))
            await asyncio.to_thread(both.kill, owner)
            await until_serving(addresses[other], "Task")
            done.set()
            gap = await asking
            sys.stderr.write(f"{owner} killed: no answer for {gap:.2f} s\n")
            assert gap < _LEAST_LEASE
            status = await client.status()
            assert (status.role, status.epoch) == (ManagerRole.OWNER, epoch + 1)
            begin = time.time()
            both.start(owner)
            both.until_logged(owner, f"{_CONNECTED} {other}:", begin)
            assert f"standby: the Manager at {addresses[other]}" in both.inside(owner, *_PROBE)
        await completed(client, handle)
