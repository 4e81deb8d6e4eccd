"""Calls that read and edit the queue, right and wrong, as they are tried in every state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tests.zmq_bridge.differential.references import UNKNOWN, Executed, Queued, Running
from tests.zmq_bridge.differential.states import KEY, NOTHING, WHO

Written = tuple[str, dict[str, Any]]

#: Places for a new item.
PLACES: Final[tuple[dict[str, Any], ...]] = (
    *({"pos": pos} for pos in ("front", "back", None, 0, 1, 2, 3, 5, 100, -1, -2, -3, -5, -6, -100, 2**40, -(2**40))),
    *({"pos": pos} for pos in ("middle", "", "1", 1.5, 1.0, [], {}, [1])),
    *({name: Queued(place)} for name in ("before_uid", "after_uid") for place in (0, 1, -1)),
    *({name: uid} for name in ("before_uid", "after_uid") for uid in (Running(), UNKNOWN, "", 5, None, [1], {})),
    {"pos": 1, "before_uid": Queued(0)},
    {"pos": "front", "after_uid": Queued(0)},
    {"before_uid": Queued(0), "after_uid": Queued(1)},
    {"pos": None, "before_uid": None, "after_uid": None},
    {"pos": 0, "before_uid": None},
)
#: Items that are no good, or unusual.
ITEMS: Final[tuple[Any, ...]] = (
    None,
    {},
    {"item_type": "plan"},
    {"item_type": None, "name": "nothing"},
    {"item_type": "x", "name": "nothing"},
    {"item_type": 5, "name": "nothing"},
    {"item_type": "function", "name": "add"},
    {"item_type": "instruction"},
    {"item_type": "instruction", "name": "x"},
    {"item_type": "instruction", "name": "queue_stop", "args": [1], "kwargs": {"a": 1}},
    {"name": "nothing"},
    {**NOTHING, "name": "missing"},
    {**NOTHING, "name": "_hidden"},
    {**NOTHING, "name": ""},
    {**NOTHING, "name": 5},
    {**NOTHING, "name": None},
    {**NOTHING, "name": ["nothing"]},
    {**NOTHING, "args": [], "kwargs": {}, "meta": {}},
    {**NOTHING, "args": None, "kwargs": None},
    {**NOTHING, "args": [1]},
    {**NOTHING, "kwargs": {"a": 1}},
    {**NOTHING, "args": 5},
    {**NOTHING, "args": "ab"},
    {**NOTHING, "args": {}},
    {**NOTHING, "kwargs": []},
    {**NOTHING, "kwargs": [1]},
    {**NOTHING, "kwargs": "ab"},
    {**NOTHING, "meta": {"a": 1, "b": {"c": [1, 2.5, None, True, "x"]}}},
    {**NOTHING, "meta": [{"a": 1}, {"a": 2, "b": 3}]},
    {**NOTHING, "meta": []},
    {**NOTHING, "meta": 5},
    {**NOTHING, "meta": "ab"},
    {**NOTHING, "meta": [5]},
    {**NOTHING, "meta": None},
    {**NOTHING, "user": "another", "user_group": "root"},
    {**NOTHING, "item_uid": UNKNOWN},
    {**NOTHING, "item_uid": 5},
    {**NOTHING, "properties": {}},
    {**NOTHING, "properties": {"a": 1}},
    {**NOTHING, "result": {"exit_status": "failed"}},
    {**NOTHING, "unknown_key": 5, "another": [1]},
    {"item_type": "plan", "name": "count", "args": [["det1"]]},
    {"item_type": "plan", "name": "count", "args": [["det1", "stage.x"], 3], "kwargs": {"md": {"a": 1}}},
    {"item_type": "plan", "name": "count", "kwargs": {"detectors": ["det1"], "num": 2}},
    {"item_type": "plan", "name": "count", "args": [["unknown_detector"]]},
    {"item_type": "plan", "name": "count"},
    {"item_type": "plan", "name": "count", "args": [["det1"], "x"]},
    {"item_type": "plan", "name": "count", "args": [["det1"], 1, 2]},
    {"item_type": "plan", "name": "count", "args": [["det1"]], "kwargs": {"detectors": []}},
    *({"item_type": "plan", "name": "moving", "args": [name]} for name in ("motor", "stage.x", "det1", "unknown", 5)),
    {"item_type": "plan", "name": "failing", "args": ["ünïcode \u2713 \U0001f600"]},
)
WHOS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"user": "u"},
    {"user_group": "primary"},
    {"user": "", "user_group": "primary"},
    {"user": None, "user_group": "primary"},
    {"user": "u", "user_group": ""},
    {"user": "u", "user_group": None},
    {"user": "u", "user_group": "unknown"},
    {"user": "u", "user_group": 5},
    {"user": "u", "user_group": [1]},
    {"user": "u", "user_group": {}},
    {"user": 5, "user_group": "primary"},
    {"user": ["a"], "user_group": "primary"},
    {"user": "u", "user_group": "root"},
    {"user": "u", "user_group": "visitors"},
    {"user": "ü ser", "user_group": "primary"},
)
#: Which item is meant.
ADDRESSES: Final[tuple[dict[str, Any], ...]] = (
    {},
    *({"pos": pos} for pos in ("front", "back", None, 0, 1, 3, 50, -1, -2, -4, -50, 2**40, -(2**40))),
    *({"pos": pos} for pos in ("middle", "", 1.5, [], True)),
    *({"uid": uid} for uid in (Queued(0), Queued(2), Running(), Executed(0), UNKNOWN, "", "x", 5, None, [1])),
    {"pos": 0, "uid": Queued(0)},
    {"pos": 0, "uid": None},
)
_DESTINATIONS: Final[tuple[dict[str, Any], ...]] = (
    {},
    *({"pos_dest": pos} for pos in ("front", "back", None, 0, 1, 2, 3, 50, -1, -2, -3, -50, 2**40)),
    *({"pos_dest": pos} for pos in ("middle", "", 1.5, [], True)),
    *({name: uid} for name in ("before_uid", "after_uid") for uid in (Queued(0), Queued(1), Queued(-1), Running())),
    *({name: uid} for name in ("before_uid", "after_uid") for uid in (UNKNOWN, "", 5, None)),
    {"pos_dest": 0, "before_uid": Queued(0)},
    {"before_uid": Queued(0), "after_uid": Queued(1)},
    {"pos_dest": "front", "before_uid": None},
)
_SOURCES: Final[tuple[dict[str, Any], ...]] = (
    {"pos": 1},
    {"uid": Queued(2)},
    {"pos": "front"},
    {"pos": -1},
)
#: Several items by their uids.
BATCHES: Final[tuple[Any, ...]] = (
    [],
    [Queued(0)],
    [Queued(3), Queued(1)],
    [Queued(1), Queued(3)],
    [Queued(0), Queued(1), Queued(2), Queued(3)],
    [Queued(0), Queued(0)],
    [Queued(0), UNKNOWN, Queued(0)],
    [Queued(1), UNKNOWN],
    [UNKNOWN],
    [Queued(1), Running()],
    [Running()],
    None,
    5,
    "ab",
    {},
    [5],
    [None],
    [""],
    ["x"],
)


def reading() -> Iterator[Written]:
    """The queue, and one of its items."""
    yield "queue_get", {}
    yield "queue_get", {"x": 1}
    yield "queue_get", {"lock_key": KEY}
    for address in ADDRESSES:
        yield "queue_item_get", address
    yield "queue_item_get", {"lock_key": KEY}


def adding() -> Iterator[Written]:
    """One item."""
    yield "queue_item_add", {}
    yield "queue_item_add", {"item": NOTHING, "unknown": 1, **WHO}
    for item in ITEMS:
        yield "queue_item_add", {"item": item, **WHO}
    for who in WHOS:
        yield "queue_item_add", {"item": NOTHING, **who}
        yield "queue_item_add", {"item": {"item_type": "plan", "name": "missing"}, **who}
    for place in PLACES:
        yield "queue_item_add", {"item": NOTHING, **WHO, **place}
    yield "queue_item_add", {"item": {**NOTHING, "name": "missing"}, "pos": "middle", **WHO}


def adding_batches() -> Iterator[Written]:
    """Several items."""
    good, bad = NOTHING, {**NOTHING, "name": "missing"}
    yield "queue_item_add_batch", {}
    yield "queue_item_add_batch", {"items": None, **WHO}
    yield "queue_item_add_batch", {"items": 5, **WHO}
    yield "queue_item_add_batch", {"items": "ab", **WHO}
    yield "queue_item_add_batch", {"items": {}, **WHO}
    yield "queue_item_add_batch", {"items": []}
    yield "queue_item_add_batch", {"items": [], **WHO, "pos": "middle"}
    for items in (
        [],
        [good],
        [good, good, {"item_type": "instruction", "name": "queue_stop"}],
        [bad],
        [good, bad, bad],
    ):
        yield "queue_item_add_batch", {"items": items, **WHO}
    for item in ITEMS:
        yield "queue_item_add_batch", {"items": [good, item], **WHO}
    yield "queue_item_add_batch", {"items": [good, 5], **WHO}
    for who in WHOS:
        yield "queue_item_add_batch", {"items": [good], **who}
    for place in PLACES:
        yield "queue_item_add_batch", {"items": [good, {**good, "args": []}], **WHO, **place}
    yield "queue_item_add_batch", {"items": [good, bad], **WHO, "pos": "middle"}


def updating() -> Iterator[Written]:
    """An item in its place."""
    yield "queue_item_update", {}
    yield "queue_item_update", {"item": NOTHING, **WHO}
    for uid in (UNKNOWN, Running(), Executed(0), "", "x", 5, None):
        for replace in (False, True):
            yield "queue_item_update", {"item": {**NOTHING, "item_uid": uid}, "replace": replace, **WHO}
    for item in ITEMS:
        if isinstance(item, dict):
            yield "queue_item_update", {"item": {**item, "item_uid": Queued(1)}, **WHO}
    for who in WHOS:
        yield "queue_item_update", {"item": {**NOTHING, "item_uid": Queued(0)}, **who}
    for replace in (True, False, None, 0, 1, "x", "", []):
        yield "queue_item_update", {"item": {**NOTHING, "kwargs": {}, "item_uid": Queued(0)}, "replace": replace, **WHO}
    for _ in range(2):
        yield "queue_item_update", {"item": {**NOTHING, "item_uid": Queued(2)}, **WHO}
    yield (
        "queue_item_update",
        {"item": {"item_type": "instruction", "name": "queue_stop", "item_uid": Queued(2)}, **WHO},
    )


def removing() -> Iterator[Written]:
    """One item, several, all."""
    for address in ADDRESSES:
        yield "queue_item_remove", address
    yield "queue_item_remove", {"unknown": 1}
    yield "queue_item_remove_batch", {}
    for ignore in (None, True, False, 0, 1, "x"):
        for batch in BATCHES if ignore is False or ignore is None else BATCHES[4:9]:
            yield "queue_item_remove_batch", {"uids": batch, **({} if ignore is None else {"ignore_missing": ignore})}
    yield "queue_clear", {}
    yield "queue_clear", {}
    yield "queue_clear", {"x": 1}
    yield "queue_item_get", {}
    yield "queue_item_remove", {}
    yield "queue_item_move", {"pos": 0, "pos_dest": 0}
    yield "queue_item_add", {"item": NOTHING, **WHO, "pos": -3}


def moving() -> Iterator[Written]:
    """One item, and several."""
    for address in ADDRESSES:
        yield "queue_item_move", {**address, "pos_dest": 1}
    for source in _SOURCES:
        for destination in _DESTINATIONS:
            yield "queue_item_move", {**source, **destination}
    yield "queue_item_move_batch", {}
    for batch in BATCHES:
        yield "queue_item_move_batch", {"uids": batch, "pos_dest": "front"}
    for reference in (UNKNOWN, Running(), Queued(0)):
        yield "queue_item_move_batch", {"uids": [], "before_uid": reference}
    for reorder in (False, True, None, "x"):
        for destination in _DESTINATIONS if reorder is False else _DESTINATIONS[1:3]:
            yield "queue_item_move_batch", {"uids": [Queued(3), Queued(1)], "reorder": reorder, **destination}
