"""start-re-manager says that it is ready when plans can be executed, and not before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from queueserver_client import AsyncClient, ManagerRole

from tests.harness.redis import RedisProcess
from tests.harness.stack import Stack, running_stack, short_directory


@pytest.fixture
def redis() -> Iterator[RedisProcess]:
    with short_directory() as directory:
        process = RedisProcess(directory, tcp=True)
        try:
            yield process
        finally:
            process.close()


async def test_it_is_ready_when_the_manager_owns_the_queue_and_has_reached_the_worker(stack: Stack) -> None:
    stack.supervisor.output.wait_for("Ready: clients connect to")
    async with AsyncClient(stack.address) as client:
        status = await client.status()
    assert (status.role, status.worker.value, status.storage.value) == (ManagerRole.OWNER, "up", "up")


def test_it_says_what_is_waited_for_while_redis_takes_no_changes_and_is_ready_afterwards(redis: RedisProcess) -> None:
    with redis.connect() as connection, short_directory() as directory:
        connection.execute_command("CLIENT", "PAUSE", "60000", "WRITE")
        stack = Stack(directory, "--redis-addr", redis.url)
        try:
            process = stack.launch()
            process.output.wait_for("Not ready yet: the Manager has not reached Redis and the Worker.")
            assert "Ready:" not in str(process.output)
            connection.execute_command("CLIENT", "UNPAUSE")
            process.output.wait_for("Ready: clients connect to")
        finally:
            stack.close()


def test_a_second_server_on_the_same_redis_is_a_standby_and_ready_when_the_first_ends(redis: RedisProcess) -> None:
    with running_stack("--redis-addr", redis.url) as first, running_stack("--redis-addr", redis.url) as second:
        output = second.supervisor.output
        output.wait_for(f"Standby on {second.address}: the Manager at {first.address} owns the queue")
        assert "Ready:" not in str(output)
        first.stop()
        output.wait_for(f"Ready: clients connect to {second.address}")
