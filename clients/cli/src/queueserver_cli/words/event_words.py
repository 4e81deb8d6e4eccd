"""Events as a line of words, and under their names in the contract."""

from __future__ import annotations

import re
import reprlib

from queueserver_client import (
    AutostartChanged,
    Event,
    EventsLost,
    HistoryAdded,
    HistoryCleared,
    InventoryChanged,
    Item,
    ItemAdded,
    ItemFinished,
    ItemMoved,
    ItemRemoved,
    ItemsAdded,
    ItemsChecked,
    ItemsMoved,
    ItemStarted,
    ItemUpdated,
    LockChange,
    LockChanged,
    PermissionsChanged,
    QueueCleared,
    QueueMode,
    QueueModeChanged,
    QueueStarted,
    QueueStopCancelled,
    QueueStopped,
    QueueStopRequested,
    TaskFinished,
    TaskStarted,
    TaskStatus,
    UnknownEvent,
)

from queueserver_cli.words.legacy_json import known
from queueserver_cli.words.lock_words import change_words

#: Of arguments that are longer than a line, the beginning is enough.
_SHORT = reprlib.Repr()
_SHORT.maxlevel = 10
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 90
_NAMES = {
    "StatusChanged": "status",
    "ConsoleWritten": "console",
    "DocumentEmitted": "document",
    "EventsLost": "gap",
    "UnknownEvent": "unknown",
}


def event_name(event: Event) -> str:
    """Name of the event in the contract, for example "item_added"."""
    name = type(event).__name__
    return _NAMES.get(name) or re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def item_words(item: Item) -> str:
    """An item as a call."""
    arguments = [_SHORT.repr(value) for value in item.args or ()]
    arguments += [f"{key}={_SHORT.repr(value)}" for key, value in sorted((item.kwargs or {}).items())]
    call = f"{item.name}({', '.join(arguments)})" if item.item_type.value == "plan" else item.name
    shown = call if len(call) <= 90 else call[:89] + "…"  # noqa: PLR2004 - the rest of a terminal line
    if item.problems:
        return f"{shown} (would fail: {item.problems[0].field}: {item.problems[0].description})"
    return f"{shown} (held)" if item.held else shown


def task_words(found: TaskStatus) -> str:
    """A task by name."""
    where = " in the background" if found.task.run_in_background else ""
    return f"{found.task.name or found.task.kind}{where} ({found.task.uid})"


def mode_words(mode: QueueMode) -> str:
    """The mode of the queue as it is set."""
    return f"loop {_on(mode.loop)}, ignore_failures {_on(mode.ignore_failures)}, interrupted {mode.interrupted}"


def _on(switch: bool) -> str:
    return "on" if switch else "off"


def counted(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def event_words(event: Event) -> str | None:
    """A line for people, or None for events that are shown in another way."""
    if isinstance(event, LockChanged):
        # The holder renews it every few seconds.
        return None if event.change is LockChange.RENEWED else change_words(event)
    return _queue_words(event) or _execution_words(event) or _other_words(event)


def _queue_words(event: Event) -> str | None:
    if isinstance(event, ItemAdded):
        retry = f", attempt {event.item.attempt}" if event.item.retry_of_uid else ""
        return f"added at {event.index}: {item_words(event.item)} by {event.item.user}{retry}"
    if isinstance(event, ItemsAdded):
        return f"added at {event.index}: {counted(len(event.items), 'item')}"
    if isinstance(event, ItemRemoved):
        return f"removed from {event.index}: {event.item_uid}"
    if isinstance(event, ItemMoved):
        return f"moved from {event.from_index} to {event.to_index}: {event.item_uid}"
    if isinstance(event, ItemsMoved):
        return f"moved to {event.index}: {counted(len(event.item_uids), 'item')}"
    if isinstance(event, ItemUpdated):
        return f"updated at {event.index}: {item_words(event.item)}"
    if isinstance(event, QueueCleared):
        return f"queue cleared: {counted(event.removed, 'item')}"
    return None


def _execution_words(event: Event) -> str | None:
    if isinstance(event, QueueStarted):
        return f"queue started by {event.user}"
    if isinstance(event, QueueStopRequested):
        return f"queue will stop after this item, as requested by {event.user}"
    if isinstance(event, QueueStopCancelled):
        return f"stop taken back by {event.user}"
    if isinstance(event, QueueModeChanged):
        return f"queue mode: {mode_words(event.mode)}"
    if isinstance(event, AutostartChanged):
        return f"autostart {_on(event.enabled)}"
    if isinstance(event, QueueStopped):
        return f"queue stopped: {known(event.reason)}"
    if isinstance(event, ItemStarted):
        now = " (without the queue)" if event.running_item.immediate else ""
        return f"started: {item_words(event.running_item.item)}{now}"
    if isinstance(event, ItemFinished):
        again = f", tried again as {event.requeued_as_uid}" if event.requeued_as_uid else ""
        return f"{known(event.exit_status)}: {event.item_uid}{again}"
    return None


def _other_words(event: Event) -> str | None:
    if isinstance(event, HistoryAdded):
        result = event.entry.result
        why = f" ({result.message})" if result.message else ""
        notices = "".join(f". {notice}" for notice in result.notices)
        return f"history: {event.entry.item.name} {known(result.exit_status)}{why}{notices}"
    if isinstance(event, HistoryCleared):
        return f"history cleared: {counted(event.removed, 'line')}"
    if isinstance(event, InventoryChanged):
        return f"environment offers {counted(event.plans, 'plan')} and {counted(event.devices, 'device')}"
    if isinstance(event, ItemsChecked):
        wrong = sum(1 for problems in event.problems.values() if problems)
        return f"checked again: {counted(wrong, 'item')} would fail now, {len(event.problems) - wrong} right again"
    if isinstance(event, TaskStarted):
        return f"task started: {task_words(event.task)} by {event.task.task.user}"
    if isinstance(event, TaskFinished):
        ended = event.task.result
        return f"task ended: {task_words(event.task)} {'well' if ended is None or ended.success else ended.message}"
    if isinstance(event, PermissionsChanged):
        return f"permissions changed: {', '.join(event.permissions['user_groups'])}"
    if isinstance(event, EventsLost):
        what = f"one of {event.omitted_bytes} bytes was left out" if event.omitted_bytes else "some events were lost"
        return f"{what} here: {', '.join(kind.value for kind in event.kinds)}"
    if isinstance(event, UnknownEvent):
        return "something happened that only a newer qserver can show"
    return None
