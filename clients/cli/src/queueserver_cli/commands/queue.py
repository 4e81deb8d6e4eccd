"""`qserver queue …`."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_client import Item

from queueserver_cli.grammar import Action
from queueserver_cli.outcome import DONE, Answer, WrongCommand
from queueserver_cli.places import address, nothing_more, position
from queueserver_cli.plan_text import parse_plan
from queueserver_cli.session import Session
from queueserver_cli.vocabulary import item_dict, running_dict

_PAGE = 10_000


def add_plan(words: Sequence[str]) -> Action:
    """`queue add plan [ADDR] PLAN`."""
    if not words:
        raise WrongCommand("PLAN is missing.")
    return _add(parse_plan(words[-1]), words[:-1])


def add_instruction(words: Sequence[str]) -> Action:
    """`queue add instruction [ADDR] queue-stop`."""
    if not words or words[-1] not in {"queue-stop", "queue_stop"}:
        raise WrongCommand("The only instruction is queue-stop, and it comes last.")
    return _add(Item.queue_stop(), words[:-1])


def _add(item: Item, place: Sequence[str]) -> Action:
    where = position(place) if place else None

    async def action(session: Session) -> Answer:
        handle = await session.client.queue.add(item, position=where)
        body = {"success": True, "msg": "", "item": item_dict(handle.item), "qsize": handle.queue_size}
        return Answer(body, {"index": handle.index})

    return action


def get(words: Sequence[str]) -> Action:
    """`queue get`."""
    nothing_more(words)
    return _get


async def _get(session: Session) -> Answer:
    page = first = await session.client.queue.page(page_size=_PAGE)
    items = list(first.items)
    while page.next_page_token:
        page = await session.client.queue.page(page_size=_PAGE, page_token=page.next_page_token)
        items += page.items
    return Answer(
        {
            "success": True,
            "msg": "",
            "items": [item_dict(item) for item in items],
            "running_item": running_dict(first.running_item),
            "plan_queue_uid": first.plan_queue_uid,
        }
    )


def clear(words: Sequence[str]) -> Action:
    """`queue clear`."""
    nothing_more(words)
    return _clear


async def _clear(session: Session) -> Answer:
    return Answer(DONE.body, {"removed": await session.client.queue.clear()})


def start(words: Sequence[str]) -> Action:
    """`queue start`."""
    nothing_more(words)
    return _start


async def _start(session: Session) -> Answer:
    return Answer(DONE.body, {"item_uid": await session.client.queue.start()})


def stop(words: Sequence[str]) -> Action:
    """`queue stop [cancel]`."""
    if list(words) == ["cancel"]:
        return _cancel_stop
    nothing_more(words)
    return _stop


async def _stop(session: Session) -> Answer:
    await session.client.queue.stop()
    return DONE


async def _cancel_stop(session: Session) -> Answer:
    await session.client.queue.cancel_stop()
    return DONE


def get_item(words: Sequence[str]) -> Action:
    """`queue item get [SRC]`."""
    nothing_more(words[1:])
    which = address(words[0]) if words else "back"

    async def action(session: Session) -> Answer:
        found = await session.client.queue.get(which)
        return Answer({"success": True, "msg": "", "item": item_dict(found.item)}, {"index": found.index})

    return action


def remove_item(words: Sequence[str]) -> Action:
    """`queue item remove [SRC]`."""
    nothing_more(words[1:])
    which = address(words[0]) if words else "back"

    async def action(session: Session) -> Answer:
        removed = await session.client.queue.remove(which)
        return Answer({"success": True, "msg": "", "item": item_dict(removed.item), "qsize": removed.queue_size})

    return action


def move_item(words: Sequence[str]) -> Action:
    """`queue item move SRC DEST`."""
    if len(words) < 2:  # noqa: PLR2004 - SRC and DEST
        raise WrongCommand("SRC or DEST is missing.")
    source, destination = address(words[0]), position(words[1:])

    async def action(session: Session) -> Answer:
        moved = await session.client.queue.move(source, destination)
        body = {"success": True, "msg": "", "item": item_dict(moved.item), "qsize": moved.queue_size}
        return Answer(body, {"index": moved.index})

    return action
