"""The whole queue, as ``queue_get`` answers it.

Guarantees: it is of one moment. Making it keeps no other client waiting, and what has not changed is not made again: an
unchanged queue is not even read, and of a long queue with one more item, one item is made.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from queueserver.manager.v1 import queue_items_pb2 as pb
from queueserver_long_work.time_slice import TimeSlice

from queueserver_zmq_bridge.answers.items import item_fields, running_item_fields

if TYPE_CHECKING:
    from queueserver_zmq_bridge.server import Server
    from queueserver_zmq_bridge.sockets.encoding import Encoding

_PAGE: Final = 1000
#: A queue with more items than this is first asked whether it has changed.
_SHORT: Final = 100


class QueueListing:
    """Reads the queue, and keeps it encoded."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        #: Each item as it was sent last, by its message: one that was changed has another.
        self._items: dict[bytes, bytes] = {}
        self._fields: dict[str, Any] = {}
        self._reading = asyncio.Lock()

    async def read(self, server: Server) -> dict[str, Any]:
        """The result fields. Raises QueueServerError."""
        async with self._reading:
            page = await _page(server, "", 1 if len(self._items) > _SHORT else _PAGE)
            if page.plan_queue_uid != self._fields.get("plan_queue_uid"):
                self._fields = await self._list(server, page)
            return self._fields

    async def _list(self, server: Server, page: pb.ListItemsResponse) -> dict[str, Any]:
        """The result fields, of when the first page was read."""
        known, made = self._items, dict[bytes, bytes]()
        encoded: list[bytes] = []
        time_slice = TimeSlice()
        while True:
            for item in page.items:
                message = item.SerializeToString()
                text = known.get(message) or self._encoding.encode(item_fields(item))
                made[message] = text
                encoded.append(text)
                await time_slice.yield_if_due()
            if not page.next_page_token:
                break
            page = await _page(server, page.next_page_token, _PAGE)
        self._items = made
        return {
            "items": self._encoding.join_list(encoded),
            "running_item": running_item_fields(page.running_item) if page.HasField("running_item") else {},
            "plan_queue_uid": page.plan_queue_uid,
        }


async def _page(server: Server, token: str, size: int) -> pb.ListItemsResponse:
    return await server.read(server.stubs.queue.ListItems, pb.ListItemsRequest(page_size=size, page_token=token))
