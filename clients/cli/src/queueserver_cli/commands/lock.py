"""`qserver lock …` and `qserver unlock`. The key is an option of every command: `--lock-key KEY`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from queueserver_client import Locked, LockKeyInvalid, LockRefused, LockState

from queueserver_cli.command_line.command import CommandBody, Parser
from queueserver_cli.outcome import Answer, ExitCode, WrongCommand
from queueserver_cli.refusal import KNOWN_BEGINNING, as_answer
from queueserver_cli.session import Session
from queueserver_cli.words.lock_words import lock_dict

_KEY_MISSING = (
    "This needs a key: --lock-key KEY, or the variable QSERVER_LOCK_KEY. You choose it when you lock, and need it "
    "again for everything that is locked, and to unlock."
)


def _note(words: Sequence[str]) -> str:
    """The note, which is one word. Raises WrongCommand."""
    if len(words) > 1:
        raise WrongCommand(f"{words[1]!r} is not part of the note: put a note of several words in quotes.")
    return words[0] if words else ""


def _require_key(session: Session) -> None:
    """Raise WrongCommand without a key."""
    if session.client.lock.key is None:
        raise WrongCommand(_KEY_MISSING)


def _locking(*, environment: bool, queue: bool) -> Parser:
    def parse(words: Sequence[str]) -> CommandBody:
        note = _note(words)

        async def action(session: Session) -> Answer:
            _require_key(session)
            lease = session.options.get("lease")
            try:
                state = await session.client.lock.acquire(environment=environment, queue=queue, note=note, lease=lease)
            except Locked as error:
                return await _refused(session, error)
            return _done(state)

        return action

    return parse


lock_environment = _locking(environment=True, queue=False)
lock_queue = _locking(environment=False, queue=True)
lock_all = _locking(environment=True, queue=True)


def _requesting(*, environment: bool, queue: bool) -> Parser:
    def parse(words: Sequence[str]) -> CommandBody:
        note = _note(words)

        async def action(session: Session) -> Answer:
            _require_key(session)
            lock = session.client.lock
            lease = session.options.get("lease")
            state = await lock.request(environment=environment, queue=queue, note=note, lease=lease)
            if state.granted or not session.wait:
                return Answer({**_done(state).body, "granted": bool(state.granted)})
            session.printer.note(f"{state.lock.user} is asked for the lock. Ctrl-C withdraws the request.", timed=True)
            try:
                state = await lock.granted(state)
            except LockRefused as error:
                return await _refused(session, error)
            except asyncio.CancelledError:
                session.printer.note("The request was withdrawn.")
                raise
            return Answer({**_done(state).body, "granted": True})

        return action

    return parse


request_environment = _requesting(environment=True, queue=False)
request_queue = _requesting(environment=False, queue=True)
request_all = _requesting(environment=True, queue=True)


async def info(session: Session) -> Answer:
    """`lock info`."""
    state = await session.client.lock.get()
    if state.key_fits is False:
        body = {**_done(state).body, "success": False, "msg": f"{KNOWN_BEGINNING}{state.message}"}
        return Answer(body, {"reason": "LOCK_KEY_INVALID", "msg": state.message}, exit_code=ExitCode.REFUSED)
    return _done(state)


def grant(words: Sequence[str]) -> CommandBody:
    """`lock grant [NOTE]`."""
    note = _note(words)
    return _keyed(lambda session: session.client.lock.answer(grant=True, note=note))


def refuse(words: Sequence[str]) -> CommandBody:
    """`lock refuse [NOTE]`."""
    note = _note(words)
    return _keyed(lambda session: session.client.lock.answer(grant=False, note=note))


def _keyed(call: Callable[[Session], Awaitable[LockState]]) -> CommandBody:
    """An action that makes a call which needs the key."""

    async def action(session: Session) -> Answer:
        _require_key(session)
        try:
            state = await call(session)
        except LockKeyInvalid as error:
            return await _refused(session, error)
        return _done(state)

    return action


renew = _keyed(lambda session: session.client.lock.renew())
unlock = _keyed(lambda session: session.client.lock.release())
withdraw = _keyed(lambda session: session.client.lock.withdraw())


def _done(state: LockState) -> Answer:
    return Answer({"success": True, "msg": "", "lock_info": lock_dict(state.lock), "lock_info_uid": state.uid})


async def _refused(session: Session, error: Locked | LockKeyInvalid | LockRefused) -> Answer:
    """A refusal, with the lock as it is."""
    answer = as_answer(error)
    state = await session.client.lock.get()
    body = {**answer.body, "lock_info": lock_dict(state.lock), "lock_info_uid": state.uid}
    return Answer(body, answer.details, answer.appendix, answer.exit_code)
