"""Waiting for the end of one item, with evidence meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import aclosing

from queueserver_client import (
    EventKind,
    ExitStatus,
    ItemState,
    ItemStatus,
    QueueServerError,
    Snapshot,
    StatusChanged,
)

from queueserver_cli.display.evidence import Evidence
from queueserver_cli.outcome import Answer, ExitCode
from queueserver_cli.session import Session
from queueserver_cli.words.event_words import item_words
from queueserver_cli.words.execution_words import again_words, end_words, sentence
from queueserver_cli.words.legacy_json import entry_dict, item_dict


async def wait_for_item(session: Session, uid: str) -> Answer:
    """The result of an item, when it has ended. Raises ItemNotFound."""
    evidence = Evidence(session)
    follow = f"Follow it: qserver item wait {uid}. What happens: qserver watch"
    last: ItemStatus | None = None
    with evidence.while_waiting("The item stays as it is.", follow):
        async with aclosing(session.client.queue.wait(uid)) as states, _showing_status(session, evidence):
            async for status in states:
                words = _state_words(status)
                if words and (last is None or words != _state_words(last)):
                    evidence.say(words)
                last = status
    assert last is not None  # noqa: S101 - an item that is not there raises
    return _answer(last)


def _state_words(status: ItemStatus) -> str:
    call = item_words(status.item)
    if status.index is not None:
        where = "at the front of the queue" if status.index == 0 else f"in the queue at {status.index}"
        why = {ItemState.HELD: ", held", ItemState.INVALID: ", and would fail as things are"}.get(status.state, "")
        return f"{call} waits {where}{why}"
    if status.state is ItemState.RUNNING:
        return f"started: {call}"
    return ""  # a pause is told by the status, the end by the answer


def _answer(last: ItemStatus) -> Answer:
    entry = last.history_entry
    if entry is None:
        how = "taken out of the queue" if last.state is ItemState.REMOVED else "ended without a line in the history"
        msg = f"The item {last.item.uid} was {how}: it was not executed."
        body = {"success": False, "msg": msg, "item": item_dict(last.item), "state": last.state.value}
        return Answer(body, {}, "", ExitCode.REFUSED)
    is_well = entry.result.exit_status is ExitStatus.COMPLETED
    msg = f"{sentence(end_words(entry))}{again_words(entry)}"
    body = {"success": is_well, "msg": msg, "item": entry_dict(entry), "state": last.state.value}
    return Answer(body, {}, "", ExitCode.SUCCESS if is_well else ExitCode.REFUSED)


@contextlib.asynccontextmanager
async def _showing_status(session: Session, evidence: Evidence) -> AsyncIterator[None]:
    """Show meanwhile what keeps the running plan from continuing."""

    async def show() -> None:
        with contextlib.suppress(QueueServerError):  # the caller that waits for the item gets it
            async with session.client.watch([EventKind.STATUS], on_interruption=evidence.interrupted) as events:
                async for event in events:
                    if isinstance(event, (Snapshot, StatusChanged)) and event.status is not None:
                        evidence.take(event.status)

    task = asyncio.create_task(show())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
