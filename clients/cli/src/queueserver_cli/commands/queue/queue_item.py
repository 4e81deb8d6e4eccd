"""`qserver queue item …`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from queueserver_client import ItemState, ItemStatus

from queueserver_cli.command_line.command import CommandBody, nothing_more
from queueserver_cli.outcome import Answer, WrongCommand
from queueserver_cli.positions import address, position
from queueserver_cli.session import Session
from queueserver_cli.short_uids import whole_address, whole_position
from queueserver_cli.words.legacy_json import entry_dict, item_dict


def get(words: Sequence[str]) -> CommandBody:
    """`queue item get [SRC]`."""
    nothing_more(words[1:])
    which = address(words[0]) if words else "back"

    async def action(session: Session) -> Answer:
        found = await session.client.queue.get(await whole_address(session, which))
        details = {"index": found.index, "state": found.state.value, "revision": found.revision}
        return Answer({"success": True, "msg": "", **_told(found)}, details)

    return action


def _told(found: ItemStatus) -> dict[str, Any]:
    """The item; if it does not simply wait in the queue, with its state."""
    if found.history_entry is not None:
        return {"item": entry_dict(found.history_entry), "state": found.state.value}
    if found.state in {ItemState.QUEUED, ItemState.UNSPECIFIED}:
        return {"item": item_dict(found.item)}
    return {"item": item_dict(found.item), "state": found.state.value}


def remove(words: Sequence[str]) -> CommandBody:
    """`queue item remove [SRC]`."""
    nothing_more(words[1:])
    which = address(words[0]) if words else "back"

    async def action(session: Session) -> Answer:
        removed = await session.client.queue.remove(await whole_address(session, which))
        body = {"success": True, "msg": "", "item": item_dict(removed.item), "qsize": removed.queue_size}
        return Answer(body, {"revision": removed.revision})

    return action


def move(words: Sequence[str]) -> CommandBody:
    """`queue item move SRC DEST`."""
    if len(words) < 2:  # noqa: PLR2004 - SRC and DEST
        raise WrongCommand("SRC or DEST is missing.")
    source, destination = address(words[0]), position(words[1:])

    async def action(session: Session) -> Answer:
        start, end = await whole_address(session, source), await whole_position(session, destination)
        assert end is not None  # noqa: S101 - DEST was said
        moved = await session.client.queue.move(start, end)
        body = {"success": True, "msg": "", "item": item_dict(moved.item), "qsize": moved.queue_size}
        return Answer(body, {"index": moved.index, "revision": moved.revision})

    return action
