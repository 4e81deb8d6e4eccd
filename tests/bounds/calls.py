"""Send a long request, beside a plan or alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
from queueserver.manager.v1 import queue_items_pb2 as q
from queueserver_client import AsyncClient, ManagerState, Plan, RunEngineState

from tests.bounds import locks
from tests.bounds.full_server import Server
from tests.bounds.methods import METHODS, Method
from tests.bounds.requests import LONGEST, Long, typical
from tests.harness.progress import until, until_state
from tests.harness.raw import Stubs


def longest_requests() -> Iterator[tuple[str, Method, Long]]:
    """Every long request, with a name for it."""
    for method in METHODS:
        for long in LONGEST.get(str(method), ()):
            yield f"{method}-{long.label}" if long.label else str(method), method, long


async def carry_out(stubs: Stubs, method: Method, data: bytes) -> str:
    """Send a request and read everything that comes at once; returns "OK" or the code and details of the refusal."""
    channel: Any = stubs.channel
    try:
        if not method.is_stream:
            await channel.unary_unary(method.path)(data)
            return "OK"
        stream = channel.unary_stream(method.path)(data)
        async for answer in stream:
            if "Watch" not in method.name or method.response.FromString(answer).resume_token:
                break
        stream.cancel()
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name}: {error.details()}"
    finally:
        if method.path.startswith("/queueserver.manager.v1.LockService/"):
            await locks.release(stubs)
    return "OK"


async def prepared(stubs: Stubs, long: Long) -> bytes:
    """The request, serialized, when everything is as it has to be."""
    if long.queue is not None:
        await _queue_of(stubs, long.queue)
    data: bytes = (await long.make(stubs)).SerializeToString()
    return data


async def begin_plan(server: Server, client: AsyncClient) -> None:
    """Let a plan run that waits until it is ended."""
    await until_state(client, ManagerState.IDLE)
    await client.queue.execute(Plan("gated_run", server.gate.path))
    await until(client, lambda status: status.environment.run_engine_state is RunEngineState.RUNNING)


async def _queue_of(stubs: Stubs, size: int) -> None:
    listed = await stubs.queue.ListItems(q.ListItemsRequest(page_size=1))
    if listed.queue_size > size:
        await stubs.queue.ClearQueue(q.ClearQueueRequest(all=True))
        listed = await stubs.queue.ListItems(q.ListItemsRequest(page_size=1))
    missing = size - listed.queue_size
    while missing:
        part = min(missing, 50_000)
        await stubs.queue.AddItems(q.AddItemsRequest(items=[typical()] * part))
        missing -= part
