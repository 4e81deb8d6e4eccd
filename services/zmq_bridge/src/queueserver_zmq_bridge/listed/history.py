"""The whole history, as ``history_get`` answers it.

Guarantees: making it keeps no other client waiting, and entries that were sent before are neither read nor made again.
Bounded: of the entries, so many bytes are kept between two requests.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from queueserver.manager.v1 import history_service_pb2 as pb
from queueserver_long_work.time_slice import TimeSlice

from queueserver_zmq_bridge.answers.items import history_fields

if TYPE_CHECKING:
    from queueserver_zmq_bridge.server import Server
    from queueserver_zmq_bridge.sockets.encoding import Encoding

_PAGE: Final = 1000
MOST_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Entry:
    #: Its number, which is never used again, and the execution, which tells it from that of another server's history.
    number: int
    execution_id: str
    encoded: bytes


class HistoryListing:
    """Reads the history, and keeps it encoded."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        #: The newest entries, the oldest first. The history loses entries at its beginning only.
        self._kept: list[_Entry] = []
        self._reading = asyncio.Lock()

    async def read(self, server: Server) -> dict[str, Any]:
        """The result fields. Raises QueueServerError."""
        async with self._reading:
            older, known = self._kept, self._kept[-1] if self._kept else None
            newer, last, is_known = await self._read_after(server, known)
            entries = [*older, *newer] if is_known else newer
            if len(entries) < last.history_size:  # not all of the older ones were kept
                entries, last, _ = await self._read_after(server, None)
            entries = entries[max(len(entries) - last.history_size, 0) :]
            self._keep(entries)
            items = self._encoding.join_list([entry.encoded for entry in entries])
            return {"items": items, "plan_history_uid": last.plan_history_uid}

    async def _read_after(
        self, server: Server, known: _Entry | None
    ) -> tuple[list[_Entry], pb.ListHistoryResponse, bool]:
        """The entries newer than a known one, or all of them; the last page; whether the known one is there."""
        newest_first: list[_Entry] = []
        time_slice, token = TimeSlice(), ""
        while True:
            request = pb.ListHistoryRequest(page_size=_PAGE, page_token=token, newest_first=True)
            page = await server.read(server.stubs.history.ListHistory, request)
            for entry in page.entries:
                if known and (entry.number, entry.execution_id) == (known.number, known.execution_id):
                    return newest_first[::-1], page, True
                text = self._encoding.encode(history_fields(entry))
                newest_first.append(_Entry(entry.number, entry.execution_id, text))
                await time_slice.yield_if_due()
            token = page.next_page_token
            if not token:
                return newest_first[::-1], page, False

    def _keep(self, entries: list[_Entry]) -> None:
        total, first = 0, len(entries)
        while first > 0 and total + len(entries[first - 1].encoded) <= MOST_BYTES:
            first -= 1
            total += len(entries[first].encoded)
        self._kept = entries[first:]
