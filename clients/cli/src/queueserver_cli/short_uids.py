"""Items and tasks by the beginning of their uid, as tables show it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping

from queueserver_client import Address, After, Before, Item, ItemNotFound, ItemStatus, Position

from queueserver_cli.outcome import WrongCommand
from queueserver_cli.session import Session

#: As many characters as a table shows of a uid.
SHOWN = 8
_BEGINNING = re.compile(r"[0-9a-f][0-9a-f-]{5,34}", re.ASCII)


async def find_item(session: Session, word: str) -> ItemStatus:
    """An item by its uid, or by the beginning of it if only one item begins so. Raises ItemNotFound, WrongCommand."""
    try:
        return await session.client.queue.get(word)
    except ItemNotFound:
        if not _BEGINNING.fullmatch(word):
            raise
        found = {item.uid: item.name async for item in _items(session) if item.uid.startswith(word)}
        if not found:
            raise
    return await session.client.queue.get(_only(word, found, "items"))


async def item_uid(session: Session, word: str) -> str:
    """The uid of the item that begins so; the word itself if none does. Raises WrongCommand if several do."""
    if not _BEGINNING.fullmatch(word):
        return word
    found = {item.uid: item.name async for item in _items(session) if item.uid.startswith(word)}
    return _only(word, found, "items") if found else word


async def whole_address(session: Session, address: Address) -> Address:
    """SRC with the whole uid, if it is one. Raises WrongCommand."""
    return await item_uid(session, address) if isinstance(address, str) else address


async def whole_position(session: Session, position: Position | None) -> Position | None:
    """ADDR or DEST with the whole uid of the item that it names. Raises WrongCommand."""
    if isinstance(position, (Before, After)):
        return type(position)(await item_uid(session, position.uid))
    return position


async def task_uid(session: Session, word: str) -> str:
    """The uid of the task that begins so; the word itself if none does. Raises WrongCommand if several do."""
    if not _BEGINNING.fullmatch(word):
        return word
    tasks = [found.task for found in await session.client.tasks.list()]
    found = {task.uid: task.name or str(task.kind) for task in tasks if task.uid.startswith(word)}
    return _only(word, found, "tasks") if found else word


def _only(word: str, found: Mapping[str, str], what: str) -> str:
    """The one uid that was found. Raises WrongCommand, which lists them, if there are several."""
    if len(found) > 1:
        listed = "".join(f"\n  {uid}  {name}" for uid, name in list(found.items())[:SHOWN])
        raise WrongCommand(f"{len(found)} {what} begin with {word!r}; say more of the uid:{listed}")
    return next(iter(found))


async def _items(session: Session) -> AsyncIterator[Item]:
    page = await session.client.queue.page(page_size=1)
    if page.running_item is not None:
        yield page.running_item.item
    async for item in session.client.queue.list():
        yield item
    async for entry in session.client.history.list(newest_first=True):
        yield entry.item
