"""`qserver re …`: pause, resume and end the running plan, and what it has done so far."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from queueserver_client import RunFilter

from queueserver_cli.command_line.command import CommandBody, nothing_more
from queueserver_cli.outcome import DONE, Answer, WrongCommand
from queueserver_cli.session import Session
from queueserver_cli.short_uids import item_uid
from queueserver_cli.waiting.plan_control import ABORTED, HALTED, PAUSED, PAUSED_AT_ONCE, RESUMED, STOPPED, carry_out
from queueserver_cli.words.legacy_json import plain, run_dict

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_PAUSES = ("deferred", "immediate")
_FILTERS = [which.value for which in RunFilter if which is not RunFilter.UNSPECIFIED]


async def _item(session: Session) -> str:
    """The uid of the item that is meant; empty for whatever runs. Raises WrongCommand."""
    if session.options.get("item") == "":
        # As from an unset shell variable: it must not reach whatever runs.
        raise WrongCommand(
            "--item needs the uid of an item: give one, or leave the option out to act on the plan that runs."
        )
    return await item_uid(session, session.text("item"))


def pause(words: Sequence[str]) -> CommandBody:
    """`re pause [deferred|immediate]`."""
    nothing_more(words[1:])
    if words and words[0] not in _PAUSES:
        raise WrongCommand(f"{words[0]!r} is not a way to pause: say {' or '.join(_PAUSES)}.")
    immediate = list(words) == ["immediate"]

    async def action(session: Session) -> Answer:
        request = partial(session.client.run_engine.pause, immediate=immediate, item_uid=await _item(session))
        return await carry_out(session, request, PAUSED_AT_ONCE if immediate else PAUSED)

    return action


async def resume(session: Session) -> Answer:
    """`re resume`."""
    return await carry_out(session, session.client.run_engine.resume, RESUMED)


async def stop(session: Session) -> Answer:
    """`re stop`."""
    return await carry_out(session, partial(session.client.run_engine.stop, item_uid=await _item(session)), STOPPED)


def abort(words: Sequence[str]) -> CommandBody:
    """`re abort [now]`."""
    if list(words) == ["now"]:
        return _abort_now
    nothing_more(words)
    return _abort


async def _abort(session: Session) -> Answer:
    return await carry_out(session, partial(session.client.run_engine.abort, item_uid=await _item(session)), ABORTED)


async def _abort_now(session: Session) -> Answer:
    return await carry_out(
        session, partial(session.client.run_engine.abort_now, item_uid=await _item(session)), ABORTED
    )


async def halt(session: Session) -> Answer:
    """`re halt`."""
    return await carry_out(session, partial(session.client.run_engine.halt, item_uid=await _item(session)), HALTED)


def answer(words: Sequence[str]) -> CommandBody:
    """`re answer TEXT [ID]`."""
    if not words:
        raise WrongCommand("Say what to answer; an empty answer is written as two quotation marks.")
    nothing_more(words[2:])
    text, question_id = words[0], words[1] if words[1:] else ""
    if question_id and not _UUID.fullmatch(question_id):
        raise WrongCommand(f"{question_id!r} is not an id of a question: put an answer of several words in quotes.")

    async def action(session: Session) -> Answer:
        if question_id:
            await session.client.run_engine.answer(text, question_id)
            return DONE
        question = (await session.client.status()).environment.question
        await session.client.run_engine.answer(text, question.question_id if question is not None else "")
        return Answer({"success": True, "msg": "", "question": plain(question), "answer": text})

    return action


def runs(words: Sequence[str]) -> CommandBody:
    """`re runs [active|open|closed]`."""
    nothing_more(words[1:])
    if words and words[0] not in _FILTERS:
        raise WrongCommand(f"{words[0]!r} is not a kind of runs: say {', '.join(_FILTERS)}.")
    which = RunFilter(words[0]) if words else RunFilter.ACTIVE

    async def action(session: Session) -> Answer:
        listed = await session.client.run_engine.runs(which)
        found = [run_dict(run) for run in listed.runs]
        return Answer({"success": True, "msg": "", "run_list": found, "run_list_uid": listed.uid})

    return action


async def metadata(session: Session) -> Answer:
    """`re metadata`."""
    return Answer({"success": True, "msg": "", "re_metadata": await session.client.run_engine.metadata()})
