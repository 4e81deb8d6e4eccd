"""`queue edit SRC`: an item of the queue in the user's editor.

Guarantee: text that a person has typed is never lost. Until the server has accepted it, it stays in a named file.
An item that another client has changed meanwhile is not overwritten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from queueserver_client import Item, ItemHandle, ItemState, ItemStatus, QueueServerError, RevisionMismatch

from queueserver_cli.command_line.command import CommandBody, nothing_more
from queueserver_cli.commands.queue.queue import answer_of
from queueserver_cli.outcome import DONE, Answer, ExitCode, WrongCommand
from queueserver_cli.plan_forms.editor import (
    EditedFile,
    EditorFailed,
    asks,
    editor_command,
    interruptible,
    left_to_the_editor,
    require_terminal,
)
from queueserver_cli.plan_forms.plan_yaml import from_yaml, to_yaml
from queueserver_cli.positions import address
from queueserver_cli.refusal import is_communication_failure
from queueserver_cli.session import Session
from queueserver_cli.short_uids import find_item

_WAITING = {ItemState.QUEUED, ItemState.HELD, ItemState.INVALID, ItemState.UNSPECIFIED}
#: The queue changes while a plan is edited; this often the item itself is checked for changes.
_TRIES = 20


def edit(words: Sequence[str]) -> CommandBody:
    """`queue edit SRC`."""
    nothing_more(words[1:])
    if not words:
        raise WrongCommand("SRC is missing: front, back, an index or a uid.")
    which = address(words[0])
    require_terminal("qserver queue update plan UID PLAN")
    editor_command()

    async def action(session: Session) -> Answer:
        is_uid = isinstance(which, str) and which not in {"front", "back"}
        found = await (find_item(session, words[0]) if is_uid else session.client.queue.get(which))
        if found.state not in _WAITING:
            return _refused(f"The item {found.item.uid} is {found.state}: only what waits in the queue can be edited.")
        return await _Editing(session, found).run()

    return action


class _Editing:
    """One item from the first look at it until it is accepted or given up."""

    def __init__(self, session: Session, found: ItemStatus) -> None:
        self._session = session
        self._found = found
        self._before = to_yaml(found.item, _remarks(found.item))
        self._file = EditedFile(self._before, ".yaml")

    async def run(self) -> Answer:
        """Edit until the server accepts it, or the person gives up."""
        while True:
            try:
                with left_to_the_editor():
                    self._file.edit()
                text = self._file.read()
            except EditorFailed as error:
                return self._kept_if_changed(str(error))
            try:
                return await self._take(text)
            except (WrongCommand, QueueServerError, ValueError) as error:
                if not self._wants_to_go_on(str(error)):
                    return self._kept(error)
            except asyncio.CancelledError:
                self._session.printer.note(f"What you wrote is in {self._file.path}")
                raise

    async def _take(self, text: str) -> Answer:
        """Send what was written, if there is something to send. Raises as :meth:`_send`."""
        item = from_yaml(text)
        if item is None:
            return self._given_up("The text is empty")
        if to_yaml(item, ()) == to_yaml(self._found.item, ()):
            return self._given_up("The plan is as it was")
        handle = await self._send(item)
        self._file.discard()
        return answer_of(self._session, handle)

    async def _send(self, item: Item) -> ItemHandle:
        """Replace the item if it is what was edited. Raises what `queue.update` does, and WrongCommand."""
        queue, uid = self._session.client.queue, self._found.item.uid
        for _ in range(_TRIES):
            try:
                return await queue.update(uid, item, expected_revision=self._found.revision)
            except RevisionMismatch:
                now = await queue.get(uid)
                if now.state not in _WAITING:
                    raise WrongCommand(f"The item {uid} is {now.state} by now, so it can't be changed.") from None
                if _content(now.item) != _content(self._found.item):
                    self._found, self._before = now, to_yaml(now.item, _remarks(now.item))
                    raise WrongCommand(_overtaken(now.item)) from None
                self._found = now
        raise WrongCommand("Other clients keep changing the queue: try again.")

    def _wants_to_go_on(self, msg: str) -> bool:
        try:
            with interruptible():
                return asks(f"Not accepted: {msg}\nEdit it again?")
        except KeyboardInterrupt:
            return False

    def _kept(self, error: Exception) -> Answer:
        where = f"What you wrote is in {self._file.path}"
        if isinstance(error, QueueServerError) and is_communication_failure(error):
            # The error says whether anything was changed, as far as it is known.
            body = {"success": False, "msg": f"{error} {where}", "reason": error.reason}
            return Answer(body, {}, "", ExitCode.COMMUNICATION)
        return _refused(f"{error} Nothing was changed. {where}")

    def _kept_if_changed(self, msg: str) -> Answer:
        try:
            is_changed = self._file.read() != self._before
        except EditorFailed:
            is_changed = True
        if not is_changed:
            self._file.discard()
            return _refused(f"{msg} Nothing was changed.")
        return _refused(f"{msg} Nothing was changed. What you wrote is in {self._file.path}")

    def _given_up(self, why: str) -> Answer:
        self._file.discard()
        held = f" It stays held. To release it unchanged: qserver queue update plan {self._found.item.uid} PLAN"
        msg = f"{why}: nothing was sent, the item stays as it is.{held if self._found.item.held else ''}"
        return Answer({**DONE.body, "msg": msg})


def _remarks(item: Item) -> list[str]:
    lines = [f"Item {item.uid} of {item.user}. Change it, save and leave the editor; empty it to change nothing."]
    lines += [f"As things are it would fail: {each.field}: {each.description}" for each in item.problems]
    if item.held:
        lines.append("It was interrupted and is held; a change releases it.")
    return lines


def _content(item: Item) -> tuple[Any, ...]:
    return (item.item_type, item.name, item.args, item.kwargs, item.meta, item.properties)


def _overtaken(now: Item) -> str:
    body = to_yaml(replace(now, problems=()), [])
    return f"{now.user} has changed the item meanwhile. It is now:\n{body}Sending yours now would replace that."


def _refused(msg: str) -> Answer:
    return Answer({"success": False, "msg": msg}, {}, "", ExitCode.REFUSED)
