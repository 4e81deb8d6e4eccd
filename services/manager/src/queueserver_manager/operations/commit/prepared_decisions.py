"""Decisions that need preparation: checks of an item, a file that is read. A repeated request needs none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from queueserver_manager.operations.commit.commit_batch import Decide
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.reply import ReplySpec

T = TypeVar("T")


async def submit_prepared(ledger: Ledger, reply: ReplySpec[T], prepare: Callable[[], Awaitable[Decide[T]]]) -> bytes:
    """Prepare a decision and submit it; returns the response, the first one if this request was answered before.

    Raises what ``prepare`` and :meth:`Ledger.submit` raise; Locked and RequestIdReused before anything is prepared.
    """
    known = await ledger.recall(reply)
    if known is not None:
        return known
    return (await ledger.submit(await prepare(), reply)).answer
