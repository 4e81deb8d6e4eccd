"""What the Worker had reported before each change of the record: a resuming watcher needs it to get both in order.

Changes are read from the store and the Worker's events from the feed, so their order has to be kept beside both. Of
changes that an owner before us made, it is only known that they came before everything that happens now: whatever the
Worker reports about the time before the first meeting counts as reported before them.
"""

from __future__ import annotations

from bisect import bisect_right

#: The most marks that are kept; each stands for all changes that had nothing new of the Worker between them.
_MAX_MARKS = 100_000


class Chronology:
    """Order of the changes of one term and the events of the Workers that connected in it."""

    def __init__(self, begun_at: int) -> None:
        #: Revision at which the term began.
        self.begun_at = begun_at
        self._revisions: list[int] = []
        self._told: list[tuple[str, int]] = []
        #: The first mark also stands for earlier changes, about which nothing is known any more.
        self._forgot = False

    def met(self, boot_id: str, last_sequence: int) -> None:
        """A Worker connected and had reported this much; only the first one says something about the time before us."""
        if not self._revisions or self._revisions[0] > 0:
            self._revisions.insert(0, 0)
            self._told.insert(0, (boot_id, last_sequence))

    def changed(self, revision: int, boot_id: str, sequence: int) -> None:
        """A change is published, after the events of the Worker up to this one."""
        told = (boot_id, sequence)
        if self._told and self._told[-1] == told:
            return
        self._revisions.append(revision)
        self._told.append(told)
        if len(self._revisions) > _MAX_MARKS:
            # A watcher that asks for older changes gets too much of the Worker before them, never too little.
            del self._revisions[: _MAX_MARKS // 2]
            del self._told[: _MAX_MARKS // 2]
            self._revisions[0], self._forgot = 0, True

    def told_at(self, revision: int) -> tuple[str, int]:
        """The Worker known at a change of this term, and up to which of its events it had reported: never too far."""
        place = bisect_right(self._revisions, revision) - 1
        if place < 0:
            return "", 0
        boot_id, sequence = self._told[place]
        return boot_id, 0 if self._forgot and place == 0 else sequence

    def told_before(self, revision: int, boot_id: str) -> int:
        """Sequence up to which events of this Worker come before a change; 0 if none does."""
        place = bisect_right(self._revisions, revision) - 1
        if place < 0:
            return 0
        known, sequence = self._told[place]
        return sequence if known == boot_id else 0
