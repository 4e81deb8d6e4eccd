"""Items of the queue in calls that are written before the queue exists: the first, the last, the running one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tests.zmq_bridge.differential.side import Answer

#: In the form of a uid, but nobody's.
UNKNOWN: Final = "11111111-2222-4333-8444-555555555555"


@dataclass(frozen=True)
class Queued:
    """The uid of an item by its place in the queue, counted again from the front after the last."""

    place: int


@dataclass(frozen=True)
class Running:
    """The uid of the item that is executed; one that is nobody's while nothing is."""


@dataclass(frozen=True)
class Executed:
    """The uid of an item of the history, counted as those of the queue."""

    place: int


@dataclass(frozen=True)
class Task:
    """The uid of the task that was started last."""


@dataclass
class Known:
    """What references refer to, on the real server."""

    queue: Answer
    history: Answer
    task: str = UNKNOWN


def resolved(value: Any, known: Known) -> Any:
    """A value with uids in the place of references."""
    if isinstance(value, dict):
        return {key: resolved(entry, known) for key, entry in value.items()}
    if isinstance(value, list):
        return [resolved(entry, known) for entry in value]
    if isinstance(value, Queued):
        return _counted(known.queue["items"], value.place)
    if isinstance(value, Executed):
        return _counted(known.history["items"], value.place)
    if isinstance(value, Running):
        return known.queue["running_item"].get("item_uid", UNKNOWN)
    return known.task if isinstance(value, Task) else value


def refers_to(value: Any, kind: type) -> bool:
    """Whether there is a reference of a kind anywhere in a value."""
    if isinstance(value, dict):
        return any(refers_to(entry, kind) for entry in value.values())
    if isinstance(value, list):
        return any(refers_to(entry, kind) for entry in value)
    return isinstance(value, kind)


def _counted(items: list[Answer], place: int) -> str:
    return str(items[place % len(items)]["item_uid"]) if items else UNKNOWN
