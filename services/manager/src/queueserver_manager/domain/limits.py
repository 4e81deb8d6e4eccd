"""How much is kept: everything that grows with use has a bound in number and in bytes, whichever is reached first.

Bytes are those of what is stored, without what Redis and Python add to each piece. docs/reference/memory.md says what a
machine needs at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from queueserver_manager.domain.tasks.tasks import Retention

MIB = 1024 * 1024


class Bound(NamedTuple):
    """At most this many, and this many bytes of them together."""

    number: int
    size: int

    def excess(self, number: int, size: int) -> bool:
        """Whether this is more than may be kept."""
        return number > self.number or size > self.size


#: Bytes of items that left the queue and are held for listings, and for each watcher that is slow to read its snapshot.
MOST_GONE = 64 * MIB
#: Items that clients may put into the queue; more are refused. Items that return by themselves are never refused.
QUEUE = Bound(100_000, 256 * MIB)
#: Entries; the oldest are removed. The newest stays, however long it is.
HISTORY = Bound(10_000, 128 * MIB)
#: Requests known to have been carried out, and bytes of their responses; the oldest are removed.
ANSWERS = Bound(100_000, 64 * MIB)
#: Changes kept for watchers that were away; the oldest are removed. Those of the newest commit stay.
LOG = Bound(100_000, 64 * MIB)


@dataclass(frozen=True, slots=True)
class Limits:
    """Everything that is bounded in the record and in its store."""

    queue: Bound = QUEUE
    history: Bound = HISTORY
    answers: Bound = ANSWERS
    log: Bound = LOG
    #: Results of tasks.
    tasks: Retention = field(default_factory=Retention)


def in_words(size: int) -> str:
    """Bytes as people write them: "256 MiB"."""
    words, unit = f"{size} bytes", 1
    for name in ("KiB", "MiB", "GiB"):
        unit *= 1024
        if size >= unit:
            words = f"{size / unit:.4g} {name}"
    return words
