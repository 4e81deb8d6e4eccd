"""`qserver function …`, `script …`, `task …` and `environment update`: what the environment does beside plans."""

from __future__ import annotations

import asyncio
import codecs
import io
import tokenize
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from queueserver_client import TaskHandle, TaskNotFound, TaskResult, TaskStatus

from queueserver_cli.command_line.command import CommandBody, nothing_more
from queueserver_cli.outcome import Answer, ExitCode, WrongCommand
from queueserver_cli.plan_forms.plan_text import parse_function
from queueserver_cli.positions import uid
from queueserver_cli.session import Session
from queueserver_cli.short_uids import task_uid as whole_uid
from queueserver_cli.words.legacy_json import result_words, state_word, task_dict

#: Larger files are refused by the server; this one is not even read.
_MAX_SCRIPT = 1024 * 1024


def execute_function(words: Sequence[str]) -> CommandBody:
    """`function execute FUNC [background]`."""
    if not words:
        raise WrongCommand("FUNC is missing.")
    name, args, kwargs = parse_function(words[0])
    background = _switches(words[1:], "background")["background"]

    async def action(session: Session) -> Answer:
        handle = await session.client.tasks.execute(name, args, kwargs, run_in_background=background)
        item = {"name": name, "args": list(args), "kwargs": dict(kwargs), "item_uid": handle.uid}
        item |= {"user": handle.task.user, "user_group": handle.task.user_group}
        return await _accepted(session, handle, {"item": item})

    return action


def upload_script(words: Sequence[str]) -> CommandBody:
    """`script upload FILE [background] [update-re] [keep-lists]`."""
    if not words:
        raise WrongCommand("FILE is missing.")
    text = _read(words[0])
    switches = _switches(words[1:], "background", "update-re", "keep-lists")

    async def action(session: Session) -> Answer:
        handle = await session.client.tasks.upload_script(
            text,
            name=words[0],
            update_lists=not switches["keep-lists"],
            update_re=switches["update-re"],
            run_in_background=switches["background"],
        )
        return await _accepted(session, handle, {})

    return action


def update_environment(words: Sequence[str]) -> CommandBody:
    """`environment update [background]`."""
    background = _switches(words, "background")["background"]

    async def action(session: Session) -> Answer:
        return await _accepted(session, await session.client.tasks.update_environment(run_in_background=background), {})

    return action


def status(words: Sequence[str]) -> CommandBody:
    """`task status UID`."""
    word = _one_uid(words)

    async def action(session: Session) -> Answer:
        task_uid = await whole_uid(session, word)
        found = await _find(session, task_uid)
        return Answer({"success": True, "msg": "", "task_uid": task_uid, "status": _state(found)})

    return action


def result(words: Sequence[str]) -> CommandBody:
    """`task result UID`."""
    word = _one_uid(words)

    async def action(session: Session) -> Answer:
        task_uid = await whole_uid(session, word)
        return _told(task_uid, await _find(session, task_uid))

    return action


def wait(words: Sequence[str]) -> CommandBody:
    """`task wait UID`."""
    word = _one_uid(words)

    async def action(session: Session) -> Answer:
        task_uid = await whole_uid(session, word)
        await session.client.tasks.wait(task_uid)
        return _told(task_uid, await session.client.tasks.get(task_uid))

    return action


async def list_(session: Session) -> Answer:
    """`task list`."""
    tasks = [task_dict(found) for found in await session.client.tasks.list()]
    return Answer({"success": True, "msg": "", "tasks": tasks})


async def _accepted(session: Session, handle: TaskHandle, more: dict[str, Any]) -> Answer:
    """The task as accepted; with ``--wait`` its result."""
    if not session.wait:
        return Answer({"success": True, "msg": "", "task_uid": handle.uid, **more})
    try:
        ended = await handle.wait()
    except asyncio.CancelledError:
        session.printer.note(f"The task continues. Wait for its end: qserver task wait {handle.uid}")
        raise
    body = {"success": ended.success, "msg": ended.message, "task_uid": handle.uid, **more}
    return Answer(body | {"result": result_words(ended)}, {}, *_end(ended))


def _told(task_uid: str, found: TaskStatus | None) -> Answer:
    """The state of a task and its result."""
    body = {"success": True, "msg": "", "task_uid": task_uid, "status": _state(found)}
    if found is None:
        return Answer(body | {"result": {}})
    return Answer(body | {"result": task_dict(found)}, {}, found.result.traceback if found.result else "")


def _end(ended: TaskResult) -> tuple[str, ExitCode]:
    return ended.traceback, ExitCode.SUCCESS if ended.success else ExitCode.REFUSED


async def _find(session: Session, task_uid: str) -> TaskStatus | None:
    try:
        return await session.client.tasks.get(task_uid)
    except TaskNotFound:
        return None


def _state(found: TaskStatus | None) -> str:
    return "not_found" if found is None else state_word(found)


def _one_uid(words: Sequence[str]) -> str:
    if not words:
        raise WrongCommand("UID is missing.")
    nothing_more(words[1:])
    return uid(words[0])


def _switches(words: Sequence[str], *known: str) -> dict[str, bool]:
    """Which of some words are given, each once and in any order."""
    for word in words:
        if word.replace("_", "-") not in known:
            raise WrongCommand(f"{word!r} is not allowed here: only {' or '.join(known)} is.")
    given = {word.replace("_", "-") for word in words}
    return {name: name in given for name in known}


def _read(name: str) -> str:
    """A script as Python reads it: UTF-8, with or without byte order mark, unless the file names another encoding."""
    try:
        with Path(name).open("rb") as file:
            data = file.read(_MAX_SCRIPT + 1)
    except OSError as error:
        raise WrongCommand(f"{name} can't be read: {error.strerror}.") from None
    if len(data) > _MAX_SCRIPT:
        raise WrongCommand(f"{name} is larger than {_MAX_SCRIPT} bytes: put it into a module that the script imports.")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise WrongCommand(f"{name} is UTF-16, which Python does not read: save it as UTF-8.")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return io.TextIOWrapper(io.BytesIO(data), encoding).read()
    except (UnicodeDecodeError, SyntaxError):
        raise WrongCommand(
            f"{name} is not UTF-8 text, and its first lines name no other encoding that fits: save it as UTF-8."
        ) from None
