"""The order of the queue.

Each item has a rank, a whole number; the queue is the items by ascending rank. Ranks have gaps between them, so
that putting an item anywhere writes one rank and not many: the cost of an edit does not grow with the length of
the queue. When a gap is used up, the smallest neighbourhood that has room is spread out again.

Ranks stay within ±2**53, because the store keeps them as floating-point scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from queueserver_long_work.work import Work
from sortedcontainers import SortedList

from queueserver_manager.domain.queue.item import Item


class Ranks(NamedTuple):
    """Ranks for new items, and which items must get another rank first, as (uid, rank), because there was no room."""

    new: list[int]
    moved: Sequence[tuple[str, int]] = ()


#: Distance between neighbours when there is room. Twenty halvings fit between two neighbours.
STEP = 1 << 20


class Snapshot:
    """Items of a queue at one moment, front first; until it is released it holds those that left the queue since."""

    def __init__(self, entries: Sequence[tuple[int, str, Item]], gone: int = 0) -> None:
        """``gone`` is the counter that :class:`Queue` has."""
        self._entries = entries
        self._length = len(entries)
        self._gone = gone

    def __len__(self) -> int:
        return self._length

    def holds(self, queue: Queue) -> int:
        """The most bytes it holds of items that are not in the queue any more."""
        return queue.gone - self._gone

    def release(self) -> None:
        """Release all items."""
        self._entries = ()

    @property
    def is_released(self) -> bool:
        """Whether its items were released."""
        return len(self._entries) < self._length

    def __iter__(self) -> Iterator[Item]:
        return (item for _, _, item in self._entries)

    def part(self, first: int, end: int, size: int | None = None) -> list[Item]:
        """Items from one index up to another one, which may be beyond the end, or as many as reach ``size`` bytes."""
        items: list[Item] = []
        for _, _, item in self._entries[first:end]:
            if size is not None and size <= 0:
                break
            items.append(item)
            size = size - item.size if size is not None else None
        return items


class Queue:
    """Items by rank, addressable by index and by uid in O(log n)."""

    def __init__(self, gone: int = 0) -> None:
        #: Bytes of all items ever taken out or replaced: a snapshot holds at most what this has grown by since.
        self.gone = gone
        # The item is there for snapshots; no two have the same uid, so items are never compared.
        self._order: SortedList[tuple[int, str, Item]] = SortedList()
        self._places: dict[str, tuple[int, Item]] = {}
        #: How many items have problems.
        self.invalid = 0
        #: Bytes of all items as they are stored.
        self.size = 0

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, uid: object) -> bool:
        return uid in self._places

    def __iter__(self) -> Iterator[Item]:
        return (item for _, _, item in self._order)

    def snapshot(self) -> Snapshot:
        """The queue as it is now, whatever happens to it later; cheap even for a long queue."""
        return Snapshot(list(self._order), self.gone)

    def get(self, uid: str) -> Item | None:
        """Item with this uid, if it is in the queue."""
        place = self._places.get(uid)
        return place[1] if place else None

    def at(self, index: int) -> Item:
        """Item at an index from 0. Raises IndexError."""
        item: Item = self._order[index][2]
        return item

    def index_of(self, uid: str) -> int:
        """Index of an item. Raises KeyError."""
        rank, item = self._places[uid]
        index: int = self._order.index((rank, uid, item))
        return index

    def rank_of(self, uid: str) -> int:
        """Rank of an item. Raises KeyError."""
        return self._places[uid][0]

    def put(self, item: Item, rank: int) -> None:
        """Place an item at a rank; if its uid is in the queue, it is moved and replaced."""
        old = self._places.get(item.uid)
        if old is not None:
            self._order.remove((old[0], item.uid, old[1]))
            self._count(old[1], -1)
            self.gone += old[1].size if old[1] is not item else 0
        self._count(item, 1)
        self._places[item.uid] = (rank, item)
        self._order.add((rank, item.uid, item))

    def drop(self, uid: str) -> None:
        """Take an item out. Raises KeyError."""
        rank, item = self._places.pop(uid)
        self._count(item, -1)
        self.gone += item.size
        self._order.remove((rank, uid, item))

    def emptied(self) -> Queue:
        """The empty queue that replaces it when all items are taken out."""
        return Queue(self.gone + self.size)

    def _count(self, item: Item, times: int) -> None:
        self.invalid += times * bool(item.problems)
        self.size += times * item.size

    def release_gradually(self) -> Iterator[None]:
        """Release one item after another, for a queue that is no longer needed: releasing all at once takes a while."""
        self._order.clear()
        while self._places:
            self._places.popitem()
            yield

    def ranks_between(self, index: int, count: int) -> Work[Ranks]:
        """Ranks for ``count`` new items in front of the item now at ``index`` (``len`` means the back)."""
        low = self._order[index - 1][0] if index > 0 else None
        high = self._order[index][0] if index < len(self._order) else None
        if high is None:
            start = (low if low is not None else 0) + STEP
            return Ranks((yield from _spread(start - STEP, start + STEP * count, count)))
        if low is None:
            return Ranks((yield from _spread(high - STEP * (count + 1), high, count)))
        if high - low > count:
            return Ranks((yield from _spread(low, high, count)))
        return (yield from self._make_room(index, count))

    def _make_room(self, index: int, count: int) -> Work[Ranks]:
        """Widen the window around a full gap until all its items fit at a comfortable distance."""
        size = len(self._order)
        width = 8
        while True:
            first, last = max(0, index - width), min(size, index + width)
            low = self._order[first - 1][0] if first > 0 else self._order[0][0] - STEP * (size + count + 1)
            high = self._order[last][0] if last < size else self._order[size - 1][0] + STEP * (size + count + 1)
            members = last - first + count
            if high - low > 16 * members or (first == 0 and last == size):
                break
            width *= 2
        ranks = yield from _spread(low, high, members)
        left = index - first
        moved: list[tuple[str, int]] = []
        around = ranks[:left] + ranks[left + count :]
        for (_, uid, _), rank in zip(self._order.islice(first, last), around, strict=True):
            moved.append((uid, rank))
            yield
        return Ranks(ranks[left : left + count], moved)


def _spread(low: int, high: int, count: int) -> Work[list[int]]:
    """``count`` whole numbers strictly between two others, as even as possible."""
    ranks: list[int] = []
    for i in range(count):
        ranks.append(low + (high - low) * (i + 1) // (count + 1))
        yield
    return ranks
