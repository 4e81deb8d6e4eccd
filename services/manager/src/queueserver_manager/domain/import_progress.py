"""How far an import of another server's state has come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Import:
    """One import. Times are seconds since the epoch."""

    import_id: str
    #: Where the state comes from, for people.
    source: str
    history_count: int
    item_count: int
    begun: float
    history_done: int = 0
    items_done: int = 0
    #: Entries and items that were not added, because their uids were there.
    known: int = 0
    #: 0 until it is complete.
    completed: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether everything has come."""
        return self.history_done == self.history_count and self.items_done == self.item_count
