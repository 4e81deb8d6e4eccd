"""`qserver queue start`: returns when the first item was claimed, or with ``--wait`` when the queue has stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from queueserver_client import EventKind, HistoryEntry, QueueStopReason, Snapshot, Watch

from queueserver_cli.display.evidence import Evidence
from queueserver_cli.outcome import DONE, Answer, ExitCode
from queueserver_cli.session import Session
from queueserver_cli.waiting.queue_progress import WHY, QueueProgress
from queueserver_cli.words.execution_words import brief

_FOLLOW = "Follow it: qserver watch. Stop it after the running plan: qserver queue stop"
#: Plans that did not end well and are named in the text for people.
_SHOWN = 20
_PAGE = 1000


async def start(session: Session) -> Answer:
    """`queue start`."""
    if session.wait:
        return await _start_and_wait(session)
    return Answer(DONE.body, {"item_uid": await session.client.queue.start()})


async def _start_and_wait(session: Session) -> Answer:
    evidence = Evidence(session)
    progress = QueueProgress(evidence)
    async with _watching(session, evidence) as (events, before):
        item_uid = await session.client.queue.start()
        if item_uid is None:
            return await _nothing_executed(session, before)
        with evidence.while_waiting("The queue continues.", _FOLLOW):
            async for event in events:
                progress.take(event)
                if progress.stop_reason is not None:
                    break
            if progress.has_gap:
                last_number = max((entry.number for entry in before.history), default=0)
                progress.executed = await _executed_after(session, last_number)
            left = (await session.client.status()).items_in_queue
    is_well = progress.is_well(left)
    body: dict[str, Any] = {"success": is_well, "msg": progress.words(left)}
    if progress.not_completed:
        body["not_completed"] = [brief(entry) for entry in progress.not_completed[:_SHOWN]]
    details = {
        "item_uid": item_uid,
        "stop_reason": progress.stop_reason.value if progress.stop_reason is not None else None,
        "executed": [brief(entry) for entry in progress.executed],
        "not_completed": [brief(entry) for entry in progress.not_completed],
        "items_in_queue": left,
    }
    return Answer(body, details, "", ExitCode.SUCCESS if is_well else ExitCode.REFUSED)


async def _nothing_executed(session: Session, before: Snapshot) -> Answer:
    """An empty queue, or one that began with an instruction."""
    left = (await session.client.status()).items_in_queue
    was_empty = before.status is None or not before.status.items_in_queue
    reason = QueueStopReason.EMPTY if was_empty else QueueStopReason.INSTRUCTION
    msg = f"{WHY[reason]}: nothing was executed, {left} left in the queue."
    details: dict[str, Any] = {"item_uid": None, "stop_reason": reason.value, "executed": [], "not_completed": []}
    return Answer({"success": True, "msg": msg}, {**details, "items_in_queue": left})


@asynccontextmanager
async def _watching(session: Session, evidence: Evidence) -> AsyncIterator[tuple[Watch, Snapshot]]:
    """What happens from now on, and the state before that, without the queue, which may be long."""
    async with session.client.watch([EventKind.STATUS, EventKind.HISTORY], history_limit=1) as looked:
        snapshot = await anext(looked)
    assert isinstance(snapshot, Snapshot)  # noqa: S101 - a watch without a token begins with one
    kinds = (EventKind.STATUS, EventKind.QUEUE, EventKind.HISTORY)
    events = session.client.watch(kinds, resume_token=looked.resume_token, on_interruption=evidence.interrupted)
    async with aclosing(events):
        yield events, snapshot


async def _executed_after(session: Session, number: int) -> list[HistoryEntry]:
    found: list[HistoryEntry] = []
    async for entry in session.client.history.list(newest_first=True, page_size=_PAGE):
        if entry.number <= number:
            break
        found.append(entry)
    return found[::-1]
