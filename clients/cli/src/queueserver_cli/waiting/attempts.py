"""The attempts of an item, from the first one that is still known to the last one."""

from __future__ import annotations

from dataclasses import dataclass

from queueserver_client import ExitStatus, ItemNotFound, ItemState, ItemStatus

from queueserver_cli.session import Session

#: Attempts that are looked up on either side.
_MOST = 50


@dataclass(frozen=True)
class Attempts:
    """An item and the attempts before and after it."""

    #: In order; the item itself is among them.
    known: list[ItemStatus]
    #: There were earlier attempts about which nothing is known any more.
    has_earlier: bool = False
    #: There were later attempts that are not listed.
    has_later: bool = False


async def attempts_of(session: Session, item: ItemStatus) -> Attempts:
    """Look up the attempts before an item, and those that replaced it after it failed."""
    known = [item]
    while known[0].item.retry_of_uid and len(known) <= _MOST:
        before = await _look(session, known[0].item.retry_of_uid)
        if before is None:
            break
        known.insert(0, before)
    end = len(known) + _MOST
    while (uid := next_attempt(known[-1])) and len(known) < end:
        after = await _look(session, uid)
        if after is None:
            break
        known.append(after)
    return Attempts(known, bool(known[0].item.retry_of_uid), bool(next_attempt(known[-1])))


def next_attempt(status: ItemStatus) -> str:
    """Uid of the attempt after this one; empty if there is none. The repetition of a loop is not an attempt."""
    entry = status.history_entry
    if entry is None or entry.result.exit_status in {ExitStatus.COMPLETED, ExitStatus.STOPPED}:
        return ""
    return entry.requeued_as_uid


def state_word(status: ItemStatus) -> str:
    """The state of an attempt, in a word: how it ended, if it has ended."""
    entry = status.history_entry
    if status.state is ItemState.FINISHED and entry is not None:
        return str(entry.result.exit_status)
    return str(status.state)


async def _look(session: Session, uid: str) -> ItemStatus | None:
    try:
        return await session.client.queue.get(uid)
    except ItemNotFound:
        return None
