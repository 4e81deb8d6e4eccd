"""A replica that leaves may have become the primary: until that is out of the question, no change counts as stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from queueserver_manager.store import replicas
from queueserver_manager.store.port import StoreDown

from tests.harness.redis_group import Server, synced
from tests.integration.manager.store.owner import owner

PREFIX = "qs"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Group:
    """A primary and two replicas, without anybody who replaces it."""

    def __init__(self, directory: Path) -> None:
        self.primary = Server(directory)
        self._joined = 0
        self.url = f"redis://127.0.0.1:{self.primary.port}"
        self.replicas = [self.replica(directory), self.replica(directory)]

    def replica(self, directory: Path) -> Server:
        """One more, which has the data of the primary."""
        server = Server(directory, "--replicaof", "127.0.0.1", str(self.primary.port))
        synced(server)
        with self.primary.connect() as primary:
            # The primary counts it when it has heard that it is synced.
            primary.set("joined", server.port)
            self._joined += 1
            assert primary.wait(self._joined, 4_000) == self._joined
        return server

    def promote(self, number: int) -> None:
        """Do to a replica what Sentinel does first: the other one is told later. Return when the primary knows."""
        with self.replicas[number].connect() as server:
            server.replicaof("NO", "ONE")
        self.primary.process.output.wait_for(f"Connection with replica 127.0.0.1:{self.replicas[number].port} lost")

    def close(self) -> None:
        """End all of them."""
        for server in (*self.replicas, self.primary):
            server.process.close()


@pytest.fixture
def group(short_path: Path) -> Iterator[Group]:
    started = Group(short_path)
    try:
        yield started
    finally:
        started.close()


async def test_a_change_is_not_acknowledged_by_an_old_primary_that_one_replica_still_follows(group: Group) -> None:
    async with owner(group.url, PREFIX, replicas=1) as owning:
        await owning.put("a")
        group.promote(0)
        with pytest.raises(StoreDown, match="1 of 2 replicas have confirmed a change") as caught:
            await owning.put("b")
        assert not caught.value.fate_known
        with pytest.raises(StoreDown, match="1 of 2 replicas have confirmed a change"):
            await owning.store.load()


async def test_an_owner_whose_term_begins_then_waits_too(group: Group) -> None:
    async with owner(group.url, PREFIX, replicas=1) as owning:
        await owning.put("a")
    group.promote(1)
    with pytest.raises(StoreDown, match="1 of 2 replicas have confirmed a change"):
        async with owner(group.url, PREFIX, replicas=1):
            pass


async def test_a_replica_that_left_long_ago_is_not_waited_for(group: Group) -> None:
    clock = Clock()
    async with owner(group.url, PREFIX, replicas=1, now=clock) as owning:
        await owning.put("a")
        # Nothing was changed for a while, so the owner can't know when the replica left.
        clock.seconds += 2 * replicas.LEFT_SECONDS
        group.promote(0)
        with pytest.raises(StoreDown, match="1 of 2 replicas have confirmed a change"):
            await owning.put("b")
        clock.seconds += replicas.LEFT_SECONDS + 1
        owning.record = await owning.store.load()
        await owning.put("c")
        assert [item.uid for item in owning.record.queue] == ["a", "b", "c"]


async def test_a_replica_that_joins_has_to_confirm_from_then_on(group: Group, short_path: Path) -> None:
    async with owner(group.url, PREFIX, replicas=1) as owning:
        await owning.put("a")
        group.replicas.append(group.replica(short_path))
        await owning.put("b")
        group.promote(2)
        with pytest.raises(StoreDown, match="2 of 3 replicas have confirmed a change"):
            await owning.put("c")
