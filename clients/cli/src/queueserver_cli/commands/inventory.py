"""`qserver allowed …` and `qserver existing …`: people see names, programs the whole descriptions."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_cli.grammar import Action
from queueserver_cli.outcome import Answer
from queueserver_cli.places import nothing_more
from queueserver_cli.session import Session
from queueserver_cli.vocabulary import plain

_FOLDED = "{...}"


def allowed_plans(words: Sequence[str]) -> Action:
    """`allowed plans`."""
    return _plans(words, existing=False)


def existing_plans(words: Sequence[str]) -> Action:
    """`existing plans`."""
    return _plans(words, existing=True)


def allowed_devices(words: Sequence[str]) -> Action:
    """`allowed devices`."""
    return _devices(words, existing=False)


def existing_devices(words: Sequence[str]) -> Action:
    """`existing devices`."""
    return _devices(words, existing=True)


def _plans(words: Sequence[str], *, existing: bool) -> Action:
    nothing_more(words)
    key = "plans_existing" if existing else "plans_allowed"

    async def action(session: Session) -> Answer:
        found = await session.client.inventory.plans(existing=existing)
        return _answer(key, {plan.name: plain(plan) for plan in found.plans}, found.uid)

    return action


def _devices(words: Sequence[str], *, existing: bool) -> Action:
    nothing_more(words)
    key = "devices_existing" if existing else "devices_allowed"

    async def action(session: Session) -> Answer:
        found = await session.client.inventory.devices(existing=existing)
        return _answer(key, {device.name: plain(device) for device in found.devices}, found.uid)

    return action


def allowed_functions(words: Sequence[str]) -> Action:
    """`allowed functions`."""
    return _functions(words, existing=False)


def existing_functions(words: Sequence[str]) -> Action:
    """`existing functions`."""
    return _functions(words, existing=True)


def _functions(words: Sequence[str], *, existing: bool) -> Action:
    nothing_more(words)
    key = "functions_existing" if existing else "functions_allowed"

    async def action(session: Session) -> Answer:
        found = await session.client.inventory.functions(existing=existing)
        body = {"success": True, "msg": "", key: {each.name: each.signature for each in found}}
        return Answer(body, {key: {each.name: plain(each) for each in found}})

    return action


def _answer(key: str, found: dict[str, object], uid: str) -> Answer:
    body = {"success": True, "msg": "", key: dict.fromkeys(found, _FOLDED), f"{key}_uid": uid}
    return Answer(body, {key: found})
