"""What is kept is bounded by bytes: of each kind a megabyte here. What had to go is told, and nothing is done twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_execution_pb2, queue_items_pb2
from queueserver_client import AsyncClient, Plan, QueueFull, TaskNotFound

from tests.e2e.conftest import STARTUP, open_and_empty
from tests.harness.parts import Parts
from tests.harness.progress import history, queue, run_to_its_end
from tests.harness.raw import connect, read_refusal, refused
from tests.harness.raw_watch import DURABLE, messages, snapshot
from tests.harness.stack import short_directory
from tests.harness.wait import bounded

KIB, MIB = 1024, 1024 * 1024
SIZES = ("--queue-size", "--history-size", "--kept-answers-size", "--event-log-size", "--task-results-size")
#: Of one item.
LONG = 100 * KIB


@pytest.fixture(scope="module")
def small() -> Iterator[Parts]:
    """Redis, Worker and Manager that keep a megabyte of each kind."""
    with short_directory() as directory:
        running = Parts(directory, STARTUP, *(word for option in SIZES for word in (option, "1")))
        try:
            yield running
        finally:
            print(running.log())  # noqa: T201 - shown when a test fails
            running.close()


@pytest.fixture
async def client(small: Parts) -> AsyncIterator[AsyncClient]:
    """A client of it."""
    async with open_and_empty(small.address) as connected:
        yield connected


def long_plan(name: str = "nothing") -> Plan:
    return Plan(name, meta={"text": "x" * LONG})


def kept(small: Parts, key: str) -> int:
    """Bytes of what is kept under a key, without what Redis adds."""
    with small.redis.connect() as store:
        if key == "{qs}:events":
            entries: Any = store.xrange(key)
            return sum(len(fields[b"e"]) for _, fields in entries)
        values: Any = store.hvals(key)
        return sum(map(len, values))


def adding(number: int) -> queue_items_pb2.AddItemRequest:
    request = queue_items_pb2.AddItemRequest(item=item_pb2.ItemSpec(name="nothing"), request_id=f"add {number}")
    request.item.meta.fields["text"].string_value = "x" * LONG
    return request


async def test_answers_and_events_are_let_go_and_a_repetition_is_told_so_also_after_a_restart(
    small: Parts, client: AsyncClient
) -> None:
    _, begin = await snapshot(small.address)
    async with connect(small.address) as raw:
        answers = []
        for number in range(15):
            answers.append(await raw.queue.AddItem(adding(number)))
            await client.queue.remove(answers[-1].item.item_uid)
        assert kept(small, "{qs}:events") <= MIB
        assert kept(small, "{qs}:requests") <= MIB + 100 * KIB, "beside answers, a few words for each request"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(messages(small.address, DURABLE, begin))
        assert read_refusal(caught.value).reason == "RESUME_TOKEN_EXPIRED"
    small.kill_manager()
    small.start_manager()
    async with connect(small.address) as raw:
        refusal = await refused(raw.queue.AddItem(adding(0)))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "ANSWER_NOT_KEPT")
        assert await raw.queue.AddItem(adding(14)) == answers[14]
        other = adding(0)
        other.item.name = "one_run"
        assert (await refused(raw.queue.AddItem(other))).reason == "REQUEST_ID_REUSED"
    assert not await queue(client)


async def test_a_queue_takes_a_megabyte_of_items_and_says_so(small: Parts, client: AsyncClient) -> None:
    for _ in range(MIB // LONG):
        await client.queue.add(long_plan())
    with pytest.raises(QueueFull, match=r"at most 1 MiB of items and has 100\d KiB: run or remove some"):
        await client.queue.add(long_plan())
    full = await queue(client)
    with pytest.raises(QueueFull):
        await client.queue.add_batch([Plan("nothing"), long_plan()])
    await client.queue.update(full[0].uid, long_plan("one_run"))
    with pytest.raises(QueueFull):
        await client.queue.update(full[0].uid, Plan("nothing", meta={"text": "x" * 2 * LONG}))
    small.kill_manager()
    small.start_manager()
    with pytest.raises(QueueFull):
        await client.queue.add(long_plan())
    await client.queue.remove(full[0].uid)
    await client.queue.add(long_plan())


async def test_the_oldest_entries_of_the_history_go_when_a_new_one_needs_their_room(
    small: Parts, client: AsyncClient
) -> None:
    names = []
    for _ in range(2):
        names += [(await client.queue.add(long_plan())).uid for _ in range(8)]
        await bounded(run_to_its_end(client))
    entries = await history(client)
    assert [entry.item.uid for entry in entries] == names[-len(entries) :]
    assert MIB // LONG - 1 <= len(entries) <= MIB // LONG
    assert kept(small, "{qs}:history") <= MIB
    small.kill_manager()
    small.start_manager()
    await client.queue.add(Plan("nothing"))
    await bounded(run_to_its_end(client))
    assert (await history(client))[-1].item.meta is None
    assert kept(small, "{qs}:history") <= MIB


async def test_the_oldest_results_of_tasks_go(small: Parts, client: AsyncClient) -> None:
    handles = []
    for _ in range(15):
        handles.append(await client.tasks.execute_function("add", "x" * LONG, ""))
        await bounded(handles[-1].result())
    with pytest.raises(TaskNotFound):
        await bounded(handles[0].result())
    await bounded(handles[-1].result())
    assert kept(small, "{qs}:tasks") <= 2 * MIB, "base64, and the one that came last"


async def test_a_slow_repetition_of_a_short_request_gets_its_answer(small: Parts, client: AsyncClient) -> None:
    await client.queue.set_mode(loop=False)
    request = queue_execution_pb2.SetQueueModeRequest(loop=True, request_id="short")
    async with connect(small.address) as raw:
        answer = await raw.queue.SetQueueMode(request)
        for number in range(100, 115):
            added = await raw.queue.AddItem(adding(number))
            await client.queue.remove(added.item.item_uid)
        assert await raw.queue.SetQueueMode(request) == answer
