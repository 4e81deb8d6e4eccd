"""The history: what was executed and how it ended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from queueserver.manager.v1 import history_service_pb2 as pb

from queueserver_client import values
from queueserver_client.connection.connection import Connection
from queueserver_client.models.items import HistoryEntry


@dataclass(frozen=True)
class HistoryPage:
    """A part of the history."""

    entries: Sequence[HistoryEntry]
    #: Token of the next page; empty on the last page.
    next_page_token: str
    #: Entries in the whole history.
    history_size: int
    revision: int
    #: Change marker of the history, as in Status.
    plan_history_uid: str


class AsyncHistory:
    """``client.history``. Errors: those of the methods of the same name in HistoryService."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, *, newest_first: bool = False, page_size: int = 0, page_token: str = "") -> HistoryPage:
        """One page of the history, oldest entry first unless requested otherwise."""
        request = pb.ListHistoryRequest(
            page_size=values.size(page_size, "page_size"),
            page_token=values.text(page_token, "page_token"),
            newest_first=newest_first,
        )
        answer = await self._connection.read(self._connection.stubs.history.ListHistory, request)
        return HistoryPage(
            entries=tuple(HistoryEntry.from_proto(entry) for entry in answer.entries),
            next_page_token=answer.next_page_token,
            history_size=answer.history_size,
            revision=answer.revision,
            plan_history_uid=answer.plan_history_uid,
        )

    async def list(self, *, newest_first: bool = False, page_size: int = 1000) -> AsyncIterator[HistoryEntry]:
        """All entries, oldest first unless requested otherwise."""
        token = ""
        while True:
            page = await self.page(newest_first=newest_first, page_size=page_size, page_token=token)
            for entry in page.entries:
                yield entry
            token = page.next_page_token
            if not token:
                return

    async def clear(
        self, *, keep_newest: int | None = None, up_to_uid: str | None = None, expected_revision: int = 0
    ) -> int:
        """Remove entries; returns how many.

        Args:
            keep_newest: Keep this many of the newest entries.
            up_to_uid: Remove the entry of this item and everything older.
            expected_revision: Only if the history has not changed since; otherwise it raises RevisionMismatch.

        Neither of the first two means everything. Raises ItemNotFound if there is no entry of ``up_to_uid``.
        """
        if keep_newest is not None and up_to_uid is not None:
            raise ValueError("Say either keep_newest or up_to_uid, not both.")
        request = pb.ClearHistoryRequest(expected_revision=values.revision(expected_revision, "expected_revision"))
        if keep_newest is not None:
            request.keep_newest = values.index(keep_newest, "keep_newest")
        elif up_to_uid is None:
            request.all = True
        else:
            request.up_to_item_uid = values.text(up_to_uid, "up_to_uid")
        answer = await self._connection.change(self._connection.stubs.history.ClearHistory, request)
        return answer.removed_count
