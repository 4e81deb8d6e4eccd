from __future__ import annotations

import json

import redis
from queueserver_client import AsyncClient, Plan
from queueserver_manager.store.keys import Keys

from tests.harness.stack import Stack

KEYS = Keys("qs")


def stored_queue(stack: Stack) -> list[tuple[str, dict[str, object]]]:
    """The queue as Redis has it: uid and content, front first."""
    with redis.Redis(unix_socket_path=str(stack.redis_socket)) as connection:
        uids = connection.zrange(KEYS.order, 0, -1)
        contents = connection.hmget(KEYS.items, uids) if uids else []
    return [(uid.decode(), json.loads(content)) for uid, content in zip(uids, contents, strict=True)]


async def test_a_batch_of_1000_is_in_redis_before_the_reply_and_survives_a_kill_of_the_manager_right_after(
    shared_stack: Stack, shared_client: AsyncClient
) -> None:
    handles = await shared_client.queue.add_batch([Plan("one_run", f"number {number}") for number in range(1000)])
    written = len(shared_stack.supervisor.output.lines())
    shared_stack.kill("manager")
    stored = stored_queue(shared_stack)
    uids = [handle.uid for handle in handles]
    assert len(set(uids)) == 1000
    assert [uid for uid, _ in stored] == uids
    assert [content["args"] for _, content in stored] == [[f"number {number}"] for number in range(1000)]
    shared_stack.supervisor.output.wait_for("Manager runs again", after=written)
    listed = [item async for item in shared_client.queue.list()]
    assert [item.uid for item in listed] == uids
    assert [item.args for item in listed] == [[f"number {number}"] for number in range(1000)]


async def test_every_kind_of_edit_is_in_redis_before_its_reply(shared_stack: Stack, shared_client: AsyncClient) -> None:
    first, second, third = await shared_client.queue.add_batch([Plan("one_run", label) for label in "abc"])
    assert [uid for uid, _ in stored_queue(shared_stack)] == [first.uid, second.uid, third.uid]
    fourth = await shared_client.queue.add(Plan("one_run", "d"), position=1)
    assert [uid for uid, _ in stored_queue(shared_stack)] == [first.uid, fourth.uid, second.uid, third.uid]
    await shared_client.queue.move(third.uid, "front")
    assert [uid for uid, _ in stored_queue(shared_stack)] == [third.uid, first.uid, fourth.uid, second.uid]
    await shared_client.queue.remove(first.uid)
    assert [uid for uid, _ in stored_queue(shared_stack)] == [third.uid, fourth.uid, second.uid]
    await shared_client.queue.clear()
    assert stored_queue(shared_stack) == []


async def test_edits_survive_a_power_failure(shared_stack: Stack, shared_client: AsyncClient) -> None:
    handles = await shared_client.queue.add_batch([Plan("one_run", label) for label in "abcd"])
    await shared_client.queue.move(0, "back")
    await shared_client.queue.remove(1)
    shared_stack.kill_all()
    shared_stack.start()
    async with AsyncClient(shared_stack.address) as newcomer:
        listed = [item.uid async for item in newcomer.queue.list()]
    assert listed == [handles[1].uid, handles[3].uid, handles[0].uid]
