"""`qserver item …` and `qserver logs`: the whole life of an item, its end, and what an item or a task printed."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_client import ItemNotFound, ItemStatus, RunFilter, TaskNotFound, TaskStatus

from queueserver_cli.command_line.command import CommandBody, nothing_more
from queueserver_cli.display.evidence import Evidence
from queueserver_cli.display.item_life import ItemLife
from queueserver_cli.display.printed_text import printed_by
from queueserver_cli.display.terminal_text import console_line
from queueserver_cli.outcome import Answer, ExitCode, WrongCommand
from queueserver_cli.positions import uid
from queueserver_cli.session import Session
from queueserver_cli.short_uids import find_item, task_uid
from queueserver_cli.waiting.attempts import attempts_of
from queueserver_cli.waiting.item_wait import wait_for_item


def show(words: Sequence[str]) -> CommandBody:
    """`item UID`."""
    item_uid = _one_uid(words)

    async def action(session: Session) -> Answer | None:
        life = await _life(session, await find_item(session, item_uid))
        if session.printer.as_json:
            return Answer({"success": True, "msg": "", **life.document()})
        session.printer.coloured("\n".join(life.lines()))
        return None

    return action


async def _life(session: Session, status: ItemStatus) -> ItemLife:
    entry = status.history_entry
    runs = entry.result.runs if entry is not None else ()
    if status.running is not None:
        runs = (await session.client.run_engine.runs(RunFilter.ACTIVE)).runs
    excerpt = entry.result.console_excerpt if entry is not None else None
    printed = await printed_by(session, status.item.uid, excerpt)
    return ItemLife(status, await attempts_of(session, status), runs, printed)


def wait(words: Sequence[str]) -> CommandBody:
    """`item wait UID`."""
    item_uid = _one_uid(words)

    async def action(session: Session) -> Answer:
        found = await find_item(session, item_uid)
        return await wait_for_item(session, found.item.uid)

    return action


def logs(words: Sequence[str]) -> CommandBody:
    """`logs UID`, of an item or a task."""
    wanted = _one_uid(words)

    async def action(session: Session) -> Answer | None:
        found = await _find(session, wanted)
        if found is None:
            msg = f"There is neither an item nor a task {wanted!r}: see qserver history get, and qserver task list."
            return Answer({"success": False, "msg": msg, "reason": "ITEM_NOT_FOUND"}, {}, "", ExitCode.REFUSED)
        found_uid, excerpt, has_begun = found
        printed = await printed_by(session, found_uid, excerpt)
        if session.printer.as_json:
            body = {"success": True, "msg": printed.note, "uid": found_uid, "is_over": excerpt is not None}
            return Answer(body | {"printed": printed.text, "printed_is_whole": printed.is_whole})
        if printed.text:
            lines = printed.text.removesuffix("\n").split("\n")
            session.printer.coloured("\n".join(map(console_line, lines)))
        evidence = Evidence(session)
        if not printed.text:
            evidence.say("It printed nothing." if has_begun else "It has not begun, so it has printed nothing.")
        elif printed.note:
            evidence.say(printed.note)
        if excerpt is None and has_begun:
            evidence.say("It continues. What is printed from now on: qserver watch console")
        return None

    return action


async def _find(session: Session, wanted: str) -> tuple[str, str | None, bool] | None:
    """The uid, the result's excerpt of what was printed (None while it runs), and whether it has started."""
    try:
        status = await find_item(session, wanted)
    except ItemNotFound:
        try:
            task = await session.client.tasks.get(await task_uid(session, wanted))
        except TaskNotFound:
            return None
        return _task(task)
    if status.history_entry is not None:
        return status.item.uid, status.history_entry.result.console_excerpt, True
    return status.item.uid, None, status.running is not None


def _task(found: TaskStatus) -> tuple[str, str | None, bool]:
    excerpt = found.result.console_excerpt if found.result is not None else None
    return found.task.uid, excerpt, True


def _one_uid(words: Sequence[str]) -> str:
    if not words:
        raise WrongCommand("UID is missing.")
    nothing_more(words[1:])
    # The beginning of a uid may consist of digits only.
    return words[0] if words[0].isdigit() else uid(words[0])
