"""Waiting for the effect of pausing, resuming and ending the running plan."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from queueserver_client import (
    Event,
    EventKind,
    ExitStatus,
    HistoryAdded,
    HistoryEntry,
    ManagerState,
    RunEngineState,
    Snapshot,
    Status,
    StatusChanged,
)

from queueserver_cli.display.evidence import Evidence
from queueserver_cli.outcome import DONE, Answer, ExitCode
from queueserver_cli.session import Session
from queueserver_cli.words.execution_words import again_words, brief, end_words, sentence

_ACTIVE = {ManagerState.STARTING_QUEUE, ManagerState.EXECUTING_QUEUE, ManagerState.PAUSED}
_FOLLOW = "Follow it: qserver watch. What blocks it: qserver why"


@dataclass(frozen=True)
class Aim:
    """The awaited effect."""

    #: Shown while it is awaited: "Waiting until …".
    words: str
    #: Shown when it is reached and the plan still runs.
    reached_words: str
    #: Whether it is reached while the plan still runs.
    is_reached: Callable[[Status], bool]
    #: Ends of the plan that are as good; any end ends the waiting.
    good_ends: frozenset[ExitStatus]
    #: Whether it is a pause that does not wait for a checkpoint.
    pauses_at_once: bool = False


def _is_paused(status: Status) -> bool:
    return status.manager_state is ManagerState.PAUSED


def _is_running(status: Status) -> bool:
    running = status.environment.run_engine_state is RunEngineState.RUNNING
    return running and status.manager_state is ManagerState.EXECUTING_QUEUE


def _never(status: Status) -> bool:
    del status
    return False


_ANY_END = frozenset(ExitStatus)
PAUSED = Aim("the plan is paused", "The plan is paused. Continue it: qserver re resume", _is_paused, frozenset())
PAUSED_AT_ONCE = replace(PAUSED, pauses_at_once=True)
RESUMED = Aim("the plan continues", "The plan continues.", _is_running, _ANY_END)
STOPPED = Aim("the plan has ended", "", _never, frozenset({ExitStatus.STOPPED, ExitStatus.COMPLETED}))
ABORTED = Aim("the plan has ended", "", _never, frozenset({ExitStatus.ABORTED, ExitStatus.COMPLETED}))
HALTED = Aim("the plan has ended", "", _never, frozenset({ExitStatus.HALTED, ExitStatus.COMPLETED}))


async def carry_out(session: Session, request: Callable[[], Awaitable[None]], aim: Aim) -> Answer:
    """Send a request; with ``--wait`` also wait until it has taken effect, or the plan has ended."""
    if not session.wait:
        await request()
        return DONE
    evidence = Evidence(session, pauses_at_once=aim.pauses_at_once)
    kinds = (EventKind.STATUS, EventKind.HISTORY)
    async with session.client.watch(kinds, history_limit=1, on_interruption=evidence.interrupted) as events:
        await anext(events)  # the state before the request
        await request()
        evidence.say(f"Waiting until {aim.words}.")
        ended: HistoryEntry | None = None
        with evidence.while_waiting("The request stays in force.", _FOLLOW):
            async for event in events:
                if isinstance(event, HistoryAdded):
                    ended = event.entry
                status = _status(event)
                if status is None:
                    continue
                if aim.is_reached(status):
                    return Answer({**DONE.body, "msg": aim.reached_words}, {"item_uid": status.running_item_uid})
                if status.manager_state not in _ACTIVE:
                    break
                evidence.take(status)
    return _ended(aim, ended)


def _status(event: Event | Snapshot) -> Status | None:
    return event.status if isinstance(event, (Snapshot, StatusChanged)) else None


def _ended(aim: Aim, entry: HistoryEntry | None) -> Answer:
    if entry is None:
        msg = "No plan is being executed any more. What became of it: qserver history get"
        is_good = bool(aim.good_ends)
        return Answer({"success": is_good, "msg": msg}, {}, "", ExitCode.SUCCESS if is_good else ExitCode.REFUSED)
    is_good = entry.result.exit_status in aim.good_ends
    unwished = "" if aim.good_ends else "The plan was not paused. "
    msg = f"{unwished}{sentence(end_words(entry))}{again_words(entry)}"
    body = {"success": is_good, "msg": msg, "item_uid": entry.item.uid}
    return Answer(body, {"item": brief(entry)}, "", ExitCode.SUCCESS if is_good else ExitCode.REFUSED)
