"""The log of what people did and of the results: one line each, with the user.

Stored changes are logged from their events, once, when they are stored; what happens at the Worker is logged by the
command that does it (see `commit/idempotent_commands.py`); the environment's state, from its changes. A failure
is a warning, so that a quiet log has it too. Edits of single items are details; removals are not.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from queueserver_process.log import line_of

from queueserver_manager.domain import events as ev
from queueserver_manager.domain.lifecycle import Environment, EnvironmentState
from queueserver_manager.domain.queue.item import ExitStatus, Item, ItemKind, RunningItem
from queueserver_manager.domain.tasks.tasks import Task, TaskKind
from queueserver_manager.operations.lock.lock_log import lock_sentence

_log = logging.getLogger("queueserver_manager.activity")
_INFO, _DETAIL, _WARNING = logging.INFO, logging.DEBUG, logging.WARNING
#: Listeners that get each line as it is in the log, beside the log itself.
_listeners: list[Callable[[str], None]] = []
_PLAIN_NAME = re.compile(r"[\w.@+-]+")
_MOST_NAMED = 3
#: From an event and its user to the level, the sentence and the extra fields of the JSON form.
_Line = tuple[int, str, Mapping[str, Any]]
_WHY_STOPPED: Mapping[ev.StopReason, str] = {
    ev.StopReason.EMPTY: "it is empty",
    ev.StopReason.REQUESTED: "a stop was requested",
    ev.StopReason.INSTRUCTION: "an instruction in it says so",
    ev.StopReason.FAILURE: "its plan did not succeed",
    ev.StopReason.ENVIRONMENT: "the environment accepts no further plan",
    ev.StopReason.HELD: "the item at its front is held",
    ev.StopReason.PAUSE: "a requested pause came too late to take effect",
}
_ENDED: Mapping[ExitStatus, str] = {
    ExitStatus.COMPLETED: "completed",
    ExitStatus.FAILED: "failed",
    ExitStatus.STOPPED: "was stopped",
    ExitStatus.ABORTED: "was aborted",
    ExitStatus.HALTED: "was halted",
}


def who(user: str) -> str:
    """A person as the subject of a sentence; without one it is the server itself."""
    if not user:
        return "The server"
    return user if _PLAIN_NAME.fullmatch(user) else repr(user)


def tell(level: int, event: str, sentence: str, **fields: Any) -> None:
    """Log a line; the fields are for the JSON form, empty ones are left out.

    Listeners get all lines but details, however little is logged.
    """
    is_logged, has_listeners = _log.isEnabledFor(level), bool(_listeners) and level > _DETAIL
    if not is_logged and not has_listeners:
        return
    kept = {name: value for name, value in fields.items() if value not in ("", None)}
    extra = {"fields": {"event": event, **kept}}
    record = _log.makeRecord(_log.name, level, __file__, 0, "%s", (sentence,), None, extra=extra)
    if is_logged:
        _log.handle(record)
    if has_listeners:
        line = f"{line_of(record)}\n"
        for listener in _listeners:
            listener(line)


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Meanwhile the listener gets each line of the log that is not a detail."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def log_command(user: str, event: str, did: str) -> None:
    """Log what a user did, for example "opened the environment"."""
    tell(_INFO, event, f"{who(user)} {did}", user=user)


class ActivityLog:
    """Logs committed changes and the environment's state. Removals of one request are one line."""

    def __init__(self) -> None:
        self._removed: list[str] = []
        self._removals = 0
        self._of: tuple[int, str] = (0, "")

    def note(self, announcement: ev.Announcement) -> None:
        """Something is stored."""
        event, user = announcement.event, announcement.user
        if isinstance(event, ev.ItemRemoved):
            self._count_removal(event, (announcement.revision, user))
            return
        if isinstance(event, ev.QueueStopped) and event.reason is ev.StopReason.INSTRUCTION:
            self._forget_instruction()
        make = _LINES.get(type(event))
        if make is not None:
            level, sentence, fields = make(event, user)
            tell(level, _snake(type(event).__name__), sentence, **{"user": user, **fields})

    def end(self) -> None:
        """One commit's events are complete."""
        if self._removals:
            user = self._of[1]
            what = _some(self._removed, self._removals)
            tell(
                _INFO,
                "items_removed",
                f"{who(user)} removed {_count(self._removals, 'item')} from the queue: {what}",
                user=user,
                count=self._removals,
            )
        self._removals, self._removed = 0, []

    @staticmethod
    def environment_changed(before: Environment, after: Environment) -> None:
        """The Worker reported the environment."""
        is_news = before.state is not EnvironmentState.UNKNOWN
        if after.is_open and (not before.is_open or after.environment_id != before.environment_id):
            found = "is open" if is_news else "was open already"
            tell(_INFO, "environment_opened", f"The environment {found}: process {after.pid}", pid=after.pid)
        elif before.exists and not after.exists:
            _tell_end(before, after)
        if after.is_paused and not before.is_paused:
            tell(_INFO, "plan_paused", "The plan is paused")
        if after.question is not None and before.question is None:
            tell(_INFO, "question_asked", f"The plan asks: {after.question.prompt}")
        if after.suspensions and not before.suspensions:
            why = "; ".join(filter(None, (one.justification or one.suspender for one in after.suspensions)))
            tell(_WARNING, "plan_suspended", f"The plan is suspended: {why}" if why else "The plan is suspended")
        elif before.suspensions and not after.suspensions and after.is_open:
            tell(_INFO, "plan_goes_on", "The plan is no longer suspended")

    def _count_removal(self, event: ev.ItemRemoved, of: tuple[int, str]) -> None:
        if self._of != of:
            self.end()
            self._of = of
        self._removals += 1
        if self._removals <= _MOST_NAMED:
            self._removed.append(event.uid)

    def _forget_instruction(self) -> None:
        """The last one that was removed is the instruction that was carried out."""
        if self._removals:
            self._removals -= 1
            del self._removed[self._removals :]


