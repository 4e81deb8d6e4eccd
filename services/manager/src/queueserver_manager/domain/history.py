"""The history: executed items, oldest first, numbered without holes.

Entries are only ever added at the new end and removed from the old one, so an entry is found by its number at
once. It is a working record, not an archive: beyond a number, and beyond a size, the oldest entries are removed.
"""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_manager.domain.limits import Bound
from queueserver_manager.domain.queue.item import HistoryEntry


class History:
    """Executed items by number."""

    def __init__(self, next_number: int = 1) -> None:
        self._entries: list[HistoryEntry] = []
        self._numbers: dict[str, int] = {}
        self._next = next_number
        #: Bytes of all entries as they are stored.
        self.size = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def next_number(self) -> int:
        """Number of the entry that will be added next."""
        return self._next

    @property
    def first_number(self) -> int:
        """Number of the oldest entry, or of the next one if there is none."""
        return self._next - len(self._entries)

    def add(self, entry: HistoryEntry) -> None:
        """Add the next entry. Raises ValueError if its number is not the next one."""
        if entry.number != self._next:
            raise ValueError(f"history entry {entry.number} where {self._next} was due")
        self._entries.append(entry)
        self._numbers[entry.item.uid] = entry.number
        self._next += 1
        self.size += entry.size

    def withdraw(self) -> None:
        """Take back the newest entry, because it could not be stored."""
        entry = self._entries.pop()
        self._numbers.pop(entry.item.uid, None)
        self._next -= 1
        self.size -= entry.size

    def first_within(self, bound: Bound, added: int) -> int:
        """Number of the oldest entry that can stay when one of this many bytes is added."""
        number, size = len(self._entries) + 1, self.size + added
        for entry in self._entries:
            if not bound.excess(number, size):
                return entry.number
            number, size = number - 1, size - entry.size
        return self._next

    def drop_before(self, number: int) -> list[HistoryEntry]:
        """Remove all entries with a lower number and return them."""
        count = max(0, min(number - self.first_number, len(self._entries)))
        dropped = self._entries[:count]
        del self._entries[:count]
        for entry in dropped:
            self._numbers.pop(entry.item.uid, None)
            self.size -= entry.size
        return dropped

    def restore(self, entries: Sequence[HistoryEntry]) -> None:
        """Put dropped entries back at the old end."""
        self._entries[:0] = entries
        self._numbers.update((entry.item.uid, entry.number) for entry in entries)
        self.size += sum(entry.size for entry in entries)

    def slice(self, start_number: int, count: int) -> list[HistoryEntry]:
        """Up to ``count`` entries from a number on."""
        begin = max(0, start_number - self.first_number)
        return self._entries[begin : begin + max(0, count)]

    def newest(self, count: int) -> list[HistoryEntry]:
        """The newest entries, oldest first."""
        return self._entries[max(0, len(self._entries) - count) :]

    def number_of_item(self, uid: str) -> int | None:
        """Number of the entry of an item, if it is there."""
        return self._numbers.get(uid)

    def entry_of_item(self, uid: str) -> HistoryEntry | None:
        """Entry of an item, if it is there."""
        number = self._numbers.get(uid)
        return None if number is None else self._entries[number - self.first_number]
