"""What goes into one commit of the ledger, and how it is undone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from queueserver_long_work.time_slice import TimeSlice
from queueserver_long_work.work import Work

from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.events import Announcement
from queueserver_manager.domain.record import Record, Undo
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.store.port import Entry, OwnershipLost, StoredEvent

T = TypeVar("T")
#: From the record to the changes; in steps where that takes long.
Decide = Callable[[Record], Decision[T] | Work[Decision[T]]]


@dataclass(frozen=True, slots=True)
class Committed(Generic[T]):
    """Result of a decision, the revision at which it is stored, and the response to the client.

    The result is None for a request that was answered before; then only the response counts.
    """

    result: T
    revision: int
    answer: bytes = b""


@dataclass(slots=True)
class PendingDecision:
    """A decision that waits to be committed."""

    decide: Decide[Any]
    reply: ReplySpec[Any]
    answer: asyncio.Future[Committed[Any]]


@dataclass(slots=True)
class CommitBatch:
    """What goes into one commit, and the callers that get a response after it."""

    entries: list[Entry] = field(default_factory=list)
    taken: list[tuple[asyncio.Future[Committed[Any]], Committed[Any]]] = field(default_factory=list)
    #: The caller, the reason, and whether a change of this commit, which may be undone, can be the reason.
    refused: list[tuple[asyncio.Future[Committed[Any]], Exception, bool]] = field(default_factory=list)
    undos: list[Undo] = field(default_factory=list)
    #: Approximate bytes of what is written.
    size: int = 0

    def answer(self, failure: BaseException | None) -> None:
        """Tell each caller what became of its request, or why the commit failed."""
        for answer, error, depends in self.refused:
            refuse(answer, failure if failure is not None and depends else error)
        for answer, committed in self.taken:
            if failure is not None:
                refuse(answer, failure)
            elif not answer.done():
                answer.set_result(committed)


def sent_of(stored: Sequence[StoredEvent], sent: Iterable[Entry]) -> list[Announcement]:
    """Which announcements of those that were sent are stored. Raises OwnershipLost if any other event is."""
    known = {
        (one.revision, one.place, wire): one
        for entry in sent
        for one in entry.announcements
        for wire in one.encoded.values()
    }
    try:
        return [known[event.revision, event.place, event.wire] for event in stored]
    except KeyError:
        # Another Manager was the owner meanwhile, or a person changed something by hand.
        raise OwnershipLost from None


def caller_may_have_left(answer: asyncio.Future[Committed[Any]]) -> None:
    """A refusal whose caller has left is no error that asyncio should report."""
    if not answer.cancelled():
        answer.exception()


def refuse(answer: asyncio.Future[Any], error: BaseException) -> None:
    """Let a caller have an error; it may have left."""
    if isinstance(error, asyncio.CancelledError):
        answer.cancel()
    elif not answer.done():
        # A future takes no StopIteration, and a defect may well be one.
        answer.set_exception(RuntimeError(repr(error)) if isinstance(error, StopIteration) else error)


async def take_back(undos: list[Undo]) -> None:
    """Undo changes in time slices; all of them, even if the waiting caller is cancelled meanwhile."""
    time_slice = TimeSlice()
    try:
        while undos:
            undos.pop()()
            await time_slice.yield_if_due()
    finally:
        while undos:
            undos.pop()()