def _tell_end(before: Environment, after: Environment) -> None:
    if after.failure is None:
        tell(_INFO, "environment_closed", "The environment is closed")
        return
    failed = before.state is EnvironmentState.INITIALIZING
    what = "could not be opened" if failed else "is gone"
    tell(
        _WARNING,
        "environment_failed" if failed else "environment_gone",
        f"The environment {what}: {after.failure.message}",
        file=after.failure.file,
        line=after.failure.line or None,
        exit_code=after.failure.exit_code,
    )


def _count(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def _some(names: Sequence[str], number: int) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (", …" if number > _MOST_NAMED else "")


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _plan(item: Item) -> str:
    kind = "Plan" if item.kind is ItemKind.PLAN else "Instruction"
    return f"{kind} {item.name} of {who(item.user)}"


def _about(item: Item) -> dict[str, Any]:
    # Not `user`: that is the user who asked for the change.
    return {"item_uid": item.uid, "name": item.name, "submitter": item.user}


def _item_started(event: ev.ItemStarted, _user: str) -> _Line:
    running: RunningItem = event.running
    item = running.item
    ways = ["at once, without the queue"] if running.immediate else []
    ways += [f"attempt {item.attempt}"] if item.attempt > 1 else []
    how = f" ({', '.join(ways)})" if ways else ""
    return _INFO, f"{_plan(item)} started{how}: item {item.uid}", {**_about(item), "attempt": item.attempt}


def _history_added(event: ev.HistoryAdded, _user: str) -> _Line:
    entry, result = event.entry, event.entry.result
    if event.imported:
        sentence = f"An entry of another server's history was imported: {_plan(entry.item)}, item {entry.item.uid}"
        return _DETAIL, sentence, _about(entry.item)
    seconds = round(result.stop - result.start, 3) if result.start is not None else None
    after = "before it began" if seconds is None else f"after {seconds:.1f} s"
    is_bad = result.exit_status is ExitStatus.FAILED
    # The user who ended a plan that failed, by destroying its environment for example, is in its message.
    by = f" by {who(result.ended_by)}" if result.ended_by and not is_bad else ""
    sentence = f"{_plan(entry.item)} {_ENDED[result.exit_status]}{by} {after}: item {entry.item.uid}"
    sentence += f", {_count(len(result.runs), 'run')}" if result.runs else ""
    if is_bad and result.message:
        sentence += f". {result.message.rstrip('.')}"
    if entry.requeued_as_uid:
        sentence += f". It is in the queue again as item {entry.requeued_as_uid}"
    fields = {
        **_about(entry.item),
        "exit_status": result.exit_status.value,
        "seconds": seconds,
        "ended_by": result.ended_by,
        "failure_cause": result.failure_cause.value,
        "requeued_as_uid": entry.requeued_as_uid,
    }
    return _WARNING if is_bad else _INFO, sentence, fields


def _items_added(event: ev.ItemsAdded, user: str) -> _Line:
    names = _some([item.name for item in event.items[:_MOST_NAMED]], len(event.items))
    sentence = f"{who(user)} added {_count(len(event.items), 'item')} to the queue at {event.index}: {names}"
    return _DETAIL, sentence, {"count": len(event.items), "index": event.index}


def _work(task: Task) -> str:
    if task.kind is TaskKind.ENVIRONMENT_UPDATE:
        return "update of the environment"
    return f"{task.kind.value} {task.name}".rstrip()


def _task_fields(task: Task) -> dict[str, Any]:
    return {"task_uid": task.uid, "kind": task.kind.value, "name": task.name, "submitter": task.user}


def _task_started(event: ev.TaskStarted, _user: str) -> _Line:
    task = event.task
    where = " in the background" if task.background else ""
    return _INFO, f"{who(task.user)} started {_work(task)}{where}: task {task.uid}", _task_fields(task)


def _task_finished(event: ev.TaskFinished, _user: str) -> _Line:
    task, result = event.task, event.result
    seconds = round(result.stop - result.start, 3) if result.start is not None else None
    after = "before it began" if seconds is None else f"after {seconds:.1f} s"
    end = "completed" if result.success else "failed"
    work = _work(task)
    sentence = f"{work[0].upper()}{work[1:]} of {who(task.user)} {end} {after}: task {task.uid}"
    sentence += f". {result.message.rstrip('.')}" if result.message and not result.success else ""
    return (
        _INFO if result.success else _WARNING,
        sentence,
        {**_task_fields(task), "success": result.success, "seconds": seconds},
    )


def _queue_mode(event: ev.QueueModeChanged, user: str) -> _Line:
    mode = event.mode
    words = f"loop {_on(mode.loop)}, ignore_failures {_on(mode.ignore_failures)}, interrupted {mode.interrupted.value}"
    return _INFO, f"{who(user)} set the queue mode: {words}", {"mode": words}


def _on(value: bool) -> str:
    return "on" if value else "off"


def _permissions(event: ev.PermissionsReplaced, user: str) -> _Line:
    groups = list(event.permissions.groups)
    return (
        _INFO,
        f"{who(user)} replaced the permissions: {_count(len(groups), 'user group')} ({_some(groups, len(groups))})",
        {"groups": len(groups)},
    )


def _inventory(event: ev.InventoryReplaced, _user: str) -> _Line:
    there = f"{_count(event.plans, 'plan')} and {_count(event.devices, 'device')}"
    return _INFO, f"{there} are known", {"plans": event.plans, "devices": event.devices}


def _lock_changed(event: ev.LockChanged, _user: str) -> _Line:
    # A lease is renewed repeatedly.
    level = _DETAIL if event.change is ev.LockChange.RENEWED else _INFO
    return level, lock_sentence(event, who), {"change": event.change.value, "user": event.user}


#: What is not here is not logged.
_LINES: Mapping[type, Callable[[Any, str], _Line]] = {
    ev.QueueStarted: lambda event, _: (_INFO, f"{who(event.user)} started the queue", {"user": event.user}),
    ev.QueueStopRequested: lambda event, _: (
        _INFO,
        f"{who(event.user)} asked the queue to stop after the running item",
        {"user": event.user},
    ),
    ev.QueueStopCancelled: lambda event, _: (
        _INFO,
        f"{who(event.user)} cancelled the stop of the queue",
        {"user": event.user},
    ),
    ev.QueueStopped: lambda event, _: (
        _INFO,
        f"The queue stopped: {_WHY_STOPPED[event.reason]}",
        {"reason": event.reason.value},
    ),
    ev.ItemStarted: _item_started,
    ev.HistoryAdded: _history_added,
    ev.AutostartChanged: lambda event, user: (
        _INFO,
        f"{who(user)} switched autostart {_on(event.enabled)}",
        {"enabled": event.enabled},
    ),
    ev.QueueModeChanged: _queue_mode,
    ev.QueueCleared: lambda event, user: (
        _INFO,
        f"{who(user)} cleared the queue: {_count(event.removed, 'item')}",
        {"count": event.removed},
    ),
    ev.HistoryCleared: lambda event, user: (
        _INFO,
        f"{who(user)} cleared {_count(event.removed, 'entry')} of the history",
        {"count": event.removed},
    ),
    ev.PermissionsReplaced: _permissions,
    ev.InventoryReplaced: _inventory,
    ev.LockChanged: _lock_changed,
    ev.TaskStarted: _task_started,
    ev.TaskFinished: _task_finished,
    ev.ItemsAdded: _items_added,
    ev.ItemMoved: lambda event, user: (
        _DETAIL,
        f"{who(user)} moved item {event.uid} from {event.from_index} to {event.to_index}",
        {"item_uid": event.uid},
    ),
    ev.ItemsMoved: lambda event, user: (
        _DETAIL,
        f"{who(user)} moved {_count(len(event.uids), 'item')} to {event.index}",
        {"count": len(event.uids)},
    ),
    ev.ItemUpdated: lambda event, user: (
        _DETAIL,
        f"{who(user)} replaced item {event.uid} by {event.item.name}",
        {"item_uid": event.uid, "name": event.item.name},
    ),
}
