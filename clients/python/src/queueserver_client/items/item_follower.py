"""The life of one item, from its state now to its end, over broken connections and restarts of the Manager.

Guarantee: each state that the server reports is yielded once, in order, and the last one is final. States that an
item passes through while the connection is away are not reported; its end always is, as long as the history has it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from queueserver.manager.v1 import queue_items_pb2 as pb

from queueserver_client.connection.connection import Connection
from queueserver_client.connection.reconnect_policy import ReconnectPolicy
from queueserver_client.errors import QueueServerError
from queueserver_client.models.item_status import ItemState, ItemStatus


async def follow_item(connection: Connection, uid: str, reconnect_timeout: float) -> AsyncGenerator[ItemStatus, None]:
    """The state of an item, now and at each change, until the final one.

    Raises:
        ItemNotFound: it is not there, or was removed while the connection was away.
        ServiceUnavailable: the server stayed away for longer than ``reconnect_timeout`` seconds.
    """
    request = pb.WaitItemRequest(item_uid=uid)
    reconnect_policy = ReconnectPolicy(connection, reconnect_timeout)
    last: ItemStatus | None = None
    while True:
        error: QueueServerError
        try:
            await reconnect_policy.ready()
            # No limit on silence: a plan may run for days, and keepalive detects a dead connection.
            stream = connection.stream(connection.stubs.queue.WaitItem, request, timeout=None, silence=None)
            async with aclosing(stream) as answers:
                async for answer in answers:
                    reconnect_policy.alive()
                    status = ItemStatus.from_proto(answer)
                    if last is None or replace(status, revision=last.revision) != last:
                        last = status
                        yield status
                    if status.is_over:
                        return
            if last is not None and last.state is ItemState.UNSPECIFIED:
                return  # it ended in a state that only a newer server knows
            error = connection.broken(f"{connection.address} ended the stream.")
        except QueueServerError as failure:
            error = failure
        reconnect_policy.accept(error)
        await reconnect_policy.pause(error.retry_after)
