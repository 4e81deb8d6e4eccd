"""What comes and goes leaves no more than docs/reference/memory.md says, in Redis and in the Manager."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_items_pb2
from queueserver_client import Client

from tests.e2e.conftest import STARTUP
from tests.harness.parts import Parts
from tests.harness.raw import Stubs, connect
from tests.harness.stack import short_directory

ITEMS, LONG = 10_000, 100 * 1024
#: Several clients edit at the same time; each has one item in the queue at most.
CLIENTS = 4
#: As documented.
MOST_BYTES = 300 * 1000**2


@pytest.fixture
def parts() -> Iterator[Parts]:
    """Redis, Worker and Manager with the sizes that they have when nothing is said."""
    with short_directory() as directory:
        running = Parts(directory, STARTUP)
        try:
            yield running
        finally:
            running.close()


def most_memory_of(pid: int) -> int:
    """Bytes that a process had in memory at most since it began."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    (peak,) = [line for line in lines if line.startswith("VmHWM:")]
    return int(peak.split()[1]) * 1024


async def add_and_remove(raw: Stubs, numbers: range) -> None:
    """One client: each item goes before the next one comes."""
    for number in numbers:
        add = queue_items_pb2.AddItemRequest(item=item_pb2.ItemSpec(name="nothing"), request_id=f"add {number}")
        add.item.meta.fields["text"].string_value = f"{number} " + "x" * LONG
        added = await raw.queue.AddItem(add)
        remove = queue_items_pb2.RemoveItemRequest(request_id=f"remove {number}")
        remove.address.uid = added.item.item_uid
        await raw.queue.RemoveItem(remove)


async def test_ten_thousand_long_items_that_came_and_went_leave_little(parts: Parts) -> None:
    with Client(parts.address) as client:
        client.environment.open()
    async with connect(parts.address) as raw:
        await asyncio.gather(*(add_and_remove(raw, range(one, ITEMS, CLIENTS)) for one in range(CLIENTS)))
    with parts.redis.connect() as store:
        assert store.hlen("{qs}:requests") >= 2 * ITEMS, "each is still known"
    assert most_memory_of(parts.redis.pid) < MOST_BYTES
    assert most_memory_of(parts.manager.process.pid) < MOST_BYTES
    # What was stored is loaded by the next owner, and no more than that.
    parts.kill_manager()
    parts.start_manager()
    assert most_memory_of(parts.manager.process.pid) < MOST_BYTES
    with Client(parts.address) as client:
        assert client.status().items_in_queue == 0
