"""Listings of the queue in pages that all show the same moment.

The first page takes the whole order if there is to be a second one; the newest few listings are kept. A listing
that is no longer kept is answered with PageTokenExpired, and the client begins again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from queueserver_manager.domain.errors import PageTokenExpired, PageTokenInvalid
from queueserver_manager.domain.item import Item, RunningItem
from queueserver_manager.domain.queue import Snapshot
from queueserver_manager.domain.record import Record
from queueserver_manager.operations.ledger import Ledger

_KEPT_LISTINGS = 16
# Python refuses to convert numbers of thousands of digits, and no token of ours has any so long.
_LONGEST_NUMBER = 20


@dataclass(frozen=True, slots=True)
class Listing:
    """The queue at one revision."""

    revision: int
    queue_revision: int
    size: int
    running: RunningItem | None
    items: Snapshot


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a listing; ``next_token`` is empty on the last one."""

    listing: Listing
    items: Sequence[Item]
    next_token: str


def numbers_of_token(token: str, count: int) -> list[int]:
    """Numbers of which a page token is made. Raises PageTokenInvalid."""
    parts = token.split("-")
    if len(parts) != count or not all(p.isascii() and p.isdigit() and len(p) <= _LONGEST_NUMBER for p in parts):
        raise PageTokenInvalid
    return [int(part) for part in parts]


class QueueListings:
    """Pages of the queue."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: OrderedDict[int, Listing] = OrderedDict()

    async def page(self, size: int, token: str) -> Page:
        """One page. Raises PageTokenInvalid, PageTokenExpired."""
        if not token:
            listing = await self._ledger.read(lambda record: self._take(record, size))
            return self._cut(listing, 0, size)
        revision, offset = numbers_of_token(token, 2)
        kept = self._kept.get(revision)
        if kept is None:
            raise PageTokenExpired
        return self._cut(kept, offset, size)

    def _take(self, record: Record, size: int) -> Listing:
        """The queue now: as much of it as one page shows, or all of it if there will be more pages."""
        revision = record.revisions.last
        known = self._kept.get(revision)
        if known is not None:
            return known
        whole = len(record.queue) > size
        listing = Listing(
            revision,
            record.revisions.queue,
            len(record.queue),
            record.running,
            record.queue.snapshot(),
        )
        if whole:
            self._kept[revision] = listing
            while len(self._kept) > _KEPT_LISTINGS:
                self._kept.popitem(last=False)
        return listing

    @staticmethod
    def _cut(listing: Listing, offset: int, size: int) -> Page:
        end = offset + size
        more = end < listing.size
        return Page(listing, listing.items.part(offset, end), f"{listing.revision}-{end}" if more else "")
