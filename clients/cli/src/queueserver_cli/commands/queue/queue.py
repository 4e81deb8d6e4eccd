"""`qserver queue …`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from queueserver_client import Item, ItemHandle, ItemType

from queueserver_cli.command_line.command import CommandBody, nothing_more
from queueserver_cli.outcome import DONE, Answer, WrongCommand
from queueserver_cli.plan_forms.plan_text import parse_plan
from queueserver_cli.positions import position, uid
from queueserver_cli.session import Session
from queueserver_cli.short_uids import item_uid, whole_position
from queueserver_cli.waiting.item_wait import wait_for_item
from queueserver_cli.words.item_warnings import tell_warnings
from queueserver_cli.words.legacy_json import item_dict, running_dict

_PAGE = 10_000


def add_plan(words: Sequence[str]) -> CommandBody:
    """`queue add plan [ADDR] PLAN`."""
    return _add(_last_plan(words), words[:-1])


def add_instruction(words: Sequence[str]) -> CommandBody:
    """`queue add instruction [ADDR] queue-stop`."""
    return _add(_last_instruction(words), words[:-1])


def update_plan(words: Sequence[str]) -> CommandBody:
    """`queue update plan UID PLAN`."""
    return _update(_last_plan(words), words[:-1], new_uid=False)


def update_instruction(words: Sequence[str]) -> CommandBody:
    """`queue update instruction UID queue-stop`."""
    return _update(_last_instruction(words), words[:-1], new_uid=False)


def replace_plan(words: Sequence[str]) -> CommandBody:
    """`queue replace plan UID PLAN`."""
    return _update(_last_plan(words), words[:-1], new_uid=True)


def replace_instruction(words: Sequence[str]) -> CommandBody:
    """`queue replace instruction UID queue-stop`."""
    return _update(_last_instruction(words), words[:-1], new_uid=True)


def execute_plan(words: Sequence[str]) -> CommandBody:
    """`queue execute plan PLAN`."""
    nothing_more(words[:-1])
    return _execute(_last_plan(words))


def execute_instruction(words: Sequence[str]) -> CommandBody:
    """`queue execute instruction queue-stop`."""
    nothing_more(words[:-1])
    return _execute(_last_instruction(words))


def _last_plan(words: Sequence[str]) -> Item:
    if not words:
        raise WrongCommand("PLAN is missing.")
    return parse_plan(words[-1])


def _last_instruction(words: Sequence[str]) -> Item:
    if not words or words[-1] not in {"queue-stop", "queue_stop"}:
        raise WrongCommand("The only instruction is queue-stop, and it comes last.")
    return Item.queue_stop()


def _add(item: Item, place: Sequence[str]) -> CommandBody:
    where = position(place) if place else None

    async def action(session: Session) -> Answer:
        queue, place = session.client.queue, await whole_position(session, where)
        return answer_of(session, await queue.add(item, position=place, validate_only=session.validate_only))

    return action


def _update(item: Item, which: Sequence[str], *, new_uid: bool) -> CommandBody:
    if not which:
        raise WrongCommand("UID is missing.")
    nothing_more(which[1:])
    word = uid(which[0])

    async def action(session: Session) -> Answer:
        queue, old = session.client.queue, await item_uid(session, word)
        check = session.validate_only
        return answer_of(session, await queue.update(old, item, new_uid=new_uid, validate_only=check))

    return action


def _execute(item: Item) -> CommandBody:
    async def action(session: Session) -> Answer:
        handle = await session.client.queue.execute(item, validate_only=session.validate_only)
        if session.wait and not session.validate_only and item.item_type is not ItemType.INSTRUCTION:
            warnings = tell_warnings(session, handle.warnings)
            waited = await wait_for_item(session, handle.uid)
            return replace(waited, details={**waited.details, **warnings})
        return answer_of(session, handle)

    return action


def answer_of(session: Session, handle: ItemHandle) -> Answer:
    """The item as it was accepted."""
    msg = "This was only a check: nothing was changed." if session.validate_only else ""
    body = {"success": True, "msg": msg, "item": item_dict(handle.item), "qsize": handle.queue_size}
    details = {"index": handle.index, "revision": handle.revision}
    return Answer(body, {**details, **tell_warnings(session, handle.warnings)})


async def get(session: Session) -> Answer:
    """`queue get`."""
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


async def clear(session: Session) -> Answer:
    """`queue clear`."""
    return Answer(DONE.body, {"removed": await session.client.queue.clear()})
