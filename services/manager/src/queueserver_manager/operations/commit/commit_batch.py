"""What goes into one commit of the ledger, and how it is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from queueserver_long_work.time_slice import TimeSlice
from queueserver_long_work.work import Work

from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.record import Record, Undo
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.store.port import Entry

T = TypeVar("T")
#: From the record to what is to change; in steps where that takes long.
Decide = Callable[[Record], Decision[T] | Work[Decision[T]]]


@dataclass(frozen=True, slots=True)
class Committed(Generic[T]):
    """Result of a decision, the revision at which it stands in the store, and the answer to the client.

    The result is None for a request that was answered before; then only the answer counts.
    """

    result: T
    revision: int
    answer: bytes = b""


@dataclass(slots=True)
class PendingDecision:
    """A decision that waits for its turn."""

    decide: Decide[Any]
    reply: ReplySpec[Any]
    answer: asyncio.Future[Committed[Any]]


@dataclass(slots=True)
class CommitBatch:
    """What goes into one commit, and who is to be answered after it."""

    entries: list[Entry] = field(default_factory=list)
    taken: list[tuple[asyncio.Future[Committed[Any]], Committed[Any]]] = field(default_factory=list)
    #: Whom, why, and whether a change of this commit, which may be taken back, can be the reason.
    refused: list[tuple[asyncio.Future[Committed[Any]], Exception, bool]] = field(default_factory=list)
    undos: list[Undo] = field(default_factory=list)
    #: Bytes of what is written, about.
    size: int = 0


async def take_back(undos: list[Undo]) -> None:
    """Take changes back in turns; all of them, also if whoever waits for it is cancelled meanwhile."""
    time_slice = TimeSlice()
    try:
        while undos:
            undos.pop()()
            await time_slice.yield_if_due()
    finally:
        while undos:
            undos.pop()()
