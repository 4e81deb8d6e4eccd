"""`qserver history …`.

In a terminal `history get` is a table of the newest items. In a pipe, and with ``--long``, it is the dictionary that
users know, of the whole history, so that programs that read it continue to work. What items printed is left to
`qserver item`, `qserver logs` and ``--json``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timezone

from queueserver_client import HistoryEntry

from queueserver_cli.command_line.command import CommandBody, nothing_more
from queueserver_cli.display.history_table import HEADINGS, history_rows
from queueserver_cli.display.table_display import show_table
from queueserver_cli.outcome import DONE, Answer, WrongCommand
from queueserver_cli.positions import number, uid
from queueserver_cli.session import Session
from queueserver_cli.short_uids import item_uid
from queueserver_cli.words.legacy_json import entry_dict

_PAGE = 1000
#: Lines of the table unless another number is given.
_LINES = 50


def get(words: Sequence[str]) -> CommandBody:
    """`history get [N]`."""
    nothing_more(words[1:])
    newest = number(words[0]) if words else None
    if words and (newest is None or newest < 1):
        raise WrongCommand(f"{words[0]!r} is not a number of items.")

    async def action(session: Session) -> Answer | None:
        if session.printer.as_json or session.switch("long") or not sys.stdout.isatty():
            return await _get(session, newest)
        await _show(session, newest or _LINES)
        return None

    return action


async def _get(session: Session, newest: int | None) -> Answer:
    entries, marker, _ = await _newest(session, newest)
    items = [entry_dict(entry) for entry in entries]
    shown = [_without_text(item) for item in items]
    return Answer({"success": True, "msg": "", "items": shown, "plan_history_uid": marker}, {"items": items})


def _without_text(item: dict[str, object]) -> dict[str, object]:
    result = item["result"]
    assert isinstance(result, dict)  # noqa: S101 - made by entry_dict
    return item | {"result": {key: value for key, value in result.items() if key != "console_excerpt"}}


async def _show(session: Session, newest: int) -> None:
    entries, _, size = await _newest(session, newest)
    if not entries:
        session.printer.coloured("The history is empty.")
        return
    if size > len(entries):
        session.printer.note(f"The newest {len(entries)} of {size} items; more: qserver history get {size}")
    show_table(session, HEADINGS, history_rows(entries, datetime.now(timezone.utc).astimezone()), right="seconds")
    session.printer.note("All about one of them: qserver item UID")


async def _newest(session: Session, wanted: int | None) -> tuple[list[HistoryEntry], str, int]:
    """The newest entries, or all, oldest first; the change marker and the size of the history."""
    entries: list[HistoryEntry] = []
    token = ""
    while True:
        size = _PAGE if wanted is None else min(_PAGE, wanted - len(entries))
        page = await session.client.history.page(newest_first=wanted is not None, page_size=size, page_token=token)
        entries += page.entries
        token = page.next_page_token
        if not token or (wanted is not None and len(entries) >= wanted):
            break
    return entries if wanted is None else entries[::-1], page.plan_history_uid, page.history_size


def clear(words: Sequence[str]) -> CommandBody:
    """`history clear [N|UID]`."""
    nothing_more(words[1:])
    keep = number(words[0]) if words else None
    if keep is not None and keep < 0:
        raise WrongCommand(f"{words[0]!r} is not a number of items to keep.")
    up_to = uid(words[0]) if words and keep is None else None

    async def action(session: Session) -> Answer:
        newest_gone = await item_uid(session, up_to) if up_to is not None else None
        removed = await session.client.history.clear(keep_newest=keep, up_to_uid=newest_gone)
        return Answer(DONE.body, {"removed": removed})

    return action
