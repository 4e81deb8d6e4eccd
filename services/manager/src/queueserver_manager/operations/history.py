"""List and clear the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from queueserver_long_work.time_slice import in_time_slices

from queueserver_manager.domain.queue.item import HistoryEntry
from queueserver_manager.domain.queue.queue_edits import clear_history
from queueserver_manager.domain.record import Record
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.pages.listing import Fit, numbers_of_token, page_token


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Part of the history; ``next_token`` is empty on the last one."""

    entries: Sequence[HistoryEntry]
    next_token: str
    size: int
    revision: int
    history_revision: int


class HistoryOperations:
    """What clients may do with the history."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def page(self, size: int, token: str, fit: Fit[HistoryEntry], *, newest_first: bool) -> HistoryPage:
        """One page with as many entries as ``fit``. It begins at the entry whose number is the token.

        Raises PageTokenInvalid.
        """
        listing = "newest" if newest_first else "history"
        place = numbers_of_token(token, listing, 1)[0] if token else None

        def look(record: Record) -> HistoryPage:
            history = record.history
            if newest_first:
                end = history.next_number if place is None else min(place + 1, history.next_number)
                start = max(history.first_number, end - size)
                entries = history.slice(start, end - start)[::-1]
                next_token = page_token(listing, start - 1) if start > history.first_number else ""
            else:
                start = max(history.first_number, place or 0)
                entries = history.slice(start, size)
                next_token = page_token(listing, start + size) if start + size < history.next_number else ""
            revisions = record.revisions
            return HistoryPage(entries, next_token, len(history), revisions.last, revisions.history)

        page = await self._ledger.read(look)
        count = await in_time_slices(fit(page.entries))
        if count == len(page.entries):
            return page
        return replace(page, entries=page.entries[:count], next_token=page_token(listing, page.entries[count].number))

    async def clear(self, reply: ReplySpec[int], *, keep_newest: int, up_to_item: str | None) -> bytes:
        """Remove old entries; the result is how many. Raises FieldInvalid, ItemNotFound."""
        committed = await self._ledger.submit(
            lambda record: clear_history(record, keep_newest=keep_newest, up_to_item=up_to_item), reply
        )
        return committed.answer
