"""What is refused because items of a batch are wrong; see ``errors.py``.

Refused
└── InvalidRequest
    ├── BatchRefused
    └── ItemRepeated
"""

from __future__ import annotations

from dataclasses import dataclass, field

from queueserver_manager.domain.refusals.errors import InvalidRequest, Refused

#: At most this many refused items are reported; the others are counted.
MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """One refused item of a batch: its index in the request and why, as if it had been sent alone."""

    index: int
    error: Refused


@dataclass(slots=True)
class RefusedItems:
    """The refused items of a batch: the first of them, and how many there are."""

    first: list[RefusedItem] = field(default_factory=list)
    count: int = 0

    @property
    def is_full(self) -> bool:
        """Further items are only counted."""
        return len(self.first) >= MOST_TOLD

    def add(self, index: int, error: Refused) -> None:
        """An item is wrong, for a reason that is kept if it is one of the first."""
        self.count += 1
        if not self.is_full:
            self.first.append(RefusedItem(index, error))

    def add_uncounted(self, count: int) -> None:
        """More items are wrong, for reasons that are not reported."""
        self.count += count


class BatchRefused(InvalidRequest):
    """Some items of a batch are wrong, so nothing was changed."""

    def __init__(self, refused: RefusedItems, total: int) -> None:
        first = refused.first[0]
        super().__init__(
            f"{refused.count} of {total} items are wrong and nothing was changed; "
            f"the first one is number {first.index}, counting from 0: {first.error.message}"
        )
        self.items = tuple(refused.first)
        #: How many are wrong.
        self.count = refused.count


class ItemRepeated(InvalidRequest):
    """A batch names an item that it has named before."""
