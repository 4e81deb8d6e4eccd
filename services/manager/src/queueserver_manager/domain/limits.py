"""How much is kept: of everything that grows with use, so many and so many bytes, whichever is reached first.

Bytes are those of what is stored, without what Redis and Python add to each piece. docs/reference/memory.md says what a
machine needs at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from queueserver_manager.domain.tasks.tasks import Retention

MIB = 1024 * 1024


class Bound(NamedTuple):
    """At most so many, and so many bytes of them together."""

    number: int
    size: int

    def excess(self, number: int, size: int) -> bool:
        """Whether this is more than may be kept."""
        return number > self.number or size > self.size


#: Bytes of items that left the queue and are held for listings, and for each watcher that is slow to read its snapshot.
MOST_GONE = 64 * MIB
#: Items that clients may put into the queue; beyond it they are refused. What goes back by itself is never refused.
QUEUE = Bound(100_000, 256 * MIB)
#: Entries; the oldest go. The newest stays, however long it is.
HISTORY = Bound(10_000, 128 * MIB)
#: Requests of which it is known that they were carried out, and bytes of answers to them; the oldest go.
ANSWERS = Bound(100_000, 64 * MIB)
#: Changes that watchers who were away can be told of; the oldest go. Those of the newest commit stay.
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
