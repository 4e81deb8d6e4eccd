"""Where clients of a standby are sent when the owner listens on every interface."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from queueserver.manager.v1 import error_details_pb2, queue_items_pb2
from queueserver_client import AsyncClient, ManagerRole

from tests.harness.raw import connect, refused
from tests.harness.redis import RedisProcess
from tests.harness.services import ManagerProcess

ANYWHERE = ("--listen", "0.0.0.0:0", "--insecure-listen")


@contextlib.contextmanager
def manager(redis: RedisProcess, directory: Path, *options: str, instance_id: str) -> Iterator[ManagerProcess]:
    """A Manager that never meets a Worker."""
    process = ManagerProcess(redis.url, f"unix:{directory / 'no-worker'}", *options, instance_id=instance_id)
    try:
        yield process
    finally:
        process.close()


async def test_an_owner_on_every_interface_is_known_by_the_name_of_its_host(
    redis_server: RedisProcess, short_path: Path
) -> None:
    with (
        manager(redis_server, short_path, *ANYWHERE, instance_id="owner") as owner,
        manager(redis_server, short_path, instance_id="standby") as standby,
    ):
        expected = f"{socket.gethostname()}:{owner.address.rpartition(':')[2]}"
        assert owner.address.startswith("0.0.0.0:")
        async with AsyncClient(standby.address) as client:
            status = await client.status()
        assert (status.role, status.owner_address) == (ManagerRole.STANDBY, expected)
        async with AsyncClient(f"127.0.0.1:{owner.address.rpartition(':')[2]}") as client:
            assert (await client.status()).owner_address == expected


async def test_clients_of_a_standby_are_served_at_the_address_that_the_owner_advertises(
    redis_server: RedisProcess, short_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"localhost:{port}"
    options = ("--listen", f"0.0.0.0:{port}", "--insecure-listen", "--advertise-address", address)
    with (
        manager(redis_server, short_path, *options, instance_id="owner"),
        manager(redis_server, short_path, instance_id="standby") as standby,
    ):
        async with connect(standby.address) as stubs:
            refusal = await refused(stubs.queue.ListItems(queue_items_pb2.ListItemsRequest()))
        assert refusal.detail(error_details_pb2.NotOwner).owner_address == address
        async with AsyncClient(standby.address) as client:
            assert (await client.queue.page()).queue_size == 0
