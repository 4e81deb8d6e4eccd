"""Items by the beginning of their uid, as tables show it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from queueserver_client import Item, ItemNotFound, ItemStatus

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
        found = {item.uid: item async for item in _items(session) if item.uid.startswith(word)}
        if not found:
            raise
    if len(found) > 1:
        listed = "".join(f"\n  {uid}  {item.name}" for uid, item in list(found.items())[:SHOWN])
        raise WrongCommand(f"{len(found)} items begin with {word!r}; say more of the uid:{listed}")
    return await session.client.queue.get(next(iter(found)))


async def _items(session: Session) -> AsyncIterator[Item]:
    page = await session.client.queue.page(page_size=1)
    if page.running_item is not None:
        yield page.running_item.item
    async for item in session.client.queue.list():
        yield item
    async for entry in session.client.history.list(newest_first=True):
        yield entry.item
