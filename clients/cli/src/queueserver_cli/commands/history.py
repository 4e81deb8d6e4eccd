"""`qserver history …`."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_client import HistoryEntry

from queueserver_cli.command import Action
from queueserver_cli.outcome import DONE, Answer
from queueserver_cli.places import nothing_more, number, uid
from queueserver_cli.session import Session
from queueserver_cli.vocabulary import entry_dict

_PAGE = 1000


def get(words: Sequence[str]) -> Action:
    """`history get`."""
    nothing_more(words)
    return _get


async def _get(session: Session) -> Answer:
    entries: list[HistoryEntry] = []
    token = ""
    while True:
        page = await session.client.history.page(page_size=_PAGE, page_token=token)
        entries += page.entries
        token = page.next_page_token
        if not token:
            break
    items = [entry_dict(entry) for entry in entries]
    return Answer({"success": True, "msg": "", "items": items, "plan_history_uid": page.plan_history_uid})


def clear(words: Sequence[str]) -> Action:
    """`history clear [N|UID]`."""
    nothing_more(words[1:])
    keep = number(words[0]) if words else None
    up_to = uid(words[0]) if words and keep is None else None

    async def action(session: Session) -> Answer:
        removed = await session.client.history.clear(keep_newest=keep, up_to_uid=up_to)
        return Answer(DONE.body, {"removed": removed})

    return action
