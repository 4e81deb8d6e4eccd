"""Listings of the queue in pages that all show the same moment.

The first page stores the whole order if there is to be a second one; the newest few listings are kept, and only while
not too much has been taken out of the queue since, because it stays in memory for them alone. A listing no longer
kept gets PageTokenExpired, and the client starts again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from queueserver_long_work.time_slice import in_time_slices
from queueserver_long_work.work import Work

from queueserver_manager.domain.limits import MOST_GONE
from queueserver_manager.domain.queue.item import Item, RunningItem
from queueserver_manager.domain.queue.queue import Snapshot
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import PageTokenExpired, PageTokenInvalid
from queueserver_manager.operations.commit.ledger import Ledger

_KEPT_LISTINGS = 16
T = TypeVar("T")
#: How many of the first objects one answer has room for.
Fit = Callable[[Sequence[T]], Work[int]]
# Python refuses to convert numbers of thousands of digits, and none of our tokens has such a long one.
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


def page_token(listing: str, *numbers: int) -> str:
    """A page token of a listing, so that no other listing takes it for its own."""
    return "-".join((listing, *map(str, numbers)))


def numbers_of_token(token: str, listing: str, count: int) -> list[int]:
    """Numbers of which a page token of a listing is made. Raises PageTokenInvalid."""
    of, *parts = token.split("-")
    if (
        of != listing
        or len(parts) != count
        or not all(p.isascii() and p.isdigit() and len(p) <= _LONGEST_NUMBER for p in parts)
    ):
        raise PageTokenInvalid
    return [int(part) for part in parts]


class QueueListings:
    """Pages of the queue."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: OrderedDict[int, Listing] = OrderedDict()

    async def page(self, size: int, token: str, fit: Fit[Item]) -> Page:
        """One page, with as many items as ``fit``. Raises PageTokenInvalid, PageTokenExpired."""
        offset = 0
        if token:
            revision, offset = numbers_of_token(token, "queue", 2)
            kept = self._kept.get(revision)
            if kept is None:
                raise PageTokenExpired
        else:
            kept = await self._ledger.read(self._take)
        items = kept.items.part(offset, offset + size)
        end = offset + await in_time_slices(fit(items))
        if end >= kept.size:
            return Page(kept, items, "")
        self._keep(kept)
        return Page(kept, items[: end - offset], page_token("queue", kept.revision, end))

    def _take(self, record: Record) -> Listing:
        """The queue now."""
        revision = record.revisions.last
        known = self._kept.get(revision)
        if known is not None:
            return known
        return Listing(revision, record.revisions.queue, len(record.queue), record.running, record.queue.snapshot())

    def _keep(self, listing: Listing) -> None:
        """There will be more pages of it."""
        self._kept[listing.revision] = listing
        while len(self._kept) > _KEPT_LISTINGS:
            self._kept.popitem(last=False)

    def queue_changed(self, record: Record) -> None:
        """Something is stored: drop listings since which too much was taken out."""
        while self._kept and next(iter(self._kept.values())).items.holds(record.queue) > MOST_GONE:
            self._kept.popitem(last=False)

    def drop_all(self) -> None:
        """Drop all listings, because no page was requested for long: a listing holds all items of its time."""
        self._kept.clear()
